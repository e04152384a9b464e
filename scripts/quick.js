'use strict';

// npm run quick [-- --since REF] [-- --list]
// Builds what has changed against HEAD, or REF, and runs the tests and the lint that belong to it:
// scripts/choose-tests.js says which. What is not committed, or not known to git, counts.
// --list: only says what it would run.

const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');
const { choose } = require('./choose-tests.js');
const { filesBelow } = require('./files.js');

const root = path.join(__dirname, '..');
const inRoot = (...names) => path.join(root, ...names);
const modules = inRoot('node_modules');
const PROGRAMS = {
  'node-gyp': 'node-gyp/bin/node-gyp.js',
  mocha: 'mocha/bin/mocha.js',
  eslint: 'eslint/bin/eslint.js',
};

function git(...args) {
  const text = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return text.split('\0').filter(Boolean);
}

/** Every file that is not as it was: {status: 'A', 'M' or 'D', file}. */
function changesSince(reference) {
  const fields = git('diff', '--name-status', '--no-renames', '-z', reference, '--');
  const tracked = [];
  for (let i = 0; i < fields.length; i += 2) {
    tracked.push({ status: /[AD]/.test(fields[i]) ? fields[i] : 'M', file: fields[i + 1] });
  }
  const untracked = git('ls-files', '--others', '--exclude-standard', '-z');
  return [...tracked, ...untracked.map((file) => ({ status: 'A', file }))];
}

// What src is compiled by, for the addon and for those of the tests.
const MAKEFILES = ['build/gyp/fibril.target.mk', 'build/gyp/fibril_addon.target.mk'];
const ADDONS_MAKEFILES = ['test/addon/build/build/fibril/gyp/fibril.target.mk'];

/** Whether makefiles have all sources of those folders: others may have come with a commit. */
function isConfigured(makefiles, ...folders) {
  const paths = makefiles.map((name) => inRoot(name));
  if (!paths.every((file) => fs.existsSync(file))) return false;
  const text = paths.map((file) => fs.readFileSync(file, 'utf8')).join('');
  const sources = folders.flatMap((folder) => filesBelow(inRoot(folder), ['.c']));
  return sources.every((file) => text.includes(`/${path.relative(root, file).replace(/c$/, 'o')}`));
}

function runStep([program, ...args]) {
  const shown = [program, ...args].join(' ');
  console.log(`\n> ${shown}`);
  const script = program === 'node' ? [] : [path.join(modules, PROGRAMS[program])];
  const begun = Date.now();
  const options = { cwd: root, stdio: 'inherit' };
  const { status } = spawnSync(process.execPath, [...script, ...args], options);
  return { shown, took: `${((Date.now() - begun) / 1000).toFixed(1)} s`, failed: status !== 0 };
}

/** Where a build fails, no test runs; lint does. */
function runAll(commands) {
  const results = [];
  let broken = false;
  for (const command of commands) {
    const isTest = command[0] === 'mocha' || command[1] === 'scripts/test-c.js';
    const result = broken && isTest
      ? { shown: command.join(' '), took: 'not run', failed: true } : runStep(command);
    broken ||= command[0] === 'node-gyp' && result.failed;
    results.push(result);
  }
  return results;
}

function report(results, notRun) {
  console.log('');
  for (const { shown, took, failed } of results) {
    const line = `${failed ? 'not ok' : 'ok'} ${took.padStart(7)}  ${shown}`;
    console.log(line.length > 120 ? `${line.slice(0, 117)}...` : line);
  }
  for (const left of notRun) console.log(`not run: ${left}`);
  if (results.some(({ failed }) => failed)) process.exitCode = 1;
}

function main() {
  const { values: { since, list } } = parseArgs({
    options: { since: { type: 'string', default: 'HEAD' }, list: { type: 'boolean' } },
  });
  const changes = changesSince(since);
  if (changes.length === 0) {
    console.log(`Nothing has changed since ${since}. For what is committed: -- --since REF`);
    return;
  }
  const files = git('ls-files', '--cached', '--others', '--exclude-standard', '-z')
    .filter((file) => fs.existsSync(inRoot(file)));
  const textOf = (file) => fs.readFileSync(inRoot(file), 'utf8');
  const { commands, notRun } = choose(changes, {
    files,
    textOf,
    configured: isConfigured(MAKEFILES, 'src'),
    addonsConfigured: isConfigured(ADDONS_MAKEFILES, 'src/core', 'src/io', 'src/node'),
  });
  const count = changes.length === 1 ? '1 file has' : `${changes.length} files have`;
  console.log(`${count} changed since ${since}.`);
  if (list) for (const command of commands) console.log(command.join(' '));
  report(list ? [] : runAll(commands), notRun);
}

main();
