'use strict';

// gen: the behaviours that Tornado's own tests of its coroutines assert.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { co, gen, turn, collectUntil, unhandledDuring, warningsDuring, uncaughtDuring, iterations, coroutineTest } = require('./support/gen');

const { Future, IOLoop } = co;
const loop = IOLoop.current();

/** A Future settled after `n` iterations, with an error when it is one. */
const after = gen.coroutine(function* (n, value) {
  for (let i = 0; i < n; i++) yield gen.moment;
  if (value instanceof Error) throw value;
  return value;
});

const failed = (error) => {
  const future = new Future();
  future.setException(error);
  return future;
};

describe('gen.coroutine', () => {
  it('returns a Future; without a yield it is done at once', () => {
    const future = gen.coroutine(function* () {})();
    assert.ok(future instanceof Future);
    assert.equal(future.done(), true);
    assert.equal(future.result(), undefined);
  });

  it('runs its first segment in the call', () => {
    const log = [];
    const run = gen.coroutine(function* () {
      log.push('first');
      yield gen.moment;
      log.push('second');
    });
    const future = run();
    log.push('returned');
    assert.equal(future.done(), false);
    assert.deepEqual(log, ['first', 'returned']);
    return future;
  });

  it('keeps an error of the first segment, and of later ones, in the Future', async () => {
    await assert.rejects(loop.runSync(gen.coroutine(function* () {
      throw new Error('phase 1');
    })), { message: 'phase 1' });
    await assert.rejects(loop.runSync(gen.coroutine(function* () {
      yield gen.moment;
      throw new Error('phase 2');
    })), { message: 'phase 2' });
  });

  it('throws the error of a call at the yield, not at the call', coroutineTest(function* () {
    const fail = gen.coroutine(function* () {
      throw new Error('sync');
    });
    const plain = gen.coroutine(() => {
      throw new Error('plain');
    });
    const caught = [];
    for (const fn of [fail, plain]) {
      const future = fn();
      try {
        yield future;
      } catch (error) {
        caught.push(error.message);
      }
    }
    assert.deepEqual(caught, ['sync', 'plain']);
  }));

  it('can be called again', coroutineTest(function* () {
    const twice = gen.coroutine(function* (n) {
      yield gen.moment;
      return n;
    });
    assert.deepEqual([yield twice(1), yield twice(2)], [1, 2]);
  }));

  it('returns with return and with gen.Return, before and after a yield, with a value and without', coroutineTest(function* () {
    const outcomes = [
      [function* () { return 1; }, 1],
      [function* () { throw new gen.Return(2); }, 2],
      [function* () { throw new gen.Return(); }, undefined],
      [() => 3, 3],
      [() => { throw new gen.Return(4); }, 4],
      [function* () { yield gen.moment; return 5; }, 5],
      [function* () { yield gen.moment; throw new gen.Return(6); }, 6],
      [function* () { yield gen.moment; throw new gen.Return([7, 8]); }, [7, 8]],
      [function* () { yield gen.moment; }, undefined],
      [function* () { if (Date.now() > 0) return 9; yield new Future(); }, 9],
    ];
    for (const [fn, expected] of outcomes) assert.deepEqual(yield gen.coroutine(fn)(), expected);
  }));

  it('does not take a gen.Return that comes out of a yield for its own', coroutineTest(function* () {
    const inner = gen.coroutine(function* () {
      yield gen.moment;
      throw new gen.Return('inner');
    });
    assert.equal(yield inner(), 'inner');
    return 'outer';
  }));

  it('passes what is no generator function through', async () => {
    assert.equal(gen.coroutine(() => 42)().result(), 42);
    assert.equal(await gen.coroutine(async (x) => x + 1)(1), 2);
    await assert.rejects(gen.coroutine(async () => {
      throw new Error('async');
    })(), { message: 'async' });
    const future = new Future();
    assert.equal(gen.coroutine(() => future)(), future);
  });

  it('follows a promise or Future that it returns', async () => {
    for (const make of [() => gen.sleep(1, 'followed'), async () => 'followed', () => after(2, Promise.resolve('followed'))]) {
      const future = gen.coroutine(function* () {
        yield gen.moment;
        return make();
      })();
      await future;
      assert.equal(future.result(), 'followed');
    }
  });

  it('ends quietly when somebody has settled its Future', async () => {
    const log = [];
    const run = gen.coroutine(function* (name) {
      yield gen.moment;
      log.push(name);
      return name;
    });
    const [settled, cancelled] = [run('a'), run('b')];
    settled.setResult('early');
    cancelled.cancel();
    await iterations(2);
    assert.deepEqual([log, settled.result(), cancelled.cancelled()], [['a', 'b'], 'early', true]);
  });

  it('keeps this, arguments, name, length and the function', () => {
    const original = function* named(a, b) {
      return [this, a, b];
    };
    const wrapped = gen.coroutine(original);
    const object = { wrapped };
    assert.deepEqual(object.wrapped(1, 2).result(), [object, 1, 2]);
    assert.equal(wrapped.name, 'named');
    assert.equal(wrapped.length, 2);
    assert.equal(wrapped.__wrapped__, original);
    assert.throws(() => gen.coroutine(5), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('is told by isCoroutineFunction', () => {
    const original = function* () {};
    const wrapped = gen.coroutine(original);
    assert.equal(gen.isCoroutineFunction(wrapped), true);
    for (const value of [original, wrapped(), () => {}, undefined, null]) assert.equal(gen.isCoroutineFunction(value), false);
  });

  it('awaits async functions and is awaited by them', coroutineTest(function* () {
    const inner = gen.coroutine(function* () {
      yield gen.moment;
      return 'inner';
    });
    const middle = async () => `${await inner()} middle`;
    assert.equal(yield middle(), 'inner middle');
    assert.deepEqual(yield [middle(), inner()], ['inner middle', 'inner']);
    assert.deepEqual(yield Promise.all([inner(), inner()]), ['inner', 'inner']);
  }));

  it('runs in Promise.all', async () => {
    assert.deepEqual(await Promise.all([after(1, 1), after(2, 2), after(0, 3)]), [1, 2, 3]);
  });

  it('can catch an error and throw another one, without a link between them', coroutineTest(function* () {
    const replace = gen.coroutine(function* () {
      try {
        yield after(1, new Error('first'));
      } catch {
        throw new Error('second');
      }
    });
    try {
      yield replace();
      assert.fail('went on');
    } catch (error) {
      assert.equal(error.message, 'second');
      assert.equal(error.cause, undefined);
    }
  }));

  it('can swallow an error and return', coroutineTest(function* () {
    const swallow = gen.coroutine(function* () {
      try {
        yield after(1, new Error('swallowed'));
      } catch {
        return 42;
      }
    });
    assert.equal(yield swallow(), 42);
  }));

  it('goes on in place with a Future that is done, 100,000 times, without an iteration', () => {
    const done = new Future();
    done.setResult(1);
    const sum = gen.coroutine(function* () {
      let total = 0;
      for (let i = 0; i < 100_000; i++) total += yield done;
      return total;
    });
    assert.equal(sum().result(), 100_000);
  });

  it('goes on in a later iteration when a Future is settled, never inside setResult or its microtasks', async () => {
    const future = new Future();
    const log = [];
    const run = gen.coroutine(function* () {
      log.push(yield future);
    })();
    await iterations(1);
    loop.addCallback(() => log.push('earlier'));
    future.setResult('resumed');
    loop.addCallback(() => log.push('later'));
    log.push('set');
    await Promise.resolve();
    log.push('microtask');
    await run;
    assert.deepEqual(log, ['set', 'microtask', 'earlier', 'resumed', 'later']);
  });

  it('has its parent go on an iteration after it ends', async () => {
    const log = [];
    const child = gen.coroutine(function* () {
      yield gen.moment;
      loop.addCallback(() => log.push('before the parent'));
      return 'child';
    });
    await gen.coroutine(function* () {
      log.push(yield child());
    })();
    assert.deepEqual(log, ['before the parent', 'child']);
  });

  it('lets a Future wait while it does other things', coroutineTest(function* () {
    const pending = after(2, 'chunk');
    yield gen.moment;
    yield gen.sleep(1);
    assert.equal(yield pending, 'chunk');
  }));

  it('is thrown BadYieldError at the yield, in place, and goes on', () => {
    const log = [];
    const run = gen.coroutine(function* () {
      for (const value of [42, 'text', true, new Set([1]), new Map(), new Date(0), () => {}, Symbol('s')]) {
        try {
          yield value;
        } catch (error) {
          assert.ok(error instanceof gen.BadYieldError && error instanceof TypeError);
          assert.equal(error.code, 'FIBRIL_EBADYIELD');
          log.push(error.message);
        }
      }
      try {
        yield [gen.moment, 5];
      } catch (error) {
        log.push(error.message);
      }
    });
    assert.equal(run().done(), true);
    assert.deepEqual(log.slice(0, 2), ['yielded unknown object 42', "yielded unknown object 'text'"]);
    assert.equal(log[8], 'yielded unknown object 5');
    assert.equal(log.length, 9);
  });

  it('of a bad yield that is not caught fails', async () => {
    await assert.rejects(gen.coroutine(function* () {
      yield 42;
    })(), gen.BadYieldError);
  });

  it('takes a generator as a coroutine', coroutineTest(function* () {
    function* inner(n) {
      yield gen.moment;
      return n;
    }
    assert.deepEqual(yield [inner(1), inner(2)], [1, 2]);
    assert.equal(yield inner(3), 3);
  }));

  it('refuses a generator that is already running, here or in co', coroutineTest(function* () {
    const make = function* () {
      yield gen.moment;
      return 'ended';
    };
    const alreadyRunning = { name: 'TypeError', message: /already being run/ };
    const twice = make();
    assert.throws(() => gen.multi([twice, twice]), alreadyRunning);
    const inCo = make();
    const run = co(inCo);
    assert.throws(() => gen.convertYielded(inCo), alreadyRunning);
    assert.equal(yield run, 'ended');
    const alone = make();
    assert.equal(yield alone, 'ended');
    assert.equal(yield alone, undefined, 'one that has ended runs no more, and is no error');
  }));

  it('resumes in the async context of the yield, whatever it waits for', async () => {
    const storage = new AsyncLocalStorage();
    const shared = new Future();
    const run = gen.coroutine(function* (name) {
      const seen = [];
      for (const wait of [() => gen.moment, () => gen.sleep(1), () => shared, () => Promise.resolve(), () => [gen.sleep(1)], () => after(2)]) {
        yield wait();
        seen.push(storage.getStore());
      }
      storage.enterWith(`${name}!`);
      yield gen.moment;
      seen.push(storage.getStore());
      return seen;
    });
    const runs = ['a', 'b'].map((name) => storage.run(name, () => run(name)));
    await gen.sleep(10);
    storage.run('setter', () => shared.setResult());
    assert.deepEqual(await gen.multi(runs), ['a', 'b'].map((name) => [...Array(6).fill(name), `${name}!`]));
  });

  it('hands its async context down to coroutines and async functions, and theirs', async () => {
    const storage = new AsyncLocalStorage();
    const coroutine = gen.coroutine(function* (next) {
      yield gen.moment;
      return [storage.getStore(), ...(next === undefined ? [] : yield next())];
    });
    const native = async (next) => {
      await gen.moment;
      return [storage.getStore(), ...(next === undefined ? [] : await next())];
    };
    for (const outer of [coroutine, native]) {
      for (const inner of [coroutine, native]) {
        const store = {};
        assert.deepEqual(await storage.run(store, () => outer(() => inner(() => outer()))), [store, store, store]);
      }
    }
    assert.equal(storage.getStore(), undefined);
  });

  it('keeps what it enters itself across its waits, and can leave it again', async () => {
    const storage = new AsyncLocalStorage();
    const seen = await storage.run('outer', gen.coroutine(function* () {
      yield gen.moment;
      storage.enterWith('inner');
      const stores = [yield after(1, 1).then(() => storage.getStore())];
      yield gen.sleep(1);
      stores.push(storage.getStore());
      storage.enterWith('outer');
      yield gen.moment;
      stores.push(storage.getStore());
      return stores;
    }));
    assert.deepEqual(seen, ['inner', 'inner', 'outer']);
  });

  it('keeps from its caller and its siblings what it enters in its first segment', async () => {
    const storage = new AsyncLocalStorage();
    const inner = function* (name) {
      assert.equal(storage.getStore(), name);
      yield gen.moment;
      assert.equal(storage.getStore(), name);
    };
    const root = gen.coroutine(function* (name) {
      storage.enterWith(name);
      yield gen.moment;
      yield [gen.coroutine(inner)(name), (async () => assert.equal(storage.getStore(), name))()];
      return storage.getStore();
    });
    const generator = function* (name) {
      storage.enterWith(name);
      yield null;
      return storage.getStore();
    };
    await gen.coroutine(function* () {
      assert.deepEqual(yield [root(1), root(2), generator(3), generator(4)], [1, 2, 3, 4]);
      assert.equal(storage.getStore(), undefined);
      gen.coroutine(() => storage.enterWith('plain'))();
      assert.equal(storage.getStore(), undefined);
    })();
  });

  it('iterates an async generator', coroutineTest(function* () {
    const sum = async function* (x) {
      await gen.moment;
      return x + (yield Promise.resolve(1));
    };
    assert.equal(yield gen.coroutine(sum)(1), 2);
    assert.equal(yield sum(2), 3);
    assert.equal(yield gen.coroutine(async function* () {
      yield 1;
      throw new gen.Return('returned');
    })(), 'returned');
    yield assert.rejects(gen.coroutine(async function* () {
      yield Promise.reject(new Error('inside'));
    })(), { message: 'inside' });
  }));

  it('waits for what gives itself one turn of the loop', coroutineTest(function* () {
    const timers = require('node:timers/promises');
    assert.deepEqual(yield [timers.setTimeout(0, 'timer'), timers.setImmediate('immediate')], ['timer', 'immediate']);
    assert.equal(yield timers.setImmediate('alone'), 'alone');
  }));

  it('does not wait for what it does not yield', () => {
    const slept = gen.coroutine(function* () {
      return gen.sleep(1);
    });
    const left = gen.coroutine(function* () {
      gen.sleep(1);
    })();
    assert.deepEqual([left.done(), slept().done()], [true, false]);
  });

  it('fails after it has stopped the loop, too', async () => {
    const stopped = loop.start();
    const future = gen.coroutine(function* () {
      yield gen.moment;
      loop.stop();
      throw new Error('after stop');
    })();
    await stopped;
    await assert.rejects(future, { message: 'after stop' });
  });

  it('has a stack that says where each coroutine was, with co.traces', async () => {
    const thrower = async () => {
      await null;
      throw new Error('traced');
    };
    const inner = gen.coroutine(function* innerGenerator() {
      yield thrower();
    });
    const outer = gen.coroutine(function* outerGenerator() {
      yield [inner()];
    });
    co.traces();
    try {
      const { stack } = await outer().catch((error) => error);
      assert.match(stack, /at async innerGenerator [^]*at async outerGenerator /);
      assert.doesNotMatch(stack, /lib.(runner|gen)\.js/);
    } finally {
      co.traces(false);
    }
  });

  it('is one unhandled rejection when nobody waits for it and it fails', async () => {
    const unhandled = await unhandledDuring(async () => {
      after(1, new Error('lost'));
      await iterations(3);
    });
    assert.deepEqual(unhandled.map(({ error }) => error.message), ['lost']);
  });

  it('is none when somebody waits', async () => {
    const unhandled = await unhandledDuring(coroutineTest(function* () {
      for (const start of [() => after(1, new Error('a')), () => failed(new Error('b')), () => [after(1, new Error('c'))]]) {
        try {
          yield start();
        } catch {
          yield turn();
        }
      }
    }));
    assert.deepEqual(unhandled, []);
  });

  it('lets go of its locals as soon as it has ended', async () => {
    let collected = false;
    const registry = new FinalizationRegistry(() => {
      collected = true;
    });
    const future = gen.coroutine(function* () {
      const local = { large: true };
      registry.register(local);
      yield gen.moment;
      yield [gen.moment, local.large ? gen.sleep(1) : null];
    })();
    await future;
    assert.equal(await collectUntil(() => collected), true);
    assert.equal(future.done(), true);
  });

  it('survives a collection while only its own wait refers to the Future', async () => {
    const { gc } = require('./support/gen');
    let reached = false;
    const run = gen.coroutine(function* () {
      const inner = gen.coroutine(function* () {
        yield gen.sleep(5);
        return 'inner';
      });
      reached = (yield inner()) === 'inner';
    });
    run();
    for (let i = 0; i < 3; i++) {
      gc();
      await gen.sleep(3);
    }
    assert.equal(await collectUntil(() => reached), true);
  });

  it('that waits for what nobody can settle is collected', async () => {
    let collected = false;
    const registry = new FinalizationRegistry(() => {
      collected = true;
    });
    (() => {
      gen.coroutine(function* () {
        const local = {};
        registry.register(local);
        yield new Future();
        return local;
      })();
    })();
    assert.equal(await collectUntil(() => collected), true);
  });
});

describe('gen.moment', () => {
  const run = gen.coroutine(function* (log, name, wait) {
    for (let i = 0; i < 5; i++) {
      log.push(name);
      if (wait !== undefined) yield wait();
    }
  });
  const trace = async (a, b) => {
    const log = [];
    await gen.multi([run(log, 'a', a), run(log, 'b', b)]);
    return log.join('');
  };
  const moment = () => gen.moment;
  const done = () => {
    const future = new Future();
    future.setResult();
    return future;
  };

  it('lets others run: who does not wait is not interrupted', async () => {
    assert.equal(await trace(), 'aaaaabbbbb');
    assert.equal(await trace(moment, moment), 'ababababab');
    assert.equal(await trace(moment, undefined), 'abbbbbaaaa');
    assert.equal(await trace(undefined, moment), 'aaaaabbbbb');
  });

  it('is what undefined and null are, and a Future that is done is not', async () => {
    assert.equal(await trace(() => undefined, () => null), 'ababababab');
    assert.equal(await trace(done, done), 'aaaaabbbbb');
  });

  it('lets I/O and timers happen', async () => {
    let read = false;
    require('node:fs').stat('.', () => {
      read = true;
    });
    await gen.coroutine(function* () {
      while (!read) yield gen.moment;
    })();
    const timeout = gen.sleep(5);
    await gen.coroutine(function* () {
      while (!timeout.done()) yield gen.moment;
    })();
  });

  it('is there at once in a list', coroutineTest(function* () {
    assert.deepEqual(yield [gen.moment, gen.moment], [undefined, undefined]);
    assert.equal(gen.multi([gen.moment, null]).done(), true);
  }));

  it('can be awaited, and yielded in co', async () => {
    const log = [];
    const both = Promise.all([1, 2].map(async (n) => {
      for (let i = 0; i < 3; i++) {
        log.push(n);
        await gen.moment;
      }
    }));
    loop.addCallback(() => log.push('callback'));
    await both;
    assert.deepEqual(log, [1, 2, 'callback', 1, 2, 1, 2]);
    await co(function* () {
      let called = false;
      loop.addCallback(() => {
        called = true;
      });
      assert.equal(yield gen.moment, undefined);
      assert.equal(called, true);
    });
  });
});

describe('a long loop', () => {
  const { gc } = require('./support/gen');
  const resident = () => {
    gc();
    gc();
    return process.memoryUsage().heapUsed;
  };
  const GROWTH = 400_000; // eight bytes for each turn: nothing of one is kept

  it('of 50,000 waits, of each kind, keeps the heap flat', async () => {
    const settled = (value) => {
      const future = new Future();
      loop.addCallback(() => future.setResult(value));
      return future;
    };
    const inner = gen.coroutine(function* () {
      yield gen.moment;
    });
    for (const wait of [() => gen.moment, () => settled(1), () => inner(), () => [settled(1), gen.moment]]) {
      await gen.coroutine(function* () {
        const spin = function* (n) {
          for (let i = 0; i < n; i++) yield wait();
        };
        yield* spin(1000);
        const before = resident();
        yield* spin(50_000);
        assert.ok(resident() - before < GROWTH, `${wait} has grown by ${resident() - before}`);
      })();
    }
  }).timeout(120_000);
});

describe('gen.multi', () => {
  it('gives results in the order of the list or by key, whatever the order of finishing', coroutineTest(function* () {
    assert.deepEqual(yield [after(3, 'a'), after(1, 'b'), gen.sleep(1, 'c'), Promise.resolve('d')], ['a', 'b', 'c', 'd']);
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
      const list = [after(4, new Error('first')), after(1, new Error('second')), after(2, 'fine'), after(1, new Error('third'))];
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
      await assert.rejects(gen.multi([after(1, 1), after(1, new Error('one'))]), { message: 'one' });
      const list = () => [after(1, new Error('one')), after(1, new RangeError('two')), after(2, new TypeError('three'))];
      await assert.rejects(gen.multi(list(), { quietExceptions: Error }), { message: 'one' });
      await assert.rejects(gen.multi(list(), { quietExceptions: [RangeError, TypeError] }), { message: 'one' });
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
    const list = () => [after(5, new Error('first in the list')), after(1, new Error('first in time'))];
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
    for (const value of [Promise.resolve(1), { then: (resolve) => resolve(1) }, (function* () { return 1; })()]) {
      const converted = gen.convertYielded(value);
      assert.ok(converted instanceof Future);
      assert.equal(await converted, 1);
    }
    assert.deepEqual(await gen.convertYielded([Promise.resolve(1)]), [1]);
    assert.throws(() => gen.convertYielded(1), gen.BadYieldError);
  });

  it('can be taught a class, the nearest one on the prototype chain deciding', coroutineTest(function* () {
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

  it('fails with the error of the callback, and with what the function throws', coroutineTest(function* () {
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
    assert.deepEqual([error.name, error.code, error.message], ['TimeoutError', 'ETIMEDOUT', 'Timeout']);
    await assert.rejects(gen.withTimeout(0, new Future()), gen.TimeoutError);
  });

  it('gives the outcome that comes in time', async () => {
    assert.equal(await gen.withTimeout(10_000, gen.sleep(1, 'slept')), 'slept');
    assert.equal(await gen.withTimeout(10_000, (async () => 'async')()), 'async');
    await assert.rejects(gen.withTimeout(10_000, after(1, new Error('own'))), { message: 'own' });
    assert.deepEqual(await gen.withTimeout(10_000, [after(1, 'a'), { b: after(2, 'b') }]), ['a', { b: 'b' }]);
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
    assert.deepEqual(warnings, [['FIBRIL_AFTER_TIMEOUT', 'Exception in Future after timeout', 'RangeError: late']]);
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
    const unhandled = await unhandledDuring(async () => {
      const future = new Future();
      assert.throws(() => gen.withTimeout('5', future), { code: 'ERR_INVALID_ARG_TYPE' });
      future.setException(new Error('not seen'));
      await turn();
    });
    assert.deepEqual(unhandled.map(({ error }) => error.message), ['not seen']);
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

  it('gives the others in the order of finishing, and goes on after an error', coroutineTest(function* () {
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
    const iterator = new gen.WaitIterator(after(2, 'b'), after(1, 'a'), after(3, new Error('x')), after(4, 'c'));
    const seen = [];
    await assert.rejects((async () => {
      for await (const value of iterator) seen.push([value, iterator.currentIndex]);
    })(), { message: 'x' });
    assert.deepEqual(seen, [['a', 1], ['b', 0]]);
    assert.equal(await iterator.next(), 'c');
    assert.equal(iterator.done(), true);
  });

  it('takes one plain object that can be waited for as that', async () => {
    assert.equal(await new gen.WaitIterator({ then: (resolve) => resolve('thenable') }).next(), 'thenable');
    const generator = { next: () => ({ done: true, value: 'generator' }), throw: assert.fail };
    assert.equal(await new gen.WaitIterator(generator).next(), 'generator');
    const iterator = new gen.WaitIterator(after(0, 1));
    await iterator.next();
    assert.deepEqual([iterator.currentIndex, iterator.done(), iterator.currentIndex, iterator.currentFuture], [0, true, undefined, undefined]);
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

describe('errors that no coroutine sees', () => {
  it('of a done callback of a coroutine are uncaught exceptions', async () => {
    const errors = await uncaughtDuring(1, () => {
      after(1).addDoneCallback(() => {
        throw new Error('callback');
      });
    });
    assert.equal(errors[0].message, 'callback');
  });

  it('have the frame of the throw in their stack', async () => {
    function whereItHappens() {
      throw new Error('traced');
    }
    const error = await gen.coroutine(function* () {
      yield gen.moment;
      whereItHappens();
    })().catch((reason) => reason);
    assert.match(error.stack, /whereItHappens/);
  });
});
