'use strict';

/*
 * What needs the binary, by name. Where none loads, the same names are there, whatever they are,
 * and each of them throws why when it is called or made.
 */

const { attachFuture } = require('./co/futures.js');
const inspection = require('./co/inspect.js');
const { NEXT, THROW, STORED, READY, DONE } = require('./co/modes.js');
const runner = require('./co/runner.js');
const { stepOnce } = require('./co/step.js');
const { missing, runtime } = require('./native/addon.js');
const native = require('./native/index.js');
const {
  ObjectDefineProperty, ObjectEntries, ObjectFromEntries, ObjectGetOwnPropertyNames, process,
} = require('./primordials.js');
const tornado = require('./tornado/index.js');

/** Makes co and the binary known to each other. */
function join() {
  const { Future, attachRunner, createRunner, inspect, reportLeaks } = runtime;
  inspection.attachNative({ inspect, reportLeaks });
  attachFuture(Future);
  if (process.env.FIBRIL_RUNNER === 'native') {
    runner.attachNative(createRunner(stepOnce, READY, DONE, NEXT, STORED));
  }
  attachRunner(runner.resumeRun, { NEXT, THROW });
}

const OF_FUNCTIONS = ['length', 'name', 'prototype', 'arguments', 'caller'];

/** A function that throws, with all that `fn` has. */
function refusingFunction(fn, error) {
  const refuse = function () {
    throw error;
  };
  for (const name of ObjectGetOwnPropertyNames(fn)) {
    if (OF_FUNCTIONS.includes(name)) continue;
    ObjectDefineProperty(refuse, name, { __proto__: null, value: refusing(fn[name], error) });
  }
  return refuse;
}

function refusing(value, error) {
  if (typeof value === 'function') return refusingFunction(value, error);
  if (typeof value !== 'object' || value === null) return value;
  if (typeof value.then === 'function') return { then: (_resolve, reject) => reject(error) };
  const entries = ObjectEntries(value);
  return ObjectFromEntries(entries.map(([name, each]) => [name, refusing(each, error)]));
}

const features = { ...native, ...tornado };

if (missing === undefined) {
  join();
} else {
  process.emitWarning(`Only co works: ${missing.message}`, { code: missing.code });
}

module.exports = missing === undefined ? features : refusing(features, missing);
