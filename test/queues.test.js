'use strict';

// Queues: the behaviours that Tornado's own tests of them assert.

const assert = require('node:assert/strict');
const { inspect } = require('node:util');
const { co, gen, iterations, coroutineTest } = require('./support/gen');

const { queues, IOLoop } = co;
const { Queue, PriorityQueue, LifoQueue, QueueEmpty, QueueFull } = queues;
const loop = IOLoop.current();

const TIMEOUT = { name: 'TimeoutError', code: 'ETIMEDOUT' };
const KINDS = [Queue, PriorityQueue, LifoQueue];
const range = (n) => Array.from({ length: n }, (_, i) => i);

describe('queues.Queue', () => {
  it('shows its state', () => {
    const queue = new Queue(1);
    queue.get();
    assert.equal(String(queue), 'Queue { maxsize: 1, items: 0, getters: 1, putters: 0, tasks: 0 }');
    queue.put(1);
    queue.put(2);
    queue.put(3);
    assert.equal(inspect(queue),
      'Queue { maxsize: 1, items: 1, getters: 0, putters: 1, tasks: 2 }');
  });

  it('gives items in the order in which they came, many of them too', () => {
    const queue = new Queue();
    for (const i of [1, 3, 2]) queue.putNowait(i);
    assert.deepEqual([queue.getNowait(), queue.getNowait(), queue.getNowait()], [1, 3, 2]);
    const out = [];
    for (let i = 0; i < 1000; i++) {
      queue.putNowait(i);
      if (i % 3 === 0) out.push(queue.getNowait());
    }
    while (!queue.empty()) out.push(queue.getNowait());
    assert.deepEqual(out, range(1000));
  });

  it('refuses what is no size', () => {
    for (const size of [null, '1', {}]) {
      assert.throws(() => new Queue(size), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const size of [-1, NaN]) {
      assert.throws(() => new Queue(size), { code: 'ERR_OUT_OF_RANGE' });
    }
  });

  it('has a size: 0 for any number, a fraction rounded up', () => {
    const queue = new Queue(2);
    assert.deepEqual([queue.empty(), queue.full(), queue.maxsize, queue.qsize()],
      [true, false, 2, 0]);
    queue.putNowait(0);
    queue.putNowait(1);
    assert.deepEqual([queue.empty(), queue.full(), queue.qsize()], [false, true, 2]);
    const some = new Queue(1.3);
    some.putNowait(0);
    assert.equal(some.full(), false);
    some.putNowait(1);
    assert.equal(some.full(), true);
    assert.throws(() => some.putNowait(2), QueueFull);
    const any = new Queue();
    range(100).forEach((i) => any.putNowait(i));
    assert.equal(any.full(), false);
  });
});

describe('queues.Queue.get', () => {
  it('gives what is there', () => {
    const queue = new Queue();
    queue.putNowait(0);
    assert.equal(queue.get().result(), 0);
    queue.putNowait(undefined);
    assert.equal(queue.get().result(), undefined);
    queue.putNowait(1);
    assert.equal(queue.getNowait(), 1);
    assert.throws(() => queue.getNowait(), (error) => error instanceof QueueEmpty &&
      error.code === 'ERR_FIBRIL_QUEUE_EMPTY');
  });

  it('lets in who waits to put', async () => {
    const queue = new Queue(1);
    queue.putNowait(0);
    const put = queue.put(1);
    assert.equal(await queue.get(), 0);
    assert.equal(put.done(), true);
    assert.equal(queue.getNowait(), 1);
  });

  it('waits for what comes later', coroutineTest(function* () {
    const queue = new Queue();
    loop.callLater(1, () => queue.putNowait(0));
    assert.equal(yield queue.get(10_000), 0);
    loop.callLater(1, () => queue.putNowait(1));
    assert.equal(yield queue.get(), 1);
  }));

  it('fails after a timeout, of 0 too, and takes no item', async () => {
    const queue = new Queue();
    const [late, next] = [queue.get(1), queue.get()];
    await assert.rejects(late, TIMEOUT);
    queue.putNowait(0);
    assert.equal(await next, 0);
    await assert.rejects(queue.get(0), TIMEOUT);
    queue.putNowait(1);
    assert.equal(await queue.get(0), 1);
  });

  it('that got an item in time does not fail later', async () => {
    const queue = new Queue();
    const got = queue.get(5);
    queue.putNowait(0);
    await gen.sleep(10);
    assert.equal(await got, 0);
  });

  it('leaves nothing behind of those whose time is over', async () => {
    const full = new Queue(1);
    full.putNowait(0);
    const putters = range(10).map((i) => full.put(i, 1));
    const lasting = full.put('lasting');
    assert.match(String(full), /putters: 11/);
    await Promise.allSettled(putters);
    assert.match(String(full), /putters: 1,/);
    assert.equal(full.getNowait(), 0);
    assert.equal(lasting.done(), true);
    assert.equal(full.getNowait(), 'lasting');
    const empty = new Queue();
    const getters = range(10).map(() => empty.get(1));
    const last = empty.get();
    await Promise.allSettled(getters);
    assert.match(String(empty), /getters: 1,/);
    empty.putNowait('item');
    assert.equal(last.result(), 'item');
  });

  it('is what for await does, without end', async () => {
    const queue = new Queue();
    range(5).forEach((i) => queue.putNowait(i));
    const seen = [];
    for await (const item of queue) {
      seen.push(item);
      if (item === 4) break;
    }
    assert.deepEqual(seen, range(5));
    const rest = (async () => {
      for await (const item of queue) return item;
      return undefined;
    })();
    queue.putNowait('more');
    assert.equal(await rest, 'more');
  });
});

describe('queues.Queue.put', () => {
  it('is done when there is room', () => {
    const queue = new Queue(1);
    assert.equal(queue.put(0).done(), true);
    assert.equal(queue.getNowait(), 0);
    queue.putNowait(1);
    assert.throws(() => queue.putNowait(2), (error) => error instanceof QueueFull &&
      error.code === 'ERR_FIBRIL_QUEUE_FULL');
  });

  it('hands over to those who wait, in their order', async () => {
    const queue = new Queue();
    const [first, second] = [queue.get(), queue.get()];
    await queue.put(0);
    assert.equal(first.result(), 0);
    assert.equal(second.done(), false);
    await queue.put(1);
    assert.equal(second.result(), 1);
    assert.equal(queue.qsize(), 0);
  });

  it('does not have the getter go on at once', async () => {
    const queue = new Queue();
    const log = [];
    const getter = gen.coroutine(function* () {
      log.push(yield queue.get());
    })();
    queue.putNowait('item');
    log.push('put');
    await Promise.resolve();
    log.push('microtask');
    await getter;
    assert.deepEqual(log, ['put', 'microtask', 'item']);
  });

  it('waits until there is room', coroutineTest(function* () {
    const queue = new Queue(1);
    queue.putNowait(0);
    const got = [];
    loop.callLater(1, () => got.push(queue.getNowait()));
    yield queue.put(1);
    assert.deepEqual(got, [0]);
    loop.callLater(1, () => got.push(queue.getNowait()));
    yield queue.put(2);
    assert.deepEqual(got, [0, 1]);
  }));

  it('fails after a timeout; its item never enters', async () => {
    const queue = new Queue(1);
    queue.putNowait(0);
    const late = queue.put(1, 1);
    const next = queue.put(2);
    await assert.rejects(late, TIMEOUT);
    assert.equal(queue.getNowait(), 0);
    await next;
    assert.equal(queue.getNowait(), 2);
    await assert.rejects((async () => {
      await queue.put(3, 0);
      await queue.put(4, 0);
    })(), TIMEOUT);
    assert.equal(queue.getNowait(), 3);
    assert.equal(queue.empty(), true);
  });

  it('that had room in time does not fail later', async () => {
    const queue = new Queue(1);
    queue.putNowait(0);
    const put = queue.put(1, 5);
    queue.getNowait();
    await gen.sleep(10);
    assert.equal(put.exception(), undefined);
  });

  it('passes over those who have cancelled', async () => {
    const queue = new Queue(1);
    const [gone, stays] = [queue.get(), queue.get()];
    gone.cancel();
    queue.putNowait(0);
    assert.equal(stays.result(), 0);
    queue.putNowait(1);
    const [lost, kept] = [queue.put(2), queue.put(3)];
    lost.cancel();
    assert.deepEqual([queue.getNowait(), queue.getNowait()], [1, 3]);
    assert.equal(kept.done(), true);
  });
});

describe('queues.join', () => {
  for (const Kind of KINDS) {
    describe(`of a ${Kind.name}`, () => {
      it('is there when taskDone() was called for every item', coroutineTest(function* () {
        const queue = new Kind();
        let sum = 0;
        range(100).forEach((i) => queue.putNowait(i));
        const worker = gen.coroutine(function* () {
          while (true) {
            const item = yield queue.get();
            sum += item;
            queue.taskDone();
            if (item % 10 === 0) yield gen.sleep(0);
          }
        });
        worker();
        worker();
        yield queue.join();
        assert.equal(sum, 4950);
      }));

      it('waits for taskDone(), not for get()', async () => {
        const queue = new Kind();
        queue.putNowait(0);
        const join = queue.join();
        assert.equal(join.done(), false);
        await queue.get();
        assert.equal(join.done(), false);
        queue.taskDone();
        assert.equal(join.done(), true);
      });

      it('counts an item that was handed over', async () => {
        const queue = new Kind();
        queue.get();
        queue.putNowait(0);
        assert.equal(queue.join().done(), false);
        queue.taskDone();
        assert.equal(queue.join().done(), true);
      });

      it('of an empty one is there; too many taskDone() throw', () => {
        const queue = new Kind();
        assert.equal(queue.join().done(), true);
        assert.throws(() => queue.taskDone(), { code: 'ERR_FIBRIL_TASK_DONE' });
      });

      it('fails after a timeout', async () => {
        const queue = new Kind();
        queue.putNowait(0);
        await assert.rejects(queue.join(1), TIMEOUT);
      });
    });
  }
});

describe('queues.PriorityQueue', () => {
  it('gives the lowest first; who waits to put enters one by one', async () => {
    const queue = new PriorityQueue(2);
    queue.putNowait([1, 'a']);
    queue.putNowait([0, 'b']);
    assert.equal(queue.full(), true);
    queue.put([3, 'c']);
    queue.put([2, 'd']);
    const out = [];
    for (let i = 0; i < 4; i++) out.push(queue.getNowait());
    assert.deepEqual(out, [[0, 'b'], [1, 'a'], [2, 'd'], [3, 'c']]);
    assert.equal(queue.empty(), true);
  });

  it('sorts whatever comes, as Python compares, or as it is told', () => {
    const drain = (queue, items) => {
      items.forEach((item) => queue.putNowait(item));
      return items.map(() => queue.getNowait());
    };
    const numbers = range(500).map((i) => (i * 7919) % 503);
    assert.deepEqual(drain(new PriorityQueue(), numbers), [...numbers].sort((a, b) => a - b));
    assert.deepEqual(drain(new PriorityQueue(), [[1, 2], [1], [0, 'z'], [1, 1, 9]]),
      [[0, 'z'], [1], [1, 1, 9], [1, 2]]);
    assert.deepEqual(drain(new PriorityQueue(0, { compare: (a, b) => b - a }), [1, 3, 2]),
      [3, 2, 1]);
    assert.throws(() => new PriorityQueue(0, { compare: 5 }), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  describe('with a comparison that fails', () => {
    const items = [5, 6, 7, 8, 9, 10, 11];
    let fails; // whether one does
    let queue;
    const drain = () => {
      fails = () => false;
      const out = [];
      while (!queue.empty()) out.push(queue.getNowait());
      return out;
    };
    beforeEach(() => {
      fails = () => false;
      queue = new PriorityQueue(0, {
        compare(a, b) {
          if (fails(a, b)) throw new Error('compare');
          return a - b;
        },
      });
      items.forEach((item) => queue.putNowait(item));
    });

    it('is as if nothing had been put in, wherever that happens', async () => {
      for (const other of [5, 6, 8]) {
        fails = (a, b) => a === 1 && b === other;
        assert.throws(() => queue.putNowait(1), { message: 'compare' });
      }
      assert.deepEqual(drain(), items);
      items.forEach(() => queue.taskDone());
      await queue.join(); // no task is counted for them
    });

    it('is as if nothing had been taken, wherever that happens', () => {
      for (const call of range(4)) {
        let calls = 0;
        fails = () => calls++ === call;
        assert.throws(() => queue.getNowait(), { message: 'compare' });
      }
      assert.deepEqual(drain(), items);
    });

    it('fails the put() that waits, and not who makes room', async () => {
      let armed = false;
      const small = new PriorityQueue(2, {
        compare(a, b) {
          if (armed && a === 3) throw new Error('compare');
          return a - b;
        },
      });
      small.putNowait(1);
      small.putNowait(2);
      const [bad, good] = [small.put(3), small.put(4)];
      armed = true;
      assert.equal(small.getNowait(), 1);
      await assert.rejects(bad, /^Error: compare$/);
      await good;
      assert.deepEqual([small.getNowait(), small.getNowait()], [2, 4]);
    });

    it('or changes the queue', () => {
      fails = (a) => {
        if (a === 1 && queue.qsize() === items.length) queue.getNowait();
        return false;
      };
      assert.throws(() => queue.putNowait(1), /has changed the queue/);
      assert.deepEqual(drain(), items.slice(1));
    });
  });
});

describe('queues.LifoQueue', () => {
  it('gives the last first', () => {
    const queue = new LifoQueue();
    for (const i of [1, 3, 2]) queue.putNowait(i);
    assert.deepEqual([queue.getNowait(), queue.getNowait(), queue.getNowait()], [2, 3, 1]);
  });
});

describe('a producer and a consumer', () => {
  // get() waits for the next iteration, or taskDone() would end join() before the producer goes on.
  it('process every item before join() ends', async () => {
    for (const kind of [gen.coroutine, (fn) => co.wrap(fn)]) {
      const queue = new Queue(3);
      const history = [];
      const consumer = kind(function* () {
        while (true) {
          history.push(yield queue.get());
          queue.taskDone();
        }
      });
      const producer = kind(function* () {
        for (const item of range(10)) yield queue.put(item);
      });
      consumer();
      await producer();
      await queue.join();
      assert.deepEqual(history, range(10));
    }
  });

  it('take turns, a full queue apart', async () => {
    const queue = new Queue(2);
    const log = [];
    const producer = gen.coroutine(function* () {
      for (const item of range(5)) {
        yield queue.put(item);
        log.push(`put ${item}`);
      }
    })();
    await iterations(3);
    assert.deepEqual(log, ['put 0', 'put 1']);
    for await (const item of queue) {
      log.push(`got ${item}`);
      await iterations(3);
      if (item === 4) break;
    }
    await producer;
    assert.deepEqual(log, ['put 0', 'put 1', 'got 0', 'put 2', 'got 1', 'put 3', 'got 2', 'put 4',
      'got 3', 'got 4']);
  });
});
