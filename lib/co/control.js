'use strict';

/*
 * Runs that can be ended from outside. What the run waits for is cancelled where it is native; then
 * its generators are made to return, the innermost first, so that their `finally` blocks run, and
 * may yield. Runs that nobody controls pay for none of this.
 */

const { AsyncResource } = require('node:async_hooks');
const {
  NativePromise, ObjectDefineProperty, WeakMap, whenFulfilled,
} = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { native } = require('./futures.js');
const { Group } = require('./group.js');
const { claim, isMarked } = require('./marks.js');
const { THROW, RETURN, WAIT, DONE } = require('./modes.js');
const { SOMETHING, Run, resumeRun } = require('./runner.js');
const { stepOnce, goBack, depthOf, finish } = require('./step.js');

// Shared with every copy of fibril in the process that has the same number: while a step runs,
// `note(promiseOrFuture, cancel)` hears of native calls.
const CALLS = Symbol.for('fibril.calls.1');
if (process[CALLS] === undefined) ObjectDefineProperty(process, CALLS, { value: { note: null } });
const calls = process[CALLS];

// What a run is left with whose generators another one has taken over: whatever it waited for may
// still wake it.
const NOTHING = {
  next: () => ({ done: true, value: undefined }),
  throw: () => ({ done: true, value: undefined }),
};

/** What a whole run, with the members of what it yields, has in common. */
class Control {
  #root;
  #cancels = new WeakMap(); // by promise or Future
  #resource;
  #aborted = false;
  #error = undefined; // why it was ended, or else what its clean-up threw first
  #cleanupFailed = false;

  /**
   * @param {Run} run one that has not been started
   * @param {?AsyncResource} [resource] the async context in which it is made to return
   */
  constructor(run, resource = new AsyncResource('FIBRIL_RUN')) {
    this.#root = run;
    this.#resource = resource;
    run.controlledBy(this);
    this.note = (promise, cancel) => this.#cancels.set(promise, cancel);
  }

  /**
   * Ends the run with an error. One that is in the middle of a step is ended when the step is over,
   * unless that is its last.
   */
  abort(error) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#error = error;
    if (this.#root.waiting !== null) this.#unwind(this.#root);
  }

  /** What the run waits for, in a word; undefined while it is in a step. */
  waitsFor() {
    const { waiting } = this.#root;
    return waiting === null ? undefined : kindOf(waiting);
  }

  /** For the runner: one step. */
  step(run, mode, value) {
    const outer = calls.note;
    calls.note = this.note;
    run.waiting = null;
    const code = stepOnce(run, mode, value);
    calls.note = outer;
    if (code === DONE) return DONE;
    if (code !== WAIT || run.waiting === null) run.waiting = SOMETHING;
    if (!this.#aborted || run.unwinding >= 0) return code;
    if (code === WAIT) {
      this.#unwind(run);
      return WAIT;
    }
    run.unwinding = depthOf(run);
    return run.ready(RETURN, undefined);
  }

  /** For the runner: a generator that was made to return has returned or thrown. */
  left(run, mode, value) {
    if (mode === THROW && !this.#cleanupFailed) {
      this.#cleanupFailed = true;
      this.#error = value;
    }
    if (depthOf(run) === 0) {
      finish(run, THROW, this.#error);
      return DONE;
    }
    goBack(run);
    run.unwinding = depthOf(run);
    return run.ready(RETURN, undefined);
  }

  /** Ends a run that waits: first what it waits for, then itself. */
  #unwind(run) {
    const { waiting } = run;
    const successor = succeed(run);
    if (run === this.#root) this.#root = successor;
    const ends = [];
    this.#stop(waiting, ends);
    whenAll(ends, () => {
      this.#resource.runInAsyncScope(resumeRun, undefined, successor, RETURN, undefined);
    });
  }

  /** Ends what a run waits for, and adds promises of those ends that take time. */
  #stop(waiting, ends) {
    switch (kindOf(waiting)) {
      case 'members':
        for (const member of waiting.members) this.#stop(member, ends);
        return;
      case 'run':
        this.#stopMember(latest(waiting), ends);
        return;
      default:
        this.#cancel(waiting, ends);
    }
  }

  /**
   * Cancels what is native. Of users' values none that throws keeps the run from its end, or others
   * from theirs.
   */
  #cancel(waiting, ends) {
    try {
      if (waiting.then === native.futureThen) {
        if (waiting.slot >= 0 && waiting.cancel()) ends.push(endOfFuture(waiting));
      } else if (this.#cancels.get(waiting)?.()) {
        ends.push(endOfPromise(waiting));
      }
    } catch {
      // Somebody else's: the run merely stops waiting.
    }
  }

  #stopMember(run, ends) {
    if (run.finished) return;
    ends.push(new NativePromise((resolve) => {
      run.slot = { settle: () => resolve() };
    }));
    if (run.waiting !== null && run.unwinding < 0) this.#unwind(run);
  }
}
keepShape(Control, new Control(new Run(SOMETHING, false, undefined), null));

/**
 * What it is that a run waits for: also a value of the user's, which may be anything, and no more
 * than a promise when it cannot be looked at.
 */
function kindOf(waiting) {
  try {
    if (waiting instanceof Group) return 'members';
    if (waiting instanceof Run) return 'run';
    if (waiting === SOMETHING) return 'other';
    return waiting.then === native.futureThen ? 'future' : 'promise';
  } catch {
    return 'promise';
  }
}

/** Calls `fn` from a promise's reaction when the promises are fulfilled. */
function whenAll(promises, fn) {
  let pending = promises.length;
  const count = () => {
    if (--pending <= 0) fn();
  };
  if (pending === 0) whenFulfilled(undefined, count);
  else for (const promise of promises) whenFulfilled(promise, count);
}

function endOfFuture(future) {
  future._markRead(); // who has cancelled it knows
  return new NativePromise((resolve) => {
    future._whenDone(resolve);
  });
}

async function endOfPromise(promise) {
  try {
    await promise;
  } catch {
    // ended all the same
  }
}

/**
 * Where a run that was taken over reports: nobody wants to know. Whoever still has that run finds
 * here the one that goes on in its place.
 */
class Succession {
  constructor(successor) {
    this.successor = successor;
  }

  settle() {}
}
keepShape(Succession, new Succession(null));

/**
 * The run that goes on with the generators of `run`. A member that was ended in its first segment
 * is taken over before its group has it.
 */
function latest(run) {
  while (run.slot instanceof Succession) run = run.slot.successor;
  return run;
}

/** A run that takes over all that `run` has. */
function succeed(run) {
  const successor = new Run(run.gen, false, run.ctx);
  const { gen, parents } = run;
  successor.next = run.next;
  successor.parents = parents;
  successor.slot = run.slot;
  successor.controlledBy(run.control);
  successor.unwinding = depthOf(run);
  if (isMarked(gen, run)) claim(gen, successor);
  for (let i = 0; parents !== null && i < parents.length; i += 2) {
    if (isMarked(parents[i], run)) claim(parents[i], successor);
  }
  run.gen = NOTHING;
  run.next = NOTHING.next;
  run.parents = run.control = run.waiting = null;
  run.slot = new Succession(successor);
  return successor;
}

module.exports = { Control };
