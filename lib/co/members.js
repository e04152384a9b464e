'use strict';

/*
 * The members of a yielded array or object: how each kind is started, and how its outcome comes to
 * the group.
 */

const { alreadyRunning } = require('../errors.js');
const {
  GeneratorFunction, isGenerator, isIterator, isThenable, kindOfFunction,
} = require('../kinds.js');
const { ArrayIsArray, Object, promiseThen, whenFulfilled } = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { Call } = require('./call.js');
const converters = require('./converters.js');
const { native } = require('./futures.js');
const { isDriven } = require('./marks.js');
const { NEXT, THROW, STORED } = require('./modes.js');
const { adopt } = require('./promises.js');
const { Level } = require('./way.js');

// What a native Future as a member is resumed into: it resumes runs and nothing else.
const RELAY = {
  next: (value) => ({ done: true, value }),
  throw: (error) => {
    throw error;
  },
};

/** Where a member that may end at any time, in any step, leaves its outcome. */
class Slot {
  constructor(group, copy, key) {
    this.group = group;
    this.copy = copy;
    this.key = key;
  }

  settle(mode, value) {
    const { group, copy, key } = this;
    try {
      // As a rejected promise: an error must not overtake those of promises that were rejected
      // before.
      if (mode === THROW) whenFulfilled(undefined, () => group.settle(THROW, value));
      else if (isThenable(value)) followPromise(group, adopt(value), copy, key);
      else group.fill(copy, key, value);
    } catch (error) {
      group.settle(THROW, error);
    }
  }
}
keepShape(Slot, new Slot(null, null, null));

function isWaitable(value) {
  return typeof value === 'object' ? value !== null : typeof value === 'function';
}

/**
 * Starts one member. What cannot be waited for stays as it is.
 * @returns {boolean} whether `copy[key]` is now an array or object whose members are to be started
 */
function startMember(group, value, copy, key, source, level) {
  const { then } = value;
  if (typeof then === 'function') {
    group.pending++;
    if (then === promiseThen) followPromise(group, value, copy, key);
    else if (then === native.futureThen) followFuture(group, value, new Slot(group, copy, key));
    else followThenable(group, value, copy, key);
  } else if (typeof value === 'function') {
    group.pending++;
    startFunction(group, value, new Slot(group, copy, key));
  } else if (isGenerator(value)) {
    group.pending++;
    const slot = new Slot(group, copy, key);
    if (isDriven(value)) slot.settle(THROW, alreadyRunning(Level.path(source, key, level)));
    else startRun(group, value, true, slot);
  } else if (ArrayIsArray(value) || value.constructor === Object) {
    return true;
  } else if (converters.any) {
    return startOther(group, value, copy, key, source, level);
  }
  return false;
}

/** What is none of that can have been registered; else it stays as it is. */
function startOther(group, value, copy, key, source, level) {
  const convert = converters.of(value);
  if (convert === undefined) return false;
  const converted = convert(value);
  copy[key] = converted;
  if (!isWaitable(converted) || converters.of(converted) === convert) return false;
  return startMember(group, converted, copy, key, source, level);
}

function followPromise(group, promise, copy, key) {
  if (group.members !== null) group.members.push(promise);
  if (group.onRejected === null) group.onRejected = memberRejected.bind(group);
  // As Slot.settle for what is no thenable, without the slot: this is what most members come to.
  promise.then(memberFulfilled.bind(group, copy, key), group.onRejected);
}

// Bound, not closures: see lib/shapes.js.
function memberFulfilled(copy, key, value) {
  if (this.mode !== STORED) return;
  copy[key] = value;
  if (--this.pending === 0) this.settle(NEXT, this.copy);
}

function memberRejected(error) {
  this.settle(THROW, error);
}

function followThenable(group, thenable, copy, key) {
  followPromise(group, adopt(thenable), copy, key);
  if (group.members !== null) group.members.push(thenable);
}

function followFuture(group, future, slot) {
  if (future.state === 1) {
    slot.settle(NEXT, future.value);
  } else if (future.state === 2) {
    group.settle(THROW, future.exception());
  } else {
    group.hasRuns = true;
    if (group.members !== null) group.members.push(future);
    future._wait(group.run.child(RELAY, false, slot));
  }
}

function startFunction(group, fn, slot) {
  const { ctx } = group.run;
  const kind = kindOfFunction(fn);
  if (kind !== GeneratorFunction) {
    const call = new Call(ctx, fn, kind);
    if (call.mode === STORED) followPromise(group, call.promise(), slot.copy, slot.key);
    else slot.settle(call.mode, call.take());
    return;
  }
  let made;
  try {
    made = fn.call(ctx);
  } catch (error) {
    slot.settle(THROW, error);
    return;
  }
  if (isIterator(made)) startRun(group, made, false, slot);
  else slot.settle(NEXT, made);
}

function startRun(group, generator, shared, slot) {
  const run = group.run.child(generator, shared, slot);
  run.start();
  if (run.finished) return;
  group.hasRuns = true;
  if (group.members !== null) group.members.push(run);
}

module.exports = { isWaitable, startMember, startOther };
