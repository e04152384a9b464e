'use strict';

const assert = require('node:assert');
const { memory } = require('./support/databases.js');

// Each way of running a statement: on the loop's thread, and in the pool, from which functions are
// called on the loop's thread.
for (const [way, get, all] of [
  ['at once', async (statement, ...values) => statement.get(...values),
    async (statement, ...values) => statement.all(...values)],
  ['from the pool', (statement, ...values) => statement.getAsync(...values),
    (statement, ...values) => statement.allAsync(...values)],
]) {
  describe(`a function in SQL, called ${way}`, () => {
    let db;
    beforeEach(() => { db = memory(5); });
    const value = (sql, ...values) => get(db.prepare(sql).pluck(), ...values);

    it('gets values and gives one', async () => {
      assert.strictEqual(db.function('add2', (a, b) => a + b), db);
      assert.strictEqual(await value('select add2(?, ?)', 12, 4), 16);
      assert.strictEqual(await value('select add2(?, ?)', 'foo', 'bar'), 'foobar');
      db.function('kind', (x) => `${typeof x} ${x === null ? 'null' : x.constructor.name}`);
      assert.deepStrictEqual(await all(db.prepare(
        'select kind(1), kind(1.5), kind(\'x\'), kind(x\'00\'), kind(null)').raw()),
      [['number Number', 'number Number', 'string String', 'object Buffer', 'object null']]);
      for (const result of [1.5, 'ö\0', '', null, 2n ** 62n]) {
        db.function('give', () => result);
        assert.strictEqual(await get(db.prepare('select give()').pluck().safeIntegers()), result);
      }
      for (const result of [Buffer.from('bytes'), Buffer.alloc(0)]) {
        db.function('give', () => result);
        assert.deepStrictEqual(await value('select give()'), result);
      }
      db.function('give', () => {});
      assert.strictEqual(await value('select give()'), null);
    });

    it('is known by how many arguments it takes', async () => {
      db.function('f', () => 'none');
      db.function('f', (_a) => 'one');
      db.function('f', { varargs: true }, (...values) => values.length);
      assert.deepStrictEqual(await all(db.prepare('select f(), f(1), f(1, 2)').raw()), [['none', 'one', 2]]);
      db.function('F', () => 'another');
      assert.strictEqual(await value('select f()'), 'another');
      db.function('g', (_a, _b) => 1);
      assert.throws(() => db.prepare('select g(1)'), { code: 'SQLITE_ERROR' });
    });

    it('gets bigints when it wants', async () => {
      db.function('kind', { safeIntegers: true }, (x) => typeof x);
      assert.strictEqual(await value('select kind(1)'), 'bigint');
      db.function('kind', { safeIntegers: false, deterministic: true }, (x) => typeof x);
      assert.strictEqual(await value('select kind(1)'), 'number');
      db.defaultSafeIntegers().function('kind', (x) => typeof x);
      assert.strictEqual(await value('select kind(1)'), 'bigint');
    });

    it('that throws ends the statement with what was thrown', async () => {
      for (const thrown of [new Error('mine'), { not: 'an error' }, 5, undefined]) {
        db.function('fail', () => { throw thrown; });
        await assert.rejects(value('select fail() from t'), (error) => error === thrown);
      }
      assert.strictEqual(await value('select 5'), 5);
    });

    it('that gives what is no value ends the statement', async () => {
      for (const result of [{}, () => {}, Symbol('s'), true, 2n ** 64n, Promise.resolve(1), Promise.reject(new Error())]) {
        db.function('give', () => result);
        await assert.rejects(value('select give()'), { name: 'TypeError', code: 'ERR_SQLITE_RESULT' });
      }
    });

    it('may not use the database synchronously', async () => {
      const select = db.prepare('select 1').pluck();
      for (const use of [() => select.get(), () => db.exec('select 1'), () => db.close(), () => db.prepare('select 1'),
        () => [...select.iterate()], () => db.function('g', () => 1)]) {
        db.function('reenter', () => {
          use();
          return 0;
        });
        await assert.rejects(value('select reenter()'), { code: 'ERR_SQLITE_BUSY' });
      }
      assert.strictEqual(select.get(), 1);
    });

    it('may start asynchronous statements, which come afterwards', async () => {
      const select = db.prepare('select 7').pluck();
      let later;
      db.function('starts', () => {
        later = select.getAsync();
        return 1;
      });
      assert.strictEqual(await value('select starts()'), 1);
      assert.strictEqual(await later, 7);
    });

    it('may use another database', async () => {
      const other = memory(3);
      db.function('other', (id) => other.prepare('select name from t where id = ?').pluck().get(id));
      assert.strictEqual(await value('select other(2)'), 'name 2');
    });

    it('is refused in views where it is for statements alone', async () => {
      db.function('direct', { directOnly: true }, () => 1);
      assert.strictEqual(await value('select direct()'), 1);
      db.exec('create view v as select direct() as x');
      assert.throws(() => db.prepare('select x from v'), { code: 'SQLITE_ERROR' });
    });
  });

  describe(`an aggregate, called ${way}`, () => {
    let db;
    beforeEach(() => { db = memory(5); });
    const value = (sql, ...values) => get(db.prepare(sql).pluck(), ...values);

    it('goes over the rows', async () => {
      assert.strictEqual(db.aggregate('addAll', { start: 0, step: (total, next) => total + next }), db);
      assert.strictEqual(await value('select addAll(id) from t'), 15);
      assert.strictEqual(await value('select addAll(id) from t where false'), 0);
      assert.deepStrictEqual(await all(db.prepare('select addAll(id) as sum from t group by id % 2 order by sum')),
        [{ sum: 6 }, { sum: 9 }]);
    });

    it('has a state of whatever kind', async () => {
      db.aggregate('list', {
        start: () => [],
        step: (array, next) => { array.push(next); },
        result: (array) => array.join('+'),
      });
      assert.strictEqual(await value('select list(id) from t'), '1+2+3+4+5');
      db.aggregate('last', { step: (state, next) => Buffer.from(next) });
      assert.deepStrictEqual(await value('select last(name) from t'), Buffer.from('name 5'));
      assert.strictEqual(await value('select last(name) from t where false'), null);
    });

    it('goes over windows', async () => {
      db.aggregate('sumOf', {
        start: 0,
        step: (total, next) => total + next,
        inverse: (total, dropped) => total - dropped,
        result: (total) => total * 10,
      });
      assert.deepStrictEqual(await all(db.prepare(
        'select sumOf(id) over (order by id rows between 1 preceding and current row) from t').pluck()),
      [10, 30, 50, 70, 90]);
      db.aggregate('plain', { start: 0, step: (total, next) => total + next });
      assert.throws(() => db.prepare('select plain(id) over (order by id) from t').all(), { code: 'SQLITE_ERROR' });
    });

    it('that throws anywhere ends the statement with what was thrown', async () => {
      const thrown = new Error('mine');
      const fail = () => { throw thrown; };
      for (const options of [{ start: fail, step: (a, b) => b }, { step: () => fail() },
        { step: (a, b) => b, result: fail }]) {
        db.aggregate('fails', options);
        await assert.rejects(value('select fails(id) from t'), (error) => error === thrown);
        assert.strictEqual(await value('select 5'), 5);
      }
      db.aggregate('odd', { step: (a, b) => b, result: () => ({}) });
      await assert.rejects(value('select odd(id) from t'), { code: 'ERR_SQLITE_RESULT' });
    });

    it('that is left in the middle lets go of its state', async () => {
      db.aggregate('count2', { start: () => ({ n: 0 }), step: (state, _x) => { state.n++; }, result: (state) => state.n });
      db.function('fail', (x) => { if (x === 3) throw new Error('three'); return x; });
      await assert.rejects(value('select count2(fail(id)) from t'), { message: 'three' });
      assert.strictEqual(await value('select count2(id) from t'), 5);
    });
  });
}

describe('functions in SQL', () => {
  it('have names, and functions', () => {
    const db = memory();
    for (const use of [() => db.function('', () => 1), () => db.function(5, () => 1), () => db.function('f'),
      () => db.function('f', {}, 5), () => db.function('f', { varargs: 1 }, () => 1), () => db.aggregate('a'),
      () => db.aggregate('a', { step: 5 }), () => db.aggregate('a', { step() {}, result: 5 }),
      () => db.aggregate('', { step() {} })]) {
      assert.throws(use, { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    const many = Object.defineProperty(() => 1, 'length', { value: 101 });
    assert.throws(() => db.function('f', many), { code: 'ERR_OUT_OF_RANGE' });
  });

  it('called in the pool end with their statement when that is aborted', async () => {
    const db = memory(1);
    const controller = new AbortController();
    db.function('tick', (x) => { if (x === 100) controller.abort(); return x; });
    const running = db.prepare('with recursive c(x) as (select 1 union all select tick(x) + 1 from c) select count(*) from c')
      .getAsync(controller.signal);
    await assert.rejects(running, { name: 'AbortError' });
    assert.strictEqual(db.prepare('select tick(1)').pluck().get(), 1);
  });

  it('are called in the context of their definition', async () => {
    const { AsyncLocalStorage } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    const db = memory();
    storage.run('definition', () => db.function('store', () => storage.getStore()));
    assert.strictEqual(await db.prepare('select store()').pluck().getAsync(), 'definition');
  });
});
