'use strict';

/*
 * Every value of support/co-values.js in every place: under co 4.6.0 and under fibril, with either
 * runner, the same comes of it: the outcome, the order of what happens, the rejections that nobody
 * handles. What differs is listed here, each entry with the words of docs/co.md for it.
 */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const { groups, alone, places } = require('./support/co-values');

const script = path.join(__dirname, 'support', 'observe-values.js');
const docs = fs.readFileSync(path.join(__dirname, '..', 'docs', 'co.md'), 'utf8')
  .replaceAll(/\s+/g, ' ');

const waitedBefore = ['after a promise', 'after a turn of the loop', 'in finally'];
const members = ['in an array', 'between others in an array', 'in an object',
  'in an array in an object'];
const yielded = [...Object.keys(alone), ...members, 'in a child', 'in a child that is a member'];
const unless = (...without) => yielded.filter((place) => !without.includes(place));
const started = ['in place of a generator function', 'as what the function returns'];

// [words of docs/co.md, values, where they differ]
const differences = [
  ['converting a yielded value throws: a getter, a `then`',
    ['a thenable that throws', 'a thenable whose then is a getter that throws',
      'an object with a getter that throws'], waitedBefore],
  ['`String(value)` for the text of a bad yield throws',
    ['an object without a prototype', 'an instance whose toString throws'], unless(...members)],
  ['a thenable in an object',
    ['a thenable that fulfils at once', 'a thenable that fulfils later',
      'a thenable that rejects at once',
      'a thenable that rejects later with a string', 'a thenable that fulfils with a promise',
      'a thenable that fulfils with a thenable',
      'a thenable that fulfils twice', 'a thenable that does both'], ['in an object']],
  ['A promise that has a `then` method of its own is a thenable in arrays and objects',
    ['a promise with its own then'], members],
  ['an object whose own `constructor` has no `prototype`',
    ['an object with a promise as its constructor'], yielded],
  ['there, one in an inner array or object comes after those of the outer ones',
    ['an array with a rejected promise before a failing thunk'], yielded],
  ['A child that never waits does not give other runs a turn. A loop over such children, as a loop over thunks that call back at once',
    ['a thunk that looks at this'], ['twice']],
  ['an own `__proto__` key in an object', ['an object with a key __proto__'], unless('in finally')],
  ['an async function is yielded', ['an async function'], yielded],
  ['an async function is yielded', ['an async generator function'], [...yielded, started[0]]],
  ['an async generator is yielded or given to `co`', ['an async generator'],
    [...yielded, ...started]],
  ['an array or object that contains itself',
    ['an array that contains itself', 'an object that contains itself'], yielded],
  ['or stands twice in an array or object', ['an array with a generator twice'], yielded],
  ['a generator is given to a second `co` while it runs', ['a generator that is running'],
    [...yielded, ...started]],
];

// What takes fewer turns than in co: values wherever they are yielded, and whatever is in a place;
// with the words of docs/co.md.
const fewerTurns = {
  values: {
    thunks: '| thunk that calls back at once |',
    generators: '| generator (function) that yields one promise |',
    generatorFunctions: '| generator (function) that yields one promise |',
    arrays: '| `[promise, promise]` |',
    objects: '| `{key: promise}` |',
    unforeseen: 'Each of these is a fault of co 4.6.0',
  },
  places: {
    'in an array': '| `[promise, promise]` |',
    'between others in an array': '| `[promise, promise]` |',
    'in an object': '| `{key: promise}` |',
    'in an array in an object': '| `[[promise]]` |',
    'in a child': '| generator (function) that yields one promise |',
    'in a child that is a member': '| array with a generator that yields one promise |',
    'as the result of a child': '| generator (function) that returns a promise |',
    'as the result of a child that is a member': '| array with a generator that returns at once |',
    'as what a thunk calls back with': '| thunk that calls back at once with a promise |',
  },
};
const samePace = ['as the result', 'as what a thunk calls back with later',
  'as the error of a thunk', 'thrown', 'as what the function returns'];

async function observe(who, runner) {
  const { stdout } = await promisify(execFile)(process.execPath, [script, who], {
    env: { ...process.env, FIBRIL_RUNNER: runner },
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout);
}

/** What can be compared of all: everything but the turns. */
function comparable({ outcome, log, unhandled }) {
  return { outcome, log, unhandled };
}

/** "value, place" of each difference that is meant. */
function meant() {
  const keys = new Set();
  for (const [, values, where] of differences) {
    for (const value of values) {for (const place of where) {
      keys.add(`${value}, ${place}`).add(`${value}, ${place}, with a this`);
    }}
  }
  return keys;
}

describe('co: values in places', function () {
  this.timeout(120_000);
  let theirs;
  let ours;
  let inC;
  before(async () => {
    theirs = await observe('co', 'js');
    [ours, inC] = await Promise.all([observe('fibril', 'js'), observe('fibril', 'native')]);
  });

  for (const [group, values] of Object.entries(groups)) {
    for (const name of Object.keys(values)) {
      it(`the same comes of ${name} (${group})`, () => {
        const found = Object.keys(places)
          .flatMap((place) => [`${name}, ${place}`, `${name}, ${place}, with a this`]);
        for (const key of found) {
          if (!meant().has(key)) {
            assert.deepEqual(comparable(ours[key]), comparable(theirs[key]), key);
          }
          assert.deepEqual(inC[key], ours[key], `${key}, in C`);
        }
      });
    }
  }

  it('differs in all that is listed, and docs/co.md says so', () => {
    for (const key of meant()) {
      assert.notDeepEqual(comparable(ours[key]), comparable(theirs[key]), key);
    }
    for (const [words] of differences) assert.ok(docs.includes(words), words);
  });

  it('takes the turns of co, and fewer where docs/co.md says so', () => {
    const listed = meant();
    for (const words of Object.values(fewerTurns).flatMap(Object.values)) {
      assert.ok(docs.includes(words), words);
    }
    for (const [group, values] of Object.entries(groups)) {
      for (const key of Object.keys(values).flatMap((name) => Object.keys(places)
        .map((place) => `${name}, ${place}`))) {
        // The table above says how those differ.
        if (listed.has(key) || (group === 'thenables' && key.endsWith(', in an object'))) continue;
        const [mine, other] = [ours[key].turns, theirs[key].turns];
        const place = key.slice(key.indexOf(', ') + 2);
        if (place in fewerTurns.places || (group in fewerTurns.values &&
          !samePace.includes(place))) {
          assert.ok(mine <= other, `${key}: ${mine} turns, in co ${other}`);
        } else {
          assert.equal(mine, other, key);
        }
      }
    }
  });
});
