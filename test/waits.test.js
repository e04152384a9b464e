'use strict';

// Every kind of wait that C has, ended by an AbortSignal, by a deadline and by the end of its
// thread; nothing is left of any of them.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const co = require('../lib');
const { nativesPath } = require('./support/natives');

const waitsPath = path.join(path.dirname(nativesPath), 'waits.node');
const waits = require(waitsPath);

// What co.inspect() says of each; 'ready' are those that give way again and again.
const KINDS = {
  sleep: 'sleep',
  moment: 'ready',
  pass: 'ready',
  suspend: 'resume',
  future: 'future',
  awaitTimeout: 'future',
  spawned: 'future',
  awaitAll: 'future',
  awaitAny: 'any future',
  group: 'group',
  generator: 'sleep',
  mutex: 'mutex',
  cond: 'condition',
  event: 'event',
  sem: 'semaphore',
  waitGroup: 'wait group',
  send: 'channel',
  receive: 'channel',
  poll: 'poll',
  keptPoll: 'poll',
  streamRead: 'stream read',
  streamWrite: 'stream write',
  streamWritev: 'stream write',
  shutdown: 'resume',
  pipeConnect: 'sleep',
  serve: 'accept',
  readerExact: 'stream read',
  readerRead: 'stream read',
  readerUntil: 'stream read',
  readerPeek: 'stream read',
  readerAll: 'stream read',
  writerWrite: 'stream write',
  writerFlush: 'stream write',
  memoryRead: 'stream read',
  memoryWrite: 'stream write',
  reader: 'stream read',
  writer: 'stream write',
  copy: 'stream read',
  copyBoth: 'group',
  linger: 'stream read',
  accept: 'accept',
  connect: 'connect',
  udpReceive: 'udp receive',
  udpSend: 'udp send',
  signal: 'signal',
  process: 'process',
  processRun: 'group',
  work: 'stoppable',
  call: 'JavaScript',
  method: 'JavaScript',
  methodByKey: 'JavaScript',
};
const POOL_KINDS = {
  work: 'stoppable', open: 'open', read: 'read', write: 'write', fstat: 'fstat', stat: 'stat',
  lstat: 'lstat', realpath: 'realpath', readdir: 'readdir',
  lookup: 'lookup', name: 'name',
};

// These are of JavaScript: test/addon/waits.c has them.
const CALLS = ['call', 'method', 'methodByKey'];

function namesOfTable() {
  const text = fs.readFileSync(path.join(__dirname, 'c', 'every_wait.c'), 'utf8');
  const [, table] = text.match(/^const every_wait every_waits\[\] = \{\n(.*?)^\};/ms);
  return [...table.matchAll(/^ *\{"(\w+)"/gm)].map(([, name]) => name);
}

const never = () => new Promise(() => {});

// Of other files generators may be left that nobody has any more, until they are collected.
const ownCoroutines = () => co.inspect()
  .filter(({ name }) => ['wait', 'synchronousWait', 'block', 'helper', ''].includes(name));

async function until(condition) {
  while (!await condition()) await new Promise(setImmediate);
}

describe('a wait in C', () => {
  let fd;

  before(() => {
    // A pipe to which nobody writes.
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-'));
    assert.strictEqual(spawnSync('mkfifo', [path.join(folder, 'fifo')]).status, 0);
    fd = fs.openSync(path.join(folder, 'fifo'), fs.constants.O_RDWR);
    fs.rmSync(folder, { recursive: true });
  });
  after(() => fs.closeSync(fd));
  afterEach(async () => {
    assert.strictEqual(await waits.countWaits(), 0);
    assert.deepStrictEqual(ownCoroutines().filter(({ name }) => name !== 'block'), []);
  });

  it('is of a kind that is in the lists here, as all of test/c/every_wait.c are', () => {
    const listed = new Set([...Object.keys(KINDS), ...Object.keys(POOL_KINDS)]);
    assert.deepStrictEqual([...listed].sort(), [...CALLS, ...namesOfTable()].sort());
  });

  async function abort(kind, expected) {
    const controller = new AbortController();
    const reason = new Error('enough');
    const promise = waits.wait(kind, fd, never, { signal: controller.signal });
    const [waiting] = co.inspect().filter(({ name }) => name === 'wait');
    assert.strictEqual(waiting.waitsFor ?? waiting.state, expected);
    await co.sleep(1);
    assert.strictEqual(await waits.countWaits(), 1, 'it waits on');
    controller.abort(reason);
    await assert.rejects(promise, { name: 'AbortError', code: 'ABORT_ERR', cause: reason });
  }

  async function lateness(kind) {
    await assert.rejects(waits.wait(kind, fd, never, { deadline: 2 }), { code: 'ETIMEDOUT' });
  }

  for (const [kind, expected] of Object.entries(KINDS)) {
    it(`of kind ${kind} is ended by its signal`, () => abort(kind, expected));
    it(`of kind ${kind} is ended by its deadline`, () => lateness(kind));
  }

  for (const kind of [...CALLS, 'laterCall']) {
    it(`of kind ${kind} is ended by a signal that the function itself aborts`, async () => {
      const controller = new AbortController();
      const abortAndHang = () => {
        controller.abort('inside');
        return never();
      };
      await assert.rejects(waits.wait(kind, fd, abortAndHang, { signal: controller.signal }),
        { name: 'AbortError', cause: 'inside' });
    });
  }

  describe('for a thread of the pool', () => {
    let jobs;

    before(async () => {
      jobs = Array.from({ length: 32 }, () => waits.block());
      await until(async () => await waits.countBlocked() > 0);
    });
    after(async () => {
      await waits.letGo(jobs.length);
      await Promise.all(jobs);
    });

    for (const [kind, expected] of Object.entries(POOL_KINDS)) {
      it(`of kind ${kind} is ended by its signal`, () => abort(kind, expected));
      it(`of kind ${kind} is ended by its deadline`, () => lateness(kind));
    }
  });

  // Its consumer does not wait, so it may not either.
  for (const kind of Object.keys({ ...KINDS, ...POOL_KINDS })) {
    it(`of kind ${kind} is refused in a generator for a synchronous iterator`, async () => {
      const iterator = waits.synchronousWait(kind, fd, never);
      assert.deepStrictEqual(iterator.next(), { done: false, value: 'FIBRIL_ESYNC' });
      assert.deepStrictEqual(iterator.return(), { done: true, value: undefined });
      assert.strictEqual(await waits.refusedWith(), 'ECANCELED');
      await until(() => ownCoroutines().length === 0);
    });
  }

  // Readers and writers are a coroutine's, and a generator that it calls runs from the
  // loop's stack.
  for (const kind of Object.keys({ ...KINDS, ...POOL_KINDS })) {
    it(`of kind ${kind} is refused in a synchronous function`, () => {
      const coroutines = /^(generator|reader|writer)/.test(kind);
      assert.strictEqual(waits.waitNow(kind, fd, never),
        coroutines ? 'FIBRIL_ENOTCOROUTINE' : 'FIBRIL_ESYNC');
    });
  }

  it('of any kind ends with its worker', async () => {
    const kinds = JSON.stringify([...Object.keys(KINDS), ...Object.keys(POOL_KINDS)]);
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(`
        const waits = require(${JSON.stringify(waitsPath)});
        for (const kind of ${kinds}) waits.wait(kind, ${fd}, () => new Promise(() => {})).catch(() => {});
        require('node:worker_threads').parentPort.postMessage(1);`, { eval: true });
      await once(worker, 'message');
      await worker.terminate();
    }
    assert.strictEqual(await waits.countWaits(), 0);
  });
});
