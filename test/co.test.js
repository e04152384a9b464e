'use strict';

/*
 * What co 4.6.0 promises, row by row: runs, `this`, promises, co.wrap, errors that nobody handles.
 */

const assert = require('node:assert/strict');
const vm = require('node:vm');
const Bluebird = require('bluebird');
const original = require('co');

const { co, turn, later, failLater, unhandledDuring } = require('./support/co');

describe('co(generator function, ...args)', () => {
  it('is exported as itself, as co and as default', () => {
    assert.equal(co.co, co);
    assert.equal(co.default, co);
  });

  it('returns a native promise of what the generator returns', async () => {
    const promise = co(function* () {
      return 7;
    });
    assert.equal(Object.getPrototypeOf(promise), Promise.prototype);
    assert.equal(await promise, 7);
  });

  for (const [name, Other] of [['a subclass', class SubPromise extends Promise {}],
    ['bluebird', Bluebird]]) {
    it(`returns a promise of whatever the global Promise is when it is called: ${name}`,
      async () => {
      const Native = Promise;
      globalThis.Promise = Other;
      let promises;
      try {
        promises = [
          co(function* () {}),
          co(function* () {
            return [yield Native.resolve(1), yield Other.resolve(2),
              yield [Other.resolve(3), { four: Native.resolve(4) }]];
          }),
          co(5),
          co(Native.resolve('adopted')),
          co.wrap(function* () {
            throw new Error('no');
          })(),
        ];
      } finally {
        globalThis.Promise = Native;
      }
      for (const promise of promises) assert.ok(promise instanceof Other);
      const outcomes = await Promise.allSettled(promises);
      assert.deepEqual(outcomes.map(({ value, reason }) => value ?? reason?.message),
        [undefined, [1, 2, [3, { four: 4 }]], 5, 'adopted', 'no']);
    });
  }

  it('passes its further arguments to the generator function', async () => {
    const args = await co(
      function* (...all) {
        return all;
      },
      1,
      'two',
      undefined,
    );
    assert.deepEqual(args, [1, 'two', undefined]);
  });

  it('ignores arguments that come with a generator object', async () => {
    const make = function* (...all) {
      return all;
    };
    assert.deepEqual(await co(make(1), 2, 3), [1]);
  });

  it('runs the first segment before it returns, and the rest after', async () => {
    const log = [];
    const promise = co(function* () {
      log.push('first');
      yield Promise.resolve();
      log.push('second');
    });
    log.push('returned');
    await promise;
    assert.deepEqual(log, ['first', 'returned', 'second']);
  });

  for (const [what, start] of Object.entries({
    'the body before its first yield': () =>
      co(function* () {
        throw new Error('boom');
      }),
    'the default value of a parameter': () =>
      co(function* (_x = assert.fail('boom')) {
        yield Promise.resolve();
      }),
    'an ordinary function': () =>
      co(() => {
        throw new Error('boom');
      }),
    'the body after a yield': () =>
      co(function* () {
        yield Promise.resolve();
        throw new Error('boom');
      }),
  })) {
    it(`rejects with what ${what} throws`, async () => {
      await assert.rejects(start(), { message: 'boom' });
    });
  }

  it('rejects with exactly the value thrown, undefined included', async () => {
    for (const thrown of [undefined, null, 'text', 0]) {
      const reason = await co(function* () {
        yield Promise.resolve();
        throw thrown;
      }).then(assert.fail, (error) => error);
      assert.equal(reason, thrown);
    }
  });

  it('resolves with anything that is not a generator, as it is', async () => {
    const object = {};
    const array = [Promise.resolve(1)];
    for (const value of [undefined, null, 0, '', 'text', object, array]) {
      assert.equal(await co(value), value);
    }
    assert.equal(await co(() => array), array);
  });

  it('adopts a promise in place of a generator, resolved or rejected', async () => {
    assert.equal(await co(Promise.resolve(3)), 3);
    assert.equal(await co(() => Promise.resolve(3)), 3);
    await assert.rejects(co(Promise.reject(new Error('no'))), { message: 'no' });
    const promise = Promise.resolve();
    assert.notEqual(co(promise), promise);
  });

  it('adopts a promise that the generator returns, and runs nothing else that it returns',
    async () => {
    const returning = (value) =>
      co(function* () {
        return value;
      });
    assert.equal(await returning(later('x')), 'x');
    await assert.rejects(returning(Promise.reject(new Error('no'))), { message: 'no' });
    const thunk = () => assert.fail('called');
    const generator = (function* () {
      assert.fail('run');
    })();
    const array = [Promise.resolve()];
    for (const value of [thunk, generator, array]) assert.equal(await returning(value), value);
  });

  it('runs an iterator that has next only, until something is thrown at it', async () => {
    const iterator = (...values) => (
      { next: () => ({ done: values.length === 1, value: values.shift() }) });
    assert.equal(await co(iterator(Promise.resolve(1), 'end')), 'end');
    await assert.rejects(co(iterator(Promise.reject(new Error('lost')), 'end')),
      { name: 'TypeError', message: 'gen.throw is not a function' });
  });

  it('takes a generator that has ended for one that returns undefined', async () => {
    const generator = (function* () {
      return 5;
    })();
    assert.equal(await co(generator), 5);
    assert.equal(await co(generator), undefined);
  });
});

describe('co and this', () => {
  const context = { name: 'context' };

  it('hands its own this to the generator function and to every function yielded, at any depth',
    async () => {
    const seen = [];
    const note = function (done) {
      seen.push(this);
      done();
    };
    const noteInGenerator = function* () {
      seen.push(this);
      yield note;
      yield function* () {
        seen.push(this);
      };
    };
    await co.call(context, function* () {
      seen.push(this);
      yield note;
      yield noteInGenerator;
      yield [note, noteInGenerator, [note]];
      yield { a: note, b: { c: [noteInGenerator] } };
      yield (function* () {
        yield note;
      })();
    });
    assert.equal(seen.length, 15);
    for (const ctx of seen) assert.equal(ctx, context);
  });

  it('is the global object in a plain call, the object in a method call, boxed if primitive',
    async () => {
    const getThis = function* () {
      return this;
    };
    const plain = co;
    assert.equal(await plain(getThis), globalThis);
    assert.equal(await plain.call(null, getThis), globalThis);
    const owner = { co };
    assert.equal(await owner.co(getThis), owner);
    const boxed = await plain.call(5, getThis);
    assert.ok(boxed instanceof Number);
    const callable = () => {};
    assert.equal(await plain.call(callable, getThis), callable);
  });
});

describe('co: yielding promises', () => {
  it('resumes with the value of one, and of one after the other', async () => {
    const result = await co(function* () {
      const a = yield Promise.resolve(1);
      const b = yield later(2);
      return [a, b, yield Promise.resolve(3)];
    });
    assert.deepEqual(result, [1, 2, 3]);
  });

  it('throws a rejection at the yield; the generator may catch it and go on', async () => {
    const error = new Error('boom');
    const result = await co(function* () {
      let caught;
      try {
        yield Promise.reject(error);
      } catch (reason) {
        caught = reason;
      }
      return [caught, yield Promise.resolve('on')];
    });
    assert.deepEqual(result, [error, 'on']);
    assert.equal(result[0], error);
  });

  it('rejects with the very reason that nobody caught', async () => {
    const error = new Error('boom');
    const reason = await co(function* () {
      yield failLater(error);
    }).then(assert.fail, (caught) => caught);
    assert.equal(reason, error);
  });

  it('takes any object or function with a then method, and calls it at once with two functions',
    async () => {
    const calls = [];
    const thenable = (value) => ({
      then(...args) {
        calls.push([this === thenableNow, args.length, ...args.map((arg) => typeof arg)]);
        setImmediate(args[0], value);
      },
    });
    const thenableNow = thenable('object');
    const callable = Object.assign(() => assert.fail('called'),
      { then: (resolve) => resolve('function') });
    const promise = co(function* () {
      return [yield thenableNow, yield callable];
    });
    assert.deepEqual(calls, [[true, 2, 'function', 'function']]);
    assert.ok(promise instanceof Promise);
    assert.deepEqual(await promise, ['object', 'function']);
  });

  it('throws what a thenable rejects with', async () => {
    const thenable = { then: (_resolve, reject) => setImmediate(reject, new Error('no')) };
    await assert.rejects(
      co(function* () {
        yield thenable;
      }),
      { message: 'no' },
    );
  });

  it('waits for promises of other realms and for subclasses', async () => {
    class Sub extends Promise {}
    const foreign = vm.runInNewContext('Promise.resolve("foreign")');
    const result = await co(function* () {
      return [yield foreign, yield Sub.resolve('sub'), yield [foreign], yield { foreign }];
    });
    assert.deepEqual(result, ['foreign', 'sub', ['foreign'], { foreign: 'foreign' }]);
  });
});

describe('co.wrap', () => {
  it('passes this and all arguments, and makes a new run of each call', async () => {
    const object = {
      add: co.wrap(function* (a, b) {
        return [this, (yield later(a)) + b];
      }),
    };
    const [first, second] = await Promise.all([object.add(1, 2), object.add(3, 4)]);
    assert.deepEqual([first[1], second[1]], [3, 7]);
    assert.equal(first[0], object);
  });

  it('returns a function createPromise of length 0 that can be given properties', () => {
    const wrapped = co.wrap(function* (_a, _b) {});
    assert.equal(wrapped.name, 'createPromise');
    assert.equal(wrapped.length, 0);
    assert.deepEqual(Object.keys(wrapped), ['__generatorFunction__']);
    wrapped.toString = () => 'mine';
    assert.equal(String(wrapped), 'mine');
  });

  it("returns a function whose own properties are those of co's, but for what sloppy functions have", () => {
    const make = function* () {};
    const describeOwn = (fn) => Object.entries(Object.getOwnPropertyDescriptors(fn))
      .filter(([key]) => key !== 'arguments' && key !== 'caller' && key !== 'prototype').sort();
    assert.deepEqual(describeOwn(co.wrap(make)), describeOwn(original.wrap(make)));
    assert.deepEqual(Object.keys(co.wrap(make).prototype), []);
    assert.ok(!Object.hasOwn(co.wrap(make), 'arguments') &&
      !Object.hasOwn(co.wrap(make), 'caller'));
  });

  it('keeps the generator function as __generatorFunction__', () => {
    const make = function* () {};
    const wrapped = co.wrap(make);
    assert.equal(wrapped.__generatorFunction__, make);
    assert.match(String(wrapped.__generatorFunction__), /^function\*/);
    assert.ok(Object.getOwnPropertyDescriptor(wrapped, '__generatorFunction__').writable);
  });

  it('throws what the function itself throws when it is called', () => {
    const plain = co.wrap(() => {
      throw new Error('plain');
    });
    const parameter = co.wrap(function* (_x = assert.fail('parameter')) {});
    assert.throws(() => plain(), { message: 'plain' });
    assert.throws(() => parameter(), { message: 'parameter' });
  });

  it('rejects with what the body throws', async () => {
    const wrapped = co.wrap(function* () {
      throw new Error('body');
    });
    await assert.rejects(wrapped(), { message: 'body' });
  });

  it('wraps functions that return a generator, a generator function or anything else', async () => {
    assert.equal(await co.wrap(() => 5)(), 5);
    const make = function* () {
      return this;
    };
    const context = {};
    assert.equal(await co.wrap(() => make).call(context), context);
    assert.equal(
      await co.wrap(function () {
        return make.call(this);
      }).call(context),
      context,
    );
  });

  it('can be called with new', async () => {
    const wrapped = co.wrap(function* () {
      return this instanceof wrapped;
    });
    assert.equal(await new wrapped(), true);
  });
});

describe('co: errors that nobody handles', () => {
  it('are reported once, with the promise that co returned, also from nested generators',
    async () => {
    const error = new Error('lost');
    let promise;
    const unhandled = await unhandledDuring(() => {
      promise = co(function* () {
        yield function* () {
          yield [
            function* () {
              yield turn();
              throw error;
            },
          ];
        };
      });
      return later(0, 5);
    });
    assert.equal(unhandled.length, 1);
    assert.equal(unhandled[0].error, error);
    assert.equal(unhandled[0].promise, promise);
  });

  it('are reported for a run that fails before its first wait', async () => {
    const unhandled = await unhandledDuring(() => {
      co(function* () {
        throw new Error('lost');
      });
    });
    assert.equal(unhandled.length, 1);
  });
});
