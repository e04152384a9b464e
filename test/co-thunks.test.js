'use strict';

/* What co 4.6.0 promises, row by row: thunks, generators, generator functions. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const vm = require('node:vm');

const { co, turn, later } = require('./support/co');

const read = (file, encoding) => (done) => fs.readFile(file, encoding, done);

describe('co: yielding thunks', () => {
  it('calls it at once with this and one argument, and resumes with what it calls back with',
    async () => {
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
    assert.deepEqual(result, [undefined, undefined, 1, ['stdout', 'stderr'],
      [undefined, undefined]]);
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

  it('calls the next and throw that somebody has put in the place of a generator\'s own',
    async () => {
    const calls = [];
    const generator = (function* () {
      try {
        yield Promise.reject(new Error('no'));
      } catch {
        return 'caught';
      }
    })();
    for (const method of ['next', 'throw']) {
      const { [method]: original } = generator;
      generator[method] = function (value) {
        calls.push(method);
        return original.call(this, value);
      };
    }
    assert.equal(await co(generator), 'caught');
    assert.deepEqual(calls, ['next', 'throw']);
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
    const foreign = vm.runInNewContext(
      '(function* () { return yield Promise.resolve("foreign"); })');
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
      return [yield foreign, yield foreign(), yield transpiled(), yield marked,
        yield [foreign, marked]];
    });
    assert.deepEqual(result, ['foreign', 'foreign', 'transpiled', 'transpiled',
      ['foreign', 'transpiled']]);
    assert.equal(await co(foreign), 'foreign');
  });
});
