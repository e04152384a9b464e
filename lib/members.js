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
  promiseFor,
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
    this.copy = emptyLike(source);
    this.nested = null; // the copies of the arrays and objects inside
    this.mode = STORED; // NEXT or THROW once it is decided
    this.error = undefined;
    this.pending = 1; // the walk over the members counts as one
    this.walking = true;
    this.hasRuns = false;
    this.resolve = null; // what takes the outcome once the walk is over
    this.reject = null;
    this.onRejected = null;
  }

  /**
   * Starts every member, in order, and copies the containers that hold them.
   * @returns {number} the step's answer
   */
  begin() {
    const { run, copy, source } = this;
    try {
      copyMembers(this, source, copy, null);
    } catch (error) {
      this.settle(THROW, error);
    }
    this.walking = false;
    this.source = null;
    if (this.mode === THROW) {
      const { error } = this;
      this.drop();
      return run.ready(THROW, error);
    }
    if (--this.pending === 0) return run.ready(NEXT, copy);
    if (!this.hasRuns) return run.waitDirectly(this);
    // Members that are runs end inside a step, and in an async context of their own. A promise brings the waiting run
    // back into its context, and keeps a chain of such ends from growing the stack.
    return run.waitForPromise(promiseFor(this, NativePromise));
  }

  fill(container, key, value) {
    if (this.mode !== STORED) return;
    container[key] = value;
    if (--this.pending === 0) this.settle(NEXT, this.copy);
  }

  settle(mode, value) {
    if (this.mode !== STORED) return;
    this.mode = mode;
    if (this.walking) {
      this.error = value;
      return;
    }
    const { resolve, reject } = this;
    if (mode === THROW) this.drop();
    this.run = this.resolve = this.reject = this.copy = this.nested = null;
    if (mode === NEXT) resolve(value);
    else reject(value);
  }

  /** After an error nobody wants what the other members have brought, however long the last of them may take. */
  drop() {
    clear(this.copy);
    if (this.nested !== null) this.nested.forEach(clear);
    this.error = undefined;
  }
}

function emptyLike(source) {
  return Array.isArray(source) ? [] : {};
}

function clear(container) {
  if (Array.isArray(container)) container.length = 0;
  else for (const key of Object.keys(container)) container[key] = undefined;
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

function copyMembers(group, source, copy, level) {
  if (Array.isArray(source)) copyArray(group, source, copy, level);
  else copyObject(group, source, copy, level);
}

function copyArray(group, source, copy, level) {
  const { length } = source;
  for (let i = 0; i < length; i++) {
    const value = source[i];
    copy.push(value);
    if (typeof value === 'object' ? value !== null : typeof value === 'function') member(group, value, copy, i, level);
  }
}

function copyObject(group, source, copy, level) {
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (key === '__proto__') Object.defineProperty(copy, key, OWN_PROPERTY);
    copy[key] = value;
    if (typeof value === 'object' ? value !== null : typeof value === 'function') member(group, value, copy, key, level);
  }
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
    const copy = emptyLike(value);
    if (group.nested === null) group.nested = [];
    group.nested.push(copy);
    container[key] = copy;
    copyMembers(group, value, copy, new Level(value, key, level));
  }
}

function followPromise(group, promise, container, key) {
  if (group.onRejected === null) group.onRejected = (error) => group.settle(THROW, error);
  promise.then((value) => group.fill(container, key, value), group.onRejected);
}

function followFuture(group, future, container, key) {
  const slot = new Slot(group, container, key);
  if (future.state === 1) return slot.settle(NEXT, future.value);
  if (future.state === 2) return slot.settle(THROW, future.exception());
  group.hasRuns = true;
  future._wait(group.run.child(RELAY, false, slot));
}

function startFunction(group, fn, slot) {
  const { ctx } = group.run;
  const kind = kindOfFunction(fn);
  if (kind !== GeneratorFunction) {
    const call = new Call(ctx, fn, kind);
    if (call.mode === STORED) followPromise(group, call.promise(), slot.container, slot.key);
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
