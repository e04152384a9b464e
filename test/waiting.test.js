'use strict';

// Who still waits when nothing is left that could wake anybody.

const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const natives = JSON.stringify(path.join(__dirname, 'addon', 'build', 'Release', 'natives.node'));

function run(script) {
  return spawnSync(process.execPath, ['-e', `const n = require(${natives}); ${script}`], { encoding: 'utf8' });
}

describe('a process whose coroutines nothing will wake', () => {
  it('ends, and names each one and what it waits for', () => {
    const { status, stderr } = run('n.forever(); n.call(() => new Promise(() => {}), 1);');
    assert.strictEqual(status, 0);
    assert.match(stderr, /\[FIBRIL_WAITING\] Warning/);
    assert.match(stderr, /forever waits for resume\ncall waits for JavaScript/);
  });

  it('says nothing when all have ended', () => {
    const { status, stderr } = run('n.echoLater(1, 5);');
    assert.strictEqual(status, 0);
    assert.strictEqual(stderr, '');
  });
});
