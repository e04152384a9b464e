'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { Database, SqliteError, Statement } = require('..');
const { memory, ENDLESS, COUNTED } = require('./support/databases.js');
const { temporaryFile } = require('./support/temporary.js');

describe('asynchronous statements', () => {
  let db;
  beforeEach(() => { db = memory(3); });

  it('give what the synchronous ones give', async () => {
    const select = db.prepare('select * from t where id >= ? order by id');
    assert.deepStrictEqual(await select.getAsync(2), { id: 2, name: 'name 2' });
    assert.deepStrictEqual(await select.allAsync([2]), select.all(2));
    assert.deepStrictEqual(await select.raw().allAsync(3), [[3, 'name 3']]);
    assert.strictEqual(await select.pluck().getAsync(9), undefined);
    assert.deepStrictEqual(await select.allAsync(9), []);
    assert.deepStrictEqual(await db.prepare('insert into t values (@id, null)').safeIntegers().runAsync({ id: 9 }),
      { changes: 1, lastInsertRowid: 9n });
    assert.strictEqual(await db.execAsync('create table u (a); insert into u values (1)'), db);
    assert.strictEqual((await db.prepareAsync('select a from u')).pluck().get(), 1);
    assert.ok(await db.prepareAsync('select 1') instanceof Statement);
    assert.strictEqual(await db.pragmaAsync('user_version', { simple: true }), 0);
    assert.deepStrictEqual(await db.pragmaAsync('user_version = 5'), []);
    assert.deepStrictEqual(await db.pragmaAsync('user_version'), [{ user_version: 5 }]);
    await db.execAsync('select 1;\0nothing');
    const opened = await Database.openAsync(temporaryFile());
    assert.ok(opened instanceof Database && opened.open);
    await opened.closeAsync();
  });

  it('give many rows, in pieces that do not show', async () => {
    for (const count of [1, 511, 512, 513, 1024, 5000]) {
      const rows = await db.prepare(COUNTED).pluck().allAsync(count);
      assert.deepStrictEqual(rows, Array.from({ length: count }, (_, i) => i + 1));
    }
  });

  it('fail as the synchronous ones do', async () => {
    const insert = db.prepare('insert into t values (?, null)');
    await assert.rejects(insert.runAsync(1), (error) => error instanceof SqliteError &&
      error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY' && error.errcode === 1555);
    await assert.rejects(insert.runAsync(), { name: 'RangeError' });
    await assert.rejects(insert.runAsync(true), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(insert.getAsync(1), { code: 'ERR_SQLITE_NO_ROWS' });
    await assert.rejects(db.prepareAsync('select absent from t'), { code: 'SQLITE_ERROR', offset: 7 });
    await assert.rejects(db.prepareAsync(''), { code: 'ERR_SQLITE_STATEMENTS' });
    await assert.rejects(db.prepareAsync('select 1; select 2'), { code: 'ERR_SQLITE_STATEMENTS' });
    await assert.rejects(db.execAsync('select 1; nonsense'), { code: 'SQLITE_ERROR' });
    await assert.rejects(Database.openAsync(temporaryFile(), { readonly: true }), { code: 'SQLITE_CANTOPEN' });
    assert.strictEqual((await insert.runAsync(8)).changes, 1);
  });

  it('run one after the other, in the order of the calls', async () => {
    const order = [];
    const insert = db.prepare('insert into t values (null, ?)');
    const many = db.prepare(COUNTED), last = db.prepare('select name from t order by id desc').pluck();
    await Promise.all([
      many.allAsync(20000).then(() => order.push('rows')),
      insert.runAsync('a').then(() => order.push('a')),
      db.execAsync('insert into t values (null, \'b\')').then(() => order.push('b')),
      last.getAsync().then((name) => order.push(name)),
    ]);
    assert.deepStrictEqual(order, ['rows', 'a', 'b', 'b']);
  });

  it('refuse synchronous calls while they run, by name', async () => {
    const select = db.prepare('select 1'), endless = db.prepare(ENDLESS);
    const controller = new AbortController();
    const running = endless.getAsync(controller.signal);
    assert.strictEqual(db.busy, true);
    for (const use of [() => select.get(), () => select.all(), () => select.iterate().next(), () => db.exec(''),
      () => db.prepare('select 1'), () => db.close(), () => db.pragma('user_version'), () => select.columns(),
      () => db.function('f', () => 1), () => db.transaction(() => {})()]) {
      assert.throws(use, { name: 'TypeError', code: 'ERR_SQLITE_BUSY' });
    }
    assert.strictEqual(endless.busy, true);
    assert.throws(() => endless.pluck(), { code: 'ERR_SQLITE_STATEMENT_BUSY' });
    assert.strictEqual(db.inTransaction, false);
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
    assert.deepStrictEqual([db.busy, endless.busy, select.pluck().get()], [false, false, 1]);
  });

  it('stop when their signal is aborted, and the database goes on', async () => {
    const endless = db.prepare(ENDLESS);
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const running = endless.getAsync(controller.signal);
      if (i % 2 === 0) await new Promise(setImmediate);
      controller.abort(new Error('enough'));
      await assert.rejects(running, (error) => error.name === 'AbortError' && error.cause.message === 'enough');
    }
    await assert.rejects(endless.getAsync(AbortSignal.abort()), { name: 'AbortError' });
    assert.strictEqual(db.prepare('select 5').pluck().get(), 5);
  });

  it('leave the line when they are aborted there', async () => {
    const first = new AbortController(), second = new AbortController();
    const insert = db.prepare('insert into t values (null, ?)');
    const running = db.prepare(ENDLESS).getAsync(first.signal);
    const waiting = insert.runAsync('never', second.signal), last = insert.runAsync('yes');
    second.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    first.abort();
    await assert.rejects(running, { name: 'AbortError' });
    await last;
    assert.deepStrictEqual(db.prepare('select name from t where id > 3').pluck().all(), ['yes']);
  });

  it('take back what they have done when they are aborted', async () => {
    const controller = new AbortController();
    const running = db.prepare('insert into t select null, x from (with recursive c(x) as ' +
      '(select 1 union all select x + 1 from c) select x from c)').runAsync(controller.signal);
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
    assert.strictEqual(db.prepare('select count(*) from t').pluck().get(), 3);
  });

  it('let the loop go on', async () => {
    const controller = new AbortController();
    const running = db.prepare(ENDLESS).getAsync(controller.signal);
    for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate);
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
  });
});

describe('iterateAsync', () => {
  let db;
  beforeEach(() => { db = memory(3); });

  it('gives rows for `for await`', async () => {
    const seen = [];
    for await (const id of db.prepare(COUNTED).pluck().iterateAsync(2000)) seen.push(id);
    assert.deepStrictEqual(seen, Array.from({ length: 2000 }, (_, i) => i + 1));
  });

  it('reads no further than it has to', async () => {
    let calls = 0;
    db.function('seen', (x) => { calls++; return x; });
    const rows = db.prepare('with recursive c(x) as (select 1 union all select x + 1 from c) select seen(x) from c')
      .pluck().iterateAsync();
    assert.deepStrictEqual(await rows.next(), { value: 1, done: false });
    for (let turns = 0; turns < 200; turns++) await new Promise(setImmediate);
    assert.ok(calls < 1000, `${calls} rows`);
    await rows.return();
    assert.strictEqual(db.busy, false);
  });

  it('ends with the loop, and with an exception in it', async () => {
    const endless = db.prepare('with recursive c(x) as (select 1 union all select x + 1 from c) select x from c').pluck();
    for await (const x of endless.iterateAsync()) if (x === 1000) break;
    assert.strictEqual(db.busy, false);
    const thrown = new Error('in the loop');
    await assert.rejects(async () => {
      for await (const x of endless.iterateAsync()) if (x === 3) throw thrown;
    }, (error) => error === thrown);
    assert.strictEqual(db.busy, false);
    const signal = AbortSignal.timeout(20);
    await assert.rejects(async () => {
      for await (const x of endless.iterateAsync(signal)) if (x < 0) break;
    }, { name: 'AbortError' });
    assert.strictEqual(db.prepare('select 5').pluck().get(), 5);
  });

  it('has the connection meanwhile: others wait', async () => {
    const order = [];
    let other;
    for await (const id of db.prepare('select id from t').pluck().iterateAsync()) {
      other ??= db.execAsync('delete from t').then(() => order.push('deleted'));
      assert.throws(() => db.exec('select 1'), { code: 'ERR_SQLITE_BUSY' });
      order.push(id);
    }
    await other;
    assert.deepStrictEqual(order, [1, 2, 3, 'deleted']);
  });

  it('gives errors', async () => {
    const rows = db.prepare('select abs(-9223372036854775807 - ?)').iterateAsync(1n);
    await assert.rejects(rows.next(), { code: 'SQLITE_ERROR' });
    assert.deepStrictEqual(await rows.next(), { value: undefined, done: true });
  });
});

describe('a lock of another connection', () => {
  let file, locking, waiting;
  beforeEach(() => {
    file = temporaryFile();
    locking = new Database(file);
    locking.exec('create table t (a); begin immediate; insert into t values (1)');
  });
  afterEach(() => {
    locking.close();
    waiting.close();
  });

  it('is waited for outside of the pool, while the loop goes on', async () => {
    waiting = new Database(file);
    const insert = waiting.prepare('insert into t values (?)');
    const writes = insert.runAsync(2);
    let settled = false;
    writes.then(() => { settled = true; });
    for (let turns = 0; turns < 200; turns++) await new Promise(setImmediate);
    assert.strictEqual(settled, false);
    locking.exec('commit');
    assert.strictEqual((await writes).changes, 1);
  });

  it('that stays is an error, after the timeout', async () => {
    waiting = new Database(file, { timeout: 30 });
    const insert = waiting.prepare('insert into t values (?)');
    await assert.rejects(insert.runAsync(2), { code: 'SQLITE_BUSY' });
    await assert.rejects(waiting.execAsync('insert into t values (2)'), { code: 'SQLITE_BUSY' });
    await assert.rejects(waiting.transactionAsync(() => {}, { mode: 'immediate' }), { code: 'SQLITE_BUSY' });
    assert.throws(() => insert.run(2), { code: 'SQLITE_BUSY' });
    locking.exec('commit');
    assert.strictEqual(insert.run(2).changes, 1);
  });

  it('is no longer waited for by who is aborted', async () => {
    waiting = new Database(file);
    const signal = AbortSignal.timeout(20);
    await assert.rejects(waiting.prepare('insert into t values (2)').runAsync(signal), { name: 'AbortError' });
    locking.exec('commit');
    assert.strictEqual(waiting.prepare('select count(*) from t').pluck().get(), 1);
  });

  it('leaves the pool to who has the lock', async () => {
    locking.exec('commit');
    const others = Array.from({ length: 8 }, () => new Database(file));
    await locking.transactionAsync(async (tx) => {
      await tx.exec('insert into t values (2)');
      const writes = others.map((db) => db.execAsync('insert into t values (3)'));
      for (let turns = 0; turns < 50; turns++) await tx.exec('insert into t values (2)');
      setImmediate(() => Promise.all(writes).then(() => others.forEach((db) => db.close())));
    }, { mode: 'immediate' });
    waiting = new Database(file);
    while (waiting.prepare('select count(*) from t where a = 3').pluck().get() < 8) await new Promise(setImmediate);
    await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

describe('two threads', () => {
  it('write into a database in WAL mode at the same time', async () => {
    const file = temporaryFile();
    const db = new Database(file);
    assert.strictEqual(db.pragma('journal_mode = wal', { simple: true }), 'wal');
    db.exec('create table t (a)');
    const script = `const { Database } = require(${JSON.stringify(require.resolve('..'))});
      const db = new Database(${JSON.stringify(file)});
      const insert = db.prepare('insert into t values (?)');
      (async () => {
        for (let i = 0; i < 50; i++) await insert.runAsync(i);
        await db.closeAsync();
      })();`;
    const workers = Array.from({ length: 3 }, () => new Worker(script, { eval: true }));
    const exits = workers.map((worker) => once(worker, 'exit'));
    for (let i = 0; i < 50; i++) await db.execAsync('insert into t values (1)');
    assert.deepStrictEqual((await Promise.all(exits)).flat(), [0, 0, 0]);
    assert.strictEqual(db.prepare('select count(*) from t').pluck().get(), 200);
    db.close();
  });
});
