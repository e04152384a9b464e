'use strict';

/* What co 4.6.0 promises, row by row: arrays and objects. */

const assert = require('node:assert/strict');
const vm = require('node:vm');

const { co, turn, later, failLater, unhandledDuring } = require('./support/co');

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
    const kept = [null, undefined, 0, 's', true, NaN, 1n, Symbol('s'), new Map(), new Set(),
      new Date(), new Thing()];
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
          yield [failLater('third', 3), slow, failLater('first', 1), failLater('second', 2),
            Promise.resolve()];
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
  it('resumes with a new object that has the results under the same keys in the same order',
    async () => {
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
    const kept = { date: new Date(), thing: new Thing(), no: false, nil: null, nothing: undefined,
      map: new Map() };
    const result = await co(function* () {
      return yield { ...kept, user: later({ name: 'x' }) };
    });
    for (const key of Object.keys(kept)) assert.equal(result[key], kept[key]);
    assert.deepEqual(Object.keys(result), [...Object.keys(kept), 'user']);
    assert.deepEqual(result.user, { name: 'x' });
  });

  it('copies arrays and objects inside, whether or not they hold anything to wait for',
    async () => {
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
