'use strict';

/* The members of a yielded array or object: started together, waited for together, the first error in time wins. */

const {
  NEXT,
  THROW,
  STORED,
  NativePromise,
  GeneratorFunction,
  isGenerator,
  isIterator,
  isThenable,
  adopt,
  kindOfFunction,
  isDriven,
  Deferred,
  Call,
  badYield,
  alreadyRunning,
} = require('./yieldable');

const OWN_PROPERTY = { value: undefined, writable: true, enumerable: true, configurable: true };

// What a native Future as a member is resumed into: it resumes runs and nothing else.
const RELAY = {
  next: (value) => ({ done: true, value }),
  throw: (error) => {
    throw error;
  },
};

/** All that one yielded array or object waits for, however deeply it is nested: one counter, one first error. */
class Group {
  constructor(run, source, futureThen) {
    this.run = run;
    this.source = source;
    this.futureThen = futureThen;
    this.mode = STORED; // NEXT or THROW once it is decided
    this.value = undefined;
    this.pending = 1; // the walk over the members counts as one
    this.walking = true;
    this.hasRuns = false;
    this.deferred = null;
    this.onRejected = null;
  }

  /**
   * Starts every member, in order, and copies the containers that hold them.
   * @returns {number} the step's answer
   */
  begin() {
    const { run, source } = this;
    let copy;
    try {
      copy = copyMembers(this, source, null);
    } catch (error) {
      this.settle(THROW, error);
    }
    this.walking = false;
    this.source = null;
    if (this.mode === THROW) return run.ready(THROW, this.value);
    if (--this.pending === 0) return run.ready(NEXT, copy);
    this.value = copy;
    if (!this.hasRuns) return run.wait();
    // Members that are runs end inside a step, and in an async context of their own. A promise brings the waiting run
    // back into its context, and keeps a chain of such ends from growing the stack.
    this.deferred = new Deferred(NativePromise);
    return run.waitForPromise(this.deferred.promise);
  }

  fill(container, key, value) {
    if (this.mode !== STORED) return;
    container[key] = value;
    if (--this.pending === 0) this.settle(NEXT, this.value);
  }

  settle(mode, value) {
    if (this.mode !== STORED) return;
    this.mode = mode;
    this.value = value;
    if (this.walking) return;
    const { run, deferred } = this;
    this.run = this.value = this.deferred = null;
    if (deferred !== null) deferred.settle(mode, value);
    else if (mode === NEXT) run.onFulfilled(value);
    else run.onRejected(value);
  }
}

/** Where a member that is a run of its own leaves its outcome. */
class Slot {
  constructor(group, container, key) {
    this.group = group;
    this.container = container;
    this.key = key;
  }

  settle(mode, value) {
    try {
      if (mode === THROW) this.group.settle(THROW, value);
      else if (isThenable(value)) followPromise(this.group, adopt(value), this.container, this.key);
      else this.group.fill(this.container, this.key, value);
    } catch (error) {
      this.group.settle(THROW, error);
    }
  }
}

/** A nested array or object on the way from the yielded one down to the member at hand. */
class Level {
  constructor(source, key, outer) {
    this.source = source;
    this.key = key;
    this.outer = outer;
  }
}

function copyMembers(group, source, level) {
  return Array.isArray(source) ? copyArray(group, source, level) : copyObject(group, source, level);
}

function copyArray(group, source, level) {
  const { length } = source;
  const copy = [];
  for (let i = 0; i < length; i++) {
    const value = source[i];
    copy.push(value);
    if (typeof value === 'object' ? value !== null : typeof value === 'function') member(group, value, copy, i, level);
  }
  return copy;
}

function copyObject(group, source, level) {
  const copy = {};
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (key === '__proto__') Object.defineProperty(copy, key, OWN_PROPERTY);
    copy[key] = value;
    if (typeof value === 'object' ? value !== null : typeof value === 'function') member(group, value, copy, key, level);
  }
  return copy;
}

/** Starts one member. What cannot be waited for stays as it is. */
function member(group, value, container, key, level) {
  const { then } = value;
  if (typeof then === 'function') {
    group.pending++;
    if (then === group.futureThen) followFuture(group, value, container, key);
    else followPromise(group, adopt(value), container, key);
  } else if (typeof value === 'function') {
    group.pending++;
    startFunction(group, value, new Slot(group, container, key));
  } else if (isGenerator(value)) {
    if (isDriven(value)) return group.settle(THROW, alreadyRunning(where(level, key)));
    group.pending++;
    startRun(group, value, true, new Slot(group, container, key));
  } else if (Array.isArray(value) || value.constructor === Object) {
    if (encloses(group, level, value)) throw badYield(value, `, which contains itself${where(level, key)}`);
    container[key] = copyMembers(group, value, new Level(value, key, level));
  }
}

function followPromise(group, promise, container, key) {
  if (group.onRejected === null) group.onRejected = (error) => group.settle(THROW, error);
  promise.then((value) => group.fill(container, key, value), group.onRejected);
}

function followFuture(group, future, container, key) {
  const slot = new Slot(group, container, key);
  if (future.state !== 0) return slot.settle(future.state === 1 ? NEXT : THROW, future.value);
  group.hasRuns = true;
  future._wait(group.run.child(RELAY, false, slot));
}

function startFunction(group, fn, slot) {
  const { ctx } = group.run;
  const kind = kindOfFunction(fn);
  if (kind !== GeneratorFunction) {
    const call = new Call(ctx, fn, kind);
    if (call.mode === STORED) followPromise(group, call.promise(), slot.container, slot.key);
    else slot.settle(call.mode, call.value);
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
  if (!run.finished) group.hasRuns = true;
}

function encloses(group, level, value) {
  for (; level !== null; level = level.outer) if (level.source === value) return true;
  return group.source === value;
}

/** The path of a member for error messages: ` at [1].name`. */
function where(level, key) {
  let path = '';
  for (let at = { key, outer: level }; at !== null; at = at.outer) {
    path = (typeof at.key === 'number' ? `[${at.key}]` : `.${at.key}`) + path;
  }
  return ` at ${path.replace(/^\./, '')}`;
}

module.exports = { Group };
