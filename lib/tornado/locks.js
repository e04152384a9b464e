'use strict';

/*
 * Tornado's locks. None of them blocks a thread; whoever waits gets a Future. Times are
 * milliseconds from now.
 */

const { inspect } = require('node:util');
const { checkPermits } = require('../arguments.js');
const { codedError } = require('../errors.js');
const { Error } = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { coroutine } = require('./coroutine.js');
const { doneFuture, failWithTimeout } = require('./futures.js');
const { Waiters } = require('./waiters.js');

/** How console.log and String() show one: its name and what it holds. */
class Shown {
  toString() {
    return inspect(this);
  }

  [inspect.custom](depth, options) {
    return `${this.constructor.name} ${inspect(this._shown(), options)}`;
  }
}

/** Lets coroutines wait until they are notified. Tornado: locks.Condition. */
class Condition extends Shown {
  #waiters = new Waiters();

  /**
   * A Future of true when notified, of false when that has not happened after `timeout`
   * milliseconds.
   */
  wait(timeout) {
    return this.#waiters.add(timeout, (future) => future.setResult(false));
  }

  /** Wakes the first `n` that wait. Those who come while they are woken are not among them. */
  notify(n = 1) {
    const woken = [];
    while (woken.length < n) {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) break;
      woken.push(waiter.future);
    }
    for (const future of woken) if (!future.done()) future.setResult(true);
  }

  /** Wakes all that wait. */
  notifyAll() {
    this.notify(this.#waiters.length);
  }

  _shown() {
    return { waiters: this.#waiters.length };
  }
}

/** A flag to wait for. Tornado: locks.Event. */
class Event extends Shown {
  #set = false;
  #waiters = new Waiters();

  isSet() {
    return this.#set;
  }

  /** Sets the flag and wakes all that wait, even if it is cleared right after. */
  set() {
    this.#set = true;
    const woken = [];
    let waiter = this.#waiters.shift();
    for (; waiter !== undefined; waiter = this.#waiters.shift()) woken.push(waiter.future);
    for (const future of woken) if (!future.done()) future.setResult();
  }

  clear() {
    this.#set = false;
  }

  /**
   * A Future that is done when the flag is set; it fails with gen.TimeoutError after `timeout`
   * milliseconds.
   */
  wait(timeout) {
    return this.#set ? doneFuture(undefined) : this.#waiters.add(timeout, failWithTimeout);
  }

  _shown() {
    return { set: this.#set, waiters: this.#waiters.length };
  }
}

/**
 * What acquire() brings: release() gives it back, once. `using` does the same where the language
 * has it.
 */
class Permit {
  #owner;

  constructor(owner) {
    this.#owner = owner;
  }

  release() {
    const owner = this.#owner;
    this.#owner = null;
    owner?.release();
  }

  [Symbol.dispose]() {
    this.release();
  }
}

/** So many may hold it at once; the others wait in line. Tornado: locks.Semaphore. */
class Semaphore extends Shown {
  #value;
  #waiters = new Waiters();

  constructor(value = 1) {
    super();
    checkPermits(value, Semaphore);
    this.#value = value;
  }

  /**
   * A Future of a permit, which has release(); it fails with gen.TimeoutError after `timeout`
   * milliseconds.
   */
  acquire(timeout) {
    if (this.#value === 0) return this.#waiters.add(timeout, failWithTimeout, this);
    this.#value--;
    return doneFuture(new Permit(this));
  }

  /** Gives a permit back, which goes to the first in the line. */
  release() {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#value++;
    else waiter.future.setResult(new Permit(this));
  }

  /**
   * Acquires, calls `fn(...args)` as a coroutine, and releases whatever becomes of it. Returns a
   * Future of its result.
   */
  run(fn, ...args) {
    return runWith(this, fn, args);
  }

  get _value() {
    return this.#value;
  }

  _shown() {
    return { value: this.#value, waiters: this.#waiters.length };
  }
}

const runWith = coroutine(function* (semaphore, fn, args) {
  const permit = yield semaphore.acquire();
  try {
    return yield coroutine(fn)(...args);
  } finally {
    permit.release();
  }
});

function notAcquired(message, above) {
  return codedError(Error, 'ERR_FIBRIL_NOT_ACQUIRED', message, above);
}

/**
 * A Semaphore that can't be released more often than it was acquired. Tornado:
 * locks.BoundedSemaphore.
 */
class BoundedSemaphore extends Semaphore {
  #initial;

  constructor(value = 1) {
    super(value);
    this.#initial = value;
  }

  /** The same; throws an Error with code ERR_FIBRIL_NOT_ACQUIRED when nobody holds a permit. */
  release() {
    if (this._value >= this.#initial) {
      throw notAcquired('Semaphore released too many times', this.release);
    }
    super.release();
  }
}

/**
 * One holder at a time, in the order of acquire(). Any coroutine may release it. Tornado:
 * locks.Lock.
 */
class Lock extends Semaphore {
  constructor() {
    super(1);
  }

  /**
   * Hands it to the first in the line; throws an Error with code ERR_FIBRIL_NOT_ACQUIRED when it is
   * not locked.
   */
  release() {
    if (this._value > 0) throw notAcquired('release unlocked lock', this.release);
    super.release();
  }

  _shown() {
    return { locked: this._value === 0, waiters: super._shown().waiters };
  }
}

keepShape(Permit, new Permit(null));
for (const Class of [Condition, Event, Semaphore, BoundedSemaphore, Lock]) {
  keepShape(Class, new Class());
}

module.exports = { Condition, Event, Semaphore, BoundedSemaphore, Lock };
