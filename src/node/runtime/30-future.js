// The JavaScript face of a C future. A generator that yields it is resumed straight from the batch that settles it.

const STATE_PENDING = 0;
const STATE_FULFILLED = 1;
const STATE_REJECTED = 2;

// Runners resume with these modes; lib/runner.js hands its resume over.
const MODE_NEXT = 0;
const MODE_THROW = 1;
let resumeRun = () => {
  throw new Error('fibril: no runner is attached');
};

/**
 * A result that will be there, without a promise. `await` and `then` work; yielding it in co() or gen.coroutine() costs less.
 * Answers to Tornado's Future.
 */
class Future {
  constructor() {
    this.state = STATE_PENDING;
    this.value = undefined;
    this.run = null; // the first run that waits, with the async context of its wait
    this.resource = null;
    this.callbacks = null;
    this.slot = -1;
    this.read = false;
  }

  /** True once a result or an error is there. */
  done() {
    return this.state !== STATE_PENDING;
  }

  /** The result; throws the error of a failed future, and an Error with code 'FIBRIL_EPENDING' before it is done. */
  result() {
    if (this.state === STATE_REJECTED) throw this.exception();
    if (this.state === STATE_PENDING) throw pendingError();
    return this.value;
  }

  /** The error of a failed future, undefined for one with a result; throws like `result` before it is done. */
  exception() {
    if (this.state === STATE_PENDING) throw pendingError();
    this.read = true;
    return this.state === STATE_REJECTED ? this.value : undefined;
  }

  /** Calls `callback(future)` when done; at once when it is. In order of registration; an exception is uncaught. */
  addDoneCallback(callback) {
    if (typeof callback !== 'function') throw invalidType('"callback" argument', 'function', callback);
    if (this.state !== STATE_PENDING) {
      callback(this);
      return;
    }
    const resource = new AsyncResource('FIBRIL_FUTURE');
    (this.callbacks ??= []).push(() => resource.runInAsyncScope(callback, undefined, this));
  }

  /** Asks the C coroutine to end; the future then fails with code 'ECANCELED'. False when it is done. */
  cancel() {
    if (this.state !== STATE_PENDING) return false;
    if (this.slot >= 0) native.cancel(this.slot);
    return true;
  }

  then(onFulfilled, onRejected) {
    return promiseThen.call(this.#promise(), onFulfilled, onRejected);
  }

  catch(onRejected) {
    return this.then(undefined, onRejected);
  }

  finally(onFinally) {
    return this.#promise().finally(onFinally);
  }

  #promise() {
    this.read = true; // from here on it is the promise that tells of an error nobody awaits
    if (this.state === STATE_FULFILLED) return Promise.resolve(this.value);
    if (this.state === STATE_REJECTED) return Promise.reject(this.value);
    return new Promise((resolve) => {
      (this.callbacks ??= []).push(() => resolve(this.#promise()));
    });
  }

  // A runner's wait: resume(run, mode, value) once, in the async context of now.
  _wait(run) {
    const resource = new AsyncResource('FIBRIL_FUTURE');
    if (this.run === null && this.callbacks === null) {
      this.run = run;
      this.resource = resource;
    } else {
      (this.callbacks ??= []).push(() => resumeWaiter(this, resource, run));
    }
  }

  // From a batch, or from the call itself.
  settle(kind, value) {
    const { run, resource, callbacks } = this;
    this.slot = -1;
    this.state = kind < CALL_ERROR ? STATE_FULFILLED : STATE_REJECTED;
    this.value = kind === CALL_ERROR ? makeError(value, settle) : value;
    this.run = this.resource = this.callbacks = null;
    if (run !== null) resumeWaiter(this, resource, run);
    else if (this.state === STATE_REJECTED && !this.read) reportUnread(this);
    if (callbacks !== null) for (const callback of callbacks) runCallback(callback);
  }
}

function resumeWaiter(future, resource, run) {
  future.read = true;
  resource.runInAsyncScope(resumeRun, undefined, run, future.state === STATE_FULFILLED ? MODE_NEXT : MODE_THROW, future.value);
}

function pendingError() {
  const error = new Error('future is not done yet');
  error.code = 'FIBRIL_EPENDING';
  return error;
}

// One callback's exception must not keep the next from running.
function runCallback(callback) {
  try {
    callback();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

// An error that nobody has asked for by the end of this turn is an unhandled rejection, as a promise's would be.
function reportUnread(future) {
  setImmediate(() => {
    if (!future.read) Promise.reject(future.value);
  });
}
