'use strict';

/*
 * co: drives a generator that yields promises, thunks, generators, arrays and objects. A drop-in
 * for co 4.6.0.
 */

const { GeneratorFunction, isIterator } = require('../kinds.js');
const { Object, globalObject } = require('../primordials.js');
const { register } = require('./converters.js');
const { inspect, reportLeaks } = require('./inspect.js');
const { rejected, resolved } = require('./promises.js');
const controlled = require('./run.js');
const { Run } = require('./runner.js');
const { enable } = require('./traces.js');

/** `this` as a sloppy function sees it, because co is one. */
function sloppyThis(ctx) {
  if (typeof ctx === 'object' && ctx !== null) return ctx;
  if (typeof ctx === 'function') return ctx;
  return ctx === undefined || ctx === null ? globalObject : Object(ctx);
}

function run(generator, shared, ctx) {
  if (!isIterator(generator)) return resolved(generator);
  const started = new Run(generator, shared, ctx);
  started.start();
  return started.promise();
}

/**
 * Runs a generator to its end. Its first segment, up to the first wait, runs before co returns.
 * `this` is the generator function's, and that of every function it yields.
 * @param {GeneratorFunction|Generator|*} gen a function is called with `args`; what is no generator
 *   is the result as it is
 * @param {...*} args
 * @returns {Promise} what the generator returns or throws
 */
function co(gen, ...args) {
  const ctx = sloppyThis(this);
  try {
    if (typeof gen !== 'function') return run(gen, true, ctx);
    const made = args.length === 0 ? gen.apply(ctx) : gen.apply(ctx, args);
    return run(made, gen.constructor !== GeneratorFunction, ctx);
  } catch (error) {
    return rejected(error);
  }
}

/**
 * Makes an ordinary function out of a generator function: each call runs it once with the call's
 * `this` and arguments.
 * @param {GeneratorFunction} fn kept as the property `__generatorFunction__`
 * @returns {function(...*): Promise} throws only if `fn` does when it is called (a default value of
 *   a parameter)
 */
co.wrap = function wrap(fn) {
  const isPrivate = typeof fn === 'function' && fn.constructor === GeneratorFunction;
  function createPromise(...args) {
    const ctx = sloppyThis(this);
    const made = fn.apply(ctx, args);
    return isPrivate ? run(made, false, ctx) : co.call(ctx, made);
  }
  createPromise.__generatorFunction__ = fn;
  return createPromise;
};

/**
 * co with options: `{signal, timeout, args, name}`; see run.js. `this` is the generator function's
 * when it is not co itself.
 */
co.run = function (gen, options = {}) {
  return controlled.run(gen, options, sloppyThis(this === co ? undefined : this));
};

/** `yield* co.typed(value)` is `yield value` with the type of its result, for TypeScript. */
co.typed = function* typed(value) {
  return yield value;
};

/** Makes instances of a class yieldable; see converters.js. */
co.register = register;

/** Stack traces across yields; see traces.js. */
co.traces = enable;

/** Who runs and who waits for what; see inspect.js. */
co.inspect = inspect;

/** Has leaks named when the thread exits; see inspect.js. */
co.reportLeaks = reportLeaks;

module.exports = co.default = co.co = co;
