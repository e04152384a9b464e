'use strict';

/* AsyncLocalStorage across every kind of yield, wherever the wake-up comes from. */

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { EventEmitter } = require('node:events');

const { co, turn } = require('./support/co');

describe('co and AsyncLocalStorage', () => {
  const storage = new AsyncLocalStorage();

  /** Calls what was registered from a context that has nothing to do with any run. */
  class Foreign {
    #pending = [];

    static #outside = new EventEmitter();

    call(fn, ...args) {
      this.#pending.push([fn, args]);
    }

    flush() {
      storage.run('foreign', () => {
        for (const [fn, args] of this.#pending.splice(0)) fn(...args);
      });
      Foreign.#outside.emit('flushed');
    }
  }

  let foreign;
  let timer;
  beforeEach(() => {
    foreign = new Foreign();
    const tick = () => {
      foreign.flush();
      timer = setImmediate(tick);
    };
    storage.exit(() => {
      timer = setImmediate(tick);
    });
  });
  afterEach(() => clearImmediate(timer));

  const work = function* () {
    yield turn();
    assert.equal(storage.getStore(), 'mine');
    yield (done) => foreign.call(done);
    assert.equal(storage.getStore(), 'mine');
  };
  const yields = {
    'a promise': () => turn(),
    'a promise resolved elsewhere': () => new Promise((resolve) => foreign.call(resolve)),
    'a promise rejected elsewhere': () => new Promise((_resolve, reject) => foreign.call(reject)),
    'a thunk that calls back at once': () => (done) => done(),
    'a thunk called back from elsewhere': () => (done) => foreign.call(done),
    'a thunk called back with an error from elsewhere': () => (done) => foreign.call(done, 'error'),
    'a thenable': () => ({ then: (resolve) => resolve() }),
    'a thenable resolved elsewhere': () => ({ then: (resolve) => foreign.call(resolve) }),
    'a thenable rejected elsewhere': () => ({ then: (_resolve, reject) => foreign.call(reject) }),
    'an array of thunks and thenables': () => [
      (done) => foreign.call(done),
      { then: (resolve) => foreign.call(resolve) },
      turn(),
    ],
    'an array whose member fails elsewhere': () => [turn(), (done) => foreign.call(done, 'error')],
    'an object of thunks': () => ({ a: (done) => foreign.call(done),
      b: { c: (done) => foreign.call(done) } }),
    'a generator': () => work(),
    'a generator function': () => work,
    'an array of generators': () => [work(), work, turn()],
    'an async function called back from elsewhere': () => async (done) => {
      foreign.call(done);
      await new Promise(() => {});
    },
    'a bad yield': () => undefined,
  };
  for (const [what, make] of Object.entries(yields)) {
    it(`keeps the store across ${what}`, async () => {
      const seen = await storage.run('mine', () =>
        co(function* () {
          const stores = [];
          for (let i = 0; i < 2; i++) {
            try {
              yield make();
            } catch {
              stores.push(storage.getStore());
            }
            stores.push(storage.getStore());
          }
          return stores;
        }),
      );
      for (const store of seen) assert.equal(store, 'mine');
    });
  }

  it('does not mix runs that take turns', async () => {
    const run = (name) =>
      storage.run(name, () =>
        co(function* () {
          const seen = [];
          for (let i = 0; i < 3; i++) {
            yield (done) => foreign.call(done);
            seen.push(storage.getStore());
            yield [turn(), turn()];
            seen.push(storage.getStore());
            yield turn();
            seen.push(storage.getStore());
          }
          return seen;
        }),
      );
    const names = ['a', 'b', 'c'];
    const seen = await Promise.all(names.map(run));
    seen.forEach((stores, i) => assert.deepEqual(new Set(stores), new Set([names[i]])));
  });

  it('keeps what enterWith sets inside', async () => {
    await storage.run('mine', () =>
      co(function* () {
        storage.enterWith('entered');
        for (const value of [turn(), (done) => foreign.call(done), [turn()],
          { then: (r) => foreign.call(r) }]) {
          yield value;
          assert.equal(storage.getStore(), 'entered');
        }
      }),
    );
  });

  it('does not take over what the members of an array set for themselves', async () => {
    const member = function* (name) {
      yield turn();
      storage.enterWith(name);
      yield turn();
      return storage.getStore();
    };
    const result = await storage.run('mine', () =>
      co(function* () {
        const names = yield [member('a'), member('b')];
        return [...names, storage.getStore()];
      }),
    );
    assert.deepEqual(result, ['a', 'b', 'mine']);
  });
});
