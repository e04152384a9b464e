'use strict';

const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { Database, SqliteError, Statement, VERSION } = require('..');
const { memory } = require('./support/databases.js');
const { temporaryFile } = require('./support/temporary.js');

describe('a database', () => {
  it('says what it is', () => {
    const file = temporaryFile();
    const db = new Database(file);
    assert.deepStrictEqual([db.name, db.open, db.memory, db.readonly, db.inTransaction],
      [file, true, false, false, false]);
    assert.ok(fs.existsSync(file));
    assert.strictEqual(db.close(), db);
    assert.strictEqual(db.open, false);
    assert.strictEqual(db.close(), db);
    assert.ok(new Database(':memory:').memory && new Database().memory);
  });

  it('is opened only to read, or only when it is there', () => {
    const file = temporaryFile();
    assert.throws(() => new Database(file, { fileMustExist: true }),
      { name: 'SqliteError', code: 'SQLITE_CANTOPEN' });
    assert.throws(() => new Database(file, { readonly: true }), { code: 'SQLITE_CANTOPEN' });
    new Database(file).exec('create table t (a)').close();
    const db = new Database(file, { readonly: true, fileMustExist: true });
    assert.strictEqual(db.readonly, true);
    assert.throws(() => db.exec('insert into t values (1)'), { code: 'SQLITE_READONLY' });
    db.close();
  });

  it('refuses bad arguments', () => {
    assert.throws(() => new Database(5), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new Database('a\0b'), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => new Database('', { timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new Statement(), { code: 'ERR_ILLEGAL_CONSTRUCTOR' });
    assert.throws(() => memory().prepare(5), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('runs several statements at once, and stops at an error', () => {
    const db = memory();
    assert.strictEqual(db.exec('create table a (x); insert into a values (1);; -- nothing\n'), db);
    assert.throws(() => db.exec('insert into a values (2); nonsense; insert into a values (3)'), SqliteError);
    assert.deepStrictEqual(db.prepare('select x from a').pluck().all(), [1, 2]);
    db.exec(' ; ; insert into a values (0); /* nothing */; insert into a values (1.5)');
    assert.strictEqual(db.prepare('select count(*) from a').pluck().get(), 4);
    db.exec('insert into a values (3)\0 and whatever is behind');
    assert.strictEqual(db.prepare('select max(x) from a\0;').pluck().get(), 3);
  });

  it('has pragmas', () => {
    const db = memory();
    assert.deepStrictEqual(db.pragma('user_version'), [{ user_version: 0 }]);
    assert.strictEqual(db.pragma('user_version', { simple: true }), 0);
    assert.deepStrictEqual(db.pragma('user_version = 7'), []);
    assert.strictEqual(db.pragma('user_version', { simple: true }), 7);
    assert.throws(() => db.pragma(5), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('checks foreign keys, and takes no "strings" in double quotes', () => {
    const db = memory();
    db.exec('create table child (t references t)');
    assert.throws(() => db.exec('insert into child values (1)'), { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' });
    assert.throws(() => db.prepare('select "hello"'), { code: 'SQLITE_ERROR' });
  });

  it('is of the library that the system has, not of one in Node', () => {
    const version = execFileSync('pkg-config', ['--modversion', 'sqlite3'], { encoding: 'utf8' });
    assert.strictEqual(memory().prepare('select sqlite_version()').pluck().get(), version.trim());
    assert.strictEqual(VERSION, version.trim());
  });

  it('goes through Symbol.dispose, where there is one', () => {
    if (Symbol.dispose === undefined) return;
    const db = new Database();
    db[Symbol.dispose]();
    assert.strictEqual(db.open, false);
  });
});

describe('an error of SQLite', () => {
  it('has its names and numbers', () => {
    const db = memory(1);
    const insert = db.prepare('insert into t values (1, null)');
    assert.throws(() => insert.run(), SqliteError);
    assert.throws(() => insert.run(), Error);
    assert.throws(() => insert.run(), { name: 'SqliteError', code: 'SQLITE_CONSTRAINT_PRIMARYKEY',
      errcode: 1555, message: 'UNIQUE constraint failed: t.id' });
    assert.throws(() => db.prepare('select absent from t'),
      { code: 'SQLITE_ERROR', errcode: 1, offset: 7, message: 'no such column: absent' });
  });

  it('leaves the statement as it was before', () => {
    const db = memory(1);
    const insert = db.prepare('insert into t values (?, null)');
    assert.throws(() => insert.run(1), { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' });
    assert.strictEqual(insert.run(2).changes, 1);
  });
});

describe('a statement', () => {
  it('says what it is', () => {
    const db = memory();
    const select = db.prepare('select * from t'), insert = db.prepare('insert into t values (?, ?)');
    assert.deepStrictEqual([select.reader, select.readonly, select.busy], [true, true, false]);
    assert.deepStrictEqual([insert.reader, insert.readonly], [false, false]);
    assert.strictEqual(select.source, 'select * from t');
    assert.strictEqual(select.database, db);
    assert.ok(select instanceof Statement);
  });

  it('is one, neither none nor several', () => {
    const db = memory();
    for (const sql of ['', ' ; ', '-- nothing']) {
      assert.throws(() => db.prepare(sql), { name: 'RangeError', code: 'ERR_SQLITE_STATEMENTS' });
    }
    assert.throws(() => db.prepare('select 1; select 2'), { code: 'ERR_SQLITE_STATEMENTS' });
    assert.strictEqual(db.prepare('select 1; -- and no more').source, 'select 1; -- and no more');
    db.prepare('select 1;;');
  });

  it('tells of what it has changed', () => {
    const db = memory();
    assert.deepStrictEqual(db.prepare('insert into t values (5, null), (6, null)').run(),
      { changes: 2, lastInsertRowid: 6 });
    assert.strictEqual(db.prepare('update t set name = \'x\'').run().changes, 2);
    assert.strictEqual(db.prepare('create table u (a)').run().changes, 0);
    assert.deepStrictEqual(db.prepare('insert into t values (7, null)').safeIntegers().run(),
      { changes: 1, lastInsertRowid: 7n });
  });

  it('gives rows only where it has some', () => {
    const db = memory();
    const select = db.prepare('select 1'), insert = db.prepare('insert into t values (null, null)');
    assert.throws(() => select.run(), { name: 'TypeError', code: 'ERR_SQLITE_ROWS' });
    for (const name of ['get', 'all', 'pluck', 'raw', 'expand', 'columns']) {
      assert.throws(() => insert[name](), { name: 'TypeError', code: 'ERR_SQLITE_NO_ROWS' }, name);
    }
    assert.deepStrictEqual(db.prepare('insert into t values (9, null) returning id').get(), { id: 9 });
  });

  it('gives objects, first values, arrays, or objects of tables', () => {
    const db = memory(2);
    db.exec('create table u (id, t); insert into u values (1, 2)');
    const statement = db.prepare('select t.*, u.*, 1 + 1 as sum from t join u on u.t = t.id');
    assert.deepStrictEqual(statement.get(), { id: 1, name: 'name 2', t: 2, sum: 2 });
    assert.strictEqual(statement.pluck().get(), 2);
    assert.deepStrictEqual(statement.raw().all(), [[2, 'name 2', 1, 2, 2]]);
    assert.deepStrictEqual(statement.expand().get(),
      { t: { id: 2, name: 'name 2' }, u: { id: 1, t: 2 }, $: { sum: 2 } });
    assert.deepStrictEqual(statement.expand(false).get(), { id: 1, name: 'name 2', t: 2, sum: 2 });
    assert.strictEqual(statement.pluck().raw(false).get(), 2);
  });

  it('has columns', () => {
    const db = memory();
    assert.deepStrictEqual(db.prepare('select name as n, 1 from t').columns(), [
      { name: 'n', column: 'name', table: 't', database: 'main', type: 'TEXT' },
      { name: '1', column: null, table: null, database: null, type: null },
    ]);
  });

  it('follows a schema that changes', () => {
    const db = memory(1);
    const select = db.prepare('select * from t');
    assert.deepStrictEqual(select.get(), { id: 1, name: 'name 1' });
    db.exec('alter table t add column extra');
    assert.deepStrictEqual(select.get(), { id: 1, name: 'name 1', extra: null });
    db.exec('alter table t rename column extra to other');
    assert.deepStrictEqual(select.all(), [{ id: 1, name: 'name 1', other: null }]);
  });

  it('gives undefined where there is no row, and an empty list', () => {
    const db = memory();
    assert.strictEqual(db.prepare('select * from t').get(), undefined);
    assert.deepStrictEqual(db.prepare('select * from t').all(), []);
  });

  it('gives columns with whatever names', () => {
    const db = memory();
    const row = db.prepare('select 1 as __proto__, 2 as "0", 3 as "a\'b", 4 as constructor').get();
    assert.deepStrictEqual(Object.keys(row).sort(), ['0', '__proto__', 'a\'b', 'constructor']);
    assert.strictEqual(Object.getPrototypeOf(row), Object.prototype);
    assert.strictEqual(Object.getOwnPropertyDescriptor(row, '__proto__').value, 1);
  });
});

describe('values', () => {
  const there = (value, db = memory()) => db.prepare('select ?').pluck().get(value);

  it('of every kind come back', () => {
    for (const value of [null, 0, -1.5, 1e300, Infinity, '', 'text', 'a\0b', 'ö€😀']) {
      assert.strictEqual(there(value), value);
    }
    assert.deepStrictEqual(there(Buffer.from([0, 255])), Buffer.from([0, 255]));
    assert.deepStrictEqual(there(new Uint8Array(0)), Buffer.alloc(0));
    const { buffer } = new Float64Array([1]);
    assert.deepStrictEqual(there(buffer), Buffer.from(buffer));
    assert.strictEqual(there(NaN), null); // as SQLite has it
  });

  it('that are integers come as numbers or as bigints', () => {
    const db = memory();
    const large = db.prepare('select 9007199254740993').pluck();
    assert.strictEqual(large.get(), 9007199254740992);
    assert.strictEqual(large.safeIntegers().get(), 9007199254740993n);
    assert.strictEqual(large.safeIntegers(false).get(), 9007199254740992);
    assert.strictEqual(there(2n ** 63n - 1n, db.defaultSafeIntegers()), 2n ** 63n - 1n);
    assert.strictEqual(there(-(2n ** 63n), db), -(2n ** 63n));
    assert.throws(() => there(2n ** 63n), { code: 'ERR_OUT_OF_RANGE' });
    assert.strictEqual(db.prepare('select typeof(?)').pluck().get(1), 'real');
    assert.strictEqual(db.prepare('select typeof(?)').pluck().get(1n), 'integer');
  });

  it('that SQL has no kind for are refused', () => {
    for (const value of [undefined, true, Symbol('s'), () => {}]) {
      assert.throws(() => there(value), { name: 'TypeError' });
    }
    for (const value of [new Date(), new Map(), /x/]) {
      assert.throws(() => there(value), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('that are large come back', () => {
    const text = 'ö'.repeat(1e6), bytes = Buffer.alloc(1e6, 7);
    assert.strictEqual(there(text), text);
    assert.deepStrictEqual(there(bytes), bytes);
  });
});
