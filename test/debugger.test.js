'use strict';

// A debugger that stops inside a coroutine shows its calls, and that they end where the coroutine began.

const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const natives = path.join(__dirname, 'addon', 'build', 'Release', 'natives.node');
const gdb = ['-batch', '-ex', 'run', '-ex', 'bt -4', '--args', process.execPath, '-e', `require(${JSON.stringify(natives)}).overflow()`];

describe('gdb', function () {
  this.timeout(120000);

  before(function () {
    if (spawnSync('gdb', ['--version']).error) {
      console.log('      gdb is not installed: its test is skipped');
      this.skip();
    }
  });

  it('unwinds a coroutine to its entry and no further', () => {
    const { stdout } = spawnSync('gdb', gdb, { encoding: 'utf8' });
    const frames = stdout.split('\n').filter((line) => /^#\d+ /.test(line));
    assert.match(stdout, /SIGSEGV/);
    assert.match(frames.at(-1), /\bfibril[_.]{1,2}entry\b/);
    assert.match(frames.at(-2), /\bfibril[_.]{1,2}coroutine_main\b/);
    assert.doesNotMatch(stdout, /Backtrace stopped/);
  });
});
