'use strict';

/* Thunks: functions that take a callback, async ones included. */

const { AsyncFunction } = require('../kinds.js');
const { ArraySlice, Function, NativePromise } = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { NEXT, THROW, STORED } = require('./modes.js');
const { adopt, promiseFor } = require('./promises.js');

/**
 * A called thunk. An outcome that is there when the thunk returns is taken in place; a later one
 * comes through a promise, so that a generator never runs inside the code that calls back, and
 * always in the async context of its yield.
 */
class Call {
  constructor(ctx, fn, kind) {
    this.mode = STORED; // NEXT or THROW once there is an outcome
    this.value = undefined;
    this.resolve = null; // of the promise for a later outcome
    this.reject = null;
    const call = this;
    try {
      // Not with rest parameters: they would cost every call an array.
      const returned = fn.call(ctx, function callback(error, value) {
        if (error) call.settle(THROW, error);
        else call.settle(NEXT, arguments.length > 2 ? ArraySlice.call(arguments, 1) : value);
      });
      if (kind === AsyncFunction) this.follow(returned);
    } catch (error) {
      this.settle(THROW, error);
    }
  }

  settle(mode, value) {
    if (this.mode !== STORED) return;
    this.mode = mode;
    this.value = value;
    if (this.resolve !== null) this.deliver();
  }

  deliver() {
    const { mode, resolve, reject } = this;
    this.resolve = this.reject = null;
    if (mode === NEXT) resolve(this.take());
    else reject(this.take());
  }

  /** Hands the value over: whoever holds on to the callback does not hold on to the value. */
  take() {
    const { value } = this;
    this.value = undefined;
    return value;
  }

  /** An async function ends with its promise, unless it takes the callback and uses it first. */
  follow(promise) {
    adopt(promise).then(
      (value) => this.settle(NEXT, value),
      (error) => this.settle(THROW, error),
    );
  }

  promise() {
    const promise = promiseFor(this, NativePromise);
    if (this.mode !== STORED) this.deliver(); // a hook that heard of the promise has called back
    return promise;
  }
}
keepShape(Call, new Call(null, () => {}, Function));

module.exports = { Call };
