'use strict';

// Time and fairness: sleeps that are never early, and everything else in the process going on while
// fibril is busy.

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const co = require('../lib');
const { natives } = require('./support/natives');

const { gen, sleep } = co;
const now = () => Number(process.hrtime.bigint()) / 1e6;
const turn = () => new Promise(setImmediate);

function busy(ms) {
  const end = now() + ms;
  while (now() < end);
}

describe('sleeps', () => {
  /**
   * How much longer than `ms` the sleep has taken; it begins after JavaScript was busy, when the
   * loop's own clock is behind.
   */
  async function lateness(ms, start) {
    busy(ms % 7);
    const begin = now();
    const slept = start(ms);
    busy((ms * 3) % 5);
    await slept;
    return now() - begin - ms;
  }

  const starts = {
    'sleep()': (ms) => sleep(ms),
    'gen.sleep()': (ms) => gen.sleep(ms),
    'gen.sleep() in a generator': (ms) => co(function* () {
      yield gen.sleep(ms);
    }),
    'fibril_sleep': (ms) => natives.echoLater(0, ms),
  };
  for (const [name, start] of Object.entries(starts)) {
    it(`of ${name} are never early, however busy the loop was`, async () => {
      for (const ms of [0, 0.25, 0.999, 1, 1.5, 2, 3.3, 5, 10, 20, 50]) {
        const late = await lateness(ms, start);
        assert.ok(late >= 0, `${ms} ms, ${-late} early`);
      }
      const all = Array.from({ length: 80 }, (_, i) => lateness((i % 40) / 3, start));
      for (const late of await Promise.all(all)) assert.ok(late >= 0, `${-late} early`);
    });
  }

  it('of 50 ms begun after 45 ms of busy JavaScript take 50 ms', async () => {
    for (const before of [() => {}, turn, () => sleep(1),
      () => new Promise((resolve) => setTimeout(resolve, 1))]) {
      await before();
      busy(45);
      const begin = now();
      await sleep(50);
      assert.ok(now() - begin >= 50);
    }
  });

  it('end in the order of their deadlines', async () => {
    const sleeps = [30, 10, 20, 10, 0, 30, 5, 10, 0].map((ms) => {
      const earliest = now() + ms;
      const promise = sleep(ms);
      return { promise, earliest, latest: now() + ms };
    });
    const order = [];
    await Promise.all(sleeps.map((each) => each.promise.then(() => order.push(each))));
    assert.strictEqual(order.length, sleeps.length);
    order.forEach((each, i) => {
      for (const later of order.slice(i + 1)) assert.ok(each.earliest <= later.latest);
    });
  });

  it('of 0 ms let everything else have its turn', async () => {
    const trace = [];
    const add = (what) => () => trace.push(what);
    let over = false;
    const stat = fs.promises.stat('.').then(add('I/O'));
    const immediate = turn().then(add('immediate'));
    const timer = new Promise((resolve) => setTimeout(resolve, 1)).then(add('timer'));
    const others = Promise.all([stat, immediate, timer]).then(() => {
      over = true;
    });
    while (!over) await sleep(0);
    await others;
    assert.deepStrictEqual(trace.sort(), ['I/O', 'immediate', 'timer']);
  });
});

/** Runs a program of test/support, and returns what it prints. */
async function observe(program, argument, env = {}) {
  const file = path.join(__dirname, 'support', program);
  const options = { env: { ...process.env, ...env }, timeout: 60_000,
    killSignal: 'SIGKILL' }; // what hangs must not hang us
  const { stdout } = await promisify(execFile)(process.execPath, [file, String(argument)], options);
  return JSON.parse(stdout);
}

describe('the thread pool, with all of fibril\'s part of it blocked', () => {
  // In processes of their own: the pool has its size for good when it is first used.
  for (const [threads, part] of [[2, 1], [4, 2], [7, 3]]) {
    it(`lets Node's files, zlib, crypto and dns proceed: ${part} of ${threads} threads are taken, by all environments together`, async () => {
      const seen = await observe('blocked-pool.js', part, { UV_THREADPOOL_SIZE: String(threads) });
      assert.deepStrictEqual(seen, { proceeded: ['stat', 'readFile', 'gzip', 'pbkdf2', 'lookup'],
        blocked: part, left: 0 });
    });
  }
});

describe('the event loop, with 100,000 coroutines that are always ready', function () {
  this.timeout(120_000);
  const COUNT = 100_000;
  let seen;
  before(async () => {
    seen = await observe('crowd.js', COUNT);
  });

  it('turns once for each lap that all of them run', () => {
    assert.ok(seen.laps.length >= 20);
    const first = seen.laps[0][0];
    assert.deepStrictEqual(seen.laps, seen.laps.map((_, i) => [first + i, first + i]));
  });

  it('lets Node\'s files and pool jobs of fibril end', () => {
    assert.deepStrictEqual(seen.ended, ['stat', 'job']);
  });

  it('runs a timer of Node\'s in the turn in which it is due', () => {
    assert.ok(seen.timer <= 1, `${seen.timer} turns late`);
  });

  it('wakes a sleeper by the second turn behind its deadline', () => {
    assert.ok(seen.nap <= 2, `${seen.nap} turns late`);
  });

  it('has a call that need not wait end in the turn of the call', () => {
    assert.strictEqual(seen.call, 0);
  });
});

describe('the event loop, with 10,000 async functions that always await a native one', () => {
  it('turns once for each lap that all of them run', async () => {
    const COUNT = 10_000;
    const laps = new Uint32Array(COUNT);
    const seen = [];
    let over = false;
    const loops = Array.from({ length: COUNT }, async (_, i) => {
      while (!over) {
        await natives.echoMoment(i);
        laps[i]++;
      }
    });
    for (let i = 0; i < 10; i++) {
      await turn();
      seen.push([Math.min(...laps), Math.max(...laps)]);
    }
    over = true;
    await Promise.all(loops);
    assert.deepStrictEqual(seen, seen.map((_, i) => [seen[0][0] + i, seen[0][0] + i]));
  });
});
