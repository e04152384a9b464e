'use strict';

/*
 * The errors of lib/. What makes those whose message says what was received is the bridge's, which
 * has the same for the arguments of native functions; without a binary nobody gets to need it.
 */

const {
  Error, ObjectDefineProperty, ObjectKeys, RangeError, String, TypeError,
} = require('./primordials.js');

/**
 * Gives an error a property as a class field does: defined, not set, because what it inherits may
 * be frozen, or have a setter.
 */
function define(error, key, value) {
  const property = { __proto__: null, value, writable: true, enumerable: true, configurable: true };
  ObjectDefineProperty(error, key, property);
  return error;
}

/** An error with a `code`, as Node's have one. */
function withCode(error, code) {
  return define(error, 'code', code);
}

// ---- Of the bridge ----

let bridge = null;

/** The bridge is there. */
function attachNative(runtime) {
  bridge = runtime;
}

/**
 * An error with its code in the first line of the stack, as Node's own, which begins with the
 * caller of `above`.
 */
function codedError(Class, code, message, above) {
  return bridge.codedError(Class, code, message, above);
}

/** The error of an argument or option of a wrong type, in Node's words. */
function invalidType(label, expected, value, above) {
  return bridge.invalidType(label, expected, value, above);
}

/** The error that C describes. */
function makeError(description, above) {
  return bridge.makeError(description, above);
}

/** A value for a message, whatever its own code does. */
function describeValue(value, options) {
  return bridge.describeValue(value, options);
}

// ---- Ends ----

/** As Node's own: `code` is 'ABORT_ERR', `cause` the signal's reason. */
class AbortError extends Error {
  code = 'ABORT_ERR';
  name = 'AbortError';

  constructor(cause) {
    super('The operation was aborted', { cause });
  }
}

/** What took too long ends with it. Tornado: TimeoutError. */
class TimeoutError extends Error {
  name = 'TimeoutError';
  code = 'ETIMEDOUT';

  constructor(message = 'Timeout') {
    super(message);
  }
}

// ---- Of co ----

const BAD_YIELD = 'You may only yield a function, promise, generator, array, or object, ' +
  'but the following object was passed: ';

/**
 * co's error, to the letter. What is known besides are properties: what kind of value it was, and
 * the `more` that the caller knows.
 */
function badYield(value, more) {
  const error = define(new TypeError(`${BAD_YIELD}"${describe(value)}"`), 'type', typeName(value));
  for (const key of more === undefined ? [] : ObjectKeys(more)) define(error, key, more[key]);
  return error;
}

function tooDeep() {
  const error = new RangeError('The arrays and objects that were yielded are nested too deeply');
  return withCode(error, 'ERR_FIBRIL_TOO_DEEP');
}

function alreadyRunning(key) {
  const place = key === undefined ? '' : ` at ${key}`;
  return new TypeError(
    `This generator is already being run by another co()${place}: it cannot be run twice at once`);
}

/**
 * String(value) for any value: some objects cannot be converted, and that must not hide the real
 * mistake.
 */
function describe(value) {
  try {
    return String(value);
  } catch {
    return '[object]';
  }
}

function typeName(value) {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  try {
    const { name } = value.constructor;
    return typeof name === 'string' && name !== '' ? name : 'object';
  } catch {
    return 'object';
  }
}

// ---- Of gen and queues ----

let isReturn;

/**
 * `throw new gen.Return(value)` ends a coroutine with a result, as `return value` does. Tornado:
 * gen.Return.
 */
class Return extends Error {
  name = 'Return';
  value = undefined;
  #isReturn;

  constructor(value) {
    super('gen.Return outside of a coroutine');
    this.value = value;
  }

  static {
    // What was thrown may be anything: a proxy that throws when it is asked what it is, too.
    isReturn = (thrown) => typeof thrown === 'object' && thrown !== null && #isReturn in thrown;
  }
}

/** Thrown at the yield of what cannot be waited for. Tornado: BadYieldError. */
class BadYieldError extends TypeError {
  name = 'BadYieldError';
  code = 'FIBRIL_EBADYIELD';

  constructor(value) {
    super(`yielded unknown object ${describeValue(value, { depth: 0, breakLength: Infinity })}`);
  }
}

/** Thrown by getNowait. Tornado: QueueEmpty. */
class QueueEmpty extends Error {
  name = 'QueueEmpty';
  code = 'ERR_FIBRIL_QUEUE_EMPTY';
}

/** Thrown by putNowait. Tornado: QueueFull. */
class QueueFull extends Error {
  name = 'QueueFull';
  code = 'ERR_FIBRIL_QUEUE_FULL';
}

module.exports = {
  define,
  withCode,
  attachNative,
  codedError,
  invalidType,
  makeError,
  describeValue,
  AbortError,
  TimeoutError,
  badYield,
  tooDeep,
  alreadyRunning,
  Return,
  isReturn,
  BadYieldError,
  QueueEmpty,
  QueueFull,
};
