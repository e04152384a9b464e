'use strict';

/* The waits for what is no promise of V8's: native Futures, others' thenables, async generators. */

const { AsyncResource } = require('node:async_hooks');
const { whenFulfilled } = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { native } = require('./futures.js');
const { NEXT, THROW, RESULT, FAIL, WAIT, READY } = require('./modes.js');
const { adopt } = require('./promises.js');

// How deep runs may resume each other from inside foreign callbacks before one takes the way over a
// microtask.
const MAX_NESTING = 64;

let nesting = 0;

/** The bridge resumes the runs of a whole batch of Futures itself: no promise, no reaction. */
function waitForFuture(run, future) {
  if (future.state === 0) {
    future._wait(run);
    if (run.control !== null) run.waiting = future;
    return WAIT;
  }
  if (future.state === 1) return run.ready(NEXT, future.value);
  return run.ready(THROW, future.exception());
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

/**
 * The wait for somebody else's thenable, which may call back at once, several times, both ways and
 * from anywhere.
 */
class ThenableWait {
  constructor(run) {
    this.run = run;
    // Once `then` has returned without an outcome: the async context to resume in.
    this.resource = null;
  }

  settle(mode, value) {
    const { run, resource } = this;
    if (run === null) return;
    this.run = this.resource = null;
    if (resource === null) run.ready(mode, value);
    else if (nesting < MAX_NESTING) resumeIn(resource, run, mode, value);
    else whenFulfilled(undefined, () => resumeIn(resource, run, mode, value));
  }

  begin() {
    if (this.run === null) return READY;
    const resource = new AsyncResource('FIBRIL_WAIT');
    if (this.run === null) return READY; // a hook that heard of it has called back
    this.resource = resource;
    return WAIT;
  }
}
keepShape(ThenableWait, new ThenableWait(null));

function resumeIn(resource, run, mode, value) {
  nesting++;
  try {
    resource.runInAsyncScope(run.resume, run, mode, value);
  } finally {
    nesting--;
  }
}

/** An async generator answers `next` with a promise of what a generator would have answered. */
function waitForResult(run, promise) {
  adopt(promise).then(
    (result) => {
      run.resume(RESULT, result);
    },
    (error) => {
      run.resume(FAIL, error);
    },
  );
  return WAIT;
}

module.exports = { waitForThenable, waitForResult };
