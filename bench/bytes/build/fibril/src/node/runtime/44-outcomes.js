// What callers get: a promise or a Future, settled in the call or from a batch.

// A call whose result is converted, or that an AbortSignal can end. Its outcome is a promise's or a
// Future's.
class Call {
  constructor(resolve, future, convert, signal) {
    // Null once it is used: what it would be given after that would be a rejection that nobody can
    // handle.
    this.resolve = resolve;
    this.future = future;
    this.convert = convert;
    this.signal = signal;
  }

  // From here on the signal can end it; it may have been aborted by a function that C called.
  watch(slot) {
    try {
      watchSignal(this.signal, slot);
      if (this.signal.aborted) native.cancel(slot);
    } catch (error) {
      this.fail(error);
      native.cancel(slot);
    }
  }

  // The outcome, before the call has ended.
  fail(error) {
    const { resolve, future } = this;
    this.resolve = null;
    if (future !== null) future.settle(CALL_THROWN, error);
    else resolve(promiseReject(error));
  }

  settle(kind, value, slot) {
    const { resolve, future, convert, signal } = this;
    this.resolve = null;
    if (future !== null) {
      settleFuture(future, kind, value, convert, signal);
    } else if (resolve !== null) {
      resolve(kind < CALL_ERROR ? converted(convert, value) : failure(kind, value, signal));
    }
    if (signal !== undefined) unwatchSignal(signal, slot);
  }
}
keepShape(Call, new Call(null, null, undefined, undefined));

function settleFuture(future, kind, value, convert, signal) {
  if (kind >= CALL_ERROR) {
    const aborted = abortion(kind, value, signal);
    if (aborted === undefined) future.settle(kind, value);
    else future.settle(CALL_THROWN, aborted.error);
    return;
  }
  if (convert !== undefined) {
    kind = CALL_VALUE;
    try {
      value = convert(value);
    } catch (error) {
      kind = CALL_THROWN;
      value = error;
    }
  }
  future.settle(kind, value);
}

// A conversion that throws rejects.
function converted(convert, value) {
  try {
    return convert === undefined ? value : convert(value);
  } catch (error) {
    return promiseReject(error);
  }
}

function failure(kind, value, signal) {
  const aborted = abortion(kind, value, signal);
  return aborted === undefined ? rejection(kind, value) : promiseReject(aborted.error);
}

// A run that can be ended from outside notes the calls that its generator starts, whichever copy of
// fibril they belong to. The number is that of what note() takes; see COPIES.
const CALLS = SymbolFor('fibril.calls.1');
if (process[CALLS] === undefined) ObjectDefineProperty(process, CALLS, { value: { note: null } });
const calls = process[CALLS];

function noted(promise, slot) {
  if (calls.note === null) return promise;
  const target = targets[slot];
  calls.note(promise, () => {
    if (targets[slot] !== target) return false;
    native.cancel(slot);
    return true;
  });
  return promise;
}

// A function of its own: a closure in futureOutcome would cost every call a context.
function noteFuture(future) {
  calls.note(future, () => future.cancel());
}

// What the caller of a native function gets, after `value` has come back from it.
function outcome(slot, value) {
  const kind = status[STATUS_RESULT];
  if (kind === CALL_NUMBER) value = immediate[0];
  if (status[STATUS_TURN] !== 0) drainSoon();
  if (kind === CALL_PENDING) return noted(newPromise(slot), slot);
  giveSlot(slot);
  return kind < CALL_ERROR ? promiseResolve(value) : rejected(kind, value, outcome);
}

// The error of a call that failed at once is made in the call: its stack is the caller's.
function rejected(kind, value, above) {
  return promiseReject(kind === CALL_ERROR ? makeError(value, above) : value);
}

// The same for calls with a conversion or a signal.
function outcomeWith(slot, value, convert, signal) {
  const kind = status[STATUS_RESULT];
  if (kind === CALL_NUMBER) value = immediate[0];
  if (status[STATUS_TURN] !== 0) drainSoon();
  if (kind === CALL_PENDING) {
    const promise = newPromise(slot);
    const call = new Call(targets[slot], null, convert, signal);
    targets[slot] = call;
    if (signal !== undefined) call.watch(slot);
    return noted(promise, slot);
  }
  giveSlot(slot);
  if (kind >= CALL_ERROR) {
    const aborted = abortion(kind, value, signal);
    if (aborted !== undefined) return promiseReject(aborted.error);
    return rejected(kind, value, outcomeWith);
  }
  return promiseResolve(converted(convert, value));
}

// The same for a call under future(fn).
function futureOutcome(slot, value) {
  const kind = status[STATUS_RESULT];
  if (kind === CALL_NUMBER) value = immediate[0];
  if (status[STATUS_TURN] !== 0) drainSoon();
  const future = new Future();
  if (kind === CALL_PENDING) {
    future.slot = slot;
    targets[slot] = future;
    if (calls.note !== null) noteFuture(future);
  } else {
    giveSlot(slot);
    future.settle(kind, value);
  }
  return future;
}

// Both: what is cancelled by such a Future is the call, as with a plain one.
function futureOutcomeWith(slot, value, convert, signal) {
  const kind = status[STATUS_RESULT];
  if (kind === CALL_NUMBER) value = immediate[0];
  if (status[STATUS_TURN] !== 0) drainSoon();
  const future = new Future();
  if (kind === CALL_PENDING) {
    future.slot = slot;
    const call = new Call(null, future, convert, signal);
    targets[slot] = call;
    if (calls.note !== null) noteFuture(future);
    if (signal !== undefined) call.watch(slot);
  } else {
    giveSlot(slot);
    settleFuture(future, kind, value, convert, signal);
  }
  return future;
}

// What a native function that acts at once has come to. An error's stack begins below `above`.
function resultNow(value, above) {
  const kind = status[STATUS_RESULT];
  if (kind === CALL_NUMBER) value = immediate[0];
  if (status[STATUS_TURN] !== 0) drainSoon();
  if (kind >= CALL_ERROR) throw kind === CALL_ERROR ? makeError(value, above) : value;
  return value;
}
