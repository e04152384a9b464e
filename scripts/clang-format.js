'use strict';

// node scripts/clang-format.js [--check] [FILE...]
// Formats the C files, or these, in place, or with --check fails when one is not formatted.
// Versions of clang-format differ in details, so only the one that .clang-format names is used;
// without it nothing is done, and said.

const { spawnSync } = require('child_process');
const path = require('path');
const { filesBelow } = require('./files');

const MAJOR = '14';
const FOLDERS = ['include', 'src', 'test', 'bench', 'examples', 'templates'];
const root = path.join(__dirname, '..');

function sourcesBelow(folder) {
  return filesBelow(path.join(root, folder), ['.c', '.cc', '.cpp', '.h']);
}

function findProgram() {
  return [`clang-format-${MAJOR}`, 'clang-format'].find((name) => {
    const { stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    return stdout && stdout.includes(`version ${MAJOR}.`);
  });
}

const program = findProgram();
if (!program) {
  console.log(
    `clang-format ${MAJOR} is not installed: the format of the C files was not looked at.`);
} else {
  const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
  const given = process.argv.slice(2).filter((argument) => argument !== '--check');
  const files = given.length > 0 ? given : FOLDERS.flatMap(sourcesBelow);
  const child = spawnSync(program, [...mode, ...files], { cwd: root, stdio: 'inherit' });
  process.exitCode = child.status ?? 1;
}
