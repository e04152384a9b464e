// addon.d.ts is what `npm run build` writes, from the signatures in C: what is right as it stands
// there is taken from it, and the rest said more closely.
export { SqliteError, TransactionMode, VERSION } from './addon';
import { TransactionMode } from './addon';

/** What SQL has values for. Integers are sent as bigints: a number is a REAL. */
export type Value = null | number | string | bigint | ArrayBufferView | ArrayBuffer;

/** What comes back: integers as numbers, or as bigints with safeIntegers. */
export type Result = null | number | string | bigint | Buffer;

/** By position, one by one or in arrays; by name, in one object. */
export type Parameter = Value | Value[] | { readonly [name: string]: Value };

/** Parameters, and perhaps a signal behind them. */
export type Parameters = Parameter[] | [...Parameter[], AbortSignal];

export type Row = { [column: string]: any };

export interface RunResult {
  /** How many rows the statement itself has inserted, updated or deleted. */
  changes: number;
  lastInsertRowid: number | bigint;
}

export interface Column {
  name: string;
  /** Of what it comes from, where that is a table: */
  column: string | null;
  table: string | null;
  database: string | null;
  /** as it was declared. */
  type: string | null;
}

/** One statement of SQL; Database.prepare() makes them. */
export class Statement<T = Row> {
  private constructor();
  readonly database: Database;
  readonly source: string;
  /** Whether it gives rows. */
  readonly reader: boolean;
  /** Whether it changes nothing. */
  readonly readonly: boolean;
  /** Whether its rows are being read, or it runs in the pool. */
  readonly busy: boolean;

  /** Runs a statement that gives no rows. */
  run(...parameters: Parameter[]): RunResult;
  /** The first row. */
  get(...parameters: Parameter[]): T | undefined;
  /** All rows. */
  all(...parameters: Parameter[]): T[];
  /** The rows one by one; until the loop ends nobody writes on the connection. */
  iterate(...parameters: Parameter[]): Generator<T, void>;

  /** The same in the thread pool, in the order of the calls. */
  runAsync(...parameters: Parameters): Promise<RunResult>;
  getAsync(...parameters: Parameters): Promise<T | undefined>;
  allAsync(...parameters: Parameters): Promise<T[]>;
  /** The rows as they are asked for; until the loop ends it has the connection. */
  iterateAsync(...parameters: Parameters): AsyncGenerator<T, void>;

  /** Rows as the value of their first column. */
  pluck(on?: true): Statement<Result>;
  pluck(on: boolean): Statement<any>;
  /** Rows as arrays. */
  raw(on?: true): Statement<Result[]>;
  raw(on: boolean): Statement<any>;
  /** Rows as objects of objects, one for each table; "$" is of none. */
  expand(on?: true): Statement<{ [table: string]: Row }>;
  expand(on: boolean): Statement<any>;
  /** Integers as bigints. */
  safeIntegers(on?: boolean): this;
  /** Binds parameters once, for good. */
  bind(...parameters: Parameter[]): this;
  columns(): Column[];
  /** The SQL, with what bind() has bound. */
  toString(): string;
}

export interface DatabaseOptions {
  readonly?: boolean;
  /** An error rather than a new file. */
  fileMustExist?: boolean;
  /** How many milliseconds to wait for another connection's lock, 5,000 if left out. */
  timeout?: number;
}

export interface FunctionOptions {
  /** Gets integers as bigints. */
  safeIntegers?: boolean;
  /** Gives the same for the same arguments, always. */
  deterministic?: boolean;
  /** Not in views, triggers and the schema. */
  directOnly?: boolean;
  /** Any number of arguments, rather than as many as the function declares. */
  varargs?: boolean;
}

export interface AggregateOptions<S = any> extends FunctionOptions {
  /** The state of a group at its beginning, or a function that gives it; null if left out. */
  start?: S | (() => S);
  /** The state after a row; undefined: as it was. */
  step(state: S, ...values: any[]): S | void;
  /** The state without a row again: then it is a window function, too. */
  inverse?(state: S, ...values: any[]): S | void;
  /** What SQL gets of the state, which itself if left out. */
  result?(state: S): Value | undefined;
}

export interface BackupProgress {
  totalPages: number;
  remainingPages: number;
}

export interface BackupOptions {
  /** The name of an attached database, "main" if left out. */
  attached?: string;
  /** Hears how far it is, and may say how many pages come next, 100 if it does not; 0: none yet. */
  progress?(about: BackupProgress): number | void | Promise<number | void>;
  signal?: AbortSignal;
}

export interface TransactionFunction<A extends any[], R> {
  (...args: A): R;
  readonly default: TransactionFunction<A, R>;
  readonly deferred: TransactionFunction<A, R>;
  readonly immediate: TransactionFunction<A, R>;
  readonly exclusive: TransactionFunction<A, R>;
  readonly database: Database;
}

/** An asynchronous transaction, which has the connection until its function has settled. */
export class Transaction {
  private constructor();
  readonly database: Database;
  run(statement: string | Statement<any>, ...parameters: Parameters): Promise<RunResult>;
  get<T = Row>(statement: string | Statement<T>, ...parameters: Parameters): Promise<T | undefined>;
  all<T = Row>(statement: string | Statement<T>, ...parameters: Parameters): Promise<T[]>;
  iterate<T = Row>(statement: string | Statement<T>, ...parameters: Parameters): AsyncGenerator<T, void>;
  exec(sql: string, signal?: AbortSignal): Promise<void>;
  prepare<T = Row>(sql: string, signal?: AbortSignal): Promise<Statement<T>>;
}

/** A connection. */
export class Database {
  /** Opens a file, or a database in memory (":memory:"), or a temporary one (""). */
  constructor(path?: string | Buffer | URL, options?: DatabaseOptions);
  static openAsync(path?: string | Buffer | URL, options?: DatabaseOptions): Promise<Database>;

  readonly open: boolean;
  readonly name: string;
  readonly memory: boolean;
  readonly readonly: boolean;
  readonly inTransaction: boolean;
  /** Whether synchronous calls would be refused now. */
  readonly busy: boolean;

  prepare<T = Row>(sql: string): Statement<T>;
  prepareAsync<T = Row>(sql: string, options?: { signal?: AbortSignal }): Promise<Statement<T>>;
  /** Runs statements, however many. */
  exec(sql: string): this;
  execAsync(sql: string, options?: { signal?: AbortSignal }): Promise<this>;
  /** The rows of a PRAGMA, or with `simple` the first value. */
  pragma(source: string, options?: { simple?: boolean }): any;
  pragmaAsync(source: string, options?: { simple?: boolean; signal?: AbortSignal }): Promise<any>;

  /** A function that runs `fn` in a transaction, or a savepoint of the one that there is. */
  transaction<A extends any[], R>(fn: (...args: A) => R): TransactionFunction<A, R>;
  /** Commits when `fn` resolves, rolls back when it rejects. */
  transactionAsync<R>(fn: (transaction: Transaction) => R | Promise<R>,
    options?: { mode?: TransactionMode; signal?: AbortSignal }): Promise<R>;

  /** A function in SQL. */
  function(name: string, fn: (...values: any[]) => Value | void): this;
  function(name: string, options: FunctionOptions, fn: (...values: any[]) => Value | void): this;
  aggregate<S = any>(name: string, options: AggregateOptions<S>): this;

  /** Copies the database into a file while it is in use. */
  backup(destination: string | Buffer | URL, options?: BackupOptions): Promise<BackupProgress>;

  /** Whether statements that are prepared from now on give integers as bigints. */
  defaultSafeIntegers(on?: boolean): this;

  close(): this;
  /** When what was asked for before has been done; what comes after is refused. */
  /** After what was asked for before, and the backups that are under way. */
  closeAsync(): Promise<void>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}
