'use strict';

/*
 * Runs, and who makes them go on: between two V8 promises it is cheapest to stay in JavaScript
 * (`resumeInJS`); with `attachNative` the C Runner performs every resume with the same function,
 * `stepOnce`.
 */

const { alreadyRunning } = require('../errors.js');
const { keepShape } = require('../shapes.js');
const { isDriven } = require('./marks.js');
const { NEXT, THROW, STORED, WAIT, READY } = require('./modes.js');
const { outcomeFor, resolved, rejected } = require('./promises.js');
const { stepOnce } = require('./step.js');

// What a controlled run waits for between its steps where it cannot be cancelled.
const SOMETHING = Object.freeze({});

let resume = resumeInJS;
let start = startInJS;

/**
 * One co() call: the generator that is running, those that wait for it, and where the outcome goes.
 */
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
    // Whether others may hold the generator and cannot see yet that it is running.
    this.unclaimed = shared;
    // Generators, each followed by its `next`, that yielded the ones above them.
    this.parents = null;
    this.ctx = ctx;
    // With `value`: what STORED continues with; after the end, the outcome until it is fetched.
    this.mode = NEXT;
    this.value = undefined;
    this.finished = false;
    // Of the promise for the outcome, which is made when the first segment ends in a wait.
    this.resolve = null;
    this.reject = null;
    this.slot = null; // a member of a yielded array or object reports to its slot instead
    // The bridge's: the async context that it resumes the run in, while it does.
    this.resource = null;
    this.control = null; // what can end the run from outside (lib/co/control.js), and for that:
    this.waiting = null; // what it waits for; null while it is in a step
    // How many entries `parents` has when the generator that is made to return leaves.
    this.unwinding = -1;
    this.onFulfilled = null; // the two reactions, made at the first wait and used for all of them
    this.onRejected = null;
  }

  /** Runs the first segment, up to the first wait. */
  start() {
    start(this);
  }

  /** The promise of the outcome; to be called once, after `start`. */
  promise() {
    if (this.finished) return this.mode === NEXT ? resolved(this.take()) : rejected(this.take());
    const promise = outcomeFor(this);
    // In a hook that heard of the promise, or in the code of somebody else's class.
    if (this.finished) this.deliver();
    return promise;
  }

  deliver() {
    const { mode, resolve, reject } = this;
    this.resolve = this.reject = null;
    if (mode === NEXT) resolve(this.take());
    else reject(this.take());
  }

  /** Hands the outcome over. */
  take() {
    const { value } = this;
    this.value = undefined;
    return value;
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

  /** Goes on, now: for what wakes it from outside. */
  resume(mode, value) {
    resume(this, mode, value);
  }

  /** Has the next step go on so. */
  ready(mode, value) {
    this.mode = mode;
    this.value = value;
    return READY;
  }

  /**
   * Waits for whatever calls `holder.resolve` or `holder.reject`, which is done once and from a
   * promise's reaction.
   */
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
keepShape(Run, new Run(SOMETHING, false, undefined));

function bindReactions(run) {
  run.onFulfilled = (value) => {
    resume(run, NEXT, value);
  };
  run.onRejected = (error) => {
    resume(run, THROW, error);
  };
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
 * Hands every resume over to the C Runner, or back to JavaScript.
 * @param {?{start: function(Run), resume: function(Run, number, *)}} runner null for the JavaScript
 *   loop
 */
function attachNative(runner) {
  start = runner === null ? startInJS : runner.start;
  resume = runner === null ? resumeInJS : runner.resume;
}

/** For the bridge: continues a run that waited for a Future. */
function resumeRun(run, mode, value) {
  resume(run, mode, value);
}

module.exports = { SOMETHING, Run, resumeRun, attachNative };
