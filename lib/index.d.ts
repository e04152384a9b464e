/// <reference types="node" />
import type { BigIntStats, Dirent, PathLike, Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Runs a generator to its end; what it yields is waited for. A drop-in for co 4.6.0. */
declare function co<R>(generator: Iterator<unknown, R, any> | AsyncIterator<unknown, R, any>): Promise<Awaited<R>>;
declare function co<T>(value: T extends (...args: any[]) => any ? never : T): Promise<Awaited<T>>;
declare function co<F extends (this: any, ...args: any[]) => any>(fn: F, ...args: Parameters<F>): Promise<co.Outcome<ReturnType<F>>>;

declare namespace co {
  export { co as default, co };

  /** What co makes of the result of a function: that of the generator, or what the promise brings. */
  export type Outcome<R> = Awaited<R extends Iterator<any, infer T, any> | AsyncIterator<any, infer T, any> ? T : R>;

  /** An ordinary function out of a generator function. */
  export function wrap<F extends (this: any, ...args: any[]) => any>(fn: F):
    ((this: ThisParameterType<F>, ...args: Parameters<F>) => Promise<Outcome<ReturnType<F>>>) & { __generatorFunction__: F };

  export interface RunOptions<A extends unknown[] = unknown[]> {
    /** Ends the run: its promise is rejected with an AbortError (code 'ABORT_ERR') after its `finally` blocks. */
    signal?: AbortSignal | undefined;
    /** Milliseconds; then the run is ended with a TimeoutError (code 'ETIMEDOUT'). */
    timeout?: number | undefined;
    args?: A | undefined;
    /** For messages. */
    name?: string | undefined;
  }

  /** co with a signal, a deadline, a name. */
  export function run<R>(
    generator: Iterator<unknown, R, any> | AsyncIterator<unknown, R, any>, options?: RunOptions): Promise<Awaited<R>>;
  export function run<F extends (this: any, ...args: any[]) => any>(
    fn: F, options: RunOptions<Parameters<F>> & { args: Parameters<F> }): Promise<Outcome<ReturnType<F>>>;
  export function run<R>(
    fn: () => Iterator<unknown, R, any> | AsyncIterator<unknown, R, any>, options?: RunOptions<[]>): Promise<Awaited<R>>;

  /** Has instances of a class converted when co meets them; null takes the class out again. */
  export function register<T>(Class: abstract new (...args: any[]) => T, converter: ((value: T) => unknown) | null): void;

  /**
   * Has the stack of an error that crosses generators say where each of them was; also FIBRIL_TRACES=1. Costs errors, nothing else.
   * Returns whether traces are on.
   */
  export function traces(on?: boolean): boolean;

  /** A coroutine of C that has not ended. */
  export interface CoroutineInspection {
    kind: 'coroutine';
    /** '' without one. */
    name: string;
    /** 'running' too while it waits for what it called to return; 'suspended': a generator's, between two of its values. */
    state: 'fresh' | 'running' | 'ready' | 'waiting' | 'suspended';
    /** 'sleep', 'future', 'JavaScript', 'mutex', 'poll', 'open', ... */
    waitsFor: string | undefined;
    /** The name of the coroutine whose future it waits for, or that has the mutex. */
    on: string | undefined;
    /** The descriptor that it polls. */
    fd?: number;
    /** Milliseconds that it has waited. */
    waited: number;
    cancelled: boolean;
    masked: boolean;
    /** Bytes. */
    stackUsed: number;
    stackSize: number;
  }

  /** A run of co.run that has not ended. */
  export interface RunInspection {
    kind: 'run';
    name: string;
    state: 'running' | 'waiting';
    waitsFor: 'promise' | 'future' | 'members' | 'run' | 'other' | 'nothing' | undefined;
    /** Milliseconds since it began. */
    age: number;
  }

  /** The coroutines of C in this thread, and the runs of co.run that have a name. */
  export function inspect(): (CoroutineInspection | RunInspection)[];

  /** Has stderr told, when this thread exits, what has not ended and which errors nobody read; also FIBRIL_LEAKS=1. */
  export function reportLeaks(): void;

  /** A function that takes nothing but a callback. */
  export type Thunk<T> = (callback: (error: any, value: T) => void) => unknown;

  /** What co resumes a generator with that has yielded a `V`. */
  export type Result<V> =
    V extends PromiseLike<infer T> ? Awaited<T> :
    V extends (...args: any[]) => Iterator<any, infer R, any> | AsyncIterator<any, infer R, any> ? Awaited<R> :
    V extends Iterator<any, infer R, any> | AsyncIterator<any, infer R, any> ? Awaited<R> :
    V extends Thunk<infer T> ? Awaited<T> :
    V extends readonly unknown[] ? { -readonly [K in keyof V]: MemberResult<V[K]> } :
    V extends object ? { -readonly [K in keyof V]: MemberResult<V[K]> } : never;
  /** The same inside an array or object, where what cannot be waited for stays as it is. */
  export type MemberResult<V> =
    V extends Kept ? V : Result<V>;
  type Kept = string | number | boolean | bigint | symbol | null | undefined | Date | RegExp | Error |
    ReadonlyMap<any, any> | ReadonlySet<any> | ArrayBufferView;

  /**
   * `yield` with its type: TypeScript gives every plain `yield` of a generator one and the same. `const text = yield* co.typed(fs.readFile(
   * 'a', 'utf8'))` is a string. At run time it is `yield` in a generator.
   */
  export function typed<const V>(value: V): Generator<V, Result<V>, any>;

  /** Waits at least `ms` milliseconds. */
  export function sleep(ms: number): Promise<undefined>;
  export function sleep<T>(ms: number, value: T): Promise<T>;

  type File = PathLike | number | FileHandle;
  type Encoding = BufferEncoding;

  interface ReadOptions {
    flag?: string | number;
    signal?: AbortSignal;
  }
  interface WriteOptions extends ReadOptions {
    encoding?: Encoding | null;
    mode?: number | string;
    flush?: boolean;
  }
  interface ListOptions {
    recursive?: boolean;
  }
  interface Usage {
    bytes: number;
    files: number;
    directories: number;
  }

  export const fs: {
    readFile(path: File, options?: (ReadOptions & { encoding?: null }) | null): Promise<Buffer>;
    readFile(path: File, options: Encoding | (ReadOptions & { encoding: Encoding })): Promise<string>;
    readFile(path: File, options?: Encoding | (ReadOptions & { encoding?: Encoding | null }) | null): Promise<string | Buffer>;
    writeFile(path: File, data: string | NodeJS.ArrayBufferView, options?: Encoding | WriteOptions | null): Promise<void>;
    stat(path: PathLike, options?: { bigint?: false }): Promise<Stats>;
    stat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
    lstat(path: PathLike, options?: { bigint?: false }): Promise<Stats>;
    lstat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
    readdir(path: PathLike, options?: Encoding | (ListOptions & { encoding?: Encoding | null; withFileTypes?: false }) | null):
      Promise<string[]>;
    readdir(path: PathLike, options: 'buffer' | (ListOptions & { encoding: 'buffer'; withFileTypes?: false })):
      Promise<Buffer[]>;
    readdir(path: PathLike, options: ListOptions & { withFileTypes: true }): Promise<Dirent[]>;
    /** Apparent sizes as `du -sb`: hard links once, symbolic links not followed. */
    du(path: PathLike, options?: { concurrency?: number; signal?: AbortSignal }): Promise<Usage>;
  };

  /** A result that will be there, without a promise: of a native call, or settled by whoever made it. */
  export class Future<T = unknown> implements PromiseLike<T> {
    constructor();
    done(): boolean;
    result(): T;
    exception(): any;
    setResult(value: T): void;
    setException(error: unknown): void;
    addDoneCallback(callback: (future: this) => void): void;
    /** Asks a native call to end; settles any other future with an error of code 'ECANCELED'. False when it is done. */
    cancel(): boolean;
    cancelled(): boolean;
    then<A = T, B = never>(
      onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
      onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B>;
    catch<B = never>(onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B>;
    finally(onFinally?: (() => void) | null): Promise<T>;
  }

  /** What `yield` gives back for a value under gen.coroutine. */
  export type Yielded<V> =
    V extends null | undefined ? undefined :
    V extends PromiseLike<infer T> ? Awaited<T> :
    V extends Generator<any, infer R, any> | AsyncGenerator<any, infer R, any> ? Awaited<R> :
    V extends (...args: any[]) => any ? never :
    V extends readonly unknown[] ? { -readonly [K in keyof V]: Yielded<V[K]> } :
    V extends object ? { [K in keyof V]: Yielded<V[K]> } : never;

  /** What a coroutine's Future holds for the result of its function. */
  type CoroutineResult<R> = R extends Iterator<any, infer T, any> | AsyncIterator<any, infer T, any> ? Awaited<T> : Awaited<R>;

  type ErrorClass = abstract new (...args: any[]) => any;
  interface QuietOptions {
    /** Classes of errors that are not warned of. */
    quietExceptions?: ErrorClass | readonly ErrorClass[] | undefined;
  }

  /** Tornado's gen. */
  export namespace gen {
    /** A function whose calls are coroutines. */
    export function coroutine<This, A extends unknown[], R>(fn: (this: This, ...args: A) => R):
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
    export const moment: PromiseLike<undefined>;

    /** The Future of what may be yielded; `gen.moment` for undefined and null. */
    export function convertYielded<V>(value: V): V extends null | undefined ? typeof moment : Future<Yielded<V>>;
    export namespace convertYielded {
      function register<T>(Class: abstract new (...args: any[]) => T, converter: ((value: T) => unknown) | null): void;
    }

    /** All results; waits for all, the first error of the list wins. */
    export function multi<const V extends readonly unknown[] | { readonly [key: string]: unknown }>(
      children: V, options?: QuietOptions): Future<Yielded<V>>;
    export function withTimeout<V>(ms: number, yieldable: V, options?: QuietOptions): Future<Yielded<V>>;
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
      new <N extends { [name: string]: unknown; then?: never; next?: never }>(named: N): WaitIterator<N[keyof N]>;
      new <V extends unknown[]>(...yieldables: V): WaitIterator<V[number]>;
      readonly prototype: WaitIterator;
    };

    /** Makes a function that calls native code return a Future: yielding it needs no promise. */
    export function future<A extends unknown[], R>(fn: (...args: A) => Promise<R>): (...args: A) => Future<R>;
    export function sleep(ms: number): Future<undefined>;
    export function sleep<T>(ms: number, value: T): Future<T>;
  }

  /** What callLater and callAt give. */
  interface Timeout {
    remove(): void;
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
    addCallback<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): void;
    spawnCallback<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): void;
    addFuture<T>(future: PromiseLike<T>, callback: (future: Future<T>) => unknown): void;
    callLater<A extends unknown[]>(ms: number, callback: (...args: A) => unknown, ...args: A): Timeout;
    callAt<A extends unknown[]>(when: number, callback: (...args: A) => unknown, ...args: A): Timeout;
    removeTimeout(timeout: Timeout): void;
    addHandler<D extends Descriptor>(fd: D, handler: (fd: D, events: number) => unknown, events: number): void;
    updateHandler(fd: Descriptor, events: number): void;
    removeHandler(fd: Descriptor): void;
    runInExecutor<A extends unknown[], R>(fn: (...args: A) => PromiseLike<R>, ...args: A): Future<R>;
    start(): Promise<void>;
    stop(): void;
    runSync<R>(fn: () => R, options?: { timeout?: number | undefined }): Future<Yielded<R>>;
  }

  /** Calls a function once every `ms` milliseconds. */
  export class PeriodicCallback {
    /** `jitter`, from 0 to 1: the part of the period by which it varies. */
    constructor(callback: () => unknown, ms: number, options?: { jitter?: number | undefined });
    start(): void;
    stop(): void;
    isRunning(): boolean;
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
    export interface Permit extends Disposable {
      release(): void;
    }
    export class Semaphore {
      constructor(value?: number);
      acquire(timeout?: number | null): Future<Permit>;
      release(): void;
      /** Calls a function while it holds a permit. */
      run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Future<CoroutineResult<R>>;
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
}

export = co;
