export interface FetchOptions {
  /** 'GET' unless given. */
  method?: string;
  headers?: HeadersInit;
  body?: string | NodeJS.ArrayBufferView | ArrayBuffer | URLSearchParams | null;
  /** What to do where the server says to go elsewhere: 'follow' unless given. 'manual' resolves with that answer. */
  redirect?: 'follow' | 'manual' | 'error';
  /** 20 unless given. */
  maxRedirects?: number;
  /** Whether to ask for gzip, br, zstd and deflate, and to decode them: true unless given. */
  compressed?: boolean;
  /** Certificates of authorities, PEM, instead of the system's. */
  ca?: string | Buffer;
  /** False accepts any certificate. */
  rejectUnauthorized?: boolean;
  /** The URL of a proxy; none unless given, whatever the environment says. */
  proxy?: string;
  /** Milliseconds for a connection to be made: 20,000 unless given. */
  connectTimeout?: number;
  /** Milliseconds for everything, from the turn in the queue to the end of the body; none unless given. */
  timeout?: number;
  signal?: AbortSignal;
  /** True makes an HTTPError of every status but 200 to 299. */
  raiseError?: boolean;
}

export interface ClientOptions {
  /** Connections at most: 100 unless given. */
  maxConnections?: number;
  /** To one host at most: 10 unless given. */
  maxConnectionsPerHost?: number;
}

export interface Response {
  readonly status: number;
  readonly statusText: string;
  /** '1.0', '1.1' or '2'. */
  readonly httpVersion: string;
  /** The last URL, after redirects. */
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: Headers;
  readonly ok: boolean;
  readonly bodyUsed: boolean;
  /** The pieces of the body as they come; to leave it early ends the transfer. */
  readonly body: AsyncGenerator<Buffer, void, void>;
  buffer(): Promise<Buffer>;
  text(): Promise<string>;
  json(): Promise<any>;
}

/** Resolves with the answer as soon as its head is there, whatever its status. */
export function fetch(url: string | URL, options?: FetchOptions): Promise<Response>;

/** Connections of its own, and limits of its own. */
export class Client {
  constructor(options?: ClientOptions);
  fetch(url: string | URL, options?: FetchOptions): Promise<Response>;
}

export class HTTPError extends Error {
  readonly code: 'ERR_HTTP_STATUS';
  readonly response: Response;
}
