'use strict';

/*
 * Tornado's gen for JavaScript: coroutines whose calls are Futures. The Runner is co's; what is different is what may be yielded and that a
 * coroutine which waits for a Future goes on in a later iteration of the loop.
 */

const { AsyncResource } = require('node:async_hooks');
const { inspect } = require('node:util');
const binding = require('./binding.js');
const converters = require('./converters.js');
const { TimeoutError } = require('./errors.js');
const { IOLoop, checkTime, nextIteration } = require('./ioloop.js');
const { Run, resumeRun } = require('./runner.js');
const traces = require('./traces.js');
const { NEXT, RUN, THROW, alreadyRunning, isDriven, isGenerator, isThenable } = require('./yieldable.js');

const { Future, future: toFuture, invalidType } = binding.runtime;

const futureThen = Future.prototype.then;

/** `throw new gen.Return(value)` ends a coroutine with a result, as `return value` does. Tornado: gen.Return. */
class Return extends Error {
  constructor(value) {
    super('gen.Return outside of a coroutine');
    this.name = 'Return';
    this.value = value;
  }
}

/** Thrown at the yield of what cannot be waited for. Tornado: BadYieldError. */
class BadYieldError extends TypeError {
  constructor(value) {
    super(`yielded unknown object ${inspect(value, { depth: 0, breakLength: Infinity })}`);
    this.name = 'BadYieldError';
    this.code = 'FIBRIL_EBADYIELD';
  }
}

function doneFuture(value) {
  const future = new Future();
  future.setResult(value);
  return future;
}

/** A failed future whose error somebody is about to see. */
function failedFuture(error) {
  const future = new Future();
  future.read = true;
  future.setException(error);
  return future;
}

/** An error that nobody waits for any more: a warning, which process.on('warning') hears. */
function logError(message, code, error) {
  process.emitWarning(message, { code, detail: error instanceof Error ? error.stack : inspect(error) });
}

function isQuiet(error, classes) {
  return classes !== undefined && [classes].flat().some((Class) => error instanceof Class);
}

/** Whether somebody has cancelled a future, or the native call behind it: that is no error to report. */
function isCanceled(future) {
  return future.cancelled() || future.value?.code === 'ECANCELED';
}

/** Copies the outcome of a future that is done to one that is not. */
function copyOutcome(from, to) {
  const error = from.exception();
  if (error === undefined && from.state === 1) to.setResult(from.value);
  else to.setException(error);
}

/** Copies the outcome of a future or a promise to `to` when it is there, unless that is done by then; returns `to`. Tornado: chain_future. */
function chainFuture(from, to) {
  const source = asFuture(from);
  source.read = true;
  source._whenDone(() => {
    if (!to.done()) copyOutcome(source, to);
  });
  return to;
}

// ---- What may be yielded ----

/** Waits one iteration of the loop, I/O included: `yield gen.moment`, `await gen.moment`. Tornado: gen.moment. */
const moment = Object.freeze({
  then(onFulfilled) {
    nextIteration(() => onFulfilled(undefined));
  },
});

/**
 * The Future of anything that may be yielded: a Future, a promise or another thenable, an array or plain object of such values, a generator
 * (which is started); `gen.moment` for undefined and null. Everything else throws BadYieldError. Tornado: convert_yielded.
 */
function convertYielded(value) {
  if (value === undefined || value === null || value === moment) return moment;
  if (value instanceof Future) return value;
  if (isThenable(value)) return toFuture(() => value)();
  if (typeof value === 'object') {
    if (isGenerator(value)) return inOwnContext(driveShared, value);
    if (Array.isArray(value) || value.constructor === Object) return multi(value);
  }
  const convert = converters.of(value);
  if (convert === undefined) throw new BadYieldError(value);
  const converted = convert(value);
  if (converters.of(converted) === convert) throw new BadYieldError(converted);
  return convertYielded(converted);
}

/** Has instances of a class converted when they are yielded, in gen and in co. Tornado: convert_yielded.register. */
convertYielded.register = converters.register;

/** convertYielded for those who need a Future whatever comes: the moment is over. */
function asFuture(value) {
  const future = convertYielded(value);
  return future === moment ? doneFuture(undefined) : future;
}

/**
 * A Future of all results, an array or an object like `children`. It is done when all of them are; the first error in the order of the list
 * is its own, and the others become warnings, but for those of the classes in `quietExceptions`. Tornado: gen.multi.
 */
function multi(children, { quietExceptions } = {}) {
  const keys = Array.isArray(children) ? null : Object.keys(children);
  const futures = startMembers(children, keys === null ? [...children] : keys.map((key) => children[key]));
  const result = new Future();
  let pending = futures.length;
  const finish = () => {
    if (!result.done()) settleMulti(result, keys, futures, quietExceptions);
  };
  if (pending === 0) finish();
  for (const future of futures) {
    future.read = true;
    future._whenDone(() => {
      if (--pending === 0) finish();
    });
  }
  return result;
}

const starting = []; // the lists and objects around the one whose members are being started

/** The Futures of the members. One that the list is a member of itself, however deeply, would have no end. */
function startMembers(children, members) {
  if (starting.includes(children)) throw new BadYieldError(children);
  starting.push(children);
  try {
    return members.map(asFuture);
  } finally {
    starting.pop();
  }
}

function settleMulti(result, keys, futures, quiet) {
  const errors = futures.filter((future) => future.state === 2).map((future) => future.value);
  for (const error of errors.slice(1)) {
    if (!isQuiet(error, quiet)) logError('Multiple exceptions in yield list', 'FIBRIL_MULTIPLE_EXCEPTIONS', error);
  }
  if (errors.length > 0) {
    result.setException(errors[0]);
    return;
  }
  const values = futures.map((future) => future.value);
  result.setResult(keys === null ? values : Object.fromEntries(keys.map((key, i) => [key, values[i]])));
}

// ---- Coroutines ----

/** A wait that ends in a later iteration. To the Runner it is a Future that is not done. */
class LoopWait {
  constructor(future) {
    this.future = future; // null: nothing but the iteration
  }

  _wait(run) {
    const { future } = this;
    const resource = new AsyncResource('FIBRIL_WAIT');
    const resume = () => {
      const mode = future === null || future.state === 1 ? NEXT : THROW;
      resource.runInAsyncScope(resumeRun, undefined, run, mode, future?.value);
    };
    if (future === null) {
      nextIteration(resume);
      return;
    }
    future.read = true;
    future._whenDone(() => nextIteration(resume));
  }
}
LoopWait.prototype.then = futureThen;
LoopWait.prototype.state = 0;

const momentWait = new LoopWait(null);

/** What the Runner waits for. A promise is V8's to wake; a native call's Future wakes its waiters from the loop already. */
function waitFor(yielded) {
  if (yielded instanceof Promise) return yielded;
  const future = convertYielded(yielded);
  if (future === moment) return momentWait;
  return future.state !== 0 || future.slot >= 0 ? future : new LoopWait(future);
}

/** The end of a generator that has thrown. */
function returned(error) {
  if (error instanceof Return) return { done: true, value: error.value };
  throw error;
}

/** A generator whose yields follow Tornado's rules, for co's Runner. */
class Coroutine {
  constructor(generator) {
    this.generator = generator;
  }

  next(value) {
    return this.#step(this.generator.next, value);
  }

  throw(error) {
    if (traces.on) traces.add(error, this.generator);
    return this.#step(this.generator.throw, error);
  }

  #step(method, value) {
    let result;
    try {
      result = method.call(this.generator, value);
    } catch (error) {
      return returned(error);
    }
    if (result.done) return result;
    // An async generator's answer: what it yields, its own promise has waited for.
    if (result instanceof Promise) return result.catch(returned);
    try {
      return { done: false, value: waitFor(result.value) };
    } catch (error) {
      return { done: false, value: failedFuture(error) };
    }
  }
}

/** Where a run leaves its outcome. */
class Outcome {
  constructor(future) {
    this.future = future;
  }

  settle(mode, value) {
    const { future } = this;
    if (future.done()) return;
    if (mode === THROW) future.setException(value);
    else if (value === future) future.setException(new TypeError('A coroutine cannot return its own Future'));
    else if (isThenable(value)) chainFuture(value, future);
    else future.setResult(value);
  }
}

/** Runs a generator to its first wait and returns the Future of its result. */
function drive(generator) {
  const future = new Future();
  const run = new Run(new Coroutine(generator), false, undefined);
  run.slot = new Outcome(future);
  run.start();
  return future;
}

/** The same for a generator that others may hold: two runs of it, of co's too, would take each other's results. */
function driveShared(generator) {
  if (isDriven(generator)) throw alreadyRunning();
  const mark = { gen: generator, parents: null };
  try {
    generator[RUN] = mark;
  } catch {
    // A frozen generator cannot be marked, and is run all the same.
  }
  const future = drive(generator);
  future._whenDone(() => {
    mark.gen = null;
  });
  return future;
}

/** The Future of one call of a function that gen.coroutine has wrapped. */
function begin(fn, self, args) {
  let result;
  try {
    result = fn.apply(self, args);
  } catch (error) {
    const future = new Future();
    new Outcome(future).settle(...(error instanceof Return ? [NEXT, error.value] : [THROW, error]));
    return future;
  }
  if (result !== null && typeof result === 'object' && isGenerator(result)) return drive(result);
  if (result instanceof Future) return result;
  return isThenable(result) ? asFuture(result) : doneFuture(result);
}

/** Calls a function in a copy of the async context: what a coroutine enters there in its first segment does not become its caller's. */
function inOwnContext(fn, ...args) {
  return new AsyncResource('FIBRIL_COROUTINE').runInAsyncScope(fn, undefined, ...args);
}

const COROUTINE = Symbol('fibril.coroutine');

/**
 * Makes a function whose calls are coroutines: each runs up to its first wait and returns a Future of what the generator returns or throws.
 * A function that is no generator works too: its result, or what it throws, is in a Future that is done. `this` and arguments are the call's;
 * the function itself is the property `__wrapped__`. What AsyncLocalStorage.enterWith() does inside is not seen outside.
 * Tornado: gen.coroutine.
 */
function coroutine(fn) {
  if (typeof fn !== 'function') throw invalidType('"fn" argument', 'function', fn, coroutine);
  const wrapped = function (...args) {
    return inOwnContext(begin, fn, this, args);
  };
  Object.defineProperties(wrapped, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
    __wrapped__: { value: fn, configurable: true },
    [COROUTINE]: { value: true },
  });
  return wrapped;
}

/** Whether gen.coroutine made the function. Tornado: is_coroutine_function. */
function isCoroutineFunction(fn) {
  return typeof fn === 'function' && fn[COROUTINE] === true;
}

/**
 * Calls `fn(...args, callback)` and returns a Future of what it calls back with, in Node's way: `callback(error, value)`; several values are an
 * array. What `fn` throws fails the Future; the second call of the callback is ignored. Tornado: gen.Task.
 */
function Task(fn, ...args) {
  if (typeof fn !== 'function') throw invalidType('"fn" argument', 'function', fn, Task);
  const future = new Future();
  const callback = (error, ...values) => {
    if (future.done()) return;
    if (error) future.setException(error);
    else future.setResult(values.length > 1 ? values : values[0]);
  };
  try {
    fn(...args, callback);
  } catch (error) {
    callback(error || new Error(`Task threw ${inspect(error)}`, { cause: error }));
  }
  return future;
}

/**
 * A Future of the outcome of `yieldable`, or of a TimeoutError when it is not there after `ms` milliseconds. What was waited for goes on and
 * may be used again; when it fails after that, its error is a warning, but for those of the classes in `quietExceptions` and for ECANCELED.
 * Tornado: gen.with_timeout.
 */
function withTimeout(ms, yieldable, { quietExceptions } = {}) {
  checkTime('ms', ms);
  const future = asFuture(yieldable);
  const result = new Future();
  future.read = true;
  if (future.done()) {
    copyOutcome(future, result);
    return result;
  }
  const loop = IOLoop.current();
  const timeout = loop.callLater(ms, () => {
    if (!result.done()) result.setException(new TimeoutError());
  });
  future._whenDone(() => {
    loop.removeTimeout(timeout);
    if (!result.done()) copyOutcome(future, result);
    else if (future.state === 2 && !isCanceled(future) && !isQuiet(future.value, quietExceptions)) {
      logError('Exception in Future after timeout', 'FIBRIL_AFTER_TIMEOUT', future.value);
    }
  });
  return result;
}

const gen = {
  coroutine,
  isCoroutineFunction,
  Return,
  BadYieldError,
  TimeoutError,
  moment,
  convertYielded,
  multi,
  withTimeout,
  chainFuture,
  Task,
  future: toFuture,
  sleep: toFuture(binding.sleep),
};

module.exports = { gen, asFuture, doneFuture };
