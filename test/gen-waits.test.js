'use strict';

// What gen waits for: lists, converted values, tasks, time limits, WaitIterator. The behaviours
// that Tornado's own tests assert.

const assert = require('node:assert/strict');
const vm = require('node:vm');
const { co, gen, turn, collectUntil, unhandledDuring, lostDuring, warningsDuring, iterations,
  coroutineTest, after, failed } = require('./support/gen');

const { Future, IOLoop } = co;
const loop = IOLoop.current();

describe('gen.multi', () => {
  it('takes every iterable, and objects of every realm', coroutineTest(function* () {
    const members = function* () {
      yield after(1, 'first');
      yield gen.sleep(1, 'second');
    };
    assert.deepEqual(yield gen.multi(new Set(members())), ['first', 'second']);
    assert.deepEqual(yield gen.multi(members()), ['first', 'second']);
    assert.deepEqual(yield gen.multi(new Map([['a', after(1, 1)]]).values()), [1]);
    assert.deepEqual(yield gen.multi(vm.runInNewContext('(future) => ({ future })')(after(1, 2))),
      { future: 2 });
    assert.deepEqual(yield gen.multi(Object.assign(Object.create(null), { a: after(1, 3) })),
      { a: 3 });
  }));

  it('refuses in the call what is none, and names it', () => {
    class Thing {}
    for (const bad of [42, null, undefined, true, () => {}, Promise.resolve(1), new Future(),
      new Thing(), new Date(), { then() {} }]) {
      assert.throws(() => gen.multi(bad), {
        name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE',
        message: /^The "children" argument must be an instance of Iterable or Object\. Received /,
      });
    }
    assert.throws(() => gen.multi('ab'), { name: 'BadYieldError' });
  });

  it('gives results in the order of the list or by key, whatever the order of finishing',
    coroutineTest(function* () {
    assert.deepEqual(yield [after(3, 'a'), after(1, 'b'), gen.sleep(1, 'c'), Promise.resolve('d')],
      ['a', 'b', 'c', 'd']);
    const named = yield { x: after(2, 1), y: after(0, 2), z: { deep: [after(1, 3)] } };
    assert.deepEqual(named, { x: 1, y: 2, z: { deep: [3] } });
    assert.deepEqual(Object.keys(named), ['x', 'y', 'z']);
  }));

  it('of nothing is done at once, of the same kind', () => {
    assert.deepEqual(gen.multi([]).result(), []);
    assert.deepEqual(gen.multi({}).result(), {});
  });

  it('takes the same Future several times', coroutineTest(function* () {
    const [f1, f, f3] = [after(1, 1), after(2, 2), after(3, 3)];
    assert.deepEqual(yield [f1, f, f3, f], [1, 2, 3, 2]);
  }));

  it('takes many', coroutineTest(function* () {
    const list = Array.from({ length: 2000 }, (_, i) => after(i % 3, i));
    assert.deepEqual(yield list, list.map((_, i) => i));
  }));

  it('waits for all, throws the first error of the list and warns of the others', async () => {
    const log = [];
    const warnings = await warningsDuring(coroutineTest(function* () {
      const list = [after(4, new Error('first')), after(1, new Error('second')), after(2, 'fine'),
        after(1, new Error('third'))];
      list[0].addDoneCallback(() => log.push('first is done'));
      try {
        yield list;
        assert.fail('went on');
      } catch (error) {
        log.push(error.message);
      }
    }));
    assert.deepEqual(log, ['first is done', 'first']);
    assert.deepEqual(warnings, ['second', 'third'].map((message) =>
      ['FIBRIL_MULTIPLE_EXCEPTIONS', 'Multiple exceptions in yield list', `Error: ${message}`]));
  });

  it('warns of nothing when there is one error, or the others are of quiet classes', async () => {
    const warnings = await warningsDuring(async () => {
      await assert.rejects(gen.multi([after(1, 1), after(1, new Error('one'))]),
        { message: 'one' });
      const list = () => [after(1, new Error('one')), after(1, new RangeError('two')),
        after(2, new TypeError('three'))];
      await assert.rejects(gen.multi(list(), { quietExceptions: Error }), { message: 'one' });
      await assert.rejects(gen.multi(list(), { quietExceptions: [RangeError, TypeError] }),
        { message: 'one' });
    });
    assert.deepEqual(warnings, []);
  });

  it('throws BadYieldError for a member that cannot be waited for', () => {
    assert.throws(() => gen.multi([after(0), 5]), gen.BadYieldError);
    assert.throws(() => gen.multi({ a: 'text' }), gen.BadYieldError);
  });

  it('refuses a list or an object that is a member of itself', () => {
    const list = [after(0)];
    list.push({ list });
    assert.throws(() => gen.multi(list), gen.BadYieldError);
    const shared = [gen.moment];
    assert.deepEqual(gen.multi([shared, shared]).result(), [[undefined], [undefined]]);
  });

  it('differs from co, where the first error in time wins', async () => {
    const list = () => [after(5, new Error('first in the list')),
      after(1, new Error('first in time'))];
    const yieldIt = function* () {
      yield list();
    };
    const warnings = await warningsDuring(async () => {
      await assert.rejects(gen.coroutine(yieldIt)(), { message: 'first in the list' });
      await assert.rejects(co(yieldIt), { message: 'first in time' });
      await iterations(8);
    });
    assert.equal(warnings.length, 1);
  });
});

describe('gen.convertYielded', () => {
  it('makes Futures', async () => {
    const future = new Future();
    assert.equal(gen.convertYielded(future), future);
    assert.equal(gen.convertYielded(null), gen.moment);
    for (const value of [Promise.resolve(1), { then: (resolve) => resolve(1) },
      (function* () { return 1; })()]) {
      const converted = gen.convertYielded(value);
      assert.ok(converted instanceof Future);
      assert.equal(await converted, 1);
    }
    assert.deepEqual(await gen.convertYielded([Promise.resolve(1)]), [1]);
    assert.throws(() => gen.convertYielded(1), gen.BadYieldError);
  });

  it('can be taught a class, the nearest one on the prototype chain deciding',
    coroutineTest(function* () {
    class Delay {
      constructor(ms) {
        this.ms = ms;
      }
    }
    class Named extends Delay {}
    gen.convertYielded.register(Delay, ({ ms }) => gen.sleep(ms, 'delay'));
    assert.deepEqual(yield [new Delay(1), new Named(1)], ['delay', 'delay']);
    gen.convertYielded.register(Named, () => Promise.resolve('named'));
    assert.deepEqual(yield { a: new Delay(1), b: new Named(1) }, { a: 'delay', b: 'named' });
    assert.equal(yield new Named(1), 'named');
    assert.equal(yield co(function* () {
      return yield new Named(1);
    }), 'named', 'in co too');
    class Circular {}
    gen.convertYielded.register(Circular, () => new Circular());
    assert.throws(() => gen.convertYielded(new Circular()), gen.BadYieldError);
    for (const Class of [Delay, Named, Circular]) gen.convertYielded.register(Class, null);
    assert.throws(() => gen.convertYielded(new Delay(1)), gen.BadYieldError);
    assert.throws(() => gen.convertYielded.register(5, () => {}), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => gen.convertYielded.register(Delay), { code: 'ERR_INVALID_ARG_TYPE' });
  }));
});

describe('gen.Task', () => {
  it('gives what the callback gets: nothing, one value, several', coroutineTest(function* () {
    const call = (...values) => gen.Task((callback) => setImmediate(callback, null, ...values));
    assert.equal(yield call(), undefined);
    assert.equal(yield call(1), 1);
    assert.deepEqual(yield call(1, 2), [1, 2]);
    assert.equal(yield gen.Task((a, b, callback) => callback(null, a + b), 1, 2), 3);
  }));

  it('fails with the error of the callback, and with what the function throws',
    coroutineTest(function* () {
    const caught = [];
    for (const task of [
      () => gen.Task((callback) => setImmediate(callback, new Error('called back'))),
      () => gen.Task(() => {
        throw new Error('thrown');
      }),
    ]) {
      try {
        yield task();
      } catch (error) {
        caught.push(error.message);
      }
    }
    assert.deepEqual(caught, ['called back', 'thrown']);
    assert.throws(() => gen.Task(5), { code: 'ERR_INVALID_ARG_TYPE' });
  }));

  it('ignores the second call', coroutineTest(function* () {
    const result = yield gen.Task((callback) => {
      callback(null, 'first');
      callback(new Error('second'));
    });
    assert.equal(result, 'first');
  }));

  it('lets go of the function and its arguments', async () => {
    let collected = 0;
    const registry = new FinalizationRegistry(() => {
      collected++;
    });
    const future = (() => {
      const fn = (argument, callback) => setImmediate(callback, null, 1);
      const argument = {};
      registry.register(fn);
      registry.register(argument);
      return gen.Task(fn, argument);
    })();
    await future;
    assert.equal(await collectUntil(() => collected === 2), true);
    assert.equal(future.result(), 1);
  });
});

describe('gen.withTimeout', () => {
  it('fails with TimeoutError when it takes too long', async () => {
    const error = await gen.withTimeout(5, new Future()).catch((reason) => reason);
    assert.ok(error instanceof gen.TimeoutError);
    assert.deepEqual([error.name, error.code, error.message],
      ['TimeoutError', 'ETIMEDOUT', 'Timeout']);
    await assert.rejects(gen.withTimeout(0, new Future()), gen.TimeoutError);
  });

  it('gives the outcome that comes in time', async () => {
    assert.equal(await gen.withTimeout(10_000, gen.sleep(1, 'slept')), 'slept');
    assert.equal(await gen.withTimeout(10_000, (async () => 'async')()), 'async');
    await assert.rejects(gen.withTimeout(10_000, after(1, new Error('own'))), { message: 'own' });
    assert.deepEqual(await gen.withTimeout(10_000, [after(1, 'a'), { b: after(2, 'b') }]),
      ['a', { b: 'b' }]);
  });

  it('gives an outcome that is there already, even when the time is over', async () => {
    const done = new Future();
    done.setResult('done');
    assert.equal(gen.withTimeout(-1000, done).result(), 'done');
    assert.equal((gen.withTimeout(0, failed(new Error('x')))).exception().message, 'x');
  });

  it('does not keep the process for a timer that nobody needs', async () => {
    const { runScript } = require('./support/natives');
    const { code, stdout } = await runScript(`
      const { gen } = require(${JSON.stringify(require.resolve('../lib'))});
      gen.withTimeout(1e9, gen.sleep(1, 'slept')).then(console.log);`);
    assert.deepEqual([code, stdout], [0, 'slept\n']);
  });

  it('leaves the Future alone: it goes on, and may be used again', async () => {
    const future = new Future();
    await assert.rejects(gen.withTimeout(1, future), gen.TimeoutError);
    const again = gen.withTimeout(10_000, future);
    future.setResult('late');
    assert.equal(await again, 'late');
  });

  it('warns of an error that comes after the timeout, but for quiet classes', async () => {
    const warnings = await warningsDuring(async () => {
      for (const quietExceptions of [undefined, RangeError, [TypeError, RangeError]]) {
        const future = new Future();
        await assert.rejects(gen.withTimeout(1, future, { quietExceptions }), gen.TimeoutError);
        future.setException(new RangeError('late'));
      }
    });
    assert.deepEqual(warnings,
      [['FIBRIL_AFTER_TIMEOUT', 'Exception in Future after timeout', 'RangeError: late']]);
  });

  it('takes the Future of a native call: in time, too late, and done', async () => {
    const late = gen.sleep(100_000);
    await assert.rejects(gen.withTimeout(0, late), gen.TimeoutError);
    assert.equal(late.done(), false);
    late.cancel();
    assert.equal(await gen.withTimeout(10_000, gen.sleep(1, 'in time')), 'in time');
    const done = gen.sleep(0, 'done');
    await done;
    assert.equal(gen.withTimeout(0, done).result(), 'done');
  });

  it('warns of nothing when what it has given up on is cancelled', async () => {
    const warnings = await warningsDuring(async () => {
      for (const future of [new Future(), gen.sleep(100_000)]) {
        await assert.rejects(gen.withTimeout(1, future), gen.TimeoutError);
        const ended = new Promise((resolve) => future.addDoneCallback(() => resolve()));
        future.cancel();
        await ended;
      }
    });
    assert.deepEqual(warnings, []);
  });

  it('leaves alone the error of what it has refused to limit', async () => {
    assert.deepEqual(await lostDuring(() => {
      const future = new Future();
      assert.throws(() => gen.withTimeout('5', future), { code: 'ERR_INVALID_ARG_TYPE' });
      future.setException(new Error('not seen'));
    }), ['not seen']);
  });

  it('takes numbers only', () => {
    assert.throws(() => gen.withTimeout('5', new Future()), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => gen.withTimeout(NaN, new Future()), { code: 'ERR_OUT_OF_RANGE' });
  });
});

describe('gen.WaitIterator', () => {
  it('of nothing is done; names and a list cannot be mixed', () => {
    const iterator = new gen.WaitIterator();
    assert.equal(iterator.done(), true);
    assert.equal(iterator.currentIndex, undefined);
    assert.equal(iterator.currentFuture, undefined);
    assert.throws(() => iterator.next(), { message: 'WaitIterator is done' });
    assert.throws(() => new gen.WaitIterator(new Future(), { a: new Future() }), TypeError);
  });

  it('gives those that are done in the order of the input', coroutineTest(function* () {
    const done = [1, 2, 3].map((n) => after(0, n));
    const list = new gen.WaitIterator(...done);
    for (let i = 0; !list.done(); i++) {
      assert.equal(yield list.next(), i + 1);
      assert.equal(list.currentIndex, i);
      assert.equal(list.currentFuture, done[i]);
    }
    assert.equal(list.currentIndex, undefined);
    const named = new gen.WaitIterator({ f1: after(0, 'a'), f2: after(0, 'b') });
    const seen = [];
    while (!named.done()) seen.push([yield named.next(), named.currentIndex]);
    assert.deepEqual(seen, [['a', 'f1'], ['b', 'f2']]);
  }));

  it('gives the others in the order of finishing, and goes on after an error',
    coroutineTest(function* () {
    const futures = Array.from({ length: 4 }, () => new Future());
    const iterator = new gen.WaitIterator(...futures);
    const order = [[2, 'two'], [0, new Error('zero')], [1, 'one'], [3, 'three']];
    const seen = [];
    loop.addCallback(gen.coroutine(function* () {
      for (const [index, value] of order) {
        if (value instanceof Error) futures[index].setException(value);
        else futures[index].setResult(value);
        yield gen.moment;
        yield gen.moment;
      }
    }));
    while (!iterator.done()) {
      try {
        const value = yield iterator.next();
        seen.push([value, iterator.currentIndex]);
      } catch (error) {
        seen.push([error.message, iterator.currentIndex]);
      }
    }
    assert.deepEqual(seen, [['two', 2], ['zero', 0], ['one', 1], ['three', 3]]);
  }));

  it('is iterated with for await; an error ends that, and next() goes on', async () => {
    const iterator = new gen.WaitIterator(after(2, 'b'), after(1, 'a'), after(3, new Error('x')),
      after(4, 'c'));
    const seen = [];
    await assert.rejects((async () => {
      for await (const value of iterator) seen.push([value, iterator.currentIndex]);
    })(), { message: 'x' });
    assert.deepEqual(seen, [['a', 1], ['b', 0]]);
    assert.equal(await iterator.next(), 'c');
    assert.equal(iterator.done(), true);
  });

  it('takes one plain object that can be waited for as that', async () => {
    assert.equal(await new gen.WaitIterator({ then: (resolve) => resolve('thenable') }).next(),
      'thenable');
    const generator = { next: () => ({ done: true, value: 'generator' }), throw: assert.fail };
    assert.equal(await new gen.WaitIterator(generator).next(), 'generator');
    const iterator = new gen.WaitIterator(after(0, 1));
    await iterator.next();
    assert.deepEqual([iterator.currentIndex, iterator.done(), iterator.currentIndex,
      iterator.currentFuture], [0, true, undefined, undefined]);
  });

  it('gives a Future that is in it twice twice', coroutineTest(function* () {
    const future = after(1, 'same');
    const iterator = new gen.WaitIterator(future, future);
    const seen = [];
    while (!iterator.done()) seen.push([yield iterator.next(), iterator.currentIndex]);
    assert.deepEqual(seen, [['same', 0], ['same', 1]]);
  }));

  it('keeps errors until next() asks for them', async () => {
    const unhandled = await unhandledDuring(async () => {
      const iterator = new gen.WaitIterator(after(1, new Error('x')), failed(new Error('y')));
      await iterations(4);
      await turn();
      for (const message of ['y', 'x']) await assert.rejects(iterator.next(), { message });
    });
    assert.deepEqual(unhandled, []);
  });

  it('lives as long as what it waits for', async () => {
    const { gc } = require('./support/gen');
    const next = (() => new gen.WaitIterator(gen.sleep(20, 'alive')).next())();
    for (let i = 0; i < 3; i++) {
      await turn();
      gc();
    }
    assert.equal(await next, 'alive');
  });
});
