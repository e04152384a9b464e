'use strict';

// Every error that include/fibril.h promises of a function comes in a test, and no function gives
// one that it does not promise: the tests below are run, and note what came (scripts/provoked.js).
// What only failing calls bring about, npm run test:failure looks for.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { readHeader, promises } = require('../../scripts/header');
const { isOfFailures, missing, readProvoked, unpromised } = require('../../scripts/provoked');

const root = path.join(__dirname, '..', '..');
const FILES = ['c', 'waits', 'callbacks', 'signatures', 'iterators', 'classes', 'environments',
  'synchronous', 'instances', 'containers', 'references', 'names', 'owners', 'bytes']
  .map((name) => `test/${name}.test.js`);

// "FUNCTION ERROR" and why no test can bring it about.
const UNREACHABLE = new Map([]);

describe('an error of fibril.h', function () {
  this.timeout(600000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-errors-'));
  let provoked;

  before(() => {
    const file = path.join(folder, 'provoked');
    const mocha = require.resolve('mocha/bin/mocha.js');
    const { status, stdout } = spawnSync(process.execPath, [mocha, '--reporter', 'dot', ...FILES], {
      cwd: root, encoding: 'utf8', env: { ...process.env, FIBRIL_PROVOKED: file },
    });
    assert.strictEqual(status, 0, stdout);
    provoked = readProvoked(file);
    assert.ok(provoked.size > 200, `${provoked.size}`);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it('comes in a test', () => {
    assert.deepStrictEqual(missing(provoked).filter((pair) => !isOfFailures(pair) &&
      !UNREACHABLE.has(pair)), []);
  });

  it('that no test can bring about is promised, and does not come', () => {
    const promised = new Set(promises(readHeader()).map((pair) => pair.join(' ')));
    const absent = new Set(missing(provoked));
    assert.deepStrictEqual([...UNREACHABLE.keys()]
      .filter((pair) => !promised.has(pair) || !absent.has(pair)), []);
  });

  it('does not come unless it is promised', () => {
    assert.deepStrictEqual(unpromised(provoked), []);
  });
});
