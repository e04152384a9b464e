'use strict';

/*
 * The runner: what a generator may yield, and how it goes on afterwards.
 *
 * `stepOnce` is the one definition of the yield rules. It advances a run by exactly one `next` or `throw`, looks at what
 * came out and says how to go on. Who calls it is a matter of speed only: between two V8 promises it is cheapest to stay
 * in JavaScript (`resumeInJS`); with `attachNative` the C Runner performs every resume with the same function.
 */

const { AsyncResource } = require('node:async_hooks');
const {
  NEXT,
  THROW,
  STORED,
  RESULT,
  FAIL,
  RETURN,
  NativePromise,
  promiseThen,
  GeneratorFunction,
  generatorNext,
  generatorThrow,
  isGenerator,
  isIterator,
  isThenable,
  adopt,
  kindOfFunction,
  RUN,
  isDriven,
  native,
  promiseFor,
  Call,
  badYield,
  alreadyRunning,
} = require('./yieldable');
const { Group } = require('./members');
const converters = require('./converters');
const traces = require('./traces');

// What a step answers.
const WAIT = 0; // subscribed: whoever wakes the run calls `resume`
const READY = 1; // call it again with STORED
const DONE = 2; // the run has ended and has told whoever wanted to know

// How deep runs may resume each other from inside foreign callbacks before one takes the way over a microtask.
const MAX_NESTING = 64;

const settled = NativePromise.resolve();
const SOMETHING = Object.freeze({}); // what a controlled run waits for between its steps where it cannot be cancelled
let nesting = 0;
let resume = resumeInJS;
let start = startInJS;

/** One co() call: the generator that is running, those that wait for it, and where the outcome goes. */
class Run {
  /**
   * @param {Iterator} generator the generator to drive
   * @param {boolean} shared whether anybody else may hold it
   * @param {*} ctx `this` for the functions that it yields
   */
  constructor(generator, shared, ctx) {
    if (shared && isDriven(generator)) throw alreadyRunning();
    this.gen = generator;
    this.next = generator.next;
    this.unclaimed = shared; // whether others may hold the generator and cannot see yet that it is running
    this.parents = null; // generators (each followed by its `next`) that yielded the ones above them
    this.ctx = ctx;
    this.mode = NEXT; // with `value`: what STORED continues with; after the end, the outcome until it is fetched
    this.value = undefined;
    this.finished = false;
    this.resolve = null; // of the promise for the outcome, which is made when the first segment ends in a wait
    this.reject = null;
    this.slot = null; // a member of a yielded array or object reports to its slot instead
    this.resource = null; // the bridge's: the async context that it resumes the run in, while it does
    this.control = null; // what can end the run from outside (lib/control.js), and for that:
    this.waiting = null; // what it waits for; null while it is in a step
    this.unwinding = -1; // how many entries `parents` has when the generator that is made to return leaves
    this.onFulfilled = null; // the two reactions, made at the first wait and used for all of them
    this.onRejected = null;
  }

  /** Runs the first segment, up to the first wait. */
  start() {
    start(this);
  }

  /** The promise of the outcome; to be called once, after `start`. */
  promise() {
    const { mode, value } = this;
    if (!this.finished) return promiseFor(this, Promise);
    this.value = undefined;
    return mode === NEXT ? resolved(value) : Promise.reject(value);
  }

  /** A run for a member of what this one has yielded. */
  child(generator, shared, slot) {
    const run = new Run(generator, shared, this.ctx);
    run.slot = slot;
    if (this.control !== null && this.unwinding < 0) run.controlledBy(this.control);
    return run;
  }

  /** To be called before `start`: `control` takes every step. */
  controlledBy(control) {
    this.control = control;
    this.waiting = SOMETHING;
  }

  ready(mode, value) {
    this.mode = mode;
    this.value = value;
    return READY;
  }

  /** Waits for whatever calls `holder.resolve` or `holder.reject`, which is done once and from a promise's reaction. */
  waitDirectly(holder) {
    if (this.onFulfilled === null) bindReactions(this);
    holder.resolve = this.onFulfilled;
    holder.reject = this.onRejected;
    if (this.control !== null) this.waiting = holder;
    return WAIT;
  }

  waitForPromise(promise) {
    if (this.onFulfilled === null) bindReactions(this);
    promise.then(this.onFulfilled, this.onRejected);
    if (this.control !== null) this.waiting = promise;
    return WAIT;
  }
}

function bindReactions(run) {
  run.onFulfilled = (value) => {
    resume(run, NEXT, value);
  };
  run.onRejected = (error) => {
    resume(run, THROW, error);
  };
}

/** A promise of the global Promise that resolves with the value, as `new Promise((resolve) => resolve(value))`. */
function resolved(value) {
  return value instanceof Promise ? new Promise((resolve) => resolve(value)) : Promise.resolve(value);
}

/** Continues a run until it waits or ends. The C Runner has the same loop. */
function resumeInJS(run, mode, value) {
  let code = stepOnce(run, mode, value);
  while (code === READY) code = stepOnce(run, STORED, undefined);
}

function startInJS(run) {
  resumeInJS(run, NEXT, undefined);
}

/**
 * Advances `run` by one `next` or `throw` and classifies what was yielded. Never throws: whatever goes wrong while a
 * yielded value is converted is thrown into the generator at its yield.
 * @returns {number} WAIT, READY or DONE
 */
function stepOnce(run, mode, value) {
  if (run.waiting !== null) return run.control.step(run, mode, value);
  if (mode > THROW) {
    if (mode === STORED) {
      mode = run.mode;
      value = run.value;
      run.value = undefined;
    } else if (mode !== RETURN) {
      return stepAsync(run, mode, value);
    }
  }
  let result;
  let done;
  let yielded;
  try {
    if (mode !== NEXT) {
      if (mode === THROW) {
        const { gen } = run; // its name is in the error when it has no `throw`
        if (traces.on) traces.add(value, gen);
        result = run.next === generatorNext ? generatorThrow.call(gen, value) : gen.throw(value);
      } else {
        result = makeReturn(run.gen);
      }
    } else if (run.next === generatorNext) result = generatorNext.call(run.gen, value);
    else result = run.gen.next(value);
    done = result.done;
    yielded = result.value;
  } catch (error) {
    return leave(run, THROW, error);
  }
  if (done) return leave(run, NEXT, yielded);
  try {
    if (run.unclaimed) claim(run);
    if (typeof yielded === 'object' && yielded !== null) {
      const { then } = yielded;
      if (then === promiseThen) return run.waitForPromise(yielded);
      if (typeof then === 'function') return waitForThenable(run, yielded, then);
      return stepObject(run, yielded);
    }
    if (typeof yielded === 'function') return stepFunction(run, yielded);
    if (yielded === undefined && typeof result.then === 'function') return waitForResult(run, result);
    return stepOther(run, yielded);
  } catch (error) {
    return run.ready(THROW, error);
  }
}

/** Ends a suspended generator; one that cannot be ended is over. */
function makeReturn(generator) {
  return typeof generator.return === 'function' ? generator.return() : { done: true, value: undefined };
}

function stepObject(run, yielded) {
  if (isGenerator(yielded)) {
    if (isDriven(yielded)) throw alreadyRunning();
    return enter(run, yielded, true);
  }
  if (Array.isArray(yielded) || yielded.constructor === Object) return new Group(run, yielded).begin(yielded);
  return stepOther(run, yielded);
}

/** What is none of that can have been registered. It is converted once: what comes out must be something else. */
function stepOther(run, yielded) {
  const convert = converters.of(yielded);
  if (convert === undefined) throw badYield(yielded);
  const converted = convert(yielded);
  if (converters.of(converted) === convert) throw badYield(converted, ', which its converter has returned');
  return enter(run, new Conversion(converted), false);
}

/** Yields one value and returns what comes of it. */
class Conversion {
  constructor(value) {
    this.value = value;
    this.yielded = false;
  }

  next(value) {
    const done = this.yielded;
    this.yielded = true;
    return { done, value: done ? value : this.value };
  }

  throw(error) {
    throw error;
  }
}

function stepFunction(run, yielded) {
  const { then } = yielded;
  if (typeof then === 'function') return waitForThenable(run, yielded, then);
  const kind = kindOfFunction(yielded);
  if (kind === GeneratorFunction) {
    const made = yielded.call(run.ctx);
    return isIterator(made) ? enter(run, made, false) : proceed(run, made);
  }
  const call = new Call(run.ctx, yielded, kind);
  if (call.mode === STORED) return run.waitForPromise(call.promise());
  return call.mode === NEXT ? proceed(run, call.take()) : run.ready(THROW, call.take());
}

/** Runs a yielded generator on top of the one that yielded it. */
function enter(run, generator, shared) {
  const { next } = generator;
  if (run.parents === null) run.parents = [];
  run.parents.push(run.gen, run.next);
  run.gen = generator;
  run.next = next;
  run.unclaimed = shared;
  return run.ready(NEXT, undefined);
}

/** A generator that has yielded can be met by others while it is suspended. */
function claim(run) {
  run.unclaimed = false;
  try {
    run.gen[RUN] = run;
  } catch {
    // A frozen generator cannot be marked, and is run all the same.
  }
}

/** How many entries the stack of generators has below the one that is running. */
function depthOf(run) {
  return run.parents === null ? 0 : run.parents.length;
}

/** The run's topmost generator has returned or thrown: go on with the one that yielded it, or end the run. */
function leave(run, mode, value) {
  const { parents } = run;
  if (run.unwinding >= 0 && run.unwinding === depthOf(run)) return run.control.left(run, mode, value);
  if (parents === null || parents.length === 0) {
    finish(run, mode, value);
    return DONE;
  }
  goBack(run);
  return mode === NEXT ? proceed(run, value) : run.ready(THROW, value);
}

/** Takes the topmost generator off the stack. */
function goBack(run) {
  run.next = run.parents.pop();
  run.gen = run.parents.pop();
  run.unclaimed = false;
}

/** Goes on with a result that a promise would adopt: what a child returned, what a thunk called back with. */
function proceed(run, value) {
  try {
    if (isThenable(value)) return run.waitForPromise(adopt(value));
  } catch (error) {
    return run.ready(THROW, error);
  }
  return run.ready(NEXT, value);
}

function finish(run, mode, value) {
  const { resolve, reject, slot } = run;
  run.finished = true;
  run.gen = run.next = run.parents = run.ctx = null;
  run.resolve = run.reject = run.slot = run.onFulfilled = run.onRejected = null;
  if (slot !== null) slot.settle(mode, value);
  else if (resolve === null) run.ready(mode, value);
  else if (mode === NEXT) resolve(value);
  else reject(value);
}

/** The bridge resumes the runs of a whole batch of Futures itself: no promise, no reaction. */
function waitForFuture(run, future) {
  if (future.state === 0) {
    future._wait(run);
    if (run.control !== null) run.waiting = future;
    return WAIT;
  }
  return future.state === 1 ? run.ready(NEXT, future.value) : run.ready(THROW, future.exception());
}

function waitForThenable(run, thenable, then) {
  if (then === native.futureThen) return waitForFuture(run, thenable);
  const wait = new ThenableWait(run);
  try {
    then.call(
      thenable,
      (value) => wait.settle(NEXT, value),
      (error) => wait.settle(THROW, error),
    );
  } catch (error) {
    wait.settle(THROW, error);
  }
  const code = wait.begin();
  if (code === WAIT && run.control !== null) run.waiting = thenable;
  return code;
}

/** The wait for somebody else's thenable, which may call back at once, several times, both ways and from anywhere. */
class ThenableWait {
  constructor(run) {
    this.run = run;
    this.resource = null; // once `then` has returned without an outcome: the async context to resume in
  }

  settle(mode, value) {
    const { run, resource } = this;
    if (run === null) return;
    this.run = this.resource = null;
    if (resource === null) run.ready(mode, value);
    else if (nesting === MAX_NESTING) promiseThen.call(settled, () => resumeIn(resource, run, mode, value));
    else resumeIn(resource, run, mode, value);
  }

  begin() {
    if (this.run === null) return READY;
    this.resource = new AsyncResource('FIBRIL_WAIT');
    return WAIT;
  }
}

function resumeIn(resource, run, mode, value) {
  nesting++;
  try {
    resource.runInAsyncScope(resume, undefined, run, mode, value);
  } finally {
    nesting--;
  }
}

/** An async generator answers `next` with a promise of what a generator would have answered. */
function waitForResult(run, promise) {
  adopt(promise).then(
    (result) => {
      resume(run, RESULT, result);
    },
    (error) => {
      resume(run, FAIL, error);
    },
  );
  return WAIT;
}

/** An async generator awaits for itself: what it yields is given back as it is, what it returns is its result. */
function stepAsync(run, mode, result) {
  if (mode === FAIL) return leave(run, THROW, result);
  let done;
  let value;
  try {
    ({ done, value } = result);
  } catch (error) {
    return leave(run, THROW, error);
  }
  return done ? leave(run, NEXT, value) : run.ready(NEXT, value);
}

/**
 * Hands every resume over to the C Runner, or back to JavaScript.
 * @param {?{start: function(Run), resume: function(Run, number, *)}} runner null for the JavaScript loop
 */
function attachNative(runner) {
  start = runner === null ? startInJS : runner.start;
  resume = runner === null ? resumeInJS : runner.resume;
}

/**
 * Makes a class of native Futures yieldable without a promise. A Future has `state` (0 pending, 1 fulfilled, 2 rejected),
 * `value`, `exception()` and `_wait(run)`, after which the bridge calls `resumeRun(run, NEXT or THROW, value)` once, in the
 * async context of the wait.
 */
function attachFuture(Future) {
  native.futureThen = Future.prototype.then;
}

/** For the bridge: continues a run that waited for a Future. */
function resumeRun(run, mode, value) {
  resume(run, mode, value);
}

module.exports = {
  WAIT,
  DONE,
  SOMETHING,
  Run,
  resolved,
  stepOnce,
  goBack,
  depthOf,
  finish,
  resumeRun,
  attachNative,
  attachFuture,
};
