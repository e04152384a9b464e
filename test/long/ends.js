'use strict';

// Workers that end in the middle of everything, hundreds of them, and what they leave behind:
// nothing. Part of .ci/run, not of npm test:
//   npm run test:long
// Node's own fs.readFile is not part of the load: a worker that is terminated meanwhile leaves its
// descriptor open.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { natives } = require('../support/natives');
const { ADDONS, GENERATORS, OBJECTS, addonPath } = require('../support/under-way');

const ends = require(addonPath('ends'));
const waits = require(addonPath('waits'));
const classes = require(addonPath('classes'));
const iterators = require(addonPath('iterators'));
const ROUNDS = Number(process.env.FIBRIL_ROUNDS || 300);

const PRELUDE = `
  'use strict';
  const { parentPort } = require('node:worker_threads');
  const co = require(${JSON.stringify(path.join(__dirname, '..', '..', 'lib'))});
  ${ADDONS}
`;

const WAITS = [
  'sleep', 'moment', 'pass', 'suspend', 'future', 'awaitTimeout', 'spawned', 'awaitAll', 'awaitAny',
  'group', 'generator', 'mutex', 'cond',
  'event', 'sem', 'waitGroup', 'send', 'receive', 'work', 'open', 'read', 'write', 'fstat', 'stat',
    'lstat', 'readdir', 'call',
];

const LOAD = `
  ${OBJECTS}
  ${GENERATORS}
  for (const kind of ${JSON.stringify(WAITS)}) {
    waits.wait(kind, -1, () => new Promise(quiet)).catch(quiet);
    waits.wait(kind, -1, () => natives.forever(), { signal: AbortSignal.timeout(2) }).catch(quiet);
    waits.wait(kind, -1, () => natives.forever(), { deadline: 1 }).catch(quiet);
  }
  co.run(function* () { for (;;) yield [natives.echoMoment(1), co.sleep(1)]; }, { name: 'named' }).catch(quiet);
  co.run(function* () { try { yield natives.forever(); } finally { yield co.sleep(1); } }, { timeout: 2 }).catch(quiet);
  co.inspect();
  for (const name of ['Lock', 'Semaphore', 'Event', 'Condition']) new co.locks[name]();
  co.gen.coroutine(function* () { const queue = new co.queues.Queue(1); for (;;) { yield queue.put(1); yield queue.put(2); } })();
  co.IOLoop.current().callLater(1, quiet);
  new co.PeriodicCallback(quiet, 1).start();
  async function* numbers() { for (let i = 0; ; i++) { await natives.echoMoment(i); yield natives.echoLater(i, i % 3); } }
  for (let i = 0; i < 10; i++) {
    co.sleep(i).catch(quiet);
    co.fs.readFile(${JSON.stringify(__filename)}).catch(quiet);
    co.fs.stat('.').catch(quiet);
    co.fs.readdir(${JSON.stringify(__dirname)}).catch(quiet);
    co.fs.du(${JSON.stringify(path.join(__dirname, '..'))}).catch(quiet);
    natives.echoLater(i, 5 + i).catch(quiet);
    natives.forever().catch(quiet);
    natives.forever({ signal: new AbortController().signal, swallow: true }).catch(quiet);
    natives.forever({ signal: AbortSignal.timeout(i) }).catch(quiet);
    natives.work(i).catch(quiet);
    natives.call(() => new Promise(quiet), i).catch(quiet);
    natives.call(() => natives.forever(), i, true).catch(quiet);
    natives.callBoth(() => natives.echoLater(1, i), async () => natives.forever()).catch(quiet);
    natives.sumCalls(() => natives.echoMoment(1), 1e9).catch(quiet);
    natives.bigBuffer(1 << 17).catch(quiet);
    natives.runtime.future(natives.forever)().then(quiet, quiet);
    ends.waitAgain(quiet).catch(quiet);
    co(function* () { for (;;) yield [natives.echoMoment(1), co.sleep(1), { text: co.fs.stat('.') }]; }).catch(quiet);
    co(function* () { for (;;) yield co.gen.sleep(1); }).catch(quiet);
    co(function* () { for (;;) yield natives.work(1); }).catch(quiet);
    (async () => { for await (const number of numbers()) if (number < 0) return; })().catch(quiet);
  }
`;

/**
 * Runs a worker until its first message and `turns` turns of the loop longer; with what it ended by
 * itself, or 'terminated'.
 */
async function run(code, turns) {
  const worker = new Worker(PRELUDE + code, { eval: true });
  let thrown;
  worker.on('error', (error) => { thrown = error.message; });
  const ended = new Promise((resolve) => { worker.on('exit', (status) => resolve(thrown ?? status));
    });
  const message = new Promise((resolve) => { worker.once('message', () => resolve('message')); });
  const first = await Promise.race([ended, message]);
  if (first !== 'message') return first;
  for (let i = 0; i < turns; i++) await new Promise(setImmediate);
  await worker.terminate();
  return 'terminated';
}

const count = (file) => fs.readdirSync(file).length;

/**
 * Of what C counts: coroutines, buffers, structs, generators, threads, and calls of theirs that
 * nobody heard the end of.
 */
async function nothingLives() {
  const { threads, callsTaken, callsTold } = await ends.counts();
  return threads === 0 && callsTaken === callsTold && await natives.countLive() === 0 &&
    await natives.countBuffers() === 0
    && await waits.countWaits() === 0 && await classes.countLive() === 0 &&
      (await iterators.counts()).live === 0;
}

/**
 * Whether there are no more than these; what has ended, a worker's ports and joined threads, is
 * counted for a little longer.
 */
async function areNoMore({ handles, threads }) {
  return await ends.countHandles() <= handles && count('/proc/self/task') <= threads;
}

/** What a leak would add to. */
async function remains(before = { handles: Infinity, threads: Infinity }) {
  while (!await nothingLives()) await new Promise(setImmediate);
  for (let i = 0; i < 10000 && !await areNoMore(before); i++) await new Promise(setImmediate);
  return {
    descriptors: count('/proc/self/fd'),
    threads: count('/proc/self/task'),
    handles: await ends.countHandles(),
    mappings: fs.readFileSync('/proc/self/maps', 'latin1').split('\n').length,
    resident: process.memoryUsage.rss(),
  };
}

/** Two counts, the second after `rounds` more: the same, but for what the allocators keep. */
function compare(before, after, rounds) {
  const megabytes = (after.resident - before.resident) / 1e6;
  console.log(
    `      # ${rounds} rounds: ${after.descriptors} descriptors, ${after.threads} threads, ${after.handles} handles, mappings `
    + `${before.mappings} -> ${after.mappings}, resident ${Math.round(
      before.resident / 1e6)} -> ${Math.round(after.resident / 1e6)} MB`);
  for (const what of ['descriptors', 'threads', 'handles']) {
    assert.ok(after[what] <= before[what], `${what}: ${before[what]} -> ${after[what]}`);
  }
  assert.ok(after.mappings - before.mappings < rounds / 2,
    `mappings: ${before.mappings} -> ${after.mappings}`);
  assert.ok(megabytes < 5 + rounds * 0.05, `resident: ${megabytes} MB more`);
}

async function repeat(rounds, once) {
  for (let i = 0; i < rounds / 3; i++) await once(i); // what is made once stays
  const before = await remains();
  for (let i = 0; i < rounds; i++) await once(i);
  compare(before, await remains(before), rounds);
}

describe('workers that leave nothing behind', function () {
  this.timeout(600000);

  it(`terminated in the middle of everything, ${ROUNDS} times and more`, async () => {
    await repeat(ROUNDS, async (i) => {
      assert.strictEqual(await run(`${LOAD} setTimeout(() => parentPort.postMessage(1), ${i % 5});`,
        i % 7), 'terminated');
    });
  });

  for (const [how, code, expected] of [
    ['by process.exit', `${LOAD} natives.echoLater(1, 2).then(() => process.exit(3));`, 3],
    ['by process.exit in JavaScript that C called',
      `${LOAD} natives.call(() => process.exit(3), 0, true);`, 3],
    ['by an uncaught exception', `${LOAD} setImmediate(() => { throw new Error('uncaught'); });`,
      'uncaught'],
    ['by a rejection that nobody handles', `${LOAD} natives.fail('unhandled', true);`, 'unhandled'],
    ['by having nothing left to do', 'natives.work(1); co.sleep(1); co.fs.stat(".");', 0],
    ['while threads post on',
      `${LOAD} ends.postForEver(2); natives.echoLater(1, 2).then(() => parentPort.postMessage(1));`,
      'terminated'],
    ['with the addons loaded ten times', `
      for (let i = 0; i < 10; i++) {
        const [again, , , { Counter }, { Notifier }, { hang }] = addonPaths.map((file) => {
          delete require.cache[file];
          return require(file);
        });
        for (let k = 0; k < 5; k++) {
          again.forever().catch(quiet);
          again.work(k).catch(quiet);
          again.sumCalls(() => natives.echoMoment(1), 1e9).catch(quiet);
          new Counter(k).change().catch(quiet);
          new Notifier(() => natives.forever()).call(k).catch(quiet);
          hang().next().catch(quiet);
        }
      }
      natives.echoMoment(1).then(() => parentPort.postMessage(1));`, 'terminated'],
  ]) {
    it(`ended ${how}`, () => repeat(Math.ceil(ROUNDS / 10), async () =>
      assert.strictEqual(await run(code, 0), expected)));
  }
});
