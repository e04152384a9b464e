'use strict';

// Values between JavaScript and C, both ways.

const assert = require('node:assert');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { natives, nativesPath, collectUntil, errorOf, runScript } = require('./support/natives');

const LONE_SURROGATES = '\ud800 and \udfff, \udc00\ud800';

const SCALARS = [undefined, null, true, false, 0, -0, 1, -1.5, NaN, Infinity, -Infinity, 2 ** 53,
  5e-324, Number.MAX_VALUE];

const REFERENCES = [
  '',
  'text',
  'caf\u00e9 \u{1f600} a\0b',
  LONE_SURROGATES,
  'x'.repeat(100000),
  0n,
  -(2n ** 63n),
  2n ** 64n,
  -(10n ** 100n),
  Symbol('s'),
  Symbol.for('fibril'),
  Symbol.iterator,
  {},
  Object.create(null),
  [1, , 3], // eslint-disable-line no-sparse-arrays
  () => {},
  class {},
  new Date(0),
  /r/,
  new Map(),
  new Error('e'),
  Promise.resolve,
  Buffer.from('b'),
  new ArrayBuffer(3),
  new SharedArrayBuffer(3),
  new Proxy({}, {}),
  globalThis,
];

describe('values', () => {
  describe('of the type any', () => {
    for (const [name, pass] of [['a call that finishes at once', natives.echo],
      ['a call that waits', natives.echoMoment]]) {
      it(`come back from ${name} as they were`, async () => {
        for (const value of [...SCALARS, ...REFERENCES]) {
          const result = await pass(value);
          assert.ok(Object.is(result, value), `${String(typeof value)} came back as another`);
        }
      });
    }

    it('come back in a batch, each to its own call', async () => {
      const values = Array.from({ length: 50 }, () => [...SCALARS, ...REFERENCES]).flat();
      const results = await Promise.all(values.map((value) => natives.echoMoment(value)));
      results.forEach((result, i) => assert.ok(Object.is(result, values[i]), `number ${i}`));
    });

    it('adopt a promise or a thenable, as every resolved promise does', async () => {
      assert.strictEqual(await natives.echo(Promise.resolve(5)), 5);
      assert.strictEqual(await natives.echoMoment({ then: (resolve) => resolve(6) }), 6);
      const reason = new Error('reason');
      assert.strictEqual(await errorOf(natives.echoMoment({ then: (_, reject) => reject(reason) })),
        reason);
      const getter = { get then() { throw reason; } };
      assert.strictEqual(await errorOf(natives.echoMoment(getter)), reason);
    });

    it('are let go after the call', async () => {
      let weak;
      await (async () => {
        const object = { mark: 7 };
        weak = new WeakRef(object);
        await natives.echoMoment(object);
      })();
      await collectUntil(() => weak.deref() === undefined);
    });

    it('are held while the call is under way', async () => {
      let weak;
      let promise;
      (() => {
        const object = { mark: 7 };
        weak = new WeakRef(object);
        promise = natives.echoLater(object, 100);
      })();
      await new Promise(setImmediate);
      let turns = 0;
      await collectUntil(() => ++turns > 3);
      assert.strictEqual(weak.deref()?.mark, 7);
      assert.strictEqual((await promise).mark, 7);
    });
  });

  describe('made anew in C', () => {
    it('every kind of a result', async () => {
      const { list, n } = await natives.kinds();
      assert.deepStrictEqual(list, [undefined, null, true, -0.5, -(2n ** 63n), 'caf\u00e9',
        Buffer.from('a\0b')]);
      assert.strictEqual(n, 2, 'the last one set of a key counts');
    });

    it('numbers, with their sign of zero and NaN', async () => {
      assert.ok(Object.is(await natives.echo(-0), -0));
      assert.ok(Object.is(await natives.add(-0, -0), -0));
      assert.ok(Number.isNaN(await natives.add(NaN, 1)));
      assert.strictEqual(await natives.add(0.1, 0.2), 0.1 + 0.2);
      assert.strictEqual(await natives.digits(1, 2, 3, 4, 5, 6, 7, 8), 12345678);
    });

    it('booleans', async () => {
      assert.strictEqual(await natives.truth(true), true);
      assert.strictEqual(await natives.truth(false), false);
    });

    it('strings are UTF-8 in C: any length, NUL included, a lone surrogate as U+FFFD', async () => {
      for (const text of ['', 'a', 'a\0b', '\u00e9\u20ac\u{1f600}', 'x'.repeat(255),
        'x'.repeat(256), '\u20ac'.repeat(100000)]) {
        assert.strictEqual(await natives.text(text), text);
      }
      assert.strictEqual(await natives.text(LONE_SURROGATES), LONE_SURROGATES.toWellFormed());
    });

    it('bytes of every kind of view', async () => {
      const memory = Uint8Array.from({ length: 64 }, (_, i) => i).buffer;
      const expected = (from, to) => Buffer.from(memory.slice(from, to));
      assert.deepStrictEqual(await natives.bytes(Buffer.from(memory, 3, 5)), expected(3, 8));
      assert.deepStrictEqual(await natives.bytes(memory), expected(0, 64));
      assert.deepStrictEqual(await natives.bytes(new DataView(memory, 9, 4)), expected(9, 13));
      assert.deepStrictEqual(await natives.bytes(new Float64Array(memory, 16, 2)),
        expected(16, 32));
      assert.deepStrictEqual(await natives.bytes(new Uint16Array(memory, 2, 3)), expected(2, 8));
      assert.deepStrictEqual(await natives.bytes(new BigInt64Array(memory, 8, 1)), expected(8, 16));
      assert.deepStrictEqual(await natives.bytes(new Uint8Array(0)), Buffer.alloc(0));
      assert.deepStrictEqual(await natives.bytes(new ArrayBuffer(0)), Buffer.alloc(0));
    });

    it('bytes are copied: what happens to the original later does not matter', async () => {
      const original = Buffer.from('before');
      const promise = natives.bytes(original);
      original.fill('x');
      assert.strictEqual((await promise).toString(), 'before');
    });

    it('buffers of any size, small ones as copies, large ones as the memory of C', async () => {
      for (const size of [0, 1, 65535, 65536, 65537, 1 << 20]) {
        const buffer = await natives.bigBuffer(size);
        assert.ok(Buffer.isBuffer(buffer));
        assert.deepStrictEqual(buffer,
          Buffer.from(Uint8Array.from({ length: size }, (_, i) => i * 7)));
      }
    });

    it('the memory of a large buffer is released once, when JavaScript has let it go', async () => {
      const alive = () => natives.countBuffers();
      await collectUntil(async () => (await alive()) === 0);
      await (async () => {
        const buffers = await Promise.all(Array.from({ length: 10 }, () =>
          natives.bigBuffer(100000)));
        assert.strictEqual(await alive(), 10);
        assert.strictEqual(buffers.reduce((sum, buffer) => sum + buffer.length, 0), 1000000);
      })();
      await collectUntil(async () => (await alive()) === 0);
    });

    it('arrays and objects inside each other', async () => {
      let value = await natives.nest(200);
      for (let i = 0; i < 200; i++) {
        assert.deepStrictEqual(Object.keys(value), ['in']);
        assert.strictEqual(value.in.length, 1);
        [value] = value.in;
      }
      assert.strictEqual(value, 'core');
    });
  });

  describe('nested deeply', () => {
    const DEPTH = 100000;

    async function assertNested(depth) {
      let value = await natives.nest(depth);
      for (let i = 0; i < depth; i++) [value] = value.in;
      assert.strictEqual(value, 'core');
      let [error] = await natives.nestErrors(depth / 10);
      for (let i = 1; i < depth / 10; i++) error = error.inner;
      assert.strictEqual(error.code, 'EIO');
    }

    it('cross as they are', () => assertNested(DEPTH));

    it('cross on the small stack of a worker', async () => {
      const worker = new Worker(`
        const { workerData, parentPort } = require('node:worker_threads');
        const natives = require(workerData);
        natives.nest(${DEPTH}).then(() => natives.nestErrors(${DEPTH / 10})).then(() => parentPort.postMessage('crossed'));
      `, { eval: true, workerData: nativesPath, resourceLimits: { stackSizeMb: 1 } });
      assert.deepStrictEqual(await once(worker, 'message'), ['crossed']);
      await once(worker, 'exit');
    });

    it('or containing themselves, are refused by an error', async () => {
      const error = await errorOf(natives.callEndless(() => assert.fail('called')));
      assert.ok(error instanceof RangeError);
      assert.strictEqual(error.code, 'ERR_FIBRIL_TOO_DEEP');
      assert.strictEqual(error.message,
        'A value is nested more than 1000000 deep, or contains itself');
    });
  });

  it('in arrays of any length', async () => {
    for (const length of [0, 1, 2, 127, 128, 129, 255, 256, 257, 1000, 128 * 1024, 128 * 1024 + 1,
      300001]) {
      const expected = Array.from({ length },
        (_, i) => (i % 100 === 99
          ? Array.from({ length: Math.floor(i / 100) % 4 }, (_item, j) => j) : i));
      assert.deepStrictEqual(await natives.longArray(length), expected, `${length} items`);
    }
  });

  it('are defined, whatever setters and getters prototypes have', async () => {
    const { code, stdout, stderr } = await runScript(`
      let heard = '';
      const define = (object, key) => Object.defineProperty(object, key, {
        configurable: true, get() { heard += 'get ' + key + ' '; return 'wrong'; }, set() { heard += 'set ' + key + ' '; },
      });
      (async () => {
        const seen = () => Promise.all([natives.longArray(300), natives.nest(2), natives.echoMoment('text'), natives.bytes(Buffer.from('x')),
          natives.call((...args) => args.length, 'text'), natives.call((first) => first, 'text', true),
          natives.failNamed('TypeError', 'inside'), natives.failUv(true).catch((error) => error), natives.add('x').catch((error) => error),
          natives.failDetailed(1).catch((error) => error)]);
        const before = await seen();
        const keys = ['code', 'text', 'errno', 'syscall', 'path', 'className', 'properties', 'in', 'detail', 'name'];
        for (const key of keys) define(Object.prototype, key);
        define(Array.prototype, '200');
        const after = await seen();
        const heardThen = heard;
        for (const key of keys) delete Object.prototype[key];
        delete Array.prototype['200'];
        require('node:assert').deepStrictEqual(after, before);
        console.log(heardThen || 'nothing');
      })();`);
    assert.deepStrictEqual([stdout, stderr, code], ['nothing\n', '', 0]);
  });

  describe('that JavaScript functions give to C', () => {
    it('come back from there: scalars, strings and bigints', async () => {
      for (const value of [...SCALARS, 'text', 'caf\u00e9', 0n, 2n ** 63n - 1n, -(2n ** 63n)]) {
        assert.ok(Object.is(await natives.call(() => value, null), value), String(value));
      }
      assert.deepStrictEqual(await natives.call(() => Buffer.from('bytes'), null),
        Buffer.from('bytes'));
    });

    it('come back as they were where C has no such kind', async () => {
      for (const value of [2n ** 63n, -(10n ** 30n), Symbol('s'), {}, [], () => {}, new Map()]) {
        assert.strictEqual(await natives.call(() => value, null), value);
      }
    });
  });
});
