'use strict';

/* Tornado's gen for JavaScript. */

const { checkFunction, checkTime, quietClasses } = require('../arguments.js');
const { BadYieldError, Return, TimeoutError, describeValue } = require('../errors.js');
const { binding, runtime } = require('../native/addon.js');
const { Error } = require('../primordials.js');
const {
  asFuture, chainFuture, convertYielded, coroutine, isCoroutineFunction, moment, multi,
} = require('./coroutine.js');
const {
  copyOutcome, failWithTimeout, isCanceled, isQuiet, logError,
} = require('./futures.js');
const { IOLoop } = require('./ioloop.js');
const { WaitIterator } = require('./wait-iterator.js');

const { Future, future: toFuture } = runtime;

/**
 * Calls `fn(...args, callback)` and returns a Future of what it calls back with, in Node's way:
 * `callback(error, value)`; several values are an array. What `fn` throws fails the Future; the
 * second call of the callback is ignored. Tornado: gen.Task.
 */
function Task(fn, ...args) {
  checkFunction('fn', fn, Task);
  const future = new Future();
  const callback = (error, ...values) => {
    if (future.done()) return;
    if (error) future.setException(error);
    else future.setResult(values.length > 1 ? values : values[0]);
  };
  try {
    fn(...args, callback);
  } catch (error) {
    callback(error || new Error(`Task threw ${describeValue(error)}`, { cause: error }));
  }
  return future;
}

/**
 * A Future of the outcome of `yieldable`, or of a TimeoutError when it is not there after `ms`
 * milliseconds. What was waited for goes on and may be used again; when it fails after that, its
 * error is a warning, but for those of the classes in `quietExceptions` and for ECANCELED. Tornado:
 * gen.with_timeout.
 */
function withTimeout(ms, yieldable, { quietExceptions } = {}) {
  checkTime('ms', ms);
  const quiet = quietClasses(quietExceptions, withTimeout);
  const future = asFuture(yieldable);
  const result = new Future();
  future._markRead();
  if (future.done()) {
    copyOutcome(future, result);
    return result;
  }
  const loop = IOLoop.current();
  const timeout = loop.callLater(ms, () => {
    if (!result.done()) failWithTimeout(result);
  });
  result._whenDone(() => loop.removeTimeout(timeout)); // who has cancelled it, too, waits no more
  future._whenDone(() => {
    if (!result.done()) copyOutcome(future, result);
    else if (future.state === 2 && !isCanceled(future) && !isQuiet(future.value, quiet)) {
      logError('Exception in Future after timeout', 'FIBRIL_AFTER_TIMEOUT', future.value);
    }
  });
  return result;
}

module.exports = {
  coroutine,
  isCoroutineFunction,
  Return,
  BadYieldError,
  TimeoutError,
  moment,
  convertYielded,
  multi,
  withTimeout,
  chainFuture,
  Task,
  future: toFuture,
  sleep: toFuture(binding.sleep),
  WaitIterator,
};
