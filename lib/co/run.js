'use strict';

/* co.run: co with a name, a deadline and an AbortSignal. */

const { runOptions } = require('../arguments.js');
const { AbortError, TimeoutError } = require('../errors.js');
const { GeneratorFunction, isIterator } = require('../kinds.js');
const {
  NativePromise, Set, WeakMap, clearTimeout, nextTick, promiseReject, setTimeout,
} = require('../primordials.js');
const { keepShape } = require('../shapes.js');
const { Control } = require('./control.js');
const { begun, ended } = require('./inspect.js');
const { NEXT } = require('./modes.js');
const { resolved } = require('./promises.js');
const { Run } = require('./runner.js');

// One listener a signal, however many runs it can end: Node warns of the eleventh.
const runsOf = new WeakMap();

function watch(signal, abort) {
  let watched = runsOf.get(signal);
  if (watched === undefined) {
    const aborts = new Set();
    const listener = () => {
      runsOf.delete(signal);
      for (const each of aborts) each();
    };
    watched = { aborts, listener };
    runsOf.set(signal, watched);
    try {
      signal.addEventListener('abort', listener, { once: true });
    } catch (error) {
      runsOf.delete(signal); // nothing listens for later runs
      throw error;
    }
  }
  watched.aborts.add(abort);
}

function unwatch(signal, abort) {
  const watched = runsOf.get(signal);
  if (watched === undefined) return;
  watched.aborts.delete(abort);
  if (watched.aborts.size > 0) return;
  runsOf.delete(signal);
  try {
    signal.removeEventListener('abort', watched.listener);
  } catch (error) {
    nextTick(() => {
      throw error; // uncaught: the run has its outcome already
    });
  }
}

/**
 * The error of an aborted run; a signal may be anybody's object, whose reason may be one that
 * throws.
 */
function abortion(signal) {
  try {
    return new AbortError(signal.reason);
  } catch (error) {
    return error;
  }
}

/** What a run is called in messages. */
function labelOf(gen, name) {
  if (name !== undefined) return name;
  try {
    const own = gen.name;
    return typeof own === 'string' && own !== '' ? own : 'The run';
  } catch {
    return 'The run';
  }
}

/**
 * Where the outcome of a controlled run goes, and what goes with it: the timer and the listener.
 */
class Outcome {
  constructor(resolve, reject, signal) {
    this.resolve = resolve;
    this.reject = reject;
    this.signal = signal;
    this.abort = null;
    this.timer = undefined;
    this.entry = null; // for co.inspect()
  }

  watch(control, timeout, label) {
    const { signal } = this;
    if (signal !== undefined) {
      this.abort = () => control.abort(abortion(signal));
      watch(signal, this.abort);
      if (signal.aborted) this.abort(); // by the function that made the generator
    }
    if (timeout === undefined || timeout === Infinity) return;
    const late = () => {
      control.abort(new TimeoutError(`${label} did not end within ${timeout} ms`));
    };
    this.timer = setTimeout(late, timeout);
  }

  settle(mode, value) {
    if (mode === NEXT) this.resolve(value);
    else this.reject(value);
    clearTimeout(this.timer);
    ended(this.entry);
    if (this.signal !== undefined) unwatch(this.signal, this.abort);
  }
}
keepShape(Outcome, new Outcome(null, null, undefined));

/**
 * Runs a generator as co does, until a signal or a deadline ends it: then the native work that it
 * waits for is cancelled, its generators are made to return, the innermost first, so that `finally`
 * blocks run (and may yield), and the promise is rejected when all of that is over. A run that ends
 * by itself before that has its own outcome.
 * @param {GeneratorFunction|Generator|*} gen
 * @param {{signal?: AbortSignal, timeout?: number, args?: Array, name?: string}} [options]
 *   `timeout` in milliseconds; `args` for the generator function; `name` for messages, the
 *   function's own by default
 * @param {*} ctx `this` for the generator function and all functions yielded
 * @returns {Promise} rejects with an AbortError (code 'ABORT_ERR', the signal's reason as its
 *   cause), with a TimeoutError (code 'ETIMEDOUT'), or with what a `finally` block has thrown
 */
function run(gen, options, ctx) {
  try {
    const { signal, timeout, args, name } = runOptions(options);
    if (signal?.aborted) throw new AbortError(signal.reason);
    const made = typeof gen === 'function' ? gen.apply(ctx, args) : gen;
    if (!isIterator(made)) return resolved(made);
    return new NativePromise((resolve, reject) => {
      const started = new Run(made, gen.constructor !== GeneratorFunction, ctx);
      const outcome = new Outcome(resolve, reject, signal);
      started.slot = outcome;
      const control = new Control(started);
      const label = labelOf(gen, name);
      outcome.watch(control, timeout, label);
      outcome.entry = begun(name, label, control);
      started.start();
    });
  } catch (error) {
    return promiseReject(error);
  }
}

module.exports = { run };
