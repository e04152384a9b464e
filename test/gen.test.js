'use strict';

// gen: the behaviours that Tornado's own tests of its coroutines assert.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const {
  co, gen, turn, collectUntil, unhandledDuring, lostDuring, uncaughtDuring, iterations,
  coroutineTest, after, failed,
} = require('./support/gen');

const { Future, IOLoop, locks } = co;
const loop = IOLoop.current();

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

  it('returns with return and with gen.Return, before and after a yield, with a value and without',
    coroutineTest(function* () {
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

  it('does not take a gen.Return that comes out of a yield for its own',
    coroutineTest(function* () {
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

  it('cannot return its own Future', async () => {
    const future = gen.coroutine(function* () {
      yield gen.moment;
      return future;
    })();
    await assert.rejects(future, { name: 'TypeError',
      message: 'A coroutine cannot return its own Future' });
  });

  it('follows a promise or Future that it returns', async () => {
    for (const make of [() => gen.sleep(1, 'followed'), async () => 'followed',
      () => after(2, Promise.resolve('followed'))]) {
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
    for (const value of [original, wrapped(), () => {}, undefined, null]) {
      assert.equal(gen.isCoroutineFunction(value), false);
    }
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

  it('can catch an error and throw another one, without a link between them',
    coroutineTest(function* () {
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
      for (const value of [42, 'text', true, new Set([1]), new Map(), new Date(0), () => {},
        Symbol('s')]) {
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
    assert.deepEqual(log.slice(0, 2), ['yielded unknown object 42',
      "yielded unknown object 'text'"]);
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
    const here = make();
    const future = gen.convertYielded(here);
    yield assert.rejects(co(here), alreadyRunning);
    yield assert.rejects(co(function* () {
      yield [here];
    }), alreadyRunning);
    assert.equal(yield future, 'ended');
    assert.equal(yield co(here), undefined);
    assert.equal(yield Object.freeze(make()), 'ended');
    const alone = make();
    assert.equal(yield alone, 'ended');
    assert.equal(yield alone, undefined, 'one that has ended runs no more, and is no error');
  }));

  it('resumes in the async context of the yield, whatever it waits for', async () => {
    const storage = new AsyncLocalStorage();
    const shared = new Future();
    const run = gen.coroutine(function* (name) {
      const seen = [];
      for (const wait of [() => gen.moment, () => gen.sleep(1), () => shared,
        () => Promise.resolve(), () => [gen.sleep(1)], () => after(2)]) {
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
    assert.deepEqual(await gen.multi(runs),
      ['a', 'b'].map((name) => [...Array(6).fill(name), `${name}!`]));
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
        assert.deepEqual(await storage.run(store, () => outer(() => inner(() => outer()))),
          [store, store, store]);
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
    assert.deepEqual(yield [timers.setTimeout(0, 'timer'), timers.setImmediate('immediate')],
      ['timer', 'immediate']);
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

  it('has nothing of the runner, the loop and the bridge in such a stack', async () => {
    const fail = (wait) => gen.coroutine(function* failing() {
      yield wait();
      throw new Error('traced');
    });
    const outer = gen.coroutine(function* waiting(inner) {
      yield inner();
    });
    co.traces();
    try {
      for (const wait of [() => gen.moment, () => gen.sleep(1), () => Promise.resolve(),
        () => [gen.sleep(1)]]) {
        const { stack } = await outer(fail(wait)).catch((error) => error);
        assert.match(stack, /^Error: traced\n {4}at failing .*\n {4}at async waiting .*$/);
      }
      const lock = new locks.Lock();
      const { stack } = await outer(() => lock.run(fail(() => gen.sleep(1))))
        .catch((error) => error);
      assert.match(stack, /^Error: traced\n {4}at failing .*\n {4}at async waiting .*$/);
    } finally {
      co.traces(false);
    }
  });

  it('is one unhandled rejection when nobody waits for it and it fails', async () => {
    assert.deepEqual(await lostDuring(async () => {
      after(1, new Error('lost'));
      await iterations(3);
    }), ['lost']);
  });

  it('may fail before it is waited for, however long that takes', async () => {
    let caught;
    assert.deepEqual(await lostDuring(coroutineTest(function* () {
      const kept = after(1, new Error('early'));
      yield gen.sleep(5);
      yield gen.moment;
      yield gen.sleep(1);
      try {
        yield kept;
      } catch (error) {
        caught = error.message;
      }
    })), []);
    assert.equal(caught, 'early');
  });

  it('is none when somebody waits', async () => {
    const unhandled = await unhandledDuring(coroutineTest(function* () {
      for (const start of [() => after(1, new Error('a')), () => failed(new Error('b')),
        () => [after(1, new Error('c'))]]) {
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
  it('is a Future that is done, as that of nothing', () => {
    for (const each of [gen.moment, gen.convertYielded(null), gen.convertYielded(undefined)]) {
      assert.ok(each instanceof Future);
      assert.deepEqual([each.done(), each.result(), each.exception(), each.cancel()],
        [true, undefined, undefined, false]);
    }
  });

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
    for (const wait of [() => gen.moment, () => settled(1), () => inner(),
      () => [settled(1), gen.moment]]) {
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
