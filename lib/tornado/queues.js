'use strict';

/*
 * Tornado's queues: producers wait while they are full, consumers while they are empty. Times are
 * milliseconds from now.
 */

const { inspect } = require('node:util');
const { checkCompare, checkMaxsize } = require('../arguments.js');
const { QueueEmpty, QueueFull, codedError } = require('../errors.js');
const { Error, SymbolAsyncIterator } = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { doneFuture, failWithTimeout } = require('./futures.js');
const { Fifo, Heap, Lifo, compareItems } = require('./items.js');
const locks = require('./locks.js');
const { Waiters } = require('./waiters.js');

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
    checkMaxsize(maxsize, Queue);
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

  /**
   * Puts an item in: a Future that is done when there was room. After `timeout` milliseconds
   * gen.TimeoutError; the item never enters.
   */
  put(item, timeout) {
    if (this.#tryPut(item)) return doneFuture(undefined);
    return this.#putters.add(timeout, failWithTimeout, item);
  }

  /** Puts an item in, or throws QueueFull. */
  putNowait(item) {
    if (!this.#tryPut(item)) throw new QueueFull('the queue is full');
  }

  /** A Future of an item. After `timeout` milliseconds gen.TimeoutError. */
  get(timeout) {
    if (!this.#refill()) return this.#getters.add(timeout, failWithTimeout);
    return doneFuture(this.#items.take());
  }

  /** An item, or throws QueueEmpty. */
  getNowait() {
    if (!this.#refill()) throw new QueueEmpty('the queue is empty');
    return this.#items.take();
  }

  /**
   * Says that the work on an item that get() gave is finished. Throws when it was said for all of
   * them already.
   */
  taskDone() {
    if (this.#unfinished === 0) {
      const message = 'taskDone() called too many times';
      throw codedError(Error, 'ERR_FIBRIL_TASK_DONE', message, this.taskDone);
    }
    if (--this.#unfinished === 0) this.#finished.set();
  }

  /**
   * A Future that is done when the work on every item is finished. After `timeout` milliseconds
   * gen.TimeoutError.
   */
  join(timeout) {
    return this.#finished.wait(timeout);
  }

  /** Items without end: `for await (const item of queue)`. */
  [SymbolAsyncIterator]() {
    return {
      next: async () => ({ done: false, value: await this.get() }),
      return: async (value) => ({ done: true, value }),
      [SymbolAsyncIterator]() {
        return this;
      },
    };
  }

  #tryPut(item) {
    if (this.full()) return false;
    this.#enter(item);
    const getter = this.#getters.shift();
    if (getter !== undefined) getter.future.setResult(this.#items.take());
    return true;
  }

  /** Lets in the first who waits with an item that can be put in. Whether there is one to take. */
  #refill() {
    for (let putter = this.#putters.shift(); putter !== undefined; putter = this.#putters.shift()) {
      try {
        this.#enter(putter.value);
      } catch (error) {
        putter.future.setException(error);
        continue;
      }
      putter.future.setResult();
      break;
    }
    return this.#items.length > 0;
  }

  #enter(item) {
    this.#items.push(item); // first: it may throw
    this.#unfinished++;
    this.#finished.clear();
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
  /**
   * `compare(a, b)` as for Array.prototype.sort; without it arrays compare as Python's tuples:
   * `[priority, item]`.
   */
  constructor(maxsize, { compare = compareItems } = {}) {
    checkCompare(compare, PriorityQueue);
    super(maxsize, new Heap(compare));
  }
}

/** Last in, first out. Tornado: queues.LifoQueue. */
class LifoQueue extends Queue {
  constructor(maxsize) {
    super(maxsize, new Lifo());
  }
}

for (const Class of [Queue, PriorityQueue, LifoQueue]) keepShape(Class, new Class());

module.exports = { Queue, PriorityQueue, LifoQueue, QueueEmpty, QueueFull };
