'use strict';

// Objects with any keys, maps, sets, tuples, dates and symbols between JavaScript and C.

const assert = require('node:assert');
const { once } = require('node:events');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');
const { errorOf, runScript } = require('./support/natives');

const addonPath = path.join(__dirname, 'addon', 'build', 'Release', 'containers.node');
const addon = require(addonPath);

const thrownBy = (fn) => {
  try {
    fn();
  } catch (error) {
    return [error.code, error.message];
  }
  return undefined;
};

describe('Record<string, T>', () => {
  it('is an object with any keys, in their order', () => {
    const value = { b: 1, a: 2, '': 3, 'é\u{1f600}': 4, 'a\0b': 5, 'a\0c': 6, 1: 7, length: 8 };
    const result = addon.record(value);
    assert.deepStrictEqual(result, value);
    assert.deepStrictEqual(Object.keys(result), Object.keys(value));
    assert.deepStrictEqual(addon.entries(value), Object.entries(value).flat());
    assert.strictEqual(Object.getPrototypeOf(result), Object.prototype);
  });

  it('has own enumerable properties only, "__proto__" among them', async () => {
    const value = Object.create({ inherited: 1 }, {
      hidden: { value: 2 }, [Symbol('s')]: { value: 3, enumerable: true },
      own: { get: () => 4, enumerable: true },
    });
    Object.defineProperty(value, '__proto__', { value: 5, enumerable: true });
    assert.deepStrictEqual(addon.entries(value), ['own', 4, '__proto__', 5]);
    const result = await addon.recordLater(value);
    assert.strictEqual(Object.getPrototypeOf(result), Object.prototype);
    assert.deepStrictEqual(Object.entries(result), [['own', 4], ['__proto__', 5]]);
    assert.deepStrictEqual(addon.record(Object.create(null)), {});
  });

  it('has very many keys', () => {
    const value = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key ${i}`, i]));
    assert.deepStrictEqual(addon.record(value), value);
  });

  it('comes often with other keys each time', () => {
    for (let i = 0; i < 500; i++) {
      const value = { [`a${i % 150}`]: i, 'b\0': i, [`c${i % 3}`]: 1 };
      assert.deepStrictEqual(addon.record(value), value);
    }
  });

  it('tells of a value by its key', () => {
    assert.deepStrictEqual(thrownBy(() => addon.record({ a: 1, 'b c': 'x' })),
      ['ERR_INVALID_ARG_TYPE', 'The "value.b c" property must be of type number. ' +
        "Received type string ('x')"]);
    assert.deepStrictEqual(thrownBy(() => addon.records({ a: { b: [1, 1.5] } })),
      ['ERR_OUT_OF_RANGE',
        'The value of "value.a.b[1]" is out of range. It must be an integer. Received 1.5']);
    assert.deepStrictEqual(addon.records({ a: { b: [1, 2], c: [] }, d: {} }),
      { a: { b: [1, 2], c: [] }, d: {} });
  });

  it('is no array, map or set, in which something would be lost', () => {
    for (const value of [[1], new Map([['a', 1]]), new Set(), null, 1, 'a', () => {}, undefined]) {
      assert.deepStrictEqual(thrownBy(() => addon.record(value))?.[0], 'ERR_INVALID_ARG_TYPE');
    }
  });

  it('gives what a getter or a proxy throws', () => {
    const reason = new Error('reason');
    const fail = () => {
      throw reason;
    };
    for (const value of [{ a: 1, get b() { return fail(); } }, new Proxy({}, { ownKeys: fail }),
      new Proxy({ a: 1 }, { get: fail })]) {
      assert.throws(() => addon.record(value), (error) => error === reason);
    }
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    assert.throws(() => addon.record(proxy), TypeError);
  });

  it('may change under whoever reads it', () => {
    const value = { get a() {
      delete value.b;
      value.c = 3;
      return 1;
    }, b: 2 };
    assert.deepStrictEqual(addon.entries(value), ['a', 1, 'b', undefined]);
  });
});

describe('maps', () => {
  it('come back as maps, in their order', async () => {
    const value = new Map([['b', true], [1, false], [null, true], ['a', false], [NaN, true],
      ['', true], ['x\0y', true]]);
    assert.deepStrictEqual(addon.map(value), value);
    assert.deepStrictEqual([...addon.map(value)], [...value]);
    const any = new Map([[{}, []], [Symbol.iterator, 2n], [undefined, () => {}]]);
    const later = await addon.mapLater(any);
    assert.deepStrictEqual([...later], [...any]);
    assert.ok([...any.keys()].every((key) => later.has(key)));
    assert.deepStrictEqual(addon.map(new Map()), new Map());
  });

  it('keep keys that are equal in C alone', () => {
    const dates = new Map(Array.from({ length: 40 }, (_, i) => [new Date(i % 3), i]));
    assert.deepStrictEqual(addon.dateEntries(dates), [...dates].flat());
    assert.strictEqual(addon.set(new Set([new Date(0), new Date(0), new Date(NaN),
      new Date(NaN)])).size, 4);
  });

  it('keep the order and the last value of equal keys', () => {
    assert.deepStrictEqual(addon.mapEntries(new Map([[0, 'a'], ['0', 'b'], [0n, 'c']])),
      [0, 'a', '0', 'b', 0n, 'c']);
  });

  it('nest', () => {
    const value = new Map([[1, new Map([['a', new Set([1n, -5n])]])], [2, new Map()]]);
    assert.deepStrictEqual(addon.maps(value), value);
  });

  it('of another realm, and subclasses, are maps; what pretends is not', () => {
    assert.deepStrictEqual(addon.map(vm.runInNewContext('new Map([["a", true]])')),
      new Map([['a', true]]));
    class Odd extends Map {
      get size() { return 100; }

      * entries() { yield* [[1, 1], [2, 2]]; }

      forEach() { throw new Error('asked'); }

      [Symbol.iterator]() { throw new Error('asked'); }
    }
    assert.deepStrictEqual(addon.map(new Odd([['a', true]])), new Map([['a', true]]));
    assert.strictEqual(thrownBy(() => addon.map(Object.create(Map.prototype)))[0],
      'ERR_INVALID_ARG_TYPE');
    assert.strictEqual(thrownBy(() => addon.map(new Proxy(new Map(), {})))[0],
      'ERR_INVALID_ARG_TYPE');
  });

  it('tell of an entry by its number', () => {
    assert.deepStrictEqual(thrownBy(() => addon.map(new Map([['a', true], [{}, true]]))),
      ['ERR_INVALID_ARG_TYPE', 'The "value[1].key" property must be one of type string or number ' +
        'or null. Received an instance of Object']);
    assert.deepStrictEqual(thrownBy(() => addon.map(new Map([['a', 1]]))),
      ['ERR_INVALID_ARG_TYPE', 'The "value[0].value" property must be of type boolean. ' +
        'Received type number (1)']);
    assert.deepStrictEqual(thrownBy(() => addon.map([])), ['ERR_INVALID_ARG_TYPE',
      'The "value" argument must be an instance of Map. Received an instance of Array']);
  });

  it('are made and searched in C, however many there are', () => {
    for (const count of [0, 1, 7, 8, 9, 17, 33, 129, 5000]) {
      const { map, set, date } = addon.make(count, 12345);
      assert.deepStrictEqual([...map],
        Array.from({ length: count }, (_, i) => [`key ${i}`, [i]]));
      assert.deepStrictEqual([...set],
        Array.from({ length: Math.ceil(count / 2) }, (_, i) => i));
      assert.deepStrictEqual(date, new Date(12345));
    }
    const texts = new Map(Array.from({ length: 1000 }, (_, i) => [`${i}`, i]));
    for (const key of ['0', '999', '1000', '', '5']) {
      assert.strictEqual(addon.lookUpText(texts, key), texts.get(key) ?? null);
      assert.strictEqual(addon.lookUpText(new Set(texts.keys()), key), texts.has(key));
    }
    for (const keys of [[0, NaN, 1.5, true, null, undefined], Array.from({ length: 100 },
      (_, i) => i - 50)]) {
      const map = new Map(keys.map((key, i) => [key, i]));
      for (const key of [...keys, -0, 1000]) {
        assert.strictEqual(addon.lookUp(map, key), map.get(key) ?? null, String(key));
        assert.strictEqual(addon.lookUp(new Set(keys), key), map.has(key));
      }
    }
  });

  it('refuse in C what they can not take, and are as before', () => {
    const { EINVAL } = os.constants.errno;
    const ETYPE = -5009;
    assert.deepStrictEqual(addon.misuse('x'),
      [-EINVAL, -EINVAL, ETYPE, ETYPE, -EINVAL, ETYPE, ETYPE, 0, 0, 0, 0, 0, 0]);
  });
});

describe('sets', () => {
  it('come back as sets, in their order', async () => {
    const value = new Set(['b', 'a', new Date(5), '']);
    assert.deepStrictEqual(addon.set(value), value);
    const any = new Set([{}, 1, 1n, '1', undefined, NaN, Symbol('s')]);
    assert.deepStrictEqual([...await addon.setLater(any)], [...any]);
    assert.deepStrictEqual(addon.set(new Set()), new Set());
  });

  it('tell of an item by its number', () => {
    assert.deepStrictEqual(thrownBy(() => addon.set(new Set(['a', 2]))), ['ERR_INVALID_ARG_TYPE',
      'The "value[1]" argument must be of type string or an instance of Date. ' +
        'Received type number (2)']);
    assert.strictEqual(thrownBy(() => addon.set(['a']))[0], 'ERR_INVALID_ARG_TYPE');
    assert.strictEqual(thrownBy(() => addon.set(new Map()))[0], 'ERR_INVALID_ARG_TYPE');
  });

  it('and maps as deep as one likes', () => {
    let value = addon.nest(20000);
    let depth = 0;
    for (; typeof value !== 'number'; depth++) [value] = value.keys();
    assert.strictEqual(depth, 20000);
  });
});

describe('tuples', () => {
  it('have a type for each place', () => {
    assert.deepStrictEqual(addon.pair(['a', 1]), ['a', 1]);
    assert.deepStrictEqual(addon.point([1]), [1, undefined, undefined]);
    assert.deepStrictEqual(addon.point([1, undefined, 'b']), [1, undefined, 'b']);
    assert.deepStrictEqual(addon.empty([]), []);
    assert.deepStrictEqual(addon.pairs(['a', [1]], ['b']), [['a', [1]], ['b', undefined]]);
  });

  it('tell of a place by its number, and of how many there are', () => {
    assert.deepStrictEqual(thrownBy(() => addon.pair(['a', 'b'])), ['ERR_INVALID_ARG_TYPE',
      'The "value[1]" argument must be of type number. Received type string (\'b\')']);
    assert.deepStrictEqual(thrownBy(() => addon.pair(['a'])), ['ERR_INVALID_ARG_VALUE',
      "The argument 'value' must have 2 elements. Received [ 'a' ]"]);
    assert.deepStrictEqual(thrownBy(() => addon.point([1, 2, 'a', 4])), ['ERR_INVALID_ARG_VALUE',
      "The argument 'value' must have 1 to 3 elements. Received [ 1, 2, 'a', 4 ]"]);
    assert.deepStrictEqual(thrownBy(() => addon.point([1, 2, 'c']))?.[0], 'ERR_INVALID_ARG_VALUE');
    assert.strictEqual(thrownBy(() => addon.empty([1]))[0], 'ERR_INVALID_ARG_VALUE');
    assert.strictEqual(thrownBy(() => addon.pair({ 0: 'a', 1: 1 }))[0], 'ERR_INVALID_ARG_TYPE');
    assert.strictEqual(thrownBy(() => addon.pairs(['a', ['b']]))[1],
      'The "value[0][1][0]" argument must be of type number. Received type string (\'b\')');
  });
});

describe('dates and symbols', () => {
  it('come back as equal dates', () => {
    for (const ms of [0, -1, 8.64e15, -8.64e15, NaN, 1e12]) {
      const date = addon.date(new Date(ms));
      assert.ok(date instanceof Date);
      assert.ok(Object.is(date.getTime(), new Date(ms).getTime()));
    }
    assert.ok(Number.isNaN(addon.make(0, 1e300).date.getTime()));
    assert.strictEqual(addon.milliseconds(new Date(50)), 100);
    assert.strictEqual(addon.milliseconds(null), null);
    assert.deepStrictEqual(addon.date(vm.runInNewContext('new Date(7)')), new Date(7));
    for (const value of [1, '2020-01-01', {}, Object.create(Date.prototype)]) {
      assert.strictEqual(thrownBy(() => addon.date(value))[0], 'ERR_INVALID_ARG_TYPE');
    }
  });

  it('come back as the same symbols', () => {
    for (const value of [Symbol('s'), Symbol.for('s'), Symbol.iterator]) {
      assert.strictEqual(addon.symbol(value), value);
    }
    assert.deepStrictEqual(thrownBy(() => addon.symbol('s')), ['ERR_INVALID_ARG_TYPE',
      'The "value" argument must be of type symbol. Received type string (\'s\')']);
  });
});

describe('containers', () => {
  it('are told apart in a union', () => {
    const kinds = [[new Map([['a', 1]]), 'map'], [new Set(['a']), 'set'], [[1, 'a'], 'array'],
      [{ a: true }, 'object'], [new Date(0), 'date'], [Symbol('s'), 'reference'], ['s', 'string'],
      [Buffer.from('b'), 'buffer'], [null, 'null']];
    for (const [value, kind] of kinds) assert.strictEqual(addon.kindOf(value), kind);
    assert.strictEqual(addon.kindOfObject([]), 'reference');
    assert.strictEqual(addon.kindOfObject(new Map()), 'map');
    assert.strictEqual(addon.kindOfObject(new WeakMap()), 'reference');
    assert.strictEqual(thrownBy(() => addon.kindOf(5))[1],
      'The "value" argument must be one of type string or symbol or an instance of Array, Map, ' +
      'Set, Date, Buffer, TypedArray, DataView, ArrayBuffer, or Object or null. Received type ' +
      'number (5)');
  });

  it('are options', () => {
    assert.strictEqual(addon.options(), null);
    assert.strictEqual(addon.options({ env: { A: 'b' }, since: new Date(1), at: [1, 2],
      names: new Set(['a']) }), null);
    assert.strictEqual(thrownBy(() => addon.options({ env: { A: 1 } }))[1],
      'The "options.env.A" property must be of type string. Received type number (1)');
    assert.strictEqual(thrownBy(() => addon.options({ at: [1] }))[1],
      "The property 'options.at' must have 2 elements. Received [ 1 ]");
    assert.strictEqual(thrownBy(() => addon.options({ since: 5 }))[0], 'ERR_INVALID_ARG_TYPE');
  });

  it('are passed to functions and yielded', async () => {
    for (const value of [new Map([[1, 2]]), new Set([3]), new Date(4), { a: 5 }]) {
      assert.deepStrictEqual(await addon.pass((each) => [each], value), [value]);
      if (value.a === undefined) assert.deepStrictEqual([...addon.yielded(value)], [value]);
    }
    const reason = new Error('reason');
    assert.strictEqual(await errorOf(addon.pass(() => {
      throw reason;
    }, new Map())), reason);
  });

  it('are made without what a program has put into prototypes', async () => {
    const { stdout } = await runScript(`
      const addon = require(${JSON.stringify(addonPath)});
      const asked = [];
      const map = new Map([[1, true]]);
      const set = new Set(['a']);
      const note = (name) => function () { asked.push(name); return undefined; };
      for (const type of [Map, Set]) {
        for (const key of Reflect.ownKeys(type.prototype)) {
          if (key === 'constructor') continue;
          Object.defineProperty(type.prototype, key, { value: note(String(key)) });
        }
      }
      for (const key of [0, 1, 2]) {
        Object.defineProperty(Array.prototype, key, { set: note('set ' + key), get: note('get') });
      }
      Array.prototype[Symbol.iterator] = note('iterator');
      globalThis.Map = globalThis.Set = note('global');
      addon.make(3, 0);
      addon.map(map);
      addon.set(set);
      addon.record({ a: 1 });
      require('node:fs').writeSync(1, asked.length + ' ' + asked.join());`);
    assert.strictEqual(stdout, '0 ');
  });

  it('live in workers, which end', async () => {
    const worker = new Worker(`
      const addon = require(${JSON.stringify(addonPath)});
      const { parentPort } = require('node:worker_threads');
      parentPort.postMessage(addon.make(3, 5));
      const never = () => addon.mapLater(new Map([[{}, {}]])).then(never);
      for (let i = 0; i < 50; i++) never();`, { eval: true });
    const [{ map, date }] = await once(worker, 'message');
    assert.deepStrictEqual([[...map.keys()], date], [['key 0', 'key 1', 'key 2'], new Date(5)]);
    await worker.terminate();
  });
});
