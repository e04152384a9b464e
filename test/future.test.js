'use strict';

// Futures that JavaScript makes and settles, as Tornado's.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { co, gen, unhandledDuring, uncaughtDuring, turn } = require('./support/gen');

const { Future } = co;
const failed = (error) => {
  const future = new Future();
  future.setException(error);
  return future;
};

describe('Future', () => {
  it('is settled once: the first result stays', () => {
    const future = new Future();
    assert.equal(future.done(), false);
    assert.throws(() => future.result(), { code: 'FIBRIL_EPENDING' });
    future.setResult(1);
    assert.equal(future.done(), true);
    assert.throws(() => future.setResult(2), { code: 'FIBRIL_EALREADY', message: 'future is settled already' });
    assert.throws(() => future.setException(new Error()), { code: 'FIBRIL_EALREADY' });
    assert.equal(future.result(), 1);
    assert.equal(future.exception(), undefined);
  });

  it('gives the very error it got, whatever was thrown', async () => {
    for (const error of [new Error('x'), 'text', undefined, null]) {
      const future = failed(error);
      assert.equal(future.exception(), error);
      try {
        future.result();
        assert.fail('returned');
      } catch (thrown) {
        assert.equal(thrown, error);
      }
      assert.equal(await future.then(assert.fail, (reason) => [reason][0]), error);
    }
  });

  it('calls done callbacks inside setResult, in order of registration, and late ones at once', () => {
    const future = new Future();
    const log = [];
    for (const name of ['a', 'b', 'c']) future.addDoneCallback((done) => log.push(name, done === future));
    log.push('before');
    future.setResult();
    log.push('after');
    future.addDoneCallback(() => log.push('late'));
    assert.deepEqual(log, ['before', 'a', true, 'b', true, 'c', true, 'after', 'late']);
  });

  it('runs what a callback settles before the callbacks that are left, and one registered meanwhile last', () => {
    const [first, second] = [new Future(), new Future()];
    const log = [];
    first.addDoneCallback(() => {
      first.addDoneCallback(() => log.push('added'));
      second.setResult();
      log.push('set');
    });
    first.addDoneCallback(() => log.push('rest'));
    second.addDoneCallback(() => log.push('second'));
    first.setResult();
    assert.deepEqual(log, ['set', 'second', 'rest', 'added']);
  });

  it('does not recurse in a chain of 100,000', () => {
    const futures = Array.from({ length: 100_000 }, () => new Future());
    for (let i = 1; i < futures.length; i++) gen.chainFuture(futures[i - 1], futures[i]);
    futures[0].setResult('end');
    assert.equal(futures.at(-1).result(), 'end');
  });

  it('goes on after a callback that throws, which becomes an uncaught exception', async () => {
    const log = [];
    const errors = await uncaughtDuring(2, () => {
      const future = new Future();
      future.addDoneCallback(() => {
        throw new Error('one');
      });
      future.addDoneCallback(() => log.push('two'));
      future.addDoneCallback(() => {
        throw new Error('three');
      });
      future.setResult();
      log.push('set');
    });
    assert.deepEqual(log, ['two', 'set']);
    assert.deepEqual(errors.map(({ message }) => message), ['one', 'three']);
  });

  it('can be awaited, by several, before and after it is done', async () => {
    const future = new Future();
    const both = Promise.all([future, future.then((value) => value + 1)]);
    future.setResult(1);
    assert.deepEqual(await both, [1, 2]);
    assert.equal(await future, 1);
  });

  it('resumes no generator inside setResult', async () => {
    const future = new Future();
    const log = [];
    const runs = [1, 2].map((n) => co(function* () {
      log.push(n + (yield future));
    }));
    future.setResult(10);
    log.push('set');
    await Promise.all(runs);
    assert.deepEqual(log, ['set', 11, 12]);
  });

  it('calls back in the async context of the registration', () => {
    const storage = new AsyncLocalStorage();
    const future = new Future();
    const seen = [];
    for (const name of ['a', 'b']) storage.run(name, () => future.addDoneCallback(() => seen.push(storage.getStore())));
    storage.run('other', () => future.setResult());
    assert.deepEqual(seen, ['a', 'b']);
  });

  describe('cancel', () => {
    it('settles one that no native call stands behind; later settling is ignored', async () => {
      const future = new Future();
      assert.equal(future.cancelled(), false);
      assert.equal(future.cancel(), true);
      assert.equal(future.cancelled(), true);
      assert.equal(future.exception().code, 'ECANCELED');
      assert.equal(future.exception().message, 'operation canceled');
      future.setResult(1);
      future.setException(new Error());
      await assert.rejects(future, { code: 'ECANCELED' });
      assert.equal(future.cancel(), false);
      const done = new Future();
      done.setResult(1);
      assert.equal(done.cancel(), false);
      assert.equal(done.cancelled(), false);
    });

    it('leaves a promise that is followed to itself', async () => {
      let settle;
      const future = gen.future(() => new Promise((resolve) => {
        settle = resolve;
      }))();
      future.cancel();
      settle('late');
      await turn();
      assert.equal(future.exception().code, 'ECANCELED');
    });
  });

  it('of a native call belongs to that call', async () => {
    const future = gen.sleep(1, 'slept');
    assert.throws(() => future.setResult('mine'), { code: 'FIBRIL_EALREADY' });
    assert.equal(await future, 'slept');
  });

  describe('with an error', () => {
    it('that nobody has asked for by the end of the turn is one unhandled rejection', async () => {
      const unhandled = await unhandledDuring(() => {
        failed(new Error('lost'));
        const late = new Future();
        late.addDoneCallback(() => {});
        late.setException(new Error('not looked at'));
      });
      assert.deepEqual(unhandled.map(({ error }) => error.message), ['lost', 'not looked at']);
    });

    it('that was read in whichever way is none', async () => {
      const unhandled = await unhandledDuring(async () => {
        failed(new Error('exception')).exception();
        failed(new Error('callback')).addDoneCallback((future) => future.exception());
        failed(new Error('catch')).catch(() => {});
        assert.throws(() => failed(new Error('result')).result(), { message: 'result' });
        gen.chainFuture(failed(new Error('chain')), new Future()).exception();
        gen.multi([failed(new Error('multi'))]).exception();
        new Future().cancel();
      });
      assert.deepEqual(unhandled.map(({ error }) => error.message), []);
    });
  });

  describe('chainFuture', () => {
    it('copies the outcome at once, of a promise too, unless the target is done', async () => {
      const [from, to, settled] = [new Future(), new Future(), new Future()];
      gen.chainFuture(from, to);
      gen.chainFuture(from, settled);
      settled.setResult('own');
      from.setResult('theirs');
      assert.equal(to.result(), 'theirs');
      assert.equal(settled.result(), 'own');
      const error = new Error('x');
      assert.equal(gen.chainFuture(failed(error), new Future()).exception(), error);
      assert.equal(await gen.chainFuture(Promise.resolve(3), new Future()), 3);
      const [first, second] = [new Future(), new Future()];
      gen.chainFuture(gen.sleep(1, 'native'), first);
      gen.chainFuture(first, second);
      assert.equal(await second, 'native');
    });
  });
});
