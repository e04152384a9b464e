/** What a parameter may be. Arrays become PostgreSQL's arrays, other objects JSON, Buffers bytea; null and undefined NULL. */
export type Parameter = string | number | bigint | boolean | null | undefined | Date | ArrayBufferView | Parameter[] | object;

export interface Field {
  name: string;
  /** The OID of the type. */
  type: number;
}

export interface Result<Row> {
  rows: Row[];
  fields: Field[];
  /** 'SELECT', 'INSERT', 'CREATE TABLE' */
  command: string;
  /** How many rows the command gave or touched. */
  rowCount: number;
}

export interface QueryOptions {
  /** Cancels the query on the server; the connection stays usable. */
  signal?: AbortSignal;
}

export interface TransactionOptions extends QueryOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readOnly?: boolean;
  deferrable?: boolean;
}

/** An error of the server, as query() and the others reject with. */
export interface PostgresError extends Error {
  /** SQLSTATE, '42P01' for instance. */
  code: string;
  severity?: string;
  detail?: string;
  hint?: string;
  /** Where in the query, counted from 1. */
  position?: number;
  where?: string;
  schema?: string;
  table?: string;
  column?: string;
  dataType?: string;
  constraint?: string;
}

export interface Notification {
  channel: string;
  payload: string;
  /** The server's process of the connection that notified. */
  pid: number;
}

export interface Session {
  /** Runs one statement and reads all of its result. Queries of a connection run one after another. */
  query<Row = Record<string, unknown>>(sql: string, params?: Parameter[], options?: QueryOptions): Promise<Result<Row>>;
  /** The rows of one statement as they come; until it ends the connection does nothing else. Leaving the loop cancels the statement. */
  stream<Row = Record<string, unknown>>(sql: string, params?: Parameter[], options?: QueryOptions): AsyncGenerator<Row, void, void>;
}

/** What the function of a transaction gets: ends with it. */
export interface Transaction extends Session {}

export class Connection implements Session {
  private constructor();
  query<Row = Record<string, unknown>>(sql: string, params?: Parameter[], options?: QueryOptions): Promise<Result<Row>>;
  stream<Row = Record<string, unknown>>(sql: string, params?: Parameter[], options?: QueryOptions): AsyncGenerator<Row, void, void>;
  /** Runs fn between BEGIN and COMMIT, or ROLLBACK when it rejects; what it gave. */
  transaction<T>(fn: (transaction: Transaction) => T | Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Listens to a channel; once the promise resolves no notification is missed. */
  listen(channel: string, options?: QueryOptions): Promise<AsyncGenerator<Notification, void, void>>;
  /** Ends the connection, and what still runs on it with an error of code 08003. */
  close(): Promise<void>;
  /** The number of the server's process, 0 without a connection. */
  readonly pid: number;
  /** False once it has been closed, or has turned out to be lost. */
  readonly connected: boolean;
}

export interface ConnectOptions {
  /** Milliseconds, 30,000 if left out; 0 for none. */
  timeout?: number;
  signal?: AbortSignal;
}

/** Opens a connection. `conninfo` is as of psql; what it leaves out comes from PGHOST and the like. */
export function connect(conninfo?: string, options?: ConnectOptions): Promise<Connection>;
