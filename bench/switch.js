'use strict';

/*
 * The context switch: fibril's drain loop, bare coroutines and generators against Boost.Context,
 * ucontext and an indirect call. The measuring is in C (bench/switch), through the public header,
 * linked with the static library that addons link.
 *
 * What it costs depends on the state of the processor (a core that is shared with another thread,
 * predictors) more than on anything a process does by itself. So several processes run in turn on
 * each of the processors, and the spread between them is printed as well.
 */

const fs = require('node:fs');
const path = require('node:path');

const { formatNs, formatRatio, save, summarize, table, verdict } = require('./harness');
const { root, folder, cc, command, succeeds, libuv, findLibrary, compile, compileLibrary } =
  require('./programs');

const cxx = process.env.CXX || 'c++';

const PROCESSORS_MAX = 4;
/* Adds in a cycle: every processor of today does three or more, and a thread half of that while it
 * shares its core. */
const ALONE = 2.5;

const MUST_WIN = ['hot', 'deep', 'create+end'];

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
  objects.push(...(library ? [library] : compileLibrary(uv)));
  const program = path.join(folder, 'switch');
  command(cxx, [...objects, '-o', program, ...(boost ?? []), ...uv.libs, '-lm', '-pthread']);
  return { program, boost: boost !== null, library };
}

/** Those that this process may use, a few of them where there are many; -1: whichever. */
function processors() {
  let list;
  try {
    [, list] = /^Cpus_allowed_list:\s*(\S+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  } catch {
    return [-1];
  }
  const all = list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  const step = Math.max(1, all.length / PROCESSORS_MAX);
  return Array.from({ length: Math.min(all.length, PROCESSORS_MAX) },
    (_, i) => all[Math.floor(i * step)]);
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
  return { name, reference, unit: name === 'create+end' ? 'ns for both' : 'ns in one direction',
    results };
}

function median(samples) {
  return summarize(samples).median;
}

/** Runs the program in several processes on each processor, in turn. */
function measure(program, count, args) {
  const processes = [];
  for (let i = 0; i < count; i++) {
    for (const cpu of processors()) {
      const rows = collect(command(program, [String(cpu), ...args]));
      const { cycle, adds } = rows.get('state');
      rows.delete('state');
      processes.push({ cpu, cycle: median(cycle), adds: median(adds), rows });
    }
  }
  return processes;
}

/** All samples of a row of some processes. */
function pool(processes) {
  const rows = new Map();
  for (const process of processes) {
    for (const [name, samples] of process.rows) {
      if (!rows.has(name)) rows.set(name, {});
      for (const [contender, own] of Object.entries(samples)) {
        (rows.get(name)[contender] ??= []).push(...own);
      }
    }
  }
  return [...rows].map(([name, samples]) => summarizeRow(name, samples));
}

function range(numbers, format) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return `${format(sorted[0])} to ${format(sorted.at(-1))}`;
}

/** From the fastest to the slowest process, of medians: one line a row. */
function spread(name, processes) {
  const own = processes.map((process) => process.rows.get(name));
  const words = [`fibril ${range(own.map((samples) => median(samples.fibril)), formatNs)}`];
  if (own[0].boost) {
    const ratios = own.map(({ fibril, boost }) => {
      return median(fibril.map((ns, round) => boost[round] / ns));
    });
    words.push(`boost ${range(own.map((samples) => median(samples.boost)), formatNs)}`,
      `x${range(ratios, (ratio) => ratio.toFixed(2))}`);
  }
  return `${name.padEnd(12)}${words.join(', ')}`;
}

function describe(processes) {
  const cpus = [...new Set(processes.map((process) => process.cpu))].sort((a, b) => a - b);
  const where = cpus[0] < 0 ? '' : ` on processor ${cpus.join(', ')}`;
  return `${processes.length} processes${where}: ${range(processes.map(({ adds }) => adds),
    (adds) => adds.toFixed(1))} adds in a cycle of ${range(processes.map(({ cycle }) => cycle),
    (ns) => `${ns.toFixed(2)} ns`)}`;
}

/** The rows of the processes that met the same state. */
function report(title, processes, labels) {
  const rows = pool(processes);
  console.log(`${title}, ${describe(processes)}\n`);
  console.log(`${table(rows, labels)}\n`);
  console.log('From the fastest to the slowest process, and of the ratios from the worst to the best:');
  for (const { name } of rows) console.log(spread(name, processes));
  const known = rows.filter((row) => MUST_WIN.includes(row.name) && row.results.boost);
  if (known.length > 0) console.log(`\n${known.map(conclude).join('\n')}`);
  console.log('');
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
  const chosen = known.filter((name) => only.length === 0 ||
    only.some((part) => name.includes(part)));
  if (chosen.length === 0) {
    throw new Error(`no row is called ${only.join(', ')}; there are ${known.join(', ')}`);
  }

  console.log(`switch: ${compiler}; fibril from ${library
    ? path.relative(root, library) : 'src, compiled here'}`);
  if (!boost) {console.log(
    'Boost.Context is not installed (Debian: libboost-context-dev): its column is missing');}
  const [count, rounds, milliseconds] = quick ? [2, 11, 1] : [6, 21, 4];
  const processes = measure(program, count, [String(rounds), String(milliseconds), ...chosen]);

  console.log(
    'Nanoseconds in one direction of a switch; of create+end, for both. x: how many times as fast as '
    + `${boost ? 'Boost.Context' : 'fibril'} in the same round,\nmedian [95% interval].\n`);
  const labels = ['fibril', ...(boost ? ['boost'] : []), 'ucontext', 'call'];
  const alone = processes.filter(({ adds }) => adds >= ALONE);
  const shared = processes.filter(({ adds }) => adds < ALONE);
  if (alone.length > 0) report('A core of its own', alone, labels);
  if (shared.length > 0) report('A core that is shared', shared, labels);
  if (json) {
    save(json, 'switch', pool(processes), { compiler, rounds, milliseconds,
      processes: processes.map(({ cpu, cycle, adds, rows }) => {
        return { cpu, cycle, adds, rows: pool([{ rows }]) };
      }) });
  }
}

module.exports = { run };
