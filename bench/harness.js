'use strict';

/*
 * What every bench shares. Contenders take turns in short rounds within one process, so that
 * whatever else the machine does hits all of them alike; ratios are taken within a round and only
 * then summed up. A figure is a median with its 95% interval, and two contenders whose interval
 * holds 1 are a tie.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

/**
 * @param {string[]} argv `--quick`: fewer and shorter rounds; `--json FILE`: also write the figures
 *   there; anything else
 * selects rows by a part of their name
 * @returns {{quick: boolean, json: ?string, only: string[]}}
 */
function parseOptions(argv = process.argv.slice(2)) {
  const options = { quick: false, json: null, only: [] };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--quick') options.quick = true;
    else if (argv[i] === '--json' && argv[i + 1]) options.json = argv[++i];
    else if (argv[i].startsWith('--')) {throw new Error(
      `unknown option ${argv[i]}: --quick and --json FILE are known`);}
    else options.only.push(argv[i]);
  }
  return options;
}

/** Median and its 95% interval by order statistics, which assume nothing about the distribution. */
function summarize(samples) {
  const sorted = Float64Array.from(samples).sort();
  const n = sorted.length;
  const spread = 0.98 * Math.sqrt(n);
  const at = (index) => sorted[Math.min(n - 1, Math.max(0, index))];
  const median = n % 2 === 1 ? sorted[n >> 1] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  return { median, low: at(Math.floor(n / 2 - spread)), high: at(Math.ceil(n / 2 + spread)) };
}

/** Nanoseconds an operation. */
async function time(contender, iterations) {
  const begin = process.hrtime.bigint();
  const own = await contender(iterations);
  const elapsed = Number(process.hrtime.bigint() - begin);
  return (typeof own === 'number' ? own : elapsed) / iterations;
}

/** So many iterations of a contender that a round of it takes about `roundMs`. */
async function calibrate(contender, roundMs, multiple) {
  let iterations = multiple;
  for (;;) {
    const ns = (await time(contender, iterations)) * iterations;
    if (ns >= roundMs * 0.9e6) return iterations;
    const factor = Math.min(10, Math.max(1.2, (roundMs * 1e6) / Math.max(ns, 1)));
    iterations = Math.ceil((iterations * factor) / multiple) * multiple;
  }
}

async function calibrateAll(contenders, roundMs, multiple) {
  const counts = [];
  for (const contender of contenders) counts.push(await calibrate(contender, roundMs, multiple));
  return counts;
}

/** Lets the engine's compiler threads finish what the rounds so far have asked of them. */
function settle(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A function that makes a full collection, as a server's heap does all day. */
function collector() {
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc');
}

/**
 * Measures contenders against each other.
 * @param {string} name of the row
 * @param {Object<string, function(number): (Promise|number|void)>} contenders each does its
 *   operation that many times. A
 * returned (or resolved) number is taken as the nanoseconds spent, for what is timed elsewhere (in
 * C).
 * @param {object} [options]
 * @param {string} [options.reference] ratios are this contender's time divided by the others';
 *   default: the last one
 * @param {boolean} [options.quick]
 * @param {number} [options.rounds] default 61, quick 11
 * @param {number} [options.roundMs] default 4, quick 1
 * @param {number} [options.multiple] iterations come in multiples of this; default 1
 * @param {boolean} [options.collected] each contender's turn comes right after a full collection,
 *   which is not in its time
 * @returns {Promise<{name: string, reference: string, iterations: number[], results: object}>}
 *   `iterations` of each contender; for each: `ns` an operation
 * and `ratio` (how many times as fast as the reference), each `{median, low, high}`
 */
async function compare(name, contenders, options = {}) {
  const { quick = false, multiple = 1 } = options;
  const prepare = options.collected ? collector() : () => {};
  const rounds = options.rounds ?? (quick ? 11 : 61);
  const roundMs = options.roundMs ?? (quick ? 1 : 4);
  const labels = Object.keys(contenders);
  const functions = Object.values(contenders);
  const reference = labels.indexOf(options.reference ?? labels.at(-1));
  const warmup = Math.ceil(rounds / 5);
  for (let begun = await calibrateAll(functions, roundMs, multiple),
    round = 0; round < warmup; round++) {
    for (let index = 0; index < functions.length; index++) {
      await time(functions[index], begun[index]);
    }
  }
  await settle(quick ? 10 : 50);
  const iterations = await calibrateAll(functions, roundMs, multiple);
  const samples = labels.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const index of rotated(functions.length, round)) {
      prepare();
      samples[index].push(await time(functions[index], iterations[index]));
    }
  }
  const results = {};
  labels.forEach((label, index) => {
    const ratios = samples[index].map((ns, round) => samples[reference][round] / ns);
    results[label] = { ns: summarize(samples[index]), ratio: summarize(ratios) };
  });
  return { name, reference: labels[reference], iterations, results };
}

/**
 * The contenders' order of one round: everybody begins, and follows everybody else, equally often.
 */
function rotated(count, round) {
  const order = Array.from({ length: count }, (_, i) => (i + round) % count);
  return Math.floor(round / count) % 2 === 0 ? order : order.reverse();
}

/** 'faster', 'slower' or 'tie' for a ratio with its interval. */
function verdict(ratio) {
  if (ratio.low > 1) return 'faster';
  return ratio.high < 1 ? 'slower' : 'tie';
}

/**
 * Geometric mean of the median ratios of a contender over the rows that have it and its reference.
 */
function geometricMean(rows, label) {
  const logs = rows.filter((row) => row.results[label])
    .map((row) => Math.log(row.results[label].ratio.median));
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

function formatNs(ns) {
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(2)} ms`;
  if (ns >= 1e4) return `${(ns / 1e3).toFixed(1)} µs`;
  return `${ns.toFixed(ns < 100 ? 1 : 0)} ns`;
}

function formatRatio(ratio) {
  return `${ratio.median.toFixed(2)} [${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]`;
}

/**
 * A table: one line a row, one column a contender with its time, and its ratio to the reference
 * with the interval.
 * @returns {string}
 */
function table(rows, labels = [...new Set(rows.flatMap((row) => Object.keys(row.results)))]) {
  const lines = [['', ...labels]];
  for (const row of rows) {
    lines.push([
      row.name,
      ...labels.map((label) => {
        const result = row.results[label];
        if (!result) return '-';
        if (label === row.reference) return formatNs(result.ns.median);
        return `${formatNs(result.ns.median)}  x${formatRatio(result.ratio)}${verdict(
          result.ratio) === 'tie' ? ' tie' : ''}`;
      }),
    ]);
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) => line.map((cell, i) => (i === 0
      ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('   '))
    .join('\n');
}

/** The figures with what they were measured on. */
function save(file, bench, rows, extra = {}) {
  const machine = {
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform}-${process.arch}`,
    release: os.release(),
    cpu: os.cpus()[0]?.model,
    cpus: os.cpus().length,
  };
  fs.writeFileSync(file,
    `${JSON.stringify({ bench, date: new Date().toISOString(), machine, ...extra, rows }, null,
      2)}\n`);
}

/**
 * Builds the addons of a folder that has a binding.gyp.
 * @returns {function(string): object} loads one of them by name
 */
function buildAddons(folder) {
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  try {
    execFileSync(process.execPath, [nodeGyp, 'configure', 'build', '--directory', folder],
      { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error(`the addons of ${folder} do not build:\n${error.stderr}`, { cause: error });
  }
  return (name) => require(path.join(folder, 'build', 'Release', `${name}.node`));
}

module.exports = { buildAddons, parseOptions, compare, rotated, summarize, verdict, geometricMean,
  formatNs, formatRatio, table, save };
