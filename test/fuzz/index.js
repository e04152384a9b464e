'use strict';

// npm run fuzz -- [--seconds N] [--only NAME[,NAME...]] [--seed N] [--fixed]
// The fuzzers of fuzzers.js (all, or those), each for N seconds (60), as many at the same time as
// there are processors. They play games of new seeds, from SEED on where it is given; with --fixed
// the same games each time: those that found something once, then from seed 1 on. A failure is
// printed with the seed that repeats it. Those in C are built with ASan and UBSan; those in
// JavaScript use what was built last.

const { spawn } = require('node:child_process');
const { randomInt } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { addCounts, addFigures } = require('../../scripts/counts.js');
const { buildGames, buildLibFuzzer, environment } = require('./build.js');
const { FUZZERS } = require('./fuzzers.js');

const SEEDS = 2 ** 31; // libFuzzer takes no larger ones

function parse() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      only: { type: 'string', default: Object.keys(FUZZERS).join(',') },
      seed: { type: 'string' },
      fixed: { type: 'boolean', default: false },
    },
  });
  const seconds = Number(values.seconds);
  const seed = values.seed === undefined ? undefined : Number(values.seed);
  const names = values.only.split(',');
  const isSeed = seed === undefined || (Number.isInteger(seed) && seed > 0 && seed < SEEDS);
  if (!(seconds >= 0) || !isSeed || !names.every((name) => Object.hasOwn(FUZZERS, name))) {
    throw new Error(
      `usage: npm run fuzz -- [--seconds N] [--only NAME,...] [--seed N] [--fixed]: ${Object.keys(
        FUZZERS).join(', ')}`);
  }
  return { seconds, names, fixed: values.fixed, seed: seed ??
    (values.fixed ? 1 : randomInt(1, SEEDS)) };
}

/**
 * Runs a command to its end: how it ended, the last seed that it printed, and the rest of what it
 * printed.
 */
function run(command, args, env) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let last;
  let rest = '';
  for (const stream of [child.stdout, child.stderr]) {
    let line = '';
    stream.setEncoding('utf8').on('data', (text) => {
      const lines = (line + text).split('\n');
      line = lines.pop();
      for (const each of lines) {
        if (/^seed \d+$/.test(each)) last = each.slice(5);
        else rest += `${each}\n`;
      }
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ended: signal ?? code, last, rest }));
  });
}

/** Plays from a seed on; whether all went well. */
async function play(name, command, seed, seconds, env) {
  const { ended, last, rest } = await run(command[0],
    [...command.slice(1), String(seed), String(seconds)], env);
  if (ended === 0) {
    if (seconds > 0) addFigures({ [`fuzzer ${name}: games in ${seconds} s`]: last - seed + 1 });
    console.log(`ok ${name}: seeds ${seed} to ${last}`);
    return true;
  }
  console.log(
    `not ok ${name}: seed ${last} ended with ${ended}: npm run fuzz -- --only ${name} --seconds 0 --seed ${last}\n${rest}`);
  return false;
}

async function playGames(name, fuzzer, { seconds, seed, fixed }) {
  const command = fuzzer.script
    ? [process.execPath, path.join(__dirname, fuzzer.script)]
    : [await buildGames(name, fuzzer.c, fuzzer.wrapped)];
  const env = fuzzer.script ? process.env : environment;
  const results = [];
  for (const [each] of fixed ? fuzzer.seeds : []) {
    results.push(await play(name, command, each, 0, env));
  }
  results.push(await play(name, command, seed, seconds, env));
  return results.every(Boolean);
}

/** The inputs that libFuzzer begins with, a file for each. */
function makeCorpus(folder, inputs) {
  const lines = fs.readFileSync(path.join(__dirname, inputs), 'utf8').split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  lines.forEach((line, i) => fs.writeFileSync(path.join(folder, String(i)),
    JSON.parse(`"${line}"`)));
}

/**
 * What libFuzzer finds is printed as base64, too; its seed makes the same inputs of the same
 * corpus.
 */
async function playInputs(name, fuzzer, { seconds, seed }) {
  const program = await buildLibFuzzer(name, fuzzer.libFuzzer);
  if (program === undefined) {
    console.log(`skipped ${name}: clang, which has libFuzzer, is not installed`);
    return true;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-fuzz-'));
  makeCorpus(folder, fuzzer.inputs);
  // 0 would be for ever
  const limits = [`-max_total_time=${Math.max(1, seconds)}`, '-max_len=2000', '-timeout=20',
    '-verbosity=0', `-artifact_prefix=${folder}/`];
  const { ended, rest } = await run(program, [`-seed=${seed}`, ...limits, folder], environment);
  fs.rmSync(folder, { recursive: true });
  console.log(`${ended === 0 ? 'ok' : 'not ok'} ${name}: seed ${seed}${ended === 0
    ? '' : `\n${rest}`}`);
  return ended === 0;
}

/** Whether all went well: one that does not compile is no reason for the others to end. */
async function fuzz(name, options) {
  const fuzzer = FUZZERS[name];
  try {
    return await (fuzzer.libFuzzer ? playInputs : playGames)(name, fuzzer, options);
  } catch (error) {
    console.log(`not ok ${name}: ${error.stderr || error.stack}`);
    return false;
  }
}

async function main() {
  const options = parse();
  const waiting = [...options.names];
  const counts = { passed: 0, failed: 0 };
  console.log(`seed ${options.seed}, ${options.seconds} s each`);
  const worker = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      counts[await fuzz(name, options) ? 'passed' : 'failed']++;
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  addCounts(counts);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  if (counts.failed > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
