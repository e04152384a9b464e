'use strict';

/*
 * The mixed load: lanes that each do one kind of thing over and over, many at a time, and check
 * what comes back.
 */

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const co = require('../../lib');
const { natives } = require('../support/natives.js');

const { gen, sleep } = co;
const stat = gen.future(co.fs.stat);
const turn = () => new Promise(setImmediate);

/** The code of the error that must come. */
async function codeOf(promise) {
  const error = await promise.then(
    () => assert.fail('no error'),
    (reason) => reason,
  );
  return error.code;
}

/** What the load reads, and a place for what it writes. */
function makeFolders() {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-soak-'));
  const folders = { base, read: path.join(base, 'read'), written: path.join(base, 'written') };
  fs.mkdirSync(folders.written);
  fs.mkdirSync(path.join(folders.read, 'below'), { recursive: true });
  for (let i = 0; i < 8; i++) {
    fs.writeFileSync(path.join(folders.read, i % 2 ? 'below' : '', `${i}.txt`),
      'x'.repeat(i * 1000));
  }
  return folders;
}

/** `seed` decides everything that is random, so that a run can be repeated. */
function createLoad(seed, folders) {
  const folder = folders.read;
  const shared = new AbortController(); // one signal for very many calls, never aborted
  const file = (i) => path.join(folder, i % 2 ? 'below' : '', `${i}.txt`);
  let state = seed >>> 0;
  let written = 0;

  /** An integer from 0 to n - 1. */
  function random(n) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  }

  async function callNatives() {
    const [sum, echoed, passed, moment, later, worked, children] = await Promise.all([
      natives.add(1, 2), natives.echo('e'), natives.pass(3), natives.echoMoment('m'),
      natives.echoLater('l', random(3)), natives.work(4),
      natives.sumChildren(),
    ]);
    assert.deepStrictEqual([sum, echoed, passed, moment, later, worked, children],
      [3, 'e', 3, 'm', 'l', 8, 120]);
    const buffer = await natives.bigBuffer(random(100_000));
    if (buffer.length > 1) assert.strictEqual(buffer[1], 7);
    assert.strictEqual((await natives.kinds()).n, 2);
    await Promise.all(Array.from({ length: 200 }, (_, i) => sleep(i % 5)));
  }

  async function useFiles() {
    const name = path.join(folders.written, `${seed}-${written++}`);
    await co.fs.writeFile(name, name);
    assert.strictEqual(await co.fs.readFile(name, 'utf8'), name);
    await fs.promises.unlink(name);
    const i = random(8);
    assert.strictEqual((await co.fs.stat(file(i))).size, i * 1000);
    assert.ok((await co.fs.readdir(folder, { withFileTypes: true })).length >= 5);
    assert.ok((await co.fs.du(folder, { signal: shared.signal })).files >= 8);
  }

  function* child(n) {
    yield sleep(0);
    return n;
  }

  const runGenerators = co.wrap(function* () {
    const list = [Promise.resolve(1), child(2), gen.sleep(1, 3),
      (done) => setImmediate(done, null, 4), { five: child(5) }];
    assert.deepStrictEqual(yield list, [1, 2, 3, 4, { five: 5 }]);
    for (let i = 0; i < 100; i++) yield i;
  });

  async function runCo() {
    await co(function* () {
      for (let i = 0; i < 20; i++) {
        assert.deepStrictEqual(yield [child(i), gen.sleep(random(2), i)], [i, i]);
        yield Promise.resolve();
      }
      try {
        yield [sleep(1), stat('/nowhere')];
        assert.fail('no error');
      } catch (error) {
        assert.strictEqual(error.code, 'ENOENT');
      }
    });
    await assert.rejects(runGenerators(), TypeError); // it ends with a bad yield
    co(function* () {
      yield new Promise(() => {}); // for the garbage collector
    });
  }

  async function cancel() {
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [
      natives.forever({ signal }), natives.forever({ signal }),
      co.fs.du(folder, { signal, concurrency: 1 }),
      co.fs.readFile(file(7), { signal }),
    ];
    const endless = gen.sleep(1e9);
    await natives.echoLater(0, random(3));
    controller.abort();
    endless.cancel();
    const [cancelled, ...ends] = await Promise.allSettled([endless, ...calls]);
    assert.strictEqual(cancelled.reason.code, 'ECANCELED');
    assert.strictEqual(ends[0].reason.code, 'ABORT_ERR');
    for (const { status, reason } of ends) {
      assert.ok(status === 'fulfilled' || reason.code === 'ABORT_ERR', reason);
    }
    assert.strictEqual(await codeOf(natives.forever({ signal })), 'ABORT_ERR');
    assert.strictEqual(await codeOf(natives.forever({ signal: AbortSignal.timeout(1) })),
      'ABORT_ERR');
  }

  async function callBack() {
    const sum = await natives.sumCalls(async (i) => {
      if (i % 3 === 0) await natives.echoMoment(0);
      return i;
    }, 20);
    assert.strictEqual(sum, 190);
    assert.deepStrictEqual(await natives.callBoth(() => 'a', () => turn().then(() => 'b')),
      ['a', 'b']);
    assert.strictEqual(await natives.messageOfThrow(() => Promise.reject(new Error('later'))),
      'later');
    const object = { deep: [{ er: new Map() }] };
    assert.strictEqual(await natives.call((value) => value, object, true), object);
  }

  async function fail() {
    assert.strictEqual(await codeOf(natives.fail('at once')), 'EIO');
    assert.strictEqual(await codeOf(natives.fail('later', true)), 'EIO');
    assert.strictEqual(await codeOf(natives.failUv(true)), 'ENOENT');
    assert.strictEqual(await codeOf(natives.add('x', 1)), 'ERR_INVALID_ARG_TYPE');
    assert.strictEqual(await codeOf(sleep(-1)), 'ERR_OUT_OF_RANGE');
    assert.strictEqual(await codeOf(co.fs.readFile('/no/such')), 'ENOENT');
    assert.strictEqual(await codeOf(natives.call(() => {
      throw Object.assign(new Error('thrown'), { code: 'THROWN' });
    }, 0, true)), 'THROWN');
    await assert.rejects(co(() => Promise.reject(new Error('of co'))), /of co/);
    const seen = await new Promise((resolve) => gen.future(natives.fail)('seen', true)
      .addDoneCallback((future) => resolve(future.exception())));
    assert.strictEqual(seen.code, 'EIO');
  }

  /**
   * A worker that does all of this, ended in the middle: by terminate, by its own process.exit, or
   * by an uncaught exception.
   */
  async function useWorker() {
    const end = ['terminate', 'exit', 'throw'][random(3)];
    const worker = new Worker(path.join(__dirname, 'worker.js'),
      { workerData: { seed: random(1e9), folders, end } });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    worker.on('error', (error) => assert.strictEqual(error.message, 'the end of a worker'));
    await Promise.race([exited, new Promise((resolve) => worker.once('message', resolve))]);
    await natives.echoLater(0, random(20));
    if (end === 'terminate') await worker.terminate();
    await exited;
  }

  return {
    lanes: { natives: callNatives, files: useFiles, co: runCo, cancels: cancel, callbacks: callBack,
      errors: fail },
    workers: { workers: useWorker },
  };
}

/** Does every thing `width` at a time until `isOver()`, and returns how often each was done. */
async function runLanes(lanes, width, isOver) {
  const counts = {};
  await Promise.all(Object.entries(lanes).flatMap(([name, lane]) => {
    counts[name] = 0;
    return Array.from({ length: width }, async () => {
      while (!isOver()) {
        await lane();
        counts[name]++;
      }
    });
  }));
  return counts;
}

module.exports = { makeFolders, createLoad, runLanes };
