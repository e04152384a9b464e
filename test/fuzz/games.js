'use strict';

// node FUZZER SEED SECONDS: what the fuzzers in JavaScript share. As those in C (fuzz.h) they play
// games, each of a seed that is printed first.

const v8 = require('node:v8');
const vm = require('node:vm');
const { randomFrom } = require('../support/programs.js');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** The game's randomness: a number below a bound, true once in n times, one of a list. */
function chanceFrom(seed) {
  const below = randomFrom(seed);
  return { below, onceIn: (n) => below(n) === 0, pick: (list) => list[below(list.length)] };
}

/**
 * Plays games from the seed on, one at least, for so many seconds; what one rejects with ends the
 * process.
 */
async function playGames(play) {
  const [first, seconds] = process.argv.slice(2).map(Number);
  const end = performance.now() + seconds * 1000;
  let seed = first;
  do {
    console.log(`seed ${seed}`);
    await play(chanceFrom(seed), seed);
    seed++;
  } while (performance.now() < end);
}

module.exports = { chanceFrom, gc, playGames };
