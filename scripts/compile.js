'use strict';

// What the programs in C that are built without node-gyp have in common: lists of sources, where
// libuv is, compiling them all.

const { execFile, execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { promisify } = require('util');

const root = path.join(__dirname, '..');
const run = promisify(execFile);

/** The words of a text, such as a compiler's flags. */
function words(text) {
  return text.split(/\s+/).filter(Boolean);
}

/** What pkg-config says of libuv. */
function findLibuv() {
  try {
    return words(execFileSync('pkg-config', ['--cflags', '--libs', 'libuv'],
      { encoding: 'utf8', stdio: 'pipe' }));
  } catch {
    throw new Error(
      'pkg-config does not find libuv (Debian: apt-get install libuv1-dev pkg-config)');
  }
}

/** Of what pkg-config says, what is for the compiler. */
function forCompiler(flags) {
  return flags.filter((flag) => /^-[ID]/.test(flag));
}

/** The sources in these folders, "FOLDER:.EXTENSION" each. */
function listSources(...folders) {
  const text = execFileSync(process.execPath, ['gyp/sources.js', ...folders],
    { cwd: root, encoding: 'utf8' });
  return text.trim().split('\n').map((line) => JSON.parse(line));
}

/** The first line of what a compiler says of its version. */
function versionOf(compiler) {
  return execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n')[0];
}

/** Which of many versions a file has; undefined when it is not there. */
function stampOf(file) {
  const stats = fs.statSync(path.resolve(root, file), { throwIfNoEntry: false });
  return stats && [stats.mtimeMs, stats.size];
}

/**
 * Whether an object is what this command makes of the sources as they are now: of all that the
 * compiler has named when it made it.
 */
function isUpToDate(object, command) {
  try {
    const made = JSON.parse(fs.readFileSync(`${object}.made`, 'utf8'));
    const same = ([file, ...stamp]) => String(stampOf(file)) === String(stamp);
    return fs.existsSync(object) && made.command === command && made.files.every(same);
  } catch {
    return false;
  }
}

/** Notes what an object was made of, unless some of it was changed meanwhile. */
function noteMade(object, command, begun) {
  const [, ...names] = words(fs.readFileSync(`${object}.d`, 'utf8').replaceAll('\\\n', ' '));
  const files = names.map((file) => [file, ...stampOf(file)]);
  if (files.every(([, changed]) => changed < begun)) {
    fs.writeFileSync(`${object}.made`, JSON.stringify({ command, files }));
  }
}

/**
 * Compiles the sources into the folder, as many at a time as there are processors, those whose
 * object is not up to date; the objects.
 */
async function compileAll(compiler, flags, files, folder) {
  const objects = files.map((file) => path.join(folder, `${file.replaceAll('/', '_')}.o`));
  const version = versionOf(compiler);
  const jobs = files.map((file, i) => {
    const args = [...flags, '-Iinclude', '-c', file, '-o', objects[i]];
    return { object: objects[i], args, command: JSON.stringify([version, compiler, ...args]) };
  }).filter(({ object, command }) => !isUpToDate(object, command));
  const worker = async () => {
    for (let job = jobs.pop(); job; job = jobs.pop()) {
      const { object, args, command } = job;
      const begun = Date.now();
      fs.rmSync(`${object}.made`, { force: true });
      await run(compiler, [...args, '-MD', '-MF', `${object}.d`], { cwd: root });
      noteMade(object, command, begun);
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  return objects;
}

module.exports = { compileAll, findLibuv, forCompiler, listSources, words };
