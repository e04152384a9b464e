'use strict';

/*
 * npm run soak [-- --seconds N] [--seed N] [--only LANE[,LANE...]] [--leak KIND[,KIND...]]
 *
 * A mixed load on everything, in rounds: natives, co, files, cancels, functions that C calls,
 * errors, workers that are ended in the middle. After each round everything has come to rest,
 * garbage is collected, and what the process has is measured. The first quarter warms up; over the
 * rest nothing may grow. --leak loses something in each round on purpose (memory, malloc, heap,
 * handle, descriptor, coroutine), to see that it is found.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { parseArgs } = require('node:util');
const v8 = require('node:v8');
const vm = require('node:vm');

const co = require('../../lib');
const { addCounts, addFigures } = require('../../scripts/counts.js');
const { natives } = require('../support/natives.js');
const pressure = require('../support/pressure.js');
const { makeFolders, createLoad, runLanes } = require('./load.js');
const { growth } = require('./flat.js');

const WIDTH = 6; // of each lane
const WORKERS = 2;
const ROUNDS = 16; // of which a quarter warms up

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

const MB = 1024 * 1024;
const megabytes = (bytes) => (bytes / MB).toFixed(3);

// What is measured: how, by how much it may grow (a leak grows with the run, noise hardly does; in
// ten minutes Node and V8 allocate a little more by themselves), how it is shown.
const METRICS = {
  'RSS MB': { read: () => process.memoryUsage.rss(), allowance: 8 * MB, show: megabytes },
  // -1 where the C library does not tell
  'malloc MB': { read: () => pressure.bytesInUse(), allowance: 0.1 * MB, inTenMinutes: 0.5 * MB,
    show: megabytes },
  'heap MB': { read: () => process.memoryUsage().heapUsed, allowance: 0.5 * MB, show: megabytes },
  'external MB': { read: () => process.memoryUsage().external, allowance: 0.25 * MB,
    show: megabytes },
  'global handles KB': {
    read: () => v8.getHeapStatistics().used_global_handles_size, allowance: 4096,
    show: (bytes) => (bytes / 1024).toFixed(1),
  },
  contexts: { read: () => v8.getHeapStatistics().number_of_native_contexts, allowance: 0,
    show: String },
  'libuv handles': { read: () => process.report.getReport().libuv.length, allowance: 1,
    show: String },
  descriptors: { read: () => fs.readdirSync('/proc/self/fd').length, allowance: 1, show: String },
  threads: { read: () => fs.readdirSync('/proc/self/task').length, allowance: 1, show: String },
  coroutines: { read: () => co.inspect().length, allowance: 0, show: String },
};

const kept = [];
const LEAKS = {
  memory: () => kept.push(Buffer.alloc(4 * MB, 1)),
  malloc: () => pressure.lose(MB / 4),
  heap: () => kept.push(Array.from({ length: 20_000 }, (_, i) => ({ i }))),
  handle: () => kept.push(new MessageChannel()),
  descriptor: () => kept.push(fs.openSync('/dev/null')),
  coroutine: () => kept.push(natives.forever()),
};

function parse() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      leak: { type: 'string' },
    },
  });
  const seconds = Number(values.seconds);
  const seed = Number(values.seed);
  const leaks = values.leak?.split(',') ?? [];
  if (!(seconds > 0) || !Number.isInteger(seed) ||
    !leaks.every((kind) => Object.hasOwn(LEAKS, kind))) {
    throw new Error(
      `usage: npm run soak [-- --seconds N] [--seed N] [--only LANE,...] [--leak KIND,...]: ${Object.keys(LEAKS).join(', ')}`);
  }
  return { seconds, seed, only: values.only?.split(','), leaks: leaks.map((kind) => LEAKS[kind]) };
}

/**
 * Everything has ended; what is still around is for the garbage collector, and for the loop to
 * close.
 */
async function settle() {
  for (let i = 0; i < 4; i++) {
    await co.sleep(10);
    gc();
  }
}

function add(totals, counts) {
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
}

function chosen(lanes, only) {
  return Object.fromEntries(Object.entries(lanes)
    .filter(([name]) => only === undefined || only.includes(name)));
}

async function soak({ seconds, seed, only, leaks }) {
  const folders = makeFolders();
  const { lanes, workers } = createLoad(seed, folders);
  const samples = [];
  const totals = {};
  const start = process.hrtime.bigint();
  const elapsed = () => Number(process.hrtime.bigint() - start) / 1e9;
  console.log(['        seconds', ...Object.keys(METRICS)].join('  '));
  for (let round = 1; round <= ROUNDS; round++) {
    const isOver = () => elapsed() >= (seconds * round) / ROUNDS;
    const counts = await Promise.all([
      runLanes(chosen(lanes, only), WIDTH, isOver),
      runLanes(chosen(workers, only), WORKERS, isOver),
    ]);
    counts.forEach((each) => add(totals, each));
    for (const leak of leaks) leak();
    await settle();
    const sample = {};
    for (const [name, { read }] of Object.entries(METRICS)) sample[name] = await read();
    samples.push(sample);
    show(round, elapsed(), sample);
  }
  fs.rmSync(folders.base, { recursive: true });
  console.log(`done: ${Object.entries(totals).map(([name, count]) => `${name} ${count}`)
    .join(', ')}`);
  return samples.slice(ROUNDS / 4);
}

function show(round, seconds, sample) {
  const row = Object.entries(METRICS).map(([name, metric]) => metric.show(sample[name])
    .padStart(name.length));
  const phase = round > ROUNDS / 4 ? '' : 'warm-up';
  console.log([phase.padEnd(8) + seconds.toFixed(0).padStart(7), ...row].join('  '));
}

/** What has grown, of METRICS' entries; `figures`: nothing leaks on purpose, docs may say it. */
function judge(samples, seconds, figures) {
  return Object.entries(METRICS).filter(([name, { allowance, inTenMinutes = 0, show: text }]) => {
    const grown = growth(samples.map((sample) => sample[name]));
    const allowed = allowance + (inTenMinutes * seconds) / 600;
    const isFlat = grown <= allowed;
    if (figures) addFigures({ [`soak, ${seconds} s: ${name} grown by`]: text(grown) });
    console.log(`${isFlat
      ? 'ok' : 'GROWS'}  ${name}: ${text(grown)} more, at most ${text(allowed)}`);
    return !isFlat;
  });
}

/**
 * In a process whose memory finds its size early: workers' threads do not each bring a heap of
 * malloc's, which takes minutes to fill, and V8's young generation stays small.
 */
function runInSmallProcess() {
  const args = ['--max-semi-space-size=1', __filename, ...process.argv.slice(2)];
  const { status, signal } = spawnSync(process.execPath, args,
    { env: { ...process.env, MALLOC_ARENA_MAX: '2' }, stdio: 'inherit' });
  if (signal !== null) console.log(`ended by ${signal}`);
  process.exitCode = status ?? 1;
}

async function main() {
  process.exitCode = 1; // until it is judged
  const options = parse();
  setInterval(() => {}, 1000); // signals that time out do not keep a process alive
  const complaints = [];
  process.on('warning', (warning) => complaints.push(String(warning)));
  const grown = judge(await soak(options), options.seconds, options.leaks.length === 0);
  complaints.push(...grown.map(([name]) => `${name} grows`));
  if (complaints.length > 0) console.log(complaints.join('\n'));
  addCounts({ passed: complaints.length > 0 ? 0 : 1, failed: complaints.length > 0 ? 1 : 0 });
  process.exit(complaints.length > 0 ? 1 : 0);
}

if (process.env.MALLOC_ARENA_MAX === undefined) runInSmallProcess();
else main();
