'use strict';

// PeriodicCallback: from start to start, and never two at once.

const assert = require('node:assert/strict');
const path = require('node:path');
const { co, gen, uncaughtDuring, unhandledDuring } = require('./support/gen');
const { runScript } = require('./support/natives');
const { nextTime } = require('../lib/tornado/periodic');

const { Future, IOLoop, PeriodicCallback } = co;
const loop = IOLoop.current();

/**
 * The times of the calls when each takes as long as `durations` says, with a period of 10 from 1000
 * on.
 */
function simulate(durations, period = 10) {
  let now = 1000;
  let next = now;
  const calls = [];
  for (const duration of durations) {
    next = nextTime(next, now, period);
    calls.push(next);
    now = next + duration;
  }
  return calls;
}

describe('PeriodicCallback', () => {
  describe('its times', () => {
    it('are the multiples of the period', () => {
      assert.deepEqual(simulate([0, 0, 0, 0]), [1010, 1020, 1030, 1040]);
    });

    it('skip what a call outlasts', () => {
      assert.deepEqual(simulate([9, 9, 10, 11, 20, 20, 35, 35, 0, 0, 0]),
        [1010, 1020, 1030, 1050, 1070, 1100, 1130, 1170, 1210, 1220, 1230]);
    });

    it('go on by one period when the clock has gone back', () => {
      let next = nextTime(1000, 1000, 10);
      next = nextTime(next, next, 10);
      assert.equal(next, 1020);
      next = nextTime(next, 500, 10);
      assert.equal(next, 1030);
      assert.equal(nextTime(next, 1031, 10), 1040);
    });

    it('vary with jitter by a part of the period', () => {
      const { random } = Math;
      const starts = [];
      const files = ['tornado/periodic.js', 'primordials.js']
        .map((name) => require.resolve(`../lib/${name}`));
      const loaded = files.map((file) => require.cache[file]);
      for (const file of files) delete require.cache[file];
      const timing = loop.callAt;
      const values = [0.5, 1, 0, 0.75];
      Math.random = () => values[starts.length];
      const Jittered = require('../lib/tornado/periodic.js')
        .PeriodicCallback; // which takes Math.random as it finds it
      loop.callAt = (when) => {
        starts.push(when);
        return timing.call(loop, loop.time() + 1e9, () => {});
      };
      loop.time = () => 1000;
      try {
        for (let i = 0; i < 4; i++) {
          const periodic = new Jittered(() => {}, 10, { jitter: 0.5 });
          periodic.start();
          periodic.stop();
        }
      } finally {
        Math.random = random;
        files.forEach((file, i) => {
          require.cache[file] = loaded[i];
        });
        delete loop.callAt;
        delete loop.time;
      }
      assert.deepEqual(starts, [1010, 1012.5, 1007.5, 1011.25]);
    });
  });

  it('is called until it is stopped, and again when it is started again', async () => {
    let calls = 0;
    let finished = new Future();
    const periodic = new PeriodicCallback(() => {
      if (++calls % 3 !== 0) return;
      periodic.stop();
      finished.setResult();
    }, 1);
    assert.equal(periodic.isRunning(), false);
    periodic.start();
    periodic.start();
    assert.equal(periodic.isRunning(), true);
    await finished;
    assert.equal(periodic.isRunning(), false);
    await gen.sleep(5);
    assert.equal(calls, 3);
    finished = new Future();
    periodic.start();
    await finished;
    assert.equal(calls, 6);
    periodic.stop();
  });

  it('waits for a coroutine, an async function and a generator before the next call', async () => {
    const log = [];
    for (const kind of [(fn) => gen.coroutine(fn), (fn) => fn, (fn) => async () => co(fn)]) {
      const finished = new Future();
      let calls = 0;
      const periodic = new PeriodicCallback(kind(function* () {
        const n = ++calls;
        log.push(`start ${n}`);
        yield gen.sleep(4);
        log.push(`end ${n}`);
        if (n < 3) return;
        periodic.stop();
        finished.setResult();
      }), 1);
      periodic.start();
      await finished;
      assert.deepEqual(log.splice(0), ['start 1', 'end 1', 'start 2', 'end 2', 'start 3', 'end 3']);
    }
  });

  it('does not go on twice when it is stopped and started while a coroutine runs', async () => {
    const gate = new Future();
    let running = 0;
    let calls = 0;
    const enough = new Future();
    const periodic = new PeriodicCallback(gen.coroutine(function* () {
      if (++calls === 1) {
        periodic.stop();
        periodic.start();
        yield gate;
        return;
      }
      assert.equal(++running, 1);
      if (calls === 3) gate.setResult();
      yield gen.sleep(2);
      running--;
      if (calls === 6) {
        periodic.stop();
        enough.setResult();
      }
    }), 1);
    periodic.start();
    await enough;
    assert.equal(calls, 6);
  });

  it('keeps the process alive until unref(), and again after ref()', async () => {
    const { code, stdout } = await runScript(`
      const { PeriodicCallback } = require(${JSON.stringify(path.join(__dirname, '..', 'lib'))});
      let calls = 0;
      const idle = new PeriodicCallback(() => {}, 1).unref();
      idle.start();
      const periodic = new PeriodicCallback(() => {
        console.log(++calls);
        if (calls === 3) periodic.unref();
      }, 5).unref();
      periodic.start();
      periodic.ref();`);
    assert.equal(code, 0);
    assert.match(stdout, /^1\n2\n3\n(4\n)?/); // another call may have been due already
  });

  it('reports errors and goes on', async () => {
    let calls = 0;
    const periodic = new PeriodicCallback(() => {
      throw new Error(`call ${++calls}`);
    }, 1);
    const errors = await uncaughtDuring(2, () => periodic.start());
    periodic.stop();
    assert.deepEqual(errors.slice(0, 2).map(({ message }) => message), ['call 1', 'call 2']);
    const finished = new Future();
    const failing = new PeriodicCallback(gen.coroutine(function* () {
      yield gen.moment;
      if (++calls % 2 === 0) {
        failing.stop();
        finished.setResult();
      }
      throw new Error('async');
    }), 1);
    const unhandled = await unhandledDuring(async () => {
      failing.start();
      await finished;
      await gen.sleep(1);
    });
    assert.ok(unhandled.length >= 1 && unhandled.every(({ error }) => error.message === 'async'));
  });

  it('refuses what is no function and no period', () => {
    assert.throws(() => new PeriodicCallback(5, 1), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new PeriodicCallback(() => {}, '1'), { code: 'ERR_INVALID_ARG_TYPE' });
    for (const ms of [0, -1, NaN, Infinity]) {
      assert.throws(() => new PeriodicCallback(() => {}, ms), { code: 'ERR_OUT_OF_RANGE' });
    }
    assert.throws(() => new PeriodicCallback(() => {}, 1, { jitter: '1' }),
      { code: 'ERR_INVALID_ARG_TYPE' });
    for (const jitter of [-0.1, 1.1, NaN]) {
      assert.throws(() => new PeriodicCallback(() => {}, 1, { jitter }),
        { code: 'ERR_OUT_OF_RANGE' });
    }
  });
});
