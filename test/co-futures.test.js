'use strict';

/*
 * Native Futures as yieldables: resumed from the batch that settles them, with no promise in
 * between.
 */

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');

const { co, turn, unhandledDuring } = require('./support/co');

const { sleep, future } = co.gen;
const stat = future(co.fs.stat);

describe('co: yielding native Futures', () => {
  it('resumes with the value', async () => {
    const result = await co(function* () {
      return [yield sleep(1, 'a'), yield sleep(0, 'b'),
        yield [sleep(2, 'c'), { d: sleep(1, 'd') }, 'e']];
    });
    assert.deepEqual(result, ['a', 'b', ['c', { d: 'd' }, 'e']]);
  });

  it('throws an error at the yield, alone and as a member', async () => {
    const caught = await co(function* () {
      const codes = [];
      for (const value of [stat('/nowhere'), [sleep(1000), stat('/nowhere')],
        { a: stat('/nowhere') }]) {
        try {
          yield value;
        } catch (error) {
          codes.push(error.code);
        }
      }
      return codes;
    });
    assert.deepEqual(caught, ['ENOENT', 'ENOENT', 'ENOENT']);
  });

  it('goes on in place with one that is done, as often as it is yielded', async () => {
    const done = sleep(1, 'done');
    const failed = stat('/nowhere');
    await Promise.allSettled([done, failed]);
    let ended = false;
    co(function* () {
      for (let i = 0; i < 50_000; i++) assert.equal(yield done, 'done');
      assert.deepEqual(yield [done, { done }], ['done', { done: 'done' }]);
      for (const value of [failed, [failed]]) {
        try {
          yield value;
          assert.fail('went on');
        } catch (error) {
          assert.equal(error.code, 'ENOENT');
        }
      }
      ended = true;
    });
    assert.equal(ended, true);
  });

  it('counts an error that a generator has seen as handled', async () => {
    const unhandled = await unhandledDuring(() =>
      co(function* () {
        for (const make of [() => stat('/nowhere'), () => [stat('/nowhere'), stat('/nowhere')]]) {
          try {
            yield make();
          } catch (error) {
            assert.equal(error.code, 'ENOENT');
          }
          yield turn();
        }
      }),
    );
    assert.deepEqual(
      unhandled.map(({ error }) => error.message),
      [],
    );
  });

  it('resumes every generator that waits for the same one, in the order of their waits',
    async () => {
    const shared = sleep(1, 'shared');
    const log = [];
    await co(function* () {
      yield Array.from({ length: 5 }, (_, i) =>
        co(function* () {
          log.push(i + (yield shared));
        }),
      );
    });
    assert.deepEqual(log, ['0shared', '1shared', '2shared', '3shared', '4shared']);
  });

  it('keeps each generator in its own async context through one batch', async () => {
    const storage = new AsyncLocalStorage();
    const run = (name) =>
      storage.run(name, () =>
        co(function* () {
          yield sleep(1);
          const seen = [storage.getStore()];
          yield [sleep(1), sleep(2)];
          seen.push(storage.getStore());
          return seen;
        }),
      );
    const names = Array.from({ length: 100 }, (_, i) => `run ${i}`);
    const seen = await Promise.all(names.map(run));
    seen.forEach((stores, i) => assert.deepEqual(stores, [names[i], names[i]]));
  });

  it('keeps what a generator enters between its waits, and nobody else sees it', async () => {
    const storage = new AsyncLocalStorage();
    const run = (name) =>
      storage.run(name, () =>
        co(function* () {
          const seen = [];
          for (let i = 0; i < 3; i++) {
            yield sleep(1);
            seen.push(storage.getStore());
            storage.enterWith(`${name}${i}`);
            storage.run('inside', () => seen.push(storage.getStore()));
            yield sleep(1);
            seen.push(storage.getStore());
            yield turn();
            seen.push(storage.getStore());
          }
          return seen;
        }),
      );
    const expected = (name) =>
      [0, 1, 2].flatMap((i) => [i === 0 ? name : `${name}${i - 1}`, 'inside', `${name}${i}`,
        `${name}${i}`]);
    assert.deepEqual(await Promise.all([run('a'), run('b')]), [expected('a'), expected('b')]);
    assert.equal(storage.getStore(), undefined);
  });

  it('starts runs in the context of who starts them, while another is being resumed', async () => {
    const storage = new AsyncLocalStorage();
    const inner = () =>
      co(function* () {
        yield sleep(1);
        return storage.getStore();
      });
    const seen = await storage.run('outer', () =>
      co(function* () {
        yield sleep(1);
        const started = storage.run('inner', inner);
        yield sleep(1);
        return [yield started, storage.getStore()];
      }),
    );
    assert.deepEqual(seen, ['inner', 'outer']);
  });

  it('makes Futures of exported functions with all their arguments', async () => {
    assert.equal(await co(() => sleep(0)), undefined);
    assert.equal(await sleep(0, 'value'), 'value');
    assert.equal(future(co.sleep).name, 'sleep');
    assert.throws(() => sleep('1').result(), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
