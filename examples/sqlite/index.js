'use strict';

const { isMainThread } = require('node:worker_threads');
const functions = require('./lib/functions.js');
const native = require('./lib/native.js');
const { named } = require('./lib/parameters.js');
const statements = require('./lib/statement.js');
const { transaction, transactionAsync } = require('./lib/transaction.js');

const { Database, Statement, SqliteError, TransactionMode, VERSION, ofDatabase } = native;

native.setNamed(named);
// What is under way in the pool would keep process.exit() waiting. A worker's end is seen to in C.
if (isMainThread) process.on('exit', native.leave);

/** Methods as a class's own are: not enumerable. */
function extend({ prototype }, methods) {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}

function pragmaOf(source) {
  if (typeof source === 'string') return `PRAGMA ${source}`;
  throw Object.assign(new TypeError('The "source" argument must be of type string'),
    { code: 'ERR_INVALID_ARG_TYPE' });
}

extend(Database, {
  pragma(source, { simple = false } = {}) {
    const statement = this.prepare(pragmaOf(source));
    if (!statement.reader) {
      statement.run();
      return simple ? undefined : [];
    }
    const rows = statement.pluck(simple).all();
    return simple ? rows[0] : rows;
  },

  async pragmaAsync(source, { simple = false, signal } = {}) {
    const statement = await ofDatabase.prepare.call(this, 0, signal, pragmaOf(source));
    const values = signal === undefined ? [] : [signal];
    if (!statement.reader) {
      await statements.run(statement, 0, values);
      return simple ? undefined : [];
    }
    const rows = await statements.all(statement.pluck(simple), 0, values);
    return simple ? rows[0] : rows;
  },

  prepareAsync(sql, { signal } = {}) {
    return ofDatabase.prepare.call(this, 0, signal, sql);
  },

  execAsync(sql, { signal } = {}) {
    return ofDatabase.exec.call(this, 0, signal, sql);
  },

  transaction(fn) {
    return transaction(this, fn);
  },

  transactionAsync(fn, options) {
    return transactionAsync(this, fn, options);
  },

  function(name, options, fn) {
    return functions.define(this, name, options, fn);
  },

  aggregate(name, options) {
    return functions.aggregate(this, name, options);
  },

  backup(destination, { attached = 'main', progress, signal } = {}) {
    return ofDatabase.backup.call(this, destination, attached, progress, signal);
  },
});

extend(Statement, {
  runAsync(...values) {
    return statements.run(this, 0, values);
  },

  getAsync(...values) {
    return statements.get(this, 0, values);
  },

  allAsync(...values) {
    return statements.all(this, 0, values);
  },

  iterateAsync(...values) {
    return statements.iterate(this, 0, values);
  },
});

exports.Database = Database;
exports.Statement = Statement;
exports.SqliteError = SqliteError;
exports.TransactionMode = TransactionMode;
exports.VERSION = VERSION;
