'use strict';

// A statement with rows that is left before its end writes all the same, when it is reset: what
// SQLite says then counts.

const assert = require('node:assert');
const { Database } = require('..');
const { memory } = require('./support/databases.js');
const { temporaryFile } = require('./support/temporary.js');

describe('a write that is left after its first row', () => {
  const FAILS = { name: 'SqliteError', code: 'SQLITE_CONSTRAINT_FOREIGNKEY' };
  let db, insert;
  const count = () => db.prepare('select count(*) from u').pluck().get();
  beforeEach(() => {
    db = memory(1);
    db.exec('create table u (t references t deferrable initially deferred)');
    insert = db.prepare('insert into u values (?), (1) returning t').pluck();
  });

  it('gives the error of its end: get', () => {
    assert.throws(() => insert.get(9), FAILS);
    assert.strictEqual(count(), 0);
    assert.strictEqual(insert.get(1), 1);
    assert.strictEqual(count(), 2);
  });

  it('gives the error of its end: getAsync', async () => {
    await assert.rejects(insert.getAsync(9), FAILS);
    assert.strictEqual(count(), 0);
    assert.strictEqual(await insert.getAsync(1), 1);
    assert.strictEqual(count(), 2);
  });

  it('gives the error of its end: a loop that is left', () => {
    assert.throws(() => { for (const t of insert.iterate(9)) if (t === 9) break; }, FAILS);
    assert.strictEqual(insert.busy, false);
    assert.strictEqual(count(), 0);
    for (const t of insert.iterate(1)) if (t === 1) break;
    assert.strictEqual(count(), 2);
  });

  it('gives what the loop throws, rather than that', () => {
    const thrown = new Error('in the loop');
    assert.throws(() => { for (const t of insert.iterate(9)) if (t === 9) throw thrown; },
      (error) => error === thrown);
    assert.strictEqual(count(), 0);
  });

  it('gives the error of its end: an asynchronous loop that is left', async () => {
    await assert.rejects(async () => {
      for await (const t of insert.iterateAsync(9)) if (t === 9) break;
    }, FAILS);
    assert.strictEqual(db.busy, false);
    assert.strictEqual(count(), 0);
    for await (const t of insert.iterateAsync(1)) if (t === 1) break;
    assert.strictEqual(count(), 2);
  });

  it('is all written, however many rows', async () => {
    const many = db.prepare('insert into u select 1 from (with recursive c(x) as ' +
      '(select 1 union all select x + 1 from c where x < 2000) select x from c) returning t');
    let rows = 0;
    for await (const row of many.iterateAsync()) rows += row.t;
    assert.deepStrictEqual([rows, count()], [2000, 2000]);
  });
});

describe('a write whose end waits for a reader', () => {
  const INSERT = 'insert into t values (2) returning a';
  let file, reading, rows, db;
  beforeEach(() => {
    file = temporaryFile();
    reading = new Database(file).exec('create table t (a); insert into t values (1), (1)');
    rows = reading.prepare('select a from t').iterate();
    rows.next();
  });
  afterEach(() => {
    rows.return();
    reading.close();
    db.close();
  });
  const count = () => db.prepare('select count(*) from t').pluck().get();

  it('is an error when the reader stays', async () => {
    db = new Database(file, { timeout: 20 });
    const insert = db.prepare(INSERT), busy = { code: 'SQLITE_BUSY' };
    assert.throws(() => insert.get(), busy);
    assert.throws(() => { for (const row of insert.iterate()) if (row) break; }, busy);
    await assert.rejects(insert.getAsync(), busy);
    await assert.rejects(async () => {
      for await (const row of insert.iterateAsync()) if (row) break;
    }, busy);
    assert.strictEqual(count(), 2);
  });

  it('waits outside of the pool, while the loop goes on', async () => {
    db = new Database(file, { timeout: 60000 });
    const insert = db.prepare(INSERT).pluck();
    const seen = [];
    const running = [insert.getAsync(), (async () => {
      for await (const a of insert.iterateAsync()) {
        seen.push(a);
        break;
      }
    })()];
    for (let turns = 0; turns < 200; turns++) await new Promise(setImmediate);
    rows.return();
    assert.deepStrictEqual(await Promise.all(running), [2, undefined]);
    assert.deepStrictEqual([seen, count()], [[2], 4]);
  });
});
