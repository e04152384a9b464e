'use strict';

// Objects made in C: what they are must not depend on how they were made. Of the first ones of a
// shape (keys in their order) each property is defined through Node-API; once there have been some,
// a function makes them, which is evaluated for the shape.

const assert = require('node:assert');
const inspector = require('node:inspector');
const { Worker } = require('node:worker_threads');
const { natives, nativesPath, runScript } = require('./support/natives');

/** More than it takes for the first ones and the others to be made differently. */
const ENOUGH = 200;

const ODD_KEYS = [
  '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', 'get', 'set', 'async', 'static',
  'prototype', 'arguments', 'v0',
  '', ' ', '0', '10', '2', '01', '-1', '1.5', '1e3', '4294967294', '4294967295', '9007199254740993',
    'NaN', 'Infinity',
  '\'', '"', '`', '\\', '\\u0041', '\n', '\r', '\t', '\u2028', '\u2029', '\ufeff', '${x}', '*/',
    '//', '<!--', '-->', '</script>',
  '["x"]', '}) ; throw 1; ({', 'caf\u00e9', '\u{1f600}', '\ufffd', '\ud800', 'x'.repeat(5000),
];

/** What one record has to be, made without literals or assignments. */
function expected(keys, first) {
  const object = {};
  keys.forEach((key, i) => {
    Object.defineProperty(object, key.toWellFormed(),
      { value: first + i, writable: true, enumerable: true, configurable: true });
  });
  return object;
}

function assertSame(actual, wanted) {
  assert.strictEqual(Object.getPrototypeOf(actual), Object.prototype);
  assert.deepStrictEqual(Object.getOwnPropertyDescriptors(actual),
    Object.getOwnPropertyDescriptors(wanted));
  assert.deepStrictEqual(Reflect.ownKeys(actual), Reflect.ownKeys(wanted));
  assert.ok(Object.isExtensible(actual));
}

async function check(keys, count = ENOUGH) {
  const list = await natives.records(keys, count);
  assert.strictEqual(list.length, count);
  list.forEach((record, i) => assertSame(record, expected(keys, i * keys.length)));
}

/** How many functions for shapes are evaluated while `fn` runs. */
async function countFunctions(fn) {
  const session = new inspector.Session();
  let count = 0;
  session.connect();
  try {
    session.post('Debugger.enable'); // also tells of what has been evaluated before
    session.on('Debugger.scriptParsed', ({ params }) => {
      if (params.url === 'fibril:object') count++;
    });
    await fn();
  } finally {
    session.disconnect();
  }
  return count;
}

let shapes = 0;

/** Keys that no test has had before. */
function newKeys(count = 2) {
  shapes++;
  return Array.from({ length: count }, (_, i) => `shape_${shapes}_${i}`);
}

describe('objects from C', () => {
  it('have odd keys as own properties like any others', async () => {
    for (const key of ODD_KEYS) {
      await check([key]);
      await check(['a', key, 'b']);
    }
  });

  it('of all odd keys at once, and the other way round', async () => {
    const keys = ODD_KEYS.filter((key) => key !== '\ud800'); // in UTF-8 that is another of them
    await check(keys);
    await check(keys.reverse());
  });

  it('of no key, of very many, and of a function\'s largest number', async () => {
    await check([]);
    for (const count of [1, 127, 128, 129, 2000]) {
      await check(newKeys(count), count < 2000 ? ENOUGH : 3);
    }
  });

  it('setters on Object.prototype don\'t hear of them', async () => {
    const keys = newKeys();
    const heard = [];
    for (const key of keys) {
      Object.defineProperty(Object.prototype, key,
        { set(value) { heard.push(value); }, get: () => 'inherited', configurable: true });
    }
    try {
      await check(keys);
    } finally {
      for (const key of keys) delete Object.prototype[key];
    }
    assert.deepStrictEqual(heard, []);
  });

  it('a value under "__proto__" is no prototype', async () => {
    for (const { outer } of await natives.nestedRecords('__proto__', ENOUGH)) {
      assert.strictEqual(outer.inherited, undefined);
      assert.strictEqual(Object.getPrototypeOf(outer), Object.prototype);
      assert.deepStrictEqual(Object.entries(outer), [['__proto__', { inherited: true }]]);
    }
  });

  it('are objects of their own', async () => {
    const keys = newKeys();
    const [first, second] = (await natives.records(keys, ENOUGH)).slice(-2);
    first[keys[0]] = 'changed';
    delete first[keys[1]];
    first.more = 1;
    assertSame(second, expected(keys, 2 * (ENOUGH - 1)));
    await check(keys);
  });

  it('shapes that have keys in common, in turn', async () => {
    const a = newKeys(3);
    const variants = [a, a.slice(0, 2), [...a].reverse(), [...a, 'd'], [a[0] + a[1], a[2]],
      [a[0], a[1] + a[2]], [a[0], '', a[1]]];
    for (let round = 0; round < ENOUGH; round++) for (const keys of variants) await check(keys, 1);
  });

  it('a shape that comes often gets one function, one that is rare none', async () => {
    const keys = newKeys();
    assert.strictEqual(await countFunctions(() => check(keys, 10 * ENOUGH)), 1);
    assert.strictEqual(await countFunctions(() => check(keys, 10 * ENOUGH)), 0);
    const once = Array.from({ length: 500 }, () => newKeys());
    assert.strictEqual(await countFunctions(async () => {
      for (const each of once) await check(each, 1);
    }), 0);
  });

  it('shapes without end: a bounded number of functions while all are as frequent, and right objects', async () => {
    const many = Array.from({ length: 400 }, () => newKeys());
    const count = await countFunctions(async () => {
      for (let round = 0; round < ENOUGH; round++) {for (const keys of many) {
        await natives.records(keys, 1);
      }}
    });
    assert.ok(count > 0 && count <= 128, `${count} functions`);
    for (const keys of many) await check(keys, 2);
  });

  it('shapes that are over make room for those that are used', async () => {
    for (let i = 0; i < 300; i++) await natives.records(newKeys(), ENOUGH);
    const keys = newKeys();
    assert.strictEqual(await countFunctions(() => check(keys, 5000)), 1);
  });

  it('where code from strings is forbidden', async () => {
    const { code, stdout, stderr } = await runScript(`
      const inspector = require('node:inspector');
      let functions = 0;
      const session = new inspector.Session();
      session.connect();
      session.on('Debugger.scriptParsed', ({ params }) => { functions += params.url === 'fibril:object'; });
      session.post('Debugger.enable');
      natives.records(['__proto__', 'b'], ${ENOUGH}).then((list) => {
        let refused = false;
        try { new Function('return 1'); } catch { refused = true; }
        console.log(refused, functions, JSON.stringify(list.at(-1)));
      });`, { flags: ['--disallow-code-generation-from-strings'] });
    assert.strictEqual(stderr, '');
    assert.strictEqual(stdout, `true 1 {"__proto__":${2 * ENOUGH - 2},"b":${2 * ENOUGH - 1}}\n`);
    assert.strictEqual(code, 0);
  });

  it('where somebody has replaced what makes the functions', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { stringify } = JSON;
      JSON.stringify = Array.prototype.map = Array.prototype.join = () => { throw new Error('not ours'); };
      natives.records(['a', 'b'], ${ENOUGH}).then((list) => process.stdout.write(stringify(list.at(-1))));`);
    assert.strictEqual(stderr, '');
    assert.strictEqual(stdout, `{"a":${2 * ENOUGH - 2},"b":${2 * ENOUGH - 1}}`);
    assert.strictEqual(code, 0);
  });

  it('in workers, each with functions of its own', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads');
      require(${JSON.stringify(
        nativesPath)}).records(['in', 'worker'], ${ENOUGH}).then((list) => parentPort.postMessage(list));`;
    const wanted = Array.from({ length: ENOUGH }, (_, i) => ({ in: 2 * i, worker: 2 * i + 1 }));
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(code, { eval: true });
      const [list] = await Promise.all([
        new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
        new Promise((resolve) => worker.once('exit', resolve)),
      ]);
      assert.deepStrictEqual(list, wanted);
    }
  });
});
