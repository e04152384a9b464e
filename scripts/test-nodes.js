'use strict';

// npm run test:nodes -- [MAJOR...] [-- MOCHA'S ARGUMENTS]: what is built in build/Release and
// test/addon/build, by whatever Node built it, runs the tests under the newest Node of every other
// major version that is supported.

const { spawnSync } = require('child_process');
const path = require('path');
const { nodeOf, otherMajors } = require('./nodes.js');
const { ownHeaders } = require('./own-headers.js');

const root = path.join(__dirname, '..');
// Not test/package: npm, compilers, TypeScript and debuggers make the same of the same files.
const TESTS = ['test/*.test.js', '--grep', ', installed with npm overrides$', '--invert'];

function runTests(major, args) {
  const node = nodeOf(major);
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n---- Node ${version}, with the addon that Node ${process.version} built\n`);
  const mocha = require.resolve('mocha/bin/mocha.js');
  // The tests that build addons build them for the Node at hand.
  return spawnSync(node, [mocha, ...args], { cwd: root, stdio: 'inherit',
    env: { ...process.env, ...ownHeaders() } }).status === 0;
}

const given = process.argv.slice(2);
const at = given.indexOf('--');
const chosen = at < 0 ? given : given.slice(0, at);
const majors = chosen.length > 0 ? chosen : otherMajors;
const results = majors.map((major) => runTests(major, at < 0 ? TESTS : given.slice(at + 1)));
process.exitCode = results.every(Boolean) ? 0 : 1;
