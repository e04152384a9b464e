'use strict';

// npm run test:tools -- [--gate] [TOOL...]: the C tests under sanitizers and valgrind, once for
// each row of the table below, or for those of the TOOLs. --gate: as many of them as run each test
// once under ASan, which looks for leaks too, and under TSan, and a quarter of the tests under
// valgrind. The rows are not the product of compilers, levels, frame pointers and switches: they
// hold every pair of values at least once, which is checked before anything runs. A fault that
// takes three of them together may escape.

const { spawn } = require('child_process');
const os = require('os');
const path = require('path');

const FACTORS = [
  ['address,undefined', 'thread', 'leak', 'valgrind'],
  ['gcc', 'clang'],
  ['0', '1', '2', '3'],
  ['omit', 'keep'],
  ['inline', 'portable'],
];

const ROWS = [
  ['address,undefined', 'gcc', '0', 'omit', 'portable'],
  ['address,undefined', 'clang', '1', 'keep', 'inline'],
  ['address,undefined', 'gcc', '2', 'keep', 'portable'],
  ['address,undefined', 'clang', '3', 'omit', 'inline'],
  ['thread', 'gcc', '0', 'keep', 'portable'],
  ['thread', 'gcc', '1', 'omit', 'inline'],
  ['thread', 'clang', '2', 'omit', 'portable'],
  ['thread', 'gcc', '3', 'keep', 'inline'],
  ['leak', 'clang', '0', 'omit', 'portable'],
  ['leak', 'gcc', '1', 'keep', 'portable'],
  ['leak', 'clang', '3', 'keep', 'portable'],
  ['leak', 'gcc', '2', 'omit', 'inline'],
  ['valgrind', 'gcc', '0', 'keep', 'portable'],
  ['valgrind', 'clang', '1', 'omit', 'portable'],
  ['valgrind', 'clang', '2', 'keep', 'inline'],
  ['valgrind', 'gcc', '3', 'omit', 'inline'],
];

const GATE = { 'address,undefined': 2, thread: 2, leak: 0, valgrind: 1 }; // how many rows of each

/** The inline switch needs an optimising compiler: src/core/switch/arch/switch.h. */
function isPossible(values) {
  return !(values.includes('0') && values.includes('inline'));
}

/** All pairs of values of different factors that can occur together. */
function pairs() {
  const found = [];
  FACTORS.forEach((some, i) => FACTORS.slice(i + 1).forEach((others) => {
    for (const one of some) for (const other of others) found.push([one, other]);
  }));
  return found.filter(isPossible);
}

function checkTable() {
  const ungated = FACTORS[0].find((tool) => GATE[tool] === undefined);
  if (ungated) throw new Error(`how many rows of ${ungated} are for the gate?`);
  for (const row of ROWS) {
    const wrong = row.length !== FACTORS.length ||
    row.some((value, i) => !FACTORS[i].includes(value)) || !isPossible(row);
    if (wrong) throw new Error(`no such row: ${row.join(' ')}`);
  }
  const missing = pairs()
    .filter((pair) => !ROWS.some((row) => pair.every((value) => row.includes(value))));
  if (missing.length > 0) {
    throw new Error(`no row has ${missing.map((pair) => pair.join(' with ')).join(', ')}`);
  }
}

/** The how-manieth row of its tool it is, from 0. */
function indexOfTool(row) {
  return ROWS.filter(([tool]) => tool === row[0]).indexOf(row);
}

/**
 * The part of the tests that a row runs: a tool's rows share them. A test takes valgrind seconds,
 * most of them to begin, so that it has each once; a sanitizer has each twice, at a low level and
 * at a high one, ASan and LSan with both compilers.
 */
function partOf(row) {
  const at = indexOfTool(row);
  return row[0] === 'valgrind' ? `${at + 1}/4` : `${[1, 2, 2, 1][at]}/2`;
}

function argumentsOf(row) {
  const [tool, compiler, level, frames, form] = row;
  return [
    '--cc', compiler, '-O', level, '--part', partOf(row),
    ...tool === 'valgrind' ? ['--valgrind'] : ['--sanitize', tool],
    ...form === 'portable' ? ['--switch', 'portable'] : [],
    '--', frames === 'omit' ? '-fomit-frame-pointer' : '-fno-omit-frame-pointer',
  ];
}

/** Runs a row to its end, then prints it whole: rows run at the same time. Whether it was good. */
async function runRow(row) {
  const begun = Date.now();
  const child = spawn(process.execPath, [path.join(__dirname, 'test-c.js'), ...argumentsOf(row)],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data));
  const code = await new Promise((resolve, reject) => child.on('error', reject)
    .on('close', resolve));
  process.stdout.write(Buffer.concat(output));
  console.log(`${row.join(' ')}: ${Math.round((Date.now() - begun) / 1000)} s`);
  return code === 0;
}

async function main(args) {
  checkTable();
  const tools = args.filter((arg) => arg !== '--gate');
  const most = (tool) => (args.includes('--gate') ? GATE[tool] : Infinity);
  const unknown = tools.find((tool) => !FACTORS[0].includes(tool));
  if (unknown) throw new Error(`${FACTORS[0].join(', ')}, not ${unknown}`);
  // The long ones first, so that no processor waits for the last of them alone.
  const chosen = ROWS.filter(([tool]) => tools.length === 0 || tools.includes(tool));
  const waiting = chosen.filter((row) => indexOfTool(row) < most(row[0])).reverse();
  if (waiting.length === 0) throw new Error(`nothing to run of ${tools.join(', ')}`);
  const worker = async () => {
    for (let row = waiting.shift(); row; row = waiting.shift()) {if (!await runRow(row)) {
      process.exitCode = 1;
    }}
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
