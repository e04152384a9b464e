'use strict';

// The soak test finds what it is there to find.

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const { growth } = require('./soak/flat.js');
const pressure = require('./support/pressure.js');

describe('growth of a series', () => {
  it('is what it gains in half its length', () => {
    assert.strictEqual(growth([0, 1, 2, 3, 4, 5, 6, 7]), 4);
    assert.strictEqual(growth([5, 5, 5, 5, 5]), 0);
    assert.strictEqual(growth([9, 8, 7, 6]), -2);
  });

  it('is not moved by outliers', () => {
    assert.strictEqual(growth([5, 1000, 5, 5, 5, 5, 1000, 5]), 0);
    assert.strictEqual(growth([5, 5, 5, 5, 5, 5, 5, 1000]), 0);
    assert.strictEqual(growth([0, 0, 5, 5, 5, 5, 5, 5]), 2.5);
  });
});

describe('npm run soak', () => {
  it('fails when it loses something on purpose, and says what grows', async () => {
    const leaks = {
      memory: 'RSS MB', malloc: 'malloc MB', heap: 'heap MB', handle: 'libuv handles',
      descriptor: 'descriptors', coroutine: 'coroutines',
    };
    // Sanitizers and other C libraries than glibc do not tell what malloc has given out.
    if ((await pressure.bytesInUse()) <= 0) delete leaks.malloc;
    const args = [path.join(__dirname, 'soak'), '--seconds', '0.5', '--only', 'errors', '--leak',
      Object.keys(leaks).join()];
    const env = { ...process.env, FIBRIL_COUNTS: '' };
    const { code, stdout } = await promisify(execFile)(process.execPath, args, { env })
      .catch((error) => error);
    assert.strictEqual(code, 1, stdout);
    for (const name of Object.values(leaks)) {
      assert.match(stdout, new RegExp(`^${name} grows$`, 'm'));
    }
    for (const name of ['contexts', 'threads']) {
      assert.match(stdout, new RegExp(`^ok {2}${name}:`, 'm'));
    }
  });
});
