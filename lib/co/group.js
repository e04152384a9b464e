'use strict';

/*
 * What was yielded as an array or object: its members started together, waited for together, the
 * first error in time wins.
 */

const { ArrayIsArray, NativePromise, ObjectKeys } = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { NEXT, THROW, STORED } = require('./modes.js');
const { promiseFor } = require('./promises.js');
const { emptyCopy, startMembers } = require('./walk.js');

/**
 * All that one yielded array or object waits for, however deeply it is nested: one counter, one
 * first error.
 */
class Group {
  constructor(run, source) {
    this.run = run;
    this.copy = emptyCopy(source);
    this.nested = null; // the copies of the arrays and objects inside
    this.mode = STORED; // NEXT or THROW once it is decided
    this.error = undefined; // or the result, where it is there before there is anybody to take it
    this.pending = 1; // the walk over the members counts as one
    this.hasRuns = false;
    this.resolve = null; // what takes the outcome; nothing does before the walk is over
    this.reject = null;
    this.onRejected = null;
    this.members = run.control === null ? null : []; // what to end when the run is ended
  }

  /**
   * Starts every member, in order.
   * @returns {number} the step's answer
   */
  begin(source) {
    const { run, copy } = this;
    try {
      startMembers(this, source, copy);
    } catch (error) {
      this.settle(THROW, error);
    }
    if (this.mode === THROW) return this.decided();
    if (--this.pending === 0) return run.ready(NEXT, copy);
    if (!this.hasRuns) return run.waitDirectly(this);
    // Members that are runs end inside a step, and in an async context of their own. A promise
    // brings the waiting run back into its context, and keeps a chain of such ends from growing the
    // stack.
    const promise = promiseFor(this, NativePromise);
    if (this.mode !== STORED) return this.decided(); // in a hook that heard of the promise
    const code = run.waitForPromise(promise);
    if (this.members !== null) run.waiting = this;
    return code;
  }

  /** There is an outcome before there is anybody to take it. */
  decided() {
    const { run, mode, error } = this;
    if (mode === THROW) this.drop();
    this.error = undefined;
    return run.ready(mode, error);
  }

  fill(copy, key, value) {
    if (this.mode !== STORED) return;
    copy[key] = value;
    if (--this.pending === 0) this.settle(NEXT, this.copy);
  }

  settle(mode, value) {
    if (this.mode !== STORED) return;
    this.mode = mode;
    const { resolve, reject } = this;
    if (resolve === null) {
      this.error = value;
      return;
    }
    if (mode === THROW) this.drop();
    this.run = this.resolve = this.reject = this.copy = this.nested = null;
    if (mode === NEXT) resolve(value);
    else reject(value);
  }

  /**
   * After an error nobody wants what the other members have brought, however long the last of them
   * may take.
   */
  drop() {
    clear(this.copy);
    if (this.nested !== null) this.nested.forEach(clear);
    this.error = undefined;
  }
}
keepShape(Group, new Group({ control: null }, {}));

function clear(container) {
  if (ArrayIsArray(container)) container.length = 0;
  else for (const key of ObjectKeys(container)) container[key] = undefined;
}

module.exports = { Group };
