'use strict';

/* co.run: ended by a signal or a deadline; and classes that are registered as yieldable. */

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { getEventListeners } = require('node:events');

const { co, turn, gc, collectUntil, unhandledDuring } = require('./support/co');

const never = () => new Promise(() => {});

/**
 * Runs `body(log)` with a signal, aborts it once it waits, and returns what it has logged; the
 * rejection must be the AbortError.
 */
async function abortWhileWaiting(body) {
  const controller = new AbortController();
  const log = [];
  const run = co.run(body, { signal: controller.signal, args: [log] });
  await turn();
  controller.abort('enough');
  await assert.rejects(run, { name: 'AbortError', code: 'ABORT_ERR', cause: 'enough',
    message: 'The operation was aborted' });
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  return log;
}

/** A generator that logs how it ends. */
function* child(log, name, wait) {
  try {
    yield wait;
    log.push(`${name} went on`);
  } catch (error) {
    log.push(`${name} caught ${error.code ?? error.message}`);
    throw error;
  } finally {
    log.push(`${name} ended`);
  }
}

describe('co.run', () => {
  it('is co, with arguments, this and a result', async () => {
    const ctx = {};
    assert.equal(await co.run.call(ctx, function* (a, b) {
      assert.equal(this, ctx);
      return (yield Promise.resolve(a)) + b;
    }, { args: [1, 2] }), 3);
    assert.equal(await co.run(function* () {
      assert.equal(this, globalThis);
      return yield [1, co.sleep(1, 2)];
    }, { timeout: 60_000 }).then(String), '1,2');
    assert.equal(await co.run(5), 5);
    const generator = child([], 'given', 7);
    await assert.rejects(co.run(generator), /You may only yield/);
    await assert.rejects(co.run(function* () {
      throw new Error('own');
    }, { timeout: 60_000, signal: new AbortController().signal }), /^Error: own$/);
  });

  it('reads each option once, and takes what it has checked', async () => {
    const { signal } = new AbortController();
    const first = { signal, timeout: 60_000, args: [1, 2], name: 'once' };
    const reads = [];
    const options = new Proxy({}, {
      get(_, key) {
        reads.push(key);
        return reads.indexOf(key) === reads.length - 1 ? first[key] : 'not what was checked';
      },
    });
    assert.equal(await co.run(function* (a, b) {
      return a + b;
    }, options), 3);
    assert.deepEqual(reads.sort(), Object.keys(first).sort());
  });

  it('checks its options', async () => {
    const work = function* () {};
    for (const options of [null, 5, { signal: {} }, { signal: null }, { args: 'x' }, { name: 5 },
      { timeout: '5' }]) {
      await assert.rejects(co.run(work, options),
        { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const timeout of [-1, NaN, 2 ** 31]) {
      await assert.rejects(co.run(work, { timeout }), { code: 'ERR_OUT_OF_RANGE' });
    }
    await co.run(work, { timeout: Infinity });
  });

  it('does not start with a signal that is aborted already', async () => {
    let started = false;
    const work = function* () {
      started = true;
    };
    await assert.rejects(co.run(work, { signal: AbortSignal.abort('before') }),
      { code: 'ABORT_ERR', cause: 'before' });
    assert.equal(started, false);
  });

  const waits = {
    'a promise': never,
    'a thenable': () => ({ then() {} }),
    'a thunk': () => () => {},
    'an array': () => [never(), () => {}],
    'a native call': () => co.sleep(3_600_000),
    'a Future': () => co.gen.sleep(3_600_000),
    'native calls in arrays and objects': () =>
      [co.sleep(3_600_000), { a: co.gen.sleep(3_600_000), b: never() }],
  };
  for (const [what, make] of Object.entries(waits)) {
    it(`runs finally blocks while it waits for ${what}, the innermost first`, async () => {
      const log = await abortWhileWaiting(function* (lines) {
        yield child(lines, 'outer', child(lines, 'inner', make()));
      });
      assert.deepEqual(log, ['inner ended', 'outer ended']);
    });
  }

  it('ends members that are generators before the generator that yielded them', async () => {
    const log = await abortWhileWaiting(function* (lines) {
      yield child(lines, 'outer', [child(lines, 'a', never()),
        { b: child(lines, 'b', co.sleep(3_600_000)) }]);
    });
    assert.deepEqual(log.slice(0, 2).sort(), ['a ended', 'b ended']);
    assert.deepEqual(log.slice(2), ['outer ended']);
  });

  it('lets finally blocks yield, generators and native calls too', async () => {
    const log = await abortWhileWaiting(function* (lines) {
      try {
        yield child(lines, 'inner', never());
      } finally {
        lines.push(yield co.sleep(1, 'slept'));
        yield [child(lines, 'member', co.sleep(1)), co.gen.sleep(1)];
        yield child(lines, 'clean-up', turn());
      }
    });
    assert.deepEqual(log, ['inner ended', 'slept', 'member went on', 'member ended',
      'clean-up went on', 'clean-up ended']);
  });

  const callsIn = {
    'a native call': ([call]) => call,
    'native calls in arrays and objects': ([a, b, c]) => [a, { b, c: [c] }],
    'native calls beside generators': ([a, b, c]) => [a, child([], 'member', b), { c }],
  };
  for (const [what, arrange] of Object.entries(callsIn)) {
    it(`runs finally blocks after what it waits for has ended: ${what}`, async () => {
      const settled = [];
      const calls = [co.sleep, co.sleep, co.gen.sleep];
      const used = what === 'a native call' ? calls.slice(0, 1) : calls;
      await abortWhileWaiting(function* () {
        const made = used.map((sleep) => sleep(3_600_000));
        for (const call of made) call.catch((error) => settled.push(error.code));
        try {
          yield arrange(made);
        } finally {
          assert.deepEqual(settled, used.map(() => 'ECANCELED'));
        }
      });
      assert.equal(settled.length, used.length);
    });
  }

  it('cancels the native call of an addon that has its own fibril', async () => {
    const { natives } = require('./support/natives');
    const codes = [];
    const future = natives.runtime.future(natives.forever);
    for (const [make, yielded] of [[natives.forever, (call) => call], [future, (call) => call],
      [future, (call) => [call]]]) {
      await abortWhileWaiting(function* () {
        const call = make();
        call.catch((error) => codes.push(error.code));
        try {
          yield yielded(call);
        } finally {
          assert.equal(codes.length, 1);
        }
        codes.pop();
      });
      assert.equal(codes.pop(), 'ECANCELED');
    }
  });

  it('ends async generators', async () => {
    const log = await abortWhileWaiting(function* (lines) {
      yield (async function* () {
        try {
          yield 1;
          lines.push('waits');
          await turn().then(turn);
          yield 2;
          lines.push('went on');
        } finally {
          await turn();
          lines.push('ended');
        }
      })();
    });
    assert.deepEqual(log, ['waits', 'ended']);
  });

  it('ends an iterator that has no return', async () => {
    const log = await abortWhileWaiting(function* (lines) {
      yield child(lines, 'outer',
        { next: () => ({ done: false, value: never() }), throw: () => lines.push('thrown at') });
    });
    assert.deepEqual(log, ['outer ended']);
  });

  it('rejects with what a finally block throws', async () => {
    const controller = new AbortController();
    let ended = false;
    const run = co.run(function* () {
      try {
        yield (function* () {
          try {
            yield never();
          } finally {
            throw new Error('clean-up'); // eslint-disable-line no-unsafe-finally
          }
        })();
      } finally {
        ended = true;
      }
    }, { signal: controller.signal });
    controller.abort();
    await assert.rejects(run, /clean-up/);
    assert.equal(ended, true);
  });

  it('ends at its next wait when it is aborted in the middle of a step, unless that is the last',
    async () => {
    const log = [];
    const aborting = (last) => {
      const controller = new AbortController();
      return co.run(function* () {
        try {
          controller.abort();
          if (last) return 'done';
          yield Promise.resolve();
          log.push('went on');
        } finally {
          log.push('ended');
        }
      }, { signal: controller.signal });
    };
    await assert.rejects(aborting(false), { code: 'ABORT_ERR' });
    assert.equal(await aborting(true), 'done');
    assert.deepEqual(log, ['ended', 'ended']);
  });

  it('ends a loop that goes on in place, aborted by what it yields', async () => {
    const controller = new AbortController();
    let rounds = 0;
    await assert.rejects(co.run(function* () {
      while (true) {
        yield (done) => {
          if (++rounds === 1000) controller.abort();
          done();
        };
      }
    }, { signal: controller.signal }), { code: 'ABORT_ERR' });
    assert.equal(rounds, 1000);
  });

  it('is ended by a deadline, which names the run', async () => {
    let ended = false;
    const work = function* fetchAll() {
      try {
        yield never();
      } finally {
        ended = true;
      }
    };
    const error = await co.run(work, { timeout: 5 }).catch((reason) => reason);
    assert.ok(error instanceof co.gen.TimeoutError);
    assert.deepEqual([error.name, error.code, error.message],
      ['TimeoutError', 'ETIMEDOUT', 'fetchAll did not end within 5 ms']);
    assert.equal(ended, true);
    await assert.rejects(co.run(work, { timeout: 0, name: 'the batch' }),
      /^TimeoutError: the batch did not end within 0 ms$/);
  });

  it('is nobody that a stale wake-up resumes, and lets go of what failed meanwhile', async () => {
    let fail;
    const unhandled = await unhandledDuring(async () => {
      const log = await abortWhileWaiting(function* (lines) {
        const late = new Promise((resolve, reject) => {
          fail = reject;
        });
        try {
          yield late;
        } catch {
          lines.push('resumed');
        } finally {
          fail(new Error('late'));
          yield turn();
          lines.push('ended');
        }
      });
      assert.deepEqual(log, ['ended']);
    });
    assert.deepEqual(unhandled, []);
  });

  it('keeps its async context in finally blocks', async () => {
    const storage = new AsyncLocalStorage();
    const controller = new AbortController();
    let seen;
    const run = storage.run('run', () => co.run(function* () {
      try {
        yield never();
      } finally {
        yield turn();
        seen = storage.getStore();
      }
    }, { signal: controller.signal }));
    storage.run('abort', () => controller.abort());
    await assert.rejects(run, { code: 'ABORT_ERR' });
    assert.equal(seen, 'run');
  });

  it('has one listener for a thousand runs with one signal', async () => {
    const controller = new AbortController();
    const runs = Array.from({ length: 1000 }, () => co.run(function* () {
      yield never();
    }, { signal: controller.signal }));
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1);
    controller.abort();
    const outcomes = await Promise.allSettled(runs);
    assert.ok(outcomes.every(({ reason }) => reason.code === 'ABORT_ERR'));
  });

  it('leaves nothing behind on a signal that outlives it', async () => {
    const { signal } = new AbortController();
    const registry = new FinalizationRegistry(() => collected++);
    let collected = 0;
    const start = (i) => co.run(function* () {
      const local = { i };
      registry.register(local);
      yield turn();
      return local.i;
    }, { signal, timeout: 3_600_000 });
    for (let i = 0; i < 10; i++) assert.equal(await start(i), i);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    gc();
    assert.ok(await collectUntil(() => collected === 10), `${collected} of 10 were collected`);
  });
});

describe('co.register', () => {
  class Delay {
    constructor(ms, value) {
      Object.assign(this, { ms, value });
    }
  }
  class LongDelay extends Delay {}
  const { register } = co;

  before(() => register(Delay, ({ ms, value }) => co.sleep(ms, value)));
  after(() => register(Delay, null));

  it('makes instances yieldable, alone and as members, those of subclasses too', async () => {
    assert.deepEqual(await co(function* () {
      return [yield new Delay(1, 'a'), yield [new Delay(1, 'b'), { c: new LongDelay(1, 'c') }, 5]];
    }), ['a', ['b', { c: 'c' }, 5]]);
  });

  it('makes primitives yieldable, and takes them out again', async () => {
    const yields = (value) => co(function* () {
      return yield value;
    });
    register(Number, (ms) => co.sleep(ms, `${ms} ms`));
    try {
      assert.deepEqual(await yields([1, yields(2)]), ['1 ms', '2 ms']);
    } finally {
      register(Number, null);
    }
    await assert.rejects(yields(1), /You may only yield .*"1"$/);
    assert.deepEqual(await yields([1]), [1]);
  });

  it('leaves undefined and null errors', async () => {
    for (const value of [undefined, null]) {
      await assert.rejects(co(function* () {
        yield value;
      }), /You may only yield/);
    }
  });

  it('throws at the yield what a converter throws, and refuses what cannot be yielded either',
    async () => {
    class Bad {}
    const outcomes = [];
    const converters = [
      () => {
        throw new Error('converter');
      },
      () => 7,
      (value) => value,
    ];
    for (const converter of converters) {
      register(Bad, converter);
      await co(function* () {
        try {
          yield new Bad();
        } catch (error) {
          outcomes.push(error.message.slice(0, 19));
        }
      });
    }
    register(Bad, null);
    assert.deepEqual(outcomes, ['converter', 'You may only yield ', 'You may only yield ']);
  });

  it('checks its arguments', () => {
    for (const args of [[], [5, () => {}], [Delay], [Delay, 5]]) {
      assert.throws(() => register(...args), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe('co.typed', () => {
  it('is yield', async () => {
    assert.deepEqual(await co(function* () {
      return yield* co.typed([Promise.resolve(1), 2]);
    }), [1, 2]);
  });
});
