'use strict';

/*
 * How long the loop stands still at most while a call brings 64 MB, and how long it takes until its
 * function runs. The loop turns all the time, as fast as it can; what counts is the longest of its
 * turns, that of the call among them.
 */

const path = require('node:path');

const { buildAddons, save, summarize } = require('./harness');

const MB = 1024 * 1024;
const SIZE = 64 * MB;

const ROWS = [
  ['nothing', () => Buffer.alloc(0), 'length'],
  ['1 MB of a Buffer', () => Buffer.alloc(MB, 1), 'length'],
  ['64 MB of a Buffer', () => Buffer.alloc(SIZE, 1), 'length'],
  ['64 MB of a Float64Array', () => new Float64Array(SIZE / 8).fill(1), 'length'],
  ['64 MB in 64 of 1 MB', () => Array.from({ length: 64 }, () => Buffer.alloc(MB, 1)), 'length'],
  ['64 MB of shared memory', () => new Uint8Array(new SharedArrayBuffer(SIZE)).fill(1), 'length'],
  ['64 MB of co.bytes', () => require('..').bytes(SIZE).fill(1), 'length'],
  ['64 MB to a synchronous function', () => Buffer.alloc(SIZE, 1), 'lengthNow'],
];

/** @returns {Promise<{longest: number, whole: number}>} milliseconds */
async function measure(call) {
  let longest = 0;
  let over = false;
  const begin = performance.now();
  let last = begin;
  const done = Promise.resolve(call()).then(() => {
    over = true;
    return performance.now() - begin;
  });
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  while (!over) {
    look();
    await new Promise(setImmediate);
  }
  // What has been freed by then counts, too.
  for (let i = 0; i < 3; i++) {
    look();
    await new Promise(setImmediate);
  }
  look();
  return { longest, whole: await done };
}

async function run(options) {
  const addon = buildAddons(path.join(__dirname, 'bytes'))('bytes');
  const rounds = options.quick ? 10 : 100;
  const rows = ROWS.filter(([name]) =>
    options.only.length === 0 || options.only.some((part) => name.includes(part)));
  const figures = [];
  console.log('| | longest turn, ms: median | most | until it runs, ms: median |');
  console.log('| --- | --- | --- | --- |');
  for (const [name, make, fn] of rows) {
    const data = make();
    const call = Array.isArray(data)
      ? () => Promise.all(data.map((each) => addon[fn](each))) : () => addon[fn](data);
    const samples = [];
    for (let i = 0; i < rounds; i++) samples.push(await measure(call));
    const longest = samples.map((sample) => sample.longest);
    const figure = { name, longest: summarize(longest).median, most: Math.max(...longest),
      whole: summarize(samples.map((sample) => sample.whole)).median };
    figures.push(figure);
    console.log(`| ${name} | ${figure.longest.toFixed(2)} | ${figure.most.toFixed(2)} | ${
      figure.whole.toFixed(2)} |`);
  }
  if (options.json !== null) save(options.json, 'bytes', figures);
}

module.exports = { run };
