'use strict';

/* Tornado's queues: producers wait while they are full, consumers while they are empty. Times are milliseconds from now. */

const { inspect } = require('node:util');
const { codedError, invalidType } = require('./binding.js').runtime;
const { gen, doneFuture } = require('./gen.js');
const locks = require('./locks.js');
const { Waiters } = require('./waiters.js');

/** Thrown by getNowait. Tornado: QueueEmpty. */
class QueueEmpty extends Error {
  name = 'QueueEmpty';
  code = 'ERR_FIBRIL_QUEUE_EMPTY';
}

/** Thrown by putNowait. Tornado: QueueFull. */
class QueueFull extends Error {
  name = 'QueueFull';
  code = 'ERR_FIBRIL_QUEUE_FULL';
}

const timeOut = (future) => future.setException(new gen.TimeoutError());

/** First in, first out. */
class Fifo {
  #items = [];
  #first = 0;

  get length() {
    return this.#items.length - this.#first;
  }

  push(item) {
    this.#items.push(item);
  }

  take() {
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (this.#first > 32 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}

class Lifo {
  #items = [];

  get length() {
    return this.#items.length;
  }

  push(item) {
    this.#items.push(item);
  }

  take() {
    return this.#items.pop();
  }
}

/** The lowest first: a binary heap. */
class Heap {
  #items = [];
  #compare;

  constructor(compare) {
    this.#compare = compare;
  }

  get length() {
    return this.#items.length;
  }

  push(item) {
    const items = this.#items;
    let i = items.length;
    for (; i > 0; i = (i - 1) >> 1) {
      const parent = items[(i - 1) >> 1];
      if (this.#compare(item, parent) >= 0) break;
      items[i] = parent;
    }
    items[i] = item;
  }

  take() {
    const items = this.#items;
    const lowest = items[0];
    const last = items.pop();
    if (items.length > 0) this.#sink(last);
    return lowest;
  }

  #sink(item) {
    const items = this.#items;
    let i = 0;
    for (let child = 1; child < items.length; child = 2 * i + 1) {
      if (child + 1 < items.length && this.#compare(items[child + 1], items[child]) < 0) child++;
      if (this.#compare(items[child], item) >= 0) break;
      items[i] = items[child];
      i = child;
    }
    items[i] = item;
  }
}

/** As Python compares: arrays by their first members that differ, then by length; everything else with <. */
function compareItems(a, b) {
  if (!Array.isArray(a) || !Array.isArray(b)) {
    if (a < b) return -1;
    return a > b ? 1 : 0;
  }
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareItems(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** First in, first out. Tornado: queues.Queue. */
class Queue {
  #items;
  #maxsize;
  #getters = new Waiters();
  #putters = new Waiters();
  #unfinished = 0;
  #finished = new locks.Event();

  /** @param {number} [maxsize] how many items it holds before put() waits; 0: any number */
  constructor(maxsize = 0, items = new Fifo()) {
    if (typeof maxsize !== 'number') throw invalidType('"maxsize" argument', 'number', maxsize, Queue);
    if (!(maxsize >= 0)) {
      throw codedError(RangeError, 'ERR_OUT_OF_RANGE',
        `The value of "maxsize" is out of range. It must be >= 0. Received ${maxsize}`, Queue);
    }
    this.#maxsize = maxsize;
    this.#items = items;
    this.#finished.set();
  }

  get maxsize() {
    return this.#maxsize;
  }

  /** How many items are in it. */
  qsize() {
    return this.#items.length;
  }

  empty() {
    return this.#items.length === 0;
  }

  full() {
    return this.#maxsize > 0 && this.#items.length >= this.#maxsize;
  }

  /** Puts an item in: a Future that is done when there was room. After `timeout` milliseconds gen.TimeoutError; the item never enters. */
  put(item, timeout) {
    if (this.#tryPut(item)) return doneFuture(undefined);
    return this.#putters.add(timeout, timeOut, item);
  }

  /** Puts an item in, or throws QueueFull. */
  putNowait(item) {
    if (!this.#tryPut(item)) throw new QueueFull('the queue is full');
  }

  /** A Future of an item. After `timeout` milliseconds gen.TimeoutError. */
  get(timeout) {
    if (!this.#refill()) return this.#getters.add(timeout, timeOut);
    return doneFuture(this.#items.take());
  }

  /** An item, or throws QueueEmpty. */
  getNowait() {
    if (!this.#refill()) throw new QueueEmpty('the queue is empty');
    return this.#items.take();
  }

  /** Says that the work on an item that get() gave is finished. Throws when it was said for all of them already. */
  taskDone() {
    if (this.#unfinished === 0) {
      throw codedError(Error, 'ERR_FIBRIL_TASK_DONE', 'taskDone() called too many times', this.taskDone);
    }
    if (--this.#unfinished === 0) this.#finished.set();
  }

  /** A Future that is done when the work on every item is finished. After `timeout` milliseconds gen.TimeoutError. */
  join(timeout) {
    return this.#finished.wait(timeout);
  }

  /** Items without end: `for await (const item of queue)`. */
  [Symbol.asyncIterator]() {
    return {
      next: async () => ({ done: false, value: await this.get() }),
      return: async (value) => ({ done: true, value }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #tryPut(item) {
    if (this.full()) return false;
    const getter = this.#getters.shift();
    this.#enter(item);
    if (getter !== undefined) getter.future.setResult(this.#items.take());
    return true;
  }

  /** Lets in the first who waits with an item. Whether there is one to take. */
  #refill() {
    const putter = this.#putters.shift();
    if (putter !== undefined) {
      this.#enter(putter.value);
      putter.future.setResult();
    }
    return this.#items.length > 0;
  }

  #enter(item) {
    this.#unfinished++;
    this.#finished.clear();
    this.#items.push(item);
  }

  toString() {
    return inspect(this);
  }

  [inspect.custom](depth, options) {
    return `${this.constructor.name} ${inspect({
      maxsize: this.#maxsize,
      items: this.#items.length,
      getters: this.#getters.length,
      putters: this.#putters.length,
      tasks: this.#unfinished,
    }, options)}`;
  }
}

/** The lowest first. Tornado: queues.PriorityQueue. */
class PriorityQueue extends Queue {
  /** `compare(a, b)` as for Array.prototype.sort; without it arrays compare as Python's tuples: `[priority, item]`. */
  constructor(maxsize, { compare = compareItems } = {}) {
    if (typeof compare !== 'function') throw invalidType('"options.compare" property', 'function', compare, PriorityQueue);
    super(maxsize, new Heap(compare));
  }
}

/** Last in, first out. Tornado: queues.LifoQueue. */
class LifoQueue extends Queue {
  constructor(maxsize) {
    super(maxsize, new Lifo());
  }
}

module.exports = { Queue, PriorityQueue, LifoQueue, QueueEmpty, QueueFull };
