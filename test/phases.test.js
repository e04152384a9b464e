'use strict';

// In which order what fibril does happens among what Node does: the phases of docs/how-it-works.md.

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const program = path.join(__dirname, 'support', 'phases.js');

const withJobs = (what) => [what, `${what}: nextTick`, `${what}: microtask`];

// What the callback itself does, and C with it: the first segment of every call.
const CALLBACK = ['C calls JavaScript, first segment', 'end of the callback'];

// Behind a callback Node empties the nextTick queue, then the microtasks. What became ready in the
// callback (pass) is drained by one of those.
const JOBS = ['nextTick', 'microtask 1', 'ended in the call', 'microtask 2', 'pass',
  'pass: microtask', 'pass: nextTick'];

// In a microtask the other microtasks come first.
const JOBS_OF_MICROTASK = ['microtask 1', 'ended in the call', 'microtask 2', 'pass',
  'pass: microtask', 'nextTick', 'pass: nextTick'];

// The check phase: the ready queue, in which JavaScript that C calls is a callback of its own; then
// the batch, which is one.
const CHECK = [
  ...withJobs('C calls JavaScript after a moment'),
  'done callback', 'done callback: nextTick', 'moment', 'done callback: microtask', 'moment 2',
    'moment: microtask', 'moment: nextTick',
];
const IMMEDIATE = withJobs('setImmediate');
const TIMERS = withJobs('setTimeout');

// Due in this turn's check phase, which makes them ready for the next one.
const SLEEPERS = ['sleep 0', 'sleep 1'];

const EXPECTED = {
  'the main script': [...CALLBACK, ...JOBS, ...TIMERS, ...CHECK, ...IMMEDIATE, ...SLEEPERS],
  'a timer': [...CALLBACK, ...JOBS, ...CHECK, ...IMMEDIATE, ...TIMERS, ...SLEEPERS],
  'an immediate': [...CALLBACK, ...JOBS, ...TIMERS, ...CHECK, ...IMMEDIATE, ...SLEEPERS],
  'I/O': [...CALLBACK, ...JOBS, ...CHECK, ...IMMEDIATE, ...TIMERS, ...SLEEPERS],
  // From here on it begins in the check phase, between fibril and the immediates.
  'a reaction to a native call': [...CALLBACK, ...JOBS_OF_MICROTASK, ...IMMEDIATE, ...TIMERS,
    ...CHECK, ...SLEEPERS],
  'a done callback': [...CALLBACK, ...JOBS, ...IMMEDIATE, ...TIMERS, ...CHECK, ...SLEEPERS],
  'JavaScript that C calls': [...CALLBACK, ...JOBS, ...IMMEDIATE, ...TIMERS, ...CHECK, ...SLEEPERS],
};

// Generators that wait for a Future go on while the batch is handed over; reactions run behind it.
const BATCH = [
  'a generator, of its Future', 'a done callback', 'a reaction', 'the end of its run',
  'a generator, of its promise',
];

describe('the phases of a turn', () => {
  for (const runner of ['js', 'native']) {
    describe(`with the runner in ${runner === 'js' ? 'JavaScript' : 'C'}`, () => {
      let traces;
      before(async () => {
        const { stdout } = await promisify(execFile)(process.execPath, [program],
          { env: { ...process.env, FIBRIL_RUNNER: runner } });
        traces = JSON.parse(stdout);
      });

      for (const [place, expected] of Object.entries(EXPECTED)) {
        it(`as documented, begun in ${place}`,
          () => assert.deepStrictEqual(traces[place], expected));
      }
      it('as documented, within one batch', () => assert.deepStrictEqual(traces.batch, BATCH));
    });
  }
});
