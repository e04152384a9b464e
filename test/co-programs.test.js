'use strict';

/*
 * Random generator programs: under co 4.6.0 itself each of their generators sees the same as under
 * fibril.
 */

const assert = require('node:assert/strict');
const original = require('co');

const { co } = require('./support/co');
const { trace, perGenerator } = require('./support/programs');

describe('co: random programs', () => {
  for (let block = 0; block < 10; block++) {
    it(`see what they see under co (seeds ${block * 50} to ${block * 50 + 49})`, async () => {
      for (let seed = block * 50; seed < block * 50 + 50; seed++) {
        const [ours, theirs] = [await trace(co, seed), await trace(original, seed)];
        assert.deepEqual(perGenerator(ours), perGenerator(theirs), `seed ${seed}`);
      }
    });
  }
});
