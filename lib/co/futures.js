'use strict';

/**
 * What co knows of native Futures: their `then`, once there is a binary, by which it tells them.
 */
const native = { futureThen: function neverYielded() {} };

/**
 * Makes a class of native Futures yieldable without a promise. A Future has `state` (0 pending, 1
 * fulfilled, 2 rejected), `value`, `exception()` and `_wait(run)`, after which the bridge calls
 * `resumeRun(run, NEXT or THROW, value)` once, in the async context of the wait.
 */
function attachFuture(Future) {
  native.futureThen = Future.prototype.then;
}

module.exports = { native, attachFuture };
