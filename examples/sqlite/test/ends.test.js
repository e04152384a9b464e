'use strict';

// Databases, statements, processes and threads that end while something is under way.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const v8 = require('node:v8');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');
const { Database } = require('..');
const { memory, ENDLESS, COUNTED } = require('./support/databases.js');
const { temporaryFile } = require('./support/temporary.js');

const addon = JSON.stringify(require.resolve('..'));

describe('a database that is closed', () => {
  it('refuses everything', async () => {
    const db = memory(1);
    const select = db.prepare('select * from t'), insert = db.prepare('insert into t values (null, null)');
    const rows = select.iterate(), waiting = select.iterateAsync();
    db.close();
    for (const use of [() => select.get(), () => select.all(), () => insert.run(),
      () => rows.next(),
      () => select.iterate().next(), () => db.exec(''), () => db.prepare('select 1'), () => select.columns(),
      () => select.bind(), () => db.function('f', () => 1), () => db.aggregate('a', { step() {} }),
      () => db.transaction(() => {})()]) {
      assert.throws(use, { name: 'TypeError', code: 'ERR_SQLITE_CLOSED' }, String(use));
    }
    for (const use of [() => select.getAsync(), () => select.allAsync(), () => insert.runAsync(),
      () => waiting.next(),
      () => db.execAsync(''), () => db.prepareAsync('select 1'), () => db.transactionAsync(() => {}),
      () => db.backup(temporaryFile())]) {
      await assert.rejects(use(), { name: 'TypeError', code: 'ERR_SQLITE_CLOSED' }, String(use));
    }
    assert.strictEqual(select.source, 'select * from t');
    assert.strictEqual(`${select}`, 'select * from t');
    assert.deepStrictEqual([select.reader, select.database, db.inTransaction], [true, db, false]);
    select.raw();
    await db.closeAsync();
  });

  it('asynchronously does before what was asked for before, and nothing after', async () => {
    const db = memory(1);
    const insert = db.prepare('insert into t values (null, ?)'), count = db.prepare('select count(*) from t').pluck();
    const before = [insert.runAsync('a'), insert.runAsync('b'), count.getAsync()];
    const closing = db.closeAsync();
    assert.strictEqual(db.open, false);
    await assert.rejects(insert.runAsync('c'), { code: 'ERR_SQLITE_CLOSED' });
    assert.strictEqual((await Promise.all(before))[2], 3);
    await closing;
    assert.throws(() => count.get(), { code: 'ERR_SQLITE_CLOSED' });
    await db.closeAsync();
  });

  it('by `await using`', async () => {
    const db = memory();
    await db[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
    assert.strictEqual(db.open, false);
  });

  it('by one that waits for a transaction', async () => {
    const db = memory();
    const transacting = db.transactionAsync(async (tx) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await tx.exec('insert into t values (5, null)');
      return 'done';
    });
    const closing = db.closeAsync();
    assert.strictEqual(await transacting, 'done');
    await closing;
  });
});

describe('what nobody has any more', () => {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');

  async function collected(make) {
    const refs = make().map((each) => new WeakRef(each));
    for (let i = 0; i < 100 && refs.some((ref) => ref.deref() !== undefined); i++) {
      await new Promise(setImmediate);
      gc();
    }
    return refs.every((ref) => ref.deref() === undefined);
  }

  it('is collected: statements before their database, and after it', async () => {
    const db = memory(3);
    assert.ok(await collected(() => [db.prepare('select 1'), db.prepare('select 2')]));
    assert.strictEqual(db.prepare('select 3').pluck().get(), 3);
    const kept = (() => new Database(':memory:').exec('create table t (a)').prepare('select count(*) from t').pluck())();
    assert.ok(await collected(() => [new Database(':memory:')]));
    assert.strictEqual(kept.get(), 0);
    assert.strictEqual(kept.database.prepare('select 5').pluck().get(), 5);
  });

  it('is collected while the pool has the connection', async () => {
    const db = memory(3);
    const signal = new AbortController();
    const endless = db.prepare(ENDLESS);
    const others = { statements: Array.from({ length: 50 }, (_, i) => db.prepare(`select ${i}`)) };
    const running = endless.getAsync(signal.signal);
    delete others.statements;
    for (let i = 0; i < 10; i++) {
      await new Promise(setImmediate);
      gc();
    }
    signal.abort();
    await assert.rejects(running, { name: 'AbortError' });
    assert.strictEqual(db.prepare('select 1').pluck().get(), 1);
  });

  it('is collected by a function that SQLite calls', () => {
    const db = memory(20);
    const others = { statements: Array.from({ length: 50 }, (_, i) => db.prepare(`select ${i}`)) };
    db.function('collect', (x) => {
      delete others.statements;
      gc();
      return x;
    });
    assert.strictEqual(db.prepare('select sum(collect(id)) from t').pluck().get(), 210);
  });

  it('keeps nothing open: iterators that were left are ended', async () => {
    const db = memory(3);
    const select = db.prepare('select id from t').pluck();
    assert.ok(await collected(() => {
      const rows = select.iterate();
      rows.next();
      return [rows];
    }));
    for (let i = 0; i < 100 && select.busy; i++) await new Promise(setImmediate);
    db.exec('delete from t');
    assert.ok(await collected(() => {
      const rows = db.prepare(COUNTED).iterateAsync(1e6);
      rows.next();
      return [rows];
    }));
    await db.execAsync('insert into t values (1, null)');
  });

  it('runs to its end all the same', async () => {
    const running = new Database(':memory:').prepare(COUNTED).pluck().allAsync(3000);
    for (let i = 0; i < 5; i++) {
      gc();
      await new Promise(setImmediate);
    }
    assert.strictEqual((await running).length, 3000);
  });
});

describe('the end', () => {
  const run = (script) => spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 60000 });

  const BUSY = `
    const { Database } = require(${addon});
    const ENDLESS = ${JSON.stringify(ENDLESS)};
    globalThis.all = Array.from({ length: 4 }, () => new Database(':memory:'));
    const [first, second, third, fourth] = all;
    first.prepare(ENDLESS).getAsync().catch(() => {});
    first.prepareAsync('select 1').catch(() => {});
    const rows = third.prepare('with recursive c(x) as (select 1 union all select x + 1 from c) select x from c').iterateAsync();
    const reading = fourth.exec('create table t (a); insert into t values (1), (2)').prepare('select a from t').iterate();
    reading.next();
    second.transactionAsync(async (tx) => {
      await tx.exec('create table t (a)');
      await new Promise(() => {});
    }).catch(() => {});
    globalThis.kept = [rows, reading];
    rows.next().then(() => READY());`;

  it('of a process that has nothing to do comes by itself, with a database open', () => {
    const { status, stderr } = run(`const { Database } = require(${addon});
      globalThis.db = new Database(':memory:');
      db.prepare('select 1').getAsync();
      globalThis.other = new Database(':memory:');
      globalThis.rows = other.prepare('select 1').iterate();
      rows.next();`);
    assert.deepStrictEqual([status, stderr], [0, '']);
  });

  it('of a process in the middle is clean, and soon', () => {
    const { status, stderr } = run(BUSY.replace('READY()', 'setImmediate(() => process.exit(7))'));
    assert.deepStrictEqual([status, stderr], [7, '']);
  });

  it('of a process by a function that SQLite calls, at once or from the pool', () => {
    for (const get of ['get', 'getAsync']) {
      const { status, stderr } = run(`const { Database } = require(${addon});
        const db = new Database(':memory:');
        db.function('leave', () => process.exit(7));
        db.prepare('select leave()').${get}();`);
      assert.deepStrictEqual([status, stderr], [7, ''], get);
    }
  });

  it('of a process while the pool waits for a function', () => {
    const { status, stderr } = run(`const { Database } = require(${addon});
      const db = new Database(':memory:');
      let calls = 0;
      db.function('tick', (x) => { calls++; return x; });
      db.prepare('with recursive c(x) as (select 1 union all select tick(x) + 1 from c) select count(*) from c').getAsync();
      setImmediate(function again() {
        if (calls < 10) return void setImmediate(again);
        const until = Date.now() + 30;
        while (Date.now() < until);
        process.exit(7);
      });`);
    assert.deepStrictEqual([status, stderr], [7, '']);
  });

  it('of workers in the middle is clean', async () => {
    for (let i = 0; i < 5; i++) {
      const script = BUSY.replace('READY()', 'require(\'node:worker_threads\').parentPort.postMessage(\'busy\')');
      const worker = new Worker(script, { eval: true });
      await once(worker, 'message');
      await worker.terminate();
    }
  });

  it('of workers while functions are called from the pool', async () => {
    for (const how of ['process.exit()', 'for (;;);', 'throw new Error()', 'port.postMessage(0); return x']) {
      const worker = new Worker(`const { Database } = require(${addon});
        const port = require('node:worker_threads').parentPort;
        const db = new Database(':memory:');
        db.function('tick', (x) => { if (x === 1) port.postMessage('called'); if (x < 50) return x; ${how}; });
        db.aggregate('sum2', { start: 0, step: (sum, x) => sum + x });
        db.prepare('with recursive c(x) as (select 1 union all select tick(x) + 1 from c) select sum2(x) from c')
          .getAsync().catch(() => {});`, { eval: true });
      await once(worker, 'message');
      await worker.terminate();
    }
  });

  it('of workers by themselves, after their work', async () => {
    const file = temporaryFile();
    new Database(file).exec('pragma journal_mode = wal; create table t (a)').close();
    const exits = Array.from({ length: 4 }, (_, i) => once(new Worker(`const { Database } = require(${addon});
      const db = new Database(${JSON.stringify(file)});
      db.execAsync('insert into t values (${i})');`, { eval: true }), 'exit'));
    assert.deepStrictEqual((await Promise.all(exits)).flat(), [0, 0, 0, 0]);
    assert.strictEqual(fs.existsSync(`${file}-wal`), false);
    const db = new Database(file);
    assert.strictEqual(db.prepare('select count(*) from t').pluck().get(), 4);
    db.close();
  });
});
