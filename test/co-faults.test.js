'use strict';

/*
 * Bad yields, and where co 4.6.0 hangs, resumes twice, overflows the stack or mixes runs up, and
 * fibril does not.
 */

const assert = require('node:assert/strict');
const { inspect } = require('node:util');
const vm = require('node:vm');

const { co, BAD_YIELD, turn } = require('./support/co');

/**
 * What is thrown at the yield of `value`, after a first wait so that nothing of it is the first
 * segment's doing.
 */
const thrownFor = (value) =>
  co(function* () {
    yield Promise.resolve();
    try {
      yield value;
    } catch (error) {
      return error;
    }
    return assert.fail('nothing was thrown');
  });

describe('co: values that cannot be yielded', () => {
  class Thing {
    toString() {
      return 'a thing';
    }
  }
  const cases = [
    [undefined, 'undefined', 'undefined'],
    [null, 'null', 'null'],
    [0, '0', 'number'],
    [1, '1', 'number'],
    [NaN, 'NaN', 'number'],
    ['', '', 'string'],
    ['something', 'something', 'string'],
    [true, 'true', 'boolean'],
    [false, 'false', 'boolean'],
    [Symbol('s'), 'Symbol(s)', 'symbol'],
    [10n, '10', 'bigint'],
    [/x/, '/x/', 'RegExp'],
    [new Error('e'), 'Error: e', 'Error'],
    [Buffer.from('b'), 'b', 'Buffer'],
    [new Map(), '[object Map]', 'Map'],
    [new Set(), '[object Set]', 'Set'],
    [new Uint8Array(2), '0,0', 'Uint8Array'],
    [new Thing(), 'a thing', 'Thing'],
    [vm.runInNewContext('({})'), '[object Object]', 'Object'],
  ];
  for (const [value, text, type] of cases) {
    it(`throws co's TypeError, with the type as a property, for ${type} ${JSON.stringify(text)}`,
      async () => {
      const error = await thrownFor(value);
      assert.ok(error instanceof TypeError);
      assert.equal(error.message, `${BAD_YIELD}"${text}"`);
      assert.deepEqual(Object.entries(error), [['type', type]]);
      assert.ok(inspect(error).endsWith(`{\n  type: '${type}'\n}`));
    });
  }

  it('throws at the yield: the generator may catch it and go on', async () => {
    const result = await co(function* () {
      const errors = [];
      for (const value of ['something', null]) {
        try {
          yield value;
        } catch (error) {
          errors.push(error instanceof TypeError && error.message.startsWith(BAD_YIELD));
        }
      }
      return [...errors, yield Promise.resolve('on')];
    });
    assert.deepEqual(result, [true, true, 'on']);
  });

  it('says so too where the value cannot be converted to text', async () => {
    const throwing = {
      constructor: class Odd {},
      toString() {
        throw new Error('toString');
      },
    };
    assert.equal((await thrownFor(Object.create(null))).message, `${BAD_YIELD}"[object]"`);
    assert.equal((await thrownFor(throwing)).message, `${BAD_YIELD}"[object]"`);
    assert.equal((await thrownFor(throwing)).type, 'Odd');
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    assert.match((await thrownFor(proxy)).message, /revoked/);
  });
});

describe('co: conversions that throw', () => {
  const boom = new Error('boom');
  const throwing = (property) => ({
    get [property]() {
      throw boom;
    },
  });
  const values = {
    'a getter in an object': throwing('key'),
    'a getter in an object in an array': [[throwing('key')]],
    'a then getter': throwing('then'),
    'a then getter in an array': [throwing('then')],
    'a constructor getter': throwing('constructor'),
    'a next getter': throwing('next'),
    'a then method': {
      then() {
        throw boom;
      },
    },
    'a then method in an object': {
      key: {
        then() {
          throw boom;
        },
      },
    },
    'the value that a thunk calls back with': (done) => done(null, throwing('then')),
    'the value that a thunk calls back with later': (done) =>
      setImmediate(done, null, throwing('then')),
    *'the value that a generator returns' () {
      return throwing('then');
    },
    'the value that a generator in an array returns': [
      function* () {
        return throwing('then');
      },
    ],
  };
  for (const [what, value] of Object.entries(values)) {
    it(`throws at the yield what ${what} throws`, async () => {
      assert.equal(await thrownFor(value), boom);
    });
  }

  it('ends a generator whose results cannot be read with that error', async () => {
    for (const result of [undefined, null, throwing('done'), throwing('value')]) {
      const broken = { next: () => result, throw: assert.fail };
      await assert.rejects(co(broken), (error) => error === boom || error instanceof TypeError);
      const error = await thrownFor(broken);
      assert.ok(error === boom || error instanceof TypeError);
    }
  });

  it('leaves the rest of a broken array alone', async () => {
    const log = [];
    const result = await co(function* () {
      try {
        yield [turn().then(() => log.push('late')), throwing('then')];
      } catch (error) {
        log.push(error.message);
      }
      yield turn();
      yield turn();
      return 'on';
    });
    assert.equal(result, 'on');
    assert.deepEqual(log, ['boom', 'late']);
  });
});

describe('co: thenables whose then returns nothing', () => {
  it('are waited for in objects and arrays too', async () => {
    const thenable = {
      then(resolve) {
        setImmediate(resolve, 'value');
      },
    };
    const result = await co(function* () {
      return yield { thenable, list: [thenable] };
    });
    assert.deepEqual(result, { thenable: 'value', list: ['value'] });
  });
});

describe('co: thenables that call back more than once', () => {
  const twice = {
    'fulfils twice': [
      (resolve) => {
        resolve(1);
        resolve(2);
      },
      1,
    ],
    'fulfils, then rejects': [
      (resolve, reject) => {
        resolve(1);
        reject(new Error('no'));
      },
      1,
    ],
    'rejects, then fulfils': [
      (resolve, reject) => {
        reject('no');
        resolve(1);
      },
      'no',
    ],
    'fulfils, then throws': [
      (resolve) => {
        resolve(1);
        throw new Error('no');
      },
      1,
    ],
  };
  for (const [what, [settle, expected]] of Object.entries(twice)) {
    for (const when of ['at once', 'later']) {
      if (when === 'later' && what.endsWith('throws')) continue;
      it(`resumes once when one ${what} ${when}`, async () => {
        const thenable = {
          then(resolve, reject) {
            if (when === 'at once') settle(resolve, reject);
            else setImmediate(settle, resolve, reject);
          },
        };
        const log = [];
        await co(function* () {
          try {
            log.push(yield thenable);
          } catch (error) {
            log.push(error);
          }
          log.push(yield turn().then(() => 'next'));
          log.push(yield turn().then(() => 'last'));
        });
        assert.deepEqual(log, [expected, 'next', 'last']);
      });
    }
  }

  it('ignores one that calls back after the wait for another has begun', async () => {
    let late;
    const log = [];
    await co(function* () {
      log.push(
        yield {
          then(resolve) {
            late = resolve;
            resolve('first');
          },
        },
      );
      setImmediate(() => late('stale'));
      log.push(yield turn().then(turn).then(() => 'second'));
    });
    assert.deepEqual(log, ['first', 'second']);
  });
});

describe('co: long loops do not grow the stack', () => {
  const yields = {
    'synchronous thenables': { then: (resolve) => resolve(1) },
    'synchronous thunks': (done) => done(null, 1),
    *'generator functions' () {
      return 1;
    },
    'empty arrays': [],
    'arrays of synchronous thunks': [(done) => done()],
    'resolved promises': Promise.resolve(1),
    'bad yields': undefined,
  };
  for (const [what, value] of Object.entries(yields)) {
    it(`of ${what}`, async () => {
      const count = await co(function* () {
        let n = 0;
        while (n < 50_000) {
          try {
            yield value;
          } catch (error) {
            assert.ok(error instanceof TypeError);
          }
          n++;
        }
        return n;
      });
      assert.equal(count, 50_000);
    });
  }

  it('of runs that wake each other through thenables', async () => {
    const gates = Array.from({ length: 20_000 }, () => ({
      then(resolve) {
        this.open = resolve;
      },
    }));
    const runs = gates.map((gate, i) =>
      co(function* () {
        yield gate;
        if (i + 1 < gates.length) gates[i + 1].open();
        return i;
      }),
    );
    gates[0].open();
    assert.equal((await Promise.all(runs)).length, gates.length);
  });

  it('of arrays of generators that end inside each other', async () => {
    const down = function* (depth) {
      yield Promise.resolve();
      return depth === 0 ? 0 : 1 + (yield [down(depth - 1)])[0];
    };
    assert.equal(await co(down(20_000)), 20_000);
  });
});

describe('co: async functions and async generators', () => {
  it('calls an async function that is yielded, with this, and waits for its promise', async () => {
    const context = {};
    const result = await co.call(context, function* () {
      const named = async function () {
        await turn();
        return this;
      };
      return [yield named, yield [async () => 2], yield { three: async () => 3 }];
    });
    assert.equal(result[0], context);
    assert.deepEqual(result.slice(1), [[2], { three: 3 }]);
  });

  it('throws what an async function rejects with', async () => {
    const error = await thrownFor(async () => {
      throw new Error('no');
    });
    assert.equal(error.message, 'no');
  });

  it('takes the callback of an async function that uses it', async () => {
    const value = await co(function* () {
      return yield async (done) => {
        await turn();
        done(null, 'called back');
        return 'returned';
      };
    });
    assert.equal(value, 'called back');
  });

  it('runs an async generator to its end and gives it back what it yields', async () => {
    const log = [];
    const work = async function* (fails) {
      log.push(yield turn().then(() => 'promise'));
      log.push(yield undefined);
      log.push(await turn().then(() => 'awaited'));
      if (fails) throw new Error('fails');
      return 'returned';
    };
    const result = await co(function* () {
      const values = [yield work(), yield work, yield [work()]];
      try {
        yield work(true);
      } catch (error) {
        values.push(error.message);
      }
      return values;
    });
    assert.deepEqual(result, ['returned', 'returned', ['returned'], 'fails']);
    assert.deepEqual(log, Array(4).fill(['promise', undefined, 'awaited']).flat());
    assert.equal(await co(work), 'returned');
    assert.equal(await co(async () => 'async'), 'async');
  });
});

describe('co: data nested deeply', () => {
  const DEPTH = 100_000;

  it('is limited by memory', async () => {
    const inside = (data) => (Array.isArray(data) ? data[0] : data.inner);
    for (const wrap of [(inner) => ({ inner }), (inner) => [inner],
      (inner) => ({ inner, last: Promise.resolve(2) })]) {
      let data = Promise.resolve(1);
      for (let i = 0; i < DEPTH; i++) data = wrap(data);
      let result = await co(function* () {
        return yield data;
      });
      let levels = 0;
      for (; typeof result === 'object'; levels++) {
        if ('last' in result) assert.equal(result.last, 2);
        result = inside(result);
      }
      assert.equal(result, 1);
      assert.equal(levels, DEPTH);
    }
  });

  it('without an end is an error', async () => {
    class Money {
      constructor(amount) {
        this.amount = amount;
      }
    }
    co.register(Money, (money) => ({ amount: money.amount, of: money }));
    const tree = () => ({
      get child() {
        return tree();
      },
    });
    for (const endless of [[new Money(1)], tree(),
      new Proxy([], { get: (_, key) => (key === 'length' ? 1 : [tree()]) })]) {
      await assert.rejects(co(function* () {
        yield endless;
      }), { name: 'RangeError', code: 'ERR_FIBRIL_TOO_DEEP' });
    }
  });

  it('is started in order', async () => {
    const order = [];
    const member = (name) => function* () {
      return order.push(name);
    };
    const yielded = [member('a'), { b: member('b'), c: [member('c'), [member('d')], member('e')],
      f: member('f') }, [], member('g')];
    const result = await co(function* () {
      return yield yielded;
    });
    assert.equal(order.join(''), 'abcdefg');
    assert.deepEqual(result, [1, { b: 2, c: [3, [4], 5], f: 6 }, [], 7]);
  });
});

describe('co: cycles', () => {
  it('are refused with the place where they close', async () => {
    const array = [1, { list: [] }];
    array[1].list.push(array);
    assert.deepEqual({ ...await thrownFor(array) },
      { type: 'Array', key: '[1].list[0]', reason: 'it contains itself' });
    const object = { a: { b: {} } };
    object.a.b.c = object.a;
    const error = await thrownFor(object);
    assert.ok(error.message.startsWith(BAD_YIELD));
    assert.deepEqual({ ...error }, { type: 'Object', key: 'a.b.c', reason: 'it contains itself' });
  });

  it('are refused however far down they close', async () => {
    for (const depth of [30, 31, 32, 33, 500]) {
      const innermost = {};
      let way = innermost;
      for (let i = 1; i < depth; i++) way = { way };
      const top = [way];
      innermost.top = way;
      const error = await thrownFor(top);
      assert.deepEqual({ ...error }, { type: 'Object', key: `[0]${'.way'.repeat(depth - 1)}.top`,
        reason: 'it contains itself' });
    }
  });

  it('are not seen in what is merely used twice', async () => {
    const shared = { p: Promise.resolve(1) };
    const result = await co(function* () {
      return yield [shared, { shared, list: [shared, shared] }];
    });
    assert.deepEqual(result, [{ p: 1 }, { shared: { p: 1 }, list: [{ p: 1 }, { p: 1 }] }]);
  });
});

describe('co: a generator that is already running', () => {
  const refusal = { name: 'TypeError',
    message: /^This generator is already being run by another co\(\)/ };

  it('is refused by a second co while it waits, and may run again to no effect once it has ended',
    async () => {
    const generator = (function* () {
      return yield turn().then(() => 'value');
    })();
    const first = co(generator);
    await assert.rejects(co(generator), refusal);
    assert.equal(await first, 'value');
    assert.equal(await co(generator), undefined);
  });

  it('is refused as a yield, in arrays and in objects, with its place', async () => {
    const generator = (function* () {
      yield turn().then(turn).then(turn).then(turn);
    })();
    const first = co(generator);
    for (const value of [generator, [generator], { a: [1, generator] }]) {
      const error = await thrownFor(value);
      assert.match(error.message, refusal.message);
      assert.equal(error.message.includes('at a[1]:'), !Array.isArray(value) &&
        value !== generator);
    }
    await first;
  });

  it('is refused while it waits for a child, even from within that child', async () => {
    const log = [];
    const parent = (function* () {
      yield child();
      return 'parent';
    })();
    const child = function* () {
      try {
        yield parent;
      } catch (error) {
        log.push(error.message.slice(0, 25));
      }
      try {
        yield turn().then(() => co(parent));
      } catch (error) {
        log.push(error.message.slice(0, 25));
      }
    };
    assert.equal(await co(parent), 'parent');
    assert.deepEqual(log, ['This generator is already', 'This generator is already']);
  });

  it('is refused as a child of another run, and free as soon as that child has ended', async () => {
    const child = (function* () {
      yield turn();
      return 'child';
    })();
    const first = co(function* () {
      const value = yield child;
      yield turn();
      yield turn();
      return value;
    });
    await assert.rejects(co(child), refusal);
    await turn();
    await turn();
    assert.equal(await co(child), undefined);
    assert.equal(await first, 'child');
  });

  it('is not noticed, but run, when it is frozen: a second co goes on with it, as in co',
    async () => {
    const frozen = () =>
      Object.freeze(
        (function* () {
          return yield turn().then(() => 'value');
        })(),
      );
    assert.equal(await co(frozen()), 'value');
    const shared = frozen();
    assert.deepEqual(await Promise.all([co(shared), co(shared)]), [undefined, undefined]);
  });
});

describe('co: objects with a key of a special meaning', () => {
  it('copies an own __proto__ as what it is', async () => {
    const source = JSON.parse('{"__proto__": {"polluted": true}, "b": 2}');
    const result = await co(function* () {
      return yield source;
    });
    assert.equal(Object.getPrototypeOf(result), Object.prototype);
    assert.equal(result.polluted, undefined);
    assert.deepEqual(Object.keys(result), ['__proto__', 'b']);
  });
});
