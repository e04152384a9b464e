'use strict';

/* What co 4.6.0 promises, row by row. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const vm = require('node:vm');
const Bluebird = require('bluebird');
const original = require('co');

const { co, turn, unhandledDuring } = require('./support/co');

const later = (value, turns = 1) =>
  new Promise((resolve) => {
    const wait = () => (turns-- > 0 ? setImmediate(wait) : resolve(value));
    wait();
  });
const failLater = (error, turns) => later(undefined, turns).then(() => Promise.reject(error));
const read = (file, encoding) => (done) => fs.readFile(file, encoding, done);

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

  for (const Other of [class SubPromise extends Promise {}, Bluebird]) {
    it(`returns a promise of whatever the global Promise is when it is called: ${Other.name}`, async () => {
      const Native = Promise;
      globalThis.Promise = Other;
      let promises;
      try {
        promises = [
          co(function* () {}),
          co(function* () {
            return [yield Native.resolve(1), yield Other.resolve(2), yield [Other.resolve(3), { four: Native.resolve(4) }]];
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
      assert.deepEqual(outcomes.map(({ value, reason }) => value ?? reason?.message), [undefined, [1, 2, [3, { four: 4 }]], 5, 'adopted', 'no']);
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
    for (const value of [undefined, null, 0, '', 'text', object, array]) assert.equal(await co(value), value);
    assert.equal(await co(() => array), array);
  });

  it('adopts a promise in place of a generator, resolved or rejected', async () => {
    assert.equal(await co(Promise.resolve(3)), 3);
    assert.equal(await co(() => Promise.resolve(3)), 3);
    await assert.rejects(co(Promise.reject(new Error('no'))), { message: 'no' });
    const promise = Promise.resolve();
    assert.notEqual(co(promise), promise);
  });

  it('adopts a promise that the generator returns, and runs nothing else that it returns', async () => {
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
    const iterator = (...values) => ({ next: () => ({ done: values.length === 1, value: values.shift() }) });
    assert.equal(await co(iterator(Promise.resolve(1), 'end')), 'end');
    await assert.rejects(co(iterator(Promise.reject(new Error('lost')), 'end')), { name: 'TypeError', message: 'gen.throw is not a function' });
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

  it('hands its own this to the generator function and to every function yielded, at any depth', async () => {
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

  it('is the global object in a plain call, the object in a method call, boxed if primitive', async () => {
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

  it('takes any object or function with a then method, and calls it at once with two functions', async () => {
    const calls = [];
    const thenable = (value) => ({
      then(...args) {
        calls.push([this === thenableNow, args.length, ...args.map((arg) => typeof arg)]);
        setImmediate(args[0], value);
      },
    });
    const thenableNow = thenable('object');
    const callable = Object.assign(() => assert.fail('called'), { then: (resolve) => resolve('function') });
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

describe('co: yielding thunks', () => {
  it('calls it at once with this and one argument, and resumes with what it calls back with', async () => {
    let args;
    const value = await co(function* () {
      return yield function (...all) {
        args = all;
        setImmediate(all[0], null, 'value');
      };
    });
    assert.equal(args.length, 1);
    assert.equal(value, 'value');
  });

  it('reads files', async () => {
    const [pkg, text] = await co(function* () {
      const first = yield read('package.json', 'utf8');
      return [JSON.parse(first), yield read('LICENSE', 'utf8')];
    });
    assert.equal(pkg.name, 'fibril');
    assert.match(text, /MIT/);
  });

  it('gives undefined for no value and an array for several', async () => {
    const calling =
      (...args) =>
      (done) =>
        done(...args);
    const result = await co(function* () {
      return [
        yield calling(),
        yield calling(null),
        yield calling(null, 1),
        yield calling(null, 'stdout', 'stderr'),
        yield calling(undefined, undefined, undefined),
      ];
    });
    assert.deepEqual(result, [undefined, undefined, 1, ['stdout', 'stderr'], [undefined, undefined]]);
  });

  it('throws any truthy error and no falsy one', async () => {
    for (const error of [new Error('no'), 'text', 1, true, {}]) {
      const caught = await co(function* () {
        try {
          yield (done) => done(error, 'value');
        } catch (reason) {
          return { reason };
        }
      });
      assert.deepEqual(caught, { reason: error });
    }
    for (const error of [null, undefined, 0, '', false, NaN]) {
      assert.equal(
        await co(function* () {
          return yield (done) => done(error, 'value');
        }),
        'value',
      );
    }
  });

  it('adopts a single value that is a promise, and not one among several', async () => {
    const promise = Promise.resolve('adopted');
    const result = await co(function* () {
      const now = yield (done) => done(null, promise);
      const then = yield (done) => setImmediate(done, null, later('later'));
      const several = yield (done) => done(null, promise, 2);
      return { now, then, several };
    });
    assert.equal(result.now, 'adopted');
    assert.equal(result.then, 'later');
    assert.equal(result.several[0], promise);
    await assert.rejects(
      co(function* () {
        yield (done) => done(null, Promise.reject(new Error('no')));
      }),
      { message: 'no' },
    );
  });

  it('throws what it throws before calling back, and ignores what it throws after', async () => {
    const result = await co(function* () {
      const log = [];
      try {
        yield () => {
          throw new Error('before');
        };
      } catch (error) {
        log.push(error.message);
      }
      log.push(
        yield (done) => {
          done(null, 'value');
          throw new Error('after');
        },
      );
      return log;
    });
    assert.deepEqual(result, ['before', 'value']);
  });

  it('listens to the first call only, and not to what is returned', async () => {
    let again;
    const result = await co(function* () {
      const now = yield (done) => {
        done(null, 1);
        done(null, 2);
        done(new Error('no'));
        return 'ignored';
      };
      const then = yield (done) => {
        again = done;
        setImmediate(() => {
          done(null, 3);
          done(new Error('no'));
        });
        return Promise.resolve('ignored');
      };
      again(null, 'late');
      return [now, then, yield later(4)];
    });
    assert.deepEqual(result, [1, 3, 4]);
  });

  it('throws an error that comes later, once, even if the thunk throws too', async () => {
    const caught = [];
    await co(function* () {
      try {
        yield (done) => setImmediate(done, new Error('later'));
      } catch (error) {
        caught.push(error.message);
      }
      try {
        yield (done) => {
          done(new Error('first'));
          throw new Error('second');
        };
      } catch (error) {
        caught.push(error.message);
      }
    });
    assert.deepEqual(caught, ['later', 'first']);
  });

  it('does not run the generator inside the code that calls back later', async () => {
    const log = [];
    await co(function* () {
      yield (done) =>
        setImmediate(() => {
          done();
          log.push('called back');
        });
      log.push('resumed');
    });
    assert.deepEqual(log, ['called back', 'resumed']);
  });

  it('takes a function made by co.wrap for a thunk, as co does', async () => {
    const wrapped = co.wrap(function* (done) {
      done(null, 'value');
    });
    const value = await co(function* () {
      return yield wrapped;
    });
    assert.equal(value, 'value');
  });
});

describe('co: yielding generators and generator functions', () => {
  function* work() {
    yield turn();
    return 'yay';
  }
  function* fail() {
    yield turn();
    throw new Error('boom');
  }

  for (const [kind, yieldable] of [
    ['generator', (fn) => fn()],
    ['generator function', (fn) => fn],
  ]) {
    it(`resumes with what the ${kind} returns, alone and in an array`, async () => {
      const result = await co(function* () {
        const one = yield yieldable(work);
        return [one, ...(yield [yieldable(work), yieldable(work), yieldable(work)])];
      });
      assert.deepEqual(result, ['yay', 'yay', 'yay', 'yay']);
    });

    it(`throws what the ${kind} throws at the yield`, async () => {
      const result = await co(function* () {
        try {
          yield yieldable(fail);
        } catch (error) {
          return error.message;
        }
      });
      assert.equal(result, 'boom');
    });

    it(`adopts a promise that the ${kind} returns`, async () => {
      const child = function* () {
        return later('adopted');
      };
      const failing = function* () {
        return Promise.reject(new Error('no'));
      };
      const result = await co(function* () {
        const one = yield yieldable(child);
        const many = yield [yieldable(child)];
        try {
          yield yieldable(failing);
        } catch (error) {
          return [one, many, error.message];
        }
      });
      assert.deepEqual(result, ['adopted', ['adopted'], 'no']);
    });
  }

  it('calls a generator function without arguments', async () => {
    const count = await co(function* () {
      return yield function* (...args) {
        return args.length;
      };
    });
    assert.equal(count, 0);
  });

  it('throws what a generator function throws when it is called', async () => {
    const bad = function* (_x = assert.fail('default')) {};
    const result = await co(function* () {
      const log = [];
      for (const yieldable of [bad, [bad], { bad }]) {
        try {
          yield yieldable;
        } catch (error) {
          log.push(error.message);
        }
      }
      return log;
    });
    assert.deepEqual(result, ['default', 'default', 'default']);
  });

  it('goes through children of children, errors and values alike', async () => {
    const down = function* (depth) {
      if (depth === 0) {
        yield turn();
        throw new Error('bottom');
      }
      try {
        yield down(depth - 1);
      } catch (error) {
        error.message += ` ${depth}`;
        throw error;
      }
    };
    await assert.rejects(co(down(4)), { message: 'bottom 1 2 3 4' });
  });

  it('runs 100,000 generators inside each other', async () => {
    const down = function* (depth) {
      return depth === 0 ? yield Promise.resolve(0) : 1 + (yield down(depth - 1));
    };
    assert.equal(await co(down(100_000)), 100_000);
  });

  it('keeps yield* what the language makes of it', async () => {
    const result = await co(function* () {
      return yield* work();
    });
    assert.equal(result, 'yay');
  });

  it('concatenates what nested calls return', async () => {
    const leaf = (n) =>
      function* () {
        return [yield later(n), n + 1];
      };
    const result = await co(function* () {
      const a = yield leaf(1);
      const b = yield co(leaf(3));
      const c = yield leaf(5)();
      return [...a, ...b, ...c];
    });
    assert.deepEqual(result, [1, 2, 3, 4, 5, 6]);
  });

  it('keeps the order of nested co calls', async () => {
    const log = [];
    await co(function* () {
      yield co(function* () {
        log.push('one');
        yield turn();
        log.push('two');
      });
      yield co(function* () {
        log.push('three');
        yield turn();
        log.push('four');
      });
    });
    assert.deepEqual(log, ['one', 'two', 'three', 'four']);
  });

  it('knows generators and generator functions of other realms and of transpilers', async () => {
    const foreign = vm.runInNewContext('(function* () { return yield Promise.resolve("foreign"); })');
    const transpiled = () => {
      const steps = [{ done: false, value: Promise.resolve('transpiled') }];
      return {
        next: (value) => steps.shift() || { done: true, value },
        throw: (error) => {
          throw error;
        },
      };
    };
    const marked = Object.assign(function () {
      return transpiled();
    });
    marked.constructor = { displayName: 'GeneratorFunction' };
    const result = await co(function* () {
      return [yield foreign, yield foreign(), yield transpiled(), yield marked, yield [foreign, marked]];
    });
    assert.deepEqual(result, ['foreign', 'foreign', 'transpiled', 'transpiled', ['foreign', 'transpiled']]);
    assert.equal(await co(foreign), 'foreign');
  });
});

describe('co: yielding arrays', () => {
  it('resumes with a new plain array of the results, in order', async () => {
    class Special extends Array {}
    const source = Special.of(later(1, 3), later(2, 2), later(3, 1));
    const result = await co(function* () {
      return yield source;
    });
    assert.deepEqual(result, [1, 2, 3]);
    assert.equal(Object.getPrototypeOf(result), Array.prototype);
    assert.ok(source[0] instanceof Promise);
  });

  it('takes an empty one', async () => {
    assert.deepEqual(
      await co(function* () {
        return yield [];
      }),
      [],
    );
  });

  it('starts the members in order before anything else happens', async () => {
    const log = [];
    const member = (name) => (done) => {
      log.push(name);
      setImmediate(done);
    };
    const promise = co(function* () {
      yield [
        member('a'),
        function* () {
          log.push('b');
        },
        { x: member('c') },
        member('d'),
      ];
    });
    log.push('returned');
    await promise;
    assert.deepEqual(log, ['a', 'b', 'c', 'd', 'returned']);
  });

  it('resolves arrays, objects, thunks and generators inside', async () => {
    const result = await co(function* () {
      return yield [
        [later(1), [later(2)]],
        { a: [later(3)] },
        (done) => setImmediate(done, null, 4),
        (function* () {
          return yield later(5);
        })(),
        { then: (resolve) => resolve(6) },
      ];
    });
    assert.deepEqual(result, [[1, [2]], { a: [3] }, 4, 5, 6]);
  });

  it('keeps what cannot be waited for', async () => {
    class Thing {}
    const kept = [null, undefined, 0, 's', true, NaN, 1n, Symbol('s'), new Map(), new Set(), new Date(), new Thing()];
    kept.push(/x/, Buffer.from('x'), Object.create(null));
    const result = await co(function* () {
      return yield kept;
    });
    assert.equal(result.length, kept.length);
    result.forEach((value, i) => assert.ok(Object.is(value, kept[i])));
  });

  it('fills holes with undefined', async () => {
    const holes = [1, , later(3)]; // eslint-disable-line no-sparse-arrays
    const result = await co(function* () {
      return yield holes;
    });
    assert.deepEqual(result, [1, undefined, 3]);
    assert.ok(1 in result);
  });

  it('throws the first error in time, at once, and swallows the others', async () => {
    const slow = later('slow', 5);
    let slowIsDone = false;
    slow.then(() => {
      slowIsDone = true;
    });
    let caught;
    const unhandled = await unhandledDuring(() =>
      co(function* () {
        try {
          yield [failLater('third', 3), slow, failLater('first', 1), failLater('second', 2), Promise.resolve()];
        } catch (error) {
          caught = [error, slowIsDone];
        }
        yield slow;
      }),
    );
    assert.deepEqual(caught, ['first', false]);
    assert.deepEqual(unhandled, []);
  });

  it('starts every member even if one fails at once', async () => {
    const log = [];
    await co(function* () {
      const member = function* (name) {
        log.push(name);
        if (name === 'a') throw new Error('a');
        yield turn();
        log.push(`${name} ends`);
      };
      try {
        yield [member('a'), member('b')];
      } catch (error) {
        log.push(`caught ${error.message}`);
      }
      yield later(0, 3);
    });
    assert.deepEqual(log, ['a', 'b', 'caught a', 'b ends']);
  });

  it('takes arrays of other realms, and the same promise twice', async () => {
    const p = later(1);
    const foreign = vm.runInNewContext('(p) => [p, 2, p]')(p);
    const result = await co(function* () {
      return yield foreign;
    });
    assert.deepEqual(result, [1, 2, 1]);
  });
});

describe('co: yielding objects', () => {
  it('resumes with a new object that has the results under the same keys in the same order', async () => {
    const source = { c: later(1, 3), a: later(2, 2), b: 'plain', 1: later(3, 1) };
    const result = await co(function* () {
      return yield source;
    });
    assert.deepEqual(result, { c: 1, a: 2, b: 'plain', 1: 3 });
    assert.deepEqual(Object.keys(result), ['1', 'c', 'a', 'b']);
    assert.ok(source.c instanceof Promise);
  });

  it('takes an empty one', async () => {
    const source = {};
    const result = await co(function* () {
      return yield source;
    });
    assert.deepEqual(result, {});
    assert.notEqual(result, source);
  });

  it('keeps what cannot be waited for', async () => {
    class Thing {}
    const kept = { date: new Date(), thing: new Thing(), no: false, nil: null, nothing: undefined, map: new Map() };
    const result = await co(function* () {
      return yield { ...kept, user: later({ name: 'x' }) };
    });
    for (const key of Object.keys(kept)) assert.equal(result[key], kept[key]);
    assert.deepEqual(Object.keys(result), [...Object.keys(kept), 'user']);
    assert.deepEqual(result.user, { name: 'x' });
  });

  it('copies arrays and objects inside, whether or not they hold anything to wait for', async () => {
    const inner = { list: [1, { two: 2 }], deep: { p: later(3) } };
    const result = await co(function* () {
      return yield { inner };
    });
    assert.deepEqual(result, { inner: { list: [1, { two: 2 }], deep: { p: 3 } } });
    assert.notEqual(result.inner, inner);
    assert.notEqual(result.inner.list, inner.list);
    assert.notEqual(result.inner.list[1], inner.list[1]);
  });

  it('leaves out symbols and what is inherited or not enumerable, and reads getters', async () => {
    const source = { [Symbol('s')]: later(1), get got() {
      return later(2);
    } };
    Object.defineProperty(source, 'hidden', { value: later(3), enumerable: false });
    const result = await co(function* () {
      return yield source;
    });
    assert.deepEqual(Reflect.ownKeys(result), ['got']);
    assert.equal(result.got, 2);
  });

  it('reads a getter once', async () => {
    let reads = 0;
    const result = await co(function* () {
      return yield { get got() {
        return later(++reads);
      } };
    });
    assert.deepEqual([result.got, reads], [1, 1]);
  });

  it('accepts a proxy of a plain object', async () => {
    const result = await co(function* () {
      return yield new Proxy({ a: later(1) }, {});
    });
    assert.deepEqual(result, { a: 1 });
  });

  it('throws the first error in time', async () => {
    await assert.rejects(
      co(function* () {
        yield { a: failLater(new Error('slow'), 3), b: failLater(new Error('fast'), 1) };
      }),
      { message: 'fast' },
    );
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
    assert.ok(!Object.hasOwn(co.wrap(make), 'arguments') && !Object.hasOwn(co.wrap(make), 'caller'));
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
  it('are reported once, with the promise that co returned, also from nested generators', async () => {
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
