'use strict';

/* Stack traces across yields. */

const assert = require('node:assert/strict');
const path = require('node:path');

const { co, turn } = require('./support/co');

const here = path.basename(__filename);

/**
 * The stack of what a run rejects with: for each line of this file or of a generator, `name line`.
 */
async function traceOf(work) {
  const { stack } = await co(work).then(assert.fail, (error) => error);
  const lines = stack.split('\n').filter((line) => line.startsWith('    at '));
  return lines.filter((line) => line.includes(here)).map((line) => {
    const [, name = '', number] = /at (?:(.*) \()?[^(]*:(\d+):\d+\)?$/.exec(line);
    return `${name} ${number - base}`.trim();
  });
}

const base = Number(/:(\d+):\d+/.exec(new Error().stack.split('\n')[1])[1]);
function* thrower() {
  yield turn();
  throw new Error('thrown');
}
function* middle() {
  yield turn();
  yield thrower();
}
function* outer() {
  yield [Promise.resolve(), middle];
}
function* rejected() {
  yield Promise.resolve();
  yield turn().then(() => Promise.reject(new Error('rejected')));
}
function* bad() {
  yield 5;
}
function* deep(depth) {
  if (depth === 0) throw new Error('deep');
  yield deep(depth - 1);
}

describe('co.traces', () => {
  before(() => assert.equal(co.traces(), true));
  after(() => assert.equal(co.traces(false), false));

  it('shows where each generator was', async () => {
    assert.deepEqual(await traceOf(outer), ['thrower 3', 'async middle 7', 'async outer 10']);
  });

  it('shows where a promise was awaited, and a bad yield', async () => {
    assert.equal((await traceOf(rejected)).at(-1), 'async rejected 14');
    assert.equal((await traceOf(bad)).at(-1), 'async bad 17');
  });

  it('leaves out the runner', async () => {
    const { stack } = await co(outer).catch((error) => error);
    assert.doesNotMatch(stack, /lib.co.(step|members)\.js/);
  });

  it('adds no more lines than Error.stackTraceLimit', async () => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 10;
    try {
      const frames = await traceOf(() => deep(100));
      assert.equal(frames.filter((frame) => frame.startsWith('async deep')).length, 10);
    } finally {
      Error.stackTraceLimit = limit;
    }
  });

  it('leaves alone what is no error, or cannot be changed', async () => {
    const frozen = Object.freeze(new Error('frozen'));
    for (const value of ['text', undefined, frozen, { stack: 'own' }]) {
      const caught = await co(function* () {
        try {
          yield Promise.reject(value);
          return 'went on';
        } catch (error) {
          return error;
        }
      });
      assert.equal(caught, value);
    }
  });

  it('adds nothing when it is off', async () => {
    co.traces(false);
    const { stack } = await co(outer).catch((error) => error);
    assert.equal(co.traces(), true);
    assert.doesNotMatch(stack, /async/);
  });
});
