'use strict';

const assert = require('node:assert');
const { memory } = require('./support/databases.js');
const { temporaryFile } = require('./support/temporary.js');

describe('iterate', () => {
  let db, select;
  beforeEach(() => {
    db = memory(10);
    select = db.prepare('select id from t order by id').pluck();
  });

  it('gives the rows one by one', () => {
    assert.deepStrictEqual([...select.iterate()], Array.from({ length: 10 }, (_, i) => i + 1));
    assert.deepStrictEqual([...db.prepare('select id from t where id > ?').raw().iterate(8)], [[9], [10]]);
    assert.deepStrictEqual([...db.prepare('select 1 where false').iterate()], []);
  });

  it('ends with the loop, and with an exception in it', () => {
    for (const id of select.iterate()) if (id === 3) break;
    assert.strictEqual(select.busy, false);
    const thrown = new Error('in the loop');
    assert.throws(() => { for (const id of select.iterate()) if (id === 2) throw thrown; },
      (error) => error === thrown);
    assert.strictEqual(select.get(), 1);
  });

  it('keeps the statement, and lets others read', () => {
    const rows = select.iterate();
    assert.strictEqual(rows.next().value, 1);
    assert.strictEqual(select.busy, true);
    for (const use of [() => select.get(), () => select.all(), () => select.iterate().next(),
      () => select.raw(), () => select.bind(), () => select.safeIntegers()]) {
      assert.throws(use, { name: 'TypeError', code: 'ERR_SQLITE_STATEMENT_BUSY' });
    }
    assert.strictEqual(db.prepare('select count(*) from t').pluck().get(), 10);
    assert.strictEqual(rows.next().value, 2);
    rows.return();
    assert.strictEqual(select.busy, false);
    assert.strictEqual(select.get(), 1);
  });

  it('lets nobody write, or close, meanwhile', async () => {
    const insert = db.prepare('insert into t values (null, null)');
    for (const id of select.iterate()) {
      assert.throws(() => insert.run(), { code: 'ERR_SQLITE_BUSY' });
      assert.throws(() => db.exec('delete from t'), { code: 'ERR_SQLITE_BUSY' });
      assert.throws(() => db.close(), { code: 'ERR_SQLITE_BUSY' });
      if (id === 2) break;
    }
    const rows = select.iterate();
    rows.next();
    await assert.rejects(insert.runAsync(), { code: 'ERR_SQLITE_BUSY' });
    await assert.rejects(db.execAsync('delete from t'), { code: 'ERR_SQLITE_BUSY' });
    await assert.rejects(db.closeAsync(), { code: 'ERR_SQLITE_BUSY' });
    await assert.rejects(db.transactionAsync(() => {}), { code: 'ERR_SQLITE_BUSY' });
    await assert.rejects(db.prepareAsync('select 1'), { code: 'ERR_SQLITE_BUSY' });
    await assert.rejects(db.pragmaAsync('user_version'), { code: 'ERR_SQLITE_BUSY' });
    await assert.rejects(db.prepare('select 1').getAsync(), { code: 'ERR_SQLITE_BUSY' });
    await assert.rejects(db.backup(temporaryFile()), { code: 'ERR_SQLITE_BUSY' });
    assert.strictEqual(db.busy, false);
    assert.strictEqual(rows.next().value, 2);
    rows.return();
    insert.run();
  });

  it('is in SQLite while its end calls a function', () => {
    const seen = [];
    db.aggregate('total', {
      start: 0,
      step: (sum, x) => sum + x,
      inverse: (sum, x) => sum - x,
      result(sum) {
        assert.throws(() => db.prepare('select 1'), { code: 'ERR_SQLITE_BUSY' });
        seen.push(sum);
        return sum;
      },
    });
    const rows = db.prepare('select total(id) over (order by id rows 1 preceding) from t').iterate();
    rows.next();
    const before = seen.length;
    rows.return();
    assert.strictEqual(seen.length, before + 1);
    assert.strictEqual(db.prepare('select 1').pluck().get(), 1);
  });

  it('gives errors in the loop, and ends with them', () => {
    const rows = db.prepare('select abs(-9223372036854775807 - ?)').iterate(1n);
    assert.throws(() => rows.next(), { name: 'SqliteError', code: 'SQLITE_ERROR' });
    assert.deepStrictEqual(rows.next(), { value: undefined, done: true });
  });
});
