'use strict';

/* co.run: co with a name, a deadline and an AbortSignal. */

const { AbortError, TimeoutError } = require('./errors');
const { Run, resolved } = require('./runner');
const { NEXT, GeneratorFunction, isIterator } = require('./yieldable');
const { Control } = require('./control');
const { invalid } = require('./converters');
const { begun, ended } = require('./inspect');

const LONGEST = 2 ** 31 - 1; // what a timer of Node's can wait

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
    signal.addEventListener('abort', listener, { once: true });
  }
  watched.aborts.add(abort);
}

function unwatch(signal, abort) {
  const watched = runsOf.get(signal);
  if (watched === undefined) return;
  watched.aborts.delete(abort);
  if (watched.aborts.size > 0) return;
  runsOf.delete(signal);
  signal.removeEventListener('abort', watched.listener);
}

function check({ signal, timeout, args, name }) {
  if (signal !== undefined && !(signal !== null && typeof signal === 'object' && 'aborted' in signal)) {
    throw invalid('options.signal', 'AbortSignal', signal);
  }
  if (args !== undefined && !Array.isArray(args)) throw invalid('options.args', 'Array', args);
  if (name !== undefined && typeof name !== 'string') throw invalid('options.name', 'string', name);
  if (timeout === undefined || timeout === Infinity) return;
  if (typeof timeout !== 'number') throw invalid('options.timeout', 'number', timeout);
  if (timeout >= 0 && timeout <= LONGEST) return;
  const error = new RangeError(`The value of "options.timeout" is out of range. It must be >= 0 && <= ${LONGEST}. Received ${timeout}`);
  error.code = 'ERR_OUT_OF_RANGE';
  throw error;
}

/** Where the outcome of a controlled run goes, and what goes with it: the timer and the listener. */
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
      this.abort = () => control.abort(new AbortError(signal.reason));
      watch(signal, this.abort);
    }
    if (timeout === undefined || timeout === Infinity) return;
    this.timer = setTimeout(() => control.abort(new TimeoutError(`${label} did not end within ${timeout} ms`)), timeout);
  }

  settle(mode, value) {
    clearTimeout(this.timer);
    ended(this.entry);
    if (this.signal !== undefined) unwatch(this.signal, this.abort);
    if (mode === NEXT) this.resolve(value);
    else this.reject(value);
  }
}

/**
 * Runs a generator as co does, until a signal or a deadline ends it: then the native work that it waits for is cancelled, its generators
 * are made to return, the innermost first, so that `finally` blocks run (and may yield), and the promise is rejected when all of that is
 * over. A run that ends by itself before that has its own outcome.
 * @param {GeneratorFunction|Generator|*} gen
 * @param {{signal?: AbortSignal, timeout?: number, args?: Array, name?: string}} [options] `timeout` in milliseconds; `args` for the
 *   generator function; `name` for messages, the function's own by default
 * @param {*} ctx `this` for the generator function and all functions yielded
 * @returns {Promise} rejects with an AbortError (code 'ABORT_ERR', the signal's reason as its cause), with a TimeoutError (code 'ETIMEDOUT'),
 *   or with what a `finally` block has thrown
 */
function run(gen, options, ctx) {
  try {
    if (options === null || typeof options !== 'object') throw invalid('options', 'object', options);
    check(options);
    const { signal, timeout, args = [], name } = options;
    if (signal?.aborted) throw new AbortError(signal.reason);
    const made = typeof gen === 'function' ? gen.apply(ctx, args) : gen;
    if (!isIterator(made)) return resolved(made);
    return new Promise((resolve, reject) => {
      const started = new Run(made, gen.constructor !== GeneratorFunction, ctx);
      const outcome = new Outcome(resolve, reject, signal);
      started.slot = outcome;
      const control = new Control(started);
      const label = name ?? (gen.name || 'The run');
      outcome.watch(control, timeout, label);
      outcome.entry = begun(name, label, control);
      started.start();
    });
  } catch (error) {
    return Promise.reject(error);
  }
}

module.exports = { run };
