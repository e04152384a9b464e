'use strict';

/*
 * Users' code at the wrong moment: it throws between an outcome and its delivery, or calls back in
 * while a wait is being set up.
 */

const assert = require('node:assert/strict');
const { createHook } = require('node:async_hooks');
const fs = require('node:fs');
const Module = require('node:module');
const os = require('node:os');
const { inspect } = require('node:util');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const vm = require('node:vm');

const { co, turn, later, unhandledDuring } = require('./support/co');
const { warningsDuring, uncaughtDuring } = require('./support/gen');

const { gen, Future, IOLoop } = co;
const iterators = require('./addon/build/Release/iterators.node');
const lib = JSON.stringify(path.join(__dirname, '..', 'lib'));

const never = () => new Promise(() => {});
const fail = (message) => () => {
  throw new Error(message);
};

/**
 * Something that may not be looked at: neither its class nor, once it is revoked, anything else.
 */
const opaque = (target) => new Proxy(target, { getPrototypeOf: fail('trap') });

/**
 * A generator behind a proxy that has what generators have, and refuses to tell of anything else.
 */
const membrane = (generator) => new Proxy(generator, {
  get(target, key) {
    if (key in target) {return typeof target[key] === 'function'
      ? target[key].bind(target) : target[key];}
    return typeof key === 'string' ? undefined : fail(`no ${String(key)}`)();
  },
});

/** Runs `body` with a function that has `callback` called in the next init hook of a type. */
async function withHook(body) {
  let armed = null;
  const hook = createHook({
    init(id, type) {
      if (armed === null || armed.type !== type) return;
      const { callback } = armed;
      armed = null;
      callback();
    },
  }).enable();
  try {
    await body((type, callback) => {
      armed = { type, callback };
    });
    assert.equal(armed, null, 'no such resource was made');
  } finally {
    hook.disable();
  }
}

describe('co.run', () => {
  const aborts = {
    'the only member': (abort, child) => [child(abort)],
    'a member that is a generator': (abort, child) => ({ a: child(abort)() }),
    'a member beside others': (abort, child) => [child(() => {}), child(abort), child(() => {})],
    'a member of a member': (abort, child) => [function* () {
      yield [child(abort)];
    }],
    'a member that another one started': (abort, child) => [child(() => {}), child(abort), never()],
  };
  for (const [what, make] of Object.entries(aborts)) {
    it(`ends members first when one aborts it in its first segment: ${what}`, async () => {
      const controller = new AbortController();
      const log = [];
      const child = (act) => function* () {
        act();
        try {
          yield never();
        } finally {
          yield turn();
          log.push('member');
        }
      };
      await assert.rejects(co.run(function* () {
        try {
          yield make(() => controller.abort(), child);
        } finally {
          log.push('outer');
        }
      }, { signal: controller.signal }), { name: 'AbortError' });
      assert.equal(log.pop(), 'outer');
      assert.ok(log.length > 0 && log.every((each) => each === 'member'));
    });
  }

  it('is ended by a signal that is aborted while the generator is being made', async () => {
    const controller = new AbortController();
    const make = (started = controller.abort()) => (function* () {
      yield started ?? never();
    })();
    await assert.rejects(co.run(make, { signal: controller.signal }), { name: 'AbortError' });
  });

  /** A signal as somebody may write one; each of its methods may be replaced. */
  const signalLike = (methods) => {
    const target = new EventTarget();
    return {
      aborted: false,
      addEventListener: target.addEventListener.bind(target),
      removeEventListener: target.removeEventListener.bind(target),
      abort() {
        this.aborted = true;
        target.dispatchEvent(new Event('abort'));
      },
      ...methods,
    };
  };

  it('refuses a signal without listeners', async () => {
    for (const missing of ['addEventListener', 'removeEventListener']) {
      const signal = signalLike({ [missing]: undefined });
      await assert.rejects(co.run(function* () {}, { signal }), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('has its outcome before a signal that throws is told of it, which is uncaught', async () => {
    const signal = signalLike({ removeEventListener: fail('not removed') });
    let result;
    const [error] = await uncaughtDuring(1, async () => {
      result = await co.run(function* () {
        return yield Promise.resolve(5);
      }, { signal });
    });
    assert.equal(result, 5);
    assert.equal(error.message, 'not removed');
  });

  it('listens to a signal again that has refused a listener', async () => {
    let refusals = 1;
    const signal = signalLike();
    const { addEventListener } = signal;
    signal.addEventListener = (...args) => (refusals-- > 0
      ? fail('refused')() : addEventListener(...args));
    const run = () => co.run(function* () {
      yield never();
    }, { signal });
    await assert.rejects(run(), /^Error: refused$/);
    const second = run();
    signal.abort();
    await assert.rejects(second, { name: 'AbortError' });
  });

  it('ends with what the reason of a signal throws', async () => {
    const signal = Object.defineProperty(signalLike(), 'reason', { get: fail('no reason') });
    const run = co.run(function* () {
      yield never();
    }, { signal });
    signal.abort();
    await assert.rejects(run, /^Error: no reason$/);
  });

  const waits = {
    'a proxy that is revoked': () => {
      const { proxy, revoke } = Proxy.revocable({ then() {} }, {});
      return { value: proxy, spoil: revoke };
    },
    'a proxy of a Future that is revoked': () => {
      const { proxy, revoke } = Proxy.revocable(new Future(), {});
      return { value: proxy, spoil: revoke };
    },
    'a `then` that throws when it is read again': () => {
      let spoilt = false;
      const value = { get then() { return spoilt ? fail('no then')() : () => {}; } };
      return { value, spoil: () => { spoilt = true; } };
    },
    'what has such a prototype': () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      return { value: Object.setPrototypeOf({ then() {} }, proxy), spoil: revoke };
    },
  };
  for (const [what, make] of Object.entries(waits)) {
    for (const [where, wrap] of Object.entries(
      { alone: (value) => value, 'as a member': (value) => [value, co.gen.sleep(3_600_000)] })) {
      it(`ends a wait for ${what}, ${where}, and other runs of the signal`, async () => {
        const controller = new AbortController();
        const { signal } = controller;
        const { value, spoil } = make();
        const log = [];
        const runs = [wrap(value), never()].map((wait) => co.run(function* () {
          try {
            yield wait;
          } finally {
            log.push('ended');
          }
        }, { signal, name: what }));
        await turn();
        spoil();
        assert.equal(co.inspect().filter(({ name }) => name === what).length, 2);
        controller.abort();
        await Promise.all(runs.map((run) => assert.rejects(run, { name: 'AbortError' })));
        assert.deepEqual(log, ['ended', 'ended']);
      });
    }
  }

  it('ends a generator that was frozen, or hidden, while it waited', async () => {
    for (const spoil of [Object.freeze, () => {}]) {
      const controller = new AbortController();
      const inner = (function* () {
        yield never();
      })();
      const strict = membrane(inner);
      const run = co.run(function* () {
        yield spoil === Object.freeze ? inner : strict;
      }, { signal: controller.signal });
      await turn();
      spoil(inner);
      controller.abort();
      await assert.rejects(run, { name: 'AbortError' });
    }
  });

  it('has a name for functions that have none to tell', async () => {
    const unnamed = Object.defineProperty(function* () {
      yield never();
    }, 'name', { get: fail('no name') });
    const oddly = Object.defineProperty(function* () {
      yield never();
    }, 'name', { value: Symbol('odd') });
    for (const fn of [unnamed, oddly]) {
      await assert.rejects(co.run(fn, { timeout: 1 }),
        { message: 'The run did not end within 1 ms' });
    }
  });
});

describe('a hook that settles what is being waited for', () => {
  it('a thenable', () => withHook(async (arm) => {
    assert.equal(await co(function* () {
      return yield { then: (resolve) => arm('FIBRIL_WAIT', () => resolve('hooked')) };
    }), 'hooked');
    await assert.rejects(co(function* () {
      yield { then: (resolve, reject) => arm('FIBRIL_WAIT', () => reject(new Error('hooked'))) };
    }), /^Error: hooked$/);
  }));

  it('a thenable in co.run', () => withHook(async (arm) => {
    assert.equal(await co.run(function* () {
      return yield { then: (resolve) => arm('FIBRIL_WAIT', () => resolve('hooked')) };
    }), 'hooked');
  }));

  it('a thunk', () => withHook(async (arm) => {
    assert.equal(await co(function* () {
      return yield (callback) => arm('PROMISE', () => callback(null, 'hooked'));
    }), 'hooked');
    await assert.rejects(co(function* () {
      yield (callback) => arm('PROMISE', () => callback(new Error('hooked')));
    }), /^Error: hooked$/);
  }));

  it('the last member of an array', () => withHook(async (arm) => {
    assert.deepEqual(await co(function* () {
      return yield [function* () {
        return yield { then: (resolve) =>
          arm('FIBRIL_WAIT', () => arm('PROMISE', () => resolve('hooked'))) };
      }];
    }), ['hooked']);
  }));

  it('all of a run, when its promise is made', () => withHook(async (arm) => {
    assert.equal(await co(function* () {
      return yield { then: (resolve) =>
        arm('FIBRIL_WAIT', () => arm('PROMISE', () => resolve('hooked'))) };
    }), 'hooked');
  }));

  for (const [what, settle, expected] of [
    ['with a result', (future) => future.setResult('hooked'), 'hooked'],
    ['with an error', (future) => future.setException(new Error('hooked')), 'hooked'],
    ['by cancel()', (future) => future.cancel(), 'operation canceled'],
  ]) {
    it(`a Future, ${what}`, () => withHook(async (arm) => {
      const outcomes = [];
      for (const wrap of [(future) => future, (future) => [future]]) {
        const future = new Future();
        await co(function* () {
          arm('FIBRIL_FUTURE', () => settle(future));
          return yield wrap(future);
        }).then((value) => outcomes.push(String(value)), (error) => outcomes.push(error.message));
      }
      assert.deepEqual(outcomes, [expected, expected]);
    }));
  }
});

describe('values that may not be looked at', () => {
  it('are results of co, co.wrap and a generator, at once and later', async () => {
    const value = opaque({ v: 1 });
    assert.equal(await co(value), value);
    assert.equal(await co(function* () {
      return value;
    }), value);
    assert.equal(await co.wrap(function* () {
      return value;
    })(), value);
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    await assert.rejects(co.wrap(function* () {
      return revoked.proxy;
    })(), /revoked/);
  });

  it('are results of coroutines, or their errors', async () => {
    const value = opaque({ v: 1 });
    const failing = { get then() { return fail('no then')(); } };
    for (const wait of [false, true]) {
      const returning = gen.coroutine(function* (result) {
        if (wait) yield later();
        return result;
      });
      assert.equal((await returning({ value })).value, value);
      await assert.rejects(returning(failing), /^Error: no then$/);
    }
    await assert.rejects(gen.coroutine(() => failing)(), /^Error: no then$/);
    const thrown = opaque(new Error('thrown'));
    await assert.rejects(gen.coroutine(() => {
      throw thrown;
    })(), (error) => error === thrown);
    await assert.rejects(gen.coroutine(function* () {
      throw thrown;
    })(), (error) => error === thrown);
  });

  it('are run where they are generators', async () => {
    const work = function* () {
      return yield later(7);
    };
    assert.equal(await co(membrane(work())), 7);
    assert.deepEqual(await co(function* () {
      return [yield membrane(work()), yield [membrane(work())]];
    }), [7, [7]]);
  });

  it('are thrown at the yield as errors, with traces too', async () => {
    const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit');
    if (!co.traces()) return;
    try {
      const error = opaque(new Error('original'));
      assert.equal(await co(function* () {
        try {
          yield Promise.reject(error);
        } catch (caught) {
          return caught === error;
        }
      }), true);
      assert.equal(await co(function* () {
        try {
          yield Promise.reject(new Error('original'));
        } catch (caught) {
          Object.defineProperty(Error, 'stackTraceLimit', limit);
          return caught.message;
        } finally {
          Object.defineProperty(Error, 'stackTraceLimit', limit);
        }
      }), 'original');
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', limit);
      co.traces(false);
    }
  });
});

/**
 * Errors that cannot be described, and what a function is called with to make them so for a moment.
 */
const indescribable = {
  'a stack that throws': (message) => Object.defineProperty(new Error(message), 'stack',
    { get: fail('no stack') }),
  'a class that throws': (message) => opaque(new Error(message)),
  'inspect.custom that throws': (message) => ({ message, [inspect.custom]: fail('no inspect') }),
};

describe('errors that cannot be described', () => {
  for (const [what, make] of Object.entries(indescribable)) {
    it(`do not cost the outcome of a list: ${what}`, async () => {
      const settled = (message) => {
        const future = new Future();
        setImmediate(() => future.setException(make(message)));
        return future;
      };
      for (const list of [() => [settled('a'), settled('b')],
        () => gen.multi([settled('a'), settled('b')])]) {
        const warnings = await warningsDuring(async () => {
          await assert.rejects(gen.coroutine(function* () {
            yield list();
          })(), ({ message }) => message === 'a');
        });
        assert.deepEqual(warnings.map(([code]) => code), ['FIBRIL_MULTIPLE_EXCEPTIONS']);
      }
    });

    it(`are a warning when they come too late: ${what}`, async () => {
      const warnings = await warningsDuring(async () => {
        const future = new Future();
        await assert.rejects(gen.withTimeout(0, future), gen.TimeoutError);
        future.setException(make('late'));
        await turn();
      });
      assert.deepEqual(warnings.map(([code]) => code), ['FIBRIL_AFTER_TIMEOUT']);
    });
  }

  it('nor does a warning that cannot be given, or a class that throws', async () => {
    const { emitWarning } = process;
    process.emitWarning = fail('no warning');
    try {
      const failed = () => {
        const future = new Future();
        future.setException(new Error('failed'));
        return future;
      };
      await assert.rejects(gen.multi([failed(), failed()]), /^Error: failed$/);
      class Picky {
        static [Symbol.hasInstance]() {
          throw new Error('no class');
        }
      }
      await assert.rejects(gen.multi([failed(), failed()], { quietExceptions: Picky }),
        /^Error: failed$/);
    } finally {
      process.emitWarning = emitWarning;
    }
  });

  it('quietExceptions are classes', () => {
    for (const quietExceptions of [5, null, [Error, 'x'], {}]) {
      assert.throws(() => gen.multi([], { quietExceptions }), { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => gen.withTimeout(0, gen.moment, { quietExceptions }),
        { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('bad yields are named all the same, and of bad arguments what their getters throw is the outcome', async () => {
    class Silent {
      [inspect.custom]() {
        throw new Error('no inspect');
      }
    }
    await assert.rejects(gen.coroutine(function* () {
      yield new Silent();
    })(), { name: 'BadYieldError', code: 'FIBRIL_EBADYIELD' });
    const hidden = Object.defineProperty({}, 'constructor', { get: fail('no constructor') });
    assert.throws(() => gen.coroutine(hidden), { message: 'no constructor' });
  });

  it('all unread ones are written when the process exits, with its code', () => {
    const program = `
      const { Future } = require(${lib});
      const kept = ['one', 'two'].map((message) => {
        const future = new Future();
        future.setException(new Error(message));
        return future;
      });
      Error.prepareStackTrace = () => { throw new Error('prepare'); };
      process.on('exit', () => console.log('exit', kept.length));
      setImmediate(() => process.exit(3));`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program],
      { encoding: 'utf8' });
    const each = (message) =>
      `fibril: nobody has asked for the error of a Future: \\[?Error: ${message}\\]?\n`;
    assert.match(stderr, new RegExp(
      `^${each('one')}${each('two')}$`)); // Node 26 has its own words for them
    assert.equal(stdout, 'exit 2\n');
    assert.equal(status, 3);
  });
});

describe('a generator that others may hold', () => {
  it('is refused by gen.coroutine while it runs', async () => {
    const generator = (function* () {
      const seen = [];
      for (let i = 0; i < 3; i++) seen.push(yield gen.sleep(1, i));
      return seen;
    })();
    const first = co(generator);
    await assert.rejects(gen.coroutine(() => generator)(), /already being run/);
    assert.deepEqual(await first, [0, 1, 2]);
    const other = (function* () {
      return yield gen.sleep(1, 'once');
    })();
    const wrapped = gen.coroutine(() => other);
    const results = [wrapped(), wrapped()];
    assert.equal(await results[0], 'once');
    await assert.rejects(results[1], /already being run/);
  });
});

describe('signals that throw', () => {
  it('give a call one outcome', async () => {
    const unhandled = await unhandledDuring(async () => {
      await assert.rejects(
        co.fs.du('/usr/lib', { signal: { aborted: false, addEventListener: fail('refused'),
          removeEventListener() {} } }), /^Error: refused$/);
      while (co.inspect().some(({ name }) => name === 'du')) await turn();
    });
    assert.deepEqual(unhandled, []);
  });

  for (const [what, make] of Object.entries({
    'when a generator of C is made': () => {
      const signal = { aborted: false, addEventListener: fail('refused'),
        removeEventListener() {} };
      return iterators.hang(signal);
    },
    'when one is first asked': () => {
      const signal = { aborted: false, addEventListener() {}, removeEventListener() {} };
      const generator = iterators.hang(signal);
      Object.defineProperty(signal, 'aborted', { get: fail('refused') });
      return generator;
    },
    'when one is made and its signal is asked': () => {
      let reads = 0;
      return iterators.hang({
        get aborted() { return reads++ > 0 ? fail('refused')() : false; },
        addEventListener() {},
        removeEventListener() {},
      });
    },
  })) {
    it(`reject the first request: ${what}`, async () => {
      const generator = make();
      await assert.rejects(generator.next(), /^Error: refused$/);
      assert.deepEqual(await generator.next(), { value: undefined, done: true });
    });
  }
});

describe('a callback of the loop', () => {
  it('whose result cannot be looked at is one that fails', async () => {
    const loop = IOLoop.current();
    const error = await new Promise((resolve) => {
      loop.handleCallbackException = (callback, thrown) => resolve(thrown);
      loop.addCallback(() => ({ get then() { return fail('no then')(); } }));
    }).finally(() => {
      delete loop.handleCallbackException;
    });
    assert.equal(error.message, 'no then');
  });
});

describe('cancel()', () => {
  it('of a native call that nobody reads is no error that nobody has asked for', () => {
    const { status, stderr } = spawnSync(process.execPath,
      ['-e', `require(${lib}).gen.sleep(3_600_000).cancel()`], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });
});

describe('the Future of a file function', () => {
  let folder;
  let fifo;
  let keeper;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-'));
    fifo = path.join(folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    // so that opening it does not wait, and reading does
    keeper = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  });
  after(() => {
    fs.closeSync(keeper);
    fs.rmSync(folder, { recursive: true });
  });

  const reads = () => co.inspect().filter(({ name }) => name === 'fsReadFile');
  const reading = async () => {
    while (reads().every(({ waitsFor }) => waitsFor !== 'poll')) await turn();
  };

  it('cancels the call, whose result is to be converted', async () => {
    const future = gen.future(co.fs.readFile)(fifo, 'utf8');
    await reading();
    assert.equal(future.cancel(), true);
    assert.equal(future.done(), false);
    await assert.rejects(future, { code: 'ECANCELED' });
    assert.deepEqual(reads(), []);
  });

  it('is one that the end of a run cancels and waits for', async () => {
    const controller = new AbortController();
    const run = co.run(function* () {
      yield gen.future(co.fs.readFile)(fifo, 'utf8');
    }, { signal: controller.signal });
    await reading();
    controller.abort();
    await assert.rejects(run, { name: 'AbortError' });
    assert.deepEqual(reads(), []);
  });

  it('has the converted result, or what converting it throws', async () => {
    assert.equal(await gen.future(co.fs.readFile)(__filename, 'utf8'),
      fs.readFileSync(__filename, 'utf8'));
    assert.equal((await gen.future(co.fs.stat)(__filename)).isFile(), true);
    await assert.rejects(gen.future(co.fs.stat)('/nonexistent'), { code: 'ENOENT' });
  });

  it('is the only one: calls that getters make give promises', async () => {
    for (const encoding of [undefined, 'no encoding']) {
      const made = [];
      const options = { encoding, get bigint() { return made.push(co.sleep(0)) < 0; } };
      const future = gen.future(co.fs.stat)(__filename, options);
      assert.ok(future instanceof Future);
      await future.catch(() => {});
      assert.ok(made.length > 0 && made.every((each) => each instanceof Promise));
    }
  });

  it('or its promise: a signal that only Node takes is Node\'s', async () => {
    const signal = { aborted: false, addEventListener() {} };
    assert.equal(await co.fs.readFile(__filename, { signal, encoding: 'utf8' }),
      fs.readFileSync(__filename, 'utf8'));
  });
});

describe('a domain', () => {
  it('that a generator enters between its waits for Futures is its own after them', () => {
    const program = `
      const co = require(${lib});
      const domain = require('node:domain');
      co(function* () {
        const seen = [];
        yield co.gen.sleep(1);
        yield co.gen.sleep(1);
        for (const each of [domain.create(), domain.create()]) {
          const heard = new co.Future();
          each.on('error', () => heard.setResult()); // Node leaves every domain then
          each.enter();
          yield co.gen.sleep(1);
          setTimeout(() => { throw new Error('for the domain'); });
          yield heard;
          seen.push(process.domain === each);
          each.exit();
        }
        yield co.gen.sleep(1);
        console.log(...seen, process.domain ?? 'none');
      });`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-deprecation', '-e', program],
      { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(stdout, 'true true none\n');
  });
});

describe('a Promise whose species throws', () => {
  it('keeps no failing call from settling', () => {
    const program = `
      const { fs } = require(${lib});
      Object.defineProperty(Promise, Symbol.species, { get() { throw new Error('species'); } });
      (async () => {
        try {
          await fs.readFile('/nonexistent');
        } catch {
          console.log('rejected');
        }
      })();`;
    const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    assert.equal(stdout, 'rejected\n');
  });

  it('keeps no Future from resuming who waits for it', () => {
    const program = `
      const co = require(${lib});
      const futures = [new co.Future(), new co.Future()];
      co(function* () {
        console.log(yield futures[0]);
      });
      co(function* () {
        try {
          yield [futures[1], 1];
        } catch (error) {
          console.log(error.message);
        }
      });
      Object.defineProperty(Promise, Symbol.species, { get() { throw new Error('species'); } });
      futures[0].setResult('set');
      setImmediate(() => futures[1].setException(new Error('failed')));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(stdout, 'set\nfailed\n');
  });

  it('keeps no run that is ended from its end', () => {
    const program = `
      const co = require(${lib});
      const waits = [() => new Promise(() => {}), () => co.sleep(1e6), () => [co.sleep(1e6), co.gen.sleep(1e6)], () => co.gen.sleep(1e6)];
      const controller = new AbortController();
      waits.forEach(async (wait, i) => {
        try {
          await co.run(function* () { yield wait(); }, { signal: controller.signal });
        } catch (error) {
          console.log(i, error.name);
        }
      });
      Object.defineProperty(Promise, Symbol.species, { get() { throw new Error('species'); } });
      controller.abort();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.deepEqual(stdout.trim().split('\n').sort(), [0, 1, 2, 3].map((i) => `${i} AbortError`));
  });
});

describe('IOLoop.runSync', () => {
  it('calls nothing when its arguments are none', async () => {
    const loop = IOLoop.current();
    let called = false;
    const fn = () => {
      called = true;
    };
    assert.throws(() => loop.runSync(fn, { timeout: '5' }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => loop.runSync(fn, { timeout: NaN }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => loop.runSync(5), { code: 'ERR_INVALID_ARG_TYPE' });
    await new Promise((resolve) => loop.addCallback(resolve));
    assert.equal(called, false);
  });
});

describe('co.register', () => {
  it('refuses what has no instances', () => {
    const none = Object.assign(function () {}, { prototype: null });
    for (const Class of [() => {}, none, function () {}.bind(), 5]) {
      assert.throws(() => co.register(Class, () => 1), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('has converters that lead to each other end in an error', async () => {
    class A {}
    class B {}
    co.register(A, () => new B());
    co.register(B, () => new A());
    try {
      await assert.rejects(co(function* () {
        yield new A();
      }), { name: 'TypeError', reason: 'its converter leads back to it' });
      co.register(B, () => Promise.resolve('through both'));
      assert.equal(await co(function* () {
        return yield new A();
      }), 'through both');
    } finally {
      co.register(A, null);
      co.register(B, null);
    }
  });
});

describe('a global object', () => {
  it('needs to have nothing but JavaScript', async () => {
    const folder = path.join(__dirname, '..', 'lib');
    const { Buffer: Bytes, URL: Url } = globalThis;
    const context = vm.createContext({ process, Buffer: Bytes, URL: Url });
    const loaded = new Map();
    const load = (file) => {
      if (file.endsWith('.node')) return require(file);
      if (!loaded.has(file)) {
        const made = { exports: {} };
        loaded.set(file, made);
        const within = (name) => (name.startsWith('.')
          ? load(require.resolve(path.resolve(path.dirname(file), name))) : require(name));
        const wrapper = vm.runInContext(Module.wrap(fs.readFileSync(file, 'utf8')), context,
          { filename: file });
        wrapper(made.exports, within, made, file, path.dirname(file));
      }
      return loaded.get(file).exports;
    };
    context.co = load(path.join(folder, 'co', 'index.js'));
    assert.equal(await vm.runInContext(
      'co.run(function* () { return (yield [Promise.resolve(7)])[0]; }, { timeout: 60000 })',
      context), 7);
  });
});

describe('own properties', () => {
  it('of a yielded object are those of the result, whatever Object.prototype has', () => {
    const program = `
      const co = require(${lib});
      Object.defineProperty(Object.prototype, 'odd', { set() { throw new Error('setter'); } });
      Object.freeze(Object.prototype);
      co(function* () {
        return yield { valueOf: 3, toString: Promise.resolve(4), odd: 5, a: [{ hasOwnProperty: 7, odd: Promise.resolve(6) }] };
      }).then(({ valueOf, toString, odd, a }) => console.log(valueOf, toString, odd, a[0].odd));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(stdout, '3 4 5 6\n');
  });
});
