'use strict';

// Arguments against their signatures, in Node's words. More types are in signatures.test.js.

const assert = require('node:assert');
const fs = require('node:fs');
const { pathToFileURL } = require('node:url');
const { natives, runScript, errorOf } = require('./support/natives');

/** The end of what Node says of such a value where it wants another. */
async function received(value) {
  const wrong = typeof value === 'string' ? async () => Buffer.alloc(value) : async () =>
    fs.promises.readFile(value);
  const { message } = await errorOf(wrong());
  return message.slice(message.indexOf(' Received'));
}

const WRONG = {
  string: [undefined, null, 5, true, 5n, Symbol('s'), {}, [], () => {}],
  number: [undefined, null, '5', false, 5n, Symbol('s'), {}, [], new Date(0)],
  boolean: [undefined, null, 0, 'true', {}, []],
  function: [undefined, null, 0, 'f', {}, /r/],
  bytes: [undefined, null, 0, 'text', [], {}, new SharedArrayBuffer(1), () => {}],
  path: [undefined, null, 5, true, 5n, Symbol('s'), {}, [], () => {}, new Date(0), { href: 'x' }],
};

const EXPECTED = {
  string: 'of type string',
  number: 'of type number',
  boolean: 'of type boolean',
  function: 'of type function',
  bytes: 'an instance of Buffer, TypedArray, DataView, or ArrayBuffer',
  path: 'of type string or an instance of Buffer or URL',
};

const CALLS = {
  string: [natives.text, 'text'],
  number: [(value) => natives.add(value, 1), 'a'],
  boolean: [natives.truth, 'value'],
  function: [(value) => natives.call(value, 1), 'fn'],
  bytes: [natives.bytes, 'data'],
  path: [natives.path, 'path'],
};

/** What is the same in every error about an argument. */
function assertArgumentError(error, Class, code, message) {
  assert.strictEqual(error.message, message);
  assert.strictEqual(error.code, code);
  assert.ok(error instanceof Class);
  assert.strictEqual(error.name, Class.name);
  assert.deepStrictEqual(Object.keys(error), ['code']);
  assert.strictEqual(error.stack.split('\n')[0], `${Class.name} [${code}]: ${message}`);
}

describe('arguments', () => {
  for (const [type, values] of Object.entries(WRONG)) {
    it(`of the type ${type} refuse every other`, async () => {
      const [call, name] = CALLS[type];
      for (const value of values) {
        const tail = await received(value);
        assertArgumentError(await errorOf(call(value)), TypeError, 'ERR_INVALID_ARG_TYPE',
          `The "${name}" argument must be ${EXPECTED[type]}.${tail}`);
      }
    });
  }

  it('describe what was given as Node does, whatever it is', async () => {
    class Point {}
    const values = [{}, new Point(), Object.create(null), [], [1, 2], () => {}, function named() {},
      class Named {}, -0, 1.5,
      NaN, 'x'.repeat(24), 'x'.repeat(25), 'x'.repeat(26), 'x'.repeat(100), "it's", 10n,
      Symbol('a symbol with a long description'), null, undefined,
      { constructor: null }, new Proxy({}, {})];
    for (const value of values) {
      const { message } = await errorOf(natives.truth(value));
      assert.strictEqual(message.slice(message.indexOf(' Received')), await received(value));
    }
  });

  // Node 26's words; before, they were "an instance of " and nothing.
  it('do not call an object an instance of a class without a name', async () => {
    const { message } = await errorOf(natives.truth({ constructor: { name: '' } }));
    assert.match(message, / Received \[Object\]$/);
  });

  it('are refused by a rejection, never by an exception', () => {
    const promise = natives.add();
    assert.ok(promise instanceof Promise);
    return assert.rejects(promise,
      { message: 'The "a" argument must be of type number. Received undefined' });
  });

  it('are refused in their order', async () => {
    assert.match((await errorOf(natives.add('x', 'y'))).message, /"a"/);
    assert.match((await errorOf(natives.add(1, 'y'))).message, /"b"/);
    assert.match((await errorOf(natives.digits(1, 2, 3, 4, 5, 6, 7))).message, /"h"/);
  });

  it('too many are ignored', async () => {
    assert.strictEqual(await natives.add(1, 2, 3, 'x'), 3);
    assert.strictEqual(await natives.digits(1, 1, 1, 1, 1, 1, 1, 1, 'x'), 11111111);
    assert.strictEqual(await natives.countLive('x'), 0);
  });

  describe('of integer types', () => {
    const least = { int32: -2147483648, uint32: 0, int64: Number.MIN_SAFE_INTEGER };
    const most = { int32: 2147483647, uint32: 4294967295, int64: Number.MAX_SAFE_INTEGER };
    const calls = {
      int32: [(n) => natives.integers(n, 0, 0), 'a'],
      uint32: [(n) => natives.integers(0, n, 0), 'b'],
      int64: [(n) => natives.integers(0, 0, n), 'c'],
    };

    for (const [type, [call, name]] of Object.entries(calls)) {
      it(`${type} take their range and nothing else`, async () => {
        for (const value of [least[type], most[type], 0, -0, 17]) {
          assert.strictEqual(await call(value), value + 0);
        }
        for (const value of [1.5, -0.5, NaN, Infinity, -Infinity]) {
          assertArgumentError(await errorOf(call(value)), RangeError, 'ERR_OUT_OF_RANGE',
            `The value of "${name}" is out of range. It must be an integer. Received ${value}`);
        }
        for (const value of [least[type] - 1, most[type] + 1]) {
          assert.strictEqual((await errorOf(call(value))).code, 'ERR_OUT_OF_RANGE');
        }
        assert.strictEqual((await errorOf(call('1'))).code, 'ERR_INVALID_ARG_TYPE');
        assert.strictEqual((await errorOf(call(1n))).code, 'ERR_INVALID_ARG_TYPE');
      });
    }

    it('say the range, with separators in large numbers, as Node does', async () => {
      for (const value of [-1, 4294967296, 4294967297, 1e15, -5e9]) {
        const theirs = await errorOf((async () => Buffer.alloc(4).writeUInt32BE(value))());
        const [, tail] = theirs.message.split('Received');
        assertArgumentError(await errorOf(natives.integers(0, value)), RangeError,
          'ERR_OUT_OF_RANGE',
          `The value of "b" is out of range. It must be >= 0 && <= 4294967295. Received${tail}`);
      }
    });
  });

  describe('of the type path', () => {
    it('are strings, buffers and URLs', async () => {
      assert.strictEqual(await natives.path('a/\u00e9'), 'a/\u00e9');
      assert.strictEqual(await natives.path(''), '');
      assert.strictEqual(await natives.path(Buffer.from('a/\u00e9')), 'a/\u00e9');
      assert.strictEqual(await natives.path(new Uint8Array([97, 98])), 'ab');
      assert.strictEqual(await natives.path(pathToFileURL('/a b/\u00e9#?')), '/a b/\u00e9#?');
      assert.strictEqual(await natives.path('x'.repeat(5000)), 'x'.repeat(5000));
    });

    it('have no NUL', async () => {
      for (const value of ['a\0b', '\0', Buffer.from('a\0'), 'x'.repeat(300) + '\0']) {
        const theirs = await errorOf(fs.promises.readFile(value));
        const ours = await errorOf(natives.path(value));
        assert.strictEqual(ours.message, theirs.message);
        assert.strictEqual(ours.code, theirs.code);
        assert.strictEqual(ours.stack.split('\n')[0], theirs.stack.split('\n')[0]);
      }
      const error = await errorOf(natives.path(new URL('file:///a%00b')));
      assert.strictEqual(error.code, 'ERR_INVALID_ARG_VALUE');
    });

    it('refuse a URL of another scheme, or with an encoded slash, as Node does', async () => {
      for (const url of ['http://x/y', 'data:,x', 'file://host/x', 'file:///a%2Fb']) {
        const theirs = await errorOf(fs.promises.readFile(new URL(url)));
        const ours = await errorOf(natives.path(new URL(url)));
        assert.strictEqual(ours.message, theirs.message);
        assert.strictEqual(ours.code, theirs.code);
      }
    });
  });

  describe('that may be left out', () => {
    it('have their defaults', async () => {
      assert.strictEqual(await natives.integers(1, 2), 8);
      assert.strictEqual(await natives.integers(1, 2, undefined), 8);
      assert.strictEqual(await natives.integers(1, 2, 3), 6);
      assert.strictEqual((await errorOf(natives.fail('x'))).message, 'x');
      assert.strictEqual((await errorOf(natives.fail('x', undefined))).message, 'x');
    });

    it('are not null', async () => {
      assert.match((await errorOf(natives.integers(1, 2, null))).message,
        /"c" argument must be of type number. Received null$/);
      assert.match((await errorOf(natives.options(null))).message,
        /"options" argument must be of type object. Received null$/);
    });

    it('are counted in the function\'s length', () => {
      assert.deepStrictEqual([natives.add, natives.integers, natives.options, natives.digits]
        .map((fn) => [fn.name, fn.length]),
        [['add', 2], ['integers', 2], ['options', 0], ['digits', 8]]);
    });
  });

  describe('of an options object', () => {
    it('are its properties, own and inherited, or their defaults', async () => {
      assert.deepStrictEqual(await natives.options(), [true, 3, undefined]);
      assert.deepStrictEqual(await natives.options({}), [true, 3, undefined]);
      assert.deepStrictEqual(await natives.options({ flag: undefined, count: undefined }),
        [true, 3, undefined]);
      assert.deepStrictEqual(await natives.options({ flag: false, count: 0, name: '', more: 1 }),
        [false, 0, '']);
      assert.deepStrictEqual(await natives.options(Object.create({ name: 'inherited' })),
        [true, 3, 'inherited']);
      assert.deepStrictEqual(await natives.options(Object.assign(() => {}, { count: 9 })),
        [true, 9, 'name' in Function.prototype ? '' : undefined]);
      assert.deepStrictEqual(await natives.options([]), [true, 3, undefined]);
    });

    it('are refused with the name of the property', async () => {
      for (const [value, Class, code, message] of [
        [{ flag: 1 }, TypeError, 'ERR_INVALID_ARG_TYPE',
          'The "options.flag" property must be of type boolean. Received type number (1)'],
        [{ flag: null }, TypeError, 'ERR_INVALID_ARG_TYPE',
          'The "options.flag" property must be of type boolean. Received null'],
        [{ name: 5 }, TypeError, 'ERR_INVALID_ARG_TYPE',
          'The "options.name" property must be of type string. Received type number (5)'],
        [{ count: 1.5 }, RangeError, 'ERR_OUT_OF_RANGE',
          'The value of "options.count" is out of range. It must be an integer. Received 1.5'],
        [{ count: -1 }, RangeError, 'ERR_OUT_OF_RANGE',
          'The value of "options.count" is out of range. It must be >= 0 && <= 4294967295. Received -1'],
        [5, TypeError, 'ERR_INVALID_ARG_TYPE',
          'The "options" argument must be of type object. Received type number (5)'],
        ['x', TypeError, 'ERR_INVALID_ARG_TYPE',
          'The "options" argument must be of type object. Received type string (\'x\')'],
      ]) {
        assertArgumentError(await errorOf(natives.options(value)), Class, code, message);
      }
    });

    it('reject with what a getter throws', async () => {
      const reason = new Error('getter');
      const options = { get count() { throw reason; } };
      assert.strictEqual(await errorOf(natives.options(options)), reason);
      assert.strictEqual(await errorOf(natives.options(new Proxy({}, { get() { throw reason; } }))),
        reason);
    });

    it('reject with what is thrown while a wrong value is described', async () => {
      const reason = new Error('constructor');
      const value = { get constructor() { throw reason; } };
      assert.strictEqual(await errorOf(natives.options({ name: value })), reason);
      assert.strictEqual(await errorOf(natives.text(value)), reason);
      assert.strictEqual(await errorOf(natives.path({ get href() { throw reason; } })), reason);
    });

    it('may start calls of their own while they are read', async () => {
      const inner = [];
      const options = {
        get count() {
          inner.push(natives.echoMoment('moment'), natives.add(1, 2));
          return 7;
        },
      };
      assert.deepStrictEqual(await natives.options(options), [true, 7, undefined]);
      assert.deepStrictEqual(await Promise.all(inner), ['moment', 3]);
    });
  });

  it('leave nothing behind when they are refused', async () => {
    const { code, stdout, stderr } = await runScript(`
      (async () => {
        let collected = 0;
        const registry = new FinalizationRegistry(() => collected++);
        for (let i = 0; i < 100; i++) {
          const fn = () => {};
          registry.register(fn);
          await natives.sumCalls(fn, 'not a number').catch(() => {});
        }
        for (let i = 0; i < 100 && collected < 99; i++) {
          gc();
          await new Promise(setImmediate);
        }
        console.log(collected >= 99);
      })();`, { flags: ['--expose-gc'] });
    assert.deepStrictEqual([stdout, stderr, code], ['true\n', '', 0]);
  });
});
