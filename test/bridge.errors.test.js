'use strict';

// Errors from C: their properties, their stacks, and what becomes of those that nobody awaits.

const assert = require('node:assert');
const fs = require('node:fs');
const { getSystemErrorMap } = require('node:util');
const { natives, runScript, errorOf } = require('./support/natives');

const MISSING = '/no/such/fil\u00e9';

/**
 * What an error says about itself: prototype, own properties with their flags, the first line of
 * the stack.
 */
function portrait(error) {
  const properties = Object.getOwnPropertyDescriptors(error);
  delete properties.stack;
  return { prototype: Object.getPrototypeOf(error), properties, text: String(error),
    head: error.stack.split('\n')[0] };
}

describe('errors', () => {
  for (const [when, later] of [['at once', false], ['after a wait', true]]) {
    describe(`of a function that fails ${when}`, () => {
      it('have the properties of Node\'s own, in their order', async () => {
        const theirs = await errorOf(fs.promises.readFile(MISSING));
        const ours = await errorOf(natives.failCall(theirs.errno, 'open', MISSING, later));
        assert.deepStrictEqual(portrait(ours), portrait(theirs));
        assert.deepStrictEqual(Object.keys(ours), ['errno', 'code', 'syscall', 'path']);
        assert.ok(ours instanceof Error);
      });

      it('leave out the path or the system call that C did not give', async () => {
        const directory = await fs.promises.open(process.cwd());
        const theirs = await errorOf(directory.readFile());
        await directory.close();
        assert.strictEqual(theirs.syscall, 'read');
        const ours = await errorOf(natives.failCall(theirs.errno, 'read', undefined, later));
        assert.deepStrictEqual(portrait(ours), portrait(theirs));
        const bare = await errorOf(natives.failCall(theirs.errno, undefined, undefined, later));
        assert.strictEqual(bare.message, 'illegal operation on a directory');
        assert.deepStrictEqual(Object.keys(bare), ['errno', 'code']);
      });

      it('have the message that C gave', async () => {
        const error = await errorOf(natives.fail('100% \u00e9', later));
        assert.strictEqual(error.message, '100% \u00e9');
        assert.strictEqual(error.code, 'EIO');
        assert.strictEqual(error.errno, -5);
      });
    });
  }

  it('have the names and words of libuv for every code', async () => {
    for (const [errno, [name, message]] of getSystemErrorMap()) {
      const error = await errorOf(natives.failCode(errno));
      assert.deepStrictEqual([error.code, error.errno, error.message], [name, errno, message]);
    }
  });

  it('have fibril\'s own codes, and no errno, for what no system call said', async () => {
    const names = ['EALREADY', 'EPENDING', 'ENOTCOROUTINE', 'ENOTSTARTED', 'ECLOSED', 'EBADYIELD',
      'ERUNNING', 'ESTOPPED', 'EEXCEPTION', 'ETYPE'];
    for (const [i, name] of names.entries()) {
      const error = await errorOf(natives.failCode(-5000 - i));
      assert.strictEqual(error.code, `FIBRIL_${name}`);
      assert.ok(!Object.hasOwn(error, 'errno'));
      assert.match(error.message, /^[A-Za-z].* /);
    }
  });

  it('are of the class that C named', async () => {
    const error = await errorOf(natives.failType());
    assert.ok(error instanceof RangeError);
    assert.strictEqual(error.name, 'RangeError');
    assert.strictEqual(error.code, 'ERR_TEST');
    assert.strictEqual(error.message, 'out of range');
    assert.strictEqual(error.stack.split('\n')[0], 'RangeError [ERR_TEST]: out of range');
    assert.deepStrictEqual(Object.keys(error), ['code']);
  });

  it('have the properties that C added', async () => {
    for (const later of [false, true]) {
      const detail = { rows: [1] };
      const error = await errorOf(natives.failDetailed(detail, later));
      assert.strictEqual(error.stack.split('\n')[0], 'Error [42P01]: no table');
      assert.deepStrictEqual(Object.entries(error),
        [['code', '42P01'], ['detail', detail], ['position', 15]]);
      assert.strictEqual(error.detail, detail);
    }
  });

  for (const how of ['now', 'later', 'inside']) {
    it(`have any name that C gives: ${how}`, async () => {
      for (const name of ['SQLiteError', 'AbortError', '', 'a name', 'Object', 'Promise',
        '__proto__', 'caf\u00e9']) {
        const promise = natives.failNamed(name, how); // never an exception
        const error = how === 'inside' ? (await promise)[0] : await errorOf(promise);
        assert.strictEqual(Object.getPrototypeOf(error), Error.prototype);
        assert.deepStrictEqual([error.name, error.message, error.code],
          [name, 'of any name', 'ERR_TEST']);
        assert.deepStrictEqual(Object.keys(error), ['code']);
        assert.strictEqual(error.stack.split('\n')[0],
          `${name === '' ? '' : `${name} `}[ERR_TEST]: of any name`);
      }
      for (const Class of [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
        AggregateError]) {
        const promise = natives.failNamed(Class.name, how);
        const error = how === 'inside' ? (await promise)[0] : await errorOf(promise);
        assert.strictEqual(Object.getPrototypeOf(error), Class.prototype);
        assert.deepStrictEqual([error.name, error.message, error.code],
          [Class.name, 'of any name', 'ERR_TEST']);
        assert.ok(!Object.hasOwn(error, 'name'));
      }
    });
  }

  it('have properties of their own, whatever those are called', async () => {
    const keys = ['__proto__', 'constructor', 'then', 'message', 'code', 'name', ''];
    const error = await errorOf(natives.failWithKeys(keys));
    for (const [i, key] of keys.entries()) {
      assert.strictEqual(Object.getOwnPropertyDescriptor(error, key).value, i, key);
    }
    assert.strictEqual(Object.getPrototypeOf(error), RangeError.prototype);
  });

  it('do not depend on what Error.prepareStackTrace does', async () => {
    const { code, stdout, stderr } = await runScript(`
      Error.prepareStackTrace = () => { throw new Error('of the stack'); };
      const names = ['TypeError', 'Mine'].flatMap((name) => ['now', 'later'].map((how) => natives.failNamed(name, how)));
      Promise.allSettled(names).then((all) => console.log(all.map(({ reason }) => reason.name + ': ' + reason.message).join()));`);
    assert.deepStrictEqual([stdout, stderr, code], [
      'TypeError: of any name,TypeError: of any name,Mine: of any name,Mine: of any name\n', '',
      0]);
  });

  it('of a JavaScript function are the very value it threw', async () => {
    for (const value of [new Error('mine'), 'text', undefined, null, 0, { then: 1 }, Symbol('s')]) {
      for (const later of [false, true]) {
        const thrower = () => { throw value; };
        const rejecter = async () => { throw value; };
        for (const fn of [thrower, rejecter]) {
          const caught = await natives.call(fn, null, later)
            .then(() => assert.fail('no error'), (error) => ({ error }));
          assert.ok(Object.is(caught.error, value));
        }
      }
    }
  });
});

describe('stacks', () => {
  async function innerCaller(start) {
    await start();
  }
  async function outerCaller(start) {
    await innerCaller(start);
  }
  const frames = async (start) => (await errorOf(outerCaller(start))).stack.split('\n').slice(1);

  it('of a call that fails at once begin at the caller', async () => {
    function directCaller() {
      return natives.fail('now');
    }
    const [first, second, ...rest] = await frames(directCaller);
    assert.match(first, /at .*fail .*fibril:call/);
    assert.match(second, /at directCaller .*bridge\.errors\.test\.js/);
    assert.ok(rest.some((line) => line.includes('innerCaller')), rest.join('\n'));
  });

  it('of a call that fails later have the callers that await it', async () => {
    const lines = await frames(() => natives.fail('later', true));
    assert.match(lines[0], /at async innerCaller .*bridge\.errors\.test\.js/);
    assert.match(lines[1], /at async outerCaller .*bridge\.errors\.test\.js/);
    assert.ok(lines.every((line) => !line.includes('fibril:runtime')), lines.join('\n'));
  });

  it('have the callers behind Promise.all too', async () => {
    const lines = await frames(() => Promise.all([natives.echo(1), natives.failUv(true)]));
    assert.ok(lines.some((line) => /at async Promise\.all \(index 1\)/.test(line)),
      lines.join('\n'));
    assert.ok(lines.some((line) => line.includes('async innerCaller')), lines.join('\n'));
  });

  it('of two failures in one batch have each their own callers', async () => {
    async function first() {
      await natives.fail('one', true);
    }
    async function second() {
      await natives.fail('two', true);
    }
    const [one, two] = await Promise.all([errorOf(first()), errorOf(second())]);
    assert.match(one.stack, /^Error: one\n {4}at async first /);
    assert.match(two.stack, /^Error: two\n {4}at async second /);
  });
});

describe('an error that nobody awaits', () => {
  const count = `
    const seen = [];
    process.on('unhandledRejection', (error, promise) => seen.push([error.message, promise instanceof Promise]));
    process.on('exit', () => console.log(JSON.stringify(seen)));
  `;

  for (const [name, call] of [
    ['of a call that fails at once', 'natives.fail("x")'],
    ['of a call that fails later', 'natives.fail("x", true)'],
    ['of an argument', 'natives.fail(5).catch((e) => { throw new Error("x"); })'],
    ['thrown by a JavaScript function', 'natives.call(() => { throw new Error("x"); }, 1, true)'],
    ['of a call with a signal',
      'natives.forever({ signal: AbortSignal.abort() }).catch(() => { throw new Error("x"); })'],
  ]) {
    it(`${name} is one unhandled rejection`, async () => {
      const { code, stdout, stderr } = await runScript(`${count} ${call};`);
      assert.deepStrictEqual([JSON.parse(stdout), code, stderr], [[['x', true]], 0, '']);
    });
  }

  it('ends the process as Node does, with the error in its words', async () => {
    const { code, stderr } = await runScript('natives.failUv(true);');
    assert.strictEqual(code, 1);
    assert.match(stderr, /Error: ENOENT: no such file or directory, open '\/no\/such'/);
    assert.match(stderr,
      /errno: -2,\n {2}code: 'ENOENT',\n {2}syscall: 'open',\n {2}path: '\/no\/such'/);
  });

  it('is no unhandled rejection when a handler comes in the same turn', async () => {
    const { stdout } = await runScript(`${count}
      const late = natives.fail('x', true);
      const now = natives.fail('x');
      late.catch(() => {});
      now.catch(() => {});`);
    assert.deepStrictEqual(JSON.parse(stdout), []);
  });

  it('of a C future is told on stderr', async () => {
    const { code, stderr } =
      await runScript('natives.callForgotten(() => { throw new Error("lost"); });');
    assert.strictEqual(code, 0);
    assert.match(stderr, /fibril: a future failed and nobody read its error.*lost/);
  });

  for (const any of [false, true]) {
    it(`of a C future whose wait ${any
      ? 'for it and others ' : ''}was aborted is not told: the caller was`, async () => {
      const { code, stdout, stderr } = await runScript(`
        const controller = new AbortController();
        const promise = natives.awaitAbandoned({ signal: controller.signal, any: ${any} });
        controller.abort();
        promise.catch(async (error) => {
          console.log(error.name);
          await natives.failAbandoned();
        });`);
      assert.deepStrictEqual([stdout, stderr, code], ['AbortError\n', '', 0]);
    });
  }
});
