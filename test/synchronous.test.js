'use strict';

// Functions and methods that return their results in the call, and constants.

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const path = require('node:path');
const { inspect } = require('node:util');
const { Worker } = require('node:worker_threads');
const { Future, gen, run } = require('../lib');
const { collectUntil, errorOf, runScript, thrownBy } = require('./support/natives');

const release = path.join(__dirname, 'addon', 'build', 'Release');
const addonPath = path.join(release, 'synchronous.node');
const addon = require(addonPath);
const { Tally } = addon;

describe('synchronous functions', () => {
  it('return their results, of every kind', () => {
    assert.strictEqual(addon.add(1, 2), 3);
    assert.strictEqual(addon.nothing(), undefined);
    const symbol = Symbol('s');
    const object = new Map();
    for (const value of [0, -0, NaN, 'text', true, null, undefined, 5n, symbol, object, () => {}]) {
      assert.strictEqual(addon.same(value), value);
    }
    assert.deepStrictEqual(addon.same([1, ['a']]), [1, ['a']]);
    assert.strictEqual(addon.join(', ', 'a', 'b', 'c'), 'a, b, c');
    assert.strictEqual(addon.join(', '), '');
  });

  it('throw what Node throws for a string that is longer than V8\'s', async function () {
    this.timeout(60000);
    const length = require('node:buffer').constants.MAX_STRING_LENGTH + 1;
    const expected = ['ERR_STRING_TOO_LONG',
      `Cannot create a string longer than 0x${(length - 1).toString(16)} characters`];
    const { code, message } = thrownBy(() => addon.longText(length));
    assert.deepStrictEqual([code, message], expected);
    const late = await errorOf(addon.longTextLater(length));
    assert.deepStrictEqual([late.code, late.message], expected);
    assert.strictEqual(addon.longText(100), 'x'.repeat(100));
  });

  it('are called as their signatures say', () => {
    const { add, join, nothing, root } = addon;
    assert.deepStrictEqual([add, join, nothing, root].map(({ name, length }) => [name, length]),
      [['add', 2], ['join', 1], ['nothing', 0], ['root', 1]]);
    assert.strictEqual(addon.rootOf(9), 3);
    assert.strictEqual(addon.rootOf(-9, true), 3);
    assert.strictEqual(addon.root(9, {}), 3);
    assert.strictEqual(Reflect.apply(add, { some: 'this' }, [1, 2, 3]), 3);
  });

  it('throw for bad arguments, in Node\'s words, and run nothing', () => {
    for (const [call, name, message] of [
      [() => addon.add('1', 2), 'a', 'of type number. Received type string (\'1\')'],
      [() => addon.add(1), 'b', 'of type number. Received undefined'],
      [() => addon.join(1), 'separator', 'of type string. Received type number (1)'],
      [() => addon.callNow({}), 'fn', 'of type function. Received an instance of Object'],
    ]) {
      const { code, message: actual } = thrownBy(call);
      assert.deepStrictEqual([code, actual],
        ['ERR_INVALID_ARG_TYPE', `The "${name}" argument must be ${message}`]);
    }
    const mistake = new Error('in a getter');
    const options = { get negative() { throw mistake; } };
    assert.strictEqual(thrownBy(() => addon.root(1, options)), mistake);
  });

  it('throw their errors, with stacks that begin with the caller', () => {
    function whoCalls() {
      addon.rootOf(-1);
    }
    const error = thrownBy(whoCalls);
    assert.ok(error instanceof RangeError);
    assert.deepStrictEqual([error.name, error.code, error.message],
      ['RangeError', 'ERR_NEGATIVE', '-1 has no square root']);
    assert.match(error.stack, /^RangeError \[ERR_NEGATIVE\]: -1 has no square root\n {4}at whoCalls/);
    function whoCallsWithMany() {
      addon.failRest('here', 1, 2, 3);
    }
    assert.match(thrownBy(whoCallsWithMany).stack, /, open 'here'\n {4}at whoCallsWithMany/);
    const { code, errno, syscall, path: file } = thrownBy(() => addon.failMissing('here'));
    assert.deepStrictEqual([code, errno, syscall, file], ['ENOENT', -2, 'open', 'here']);
    assert.deepStrictEqual({ ...thrownBy(addon.throwByName) },
      { errno: -16, code: 'EBUSY', owner: 'nobody' });
  });

  it('can be the same C functions as asynchronous ones', async () => {
    assert.strictEqual(await addon.addLater(1, 2), addon.add(1, 2));
    const [now, later] = [thrownBy(() => addon.failMissing('x')),
      await errorOf(addon.failMissingLater('x'))];
    assert.deepStrictEqual([{ ...now }, now.message], [{ ...later }, later.message]);
    assert.ok(!(await addon.waitsLater(() => 1)).includes('FIBRIL_ESYNC'));
  });

  it('can\'t wait: every wait says so, and a function that C calls is not', () => {
    let called = false;
    assert.deepStrictEqual(addon.waits(() => (called = true)), Array(6).fill('FIBRIL_ESYNC'));
    assert.strictEqual(called, false);
    assert.deepStrictEqual(addon.noCoroutine(),
      ['FIBRIL_ENOTCOROUTINE', 'FIBRIL_ENOTCOROUTINE', 'FIBRIL_ENOTCOROUTINE', 'EINVAL']);
  });

  it('own the values that they make and leave', () => {
    assert.strictEqual(addon.leavesValues(), 'left to the arena');
    assert.strictEqual(addon.countLeft(), 0);
    assert.throws(() => addon.leavesValues(true), { code: 'EIO' });
    assert.strictEqual(addon.countLeft(), 0);
  });

  it('own none that others make meanwhile, and those that they hand on are others\'', () => {
    for (const [how, given, kept] of [[0, 'made here', 'on the loop'],
      [1, 'its own', 'in a coroutine'], [2, 'set', 'when done'], [3, 'yielded', 'in a generator'],
      [4, 'made here', undefined]]) {
      assert.strictEqual(addon.keeps(how), given);
      for (let i = 0; i < 10; i++) addon.leavesValues(); // in the memory of what is freed too early
      assert.strictEqual(addon.takeKept(), kept);
    }
    assert.strictEqual(addon.keepsFromAnotherLoop(), 'made here');
    for (let i = 0; i < 10; i++) addon.leavesValues();
    assert.strictEqual(addon.takeKept(), 'when another loop runs');
    for (let i = 0; i < 100; i++) assert.deepStrictEqual(addon.handOn(), ['handed on']);
    for (let i = 0; i < 100; i++) assert.deepStrictEqual(addon.receive(), ['handed on']);
    assert.throws(addon.receive, { code: 'EAGAIN' });
  });

  it('call JavaScript that returns at once', () => {
    assert.strictEqual(addon.callNow((value) => value + 1, 1), 2);
    const mistake = new TypeError('of the callback');
    assert.strictEqual(thrownBy(() => addon.callNow(() => { throw mistake; })), mistake);
    assert.throws(() => addon.callNow(async () => 1), { code: 'FIBRIL_EPENDING' });
    const storage = new AsyncLocalStorage();
    storage.run('context', () =>
      assert.strictEqual(addon.callNow(() => storage.getStore()), 'context'));
  });

  it('call each other through JavaScript', () => {
    const count = (n) => (n === 0 ? 0 : 1 + addon.callNow(count, n - 1));
    assert.strictEqual(count(100), 100);
  });

  it('turn the loop behind fibril_on_loop, and else end the process with a sentence', async () => {
    let later;
    setImmediate(() => (later = addon.addLater(1, 2)));
    for (let i = 0; later === undefined; i++) addon.turns();
    for (let i = 0; i < 10; i++) addon.leavesValues();
    assert.strictEqual(await later, 3);
    const { code, signal, stderr } = await runScript(`
      setImmediate(() => {}); // else there is nothing to turn
      require(${JSON.stringify(addonPath)}).turns(true);`);
    assert.deepStrictEqual([code, signal], [null, 'SIGABRT']);
    assert.match(stderr, /^fibril: a synchronous function has called uv_run, .*fibril_on_loop/);
  });

  it('take any number of arguments as a rest, whatever has been replaced', () => {
    for (const count of [0, 1, 2, 7, 8, 9, 1000]) {
      const values = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? `${i}` : i));
      assert.deepStrictEqual(addon.rest(...values), values);
    }
    assert.throws(() => addon.failRest('here', 1, '2'), { code: 'ERR_INVALID_ARG_TYPE',
      message: 'The "rest[1]" argument must be of type number. Received type string (\'2\')' });
    const { slice } = Array.prototype;
    Array.prototype.slice = () => { throw new Error('replaced'); };
    try {
      assert.deepStrictEqual(addon.rest(1, 2), [1, 2]);
      assert.strictEqual(addon.join('-', 'a', 'b'), 'a-b');
    } finally {
      Array.prototype.slice = slice;
    }
  });

  it('start what goes on after them, and coroutines call them', async () => {
    assert.strictEqual(addon.spawns(), false);
    while (addon.countSpawned() === 0) await new Promise(setImmediate);
    assert.strictEqual(await addon.addLater(1, addon.callNow(() => addon.add(1, 1))), 3);
    const together = await Promise.all(Array.from({ length: 50 }, (_, i) =>
      addon.waitsLater(() => addon.add(i, 1)).then(() => addon.add(i, 1))));
    assert.deepStrictEqual(together, Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('are plain functions to co, gen and everybody', async () => {
    assert.strictEqual(await run(function* () {
      return addon.add(1, (yield addon.addLater(1, 1)));
    }), 3);
    const future = gen.future(addon.add)(1, 2);
    assert.ok(future instanceof Future);
    assert.strictEqual(await future, 3);
    const [first, second] = [gen.future((n) => addon.add(n, n) && addon.addLater(n, n))(2),
      addon.addLater(1, 1)];
    assert.ok(first instanceof Future && second instanceof Promise);
    assert.deepStrictEqual(await Promise.all([first, second]), [4, 2]);
  });
});

describe('synchronous methods', () => {
  it('have their object', async () => {
    const tally = new Tally();
    assert.strictEqual(tally.add(1), 1);
    assert.strictEqual(tally.sum(2, 3), 6);
    assert.strictEqual(await tally.addLater(1), 7);
    assert.deepStrictEqual(Object.keys(Tally.prototype), []);
    assert.deepStrictEqual([tally.add.name, tally.add.length, tally.sum.length], ['add', 1, 0]);
    for (const other of [undefined, {}, Tally.prototype, new Proxy(tally, {})]) {
      assert.throws(() => tally.add.call(other, 1),
        { code: 'ERR_INVALID_THIS', message: 'Value of "this" must be of type Tally' });
    }
    assert.throws(() => tally.add('1'), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.strictEqual(tally.add(0), 7);
  });

  it('called close are what Symbol.dispose calls, in a subclass, too', () => {
    const tally = new Tally();
    assert.strictEqual(tally[Symbol.dispose](), undefined);
    assert.strictEqual(tally.closed, true);
    assert.strictEqual(Tally.prototype[Symbol.asyncDispose], undefined);
    assert.throws(() => tally.add(1), { code: 'EBADF', message: 'the tally is closed' });
    class Loud extends Tally {
      close() {
        this.said = 'bye';
        super.close();
      }
    }
    const loud = new Loud();
    loud[Symbol.dispose]();
    assert.deepStrictEqual([loud.said, loud.closed], ['bye', true]);
  });

  it('let go of their object', async () => {
    const before = addon.countLive();
    (() => {
      for (let i = 0; i < 100; i++) new Tally().add(i);
    })();
    await collectUntil(() => addon.countLive() <= before);
  });
});

describe('constants', () => {
  it('are on the exports, and stay', () => {
    assert.strictEqual(addon.VERSION, '1.2.3');
    assert.deepStrictEqual(addon.limits, { depth: 64 });
    assert.deepStrictEqual(addon.colours, ['red', 'green']);
    assert.strictEqual(addon.LARGEST, 2n ** 63n - 1n);
    assert.ok('absent' in addon && addon.absent === undefined);
    assert.throws(() => (addon.VERSION = '2'), TypeError);
    assert.deepStrictEqual(Object.getOwnPropertyDescriptor(addon, 'VERSION'),
      { value: '1.2.3', writable: false, enumerable: true, configurable: false });
  });

  const modulePath = path.join(release, 'signatures.node');

  function load(signature, constant = 'some') {
    Object.assign(process.env,
      { FIBRIL_TEST_CONSTANT: constant, FIBRIL_TEST_SIGNATURE: signature });
    delete require.cache[modulePath];
    try {
      return require(modulePath);
    } finally {
      for (const name of ['CONSTANT', 'SIGNATURE']) delete process.env[`FIBRIL_TEST_${name}`];
    }
  }

  it('have names and types as TypeScript has them, or fail the load', () => {
    assert.strictEqual(load('$name: Map<string, () => number[]>').$name, 'value');
    assert.strictEqual(Object.getOwnPropertyDescriptor(load('__proto__: string'), '__proto__').value,
      'value');
    for (const [signature, rest] of [
      ['', 'expected a name at position 0'],
      ['name', 'expected \':\' and the type of the property at position 4'],
      ['name: ', 'expected \':\' and the type of the property at position 6'],
      ['name(): string', 'expected \':\' and the type of the property at position 4'],
      ['name: string = 5', 'expected the end at position 13'],
    ]) {
      assert.throws(() => load(signature), { code: 'ERR_FIBRIL_SIGNATURE',
        message: `fibril_export_value: "${signature}": ${rest}` });
    }
    assert.throws(() => load('name: string', 'none'),
      { message: 'fibril_export_value: "name: string": not enough memory' });
    assert.throws(() => load('name: string', 'unreadable'), { code: 'ERR_FIBRIL_SIGNATURE',
      message: 'fibril_export_value: "name: string": could not read it' });
    assert.throws(() => load('name: string', 'zero'),
      { message: 'fibril_export_value: "name: string": zero' });
    for (const constant of ['twice', 'function']) {
      assert.throws(() => load('name: string', constant),
        { message: 'fibril_export_value: "name: string": expected another name at position 0' });
    }
  });
});

describe('signatures of synchronous functions', () => {
  it('are those of functions whose result is neither a promise nor a generator', () => {
    const modulePath = path.join(release, 'signatures.node');
    const load = (signature) => {
      process.env.FIBRIL_TEST_SIGNATURE = signature;
      delete require.cache[modulePath];
      try {
        return require(modulePath);
      } finally {
        delete process.env.FIBRIL_TEST_SIGNATURE;
      }
    };
    for (const type of ['void', 'number', 'string | undefined', '{ a: [1, 2] }[]',
      '(value: string) => void', 'value is string', 'Promises', 'PromiseLike<any>',
      '() => Promise<void>', '\'Promise<\'', '{p: Promise<any>}']) {
      assert.strictEqual(load(`f(value: any): ${type}`).f(5), 5);
    }
    for (const [signature, expected, position] of [
      ['f(): ', 'a type', 5],
      ['f()', '\':\' and the type of the result', 3],
      ['f(): Promise', '\'<\'', 12],
      ['f(): Promise<any> | number', 'the end', 18],
      ['f(): (Promise<any>)', 'Promise<...> alone, or none', 6],
      ['f(): void | Promise<any>', 'Promise<...> alone, or none', 12],
      ['f(): globalThis.Promise <any>', 'Promise<...> alone, or none', 16],
      ['f(): Generator<any>', 'Promise<...> or a type that is no generator\'s', 5],
      ['f(): AsyncGenerator<any>', 'Promise<...> or a type that is no generator\'s', 5],
      ['f(signal: AbortSignal): void', 'Promise<...>, because of the AbortSignal', 24],
      ['f(options?: {signal?: AbortSignal}): any', 'Promise<...>, because of the AbortSignal', 37],
      ['f(): number]', 'the end', 11],
    ]) {
      assert.throws(() => load(signature), { code: 'ERR_FIBRIL_SIGNATURE',
        message: `fibril_export: "${signature}": expected ${expected} at position ${position}` });
    }
  });
});

describe('synchronous functions at the end of an environment', () => {
  it('throw once a worker is ending, and keep nothing', async () => {
    const worker = new Worker(`
      const addon = require(${JSON.stringify(addonPath)});
      const tally = new addon.Tally();
      const { parentPort } = require('node:worker_threads');
      addon.spawns();
      parentPort.postMessage(addon.callNow(() => tally.add(1)));
      for (;;) addon.callNow(() => tally.add(addon.add(1, 1)));`, { eval: true });
    assert.strictEqual(await new Promise((resolve) => worker.once('message', resolve)), 1);
    const before = addon.countLive();
    assert.strictEqual(await worker.terminate(), 1);
    assert.ok(addon.countLive() < before || before === 0);
  });

  it('work until process.exit(), in its handlers, too', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { add, addLater } = require(${JSON.stringify(addonPath)});
      process.on('exit', () => process.stdout.write(String(add(1, 2))));
      addLater(1, 2).then(() => process.exit(3));`);
    assert.deepStrictEqual([code, stdout, stderr], [3, '3', '']);
  });

  it('are shown as what they are', () => {
    assert.strictEqual(inspect(addon.add), '[Function: add]');
  });
});
