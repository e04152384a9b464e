'use strict';

// AsyncLocalStorage right through every way back into JavaScript, with both runners;
// co-context.test.js has what co alone can yield.

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const path = require('node:path');

const { natives } = require('./support/natives');

const storage = new AsyncLocalStorage();
const lib = path.join(__dirname, '..', 'lib') + path.sep;

/**
 * A copy of fibril of its own, as another thread or test runner would have it, with the runner
 * chosen.
 */
function load(runner) {
  const before = process.env.FIBRIL_RUNNER;
  const cached = Object.entries(require.cache)
    .filter(([file]) => file.startsWith(lib) || file.endsWith('fibril.node'));
  for (const [file] of cached) delete require.cache[file];
  process.env.FIBRIL_RUNNER = runner;
  try {
    return require('../lib');
  } finally {
    if (before === undefined) delete process.env.FIBRIL_RUNNER;
    else process.env.FIBRIL_RUNNER = before;
    for (const file of Object.keys(require.cache)) {
      if (file.startsWith(lib) || file.endsWith('fibril.node')) delete require.cache[file];
    }
    for (const [file, module] of cached) require.cache[file] = module;
  }
}

/** Calls back what was handed to it, from a context of its own, once an immediate. */
class Elsewhere {
  #pending = [];
  #immediate;

  constructor() {
    storage.run('elsewhere', () => this.#turn());
  }

  #turn() {
    this.#immediate = setImmediate(() => {
      for (const fn of this.#pending.splice(0)) fn();
      this.#turn();
    });
  }

  call(fn, ...args) {
    this.#pending.push(() => fn(...args));
  }

  close() {
    clearImmediate(this.#immediate);
  }
}

describe('AsyncLocalStorage through every wait', () => {
  let elsewhere;
  before(() => {
    elsewhere = new Elsewhere();
  });
  after(() => elsewhere.close());

  const note = (seen) => () => {
    seen.push(storage.getStore());
  };

  // Every await: what is awaited, and what else sees the store meanwhile. Each gets a function that
  // notes it.
  const awaits = {
    'a call that ends at once': () => natives.echo(1),
    'one that ends in the same turn': () => natives.pass(1),
    'one that ends behind a poll': () => natives.echoMoment(1),
    'a sleep': () => natives.echoLater(1, 1),
    'a job of the thread pool': () => natives.work(1),
    'children in C': () => natives.sumChildren(),
    'a failure at once': () => natives.fail('x').catch(() => {}),
    'a failure behind a poll': () => natives.fail('x', true).catch(() => {}),
    'bad arguments': () => natives.add('x').catch(() => {}),
    'a call that is cancelled elsewhere': () => {
      const controller = new AbortController();
      elsewhere.call(() => controller.abort());
      return natives.forever({ signal: controller.signal }).catch(() => {});
    },
    'a function that C calls at once': (seen) => natives.call(note(seen), 1),
    'a function that C calls behind a poll': (seen) => natives.call(note(seen), 1, true),
    'a function that C calls, which throws': (seen) => natives.messageOfThrow(() => {
      note(seen)();
      throw new Error('thrown');
    }),
    'an async function that C calls': (seen) => natives.call(async () => {
      note(seen)();
      await natives.echoMoment(1);
      note(seen)();
      await new Promise((resolve) => elsewhere.call(resolve));
      note(seen)();
    }, 1, true),
    'a promise that C waits for, settled elsewhere': () =>
      natives.call(() => new Promise((resolve) => elsewhere.call(resolve)), 1, true),
    'a promise that C waits for, rejected elsewhere': () =>
      natives.messageOfThrow(() =>
        new Promise((_, reject) => elsewhere.call(reject, new Error('x')))),
    'a thenable that C waits for': (seen) => natives.call(() => ({
      get then() {
        note(seen)();
        return (resolve) => {
          note(seen)();
          elsewhere.call(resolve);
        };
      },
    }), 1, true),
    'a thenable that C calls for at once': (seen) => natives.call(() => ({
      then(resolve) {
        note(seen)();
        elsewhere.call(resolve);
      },
    }), 1),
    'functions called in turn, with waits between': (seen) => natives.sumCalls(async (i) => {
      note(seen)();
      await natives.echoLater(0, i % 2);
      note(seen)();
      return 0;
    }, 4),
    'functions called by children in C': (seen) => natives.callBoth(note(seen), async () => {
      await natives.echoMoment(1);
      note(seen)();
    }),
    'a native call inside a function that C calls': (seen) =>
      natives.call(() => natives.call(note(seen), 1, true), 1, true),
    'a Future': () => natives.runtime.future(natives.echoMoment)(1),
    'a Future that fails': () => natives.runtime.future(natives.fail)('x', true).catch(() => {}),
    'a Future that is done': async () => {
      const future = natives.runtime.future(natives.echo)(1);
      await future;
    },
    'a Future started elsewhere': () => {
      const future = storage.run('elsewhere', () => natives.runtime.future(natives.echoMoment)(1));
      return future;
    },
    'done callbacks of a Future': (seen) => {
      const future = natives.runtime.future(natives.echoMoment)(1);
      future.addDoneCallback(note(seen));
      storage.run('elsewhere', () => future.addDoneCallback(() => {}));
      future.addDoneCallback(note(seen));
      return future;
    },
    'a done callback whose Future is cancelled elsewhere': (seen) => new Promise((resolve) => {
      const future = natives.runtime.future(natives.forever)();
      future.addDoneCallback(() => {
        note(seen)();
        resolve();
      });
      elsewhere.call(() => future.cancel());
    }),
  };

  for (const [what, start] of Object.entries(awaits)) {
    it(`await of ${what}`, async () => {
      const stores = await Promise.all(['first', 'second']
        .map((name) => storage.run({ name }, async () => {
        const mine = storage.getStore();
        const seen = [];
        await start(seen);
        seen.push(storage.getStore());
        return seen.map((store) => (store === mine ? 'mine' : store));
      })));
      for (const seen of stores) assert.deepStrictEqual(seen, seen.map(() => 'mine'));
      assert.strictEqual(storage.getStore(), undefined);
    });
  }

  it('the method of a thenable that is the result runs where it does for any promise that is resolved elsewhere', async () => {
    const storeIn = (resolve) => storage.run('mine', () => new Promise((done) => {
      resolve({
        then(fulfill) {
          done(storage.getStore());
          fulfill();
        },
      });
    }));
    const ofNode = await storeIn((thenable) => new Promise((resolve) => {
      storage.exit(() => setImmediate(resolve, thenable));
    }));
    assert.strictEqual(await storeIn((thenable) => natives.echoMoment(thenable)), ofNode);
  });

  for (const runner of ['js', 'native']) {
    describe(`in generators, with the runner in ${runner === 'js' ? 'JavaScript' : 'C'}`, () => {
      let co;
      let gen;
      let sleep;
      let stat;
      let done;
      before(async () => {
        co = load(runner);
        ({ gen, sleep } = co);
        stat = gen.future(co.fs.stat);
        done = gen.sleep(0);
        await done;
      });

      const yields = {
        ...awaits,
        'a Future of this copy': () => gen.sleep(1),
        'a Future of this copy that fails': () => stat('/nowhere'),
        'a Future that is done already': () => storage.run('elsewhere', () => done),
        'a Future that another generator waits for too': () => {
          const shared = gen.sleep(1);
          storage.run('elsewhere', () => co(function* () {
            yield shared;
          }));
          return shared;
        },
        'a Future cancelled elsewhere': () => {
          const endless = gen.sleep(1e9);
          elsewhere.call(() => endless.cancel());
          return endless;
        },
        'Futures in an array': () => [gen.sleep(1), gen.sleep(0), [gen.sleep(2)]],
        'an array in which a Future fails': () => [gen.sleep(5), stat('/nowhere')],
        'promises and Futures in an object': () => (
          { a: sleep(1), b: gen.sleep(1), c: { d: sleep(0) } }),
        'a thunk that a native call ends': () => (callback) => {
          sleep(1).then(() => callback());
        },
        'a thunk that is called back elsewhere': () => (callback) => elsewhere.call(callback),
        'a thunk called back by a done callback': () => (callback) => gen.sleep(1)
          .addDoneCallback(() => callback()),
        'a generator that waits for Futures': (seen) => (function* () {
          note(seen)();
          yield gen.sleep(1);
          note(seen)();
          yield [gen.sleep(1), sleep(1)];
          note(seen)();
        })(),
        'an async generator': (seen) => (async function* () {
          await sleep(1);
          note(seen)();
          yield sleep(1);
          note(seen)();
        })(),
        'an async function': (seen) => async () => {
          await gen.sleep(1);
          note(seen)();
        },
        'a lock that is released elsewhere': () => {
          const lock = new co.locks.Lock();
          elsewhere.call(() => lock.release());
          return lock.acquire().then(() => lock.acquire());
        },
        'a queue that is filled elsewhere': () => {
          const queue = new co.queues.Queue();
          elsewhere.call(() => queue.put(1));
          return queue.get();
        },
        'gen.moment': () => gen.moment,
        'gen.multi': () => gen.multi([gen.sleep(1), sleep(1)]),
        'gen.withTimeout that times out': () => gen.withTimeout(1, new Promise(() => {}))
          .catch(() => {}),
        'gen.Task that is called back elsewhere': () =>
          gen.Task((callback) => elsewhere.call(callback)),
        'a WaitIterator': () => new gen.WaitIterator(gen.sleep(2), gen.sleep(1)).next(),
        'callbacks of the loop': (seen) => new Promise((resolve) => {
          const loop = co.IOLoop.current();
          loop.addCallback(note(seen));
          loop.addFuture(gen.sleep(1), note(seen));
          loop.callLater(5, () => {
            note(seen)();
            resolve();
          });
        }),
        'a function that C calls, which is a coroutine too': (seen) =>
          natives.call(co.wrap(function* () {
          note(seen)();
          yield gen.sleep(1);
          note(seen)();
        }), 1, true),
      };

      for (const [what, make] of Object.entries(yields)) {
        it(`yield of ${what}`, async () => {
          const stores = await Promise.all(['first', 'second']
            .map((name) => storage.run({ name }, () => {
            const mine = storage.getStore();
            return co(function* () {
              const seen = [];
              for (let i = 0; i < 2; i++) {
                try {
                  yield make(seen);
                } catch (error) {
                  if (!/^(ENOENT|ECANCELED)$/.test(error.code)) throw error;
                }
                seen.push(storage.getStore());
              }
              return seen.map((store) => (store === mine ? 'mine' : store));
            });
          })));
          for (const seen of stores) assert.deepStrictEqual(seen, seen.map(() => 'mine'));
        });
      }

      it('resumes are made where the runner is', async () => {
        const frames = await co(function* () {
          yield gen.sleep(0);
          return new Error('where').stack;
        });
        assert.strictEqual(/\bresumeInJS\b/.test(frames), runner === 'js', frames);
      });

      it('the generator\'s cleanup sees it when the wait fails', async () => {
        const seen = [];
        await storage.run('mine', () => co(function* () {
          try {
            yield stat('/nowhere');
          } finally {
            seen.push(storage.getStore());
            yield gen.sleep(0);
            seen.push(storage.getStore());
          }
        })).catch(() => {});
        assert.deepStrictEqual(seen, ['mine', 'mine']);
      });
    });
  }
});
