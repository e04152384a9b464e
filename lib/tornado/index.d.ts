// Tornado's gen, IOLoop, PeriodicCallback, locks and queues.

import { Future, sleep as nativeSleep } from '../native/index';
import { Signatures } from '../types';

/** What `yield` gives back for a value under gen.coroutine. */
export type Yielded<V> =
  V extends null | undefined ? undefined :
  V extends PromiseLike<infer T> ? Awaited<T> :
  V extends Generator<any, infer R, any> | AsyncGenerator<any, infer R, any> ? Awaited<R> :
  V extends (...args: any[]) => any ? never :
  V extends readonly unknown[] ? { -readonly [K in keyof V]: Yielded<V[K]> } :
  V extends object ? { [K in keyof V]: Yielded<V[K]> } : never;

/** What a coroutine's Future holds for the result of its function. */
type CoroutineResult<R> =
  R extends Iterator<any, infer T, any> | AsyncIterator<any, infer T, any> ?
    Awaited<T> : Awaited<R>;

type ErrorClass = abstract new (...args: any[]) => any;
export interface QuietOptions {
  /** Classes of errors that are not warned of. */
  quietExceptions?: ErrorClass | readonly ErrorClass[] | undefined;
}

/** Tornado's gen. */
export namespace gen {
  /** A function whose calls are coroutines. */
  export function coroutine<This, A extends any[], R>(
    fn: (this: This, ...args: A) => Iterator<any, R, any> | AsyncIterator<any, R, any>):
    ((this: This, ...args: A) => Future<Awaited<R>>) & { readonly __wrapped__: typeof fn };
  export function coroutine<This, A extends any[], R>(fn: (this: This, ...args: A) => R):
    ((this: This, ...args: A) => Future<CoroutineResult<R>>) & { readonly __wrapped__: typeof fn };
  export function isCoroutineFunction(fn: unknown): boolean;

  /** `throw new gen.Return(value)` ends a coroutine with a result. */
  export class Return<T = unknown> extends Error {
    constructor(value?: T);
    value: T;
  }
  export class BadYieldError extends TypeError {
    constructor(value: unknown);
    code: 'FIBRIL_EBADYIELD';
  }
  export class TimeoutError extends Error {
    constructor(message?: string);
    code: 'ETIMEDOUT';
  }

  /** One iteration of the loop. */
  export const moment: Future<undefined>;

  /** The Future of what may be yielded; `gen.moment` for undefined and null. */
  export function convertYielded<V>(
    value: V): V extends null | undefined ? typeof moment : Future<Yielded<V>>;
  export namespace convertYielded {
    function register<T>(
      Class: abstract new (...args: any[]) => T, converter: ((value: T) => unknown) | null): void;
  }

  /** All results; waits for all, the first error of the list wins. */
  export function multi<const V extends readonly unknown[] | { readonly [key: string]: unknown }>(
    children: V, options?: QuietOptions): Future<Yielded<V>>;
  export function multi<V>(children: Iterable<V>, options?: QuietOptions): Future<Yielded<V>[]>;
  export function withTimeout<V>(
    ms: number, yieldable: V, options?: QuietOptions): Future<Yielded<V>>;
  /** Copies the outcome of the first to the second, which it returns. */
  export function chainFuture<T>(from: PromiseLike<T>, to: Future<T>): Future<T>;
  /** Calls `fn(...args, callback)`. */
  export function Task<T = any>(fn: (...args: any[]) => unknown, ...args: unknown[]): Future<T>;

  export interface WaitIterator<V = any> extends AsyncIterable<Yielded<V>> {
    readonly currentIndex: number | string | undefined;
    readonly currentFuture: Future<Yielded<V>> | undefined;
    done(): boolean;
    next(): Future<Yielded<V>>;
    [Symbol.asyncIterator](): AsyncIterator<Yielded<V>, void, undefined>;
  }
  export const WaitIterator: {
    new <N extends { [name: string]: unknown; then?: never; next?: never }>(
      named: N): WaitIterator<N[keyof N]>;
    new <V extends unknown[]>(...yieldables: V): WaitIterator<V[number]>;
    readonly prototype: WaitIterator;
  };

  /** never where a function has no overloads: its type parameters would be lost. */
  type Overloaded<F> = Signatures<F> extends [any, any, ...any] ? unknown : never;
  type Futures<F> =
    F extends typeof nativeSleep ?
      typeof nativeSleep extends F ? typeof sleep : EachFuture<Signatures<F>> :
    EachFuture<Signatures<F>>;
  type EachFuture<S> =
    S extends [[infer A extends any[], infer R], ...infer Rest] ?
      ((...args: A) => Future<Awaited<R>>) & EachFuture<Rest> : unknown;

  /** Makes a function that calls native code return a Future: yielding it needs no promise. */
  export function future<F extends (...args: any[]) => PromiseLike<any>>(
    fn: F & Overloaded<F>): Futures<F>;
  export function future<A extends any[], R>(
    fn: (...args: A) => PromiseLike<R>): (...args: A) => Future<R>;
  export function sleep(ms: number): Future<undefined>;
  export function sleep<T>(ms: number, value: T): Future<T>;
}

/** What callLater and callAt give. */
export interface Timeout {
  remove(): void;
  /** Whether it keeps the process alive: it does until unref(). */
  ref(): this;
  unref(): this;
}

/** What addHandler gives. */
export interface Handler {
  /** Whether it keeps the process alive: it does until unref(). */
  ref(): this;
  unref(): this;
}
type Descriptor = number | { readonly fd: number };

/** Tornado's IOLoop over the event loop of this thread. */
export class IOLoop {
  private constructor();
  static readonly READ: 1;
  static readonly WRITE: 2;
  static readonly ERROR: 4;
  static current(): IOLoop;
  static instance(): IOLoop;
  /** The loop's clock, for callAt. */
  time(): number;
  /**
   * To be replaced: hears of what callbacks, timeouts and handlers throw, after which the loop goes
   * on. By itself, an uncaught exception.
   */
  handleCallbackException(callback: (...args: any[]) => unknown, error: unknown): void;
  addCallback<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): void;
  spawnCallback<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): void;
  addFuture<T>(future: PromiseLike<T>, callback: (future: Future<T>) => unknown): void;
  callLater<A extends unknown[]>(
    ms: number, callback: (...args: A) => unknown, ...args: A): Timeout;
  callAt<A extends unknown[]>(when: number, callback: (...args: A) => unknown, ...args: A): Timeout;
  removeTimeout(timeout: Timeout): void;
  addHandler<D extends Descriptor>(
    fd: D, handler: (fd: D, events: number) => unknown, events: number): Handler;
  updateHandler(fd: Descriptor, events: number): void;
  removeHandler(fd: Descriptor): void;
  runInExecutor<A extends unknown[], R>(fn: (...args: A) => PromiseLike<R>, ...args: A): Future<R>;
  start(): Promise<void>;
  stop(): void;
  runSync<R>(
    fn: () => Iterator<any, R, any> | AsyncIterator<any, R, any>,
    options?: { timeout?: number | undefined }): Future<Awaited<R>>;
  runSync<R>(fn: () => R, options?: { timeout?: number | undefined }): Future<Yielded<R>>;
}

/** Calls a function once every `ms` milliseconds. */
export class PeriodicCallback {
  /** `jitter`, from 0 to 1: the part of the period by which it varies. */
  constructor(callback: () => unknown, ms: number, options?: { jitter?: number | undefined });
  start(): void;
  stop(): void;
  isRunning(): boolean;
  /** Whether it keeps the process alive while it is started: it does until unref(). */
  ref(): this;
  unref(): this;
}

export namespace locks {
  export class Condition {
    wait(timeout?: number | null): Future<boolean>;
    notify(n?: number): void;
    notifyAll(): void;
  }
  export class Event {
    isSet(): boolean;
    set(): void;
    clear(): void;
    wait(timeout?: number | null): Future<undefined>;
  }
  /** What acquire() brings; also for `using` declarations. */
  export interface Permit {
    release(): void;
    // @ts-ignore: of lib.esnext.disposable or @types/node
    [Symbol.dispose](): void;
  }
  export class Semaphore {
    constructor(value?: number);
    acquire(timeout?: number | null): Future<Permit>;
    release(): void;
    /** Calls a function while it holds a permit. */
    run<A extends any[], R>(
      fn: (...args: A) => Iterator<any, R, any> | AsyncIterator<any, R, any>,
      ...args: A): Future<Awaited<R>>;
    run<A extends any[], R>(fn: (...args: A) => R, ...args: A): Future<CoroutineResult<R>>;
  }
  export class BoundedSemaphore extends Semaphore {}
  export class Lock extends Semaphore {
    constructor();
  }
}

export namespace queues {
  export class Queue<T = any> implements AsyncIterable<T> {
    constructor(maxsize?: number);
    readonly maxsize: number;
    qsize(): number;
    empty(): boolean;
    full(): boolean;
    put(item: T, timeout?: number | null): Future<undefined>;
    putNowait(item: T): void;
    get(timeout?: number | null): Future<T>;
    getNowait(): T;
    taskDone(): void;
    join(timeout?: number | null): Future<undefined>;
    [Symbol.asyncIterator](): AsyncIterableIterator<T>;
  }
  export class PriorityQueue<T = any> extends Queue<T> {
    constructor(maxsize?: number, options?: { compare?: ((a: T, b: T) => number) | undefined });
  }
  export class LifoQueue<T = any> extends Queue<T> {
    constructor(maxsize?: number);
  }
  export class QueueEmpty extends Error {
    code: 'ERR_FIBRIL_QUEUE_EMPTY';
  }
  export class QueueFull extends Error {
    code: 'ERR_FIBRIL_QUEUE_FULL';
  }
}

export {};
