'use strict';

/* The co under test, and helpers that several of its test files share. */

const v8 = require('node:v8');
const vm = require('node:vm');

const co = require('../../lib');

const BAD_YIELD =
  'You may only yield a function, promise, generator, array, or object, but the following object was passed: ';

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** One turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A promise of the value, some turns of the event loop later. */
const later = (value, turns = 1) =>
  new Promise((resolve) => {
    const wait = () => (turns-- > 0 ? setImmediate(wait) : resolve(value));
    wait();
  });
const failLater = (error, turns) => later(undefined, turns).then(() => Promise.reject(error));

/** Collects garbage until `done()` or until it is plain that it will not happen. */
async function collectUntil(done) {
  for (let i = 0; i < 200 && !done(); i++) {
    gc();
    await turn(); // what has been collected is told by tasks of the loop
  }
  return done();
}

/** How many microtask turns pass before a reaction to the promise that `start` returns runs. */
async function ticksOf(start) {
  let ticks = 0;
  let ended = false;
  const count = () => {
    if (ended) return;
    ticks++;
    Promise.resolve().then(count);
  };
  const end = () => {
    ended = true;
  };
  const promise = start();
  promise.then(end, end);
  Promise.resolve().then(count);
  await promise.catch(() => {});
  await turn();
  return ticks;
}

/** Runs `body` and returns the unhandled rejections that it causes. */
async function unhandledDuring(body) {
  const found = [];
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  const note = (error, promise) => found.push({ error, promise });
  process.on('unhandledRejection', note);
  try {
    await body();
    await turn();
    await turn();
  } finally {
    process.removeListener('unhandledRejection', note);
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
  return found;
}

module.exports = { co, BAD_YIELD, gc, turn, later, failLater, collectUntil, ticksOf,
  unhandledDuring };
