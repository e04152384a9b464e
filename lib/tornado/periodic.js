'use strict';

const { checkPeriod } = require('../arguments.js');
const { isGenerator, isThenable } = require('../kinds.js');
const { MathFloor, MathRandom } = require('../primordials.js');
const { asFuture } = require('./coroutine.js');
const { IOLoop } = require('./ioloop.js');

/**
 * The first multiple of the period after `now`, counted from `last`; one period on when the clock
 * has gone back.
 */
function nextTime(last, now, period) {
  return last <= now ? last + (MathFloor((now - last) / period) + 1) * period : last + period;
}

/**
 * Calls a function every `ms` milliseconds, from start to start. Periods that a call outlasts are
 * skipped; a coroutine is not called again before it has ended. Tornado: PeriodicCallback.
 */
class PeriodicCallback {
  #callback;
  #period;
  #jitter;
  #timeout = null;
  #held = true;
  #next = 0;
  #round = 0; // of start(): what an earlier one began does not go on in a later one

  /**
   * `jitter`, from 0 to 1: the part of the period by which it varies at random, half of it each
   * way.
   */
  constructor(callback, ms, { jitter = 0 } = {}) {
    checkPeriod(callback, ms, jitter, PeriodicCallback);
    this.#callback = callback;
    this.#period = ms;
    this.#jitter = jitter;
  }

  isRunning() {
    return this.#timeout !== null;
  }

  /** Starts it: the first call comes after one period. */
  start() {
    if (this.isRunning()) return;
    this.#next = IOLoop.current().time();
    this.#schedule(++this.#round);
  }

  /** Ends it, until it is started again. */
  stop() {
    if (this.#timeout === null) return;
    IOLoop.current().removeTimeout(this.#timeout);
    this.#timeout = null;
  }

  /** Whether it keeps the process alive while it is started: it does until unref(). */
  ref() {
    return this.#hold(true);
  }

  unref() {
    return this.#hold(false);
  }

  #hold(held) {
    this.#held = held;
    if (this.#timeout !== null) this.#timeout[held ? 'ref' : 'unref']();
    return this;
  }

  #schedule(round) {
    const loop = IOLoop.current();
    const period = this.#period * (1 + this.#jitter * (MathRandom() - 0.5));
    this.#next = nextTime(this.#next, loop.time(), period);
    this.#timeout = loop.callAt(this.#next, () => this.#run(round));
    if (!this.#held) this.#timeout.unref();
  }

  #goOn(round) {
    if (this.#timeout !== null && round === this.#round) this.#schedule(round);
  }

  /** What it returns the loop has: an error that comes later is heard of as one that is thrown. */
  #run(round) {
    let future;
    try {
      const result = this.#callback.call(undefined);
      const isLong = isThenable(result) ||
        (result !== null && typeof result === 'object' && isGenerator(result));
      if (isLong) future = asFuture(result);
    } finally {
      if (future === undefined) this.#goOn(round);
      else future.addDoneCallback(() => this.#goOn(round));
    }
    return future;
  }
}

module.exports = { PeriodicCallback, nextTime };
