'use strict';

const { codedError, invalidType } = require('./binding.js').runtime;
const { asFuture } = require('./gen.js');
const { IOLoop } = require('./ioloop.js');
const { isGenerator, isThenable } = require('./yieldable.js');

/** The first multiple of the period after `now`, counted from `last`; one period on when the clock has gone back. */
function nextTime(last, now, period) {
  return last <= now ? last + (Math.floor((now - last) / period) + 1) * period : last + period;
}

/**
 * Calls a function every `ms` milliseconds, from start to start. Periods that a call outlasts are skipped; a coroutine is not called again
 * before it has ended. Tornado: PeriodicCallback.
 */
class PeriodicCallback {
  #callback;
  #period;
  #jitter;
  #timeout = null;
  #next = 0;
  #round = 0; // of start(): what an earlier one began does not go on in a later one

  /** `jitter`, from 0 to 1: the part of the period by which it varies at random, half of it each way. */
  constructor(callback, ms, { jitter = 0 } = {}) {
    if (typeof callback !== 'function') throw invalidType('"callback" argument', 'function', callback, PeriodicCallback);
    if (typeof ms !== 'number') throw invalidType('"ms" argument', 'number', ms, PeriodicCallback);
    if (!(ms > 0 && ms <= Number.MAX_SAFE_INTEGER)) {
      throw codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "ms" is out of range. It must be > 0. Received ${ms}`, PeriodicCallback);
    }
    if (typeof jitter !== 'number') throw invalidType('"options.jitter" property', 'number', jitter, PeriodicCallback);
    if (!(jitter >= 0 && jitter <= 1)) {
      throw codedError(RangeError, 'ERR_OUT_OF_RANGE',
        `The value of "options.jitter" is out of range. It must be >= 0 && <= 1. Received ${jitter}`, PeriodicCallback);
    }
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

  #schedule(round) {
    const loop = IOLoop.current();
    const period = this.#period * (1 + this.#jitter * (Math.random() - 0.5));
    this.#next = nextTime(this.#next, loop.time(), period);
    this.#timeout = loop.callAt(this.#next, () => this.#run(round));
  }

  #goOn(round) {
    if (this.#timeout !== null && round === this.#round) this.#schedule(round);
  }

  #run(round) {
    let result;
    try {
      result = this.#callback.call(undefined);
    } finally {
      const isLong = isThenable(result) || (result !== null && typeof result === 'object' && isGenerator(result));
      if (isLong) asFuture(result).finally(() => this.#goOn(round));
      else this.#goOn(round);
    }
  }
}

module.exports = { PeriodicCallback, nextTime };
