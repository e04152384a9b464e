'use strict';

// What a worker of workers.js does: begins things until it ends by itself, with an error, or
// because it is terminated.

const { parentPort, workerData } = require('node:worker_threads');
const { chanceFrom } = require('./games.js');
const { fs } = require('../../lib');

const [fuzzed, natives, callbacks] = ['fuzzed', 'natives', 'callbacks']
  .map((name) => require(`../addon/build/Release/${name}.node`));
const { below, onceIn, pick } = chanceFrom(workerData.seed);
const kept = [];

process.on('unhandledRejection', () => {});

const keep = (value) => {
  kept.push(value);
  return value;
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function loop() {
  for await (const number of fuzzed.slow(5, 1)) if (number > below(5)) break;
}

async function abortSleep() {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), below(20));
  await fuzzed.sleep(below(40), { signal: controller.signal });
}

async function leaveAhead() {
  const iterator = keep(fuzzed.slowAhead(10, 1));
  await Promise.all([iterator.next(), iterator.next(), iterator.return()]);
}

/** Called by threads: gives something, a promise, or throws. */
function answer() {
  if (onceIn(50)) throw new Error('thrown to a thread');
  return onceIn(3) ? pause(1) : undefined;
}

const BEGINNINGS = [
  () => fuzzed.sleep(below(50)),
  () => natives.work(below(1000)),
  () => keep(fuzzed.slow(10, 1)).next(),
  leaveAhead,
  () => keep(fuzzed.numbers(5)).next(),
  () => [...fuzzed.waits()],
  () => fuzzed.call(() => pause(below(30)), {}),
  () => fuzzed.call(() => fuzzed.call(() => fuzzed.sleep(below(5)))),
  () => callbacks.produce(answer, { threads: 1 + below(3), count: 50 }),
  () => keep(new fuzzed.Thing('kept')).sleep(below(20)),
  () => fuzzed.groupError(),
  abortSleep,
  () => fs.readFile(__filename),
  () => fs.du('/proc/self/task'),
  loop,
  () => onceIn(20) && fuzzed.options({ get a() { return process.exit(0); } }),
  () => onceIn(40) && fuzzed.call(() => process.exit(0)),
  () => (kept.length = below(kept.length + 1)),
];

function begin() {
  Promise.resolve(pick(BEGINNINGS)()).catch(() => {});
}

for (let count = 5 + below(40); count > 0; count--) begin();
parentPort.postMessage('begun');
const beginning = setInterval(() => {
  for (let count = below(6); count > 0; count--) begin();
}, 1);

switch (below(4)) {
  case 0: setTimeout(() => process.exit(below(3)), below(60)); break;
  case 1: setTimeout(() => { throw new Error('an end'); }, below(60)); break;
  case 2: setTimeout(() => { clearInterval(beginning); kept.length = 0; }, below(40)); break;
  default: // it is terminated
}
