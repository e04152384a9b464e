'use strict';

const { hasOwn, getPrototypeOf } = Object;

function isPlain(object) {
  const prototype = getPrototypeOf(object);
  return prototype === null || getPrototypeOf(prototype) === null;
}

function isThenable(value) {
  return typeof value === 'object' && typeof value?.then === 'function';
}

function unbindable() {
  return Object.assign(
    new TypeError('SQLite can only bind numbers, strings, bigints, buffers, and null'),
    { code: 'ERR_INVALID_ARG_TYPE' });
}

/** What C asks of an object: what it has by a name, if any; the first time, whether it is plain. */
function named(object, name, first) {
  if (first && !isPlain(object)) throw unbindable();
  if (name === undefined) return undefined;
  if (!hasOwn(object, name)) {
    throw Object.assign(new RangeError(`Missing named parameter "${name}"`),
      { code: 'ERR_SQLITE_PARAMETERS' });
  }
  const value = object[name];
  if (isThenable(value)) throw unbindable(); // C would wait for it
  return value;
}

/** The parameters of an asynchronous call, and the signal that may be behind them. */
function withSignal(values) {
  const last = values[values.length - 1];
  return last instanceof AbortSignal ? [values.slice(0, -1), last] : [values, undefined];
}

module.exports = { isThenable, named, withSignal };
