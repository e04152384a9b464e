'use strict';

/*
 * Random generator programs: both runners, the one in JavaScript and the one in C, leave the same
 * trace to the last line.
 */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const script = path.join(__dirname, 'support', 'trace-programs.js');
const FIRST = 0;
const LAST = 399;

async function tracesUnder(runner) {
  const { stdout } = await promisify(execFile)(process.execPath, [script, FIRST, LAST], {
    env: { ...process.env, FIBRIL_RUNNER: runner },
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout);
}

describe('co: the runner in C', () => {
  let inJS;
  let inC;
  before(async () => {
    [inJS, inC] = await Promise.all([tracesUnder('js'), tracesUnder('native')]);
  });

  it('performs every resume with FIBRIL_RUNNER=native, and none without', () => {
    assert.equal(inJS.resumesInC, false);
    assert.equal(inC.resumesInC, true);
  });

  it('leaves the same traces', () => {
    assert.equal(inJS.traces.length, LAST - FIRST + 1);
    inJS.traces.forEach((lines, i) => assert.deepEqual(inC.traces[i], lines, `seed ${FIRST + i}`));
  });
});
