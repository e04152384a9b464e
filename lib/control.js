'use strict';

/*
 * Runs that can be ended from outside. What the run waits for is cancelled where it is native; then its generators are made to return, the
 * innermost first, so that their `finally` blocks run, and may yield. Runs that nobody controls pay for none of this.
 */

const { AsyncResource } = require('node:async_hooks');
const { THROW, RETURN, RUN, native, adopt } = require('./yieldable');
const { Group } = require('./members');
const { WAIT, DONE, SOMETHING, Run, stepOnce, goBack, depthOf, finish, resumeRun } = require('./runner');

// Shared with every copy of fibril in the process: while a step runs, `note(promiseOrFuture, cancel)` hears of native calls.
const CALLS = Symbol.for('fibril.calls');
if (process[CALLS] === undefined) Object.defineProperty(process, CALLS, { value: { note: null } });
const calls = process[CALLS];

// What a run is left with whose generators another one has taken over: whatever it waited for may still wake it.
const NOTHING = {
  next: () => ({ done: true, value: undefined }),
  throw: () => ({ done: true, value: undefined }),
};

/** What a whole run, with the members of what it yields, has in common. */
class Control {
  #root;
  #cancels = new WeakMap(); // by promise or Future
  #resource = new AsyncResource('FIBRIL_RUN');
  #aborted = false;
  #error = undefined; // why it was ended, or else what its clean-up threw first
  #cleanupFailed = false;

  /** @param {Run} run one that has not been started */
  constructor(run) {
    this.#root = run;
    run.controlledBy(this);
    this.note = (promise, cancel) => this.#cancels.set(promise, cancel);
  }

  /** Ends the run with an error. One that is in the middle of a step is ended when the step is over, unless that is its last. */
  abort(error) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#error = error;
    if (this.#root.waiting !== null) this.#unwind(this.#root);
  }

  /** What the run waits for, in a word; undefined while it is in a step. */
  waitsFor() {
    const { waiting } = this.#root;
    if (waiting === null) return undefined;
    if (waiting instanceof Group) return 'members';
    if (waiting instanceof Run) return 'run';
    if (waiting === SOMETHING) return 'other';
    return waiting.then === native.futureThen ? 'future' : 'promise';
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
    const resume = () => this.#resource.runInAsyncScope(resumeRun, undefined, successor, RETURN, undefined);
    Promise.all(ends).then(resume);
  }

  /** Ends what a run waits for, and adds promises of those ends that take time. */
  #stop(waiting, ends) {
    if (waiting instanceof Group) {
      for (const member of waiting.members) this.#stop(member, ends);
    } else if (waiting instanceof Run) {
      this.#stopMember(waiting, ends);
    } else if (waiting.then === native.futureThen) {
      if (waiting.slot >= 0 && waiting.cancel()) ends.push(endOf(waiting));
    } else if (this.#cancels.get(waiting)?.()) {
      ends.push(adopt(waiting).then(ignore, ignore));
    }
  }

  #stopMember(run, ends) {
    if (run.finished) return;
    ends.push(new Promise((resolve) => {
      run.slot = { settle: () => resolve() };
    }));
    if (run.waiting !== null) this.#unwind(run);
  }
}

function ignore() {}

function endOf(future) {
  future.read = true; // who has cancelled it knows
  return new Promise((resolve) => {
    future._whenDone(resolve);
  });
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
  for (const generator of parents === null ? [gen] : [gen, ...parents]) if (generator[RUN] === run) generator[RUN] = successor;
  run.gen = NOTHING;
  run.next = NOTHING.next;
  run.parents = run.slot = run.control = run.waiting = null;
  return successor;
}

module.exports = { Control };
