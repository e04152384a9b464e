/// <reference types="node" />
import type { BigIntStats, Dirent, PathLike, Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Runs a generator to its end; what it yields is waited for. A drop-in for co 4.6.0. */
declare function co<A extends unknown[], R>(
  fn: (...args: A) => Iterator<unknown, R, any>, ...args: A): Promise<Awaited<R>>;
declare function co<R>(generator: Iterator<unknown, R, any>): Promise<Awaited<R>>;
declare function co<T>(value: T): Promise<Awaited<T>>;

declare namespace co {
  export { co as default, co };

  /** An ordinary function out of a generator function. */
  export function wrap<This, A extends unknown[], R>(
    fn: (this: This, ...args: A) => Iterator<unknown, R, any>):
    ((this: This, ...args: A) => Promise<Awaited<R>>) & { __generatorFunction__: typeof fn };

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

  /** The result of a native function without a promise. */
  export class Future<T = unknown> implements PromiseLike<T> {
    private constructor();
    done(): boolean;
    result(): T;
    exception(): unknown;
    addDoneCallback(callback: (future: Future<T>) => void): void;
    cancel(): boolean;
    then<A = T, B = never>(
      onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
      onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B>;
    catch<B = never>(onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B>;
    finally(onFinally?: (() => void) | null): Promise<T>;
  }

  export const gen: {
    /** Makes a function that calls native code return a Future: yielding it needs no promise. */
    future<A extends unknown[], R>(fn: (...args: A) => Promise<R>): (...args: A) => Future<R>;
    sleep(ms: number): Future<undefined>;
    sleep<T>(ms: number, value: T): Future<T>;
  };
}

export = co;
