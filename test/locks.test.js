'use strict';

// Locks: the behaviours that Tornado's own tests of them assert.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { co, gen, iterations, coroutineTest } = require('./support/gen');

const { locks, queues, Future, IOLoop } = co;
const { Condition, Event, Semaphore, BoundedSemaphore, Lock } = locks;
const { Queue } = queues;
const loop = IOLoop.current();

const TIMEOUT = { name: 'TimeoutError', code: 'ETIMEDOUT' };

describe('locks.Condition', () => {
  let history;
  const record = (future, key) => future.addDoneCallback((done) => {
    history.push(done.exception() === undefined && done.result() ? key : `timeout ${key}`);
  });

  beforeEach(() => {
    history = [];
  });

  it('shows who waits', () => {
    const condition = new Condition();
    assert.equal(String(condition), 'Condition { waiters: 0 }');
    condition.wait();
    assert.equal(String(condition), 'Condition { waiters: 1 }');
  });

  it('notifies one, whose coroutine goes on in a later iteration', async () => {
    const condition = new Condition();
    const log = [];
    const waiter = gen.coroutine(function* () {
      assert.equal(yield condition.wait(), true);
      log.push('wait 1');
      yield gen.moment;
      yield condition.wait();
      log.push('wait 2');
    })();
    await iterations(1);
    condition.notify();
    log.push('notify 1');
    await iterations(4);
    condition.notify();
    log.push('notify 2');
    await waiter;
    assert.deepEqual(log, ['notify 1', 'wait 1', 'notify 2', 'wait 2']);
  });

  it('notifies the first when several wait', () => {
    const condition = new Condition();
    record(condition.wait(), 'wait 1');
    record(condition.wait(), 'wait 2');
    condition.notify(1);
    history.push('notify 1');
    condition.notify(1);
    history.push('notify 2');
    condition.notify(1);
    assert.deepEqual(history, ['wait 1', 'notify 1', 'wait 2', 'notify 2']);
  });

  it('notifies n', () => {
    const condition = new Condition();
    for (let i = 0; i < 6; i++) record(condition.wait(), i);
    const steps = [3, 1, 100].map((n) => {
      condition.notify(n);
      return history.splice(0);
    });
    assert.deepEqual(steps, [[0, 1, 2], [3], [4, 5]]);
    condition.notifyAll();
    assert.deepEqual(history, []);
  });

  it('notifies all that wait, and none that come later', () => {
    const condition = new Condition();
    for (let i = 0; i < 4; i++) record(condition.wait(), i);
    condition.notifyAll();
    record(condition.wait(), 'later');
    assert.deepEqual(history, [0, 1, 2, 3]);
  });

  it('gives false after the timeout, and true before', async () => {
    const condition = new Condition();
    assert.equal(await condition.wait(1), false);
    const notified = condition.wait(20);
    condition.notify();
    assert.equal(await notified, true);
    await gen.sleep(25);
    assert.equal(notified.result(), true);
  });

  it('does not count those whose time is over', async () => {
    const condition = new Condition();
    record(condition.wait(), 0);
    record(condition.wait(1), 1);
    record(condition.wait(), 2);
    record(condition.wait(), 3);
    while (history.length === 0) await iterations(1);
    assert.deepEqual(history, ['timeout 1']);
    condition.notify(2);
    assert.deepEqual(history, ['timeout 1', 0, 2]);
    condition.notify();
    assert.deepEqual(history, ['timeout 1', 0, 2, 3]);
  });

  it('notifies all but those whose time is over', async () => {
    const condition = new Condition();
    record(condition.wait(), 0);
    record(condition.wait(1), 1);
    record(condition.wait(), 2);
    while (history.length === 0) await iterations(1);
    condition.notifyAll();
    assert.deepEqual(history, ['timeout 1', 0, 2]);
  });

  it('loses none when a callback notifies', () => {
    const condition = new Condition();
    record(condition.wait(), 0);
    condition.wait().addDoneCallback(() => {
      history.push(1);
      condition.notify(2);
    });
    record(condition.wait(), 2);
    record(condition.wait(), 3);
    record(condition.wait(), 4);
    condition.notify(3);
    assert.deepEqual(history, [0, 1, 3, 4, 2]);
    condition.notify();
    assert.equal(history.length, 5);
  });

  it('keeps nothing of those whose time is over', async () => {
    const condition = new Condition();
    for (let i = 0; i < 101; i++) condition.wait(0);
    const future = condition.wait();
    assert.equal(String(condition), 'Condition { waiters: 102 }');
    await gen.sleep(5);
    assert.equal(String(condition), 'Condition { waiters: 1 }');
    condition.notify();
    assert.equal(future.done(), true);
  });

  it('passes over who has cancelled', () => {
    const condition = new Condition();
    const cancelled = condition.wait(1000);
    const next = condition.wait();
    cancelled.cancel();
    condition.notify();
    assert.equal(next.result(), true);
  });

  it('refuses a timeout that is none, without a trace', () => {
    const condition = new Condition();
    assert.throws(() => condition.wait('1'), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => condition.wait(NaN), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(String(condition), 'Condition { waiters: 0 }');
  });
});

describe('locks.Event', () => {
  it('shows its state', () => {
    const event = new Event();
    assert.equal(String(event), 'Event { set: false, waiters: 0 }');
    event.set();
    assert.equal(String(event), 'Event { set: true, waiters: 0 }');
  });

  it('wakes all that wait when it is set; then nobody waits', () => {
    const event = new Event();
    const [first, second] = [event.wait(), event.wait()];
    assert.equal(event.isSet(), false);
    assert.equal(first.done(), false);
    event.set();
    assert.equal(event.isSet(), true);
    assert.ok(first.done() && second.done() && event.wait().done());
    event.clear();
    assert.equal(event.isSet(), false);
    assert.equal(event.wait().done(), false);
  });

  it('fails the wait after a timeout, which leaves no trace', async () => {
    const event = new Event();
    await assert.rejects(event.wait(1), TIMEOUT);
    assert.equal(String(event), 'Event { set: false, waiters: 0 }');
    const inTime = event.wait(10_000);
    loop.callLater(1, () => event.set());
    await inTime;
    await event.wait(0);
  });

  it('can be set twice', () => {
    const event = new Event();
    event.set();
    event.set();
    assert.equal(event.isSet(), true);
  });

  it('wakes those who wait even if it is cleared right after', coroutineTest(function* () {
    const event = new Event();
    const wait = event.wait();
    event.set();
    event.clear();
    const second = event.wait();
    yield wait;
    assert.equal(second.done(), false);
    event.set();
    yield second;
  }));
});

describe('locks.Semaphore', () => {
  it('starts with a number of permits, 1 unless it is said', () => {
    assert.equal(new Semaphore().acquire().done(), true);
    assert.equal(new Semaphore(0).acquire().done(), false);
    for (const value of [-1, 1.5, NaN, '1', null]) {
      assert.throws(() => new Semaphore(value), { code: 'ERR_OUT_OF_RANGE' });
    }
  });

  it('shows its state', () => {
    const semaphore = new Semaphore(1);
    assert.equal(String(semaphore), 'Semaphore { value: 1, waiters: 0 }');
    semaphore.acquire();
    semaphore.acquire();
    assert.equal(String(semaphore), 'Semaphore { value: 0, waiters: 1 }');
  });

  it('gives permits in line, and a release straight to the first', async () => {
    const semaphore = new Semaphore();
    assert.equal(semaphore.acquire().done(), true);
    const [second, third] = [semaphore.acquire(), semaphore.acquire()];
    semaphore.release();
    assert.deepEqual([second.done(), third.done()], [true, false]);
    assert.equal(semaphore.acquire().done(), false, 'the permit is not free for whoever comes now');
    semaphore.release();
    assert.equal(third.done(), true);
  });

  it('fails after a timeout, which takes no permit', async () => {
    const semaphore = new Semaphore(2);
    await semaphore.acquire();
    await semaphore.acquire();
    const late = semaphore.acquire(1);
    const next = semaphore.acquire();
    await assert.rejects(late, TIMEOUT);
    semaphore.release();
    await next;
    assert.equal(String(semaphore), 'Semaphore { value: 0, waiters: 0 }');
  });

  it('that is released in time does not fail later', async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    const waiting = semaphore.acquire(5);
    semaphore.release();
    const last = semaphore.acquire(100_000);
    await gen.sleep(10);
    assert.equal(waiting.exception(), undefined);
    assert.equal(String(semaphore), 'Semaphore { value: 0, waiters: 1 }',
      'the timeout of the first has taken nobody out of the line');
    semaphore.release();
    assert.equal(last.done(), true);
  });

  it('can be released more often than it was acquired', () => {
    const semaphore = new Semaphore();
    semaphore.release();
    semaphore.release();
    assert.equal(String(semaphore), 'Semaphore { value: 3, waiters: 0 }');
  });

  it('keeps nothing of those whose time is over', async () => {
    const semaphore = new Semaphore(0);
    const futures = Array.from({ length: 101 }, () => semaphore.acquire(0));
    const waiting = semaphore.acquire();
    assert.equal(String(semaphore), 'Semaphore { value: 0, waiters: 102 }');
    await Promise.allSettled(futures);
    assert.equal(String(semaphore), 'Semaphore { value: 0, waiters: 1 }');
    semaphore.release();
    assert.equal(waiting.done(), true);
  });

  describe('permits', () => {
    it('release, once, by release() and at the end of a using declaration', async () => {
      const semaphore = new Semaphore();
      const permit = await semaphore.acquire();
      permit.release();
      permit.release();
      assert.match(String(semaphore), /value: 1/);
      const other = await semaphore.acquire();
      assert.match(String(semaphore), /value: 0/);
      other[Symbol.dispose]();
      assert.match(String(semaphore), /value: 1/);
    });

    it('are held while run() calls a function: generator, async or plain', async () => {
      const semaphore = new Semaphore();
      const held = () => assert.match(String(semaphore), /value: 0/);
      assert.equal(await semaphore.run(function* (a) {
        held();
        yield gen.moment;
        held();
        return a;
      }, 'generator'), 'generator');
      assert.equal(await semaphore.run(async (a) => {
        held();
        await gen.moment;
        held();
        return a;
      }, 'async'), 'async');
      assert.equal(await semaphore.run((a) => a, 'plain'), 'plain');
      assert.match(String(semaphore), /value: 1/);
    });

    it('are given back when the function throws', async () => {
      const semaphore = new Semaphore();
      await assert.rejects(semaphore.run(() => {
        throw new Error('sync');
      }), { message: 'sync' });
      await assert.rejects(semaphore.run(function* () {
        yield gen.moment;
        throw new Error('later');
      }), { message: 'later' });
      assert.match(String(semaphore), /value: 1/);
    });

    it('are handed on in line', async () => {
      const semaphore = new Semaphore();
      const history = [];
      const hold = gen.coroutine(function* (n) {
        const permit = yield semaphore.acquire();
        try {
          history.push(`acquired ${n}`);
          yield gen.sleep(1);
          history.push(`release ${n}`);
        } finally {
          permit.release();
        }
      });
      await gen.multi([0, 1].map((n) => hold(n)));
      assert.deepEqual(history, ['acquired 0', 'release 0', 'acquired 1', 'release 1']);
    });
  });

  it('itself cannot be yielded, nor disposed of', coroutineTest(function* () {
    for (const lock of [new Semaphore(), new Lock()]) {
      try {
        yield lock;
        assert.fail('went on');
      } catch (error) {
        assert.ok(error instanceof gen.BadYieldError);
      }
      assert.equal(lock[Symbol.dispose], undefined);
    }
  }));
});

describe('locks.BoundedSemaphore', () => {
  it('cannot be released more often than it was acquired', () => {
    const semaphore = new BoundedSemaphore();
    assert.throws(() => semaphore.release(), { code: 'ERR_FIBRIL_NOT_ACQUIRED',
      message: 'Semaphore released too many times' });
    semaphore.acquire();
    semaphore.release();
    assert.throws(() => semaphore.release(), { code: 'ERR_FIBRIL_NOT_ACQUIRED' });
    assert.equal(String(semaphore), 'BoundedSemaphore { value: 1, waiters: 0 }');
  });
});

describe('locks.Lock', () => {
  it('shows its state', () => {
    const lock = new Lock();
    assert.equal(String(lock), 'Lock { locked: false, waiters: 0 }');
    lock.acquire();
    assert.equal(String(lock), 'Lock { locked: true, waiters: 0 }');
  });

  it('has one holder at a time', () => {
    const lock = new Lock();
    assert.equal(lock.acquire().done(), true);
    const second = lock.acquire();
    assert.equal(second.done(), false);
    lock.release();
    assert.equal(second.done(), true);
  });

  it('is held in the order of acquire()', async () => {
    const lock = new Lock();
    await lock.acquire();
    const history = [];
    const hold = gen.coroutine(function* (n) {
      const permit = yield lock.acquire();
      history.push(n);
      permit.release();
    });
    const holders = Array.from({ length: 10 }, (_, n) => hold(n));
    const others = Array.from({ length: 5 }, (_, n) => lock.run(async () => history.push(10 + n)));
    lock.release();
    await Promise.all([...holders, ...others]);
    assert.deepEqual(history, Array.from({ length: 15 }, (_, n) => n));
  });

  it('fails acquire() after a timeout, of 0 too', async () => {
    const lock = new Lock();
    await lock.acquire();
    await assert.rejects(lock.acquire(1), TIMEOUT);
    await assert.rejects(lock.acquire(0), TIMEOUT);
    assert.equal(String(lock), 'Lock { locked: true, waiters: 0 }');
    lock.release();
    assert.equal(lock.acquire(0).done(), true);
  });

  it('cannot be released when it is not locked', () => {
    const lock = new Lock();
    assert.throws(() => lock.release(), { code: 'ERR_FIBRIL_NOT_ACQUIRED',
      message: 'release unlocked lock' });
    lock.acquire();
    lock.release();
    assert.throws(() => lock.release(), { code: 'ERR_FIBRIL_NOT_ACQUIRED' });
  });

  it('waits for Futures as anything else does', async () => {
    const lock = new Lock();
    await lock.acquire();
    const acquired = lock.acquire();
    assert.ok(acquired instanceof Future);
    const both = Promise.all([acquired, gen.withTimeout(10_000, acquired)]);
    lock.release();
    const [one, same] = await both;
    assert.equal(one, same);
  });
});

describe('who gives up', () => {
  const waits = {
    'Condition.wait': () => [new Condition()].map((lock) => [lock, lock.wait(3_600_000)])[0],
    'Event.wait': () => [new Event()].map((lock) => [lock, lock.wait(3_600_000)])[0],
    'Semaphore.acquire': () => [new Semaphore(0)].map((lock) => [lock, lock.acquire(3_600_000)])[0],
    'Queue.get': () => [new Queue()].map((queue) => [queue, queue.get(3_600_000)])[0],
    'Queue.put': () => [new Queue(1)]
      .map((queue) => [queue, queue.put(1) && queue.put(2, 3_600_000)])[0],
  };
  for (const [what, begin] of Object.entries(waits)) {
    it(`by cancel() or by hand is out of the line at once, as by a timeout: ${what}`, () => {
      for (const giveUp of [(future) => future.cancel(), (future) => future.setResult(),
        (future) => future.setException(new Error('given up'))]) {
        const [waitedFor, future] = begin();
        assert.match(String(waitedFor), /(waiters|getters|putters): 1/);
        giveUp(future);
        future.catch(() => {});
        assert.doesNotMatch(String(waitedFor), /(waiters|getters|putters): 1/);
      }
    });
  }

  it('does not hold the process, nor does who has cancelled a withTimeout', () => {
    const program = `
      const { gen, locks, Future } = require(${JSON.stringify(path.join(__dirname, '..', 'lib'))});
      new locks.Semaphore(0).acquire(3_600_000).cancel();
      gen.withTimeout(3_600_000, new Future()).cancel();`;
    const { status, signal } = spawnSync(process.execPath, ['-e', program], { timeout: 30_000 });
    assert.deepEqual([status, signal], [0, null]);
  });
});
