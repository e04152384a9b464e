'use strict';

const { Future } = require('./binding.js').runtime;
const { IOLoop } = require('./ioloop.js');

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
    if (ms !== undefined && ms !== null) {
      waiter.timeout = IOLoop.current().callLater(ms, () => {
        this.#remove(waiter);
        if (!waiter.future.done()) giveUp(waiter.future);
      });
    }
    waiter.before = this.#end.before;
    waiter.after = this.#end;
    waiter.before.after = this.#end.before = waiter;
    this.#length++;
    return waiter.future;
  }

  /** Takes the first one out of the line, undefined when there is none. Who has cancelled is passed over. */
  shift() {
    while (this.#length > 0) {
      const waiter = this.#end.after;
      this.#remove(waiter);
      if (waiter.timeout !== null) IOLoop.current().removeTimeout(waiter.timeout);
      if (!waiter.future.done()) return waiter;
    }
    return undefined;
  }

  #remove(waiter) {
    waiter.before.after = waiter.after;
    waiter.after.before = waiter.before;
    this.#length--;
  }
}

module.exports = { Waiters };
