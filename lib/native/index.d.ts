// Functions whose work is done in C, and the Future of such a call.

import { Signal, Signatures } from '../types';

/** Waits at least `ms` milliseconds. */
export function sleep(ms: number): Promise<undefined>;
export function sleep<T>(ms: number, value: T): Promise<T>;

// @ts-ignore: of @types/node
type NodeBuffer = import('node:buffer').Buffer;

/**
 * A Buffer of zeros as Buffer.alloc gives it, in memory that functions of fibril's addons are lent,
 * not given a copy of.
 */
export function bytes(size: number): NodeBuffer;

/**
 * The function of fs.promises, as @types/node has it; and for a file descriptor in place of the
 * path.
 */
type OnFile<F> = OnDescriptor<Signatures<F>> & F;
type OnDescriptor<S> =
  S extends [[[any, ...infer A], infer R], ...infer Rest] ?
    ((fd: number, ...rest: A) => R) & OnDescriptor<Rest> : unknown;

// @ts-ignore: of @types/node
type NodeFiles = typeof import('node:fs/promises');
// @ts-ignore: of @types/node
type Path = import('node:fs').PathLike;

/** What fs.du brings. */
export interface Usage {
  bytes: number;
  files: number;
  directories: number;
}

export const fs: {
  readFile: OnFile<NodeFiles['readFile']>;
  writeFile: OnFile<NodeFiles['writeFile']>;
  stat: NodeFiles['stat'];
  lstat: NodeFiles['lstat'];
  realpath: NodeFiles['realpath'];
  readdir: NodeFiles['readdir'];
  /** Apparent sizes as `du -sb`: hard links once, symbolic links not followed. */
  du(
    path: Path,
    options?: { concurrency?: number | undefined; signal?: Signal | undefined }): Promise<Usage>;
};

/**
 * A result that will be there, without a promise: of a native call, or settled by whoever made it.
 */
export class Future<T = unknown> implements PromiseLike<T> {
  constructor();
  done(): boolean;
  result(): T;
  exception(): any;
  setResult(value: T): void;
  setException(error: unknown): void;
  addDoneCallback(callback: (future: this) => void): void;
  /**
   * Asks a native call to end; settles any other future with an error of code 'ECANCELED'. False
   * when it is done.
   */
  cancel(): boolean;
  cancelled(): boolean;
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B>;
  catch<B = never>(onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B>;
  finally(onFinally?: (() => void) | null): Promise<T>;
}

export {};
