'use strict';

/*
 * node --expose-gc --trace-opt collections.js NAME: does one thing again and again, at last with a
 * full collection before each round, when nothing of fibril's is under way. What is the user's has
 * names that begin with "user", so that what V8 says of the rest is about fibril.
 */

const co = require('../../lib');
const { natives } = require('./natives');

const OPERATIONS = 2000; // a round
const ROUNDS = 8; // with collections

const p = Promise.resolve(1);
const { gen, locks, queues, IOLoop } = co;

function* userReturning() {
  return 1;
}
function* userWaiting() {
  return yield p;
}
function* userNested(depth) {
  return depth === 0 ? yield p : yield userNested(depth - 1);
}
const userThunk = (done) => done(null, 1);
const userLaterThunk = (done) => {
  p.then(function userLater() {
    done(null, 1);
  });
};
const userCoroutine = gen.coroutine(userWaiting);
function* userSleeping() {
  return yield gen.sleep(0);
}
function* userSleepingTwice() {
  return yield [gen.sleep(0), gen.sleep(0)];
}

/** A round of what one run yields one after the other. */
const yields = (make) => {
  function* userGenerator() {
    for (let i = 0; i < OPERATIONS; i++) yield make();
  }
  return () => co(userGenerator);
};

/** A round of runs at the same time. */
const atOnce = (start) =>
  function userCrowd() {
    return Promise.all(Array.from({ length: OPERATIONS }, start));
  };

/** A round of what is done one after the other. */
const each = (operation) =>
  async function userRound() {
    for (let i = 0; i < OPERATIONS; i++) await operation();
  };

const works = {
  start: () => {
    for (let i = 0; i < OPERATIONS; i++) co(userReturning);
  },
  runs: each(() => co(userWaiting)),
  wrap: each(co.wrap(userWaiting)),
  promise: yields(() => p),
  array: yields(() => [p, p, p]),
  object: yields(() => ({ a: p, b: [p] })),
  'array of runs': yields(() => [userWaiting(), userThunk, userReturning]),
  thunk: yields(() => userThunk),
  'later thunk': yields(() => userLaterThunk),
  generator: yields(userWaiting),
  'nested generators': yields(() => userNested(5)),
  'native function': yields(() => natives.echoMoment(1)),
  future: atOnce(() => co(userSleeping)),
  'array of futures': atOnce(() => co(userSleepingTwice)),
  'run with options': each(() => co.run(userWaiting, { timeout: 60_000 })),
  'gen.coroutine': each(() => userCoroutine()),
  timeout: each(() => new Promise(function userExecutor(resolve) {
    IOLoop.current().callLater(0, resolve);
  })),
  lock: each(async function userLock() {
    const lock = new locks.Lock();
    const first = await lock.acquire();
    const second = lock.acquire();
    first.release();
    (await second).release();
  }),
  queue: each(async function userQueue() {
    const queue = new queues.Queue();
    const item = queue.get();
    await queue.put(1);
    await item;
  }),
};

async function main() {
  const work = works[process.argv[2]];
  for (let i = 0; i < 30; i++) await work();
  console.log('---- collections');
  for (let i = 0; i < ROUNDS; i++) {
    await new Promise(setImmediate);
    global.gc();
    await work();
  }
}

if (require.main === module) main();

module.exports = { names: Object.keys(works), ROUNDS };
