'use strict';

// Workers with everything under way, begun at random, ended in every way at a random moment. Each
// one ends, and the process lives.

const assert = require('node:assert');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');
const { playGames } = require('./games.js');

const WIDTH = 2; // at the same time, in one game
const HANGS_AFTER_MS = 60000;

async function runWorker(seed, patience) {
  const worker = new Worker(path.join(__dirname, 'busy-worker.js'),
    { workerData: { seed }, stdout: true, stderr: true });
  worker.on('error', () => {}); // one way to end
  const ended = new Promise((resolve) => worker.once('exit', () => resolve('ended')));
  const settled = new AbortController();
  const options = { signal: settled.signal };
  const begun = new Promise((resolve) => worker.once('message',
    resolve)); // on a busy machine long after it was made
  Promise.race([begun, delay(HANGS_AFTER_MS / 2, undefined, options)])
    .then(() => delay(patience, undefined, options))
    .then(() => worker.terminate())
    .catch(() => {});
  const hangs = delay(HANGS_AFTER_MS, 'hangs', options).catch(() => {});
  assert.strictEqual(await Promise.race([ended, hangs]), 'ended');
  settled.abort();
}

playGames(async ({ below }) => {
  await Promise.all(Array.from({ length: WIDTH }, () => runWorker(below(2 ** 30), below(300))));
});
