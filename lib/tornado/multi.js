'use strict';

/* Several futures as one: what gen.multi does, and every yielded array or object. */

const { BadYieldError } = require('../errors.js');
const { runtime } = require('../native/addon.js');
const { ObjectFromEntries } = require('../primordials.js');
const { isQuiet, logError } = require('./futures.js');

const { Future } = runtime;

const starting = []; // the lists and objects around the one whose members are being started

/**
 * The Futures of the members. One that the list is a member of itself, however deeply, would have
 * no end.
 */
function startMembers(children, members, asFuture) {
  if (starting.includes(children)) throw new BadYieldError(children);
  starting.push(children);
  try {
    return members.map(asFuture);
  } finally {
    starting.pop();
  }
}

/**
 * A Future of the results of all children.
 * @param {Iterable|Object} children
 * @param {?string[]} keys of an object's
 * @param {function(*): Future} asFuture what starts each
 * @param {function[]} quiet classes of errors that are not warned of
 */
function joinAll(children, keys, asFuture, quiet) {
  const members = keys === null ? [...children] : keys.map((key) => children[key]);
  const futures = startMembers(children, members, asFuture);
  const result = new Future();
  let pending = futures.length;
  const finish = () => {
    if (!result.done()) settleMulti(result, keys, futures, quiet);
  };
  if (pending === 0) finish();
  for (const future of futures) {
    future._markRead();
    future._whenDone(() => {
      if (--pending === 0) finish();
    });
  }
  return result;
}

function settleMulti(result, keys, futures, quiet) {
  const errors = futures.filter((future) => future.state === 2).map((future) => future.value);
  if (errors.length === 0) {
    const values = futures.map((future) => future.value);
    const named = () => ObjectFromEntries(keys.map((key, i) => [key, values[i]]));
    result.setResult(keys === null ? values : named());
    return;
  }
  result.setException(errors[0]);
  for (const error of errors.slice(1)) {
    if (isQuiet(error, quiet)) continue;
    logError('Multiple exceptions in yield list', 'FIBRIL_MULTIPLE_EXCEPTIONS', error);
  }
}

module.exports = { joinAll };
