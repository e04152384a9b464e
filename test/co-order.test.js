'use strict';

/*
 * How many microtask turns each kind of yield takes, next to co 4.6.0 itself; the table of
 * docs/co.md.
 */

const assert = require('node:assert/strict');
const original = require('co');

const { co, ticksOf } = require('./support/co');
const { randomFrom } = require('./support/programs');

const p = Promise.resolve(1);
const nested = (depth, make) => (depth === 0 ? function* () {} : make(nested(depth - 1, make)));
const yielding = (make) =>
  function* () {
    try {
      yield make();
    } catch {
      // The number of turns is all that counts.
    }
  };

// [what, what runs, turns in fibril, turns in co]
const cases = [
  ['a return', function* () {}, 0, 0],
  ['a throw', function* () { throw new Error('no'); }, 0, 0], // prettier-ignore
  ['the return of a promise', function* () { return p; }, 2, 2], // prettier-ignore
  ['something else than a generator', 5, 0, 0],
  ['a promise instead of a generator', p, 2, 2],
  ['a resolved promise', yielding(() => p), 1, 1],
  ['a rejected promise', yielding(() => Promise.reject(new Error('no'))), 1, 1],
  ['two resolved promises', function* () { yield p; yield p; }, 2, 2], // prettier-ignore
  ['a thenable that calls back at once', yielding(() => ({ then: (resolve) => resolve() })), 0, 0],
  ['a thunk that calls back in the next turn', yielding(() => (done) => p.then(() => done())), 2,
    2],
  ['a bad yield', yielding(() => undefined), 0, 0],
  ['ten yield* inside each other', nested(10, (inner) => function* () { yield* inner(); }), 0,
    0], // prettier-ignore
  // From here on co takes turns that serve nothing.
  ['a thunk that calls back at once', yielding(() => (done) => done()), 0, 1],
  ['a thunk that calls back with a promise', yielding(() => (done) => done(null, p)), 1, 3],
  ['a generator', yielding(() => (function* () {})()), 0, 1],
  ['a generator function that yields once', yielding(() => yielding(() => p)), 1, 2],
  ['a generator function that returns a promise', yielding(() => function* () { return p; }), 1,
    3], // prettier-ignore
  ['ten generator functions inside each other', nested(10, (inner) => yielding(() => inner)), 0,
    10],
  ['[]', yielding(() => []), 0, 1],
  ['{}', yielding(() => ({})), 0, 2],
  ['[1, 2]', yielding(() => [1, 2]), 0, 2],
  ['{a: 1}', yielding(() => ({ a: 1 })), 0, 2],
  ['[1, [2]]', yielding(() => [1, [2]]), 0, 3],
  ['[generator that returns at once]', yielding(() => [function* () {}]), 0, 2],
  ['[promise, promise]', yielding(() => [p, p]), 1, 2],
  ['[rejected promise]', yielding(() => [Promise.reject(new Error('no'))]), 1, 2],
  ['{key: promise}', yielding(() => ({ key: p })), 1, 4],
  ['[[promise]]', yielding(() => [[p]]), 1, 3],
  ['[thunk that calls back at once]', yielding(() => [(done) => done()]), 0, 2],
  ['[generator that yields once]', yielding(() => [yielding(() => p)()]), 2, 3],
];

describe('co: microtask turns', () => {
  for (const [what, run, turns, turnsOfCo] of cases) {
    it(`${turns} for ${what}${turns === turnsOfCo ? ', as in co' : ` (co: ${turnsOfCo})`}`,
      async () => {
      assert.equal(await ticksOf(() => co(run)), turns);
      assert.equal(await ticksOf(() => original(run)), turnsOfCo);
    });
  }

  it('keep pace with await on native promises', async () => {
    const log = [];
    const ours = co(function* () {
      for (let i = 0; i < 4; i++) {
        log.push(`c${i}`);
        yield p;
      }
    });
    const theirs = (async () => {
      for (let i = 0; i < 4; i++) {
        log.push(`w${i}`);
        await p;
      }
    })();
    await Promise.all([ours, theirs]);
    assert.equal(log.join(' '), 'c0 w0 c1 w1 c2 w2 c3 w3');
  });

  it('alternate between two runs that yield promises', async () => {
    const log = [];
    const run = (name) =>
      co(function* () {
        for (let i = 0; i < 3; i++) {
          log.push(name);
          yield p;
        }
      });
    await Promise.all([run('a'), run('b')]);
    assert.equal(log.join(''), 'ababab');
  });

  // What co makes no promises of its own for: several runs of it go on in exactly the order of co.
  const chain = (turns) => (turns === 0
    ? Promise.resolve('chain') : chain(turns - 1).then((value) => value));
  const waits = [
    () => p,
    () => chain(1),
    () => chain(3),
    () => chain(2).then(() => Promise.reject('rejected')),
    () => Promise.reject('rejected'),
    () => new Promise((resolve) => resolve(p)),
    () => ({ then: (resolve) => resolve('at once') }),
    () => ({ then: (resolve, reject) => chain(1).then(() => reject('thenable')) }),
    () => (done) => chain(1).then(() => done(null, 'thunk')),
    () => (done) => p.then(() => done('thunk failed')),
    () => (done) => p.then(() => done(null, chain(2))),
    () => undefined,
  ];
  const several = async (runner, seed) => {
    const log = [];
    const random = randomFrom(seed);
    function* steps(name, depth) {
      for (let i = 0; i < 6; i++) {
        if (depth < 2 && random(5) === 0) yield* steps(`${name}.${i}`, depth + 1);
        try {
          log.push(`${name} ${yield waits[random(waits.length)]()}`);
        } catch (error) {
          log.push(`${name} caught ${typeof error}`);
        }
      }
      return random(2) ? p : name;
    }
    const runs = Array.from({ length: 4 },
      (_, i) => runner(steps, i, 0).then((value) => log.push(`${i} ends with ${value}`)));
    await Promise.all(runs);
    return log;
  };

  it('leave several runs of promises, thenables and late thunks in the order that they have in co',
    async () => {
    for (let seed = 0; seed < 300; seed++) {
      assert.deepEqual(await several(co, seed), await several(original, seed), `seed ${seed}`);
    }
  });
});
