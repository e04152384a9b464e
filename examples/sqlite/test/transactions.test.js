'use strict';

const assert = require('node:assert');
const { Database } = require('..');
const { memory, ENDLESS } = require('./support/databases.js');
const { temporaryFile } = require('./support/temporary.js');

describe('transaction', () => {
  let db, insert;
  const names = () => db.prepare('select name from t order by id').pluck().all();
  beforeEach(() => {
    db = memory();
    insert = db.prepare('insert into t values (null, ?)');
  });

  it('commits what the function did, with its arguments, this and result', () => {
    const add = db.transaction(function (...values) {
      assert.strictEqual(db.inTransaction, true);
      values.forEach((value) => insert.run(value));
      return [this, values.length];
    });
    const self = {};
    assert.deepStrictEqual(add.call(self, 'a', 'b'), [self, 2]);
    assert.deepStrictEqual([db.inTransaction, names()], [false, ['a', 'b']]);
    for (const mode of ['deferred', 'immediate', 'exclusive', 'default']) add[mode](mode);
    assert.strictEqual(add.immediate.exclusive, add.exclusive);
    assert.strictEqual(add.database, db);
    assert.strictEqual(names().length, 6);
  });

  it('takes back what it did when it throws', () => {
    const thrown = new Error('mine');
    const add = db.transaction((value) => {
      insert.run(value);
      throw thrown;
    });
    assert.throws(() => add('a'), (error) => error === thrown);
    assert.deepStrictEqual([db.inTransaction, names()], [false, []]);
  });

  it('nests as a savepoint', () => {
    const inner = db.transaction((value) => {
      insert.run(value);
      if (value === 'bad') throw new Error('bad');
    });
    const outer = db.transaction(() => {
      inner('good');
      assert.throws(() => inner('bad'), { message: 'bad' });
      insert.run('outer');
    });
    outer();
    assert.deepStrictEqual(names(), ['good', 'outer']);
  });

  it('bears that SQLite rolls back by itself', () => {
    db.exec('create table u (a unique on conflict rollback); insert into u values (1)');
    const add = db.transaction(() => {
      insert.run('a');
      db.exec('insert into u values (1)');
    });
    assert.throws(add, { code: 'SQLITE_CONSTRAINT_UNIQUE' });
    assert.deepStrictEqual([db.inTransaction, names()], [false, []]);
  });

  it('is before what is started asynchronously in it', async () => {
    let later;
    db.transaction(() => {
      later = insert.runAsync('later');
      insert.run('a');
      insert.run('b');
    })();
    await later;
    assert.deepStrictEqual(names(), ['a', 'b', 'later']);
    const transaction = db.transaction(() => {
      later = db.transactionAsync((tx) => tx.run(insert, 'last'));
      throw new Error('mine');
    });
    assert.throws(() => transaction(), { message: 'mine' });
    await later;
    assert.deepStrictEqual(names(), ['a', 'b', 'later', 'last']);
  });

  it('takes no asynchronous function', () => {
    const add = db.transaction(async () => { insert.run('a'); });
    assert.throws(() => add(), { name: 'TypeError', message: /promise/ });
    assert.deepStrictEqual(names(), []);
    assert.throws(() => db.transaction(5), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('transactionAsync', () => {
  let db, insert;
  const names = () => db.prepare('select name from t order by id').pluck().all();
  beforeEach(() => {
    db = memory();
    insert = db.prepare('insert into t values (null, ?)');
  });

  it('commits when the function resolves, and gives what it gave', async () => {
    const result = {};
    assert.strictEqual(await db.transactionAsync(async (tx) => {
      assert.strictEqual(tx.database, db);
      assert.strictEqual((await tx.run(insert, 'a')).changes, 1);
      await tx.run('insert into t values (null, @name)', { name: 'b' });
      await tx.exec('insert into t values (null, \'c\')');
      assert.strictEqual((await tx.get('select count(*) as count from t')).count, 3);
      assert.strictEqual((await tx.all((await tx.prepare('select * from t')).pluck())).length, 3);
      const seen = [];
      for await (const row of tx.iterate('select name from t')) seen.push(row.name);
      assert.deepStrictEqual(seen, ['a', 'b', 'c']);
      assert.strictEqual(db.inTransaction, true);
      return result;
    }, { mode: 'immediate' }), result);
    assert.deepStrictEqual([db.inTransaction, names()], [false, ['a', 'b', 'c']]);
  });

  it('rolls back when it rejects, and when it is aborted', async () => {
    const thrown = new Error('mine');
    await assert.rejects(db.transactionAsync(async (tx) => {
      await tx.run(insert, 'a');
      throw thrown;
    }), (error) => error === thrown);
    const controller = new AbortController();
    let later;
    await assert.rejects(db.transactionAsync(async (tx) => {
      await tx.run(insert, 'b');
      controller.abort();
      later = new Promise((resolve) => setTimeout(resolve, 30)).then(() => tx.run(insert, 'c'));
      await later;
    }, { signal: controller.signal }), { name: 'AbortError' });
    await assert.rejects(later, { code: 'ERR_SQLITE_TRANSACTION_ENDED' });
    assert.deepStrictEqual([db.inTransaction, names()], [false, []]);
  });

  it('has the connection: others wait, in order, and synchronous calls are refused', async () => {
    const order = [];
    const first = db.transactionAsync(async (tx) => {
      await tx.run(insert, 'first');
      assert.throws(() => insert.run('sync'), { code: 'ERR_SQLITE_BUSY' });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await tx.run(insert, 'again');
      order.push('first');
    });
    const second = insert.runAsync('second').then(() => order.push('second'));
    const third = db.transactionAsync(async (tx) => {
      await tx.run(insert, 'third');
      order.push('third');
    });
    const fourth = insert.runAsync('fourth').then(() => order.push('fourth'));
    await Promise.all([first, second, third, fourth]);
    assert.deepStrictEqual(order, ['first', 'second', 'third', 'fourth']);
    assert.deepStrictEqual(names(), ['first', 'again', 'second', 'third', 'fourth']);
  });

  it('waits for what its function has left under way, and refuses what comes later', async () => {
    let left, kept;
    await db.transactionAsync((tx) => {
      kept = tx;
      left = Promise.all([tx.run(insert, 'a'), tx.run(insert, 'b')]);
      return left;
    });
    await left;
    assert.deepStrictEqual(names(), ['a', 'b']);
    await assert.rejects(kept.run(insert, 'c'), { name: 'TypeError', code: 'ERR_SQLITE_TRANSACTION_ENDED' });
    await assert.rejects(kept.all('select 1'), { code: 'ERR_SQLITE_TRANSACTION_ENDED' });
  });

  it('ends loops that its function has left open', async () => {
    let rows;
    await db.transactionAsync(async (tx) => {
      await tx.run(insert, 'a');
      rows = tx.iterate(ENDLESS.replace('count(*)', 'x'));
      await rows.next();
    });
    assert.deepStrictEqual([db.busy, names()], [false, ['a']]);
  });

  it('refuses statements of others, and other modes', async () => {
    const other = memory();
    await assert.rejects(db.transactionAsync((tx) => tx.run(other.prepare('select 1'))), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(db.transactionAsync((tx) => tx.run(5)), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(db.transactionAsync(() => {}, { mode: 'sideways' }), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('gives the error of a COMMIT that fails, and rolls back', async () => {
    db.exec('create table u (t references t deferrable initially deferred)');
    await assert.rejects(db.transactionAsync((tx) => tx.exec('insert into u values (9)')),
      { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' });
    assert.strictEqual(db.inTransaction, false);
    assert.deepStrictEqual(db.prepare('select * from u').all(), []);
  });

  describe('that SQLite has rolled back', () => {
    const LOST = { name: 'TypeError', code: 'ERR_SQLITE_TRANSACTION_LOST' };
    beforeEach(() => { db.exec('create table u (a unique); insert into u values (1)'); });

    it('takes nothing more, and rejects with the first error', async () => {
      let first;
      const statement = await db.prepareAsync('insert or rollback into u values (1)');
      await assert.rejects(db.transactionAsync(async (tx) => {
        await tx.run(insert, 'a');
        await tx.run(statement).catch((error) => { first = error; });
        assert.strictEqual(db.inTransaction, false);
        for (const use of [() => tx.run(insert, 'b'), () => tx.get('select 1'), () => tx.all('select 1'),
          () => tx.exec('insert into t values (null, \'c\')'), () => tx.prepare('select 1'), () => tx.iterate('select 1').next()]) {
          await assert.rejects(use(), LOST);
        }
      }), (error) => error === first && error.code === 'SQLITE_CONSTRAINT_UNIQUE');
      assert.deepStrictEqual([db.inTransaction, db.busy, names()], [false, false, []]);
      await insert.runAsync('after');
      await db.transactionAsync((tx) => tx.run(insert, 'again'));
      assert.deepStrictEqual(names(), ['after', 'again']);
    });

    it('takes nothing that was asked for before, either', async () => {
      await assert.rejects(db.transactionAsync(async (tx) => {
        const settled = await Promise.allSettled([tx.exec('insert or rollback into u values (1)'), tx.run(insert, 'b')]);
        assert.strictEqual(settled[1].reason.code, LOST.code);
      }), { code: 'SQLITE_CONSTRAINT_UNIQUE' });
      assert.deepStrictEqual(names(), []);
    });

    it('rejects with what its function throws', async () => {
      const thrown = new Error('mine');
      await assert.rejects(db.transactionAsync(async (tx) => {
        await tx.exec('insert or rollback into u values (1)').catch(() => {});
        throw thrown;
      }), (error) => error === thrown);
      await assert.rejects(db.transactionAsync(async (tx) => {
        await tx.exec('insert or rollback into u values (1)').catch(() => {});
        await tx.run(insert, 'b');
      }), { code: 'SQLITE_CONSTRAINT_UNIQUE' });
      assert.deepStrictEqual(names(), []);
    });

    it('by the interrupt of a write', async () => {
      const endless = 'insert into t select null, x from (with recursive c(x) as ' +
        '(select 1 union all select x + 1 from c) select tick(x) as x from c)';
      const controller = new AbortController();
      db.function('tick', (x) => {
        if (x === 10) controller.abort();
        return x;
      });
      await assert.rejects(db.transactionAsync(async (tx) => {
        await tx.run(insert, 'a');
        await assert.rejects(tx.run(endless, controller.signal), { name: 'AbortError' });
        await assert.rejects(tx.run(insert, 'b'), LOST);
      }), { name: 'AbortError' });
      assert.deepStrictEqual(names(), []);
    });

    it('by a write whose rows are read', async () => {
      await assert.rejects(db.transactionAsync(async (tx) => {
        await tx.run(insert, 'a');
        const rows = tx.iterate('insert or rollback into u values (1) returning a');
        await assert.rejects(rows.next(), { code: 'SQLITE_CONSTRAINT_UNIQUE' });
        await assert.rejects(tx.run(insert, 'b'), LOST);
      }), { code: 'SQLITE_CONSTRAINT_UNIQUE' });
      assert.deepStrictEqual(names(), []);
    });

    it('or its function, by itself', async () => {
      await assert.rejects(db.transactionAsync(async (tx) => {
        await tx.run(insert, 'a');
        await tx.exec('rollback');
      }), LOST);
      assert.deepStrictEqual(names(), []);
    });
  });

  it('waits for another connection\'s lock, without the pool', async () => {
    const file = temporaryFile();
    const one = new Database(file), two = new Database(file);
    one.exec('create table t (a)');
    const order = [];
    await Promise.all([one, two].map((each, i) => each.transactionAsync(async (tx) => {
      await tx.exec('insert into t values (1)');
      await new Promise((resolve) => setTimeout(resolve, 10));
      order.push(i);
    }, { mode: 'immediate' })));
    assert.deepStrictEqual(order.sort(), [0, 1]);
    one.close();
    two.close();
  });
});
