'use strict';

/*
 * Coroutines whose calls are Futures. The Runner is co's; what is different is what may be yielded
 * and that a coroutine which waits for a Future goes on in a later iteration of the loop.
 */

const { AsyncResource } = require('node:async_hooks');
const { checkFunction, keysOfChildren, quietClasses } = require('../arguments.js');
const converters = require('../co/converters.js');
const { claim, isDriven } = require('../co/marks.js');
const { NEXT, THROW } = require('../co/modes.js');
const { adopt } = require('../co/promises.js');
const { Run, resumeRun } = require('../co/runner.js');
const traces = require('../co/traces.js');
const { BadYieldError, alreadyRunning, isReturn } = require('../errors.js');
const { GeneratorFunction, isGenerator, isThenable } = require('../kinds.js');
const { runtime } = require('../native/addon.js');
const {
  ArrayIsArray, NativePromise, Object, ObjectDefineProperties, TypeError, promiseThen,
} = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { copyOutcome, doneFuture, failedFuture } = require('./futures.js');
const { nextIteration } = require('./loop.js');
const { joinAll } = require('./multi.js');

const { Future, future: toFuture } = runtime;

const futureThen = Future.prototype.then;

// ---- What may be yielded ----

/** A Future that is done, for which whoever waits goes on in the next iteration nevertheless. */
class Moment extends Future {
  constructor() {
    super();
    this.setResult(undefined);
  }

  then(onFulfilled) {
    return new NativePromise((resolve, reject) => nextIteration(() => {
      try {
        resolve(typeof onFulfilled === 'function' ? onFulfilled(undefined) : undefined);
      } catch (error) {
        reject(error);
      }
    }));
  }
}

/**
 * Waits one iteration of the loop, I/O included: `yield gen.moment`, `await gen.moment`. Tornado:
 * gen.moment.
 */
const moment = new Moment();

/**
 * The Future of anything that may be yielded: a Future, a promise or another thenable, an array or
 * plain object of such values, a generator (which is started); `gen.moment` for undefined and null.
 * Everything else throws BadYieldError. Tornado: convert_yielded.
 */
function convertYielded(value) {
  if (value === undefined || value === null || value === moment) return moment;
  if (value instanceof Future) return value;
  if (isThenable(value)) return toFuture(() => value)();
  if (typeof value === 'object') {
    if (isGenerator(value)) return inOwnContext(driveShared, value);
    if (ArrayIsArray(value) || value.constructor === Object) return multi(value);
  }
  const convert = converters.of(value);
  if (convert === undefined) throw new BadYieldError(value);
  const converted = convert(value);
  if (converters.of(converted) === convert) throw new BadYieldError(converted);
  return convertYielded(converted);
}

/**
 * Has instances of a class converted when they are yielded, in gen and in co. Tornado:
 * convert_yielded.register.
 */
convertYielded.register = converters.register;

/** convertYielded for those who need a Future whatever comes: the moment is over. */
function asFuture(value) {
  const future = convertYielded(value);
  return future === moment ? doneFuture(undefined) : future;
}

/**
 * A Future of all results: an array for an iterable, an object for an object. It is done when all
 * of them are; the first error in the order of the list is its own, and the others become warnings,
 * but for those of the classes in `quietExceptions`. Tornado: gen.multi.
 */
function multi(children, { quietExceptions } = {}) {
  const quiet = quietClasses(quietExceptions, multi);
  return joinAll(children, keysOfChildren(children, multi), asFuture, quiet);
}

/**
 * Copies the outcome of a future or a promise to `to` when it is there, unless that is done by
 * then; returns `to`. Tornado: chain_future.
 */
function chainFuture(from, to) {
  const source = asFuture(from);
  source._markRead();
  source._whenDone(() => {
    if (!to.done()) copyOutcome(source, to);
  });
  return to;
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
    future._markRead();
    future._whenDone(() => nextIteration(resume));
  }
}
LoopWait.prototype.then = futureThen;
LoopWait.prototype.state = 0;

const momentWait = new LoopWait(null);
keepShape(LoopWait, momentWait);

/**
 * What the Runner waits for. A promise is V8's to wake; a native call's Future wakes its waiters
 * from the loop already.
 */
function waitFor(yielded) {
  if (yielded?.then === promiseThen) return yielded;
  const future = convertYielded(yielded);
  if (future === moment) return momentWait;
  return future.state !== 0 || future.slot >= 0 ? future : new LoopWait(future);
}

/** The end of a generator that has thrown. */
function returned(error) {
  if (isReturn(error)) return { done: true, value: error.value };
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
    const { value: yielded } = result;
    // An async generator's answer: what it yields, its own promise has waited for.
    if (yielded === undefined && typeof result.then === 'function') {
      return promiseThen.call(adopt(result), undefined, returned);
    }
    try {
      return { done: false, value: waitFor(yielded) };
    } catch (error) {
      return { done: false, value: failedFuture(error) };
    }
  }
}
keepShape(Coroutine, new Coroutine(null));

/** Where a run leaves its outcome. */
class Outcome {
  constructor(future) {
    this.future = future;
  }

  settle(mode, value) {
    const { future } = this;
    if (future.done()) return;
    if (mode === THROW) future.setException(value);
    else if (value !== future) this.follow(value);
    else future.setException(new TypeError('A coroutine cannot return its own Future'));
  }

  follow(value) {
    const { future } = this;
    try {
      if (isThenable(value)) {
        chainFuture(value, future);
        return;
      }
    } catch (error) {
      future.setException(error); // a result that cannot be looked at
      return;
    }
    future.setResult(value);
  }
}
keepShape(Outcome, new Outcome(null));

/** Runs a generator to its first wait and returns the Future of its result. */
function drive(generator) {
  const future = new Future();
  const run = new Run(new Coroutine(generator), false, undefined);
  run.slot = new Outcome(future);
  run.start();
  return future;
}

/**
 * The same for a generator that others may hold: two runs of it, of co's too, would take each
 * other's results.
 */
function driveShared(generator) {
  if (isDriven(generator)) throw alreadyRunning();
  const driver = { gen: generator, parents: null };
  claim(generator, driver);
  const future = drive(generator);
  future._whenDone(() => {
    driver.gen = null;
  });
  return future;
}

/**
 * The Future of one call of a function that gen.coroutine has wrapped; `isPrivate`: one whose
 * generators nobody else can hold.
 */
function begin(fn, isPrivate, self, args) {
  try {
    const result = fn.apply(self, args);
    if (result !== null && typeof result === 'object' && isGenerator(result)) {
      return isPrivate ? drive(result) : driveShared(result);
    }
    if (result instanceof Future) return result;
    return isThenable(result) ? asFuture(result) : doneFuture(result);
  } catch (error) {
    const future = new Future();
    new Outcome(future).settle(...(isReturn(error) ? [NEXT, error.value] : [THROW, error]));
    return future;
  }
}

/**
 * Calls a function in a copy of the async context: what a coroutine enters there in its first
 * segment does not become its caller's.
 */
function inOwnContext(fn, ...args) {
  return new AsyncResource('FIBRIL_COROUTINE').runInAsyncScope(fn, undefined, ...args);
}

const COROUTINE = Symbol('fibril.coroutine');

/**
 * Makes a function whose calls are coroutines: each runs up to its first wait and returns a Future
 * of what the generator returns or throws. A function that is no generator works too: its result,
 * or what it throws, is in a Future that is done. `this` and arguments are the call's; the function
 * itself is the property `__wrapped__`. What AsyncLocalStorage.enterWith() does inside is not seen
 * outside. Tornado: gen.coroutine.
 */
function coroutine(fn) {
  checkFunction('fn', fn, coroutine);
  const isPrivate = fn.constructor === GeneratorFunction;
  const wrapped = function (...args) {
    return inOwnContext(begin, fn, isPrivate, this, args);
  };
  ObjectDefineProperties(wrapped, {
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

module.exports = {
  asFuture, chainFuture, convertYielded, coroutine, isCoroutineFunction, moment, multi,
};
