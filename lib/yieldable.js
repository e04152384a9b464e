'use strict';

/* What the runner knows about values: telling kinds apart, calling thunks, and the errors for what cannot be yielded. */

const BAD_YIELD =
  'You may only yield a function, promise, generator, array, or object, but the following object was passed: ';

// How a run goes on. STORED: with the mode and value that the last step left on the run. RESULT and FAIL carry
// the outcome of an async generator's `next` promise. RETURN ends the generator, for those whom lib/control.js controls.
const NEXT = 0;
const THROW = 1;
const STORED = 2;
const RESULT = 3;
const FAIL = 4;
const RETURN = 5;

// The platform's own, whatever becomes of the global later.
const NativePromise = Promise;
const promiseThen = Promise.prototype.then;
const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor;
const { next: generatorNext, throw: generatorThrow } = GeneratorFunction.prototype.prototype;
const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;

// On a generator that others may hold: the run that is in the middle of it, so that a second co() can be refused.
// A property, because a WeakMap costs several times as much; without an "ended" mark, because the run knows.
const RUN = Symbol('fibril.run');

/** What is known of native Futures once a binary is attached. */
const native = { futureThen: function neverYielded() {} };

/** Whether some run is in the middle of the generator. */
function isDriven(generator) {
  const run = generator[RUN];
  return run !== undefined && (run.gen === generator || (run.parents !== null && run.parents.includes(generator)));
}

function isGenerator(value) {
  return typeof value.next === 'function' && typeof value.throw === 'function';
}

function isIterator(value) {
  return Boolean(value) && typeof value.next === 'function';
}

function isThenable(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return typeof value.then === 'function';
}

/** A promise of this realm that follows the thenable; the thenable itself if it is one. */
function adopt(thenable) {
  if (thenable.then === promiseThen) return thenable;
  return new NativePromise((resolve) => resolve(thenable));
}

let newResolve = null;
let newReject = null;

function keepResolvers(resolve, reject) {
  newResolve = resolve;
  newReject = reject;
}

/** A new promise whose resolvers become the properties `resolve` and `reject` of `holder`. */
function promiseFor(holder, Constructor) {
  const promise = new Constructor(keepResolvers);
  holder.resolve = newResolve;
  holder.reject = newReject;
  newResolve = newReject = null; // what is kept here would keep the promise
  return promise;
}

/** Function, AsyncFunction or GeneratorFunction (async ones too); those of other realms are told by their names. */
function kindOfFunction(fn) {
  const { constructor } = fn;
  if (constructor === Function || constructor === GeneratorFunction) return constructor;
  if (!constructor) return Function;
  switch (constructor.name) {
    case 'GeneratorFunction':
    case 'AsyncGeneratorFunction':
      return GeneratorFunction;
    case 'AsyncFunction':
      return AsyncFunction;
  }
  if (constructor.displayName === 'GeneratorFunction') return GeneratorFunction;
  return constructor.prototype && isGenerator(constructor.prototype) ? GeneratorFunction : Function;
}

/**
 * A called thunk. An outcome that is there when the thunk returns is taken in place; a later one comes through a promise,
 * so that a generator never runs inside the code that calls back, and always in the async context of its yield.
 */
class Call {
  constructor(ctx, fn, kind) {
    this.mode = STORED; // NEXT or THROW once there is an outcome
    this.value = undefined;
    this.resolve = null; // of the promise for a later outcome
    this.reject = null;
    const call = this;
    try {
      // Not with rest parameters: they would cost every call an array.
      const returned = fn.call(ctx, function callback(error, value) {
        if (error) call.settle(THROW, error);
        else call.settle(NEXT, arguments.length > 2 ? Array.prototype.slice.call(arguments, 1) : value);
      });
      if (kind === AsyncFunction) this.follow(returned);
    } catch (error) {
      this.settle(THROW, error);
    }
  }

  settle(mode, value) {
    if (this.mode !== STORED) return;
    this.mode = mode;
    const { resolve, reject } = this;
    if (resolve === null) {
      this.value = value;
      return;
    }
    this.resolve = this.reject = null;
    if (mode === NEXT) resolve(value);
    else reject(value);
  }

  /** Hands the value over: whoever holds on to the callback does not hold on to the value. */
  take() {
    const { value } = this;
    this.value = undefined;
    return value;
  }

  /** An async function ends with its promise, unless it takes the callback and uses it first. */
  follow(promise) {
    adopt(promise).then(
      (value) => this.settle(NEXT, value),
      (error) => this.settle(THROW, error),
    );
  }

  promise() {
    return promiseFor(this, NativePromise);
  }
}

/** co's text, then what kind of value it was and, inside an array or object, where. */
function badYield(value, detail = '') {
  return new TypeError(`${BAD_YIELD}"${describe(value)}" (${typeName(value)}${detail})`);
}

function alreadyRunning(place = '') {
  return new TypeError(`This generator is already being run by another co()${place}: it cannot be run twice at once`);
}

/** String(value) for any value: some objects cannot be converted, and that must not hide the real mistake. */
function describe(value) {
  try {
    return String(value);
  } catch {
    return '[object]';
  }
}

function typeName(value) {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  try {
    return value.constructor.name || 'object';
  } catch {
    return 'object';
  }
}

module.exports = {
  NEXT,
  THROW,
  STORED,
  RESULT,
  FAIL,
  RETURN,
  NativePromise,
  promiseThen,
  GeneratorFunction,
  generatorNext,
  generatorThrow,
  isGenerator,
  isIterator,
  isThenable,
  adopt,
  kindOfFunction,
  RUN,
  isDriven,
  native,
  promiseFor,
  Call,
  badYield,
  alreadyRunning,
};
