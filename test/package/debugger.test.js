'use strict';

// A debugger or profiler that stops inside a coroutine shows its calls, and that they end where the
// coroutine began; gdb/fibril.py shows those that wait.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const natives = path.join(__dirname, '..', 'addon', 'build', 'Release', 'natives.node');
const gdb = ['-batch', '-ex', 'run', '-ex', 'bt -4', '--args', process.execPath, '-e',
  `require(${JSON.stringify(natives)}).overflow()`];

const root = path.join(__dirname, '..', '..');

function run(program, args) {
  return spawnSync(program, args, { encoding: 'utf8', cwd: root, maxBuffer: 2 ** 28 });
}

function needs(suite, program, args) {
  const { error, status } = run(program, args);
  if (!error && status === 0) return;
  console.log(`      ${program} ${args[0]} does not work here: its tests are skipped`);
  suite.skip();
}

/** test/package/gdb/sleepers.c with the core, and with debug information or without. */
function buildProgram(folder, debug = '-g') {
  const program = path.join(folder, `sleepers${debug}`);
  const listed = run(process.execPath, ['gyp/sources.js', 'src/core/:.c,.S', 'src/io/:.c']).stdout;
  const sources = listed.trim().split('\n').map((line) => JSON.parse(line));
  const uv = run('pkg-config', ['--cflags', '--libs', 'libuv']).stdout.trim().split(/\s+/);
  const args = [debug, '-O2', '-std=gnu11', '-Iinclude', '-o', program,
    'test/package/gdb/sleepers.c', ...sources, ...uv, '-lm', '-pthread'];
  const { status, stderr } = run('cc', args);
  assert.strictEqual(status, 0, stderr);
  return program;
}

describe('gdb', function () {
  this.timeout(600000);

  before(function () {
    needs(this, 'gdb', ['--version']);
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

describe('gdb/fibril.py', function () {
  this.timeout(600000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-gdb-'));
  const core = path.join(folder, 'core');
  const script = path.join(root, 'gdb', 'fibril.py');
  const look = ['info fibril', 'fibril bt 1', 'fibril bt 2', 'fibril bt 99', 'bt']
    .flatMap((command) => ['-ex', command]);
  let program;

  before(function () {
    needs(this, 'gdb', ['--version']);
    needs(this, 'pkg-config', ['--exists', 'libuv']);
    program = buildProgram(folder);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const LISTED = [
    'waiting for sleep sleeper', 'waiting for future waiter', 'suspended unnamed',
    'waiting for sleep unnamed', 'fresh unnamed',
    'waiting for sleep unnamed', 'fresh unnamed', 'ready unnamed', 'waiting for layer unnamed',
    'running unnamed',
  ];

  function shows({ stdout, stderr }) {
    assert.match(stdout, /^ +1 {2}waiting for sleep +sleeper\n +2 {2}waiting for future +waiter$/m);
    const lines = stdout.match(/^ +\d+ {2}(fresh|ready|waiting|running|suspended)\b.*$/gm);
    const listed = lines.slice(-LISTED.length);
    assert.deepStrictEqual(listed.map((line) => line.trim().split(/\s+/).slice(1).join(' ')),
      LISTED);
    const stacks = stdout.slice(stdout.lastIndexOf('running ')).split(/(?<=fibril__entry.*\n)/);
    assert.strictEqual(stacks.length, 3);
    assert.match(stacks[0],
      / fibril_sleep .*\n.* nap_inside .*\n.* nap .*\n.* fibril__coroutine_main .*\n.* fibril__entry .*\n$/);
    assert.match(stacks[1],
      / fibril_await .*\n.* wait_for_other .*\n.* fibril__coroutine_main .*\n.* fibril__entry .*\n$/);
    assert.match(stacks[2], /#0 .*\n(.*\n)*.* observe /, 'the process is as it was');
    assert.match(stderr, /there is no coroutine 99/);
    return lines;
  }

  it('lists the coroutines of a process, as fibril itself does, and where they wait', () => {
    const lines = shows(run('gdb', ['-batch', '-ex', 'run', '-ex', `source ${script}`, ...look,
      program]));
    assert.deepStrictEqual(lines.slice(0, LISTED.length), lines.slice(LISTED.length));
  });

  it('says what to do where there is no debug information', () => {
    const { stdout, stderr } = run('gdb', ['-batch', '-ex', 'run', '-ex', `source ${script}`,
      ...look, buildProgram(folder, '-g0')]);
    const sentences = stderr.match(/^no debug information of fibril, .*: build with CFLAGS=-g/gm);
    assert.strictEqual(sentences?.length, 4, stderr);
    assert.doesNotMatch(stdout + stderr, /Python|Traceback/);
  });

  it('lists those of a core dump', () => {
    // gdb gives up a mapping in which it meets a guard that the kernel installed; the kernel's own
    // dumps go on behind it.
    const dump = ['-ex', 'set environment FIBRIL_GUARD=mprotect', '-ex', 'run', '-ex',
      `generate-core-file ${core}`];
    run('gdb', ['-batch', ...dump, program]);
    shows(run('gdb', ['-batch', '-ex', `source ${script}`, ...look, program, core]));
  });
});

describe('perf', function () {
  this.timeout(600000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-perf-'));
  const data = path.join(folder, 'perf.data');
  const record = ['record', '-q', '-e', 'cpu-clock', '--call-graph', 'dwarf', '-o', data];

  before(function () {
    needs(this, 'perf', [...record, 'true']);
    needs(this, 'pkg-config', ['--exists', 'libuv']);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it('unwinds a coroutine to its entry and no further', () => {
    assert.strictEqual(run('perf', [...record, buildProgram(folder), '60000000']).status, 0);
    const samples = run('perf', ['script', '-i', data, '-F', 'ip,sym']).stdout.split('\n\n')
      .filter((text) => / spin$/m.test(text));
    assert.notStrictEqual(samples.length, 0);
    for (const sample of samples) {
      const names = sample.trim().split('\n').map((line) => line.trim().split(/\s+/)[1]);
      // What interrupted it, the kernel's, stands above.
      assert.deepStrictEqual(names.slice(names.indexOf('spin')),
        ['spin', 'busy', 'fibril__coroutine_main', 'fibril__entry']);
    }
  });
});
