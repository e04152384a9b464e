'use strict';

// Generators of C next to V8's own: next, throw and return at random times, in any order, have the
// same answers. With values ahead the answers differ, but they all come. A synchronous one can't
// wait, whatever it tries.

const assert = require('node:assert');
const { setTimeout: delay } = require('node:timers/promises');
const { gc, playGames } = require('./games.js');
const fuzzed = require('../addon/build/Release/fuzzed.node');

const HANGS_AFTER_MS = 20000;
const LANES = 10; // at the same time, in one game

async function* model(count, ms) {
  for (let i = 0; i < count; i++) {
    await delay(ms);
    yield i;
  }
  return 'end';
}

function makeRequests({ below, pick }) {
  return Array.from({ length: 1 + below(7) }, () => ({
    method: pick(['next', 'next', 'next', 'throw', 'return']), pause: pick(['answer', 0, 1, 3]),
    value: below(5),
  }));
}

function make(iterator, { method, value }) {
  if (method === 'throw') return iterator.throw(new Error(`thrown ${value}`));
  if (method === 'return' && value === 3) return iterator.return(delay(2, 3)); // which it awaits
  return iterator[method](value);
}

async function show(answer) {
  try {
    const { value, done } = await answer;
    return `${value}${done ? ' (done)' : ''}`;
  } catch (error) {
    return `throws ${error.message}`;
  }
}

async function answersOf(iterator, requests) {
  const answers = [];
  for (const request of requests) {
    if (request.pause === 'answer') await answers.at(-1);
    else if (request.pause > 0) await delay(request.pause);
    answers.push(show(make(iterator, request)));
  }
  const late = new AbortController();
  const hangs = delay(HANGS_AFTER_MS, ['hangs'], { signal: late.signal }).catch(() => {});
  const result = await Promise.race([Promise.all(answers), hangs]);
  late.abort();
  return result;
}

async function compare(chance) {
  const count = chance.below(4);
  const ms = chance.below(3);
  const requests = makeRequests(chance);
  const [actual, expected, ahead] = await Promise.all([
    answersOf(fuzzed.slow(count, ms), requests), answersOf(model(count, ms), requests),
    answersOf(fuzzed.slowAhead(count, ms), requests),
  ]);
  const about = JSON.stringify({ count, ms, requests });
  assert.deepStrictEqual(actual, expected, about);
  assert.strictEqual(ahead.length, requests.length, `hangs: ${about}`);
}

const ESYNC = -5010;

function checkWaits({ below }) {
  let most = below(8);
  for (const code of fuzzed.waits()) {
    assert.strictEqual(code, ESYNC);
    if (most-- === 0) break;
  }
}

playGames(async (chance) => {
  checkWaits(chance);
  await Promise.all(Array.from({ length: LANES }, () => compare(chance)));
  if (chance.onceIn(10)) gc();
});
