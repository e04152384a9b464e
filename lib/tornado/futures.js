'use strict';

/* What gen does with Futures. */

const { TimeoutError, describeValue } = require('../errors.js');
const { runtime } = require('../native/addon.js');
const { Error, process } = require('../primordials.js');

const { Future } = runtime;

function doneFuture(value) {
  const future = new Future();
  future.setResult(value);
  return future;
}

/** A failed future whose error somebody is about to see. */
function failedFuture(error) {
  const future = new Future();
  future._markRead();
  future.setException(error);
  return future;
}

const failWithTimeout = (future) => future.setException(new TimeoutError());

/**
 * An error that nobody waits for any more: a warning, which process.on('warning') hears. For those
 * who have delivered what they had to: looking at the error may throw, and so may
 * process.emitWarning, which programs replace.
 */
function logError(message, code, error) {
  try {
    process.emitWarning(message, { code, detail: stackOf(error) ?? describeValue(error) });
  } catch {
    // There is nobody to tell.
  }
}

function stackOf(error) {
  try {
    const stack = error instanceof Error ? error.stack : undefined;
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}

function isQuiet(error, classes) {
  return classes.some((Class) => {
    try {
      return error instanceof Class;
    } catch {
      return false;
    }
  });
}

/**
 * Whether somebody has cancelled a future, or the native call behind it: that is no error to
 * report.
 */
function isCanceled(future) {
  try {
    return future.cancelled() || future.value?.code === 'ECANCELED';
  } catch {
    return false;
  }
}

/** Copies the outcome of a future that is done to one that is not. */
function copyOutcome(from, to) {
  const error = from.exception();
  if (error === undefined && from.state === 1) to.setResult(from.value);
  else to.setException(error);
}

module.exports = {
  doneFuture, failedFuture, failWithTimeout, logError, isQuiet, isCanceled, copyOutcome,
};
