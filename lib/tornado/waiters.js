'use strict';

/* Lines of those who wait for a lock or a queue. */

const { runtime } = require('../native/addon.js');
const { keepShape } = require('../shapes.js');
const { IOLoop } = require('./ioloop.js');

const { Future } = runtime;

/** A place in a line. */
class Waiter {
  constructor(value) {
    this.future = new Future();
    this.value = value;
    this.timeout = null;
    this.before = this;
    this.after = this;
  }
}
keepShape(Waiter, new Waiter(undefined));

/** Those who wait for something, first come, first served. Who gives up leaves no trace. */
class Waiters {
  #end = { before: null, after: null, future: null };
  #length = 0;

  constructor() {
    this.#end.before = this.#end.after = this.#end;
  }

  get length() {
    return this.#length;
  }

  /**
   * Puts somebody at the end of the line.
   * @param {?number} ms how long they wait: undefined or null for ever
   * @param {function(Future)} giveUp settles the Future when that is over
   * @param {*} [value] what they bring
   * @returns {Future}
   */
  add(ms, giveUp, value) {
    const waiter = new Waiter(value);
    waiter.future._whenDone(() => this.#remove(waiter)); // whoever has settled it: cancel(), too
    if (ms !== undefined && ms !== null) {
      waiter.timeout = IOLoop.current().callLater(ms, () => {
        if (!waiter.future.done()) giveUp(waiter.future);
      });
    }
    waiter.before = this.#end.before;
    waiter.after = this.#end;
    waiter.before.after = this.#end.before = waiter;
    this.#length++;
    return waiter.future;
  }

  /** Takes the first one out of the line, undefined when there is none. */
  shift() {
    while (this.#length > 0) {
      const waiter = this.#end.after;
      this.#remove(waiter);
      // One may be whose callbacks are still to come: see Future's addDoneCallback.
      if (!waiter.future.done()) return waiter;
    }
    return undefined;
  }

  /** Takes one out who may be out already. */
  #remove(waiter) {
    if (waiter.after === waiter) return;
    waiter.before.after = waiter.after;
    waiter.after.before = waiter.before;
    waiter.before = waiter.after = waiter;
    this.#length--;
    if (waiter.timeout !== null) IOLoop.current().removeTimeout(waiter.timeout);
  }
}
keepShape(Waiters, new Waiters());

module.exports = { Waiters };
