'use strict';

/*
 * Values through a loop, a hundred thousand at a time where the rounds are that long: C generators
 * against those of JavaScript, and for `for await` against a Readable in object mode, which is what
 * addons that stream rows or entries usually give.
 */

const path = require('node:path');
const { Readable } = require('node:stream');

const { buildAddons, compare, formatRatio, save, table } = require('./harness');

const AT_ONCE = 100000;

function* numbers(count) {
  for (let i = 0; i < count; i++) yield i;
}

async function* stream(count) {
  for (let i = 0; i < count; i++) yield i;
}

async function* objects(count) {
  for (let i = 0; i < count; i++) yield { id: i, name: 'name' };
}

/** A stream that makes its values as they are asked for. */
function readable(count, make) {
  let i = 0;
  return new Readable({
    objectMode: true,
    read() {
      this.push(i < count ? make(i++) : null);
    },
  });
}

function check(seen, count) {
  if (seen !== count) throw new Error(`${seen} values instead of ${count}`);
}

/** A contender whose iterations are values, of as many iterators as that needs. */
function each(open) {
  return (iterations) => {
    for (let left = iterations; left > 0; left -= AT_ONCE) {
      const count = Math.min(left, AT_ONCE);
      let seen = 0;
      for (const value of open(count)) seen += value === seen;
      check(seen, count);
    }
  };
}

function eachAwaited(open, read = (value) => value) {
  return async (iterations) => {
    for (let left = iterations; left > 0; left -= AT_ONCE) {
      const count = Math.min(left, AT_ONCE);
      let seen = 0;
      for await (const value of open(count)) seen += read(value) === seen;
      check(seen, count);
    }
  };
}

function contenders(addon) {
  const id = (object) => object.id;
  return [
    ['for...of, numbers', 'JS', { fibril: each(addon.numbers), JS: each(numbers) }],
    ['for await, numbers', 'Readable', {
      'fibril': eachAwaited(addon.stream), 'fibril, 16 ahead': eachAwaited(addon.streamAhead),
      'JS': eachAwaited(stream),
      'Readable': eachAwaited((count) => readable(count, (i) => i)),
    }],
    ['for await, objects', 'Readable', {
      fibril: eachAwaited(addon.objects, id), JS: eachAwaited(objects, id),
      Readable: eachAwaited((count) => readable(count, (i) => ({ id: i, name: 'name' })), id),
    }],
  ];
}

/**
 * @param {{quick: boolean, json: ?string, only: string[]}} options
 */
async function run({ quick, json, only }) {
  const addon = buildAddons(path.join(__dirname, 'iterator'))('iterator');
  const rows = [];
  for (const [name, reference, functions] of contenders(addon)) {
    if (only.length > 0 && !only.some((part) => name.includes(part))) continue;
    rows.push(await compare(name, functions, { quick, reference, roundMs: quick ? 10 : 40,
      rounds: quick ? 9 : 31 }));
  }
  console.log(
    'Nanoseconds a value. x: how many times as fast as the row\'s last one in the same round, median [95% interval].\n');
  console.log(table(rows, ['fibril', 'fibril, 16 ahead', 'JS', 'Readable']));
  for (const { name, results } of rows.filter((row) => row.reference === 'Readable')) {
    const { ratio } = results.fibril;
    console.log(`\n${name}: x${formatRatio(
      ratio)} of a Readable in object mode; faster wanted: ${ratio.low > 1 ? 'yes' : 'NO'}`);
  }
  if (json) save(json, 'iterator', rows);
}

module.exports = { run };
