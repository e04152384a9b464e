'use strict';

// Futures that JavaScript makes and settles, as Tornado's.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { inspect } = require('node:util');
const { co, gen, lostDuring, unhandledDuring, uncaughtDuring, turn } = require('./support/gen');

const { Future } = co;
const failed = (error) => {
  const future = new Future();
  future.setException(error);
  return future;
};

/** A process of its own. */
const program = (body) => spawnSync(process.execPath, ['-e', `
  const { Future } = require(${JSON.stringify(path.join(__dirname, '..', 'lib'))});
  const failed = (error) => {
    const future = new Future();
    future.setException(error);
    return future;
  };
  ${body}`], { encoding: 'utf8' });

describe('Future', () => {
  it('is settled once: the first result stays', () => {
    const future = new Future();
    assert.equal(future.done(), false);
    assert.throws(() => future.result(), { code: 'FIBRIL_EPENDING' });
    future.setResult(1);
    assert.equal(future.done(), true);
    assert.throws(() => future.setResult(2), { code: 'FIBRIL_EALREADY',
      message: 'future is settled already' });
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

  it('calls done callbacks inside setResult, in order of registration, and late ones at once',
    () => {
    const future = new Future();
    const log = [];
    for (const name of ['a', 'b', 'c']) {
      future.addDoneCallback((done) => log.push(name, done === future));
    }
    log.push('before');
    future.setResult();
    log.push('after');
    future.addDoneCallback(() => log.push('late'));
    assert.deepEqual(log, ['before', 'a', true, 'b', true, 'c', true, 'after', 'late']);
  });

  it('runs at once what a callback sets off, and one that is added meanwhile', () => {
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
    assert.deepEqual(log, ['added', 'second', 'set', 'rest']);
  });

  it('runs callbacks that settle each other more deeply than a stack allows, too', () => {
    const futures = Array.from({ length: 100_000 }, () => new Future());
    const order = [];
    futures.slice(0, -1).forEach((future, i) => future.addDoneCallback(() => {
      order.push(i);
      futures[i + 1].setResult();
    }));
    futures[0].setResult();
    assert.equal(futures.at(-1).done(), true);
    assert.ok(order.every((each, i) => each === i));
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
    for (const name of ['a', 'b']) {
      storage.run(name, () => future.addDoneCallback(() => seen.push(storage.getStore())));
    }
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
    it('that nobody has asked for is one unhandled rejection when it is collected', async () => {
      const lost = await lostDuring(() => {
        failed(new Error('lost'));
        const late = new Future();
        late.addDoneCallback(() => {});
        late.setException(new Error('not looked at'));
      });
      assert.deepEqual(lost.sort(), ['lost', 'not looked at']);
    });

    it('may be asked for later, as long as it is kept', async () => {
      const kept = [];
      const lost = await lostDuring(() => {
        for (const message of ['read', 'yielded', 'awaited']) kept.push(failed(new Error(message)));
      });
      assert.deepEqual(lost, []);
      assert.equal(kept[0].exception().message, 'read');
      await assert.rejects(co(function* () {
        yield kept[1];
      }), { message: 'yielded' });
      await assert.rejects(kept[2], { message: 'awaited' });
      kept.length = 0;
      assert.deepEqual(await lostDuring(() => {}), []);
    });

    it('that nobody has asked for when the loop has run dry is an unhandled rejection then', () => {
      const { status, stderr } = program('globalThis.kept = failed(new Error("lost"));');
      assert.match(stderr, /Error: lost/);
      assert.equal(status, 1);
      const handled = program(
        'globalThis.kept = failed(new Error("lost")); process.on("unhandledRejection", ({ message }) => console.log(message));');
      assert.deepEqual([handled.status, handled.stdout, handled.stderr], [0, 'lost\n', '']);
    });

    it('that nobody has asked for is named on stderr when the process exits by itself', () => {
      const { status, stderr } =
        program(
          'globalThis.kept = failed(new Error("lost")); failed(new Error("read")).exception(); process.exit(3);');
      assert.match(stderr, /^fibril: nobody has asked for the error of a Future: Error: lost\n/);
      assert.doesNotMatch(stderr, /Error: read/);
      assert.equal(status, 3);
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

  describe('as text', () => {
    it('says what is known of it', () => {
      const future = new Future();
      assert.equal(String(future), "Future { state: 'pending' }");
      future.setResult([1]);
      assert.equal(inspect({ future }), "{ future: Future { state: 'fulfilled', value: [ 1 ] } }");
      const failure = failed(new TypeError('x'));
      failure.exception();
      assert.match(`${failure}`, /^Future \{\n {2}state: 'rejected',\n {2}error: TypeError: x\n/);
      assert.equal(inspect([[[future]]]), '[ [ [ [Future] ] ] ]');
    });

    it('ends where it is its own result', () => {
      const future = new Future();
      future.setResult({ future });
      assert.equal(inspect(future, { depth: null }),
        "Future { state: 'fulfilled', value: { future: Future [Circular] } }");
    });

    it('is no reading of the error', async () => {
      assert.deepEqual(await lostDuring(() => {
        inspect(failed(new Error('lost')));
      }), ['lost']);
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
