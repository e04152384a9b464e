'use strict';

const { ofDatabase } = require('./native.js');
const { isThenable } = require('./parameters.js');

const ARGUMENTS_MAX = 100;

function wrong(message) {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** The options that C takes, of those of both kinds. */
function optionsOf(options) {
  const { safeIntegers, deterministic = false,
    directOnly = false, varargs = false } = options;
  const given = { safeIntegers, deterministic, directOnly, varargs };
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && typeof value !== 'boolean') throw wrong(`The "options.${name}" property must be a boolean`);
  }
  return given;
}

/** What SQL gets: nobody waits for a promise, neither at once nor in the pool. */
function settled(result) {
  if (!isThenable(result)) return result;
  throw Object.assign(new TypeError('A function of SQL returned a promise'),
    { code: 'ERR_SQLITE_RESULT' });
}

/** How many arguments SQL has to give; -1: whatever it likes. */
function countOf({ varargs }, length) {
  if (varargs) return -1;
  if (length <= ARGUMENTS_MAX) return length;
  throw Object.assign(
    new RangeError(`A function of SQL has at most ${ARGUMENTS_MAX} arguments, not ${length}`),
    { code: 'ERR_OUT_OF_RANGE' });
}

function checkName(name) {
  if (typeof name !== 'string' || name === '') {
    throw wrong('The "name" argument must be a string that is not empty');
  }
}

function define(database, name, options, fn) {
  const [given, call] = typeof options === 'function' ? [{}, options] : [options ?? {}, fn];
  checkName(name);
  if (typeof call !== 'function') throw wrong('The "fn" argument must be a function');
  const native = optionsOf(given);
  return ofDatabase.function.call(database, name, countOf(native, call.length), native,
    (...values) => settled(call(...values)));
}

// The state of a group is in a box that C keeps: it may be of any kind, and stays what it is.
function aggregate(database, name, options) {
  checkName(name);
  const { start = null, step, inverse, result } = options ?? {};
  if (typeof step !== 'function') throw wrong('The "options.step" property must be a function');
  for (const [key, value] of Object.entries({ inverse, result })) {
    if (value !== undefined && typeof value !== 'function') {
      throw wrong(`The "options.${key}" property must be a function`);
    }
  }
  const native = optionsOf(options);
  const lengths = [step, inverse ?? step].map((fn) => Math.max(0, fn.length - 1));
  const adding = (fn) => (box, ...values) => {
    const next = fn(box.value, ...values);
    if (next !== undefined) box.value = next;
  };
  return ofDatabase.aggregate.call(database, name, countOf(native, Math.max(...lengths)), native,
    () => ({ value: typeof start === 'function' ? start() : start }),
    adding(step), inverse === undefined ? undefined : adding(inverse),
    (box) => settled(result === undefined ? box.value : result(box.value)));
}

module.exports = { define, aggregate };
