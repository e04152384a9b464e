'use strict';

/*
 * The context switch: fibril's drain loop, bare coroutines and generators against Boost.Context, ucontext and an indirect
 * call. The measuring is in C (bench/switch), through the public header, linked with the static library that addons link.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { formatRatio, save, summarize, table, verdict } = require('./harness');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build', 'bench');
const cc = process.env.CC || 'cc';
const cxx = process.env.CXX || 'c++';

const MUST_WIN = ['hot', 'deep', 'create+end'];

function command(program, args, input) {
  return execFileSync(program, args, { cwd: root, encoding: 'utf8', input, maxBuffer: 1 << 26, stdio: 'pipe' });
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
    throw new Error('pkg-config does not find libuv (Debian: apt-get install libuv1-dev pkg-config)');
  }
}

function listFiles(where) {
  if (!fs.existsSync(where)) return [];
  return fs.readdirSync(where, { recursive: true }).map((name) => path.join(where, name));
}

/** The library that node-gyp built, unless a source is newer. */
function findLibrary() {
  const library = listFiles(path.join(root, 'build/Release/obj.target')).find((file) => path.basename(file) === 'fibril.a');
  if (!library) return null;
  const built = fs.statSync(library).mtimeMs;
  const sources = [...listFiles(path.join(root, 'src/core')), path.join(root, 'include/fibril.h')];
  return sources.every((file) => fs.statSync(file).mtimeMs <= built) ? library : null;
}

/** Compiles C files of a folder, with the flags of the gyp target. */
function compile(names, flags) {
  return names.map((name) => {
    const object = path.join(folder, `${name.replaceAll('/', '_')}.o`);
    command(cc, ['-O2', '-fomit-frame-pointer', '-std=gnu11', '-Iinclude', ...flags, '-c', name, '-o', object]);
    return object;
  });
}

function buildCore(uv) {
  const names = fs.readdirSync(path.join(root, 'src/core')).filter((name) => name.endsWith('.c')).map((name) => `src/core/${name}`);
  for (const name of fs.readdirSync(path.join(root, 'src/core/arch'))) {
    if (name.endsWith('.S')) names.push(`src/core/arch/${name}`);
  }
  return compile(names, ['-fvisibility=hidden', '-fstack-clash-protection', ...uv.cflags]);
}

/** How to link Boost.Context, or null where it isn't installed. */
function findBoost() {
  const program = '#include <boost/context/detail/fcontext.hpp>\n'
    + 'int main() { return boost::context::detail::make_fcontext(nullptr, 0, nullptr) == nullptr; }\n';
  const output = path.join(folder, 'boost-probe');
  return [['-l:libboost_context.a'], ['-lboost_context']].find((flags) => {
    return succeeds(cxx, ['-x', 'c++', '-', '-o', output, ...flags], program);
  }) ?? null;
}

function build() {
  fs.mkdirSync(folder, { recursive: true });
  const uv = libuv();
  const boost = findBoost();
  const library = findLibrary();
  const objects = compile(
    ['main', 'fibril', 'ucontext', 'call'].map((name) => `bench/switch/${name}.c`),
    [`-DWITH_BOOST=${boost ? 1 : 0}`, ...uv.cflags],
  );
  if (boost) {
    const object = path.join(folder, 'boost.o');
    command(cxx, ['-O2', '-c', 'bench/switch/boost.cpp', '-o', object]);
    objects.push(object);
  }
  objects.push(...(library ? [library] : buildCore(uv)));
  const program = path.join(folder, 'switch');
  command(cxx, [...objects, '-o', program, ...(boost ?? []), ...uv.libs, '-lm', '-pthread']);
  return { program, boost: boost !== null, library };
}

/** Each line: row, contender, nanoseconds; the samples of one round follow each other. */
function collect(output) {
  const rows = new Map();
  for (const line of output.trim().split('\n')) {
    const [name, contender, ns] = line.split('\t');
    if (!rows.has(name)) rows.set(name, {});
    (rows.get(name)[contender] ??= []).push(Number(ns));
  }
  return rows;
}

function summarizeRow(name, samples) {
  const reference = samples.boost ? 'boost' : 'fibril';
  const results = {};
  for (const [contender, own] of Object.entries(samples)) {
    const ratios = own.map((ns, round) => samples[reference][round] / ns);
    results[contender] = { ns: summarize(own), ratio: summarize(ratios) };
  }
  return { name, reference, unit: name === 'create+end' ? 'ns for both' : 'ns in one direction', results };
}

function conclude(row) {
  const { ratio } = row.results.fibril;
  const words = { faster: 'ahead of', slower: 'behind', tie: 'level with' };
  return `${row.name}: fibril is ${words[verdict(ratio)]} Boost.Context, x${formatRatio(ratio)}`;
}

async function run({ quick, json, only }) {
  const { program, boost, library } = build();
  const compiler = command(cc, ['--version']).split('\n')[0];
  const known = command(program, ['rows']).trim().split('\n');
  const chosen = known.filter((name) => only.length === 0 || only.some((part) => name.includes(part)));
  if (chosen.length === 0) throw new Error(`no row is called ${only.join(', ')}; there are ${known.join(', ')}`);

  console.log(`switch: ${compiler}; fibril from ${library ? path.relative(root, library) : 'src/core, compiled here'}`);
  if (!boost) console.log('Boost.Context is not installed (Debian: libboost-context-dev): its column is missing');
  const [rounds, milliseconds] = quick ? [21, 1] : [101, 5];
  const samples = collect(command(program, [String(rounds), String(milliseconds), ...chosen]));
  const rows = [...samples].map(([name, own]) => summarizeRow(name, own));

  console.log('Nanoseconds in one direction of a switch; of create+end, for both. x: how many times as fast as '
    + `${boost ? 'Boost.Context' : 'fibril'} in the same round,\nmedian [95% interval].\n`);
  console.log(table(rows, ['fibril', ...(boost ? ['boost'] : []), 'ucontext', 'call']));
  if (boost) console.log(`\n${rows.filter((row) => MUST_WIN.includes(row.name)).map(conclude).join('\n')}`);
  if (json) save(json, 'switch', rows, { compiler, rounds, milliseconds });
}

module.exports = { run };
