'use strict';

/*
 * Random programs with gen: what happens in them, and in which iteration, is what Tornado 4.5 makes
 * of them (test/support/tornado.js).
 */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const script = path.join(__dirname, 'support', 'compare-gen-programs.js');
const SEEDS = 500;

describe('gen: random programs', function () {
  this.timeout(120_000);

  for (const runner of ['js', 'native']) {
    it(`have the order of Tornado 4.5 (seeds 0 to ${SEEDS - 1}, FIBRIL_RUNNER=${runner})`,
      async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [script, 0, SEEDS - 1],
        { env: { ...process.env, FIBRIL_RUNNER: runner } });
      const { lines, differences } = JSON.parse(stdout);
      assert.deepEqual(differences, []);
      assert.ok(lines > 50 * SEEDS);
    });
  }
});
