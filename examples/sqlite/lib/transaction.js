'use strict';

const { Statement, TransactionMode, ofDatabase } = require('./native.js');
const { isThenable } = require('./parameters.js');
const statements = require('./statement.js');

// ---- Synchronous

const controllers = new WeakMap();

/** The statements around a transaction, made once for a connection. */
function controllerOf(database) {
  let controller = controllers.get(database);
  if (controller === undefined) {
    const prepare = (sql) => database.prepare(sql);
    controller = {
      begin: Object.fromEntries(['', ' DEFERRED', ' IMMEDIATE', ' EXCLUSIVE'].map((mode) =>
        [mode, prepare(`BEGIN${mode}`)])),
      commit: prepare('COMMIT'),
      rollback: prepare('ROLLBACK'),
      savepoint: prepare('SAVEPOINT fibril_sqlite'),
      release: prepare('RELEASE fibril_sqlite'),
      rollbackTo: prepare('ROLLBACK TO fibril_sqlite'),
    };
    controllers.set(database, controller);
  }
  return controller;
}

/** A function that runs `fn` in a transaction, or in a savepoint of the one that there is. */
function wrap(database, fn, mode) {
  return function transacting(...args) {
    const { begin, commit, rollback, savepoint, release, rollbackTo } = controllerOf(database);
    const nested = database.inTransaction;
    (nested ? savepoint : begin[mode]).run();
    // What is started asynchronously in it comes after it.
    ofDatabase.hold.call(database, true);
    try {
      const result = fn.apply(this, args);
      if (isThenable(result)) {
        throw Object.assign(new TypeError('A transaction function may not return a promise'),
          { code: 'ERR_SQLITE_RESULT' });
      }
      (nested ? release : commit).run();
      return result;
    } catch (error) {
      // SQLite may have rolled back by itself.
      if (database.inTransaction) {
        (nested ? rollbackTo : rollback).run();
        if (nested) release.run();
      }
      throw error;
    } finally {
      ofDatabase.hold.call(database, false);
    }
  };
}

function transaction(database, fn) {
  if (typeof fn !== 'function') {
    throw Object.assign(new TypeError('The "fn" argument must be a function'),
      { code: 'ERR_INVALID_ARG_TYPE' });
  }
  const forms = {
    default: wrap(database, fn, ''),
    deferred: wrap(database, fn, ' DEFERRED'),
    immediate: wrap(database, fn, ' IMMEDIATE'),
    exclusive: wrap(database, fn, ' EXCLUSIVE'),
  };
  for (const form of Object.values(forms)) {
    for (const [name, value] of Object.entries(forms)) Object.defineProperty(form, name, { value });
    Object.defineProperty(form, 'database', { value: database, enumerable: true });
  }
  return forms.default;
}

// ---- Asynchronous

const LOST = 'ERR_SQLITE_TRANSACTION_LOST';

/** What the function of an asynchronous transaction gets: it has the connection until it ends. */
class Transaction {
  #database;
  #number;
  #iterators = new Set();
  #cause;

  constructor(database, number) {
    this.#database = database;
    this.#number = number;
  }

  get database() {
    return this.#database;
  }

  run(statement, ...values) {
    return this.#watched(async () =>
      statements.run(await this.#prepared(statement), this.#number, values));
  }

  get(statement, ...values) {
    return this.#watched(async () =>
      statements.get(await this.#prepared(statement), this.#number, values));
  }

  all(statement, ...values) {
    return this.#watched(async () =>
      statements.all(await this.#prepared(statement), this.#number, values));
  }

  async* iterate(statement, ...values) {
    const rows = statements.iterate(await this.#prepared(statement), this.#number, values);
    this.#iterators.add(rows);
    try {
      yield* rows;
    } catch (error) {
      throw this.#seen(error);
    } finally {
      this.#iterators.delete(rows);
    }
  }

  exec(sql, signal) {
    return this.#watched(async () => {
      await ofDatabase.exec.call(this.#database, this.#number, signal, sql);
    });
  }

  prepare(sql, signal) {
    return ofDatabase.prepare.call(this.#database, this.#number, signal, sql);
  }

  async #watched(call) {
    try {
      return await call();
    } catch (error) {
      throw this.#seen(error);
    }
  }

  /** SQLite may have rolled back because of it: then nothing else has run since. */
  #seen(error) {
    if (error?.code !== LOST && !this.#database.inTransaction) this.#cause ??= { error };
    return error;
  }

  #prepared(statement) {
    if (typeof statement === 'string') return this.prepare(statement);
    if (statement instanceof Statement && statement.database === this.#database) return statement;
    throw Object.assign(
      new TypeError('The "statement" argument must be SQL, or a Statement of the same database'),
      { code: 'ERR_INVALID_ARG_TYPE' });
  }

  /** What the transaction fails with for `error`: a refusal only says that it is over. */
  causeOf(error) {
    return error?.code === LOST && this.#cause !== undefined ? this.#cause.error : error;
  }

  /** Ends the loops that the function has left open: COMMIT would wait for them. */
  async end() {
    for (const rows of this.#iterators) await rows.return();
  }
}

/** Runs fn(transaction) between BEGIN and COMMIT, or ROLLBACK when it rejects; what it gave. */
async function transactionAsync(database, fn, { mode = TransactionMode.DEFERRED, signal } = {}) {
  let result, current; // need not pass through C
  try {
    await ofDatabase.transact.call(database, mode, async (number) => {
      current = new Transaction(database, number);
      try {
        result = await fn(current);
      } finally {
        await current.end();
      }
    }, signal);
  } catch (error) {
    throw current === undefined ? error : current.causeOf(error);
  }
  return result;
}

module.exports = { transaction, transactionAsync };
