interface Serving {
  /** Connections at once; the others wait to be accepted. */
  limit?: number;
  /** Milliseconds for those who are connected when it ends. */
  grace?: number;
  signal?: AbortSignal;
}

declare class Server {
  /** Until it is closed; an abort rejects with an `AbortError`. */
  serve(options?: Serving): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  readonly port: number;
  readonly connections: number;
}

/** Says everything again. */
export class EchoServer extends Server {
  constructor(port?: number);
}

/** Answers lines: "sum 1 2 3", "say something", "quit". */
export class LineServer extends Server {
  constructor(port?: number, options?: { idle?: number });
}

/** Hands connections on to a port of this machine. */
export class Proxy extends Server {
  constructor(target: number, port?: number);
}

/** The ports that accept a connection. */
export function scan(host: string, first: number, last: number,
  options?: { atOnce?: number; timeout?: number; signal?: AbortSignal }): Promise<number[]>;

/** The addresses of a name; `family`: 4, 6, or 0 for both. */
export function resolve(name: string,
  options?: { family?: number; signal?: AbortSignal }): Promise<string[]>;
