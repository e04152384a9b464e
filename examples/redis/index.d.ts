/** What a command takes. Numbers are sent as text. */
export type Argument = string | number | bigint | ArrayBufferView | ArrayBuffer;

/**
 * What a command gives. Integers that a number would round are bigints; maps are Maps whose keys are
 * strings where the server sends strings, also with `buffers`; errors stand within arrays.
 */
export type Reply = string | number | bigint | boolean | null | Buffer | RedisError | Reply[] |
  Set<Reply> | Map<Reply, Reply>;

export interface CommandOptions {
  /** Strings of bytes as Buffers. */
  buffers?: boolean;
  /** Ends the wait. What has been sent may be carried out all the same. */
  signal?: AbortSignal;
}

export interface ConnectOptions {
  /** '127.0.0.1' if left out. */
  host?: string;
  /** 6379 if left out. */
  port?: number;
  /** A UNIX socket, instead of host and port. */
  path?: string | Buffer | URL;
  username?: string;
  password?: string;
  database?: number;
  /** 3 if left out. */
  protocol?: 2 | 3;
  /** Milliseconds for connecting, 10,000 if left out; 0 for none. */
  timeout?: number;
  /**
   * Whether a connection that was lost is made again, when somebody needs it; `attempts` without end,
   * `delay` 50 and `maxDelay` 2,000 milliseconds if left out.
   */
  reconnect?: boolean | { delay?: number; maxDelay?: number; attempts?: number };
  /** The most bytes of a string, 512 MiB if left out. */
  maxBulk?: number;
  /** The most items of a reply, however they nest, 2 ** 24 if left out. */
  maxItems?: number;
  /** How deep a reply may nest, 128 if left out. */
  maxDepth?: number;
}

export interface SubscribeOptions {
  /** The names are patterns, as of PSUBSCRIBE. */
  patterns?: boolean;
  /** Messages as Buffers. */
  buffers?: boolean;
  /** How many messages may wait before no more is read, 1,000 if left out. */
  limit?: number;
  signal?: AbortSignal;
}

export interface Message<T = string | Buffer> {
  channel: string;
  message: T;
  /** Of a subscription with `patterns`: which one. */
  pattern?: string;
}

/** Messages, for `for await`. */
export class Subscription implements AsyncIterableIterator<Message> {
  private constructor();
  /** When nothing is missed any more. */
  readonly ready: Promise<void>;
  next(): Promise<IteratorResult<Message, void>>;
  /** Listens no more; resolves when the server has confirmed. */
  return(value?: unknown): Promise<IteratorResult<Message, void>>;
  throw(error: unknown): Promise<IteratorResult<Message, void>>;
  [Symbol.asyncIterator](): this;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An error of the server, with its code (`WRONGTYPE`, `ERR`), or of the client (`ERR_REDIS_...`). */
export class RedisError extends Error {
  code: string;
  /** The name of the command. */
  command?: Argument;
  /** Of EXECABORT: the errors of the commands, in their order, null where there is none. */
  errors?: (RedisError | null)[];
}

export class Client {
  constructor(options?: ConnectOptions);
  /** Connects; without this the first command does. */
  open(options?: { signal?: AbortSignal }): Promise<void>;
  /** Sends a command: its name and arguments, and options behind them. */
  command<T = any>(name: string, ...args: (Argument | CommandOptions)[]): Promise<T>;
  /** Runs commands between MULTI and EXEC; null where a watched key has changed. */
  transaction<T = any[]>(commands: [name: string, ...args: Argument[]][],
    options?: CommandOptions): Promise<T | null>;
  subscribe(channels: string | string[], options?: SubscribeOptions): Subscription;
  /** Another client with the same options and these, connected. */
  duplicate(options?: ConnectOptions & { signal?: AbortSignal }): Promise<Client>;
  /** Ends the connection at once, and what waits with ERR_REDIS_CLOSED. */
  close(): Promise<void>;
  readonly connected: boolean;
  /** How many replies are to come. */
  readonly pending: number;
  [Symbol.asyncDispose](): Promise<void>;
}

export function connect(options?: ConnectOptions & { signal?: AbortSignal }): Promise<Client>;
