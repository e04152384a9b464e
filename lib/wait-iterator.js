'use strict';

const { Future } = require('./binding.js').runtime;
const { gen, asFuture } = require('./gen.js');
const { isGenerator, isThenable } = require('./yieldable.js');

/** Whether it is an object of yieldables: a plain one that is no yieldable by itself. */
function isNamed(value) {
  return value !== null && typeof value === 'object' && value.constructor === Object && !isThenable(value) && !isGenerator(value);
}

/** Gives the results of several futures in the order in which they are there. Tornado: gen.WaitIterator. */
class WaitIterator {
  #futures;
  #keys = null;
  #finished = []; // indexes, in the order of finishing
  #pending;
  #next = null; // the Future of a next() that nothing has answered yet

  /** `new WaitIterator(...yieldables)`, or `new WaitIterator({name: yieldable})`. */
  constructor(...args) {
    if (args.length === 1 && isNamed(args[0])) {
      this.#keys = Object.keys(args[0]);
      args = Object.values(args[0]);
    } else if (args.some(isNamed)) {
      throw new TypeError('WaitIterator takes yieldables or one object of them, not both');
    }
    this.#futures = args.map(asFuture);
    this.#pending = args.length;
    this.currentIndex = undefined; // the index or the name of what next() gave last
    this.currentFuture = undefined;
    this.#futures.forEach((future, i) => {
      future.read = true; // next() tells of an error
      future._whenDone(() => this.#finish(i));
    });
  }

  /** True when next() has given them all. */
  done() {
    if (this.#pending > 0 || this.#finished.length > 0) return false;
    this.currentIndex = this.currentFuture = undefined;
    return true;
  }

  /** A Future of the next result, or error. Throws when there is none left. */
  next() {
    if (this.#next !== null) return this.#next;
    if (this.#pending === 0 && this.#finished.length === 0) throw new Error('WaitIterator is done');
    const next = this.#next = new Future();
    if (this.#finished.length > 0) this.#answer(this.#finished.shift());
    return next;
  }

  async *[Symbol.asyncIterator]() {
    while (!this.done()) yield await this.next();
  }

  #finish(index) {
    this.#pending--;
    if (this.#next === null) this.#finished.push(index);
    else this.#answer(index);
  }

  #answer(index) {
    const next = this.#next;
    this.#next = null;
    this.currentIndex = this.#keys === null ? index : this.#keys[index];
    this.currentFuture = this.#futures[index];
    gen.chainFuture(this.currentFuture, next);
  }
}

module.exports = { WaitIterator };
