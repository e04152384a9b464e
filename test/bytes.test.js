'use strict';

// Bytes between JavaScript and C: views both ways, what is lent, what is copied.

const assert = require('node:assert');
const { once } = require('node:events');
const path = require('node:path');
const { MessageChannel, Worker } = require('node:worker_threads');
const co = require('../lib');
const { collectUntil, errorOf, natives, thrownBy } = require('./support/natives');

const addonPath = path.join(__dirname, 'addon', 'build', 'Release', 'bytes.node');
const addon = require(addonPath);

// In the order of enum fibril_view.
const VIEWS = [Buffer, ArrayBuffer, DataView, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array,
  Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
  globalThis.Float16Array];
const FLOAT16 = VIEWS.length - 1;
const KNOWN = VIEWS.filter(Boolean);

/** 16 bytes, 0 to 15, as one of the views. */
function sample(Class, memory = new ArrayBuffer(24)) {
  new Uint8Array(memory).set(Array.from({ length: 24 }, (_, i) => i - 8));
  if (Class === ArrayBuffer) return memory.slice(8);
  if (Class === Buffer) return Buffer.from(memory, 8, 16);
  return new Class(memory, 8, 16 / (Class.BYTES_PER_ELEMENT ?? 1));
}

const bytesOf = (view) =>
  Buffer.from(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);

const classOf = (view) => view.constructor;

const SIXTEEN = Buffer.from(Array.from({ length: 16 }, (_, i) => i));

/** What comes to C as a Buffer comes back as one, whatever Uint8Array it was. */
const returned = (Class) => (Class === Uint8Array ? Buffer : Class);

function assertIs(value, Class) {
  assert.strictEqual(classOf(value), Class);
  assert.deepStrictEqual(bytesOf(value), SIXTEEN);
}

describe('a view', () => {
  KNOWN.forEach((Class) => {
    it(`that is ${Class.name} is known to C`, async () => {
      const expected = Class === Uint8Array ? 0 : VIEWS.indexOf(Class);
      assert.strictEqual(addon.viewOf(sample(Class)), expected);
      assert.strictEqual(await addon.viewOfLater(sample(Class)), expected);
      const size = Class.BYTES_PER_ELEMENT ?? 1;
      assert.strictEqual(addon.elements(sample(Class)), 16 / size);
      assert.strictEqual(addon.viewSize(VIEWS.indexOf(Class)), size);
    });

    it(`that is ${Class.name} comes back as one, wherever it is`, async () => {
      const Expected = returned(Class);
      assertIs(addon.echo(sample(Class)), Expected);
      assertIs(await addon.echoLater(sample(Class)), Expected);
      assertIs(addon.nested(sample(Class)).list[0], Expected);
      for (const item of addon.items(sample(Class))) assertIs(item, Expected);
      for await (const item of addon.itemsLater(sample(Class))) assertIs(item, Expected);
      let seen;
      const passed = await addon.pass((value) => {
        seen = value;
        return value;
      }, sample(Class));
      assertIs(seen, Expected);
      assertIs(passed, Expected);
    });

    it(`that is ${Class.name} is made by C`, async () => {
      const view = VIEWS.indexOf(Class);
      assertIs(addon.make(view, SIXTEEN), Class);
      assertIs(addon.asView(SIXTEEN, view), Class);
      const large = await addon.large(1 << 16, view);
      assert.strictEqual(classOf(large), Class);
      assert.strictEqual(large.byteLength, 1 << 16);
      assert.ok(bytesOf(large).every((byte) => byte === 1));
      const empty = addon.make(view, Buffer.alloc(0));
      assert.strictEqual(classOf(empty), Class);
      assert.strictEqual(empty.byteLength, 0);
    });
  });

  it('that this Node has not is an error', function () {
    if (globalThis.Float16Array !== undefined) this.skip();
    const error = thrownBy(() => addon.make(FLOAT16, SIXTEEN));
    assert.strictEqual(error.code, 'ERR_FIBRIL_NO_FLOAT16');
    assert.ok(error instanceof TypeError);
    assert.match(error.message, /Float16Array/);
  });

  it('has whole elements, and is one', () => {
    for (const [bytes, view, skip] of [[15, 6, 0], [12, 11, 0], [16, 12, 1], [17, 6, 1]]) {
      const error = thrownBy(() => addon.asView(Buffer.alloc(bytes), view, skip));
      assert.strictEqual(error.code, 'EINVAL', `${bytes} ${view} ${skip}`);
    }
    for (const view of [-1, VIEWS.length, 1000]) {
      assert.strictEqual(addon.viewSize(view), 0);
      assert.strictEqual(thrownBy(() => addon.make(view, SIXTEEN)).code, 'EINVAL');
      assert.strictEqual(thrownBy(() => addon.asView(SIXTEEN, view)).code, 'EINVAL');
    }
    assert.strictEqual(thrownBy(() => addon.noBuffer()).code, 'FIBRIL_ETYPE');
    assert.strictEqual(thrownBy(() => addon.tooMany()).code, 'ENOMEM');
  });

  it('is aligned for its elements', async () => {
    assert.strictEqual(addon.sumNumbers(Float64Array.of(1, 2, 3)), 6);
    for (const Class of KNOWN) {
      assert.strictEqual(await addon.alignment(sample(Class)), 0);
      if (Class === ArrayBuffer) continue;
      const shared = sample(Class, new SharedArrayBuffer(24));
      assert.strictEqual(await addon.alignment(shared) % (Class.BYTES_PER_ELEMENT ?? 1), 0);
    }
  });
});

describe('shared memory', () => {
  const shared = (length) => new Uint8Array(new SharedArrayBuffer(length));

  it('is lent: C and JavaScript see what the other writes', async () => {
    const data = shared(100);
    const result = await addon.during(data, () => { data[3] = 7; });
    assert.strictEqual(result[3], 7);
    assert.strictEqual(await addon.fill(data.subarray(10, 20), 5), 5);
    assert.deepStrictEqual([data[9], data[10], data[19], data[20]], [0, 5, 5, 0]);
    assert.strictEqual(addon.isShared(data), true);
    assert.strictEqual(await addon.isSharedLater(new DataView(data.buffer, 1)), true);
    assert.strictEqual(await addon.passedIsShared(() => data), true);
    assert.strictEqual(await addon.sumOption({ data }), 57);
    assert.strictEqual(await addon.sumList([data, data]), 114);
  });

  it('is written by JavaScript while a thread reads it', async () => {
    const data = shared(4);
    const promise = addon.spin(data);
    await new Promise(setImmediate);
    Atomics.store(data, 0, 9);
    assert.strictEqual(await promise, 9);
  });

  it('stays while C has it, and no longer', async () => {
    let weak;
    (() => {
      const data = shared(1 << 20).fill(3);
      weak = new WeakRef(data.buffer);
      addon.hold(data);
    })();
    let rounds = 5;
    await collectUntil(() => rounds-- === 0);
    assert.ok(addon.holding().every((byte) => byte === 3));
    assert.notStrictEqual(weak.deref(), undefined);
    addon.hold(null);
    await collectUntil(() => weak.deref() === undefined);
  });

  it('is copied when it may grow, or there is nothing of it', async function () {
    const growable = new Uint8Array(new SharedArrayBuffer(8, { maxByteLength: 64 }));
    assert.strictEqual(addon.isShared(growable), !growable.buffer.growable);
    assert.strictEqual(await addon.sumLater(growable.fill(1)), 8);
    assert.strictEqual(addon.isShared(shared(0)), false);
  });

  it('is given back as a copy', async () => {
    const data = shared(1 << 17).fill(1);
    const result = await addon.echoLater(data);
    data[0] = 2;
    assert.strictEqual(result[0], 1);
    assert.ok(result.buffer instanceof ArrayBuffer);
  });

  it('passes on what reading it throws', async () => {
    const data = shared(8);
    const reason = new Error('growable');
    Object.defineProperty(data.buffer, 'growable', { get() { throw reason; } });
    assert.strictEqual(await errorOf(addon.sumLater(data)), reason);
    assert.strictEqual(thrownBy(() => addon.sum(data)), reason);
  });

  it('is not taken without a view', async () => {
    const error = await errorOf(addon.sumLater(new SharedArrayBuffer(8)));
    assert.strictEqual(error.code, 'ERR_INVALID_ARG_TYPE');
  });
});

describe('memory that JavaScript may take back', () => {
  it('is copied when the function is called', async () => {
    const data = Buffer.alloc(10, 1);
    const result = addon.during(data, () => { data.fill(2); });
    data.fill(3);
    assert.deepStrictEqual(await result, Buffer.alloc(10, 1));
    assert.strictEqual(addon.isShared(data), false);
  });

  it('is copied when it may be resized', async () => {
    const data = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })).fill(1);
    const result = await addon.during(data, () => data.buffer.resize(0));
    assert.deepStrictEqual(result, Buffer.alloc(8, 1));
    assert.strictEqual(data.length, 0);
    assert.strictEqual(addon.sum(data), 0);
  });

  it('may go while C has its copy', async () => {
    const data = new Uint8Array(1000).fill(1);
    const result = await addon.during(data, () =>
      structuredClone(data, { transfer: [data.buffer] }));
    assert.strictEqual(data.length, 0);
    assert.deepStrictEqual(result, Buffer.alloc(1000, 1));
  });

  it('is refused when it is gone', async () => {
    const data = new Uint8Array(8);
    structuredClone(data, { transfer: [data.buffer] });
    const error = await errorOf(addon.sumLater(data));
    assert.strictEqual(error.code, 'ERR_INVALID_ARG_VALUE');
    assert.match(error.message, /^The argument 'data' must not be backed by a detached ArrayBuffer/);
  });
});

describe('co.bytes', () => {
  it('gives what Buffer.alloc gives', () => {
    for (const size of [0, 1, 1.5, 100, 1 << 20]) {
      const data = co.bytes(size);
      assert.ok(Buffer.isBuffer(data));
      assert.deepStrictEqual(data, Buffer.alloc(size));
    }
    for (const size of [undefined, null, '1', 1n, -1, NaN, Infinity, 2 ** 60]) {
      const { name, code, message } = thrownBy(() => Buffer.alloc(size));
      assert.throws(() => co.bytes(size), { name, code, message });
    }
  });

  it('is lent to another copy of fibril, and its slices', async () => {
    const data = co.bytes(100);
    assert.strictEqual(addon.isShared(data), true);
    assert.strictEqual(await addon.isSharedLater(data.subarray(1)), true);
    assert.strictEqual(await addon.isSharedLater(data.buffer), true);
    assert.strictEqual(await addon.fill(data.subarray(90, 92), 4), 4);
    assert.deepStrictEqual([...data.subarray(89, 93)], [0, 4, 4, 0]);
    const result = await addon.during(data, () => { data[0] = 6; });
    assert.strictEqual(result[0], 6);
    const numbers = new Float64Array(data.buffer, 8, 2).fill(2);
    assert.strictEqual(addon.sumNumbers(numbers), 4);
    assert.strictEqual(addon.viewOf(numbers), VIEWS.indexOf(Float64Array));
  });

  it('counts for the collector', () => {
    const before = process.memoryUsage().external;
    const data = co.bytes(1 << 24);
    assert.ok(process.memoryUsage().external - before >= data.length);
  });

  it('is lent in great numbers, each its own', async () => {
    const all = Array.from({ length: 500 }, (_, i) => co.bytes(i + 1).fill(1));
    for (let i = 0; i < all.length; i++) {
      assert.strictEqual(addon.isShared(all[i]), true);
      assert.strictEqual(addon.sum(all[i]), i + 1);
    }
  });

  it('outlives its ArrayBuffer while C has it', async () => {
    const held = [];
    let weak;
    (() => {
      const data = co.bytes(1 << 20).fill(8);
      weak = new WeakRef(data.buffer);
      addon.hold(data);
    })();
    await collectUntil(() => weak.deref() === undefined);
    for (let i = 0; i < 8; i++) held.push(co.bytes(1 << 20)); // where it was, if it had gone
    assert.ok(addon.holding().every((byte) => byte === 8));
    addon.hold(null);
  });

  for (const [name, transfer] of [
    ['structuredClone', (data) => structuredClone(data, { transfer: [data.buffer] })],
    ['postMessage', (data) => {
      const { port1 } = new MessageChannel();
      try {
        port1.postMessage(data, [data.buffer]);
      } finally {
        port1.close();
      }
    }],
    ['transfer', (data) => data.buffer.transfer()],
    ['transfer to another length', (data) => data.buffer.transfer(10)],
  ]) {
    it(`goes on during a call whatever ${name} does with it`, async function () {
      const data = co.bytes(1 << 20).fill(2);
      if (name.startsWith('transfer') && data.buffer.transfer === undefined) this.skip();
      const result = await addon.during(data, async () => {
        try {
          transfer(data); // which Node may refuse
        } catch (error) {
          assert.strictEqual(error.name, 'DataCloneError');
        }
        let rounds = 3;
        await collectUntil(() => rounds-- === 0);
      });
      assert.deepStrictEqual(result, Buffer.alloc(1 << 20, 2));
    });
  }

  it('is still lent after a transfer of the same memory', function () {
    const data = co.bytes(1000);
    if (data.buffer.transfer === undefined) this.skip();
    const moved = data.buffer.transfer();
    assert.strictEqual(addon.isShared(moved), true);
    assert.strictEqual(thrownBy(() => addon.sum(data)).code, 'ERR_INVALID_ARG_VALUE');
  });

  it('is given back as a copy', async () => {
    const data = co.bytes(1 << 17).fill(1);
    const result = await addon.echoLater(data);
    data[0] = 2;
    assert.strictEqual(result[0], 1);
  });
});

describe('results of C that JavaScript got without a copy', () => {
  it('are lent, to any copy of fibril', async () => {
    const data = await addon.large(1 << 16);
    assert.strictEqual(addon.isShared(data), true);
    assert.strictEqual(addon.isShared(await natives.bigBuffer(1 << 16)), true);
    assert.strictEqual(addon.isShared((await addon.large(1 << 16, 11)).subarray(3)), true);
    assert.strictEqual(addon.isShared(await addon.large(100)), false);
  });

  it('are released when neither JavaScript nor C has them', async () => {
    await collectUntil(() => addon.countLive() === 0);
    await (async () => addon.hold(await addon.large(1 << 20)))();
    let rounds = 5;
    await collectUntil(() => rounds-- === 0);
    assert.strictEqual(addon.countLive(), 1);
    assert.ok(addon.holding().every((byte) => byte === 1));
    addon.hold(null);
    await collectUntil(() => addon.countLive() === 0);
  });
});

describe('large bytes', () => {
  const MB = 1 << 20;
  const turn = () => new Promise(setImmediate);

  /** Other views of other memory than co.bytes's. */
  const LARGE = [
    ['a Buffer', () => Buffer.alloc(64 * MB, 1)],
    ['a Float64Array', () => new Float64Array(Buffer.alloc(64 * MB, 1).buffer)],
    ['an ArrayBuffer', () => Buffer.alloc(64 * MB, 1).buffer],
    ['a DataView with an offset', () => new DataView(Buffer.alloc(64 * MB + 3, 1).buffer, 3)],
    ['resizable', () => new Uint8Array(new ArrayBuffer(64 * MB, { maxByteLength: 65 * MB })).fill(1)],
    ['shared and growable', () =>
      new Uint8Array(new SharedArrayBuffer(64 * MB, { maxByteLength: 65 * MB })).fill(1)],
  ];
  for (const [name, make] of LARGE) {
    it(`that are ${name} are copied while the loop turns`, async () => {
      let turns = 0;
      let over = false;
      const promise = addon.sumLater(make()).finally(() => { over = true; });
      for (; !over; turns++) await turn();
      assert.strictEqual(await promise, 64 * MB);
      assert.ok(turns > 16, `${turns}`);
    });
  }

  it('come with their view, and are aligned', async () => {
    const data = new Float32Array(4 * MB);
    assert.strictEqual(await addon.viewOfLater(data), VIEWS.indexOf(Float32Array));
    assert.strictEqual(await addon.alignment(data), 0);
    assert.strictEqual((await addon.echoLater(data)).constructor, Float32Array);
  });

  it('are waited for in their order, by nobody else', async () => {
    const order = [];
    const note = (name) => () => order.push(name);
    await Promise.all([
      addon.sumLater(Buffer.alloc(16 * MB)).then(note('first')),
      addon.sumLater(Buffer.alloc(2 * MB)).then(note('second')),
      addon.sumLater(Buffer.alloc(2 * MB)).then(note('third')),
      addon.sumLater(Buffer.alloc(100)).then(note('small')),
    ]);
    assert.deepStrictEqual(order, ['small', 'first', 'second', 'third']);
  });

  it('may be several of a call', async () => {
    const list = [Buffer.alloc(3 * MB, 1), Buffer.alloc(10, 1), Buffer.alloc(5 * MB, 1)];
    assert.strictEqual(await addon.sumList(list), 8 * MB + 10);
    const pieces = Array.from({ length: 64 }, () => Buffer.alloc(MB / 2, 1));
    assert.strictEqual(await addon.sumList(pieces), 32 * MB);
  });

  it('are copied at once for what is synchronous', async () => {
    const data = Buffer.alloc(8 * MB, 1);
    assert.strictEqual(addon.sum(data), 8 * MB);
    for (const item of addon.items(data)) assert.deepStrictEqual(item, data);
    const iterator = addon.itemsLater(data);
    structuredClone(data, { transfer: [data.buffer] });
    assert.strictEqual((await iterator.next()).value.length, 8 * MB);
  });

  it('that C keeps are given as a copy while the loop turns', async () => {
    addon.hold(new Float64Array(8 * MB).fill(1));
    const results = await Promise.all([addon.keeping(), addon.keeping()]);
    let turns = 0;
    let over = false;
    results.push(await Promise.race([addon.keeping().finally(() => { over = true; }),
      (async () => {
        for (; !over; turns++) await turn();
      })().then(() => new Promise(() => {}))]));
    assert.ok(turns > 16, `${turns}`);
    for (const result of results) {
      assert.strictEqual(result.constructor, Float64Array);
      assert.ok(result.every((number) => number === 1));
      result.fill(2);
    }
    const controller = new AbortController();
    const aborted = addon.keeping(controller.signal);
    await turn();
    controller.abort();
    assert.strictEqual((await aborted)[8 * MB - 1], 1);
    addon.hold(null);
    assert.strictEqual(await addon.keeping(), null);
    assert.strictEqual((await addon.echoLater(co.bytes(16 * MB).fill(1)))[16 * MB - 1], 1);
  });

  const WAYS = [
    ['sumLater', (data) => addon.sumLater(data), 'data'],
    ['sumOption', (data) => addon.sumOption({ data }), 'options.data'],
    ['sumList', (data) => addon.sumList([Buffer.alloc(4), data]), 'list[1]'],
  ];
  for (const [name, call, place] of WAYS) {
    it(`that are taken away meanwhile reject ${name}`, async () => {
      for (const wait of [() => {}, turn]) {
        const data = new Uint8Array(16 * MB);
        const promise = call(data);
        await wait();
        structuredClone(data, { transfer: [data.buffer] });
        const error = await errorOf(promise);
        assert.ok(error instanceof TypeError);
        assert.strictEqual(error.code, 'ERR_INVALID_ARG_VALUE');
        assert.match(error.message, new RegExp(`^The \\w+ '${place.replace(/[[\].]/g, '\\$&')
        }' must not be backed by a detached ArrayBuffer`));
      }
    });
  }

  it('that shrink meanwhile reject the call', async () => {
    const data = new Uint8Array(new ArrayBuffer(16 * MB, { maxByteLength: 16 * MB }));
    const view = new DataView(data.buffer, MB);
    const promises = [data, view, data.buffer].map((each) => errorOf(addon.sumLater(each)));
    data.buffer.resize(MB - 1);
    for (const error of await Promise.all(promises)) {
      assert.strictEqual(error.code, 'ERR_INVALID_ARG_VALUE');
      assert.match(error.message, /^The argument 'data' must not shrink/);
    }
    assert.strictEqual(await addon.sumLater(data), 0);
  });

  it('that grow meanwhile are what they were', async () => {
    const data = new Uint8Array(new ArrayBuffer(16 * MB, { maxByteLength: 32 * MB })).fill(1);
    const promise = addon.sumLater(data);
    data.buffer.resize(32 * MB);
    data.fill(1);
    assert.strictEqual(await promise, 16 * MB);
  });

  it('are not copied for a call that is aborted', async () => {
    const controller = new AbortController();
    const promises = [1, 2, 3].map(() =>
      errorOf(addon.sumLater(Buffer.alloc(16 * MB), controller.signal)));
    await turn();
    controller.abort();
    for (const error of await Promise.all(promises)) assert.strictEqual(error.name, 'AbortError');
    assert.strictEqual(await addon.sumLater(Buffer.alloc(4 * MB, 1)), 4 * MB);
  });
});

describe('an environment that ends', () => {
  // A stream moves the memory into an ArrayBuffer of its own, which Node then transfers.
  it('leaves the memory that another thread has got of it', async () => {
    const worker = new Worker(`
      const { parentPort } = require('node:worker_threads');
      const { large } = require(${JSON.stringify(addonPath)});
      const stream = new ReadableStream({ type: 'bytes', pull({ byobRequest }) {
        byobRequest.view.fill(3);
        byobRequest.respond(byobRequest.view.byteLength);
      } });
      large(2 ** 24)
        .then(({ buffer }) => stream.getReader({ mode: 'byob' }).read(new Uint8Array(buffer)))
        .then(({ value: { buffer } }) => parentPort.postMessage(buffer, [buffer]));`,
    { eval: true });
    const [[buffer]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    const view = new Uint8Array(buffer);
    assert.ok(view.length === 2 ** 24 && view.every((byte) => byte === 3));
    view.fill(4);
    assert.strictEqual(view.at(-1), 4);
  });

  const inWorker = (code, workerData) => new Worker(`
    const { workerData, parentPort } = require('node:worker_threads');
    const co = require(${JSON.stringify(path.join(__dirname, '..', 'lib'))});
    const addon = require(${JSON.stringify(addonPath)});
    ${code}`, { eval: true, workerData });

  it('has memory of co.bytes that threads share', async () => {
    const worker = inWorker(`
      const data = co.bytes(100);
      parentPort.postMessage([data, addon.isShared(data), co.bytes(0).length]);`);
    const [[data, isShared, none]] = await once(worker, 'message');
    assert.deepStrictEqual([data.buffer.constructor, isShared, none], [SharedArrayBuffer, true, 0]);
    await once(worker, 'exit');
  });

  it('waits for a thread that reads shared memory', async () => {
    const data = new Uint8Array(new SharedArrayBuffer(4));
    const worker = inWorker(`
      addon.spin(workerData);
      setImmediate(() => parentPort.postMessage('spins'));`, data);
    await once(worker, 'message');
    const ended = worker.terminate();
    Atomics.store(data, 0, 1);
    await ended;
  });

  it('takes memory with it that C holds still', async () => {
    for (const code of [
      'addon.hold(new Uint8Array(new SharedArrayBuffer(1000)).fill(1));',
      'addon.hold(co.bytes(1000).fill(1));',
      'addon.large(1 << 16).then((data) => { addon.hold(data); parentPort.postMessage(1); });',
    ]) {
      const worker = inWorker(`${code} parentPort.postMessage(1); setInterval(() => {}, 1000);`);
      await once(worker, 'message');
      await worker.terminate();
    }
  });

  it('in the middle of calls that have its memory', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = inWorker(`
        const shared = new Uint8Array(new SharedArrayBuffer(1 << 16));
        const own = co.bytes(1 << 16);
        for (const data of [shared, own, Buffer.alloc(1 << 16)]) {
          addon.during(data, () => new Promise(() => {}));
          addon.fill(data, 1);
        }
        parentPort.on('message', () => {}); // it goes on until it is ended
        parentPort.postMessage(1);`);
      await once(worker, 'message');
      await worker.terminate();
    }
  });

  it('while large arguments are copied', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = inWorker(`
        for (let i = 0; i < 3; i++) addon.sumLater(Buffer.alloc(64 << 20));
        setImmediate(() => parentPort.postMessage(1));`);
      await once(worker, 'message');
      await worker.terminate();
    }
  });

  it('gets a copy of what is posted to it', async () => {
    const data = co.bytes(100).fill(3);
    const worker = inWorker(`
      parentPort.postMessage([addon.isShared(workerData), addon.sum(workerData)]);`, data);
    const exit = once(worker, 'exit');
    const [message] = await once(worker, 'message');
    assert.deepStrictEqual(message, [false, 300]);
    await exit;
  });
});
