'use strict';

/* The members of a yielded array or object: started together, waited for together, the first error in time wins. */

const {
  NEXT,
  THROW,
  STORED,
  NativePromise,
  promiseThen,
  GeneratorFunction,
  isGenerator,
  isIterator,
  isThenable,
  adopt,
  kindOfFunction,
  isDriven,
  native,
  promiseFor,
  Call,
  badYield,
  alreadyRunning,
} = require('./yieldable');
const converters = require('./converters');

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
  constructor(run, source) {
    this.run = run;
    this.copy = emptyCopy(source);
    this.nested = null; // the copies of the arrays and objects inside
    this.mode = STORED; // NEXT or THROW once it is decided
    this.error = undefined;
    this.pending = 1; // the walk over the members counts as one
    this.hasRuns = false;
    this.resolve = null; // what takes the outcome; nothing does before the walk is over
    this.reject = null;
    this.onRejected = null;
    this.members = run.control === null ? null : []; // what to end when the run is ended
  }

  /**
   * Starts every member, in order.
   * @returns {number} the step's answer
   */
  begin(source) {
    const { run, copy } = this;
    try {
      startMembers(this, source, copy, null);
    } catch (error) {
      this.settle(THROW, error);
    }
    if (this.mode === THROW) {
      const { error } = this;
      this.drop();
      return run.ready(THROW, error);
    }
    if (--this.pending === 0) return run.ready(NEXT, copy);
    if (!this.hasRuns) return run.waitDirectly(this);
    // Members that are runs end inside a step, and in an async context of their own. A promise brings the waiting run
    // back into its context, and keeps a chain of such ends from growing the stack.
    const code = run.waitForPromise(promiseFor(this, NativePromise));
    if (this.members !== null) run.waiting = this;
    return code;
  }

  fill(copy, key, value) {
    if (this.mode !== STORED) return;
    copy[key] = value;
    if (--this.pending === 0) this.settle(NEXT, this.copy);
  }

  settle(mode, value) {
    if (this.mode !== STORED) return;
    this.mode = mode;
    const { resolve, reject } = this;
    if (resolve === null) {
      this.error = value;
      return;
    }
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

function emptyCopy(source) {
  return Array.isArray(source) ? elementsOf(source) : {};
}

/** A plain array, holes and all. Slicing is the fastest way to one, but a subclass may make anything of it. */
function elementsOf(array) {
  if (array.constructor === Array) return array.slice();
  const elements = [];
  for (let i = 0; i < array.length; i++) elements.push(array[i]);
  return elements;
}

function clear(container) {
  if (Array.isArray(container)) container.length = 0;
  else for (const key of Object.keys(container)) container[key] = undefined;
}

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
      // As a rejected promise: an error must not overtake those of promises that were rejected before.
      if (mode === THROW) followPromise(group, NativePromise.reject(value), copy, key);
      else if (isThenable(value)) followPromise(group, adopt(value), copy, key);
      else group.fill(copy, key, value);
    } catch (error) {
      group.settle(THROW, error);
    }
  }
}

/** A step on the way from the yielded array or object down to the member at hand: into `source[key]`. */
class Level {
  constructor(source, key, outer) {
    this.source = source;
    this.key = key;
    this.outer = outer;
  }

  /** Whether the way has led through `container`. */
  static passes(level, container) {
    for (; level !== null; level = level.outer) if (level.source === container) return true;
    return false;
  }

  /** The way for error messages: ` at [1].name`. */
  static describe(level) {
    let path = '';
    for (; level !== null; level = level.outer) {
      path = (Array.isArray(level.source) ? `[${level.key}]` : `.${level.key}`) + path;
    }
    return ` at ${path.replace(/^\./, '')}`;
  }
}

function startMembers(group, source, copy, outer) {
  if (!Array.isArray(source)) {
    startProperties(group, source, copy, outer);
    return;
  }
  for (let i = 0; i < copy.length; i++) {
    const value = copy[i];
    if (isWaitable(value)) startMember(group, value, copy, i, source, outer);
    else if (value === undefined) copy[i] = value; // no holes
    else if (converters.any) startOther(group, value, copy, i, source, outer);
  }
}

function startProperties(group, source, copy, outer) {
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (key === '__proto__') Object.defineProperty(copy, key, OWN_PROPERTY);
    copy[key] = value;
    if (isWaitable(value)) startMember(group, value, copy, key, source, outer);
    else if (converters.any) startOther(group, value, copy, key, source, outer);
  }
}

function isWaitable(value) {
  return typeof value === 'object' ? value !== null : typeof value === 'function';
}

/** Starts one member. What cannot be waited for stays as it is. */
function startMember(group, value, copy, key, source, outer) {
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
    if (isDriven(value)) slot.settle(THROW, alreadyRunning(Level.describe(new Level(source, key, outer))));
    else startRun(group, value, true, slot);
  } else if (Array.isArray(value) || value.constructor === Object) {
    startNested(group, value, copy, key, new Level(source, key, outer));
  } else if (converters.any) {
    startOther(group, value, copy, key, source, outer);
  }
}

/** What is none of that can have been registered; else it stays as it is. */
function startOther(group, value, copy, key, source, outer) {
  const convert = converters.of(value);
  if (convert === undefined) return;
  const converted = convert(value);
  copy[key] = converted;
  if (isWaitable(converted) && converters.of(converted) !== convert) startMember(group, converted, copy, key, source, outer);
}

function startNested(group, value, copy, key, level) {
  if (Level.passes(level, value)) throw badYield(value, `, which contains itself${Level.describe(level)}`);
  if (group.nested === null) group.nested = [];
  const inner = emptyCopy(value);
  group.nested.push(inner);
  copy[key] = inner;
  startMembers(group, value, inner, level);
}

function followPromise(group, promise, copy, key) {
  if (group.members !== null) group.members.push(promise);
  if (group.onRejected === null) group.onRejected = (error) => group.settle(THROW, error);
  // As Slot.settle for what is no thenable, without the slot: this is what most members come to.
  promise.then((value) => {
    if (group.mode !== STORED) return;
    copy[key] = value;
    if (--group.pending === 0) group.settle(NEXT, group.copy);
  }, group.onRejected);
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

module.exports = { Group };
