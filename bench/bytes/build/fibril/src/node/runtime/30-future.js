// Futures, with the rules of src/core/future/future.c. A generator that yields one of a native call
// is resumed straight from the batch that settles it; what JavaScript settles never runs a
// generator inside.

const STATE_PENDING = 0;
const STATE_FULFILLED = 1;
const STATE_REJECTED = 2;

// Who settles it. JavaScript may be anywhere when it does: no generator runs inside.
const FROM_CALL = 0;
const BY_HAND = 1;
const CANCELLED = 2;
const CANCELLING = 3; // a call that was asked to end,
const CALL_CANCELLED = 4; // and has

// lib/features.js hands over how it resumes a run, and the modes for a result and an error.
let resumeRun = () => {
  throw new Error('fibril: no runner is attached');
};
let MODE_NEXT;
let MODE_THROW;

function attachRunner(resume, modes) {
  resumeRun = resume;
  ({ NEXT: MODE_NEXT, THROW: MODE_THROW } = modes);
}

// Whether a run that waits again in the scope of its last wait's AsyncResource may keep that: a new
// one costs 35 ns and more. Up to Node 22 it may: the resource then has what
// AsyncLocalStorage.enterWith() did inside. Looked at, not tried: there the first use of
// AsyncLocalStorage makes every promise of the process slower for good. Later contexts are frames
// that never change, and it may if the frame is the same.
const isUpToDate = '_enable' in AsyncLocalStorage.prototype
  ? () => true
  : new AsyncLocalStorage().run(true, frameComparison);

// Frames are Node's own; where a resource has none, or their class does not tell which is current,
// nothing is kept.
function frameComparison() {
  const resource = new AsyncResource('FIBRIL_FUTURE');
  for (const key of ObjectGetOwnPropertySymbols(resource)) {
    const Frame = resource[key]?.constructor;
    if (typeof Frame?.current === 'function' && Frame.current() === resource[key]) {
      return (kept) => kept[key] === Frame.current();
    }
  }
  return () => false;
}

// Domains have a hook that gives each resource a property; without one, both are undefined or null.
function isOfDomain(resource) {
  return (resource.domain ?? null) === (process.domain ?? null);
}

/**
 * A result that will be there, without a promise: of a native call, or settled by whoever made it.
 * `await` and `then` work; yielding it in co() or gen.coroutine() costs less. Answers to Tornado's
 * Future.
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
    this.unread = null; // once it has failed unread: what is reported when it is collected
    this.origin = FROM_CALL;
  }

  /** True once a result or an error is there. */
  done() {
    return this.state !== STATE_PENDING;
  }

  /**
   * The result; throws the error of a failed future, and an Error with code 'FIBRIL_EPENDING'
   * before it is done.
   */
  result() {
    if (this.state === STATE_REJECTED) throw this.exception();
    if (this.state === STATE_PENDING) throw pendingError();
    return this.value;
  }

  /**
   * The error of a failed future, undefined for one with a result; throws like `result` before it
   * is done.
   */
  exception() {
    if (this.state === STATE_PENDING) throw pendingError();
    this._markRead();
    return this.state === STATE_REJECTED ? this.value : undefined;
  }

  /**
   * Calls `callback(future)` when done; at once when it is. In order of registration; an exception
   * is uncaught.
   */
  addDoneCallback(callback) {
    if (typeof callback !== 'function') {
      throw invalidType('"callback" argument', 'function', callback);
    }
    if (this.state !== STATE_PENDING) {
      callback(this);
      return;
    }
    const resource = new AsyncResource('FIBRIL_FUTURE');
    this._whenDone(() => resource.runInAsyncScope(runDoneCallback, undefined, callback, this));
  }

  // A done callback that takes care of its async context itself.
  _whenDone(callback) {
    if (this.state === STATE_PENDING) (this.callbacks ??= []).push(callback);
    else callback();
  }

  // Somebody will see its error, or has.
  _markRead() {
    this.read = true;
    if (this.unread !== null) forgetUnread(this);
  }

  /**
   * Settles it with a result, and calls the done callbacks before it returns. Throws an Error with
   * code 'FIBRIL_EALREADY' when it is done, and of a native call's future; after `cancel` it does
   * nothing. Tornado: set_result.
   */
  setResult(value) {
    settleByHand(this, CALL_VALUE, value);
  }

  /** The same with an error, which comes out as the same object. Tornado: set_exception. */
  setException(error) {
    settleByHand(this, CALL_THROWN, error);
  }

  /**
   * Asks the C coroutine to end; the future then fails with code 'ECANCELED', as one without a
   * coroutine does at once. False when it is done.
   */
  cancel() {
    if (this.state !== STATE_PENDING) return false;
    if (this.slot >= 0) {
      this.origin = CANCELLING;
      native.cancel(this.slot);
      return true;
    }
    this.origin = CANCELLED;
    this._markRead(); // who cancelled knows
    this.settle(CALL_THROWN, canceledError());
    return true;
  }

  /**
   * True when `cancel` has settled it, or the call that it asked to end has failed with
   * 'ECANCELED'. Tornado: cancelled.
   */
  cancelled() {
    return this.origin === CANCELLED || this.origin === CALL_CANCELLED;
  }

  then(onFulfilled, onRejected) {
    return promiseThen.call(this.#promise(), onFulfilled, onRejected);
  }

  catch(onRejected) {
    return this.then(undefined, onRejected);
  }

  finally(onFinally) {
    return promiseFinally.call(this.#promise(), onFinally);
  }

  toString() {
    return inspect(this);
  }

  [inspect.custom](depth, options) {
    return showFuture(this, depth, options);
  }

  #promise() {
    this._markRead(); // from here on it is the promise that tells of an error nobody awaits
    if (this.state === STATE_FULFILLED) return promiseResolve(this.value);
    if (this.state === STATE_REJECTED) return promiseReject(this.value);
    return new NativePromise((resolve) => {
      this._whenDone(() => resolve(this.#promise()));
    });
  }

  // A runner's wait: resume(run, mode, value) once, in the async context of now.
  _wait(run) {
    const kept = run.resource;
    const keeps = kept !== null && isUpToDate(kept) && isOfDomain(kept);
    const resource = keeps ? kept : new AsyncResource('FIBRIL_FUTURE');
    if (this.state !== STATE_PENDING) { // a hook that heard of the resource has settled it
      this._markRead();
      soon(() => resumeNow(this, resource, run));
      return;
    }
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
    if (this.origin === CANCELLING) answerCancel(this, kind, value);
    this.slot = -1;
    this.state = kind < CALL_ERROR ? STATE_FULFILLED : STATE_REJECTED;
    this.value = kind === CALL_ERROR ? makeError(value, settle) : value;
    this.run = this.resource = null;
    if (run !== null) resumeWaiter(this, resource, run);
    if (this.callbacks !== null) runCallbacks(this);
    if (this.state === STATE_REJECTED && !this.read) keepUnread(this);
  }
}
keepShape(Future, new Future());

// A call that was asked to end may have completed, or failed otherwise, all the same.
function answerCancel(future, kind, value) {
  const ended = kind === CALL_ERROR && value?.code === 'ECANCELED';
  future.origin = ended ? CALL_CANCELLED : FROM_CALL;
  if (ended) future._markRead(); // who cancelled knows
}

function resumeWaiter(future, resource, run) {
  future._markRead();
  if (future.origin === BY_HAND || future.origin === CANCELLED) {
    soon(() => resumeNow(future, resource, run));
  } else {
    resumeNow(future, resource, run);
  }
}

function resumeNow(future, resource, run) {
  const mode = future.state === STATE_FULFILLED ? MODE_NEXT : MODE_THROW;
  run.resource = resource;
  resource.runInAsyncScope(resumeRun, undefined, run, mode, future.value);
  run.resource = null;
}

function settleByHand(future, kind, value) {
  if (future.origin === CANCELLED) return;
  if (future.state !== STATE_PENDING) throw alreadyError('future is settled already');
  if (future.slot >= 0) throw alreadyError('the future of a native call is settled by that call');
  future.origin = BY_HAND;
  future.settle(kind, value);
}

// A future's callbacks run inside whatever settles it, those of other callbacks too. Python's stack
// would end at about as many levels; here those that settle each other more deeply take turns, in
// the order of recursion as far as nothing follows a setResult.
const NESTING_MAX = 250;
let nesting = 0;

function runCallbacks(future) {
  const { callbacks } = future;
  future.callbacks = null;
  if (nesting === NESTING_MAX) {
    runInTurns(callbacks);
    return;
  }
  nesting++;
  for (let i = 0; i < callbacks.length; i++) runCallback(callbacks[i]);
  nesting--;
}

// Lists of callbacks, the innermost last, each followed by how many of them have been called.
const settling = [];
const justSettled = []; // lists of what the callback that runs now has settled
let takingTurns = false;

function runInTurns(list) {
  justSettled.push(list);
  if (takingTurns) return;
  takingTurns = true;
  do {
    while (justSettled.length > 0) settling.push(justSettled.pop(), 0);
    const callbacks = settling.at(-2);
    const called = settling.at(-1);
    if (called < callbacks.length) {
      settling[settling.length - 1]++;
      runCallback(callbacks[called]);
    } else {
      settling.length -= 2;
    }
  } while (settling.length > 0 || justSettled.length > 0);
  takingTurns = false;
}

function futureError(code, message) {
  const error = new Error(message);
  define(error, 'code', code);
  return error;
}

function alreadyError(message) {
  return futureError('FIBRIL_EALREADY', message);
}

function pendingError() {
  return futureError('FIBRIL_EPENDING', 'future is not done yet');
}

function canceledError() {
  const errno = -osConstants.errno.ECANCELED;
  return makeError({ code: 'ECANCELED', message: 'operation canceled', errno }, canceledError);
}

// One callback's exception must not keep the next from running.
function runCallback(callback) {
  try {
    callback();
  } catch (error) {
    throwSoon(error);
  }
}

// The same in the callback's async context, where a domain may wait for it.
function runDoneCallback(callback, future) {
  try {
    callback(future);
  } catch (error) {
    throwSoon(error);
  }
}

// ---- What nobody has asked for ----

// An error that nobody has asked for by the time its future is collected, or the thread ends, is an
// unhandled rejection then: a future may be kept and fail long before it is yielded. These hold the
// errors, and not the futures.
const unread = new Set();
const lost = new FinalizationRegistry(reportUnread);

function keepUnread(future) {
  const record = { error: future.value };
  future.unread = record;
  unread.add(record);
  lost.register(future, record, record);
}

function forgetUnread(future) {
  const { unread: record } = future;
  future.unread = null;
  unread.delete(record);
  lost.unregister(record);
}

function reportUnread(record) {
  if (unread.delete(record)) promiseReject(record.error);
}

// The loop has run dry.
function reportAllUnread() {
  for (const record of unread) reportUnread(record);
}

// process.exit(): there is no turn left for an unhandled rejection.
function writeUnread() {
  for (const { error } of unread) {
    writeError(`fibril: nobody has asked for the error of a Future: ${describeValue(error)}\n`);
  }
  unread.clear();
}

function writeError(text) {
  try {
    writeSync(2, text);
  } catch {
    // There is nobody to tell.
  }
}

// ---- How one prints ----

const STATES = ['pending', 'fulfilled', 'rejected'];
const shown = new Set(); // those that are being printed: one may be in its own result

/**
 * How console.log and String() show a future, as locks and queues: its name and what is known of
 * it.
 */
function showFuture(future, depth, options) {
  const name = future.constructor?.name ?? 'Future';
  if (shown.has(future)) return `${name} [Circular]`;
  if (depth < 0) return `[${name}]`;
  shown.add(future);
  try {
    const { state, value } = future;
    const what = { state: STATES[state] };
    if (state === STATE_FULFILLED) what.value = value;
    if (state === STATE_REJECTED) what.error = value;
    return `${name} ${inspect(what, { ...options, depth })}`;
  } finally {
    shown.delete(future);
  }
}
