'use strict';

/* Who runs and who waits: coroutines of C, and runs of co.run. The latter need no binary. */

const fs = require('node:fs');
const { ArrayFrom, FinalizationRegistry, WeakRef, now, process } = require('../primordials.js');

// Of co.run: those with a name, and all while leaks are to be reported. None of it keeps a run
// alive.
const runs = new Set();
const collected = new FinalizationRegistry((entry) => {
  if (!reporting) runs.delete(entry);
});

let reporting = false;
let native = null;

/**
 * A run of co.run has begun.
 * @param {?string} name that its caller gave it
 * @param {string} label what it is called otherwise
 * @param {{waitsFor: function(): (string|undefined)}} control
 * @returns {?Object} for `ended`
 */
function begun(name, label, control) {
  if (name === undefined && !reporting) return null;
  const entry = { name: name ?? label, begun: now(), control: new WeakRef(control) };
  runs.add(entry);
  collected.register(control, entry);
  return entry;
}

function ended(entry) {
  if (entry !== null) runs.delete(entry);
}

function inspectRun({ name, begun: since, control }) {
  const held = control.deref();
  const waitsFor = held === undefined ? 'nothing' : held.waitsFor();
  const state = waitsFor === undefined ? 'running' : 'waiting';
  return { kind: 'run', name, state, waitsFor, age: now() - since };
}

/**
 * What is going on in this thread: every coroutine of C that has not ended, whichever copy of
 * fibril runs it, and every run of co.run that was given a name (with `reportLeaks`, every run).
 * @returns {Array<Object>} of coroutines `kind` 'coroutine', `name`, `state` ('fresh', 'running',
 *   'ready', 'waiting', 'suspended'), `waitsFor` ('sleep', 'future', 'JavaScript', 'mutex', 'poll',
 *   'open', ...), `on` (the name of the coroutine whose future or mutex that is), `fd`, `address`
 *   (of a stream's other end, or a listener's), `waited` (milliseconds), `cancelled`, `masked`,
 *   `stackUsed` and `stackSize` (bytes); of runs `kind` 'run', `name`, `state`, `waitsFor` and
 *   `age` (milliseconds)
 */
function inspect() {
  const coroutines = native === null ? [] : native.inspect();
  return [
    ...coroutines.map((each) => ({ kind: 'coroutine', ...each })),
    ...ArrayFrom(runs, inspectRun),
  ];
}

function report() {
  for (const { name, state, waitsFor } of ArrayFrom(runs, inspectRun)) {
    const what = state === 'running' ? 'running' : `waiting for ${waitsFor}`;
    fs.writeSync(2, `fibril: never finished: run "${name}", ${what}\n`);
  }
}

/**
 * From here on, and with FIBRIL_LEAKS=1 from the beginning: when this thread exits, stderr gets a
 * line for every coroutine of C and every run of co.run that has not ended, and for every future of
 * C that failed and that nobody read.
 */
function reportLeaks() {
  if (reporting) return;
  reporting = true;
  process.once('exit', report);
  native?.reportLeaks();
}

/** The bridge is there. */
function attachNative(functions) {
  native = functions;
  if (reporting) native.reportLeaks();
}

if (process.env.FIBRIL_LEAKS === '1') reportLeaks();

module.exports = { begun, ended, inspect, reportLeaks, attachNative };
