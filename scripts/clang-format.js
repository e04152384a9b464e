'use strict';

// Formats the C files in place, or with --check fails when one is not formatted. Versions of clang-format differ in details, so only
// the one that .clang-format names is used; without it nothing is done, and said.

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const MAJOR = '14';
const FOLDERS = ['include', 'src', 'test', 'bench', 'examples', 'templates'];
const root = path.join(__dirname, '..');

function findProgram() {
  return [`clang-format-${MAJOR}`, 'clang-format'].find((name) => {
    const { stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    return stdout && stdout.includes(`version ${MAJOR}.`);
  });
}

function listFiles(folder) {
  if (!fs.existsSync(path.join(root, folder))) return [];
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }) // with types it follows no link
    .filter((entry) => entry.isFile() && /\.(c|cc|cpp|h)$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.split(path.sep).includes('build'));
}

const program = findProgram();
if (!program) {
  console.log(`clang-format ${MAJOR} is not installed: the format of the C files was not looked at.`);
} else {
  const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
  const child = spawnSync(program, [...mode, ...FOLDERS.flatMap(listFiles)], { cwd: root, stdio: 'inherit' });
  process.exitCode = child.status ?? 1;
}
