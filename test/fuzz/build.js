'use strict';

// Builds the fuzzers in C, with ASan and UBSan, against libuv and without Node.

const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { compileAll, findLibuv, forCompiler, listSources } = require('../../scripts/compile.js');
const { chooseTools } = require('../../scripts/tools.js');

const root = path.join(__dirname, '..', '..');
const run = promisify(execFile);
const tools = chooseTools({ sanitize: 'address,undefined' });
const FLAGS = [
  '-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden',
  '-fstack-clash-protection', '-pthread', '-DFIBRIL_DEBUG=1', ...tools.flags,
];

/** The environment for the programs. */
const environment = { ...process.env, ...tools.env };

function hasClang() {
  return !spawnSync('clang', ['--version']).error;
}

const CORE = ['src/core/:.c,.S', 'src/io/:.c'];

async function compile(name, compiler, flags, sources) {
  const folder = path.join(root, 'build', 'fuzz', name);
  fs.mkdirSync(folder, { recursive: true });
  return compileAll(compiler, flags, sources, folder);
}

async function link(name, compiler, flags, objects) {
  const program = path.join(root, 'build', 'fuzz', name, 'run');
  await run(compiler, [...objects, '-o', program, ...flags, '-lm'], { cwd: root });
  return program;
}

let core;

/** A fuzzer of our own games: the path of its program; calls of these functions are wrapped. */
async function buildGames(name, sources, wrapped = []) {
  const compiler = process.env.CC || 'cc';
  const uv = findLibuv();
  const flags = [...FLAGS, ...forCompiler(uv)];
  core ??= compile('core', compiler, flags, listSources(...CORE)); // all of them have it
  const files = sources.flatMap((each) => (each.endsWith('/*')
    ? listSources(`test/fuzz/${each.slice(0, -2)}:.c`) : [`test/fuzz/${each}`]));
  const wraps = wrapped.map((each) => `-Wl,--wrap=${each}`);
  return link(name, compiler, [...FLAGS, ...uv, ...wraps],
    [...await core, ...await compile(name, compiler, flags, files)]);
}

/**
 * The fuzzer of signatures: the path of its program, or undefined where there is no clang, which
 * has libFuzzer.
 */
async function buildLibFuzzer(name, source) {
  if (!hasClang()) return undefined;
  const uv = findLibuv();
  const flags = [...FLAGS, '-fsanitize=fuzzer'];
  const parser = listSources('src/node/signatures:.c');
  const sources = [...listSources(...CORE), ...parser, `test/fuzz/${source}`];
  return link(name, 'clang', [...flags, ...uv],
    await compile(name, 'clang', [...flags, ...forCompiler(uv)], sources));
}

module.exports = { buildGames, buildLibFuzzer, environment };
