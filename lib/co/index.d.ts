// co's functions, but for co itself, and the types of what they take and give.

import { Signal } from '../types';

/** A generator of either kind. */
export type Steps = Iterator<any, any, any> | AsyncIterator<any, any, any>;

/** What co makes of the result of a function: that of the generator, or what the promise brings. */
export type Outcome<R> =
  R extends Iterator<any, (infer T) | PromiseLike<infer T>, any> ? T :
  R extends AsyncIterator<any, infer T, any> ? T : Awaited<R>;

/** What co.wrap makes of an `F`. */
export interface Wrapped<F extends (this: any, ...args: any[]) => any> {
  (...args: Parameters<F>): Promise<Outcome<ReturnType<F>>>;
  __generatorFunction__: F;
}

/** An ordinary function out of a generator function. */
export function wrap<F extends (this: any, ...args: any[]) => Steps>(fn: F): Wrapped<F>;
export function wrap<F extends (this: any, ...args: any[]) => any>(fn: F): Wrapped<F>;
export function wrap<F extends (this: any, ...args: any[]) => Iterator<any, any, any>>(
  fn: F): Wrapped<F>;

export interface RunOptions<A extends any[] = any[]> {
  /**
   * Ends the run: its promise is rejected with an AbortError (code 'ABORT_ERR') after its `finally`
   * blocks.
   */
  signal?: Signal | undefined;
  /** Milliseconds; then the run is ended with a TimeoutError (code 'ETIMEDOUT'). */
  timeout?: number | undefined;
  args?: A | undefined;
  /** For messages. */
  name?: string | undefined;
}

/** co with a signal, a deadline, a name. */
export function run<F extends (this: any, ...args: any[]) => Steps>(
  fn: F,
  options: RunOptions<Parameters<F>> & { args: Parameters<F> }): Promise<Outcome<ReturnType<F>>>;
export function run<F extends (this: any) => Steps>(
  fn: F, options?: RunOptions<[]>): Promise<Outcome<ReturnType<F>>>;
export function run<F extends (this: any, ...args: any[]) => any>(
  fn: F,
  options: RunOptions<Parameters<F>> & { args: Parameters<F> }): Promise<Outcome<ReturnType<F>>>;
export function run<I extends Steps>(generator: I, options?: RunOptions): Promise<Outcome<I>>;
export function run<F extends (this: any) => Steps>(
  fn: F, options?: RunOptions<[]>): Promise<Outcome<ReturnType<F>>>;

/** Has instances of a class converted when co meets them; null takes the class out again. */
export function register<T>(
  Class: abstract new (...args: any[]) => T, converter: ((value: T) => unknown) | null): void;

/**
 * Has the stack of an error that crosses generators say where each of them was; also
 * FIBRIL_TRACES=1. Costs errors, nothing else. Returns whether traces are on.
 */
export function traces(on?: boolean): boolean;

/** A coroutine of C that has not ended. */
export interface CoroutineInspection {
  kind: 'coroutine';
  /** '' without one. */
  name: string;
  /**
   * 'running' too while it waits for what it called to return; 'suspended': a generator's, between
   * two of its values.
   */
  state: 'fresh' | 'running' | 'ready' | 'waiting' | 'suspended';
  /** 'sleep', 'future', 'JavaScript', 'mutex', 'poll', 'open', ... */
  waitsFor: string | undefined;
  /** The name of the coroutine whose future it waits for, or that has the mutex. */
  on: string | undefined;
  /** The descriptor that it polls, reads or writes. */
  fd?: number;
  /** Of the other end of its stream, or of its listener: '127.0.0.1:80', '[::1]:80', a path. */
  address?: string;
  /** What it waits for does not keep the process alive, since C has said so. */
  unheld?: true;
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

/**
 * Has stderr told, when this thread exits, what has not ended and which errors nobody read; also
 * FIBRIL_LEAKS=1.
 */
export function reportLeaks(): void;

/** A function that takes nothing but a callback. */
export type Thunk<T> = (callback: (error: any, value: T) => void) => unknown;

/** What co resumes a generator with that has yielded a `V`. */
export type Result<V> =
  V extends PromiseLike<infer T> ? Awaited<T> :
  V extends (...args: any[]) => Iterator<any, infer R, any> | AsyncIterator<any, infer R, any> ?
    Awaited<R> :
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
 * `yield` with its type: TypeScript gives every plain `yield` of a generator one and the same.
 * `const text = yield* co.typed(fs.readFile( 'a', 'utf8'))` is a string. At run time it is `yield`
 * in a generator.
 */
export function typed<const V>(value: V): Generator<V, Result<V>, any>;

export {};
