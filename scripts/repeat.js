'use strict';

// npm run test:repeat -- [--times N] [--jobs N] [FILE...]: every test that starts a process, a
// server or a worker, N times (50), several files at the same time (as many as there are
// processors), so that what fails by chance has its chance. On what was built last.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { eachOf, root, runMocha } = require('./mocha.js');

const plugin = path.join(root, 'test', 'support', 'starts.js');

const { values, positionals } = parseArgs({
  options: {
    times: { type: 'string', default: '50' },
    jobs: { type: 'string', default: String(os.availableParallelism()) },
  },
  allowPositionals: true,
});

function positiveInteger(name) {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  throw new TypeError(`--${name} must be a positive integer, got ${values[name]}`);
}

const times = positiveInteger('times');
const jobs = positiveInteger('jobs');

function allFiles() {
  return ['test', 'test/long', 'test/package']
    .flatMap((folder) => fs.readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith(folder === 'test/long' ? '.js' : '.test.js'))
    .map((name) => `${folder}/${name}`));
}

const results = [];

async function repeat(file, folder) {
  const list = path.join(folder, file.replaceAll('/', '+'));
  fs.writeFileSync(list, '');
  let failed = 0;
  const began = Date.now();
  for (let i = 0; i < times; i++) {
    const result = await runMocha(['--require', plugin, file],
      i === 0 ? { FIBRIL_STARTS: list } : { FIBRIL_ONLY: list });
    if (result.failed) {
      failed++;
      console.log(`==== ${file}, run ${i + 1}, failed:\n${result.output}`);
    }
    if (i === 0 && fs.statSync(list).size === 0) return;
  }
  const tests = new Set(fs.readFileSync(list, 'utf8').trim().split('\n')).size;
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(`${file}: ${tests} tests, ${times} times in ${seconds} s, ${failed} runs failed`);
  results.push({ tests, failed });
}

async function main() {
  const files = positionals.length > 0 ? positionals : allFiles();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-repeat-'));
  await eachOf(files, (file) => repeat(file, folder), jobs);
  fs.rmSync(folder, { recursive: true });
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`${sum('tests')} tests, ${times} times, ${sum('failed')} runs failed`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
}

main();
