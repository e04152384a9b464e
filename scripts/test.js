'use strict';

// npm test [-- FILE...]: Mocha over test/*.test.js, a process for each file, as many at the same
// time as there are processors.

const fs = require('node:fs');
const path = require('node:path');
const { stripVTControlCharacters } = require('node:util');
const { eachOf, root, runMocha } = require('./mocha.js');

// Those that take longest come first, so that no processor waits for one of them alone.
const LONG = ['co-values', 'examples', 'docs', 'guards', 'c', 'collections', 'ends', 'teardown'];

function allFiles() {
  const rank = (name) => LONG.indexOf(name) + 1 || LONG.length + 1;
  return fs.readdirSync(path.join(root, 'test'))
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => name.slice(0, -'.test.js'.length))
    .sort((a, b) => rank(a) - rank(b))
    .map((name) => `test/${name}.test.js`);
}

const sum = (outputs, word) => outputs
  .map((output) => new RegExp(`^  (\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0)
  .reduce((total, count) => total + Number(count), 0);

async function main(files) {
  const began = Date.now();
  const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const outputs = [];
  const failed = [];
  await eachOf(files, async (file) => {
    const result = await runMocha([file], colour);
    outputs.push(result.output);
    if (result.failed) failed.push(file);
    process.stdout.write(result.output);
  });
  const plain = outputs.map(stripVTControlCharacters);
  const counts = ['passing', 'pending', 'failing'].map((word) => `${sum(plain, word)} ${word}`);
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(`${files.length} files in ${seconds} s: ${counts.join(', ')}`);
  for (const file of failed) console.log(`failed: ${file}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

main(process.argv.length > 2 ? process.argv.slice(2) : allFiles());
