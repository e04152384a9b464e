// One listener a signal, however many calls it can end: Node warns of the eleventh.
const watchedSlots = new WeakMap();

function watchSignal(signal, slot) {
  let watch = watchedSlots.get(signal);
  if (watch === undefined) {
    const slotsOfSignal = new Set();
    const listener = () => {
      for (const pending of slotsOfSignal) native.cancel(pending);
    };
    watch = { slots: slotsOfSignal, listener };
    watchedSlots.set(signal, watch);
    signal.addEventListener('abort', listener, { once: true });
  }
  watch.slots.add(slot);
}

function unwatchSignal(signal, slot) {
  const watch = watchedSlots.get(signal);
  watch.slots.delete(slot);
  if (watch.slots.size > 0) return;
  watchedSlots.delete(signal);
  signal.removeEventListener('abort', watch.listener);
}

// A call whose result is converted, or that an AbortSignal can end.
class Call {
  constructor(resolve, convert, signal) {
    this.resolve = resolve;
    this.convert = convert;
    this.signal = signal;
    this.slot = -1; // while the signal is watched
  }

  watch(slot) {
    this.slot = slot;
    watchSignal(this.signal, slot);
  }

  settle(kind, value) {
    const { signal, convert, resolve } = this;
    if (signal !== undefined) unwatchSignal(signal, this.slot);
    if (kind >= CALL_ERROR) resolve(failure(kind, value, signal));
    else if (convert === undefined) resolve(value);
    else resolve(converted(convert, value));
  }
}

// A conversion that throws rejects.
function converted(convert, value) {
  try {
    return convert(value);
  } catch (error) {
    return Promise.reject(error);
  }
}

function failure(kind, value, signal) {
  if (kind === CALL_ERROR && signal !== undefined && signal.aborted && value?.code === 'ECANCELED') {
    return Promise.reject(new AbortError(signal.reason));
  }
  return rejection(kind, value);
}

// A run that can be ended from outside notes the calls that its generator starts, whichever copy of fibril they belong to.
const CALLS = Symbol.for('fibril.calls');
if (process[CALLS] === undefined) Object.defineProperty(process, CALLS, { value: { note: null } });
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
  const kind = status[RESULT];
  if (status[TURN] !== 0) drainSoon();
  if (kind === CALL_PENDING) return noted(newPromise(slot), slot);
  freeSlots.push(slot);
  if (kind === CALL_NUMBER) value = immediate[0];
  return kind < CALL_ERROR ? Promise.resolve(value) : rejected(kind, value, outcome);
}

// The error of a call that failed at once is made in the call: its stack is the caller's.
function rejected(kind, value, above) {
  return Promise.reject(kind === CALL_ERROR ? makeError(value, above) : value);
}

// The same for calls with a conversion or a signal.
function outcomeWith(slot, value, convert, signal) {
  const kind = status[RESULT];
  if (status[TURN] !== 0) drainSoon();
  if (kind === CALL_PENDING) {
    const promise = newPromise(slot);
    const call = new Call(targets[slot], convert, signal);
    targets[slot] = call;
    if (signal !== undefined) call.watch(slot);
    if (signal?.aborted) native.cancel(slot); // by a function that C called: the listener hears of nothing any more
    return noted(promise, slot);
  }
  freeSlots.push(slot);
  if (kind >= CALL_ERROR) return rejected(kind, value, outcomeWith);
  if (kind === CALL_NUMBER) value = immediate[0];
  return Promise.resolve(convert === undefined ? value : converted(convert, value));
}

// The same for a call under future(fn).
function futureOutcome(slot, value) {
  const kind = status[RESULT];
  if (status[TURN] !== 0) drainSoon();
  const future = new Future();
  if (kind === CALL_PENDING) {
    future.slot = slot;
    targets[slot] = future;
    if (calls.note !== null) noteFuture(future);
  } else {
    freeSlots.push(slot);
    future.settle(kind, kind === CALL_NUMBER ? immediate[0] : value);
  }
  return future;
}

// settle(count, values): what C calls with a batch of settled futures.
function settle(count, values) {
  for (let i = 0; i < count; i++) {
    const slot = slots[i];
    const kind = kinds[i];
    const target = targets[slot];
    targets[slot] = undefined;
    freeSlots.push(slot);
    let value;
    if (kind === CALL_NUMBER) value = numbers[i];
    else if (kind !== CALL_UNDEFINED) value = values?.[i];
    if (typeof target !== 'function') target.settle(kind, value);
    else if (kind < CALL_ERROR) target(value);
    else target(rejection(kind, value));
  }
}

// ---- The functions that users call ----

// Of a wrapped function: the native one; and, where there is nothing else to it, how many arguments that takes.
const exported = new WeakMap();
const plainCounts = new WeakMap();

// Set while future(fn) calls fn. The first native call takes it: other calls, of JavaScript that runs inside that one too, give
// promises.
let wantsFuture = false;

function takesFuture() {
  if (!wantsFuture) return false;
  wantsFuture = false;
  return true;
}

// By number of arguments: the slot is taken, C runs the coroutine to its first wait, and the promise is made after that. Evaluated anew
// for every exported function: V8 then sees one callee at the call of `entry` and calls it without its generic path.
function wrapper(entry, count, words, slotWord, runtime) {
  const { take, takesFutures, promiseFor, futureFor } = runtime;
  switch (count) {
    case 0:
      return function () {
        const slot = words[slotWord] = take();
        return takesFutures() ? futureFor(slot, entry()) : promiseFor(slot, entry());
      };
    case 1:
      return function (a) {
        const slot = words[slotWord] = take();
        return takesFutures() ? futureFor(slot, entry(a)) : promiseFor(slot, entry(a));
      };
    case 2:
      return function (a, b) {
        const slot = words[slotWord] = take();
        return takesFutures() ? futureFor(slot, entry(a, b)) : promiseFor(slot, entry(a, b));
      };
    default:
      return function (...args) {
        const slot = words[slotWord] = take();
        return takesFutures() ? futureFor(slot, entry(...args)) : promiseFor(slot, entry(...args));
      };
  }
}

const wrapperText = `(${wrapper})\n//# sourceURL=fibril:call\n`;

function wrapPlain(entry, count, takesFutures = takesFuture) {
  const fresh = native.evaluate(wrapperText);
  return fresh(entry, count, status, SLOT, { take: takeSlot, takesFutures, promiseFor: outcome, futureFor: futureOutcome });
}

function always() {
  return true;
}

function isSignal(value) {
  return value !== null && typeof value === 'object' && typeof value.addEventListener === 'function' && 'aborted' in value;
}

function wrapWithSignal(entry, index, key) {
  return function (...args) {
    const holder = args[index];
    let signal;
    try {
      signal = key === '' ? holder : holder?.[key];
    } catch (error) {
      return Promise.reject(error);
    }
    return callWith(entry, undefined, signal, args, key === '' ? 'signal' : `options.${key}`, this);
  };
}

function callWith(entry, convert, signal, args, name = 'options.signal', receiver = undefined) {
  if (signal !== undefined) {
    if (!isSignal(signal)) {
      const label = name.includes('.') ? `"${name}" property` : `"${name}" argument`;
      return Promise.reject(invalidType(label, 'AbortSignal', signal));
    }
    if (signal.aborted) return Promise.reject(new AbortError(signal.reason));
  }
  const plain = convert === undefined && signal === undefined;
  const slot = status[SLOT] = takeSlot();
  if (takesFuture() && plain) return futureOutcome(slot, entry.apply(receiver, args));
  return outcomeWith(slot, entry.apply(receiver, args), convert, signal);
}

function describe(fn, name, length) {
  Object.defineProperty(fn, 'name', { value: name, configurable: true });
  Object.defineProperty(fn, 'length', { value: length, configurable: true });
}

// C gets the arguments that are left as one array. `count` is then negative: as ~count says, so many come before.
function gathered(entry, count) {
  if (count >= 0) return entry;
  return function (...args) {
    return entry.apply(this, Array.from({ length: ~count + 1 }, (_, i) => (i === ~count ? args.slice(i) : args[i])));
  };
}

// wrap(entry, name, required, count, index, key): the function that goes on the exports. `index`: of the argument that is an
// AbortSignal or has one as its property `key`; -1 for none.
function wrap(begin, name, required, count, index, key) {
  const entry = gathered(begin, count);
  const wrapped = index >= 0 ? wrapWithSignal(entry, index, key) : wrapPlain(entry, count);
  describe(wrapped, name, required);
  exported.set(wrapped, entry);
  if (index < 0) plainCounts.set(wrapped, count);
  return wrapped;
}

/**
 * Makes a function that calls native code return a Future instead of a promise: `yield` of it in co() needs no promise at all.
 * Works for every function of this copy of fibril that starts a native call before it returns.
 */
function returnFuture(fn) {
  if (typeof fn !== 'function') throw invalidType('"fn" argument', 'function', fn);
  const count = plainCounts.get(fn);
  const made = count === undefined ? futureOfCall(fn) : wrapPlain(exported.get(fn), count, always);
  Object.defineProperty(made, 'name', { value: fn.name, configurable: true });
  return made;
}

function futureOfCall(fn) {
  return function (...args) {
    let result;
    wantsFuture = true;
    try {
      result = fn.apply(this, args);
    } finally {
      wantsFuture = false;
    }
    return result instanceof Future ? result : futureOf(result);
  };
}

function futureOf(promise) {
  const result = new Future();
  Promise.resolve(promise).then(
    (value) => result.settle(CALL_VALUE, value),
    (error) => result.settle(CALL_THROWN, error)
  );
  return result;
}

// ---- C calls JavaScript ----

function bind() {
  return new AsyncResource('FIBRIL_CALL');
}

// invoke(fn, resource, args, id): true when complete(id) follows; else the result is in args[0]. A thenable's own code runs in the
// function's async context, too.
function invoke(fn, resource, args, id) {
  return resource === undefined ? callAndFollow(fn, args, id) : resource.runInAsyncScope(callAndFollow, undefined, fn, args, id);
}

function isThenable(value) {
  return value !== null && (typeof value === 'object' || typeof value === 'function') && typeof value.then === 'function';
}

function callAndFollow(fn, args, id) {
  const result = fn(...args);
  if (isThenable(result)) {
    Promise.resolve(result).then((value) => complete(id, false, value), (error) => complete(id, true, error));
    return true;
  }
  args[0] = result;
  return false;
}

// forget(fn, resource, args, id): nobody takes the result; what is thrown is an uncaught exception, what is rejected an unhandled
// rejection. True when complete(id) follows.
function forget(fn, resource, args, id) {
  return resource === undefined ? callAndForget(fn, args, id) : resource.runInAsyncScope(callAndForget, undefined, fn, args, id);
}

function callAndForget(fn, args, id) {
  try {
    const result = fn(...args);
    if (id < 0 || !isThenable(result)) return false;
    Promise.resolve(result).then(() => complete(id, false), (error) => {
      complete(id, false);
      throw error;
    });
    return true;
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
    return false;
  }
}

function complete(id, failed, value) {
  native.complete(id, failed, value);
  if (status[TURN] !== 0) drainSoon();
}

// The signatures of an addon, for tools, which find them under this symbol.
function publish(exports) {
  Object.defineProperty(exports, Symbol.for('fibril.signatures'), { get: native.signatures });
}

// C calls this for what it keeps; `api` is what lib/ uses.
function createRuntime() {
  const api = {
    Future,
    future: returnFuture,
    makeError,
    codedError,
    invalidType,
    badArgument,
    inspect: inspectAll,
    reportLeaks,
    createRunner: native.createRunner,
    createLoop: native.createLoop,
    // start(fn, args, convert, signal): calls an exported function; `convert` makes the result of what C gave.
    start: (fn, args, convert, signal) => callWith(exported.get(fn), convert, signal, args),
    attachRunner: (resume) => {
      resumeRun = resume;
    },
  };
  return {
    wrap, wrapGenerator, wrapAsyncGenerator, createClass, addMethod, addGetter, settle, invoke, forget, bind, toPath, badArgument, publish,
    objectMaker, api,
    makeError: nestedError,
  };
}
