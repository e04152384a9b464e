'use strict';

/* Programs of benches that run without Node: against the system's libuv, with the static library
 * that addons link. */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { listSources } = require('../scripts/compile.js');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build', 'bench');
const cc = process.env.CC || 'cc';
const SOURCES = ['src/core', 'src/io'];

/** What a program writes. */
function command(program, args, input) {
  return execFileSync(program, args, { cwd: root, encoding: 'utf8', input, maxBuffer: 1 << 26,
    stdio: 'pipe' });
}

function succeeds(program, args, input) {
  try {
    command(program, args, input);
    return true;
  } catch {
    return false;
  }
}

function libuv() {
  try {
    const words = (option) => command('pkg-config', [option, 'libuv']).split(/\s+/).filter(Boolean);
    return { cflags: words('--cflags'), libs: words('--libs') };
  } catch {
    throw new Error(
      'pkg-config does not find libuv (Debian: apt-get install libuv1-dev pkg-config)');
  }
}

function listFiles(where) {
  if (!fs.existsSync(where)) return [];
  return fs.readdirSync(where, { recursive: true }).map((name) => path.join(where, name));
}

/** The library that node-gyp built in a folder, unless a source is newer. */
function findLibrary(build = 'build') {
  const library = listFiles(path.join(root, build, 'Release/obj.target'))
    .find((file) => path.basename(file) === 'fibril.a');
  if (!library) return null;
  const built = fs.statSync(library).mtimeMs;
  const sources = [...SOURCES.flatMap((name) => listFiles(path.join(root, name))),
    path.join(root, 'include/fibril.h')];
  return sources.every((file) => fs.statSync(file).mtimeMs <= built) ? library : null;
}

/** Compiles C files, with the flags of the gyp target: their objects. */
function compile(names, flags) {
  fs.mkdirSync(folder, { recursive: true });
  return names.map((name) => {
    const object = path.join(folder, `${name.replaceAll('/', '_')}.o`);
    command(cc, ['-O2', '-fomit-frame-pointer', '-std=gnu11', '-Iinclude', ...flags, '-c', name,
      '-o', object]);
    return object;
  });
}

/** All that is below Node-API, compiled here. */
function compileLibrary(uv) {
  return compile(SOURCES.flatMap((name) => listSources(`${name}/:.c,.S`)),
    ['-fvisibility=hidden', '-falign-functions=64', '-fstack-clash-protection', ...uv.cflags]);
}

module.exports = { root, folder, cc, command, succeeds, libuv, findLibrary, compile,
  compileLibrary };
