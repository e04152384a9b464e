'use strict';

const { namedYieldables } = require('../arguments.js');
const { runtime } = require('../native/addon.js');
const { Error } = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { asFuture, chainFuture } = require('./coroutine.js');

const { Future } = runtime;

/**
 * Gives the results of several futures in the order in which they are there. Tornado:
 * gen.WaitIterator.
 */
class WaitIterator {
  #futures;
  #keys;
  #finished = []; // indexes, in the order of finishing
  #pending;
  #next = null; // the Future of a next() that nothing has answered yet

  /** `new WaitIterator(...yieldables)`, or `new WaitIterator({name: yieldable})`. */
  constructor(...args) {
    const { keys, yieldables } = namedYieldables(args);
    this.#keys = keys;
    this.#futures = yieldables.map(asFuture);
    this.#pending = yieldables.length;
    this.currentIndex = undefined; // the index or the name of what next() gave last
    this.currentFuture = undefined;
    this.#futures.forEach((future, i) => {
      future._markRead(); // next() tells of an error
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
    chainFuture(this.currentFuture, next);
  }
}

keepShape(WaitIterator, new WaitIterator());

module.exports = { WaitIterator };
