// Futures, with the rules of src/core/future.c. A generator that yields one of a native call is resumed straight from the batch
// that settles it; what JavaScript settles never runs a generator inside.

const STATE_PENDING = 0;
const STATE_FULFILLED = 1;
const STATE_REJECTED = 2;

// Who settles it. JavaScript may be anywhere when it does: no generator runs inside.
const FROM_CALL = 0;
const BY_HAND = 1;
const CANCELLED = 2;

// Runners resume with these modes; lib/runner.js hands its resume over.
const MODE_NEXT = 0;
const MODE_THROW = 1;
let resumeRun = () => {
  throw new Error('fibril: no runner is attached');
};

// Whether a run that waits again in the scope of its last wait's AsyncResource may keep that: a new one costs 35 ns and more. Up to Node 22 it
// may: the resource then has what AsyncLocalStorage.enterWith() did inside. Looked at, not tried: there the first use of AsyncLocalStorage makes
// every promise of the process slower for good. Later contexts are frames that never change, and it may if the frame is the same.
const isUpToDate = '_enable' in AsyncLocalStorage.prototype ? () => true : new AsyncLocalStorage().run(true, frameComparison);

// Frames are Node's own; where a resource has none, or their class does not tell which is current, nothing is kept.
function frameComparison() {
  const resource = new AsyncResource('FIBRIL_FUTURE');
  for (const key of Object.getOwnPropertySymbols(resource)) {
    const Frame = resource[key]?.constructor;
    if (typeof Frame?.current === 'function' && Frame.current() === resource[key]) return (kept) => kept[key] === Frame.current();
  }
  return () => false;
}

/**
 * A result that will be there, without a promise: of a native call, or settled by whoever made it. `await` and `then` work; yielding
 * it in co() or gen.coroutine() costs less. Answers to Tornado's Future.
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
    this.origin = FROM_CALL;
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
    if (this.state !== STATE_PENDING && this.callbacks === null) {
      callback(this);
      return;
    }
    const resource = new AsyncResource('FIBRIL_FUTURE');
    this._whenDone(() => resource.runInAsyncScope(callback, undefined, this));
  }

  // A done callback that takes care of its async context itself.
  _whenDone(callback) {
    if (this.state === STATE_PENDING || this.callbacks !== null) (this.callbacks ??= []).push(callback);
    else callback();
  }

  /**
   * Settles it with a result, and calls the done callbacks before it returns. Throws an Error with code 'FIBRIL_EALREADY' when it is
   * done, and of a native call's future; after `cancel` it does nothing. Tornado: set_result.
   */
  setResult(value) {
    settleByHand(this, CALL_VALUE, value);
  }

  /** The same with an error, which comes out as the same object. Tornado: set_exception. */
  setException(error) {
    settleByHand(this, CALL_THROWN, error);
  }

  /**
   * Asks the C coroutine to end; the future then fails with code 'ECANCELED', as one without a coroutine does at once. False when it is
   * done.
   */
  cancel() {
    if (this.state !== STATE_PENDING) return false;
    if (this.slot >= 0) {
      native.cancel(this.slot);
      return true;
    }
    this.origin = CANCELLED;
    this.read = true; // who cancelled knows
    this.settle(CALL_THROWN, canceledError());
    return true;
  }

  /** True when `cancel` has settled it. Tornado: cancelled. */
  cancelled() {
    return this.origin === CANCELLED;
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
      this._whenDone(() => resolve(this.#promise()));
    });
  }

  // A runner's wait: resume(run, mode, value) once, in the async context of now.
  _wait(run) {
    const resource = run.resource !== null && isUpToDate(run.resource) ? run.resource : new AsyncResource('FIBRIL_FUTURE');
    if (this.run === null && this.callbacks === null) {
      this.run = run;
      this.resource = resource;
    } else {
      (this.callbacks ??= []).push(() => resumeWaiter(this, resource, run));
    }
  }

  // From a batch, or from the call itself.
  settle(kind, value) {
    if (this.state !== STATE_PENDING) return;
    const { run, resource } = this;
    this.slot = -1;
    this.state = kind < CALL_ERROR ? STATE_FULFILLED : STATE_REJECTED;
    this.value = kind === CALL_ERROR ? makeError(value, settle) : value;
    this.run = this.resource = null;
    if (run !== null) resumeWaiter(this, resource, run);
    else if (this.state === STATE_REJECTED && !this.read) reportUnread(this);
    if (this.callbacks !== null) runCallbacks(this);
  }
}

function resumeWaiter(future, resource, run) {
  future.read = true;
  if (future.origin !== FROM_CALL) promiseThen.call(resolved, () => resumeNow(future, resource, run));
  else resumeNow(future, resource, run);
}

function resumeNow(future, resource, run) {
  const mode = future.state === STATE_FULFILLED ? MODE_NEXT : MODE_THROW;
  run.resource = resource;
  resource.runInAsyncScope(resumeRun, undefined, run, mode, future.value);
  run.resource = null;
}

function settleByHand(future, kind, value) {
  if (future.origin === CANCELLED) return;
  if (future.state !== STATE_PENDING) throw futureError('FIBRIL_EALREADY', 'future is settled already');
  if (future.slot >= 0) throw futureError('FIBRIL_EALREADY', 'the future of a native call is settled by that call');
  future.origin = BY_HAND;
  future.settle(kind, value);
}

// Futures whose callbacks are to run: in the order that recursion would have, without it, as run_callbacks in src/core/future.c.
const settling = []; // the innermost last, each followed by how many of its callbacks have been called
const justSettled = []; // by the callback that runs now
let runningCallbacks = false;

function runCallbacks(settled) {
  justSettled.push(settled);
  if (runningCallbacks) return;
  runningCallbacks = true;
  do {
    while (justSettled.length > 0) settling.push(justSettled.pop(), 0);
    const future = settling.at(-2);
    const called = settling.at(-1);
    if (called < future.callbacks.length) {
      settling[settling.length - 1]++;
      runCallback(future.callbacks[called]);
    } else {
      future.callbacks = null;
      settling.length -= 2;
    }
  } while (settling.length > 0 || justSettled.length > 0);
  runningCallbacks = false;
}

function futureError(code, message) {
  const error = new Error(message);
  error.code = code;
  return error;
}

function pendingError() {
  return futureError('FIBRIL_EPENDING', 'future is not done yet');
}

function canceledError() {
  return makeError({ code: 'ECANCELED', message: 'operation canceled', errno: -osConstants.errno.ECANCELED }, canceledError);
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
