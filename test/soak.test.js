'use strict';

// The soak test finds what it is there to find.

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const { growth } = require('./soak/flat.js');

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
    const leaks = 'memory,malloc,heap,handle,descriptor,coroutine';
    const args = [path.join(__dirname, 'soak'), '--seconds', '0.5', '--only', 'errors', '--leak', leaks];
    const env = { ...process.env, FIBRIL_COUNTS: '' };
    const { code, stdout } = await promisify(execFile)(process.execPath, args, { env }).catch((error) => error);
    assert.strictEqual(code, 1, stdout);
    for (const name of ['RSS MB', 'malloc MB', 'heap MB', 'libuv handles', 'descriptors', 'coroutines']) {
      assert.match(stdout, new RegExp(`^${name} grows$`, 'm'));
    }
    for (const name of ['contexts', 'threads']) assert.match(stdout, new RegExp(`^ok {2}${name}:`, 'm'));
  });
});
