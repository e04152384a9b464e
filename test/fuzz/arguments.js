'use strict';

// Arguments of every kind for signatures of every kind, among them objects whose getters throw,
// detach what was read, call again and collect garbage. Each call resolves, rejects or throws an
// Error; nothing hangs and nothing ends the process.

const assert = require('node:assert');
const { setTimeout: delay } = require('node:timers/promises');
const { gc, playGames } = require('./games.js');
const { makeValues } = require('./values.js');
const fuzzed = require('../addon/build/Release/fuzzed.node');

const CALLS = 40;
const HANGS_AFTER_MS = 20000;
const DEEPEST = 4; // calls within getters of arguments of calls

// What user code threw: anything may come back as it is. A signal's method may be a class, which
// throws by itself.
const OF_USERS = /^evil$|^Class constructors cannot be invoked/;
process.on('uncaughtException', (error) => {
  if (!OF_USERS.test(error.message)) throw error;
});
process.on('unhandledRejection', (reason) => {
  if (!OF_USERS.test(reason?.message)) throw reason;
});

/** What a function returns may be a thenable that never settles: nobody waits for such a call. */
function forget(promise) {
  promise.catch(() => {});
}

function functionsOf(chance, values) {
  const {
    all, texts, nested, wide, views, options, rest, maps, records, things,
    sameLater, call, work, sleep, Thing,
  } = fuzzed;
  return [
    all, texts, nested, wide, views, options, rest, maps, records, things,
    (...args) => forget(call(...args)),
    (...args) => forget(sameLater(...args)),
    (...args) => forget(work(...args)),
    (object, value) => forget(work(object, chance.pick(['a', 'then', 0, Symbol.iterator]), value)),
    (...args) => void new Thing(...args),
    (value) => forget(call(() => values.disturb(2), value)),
    (ms, ...args) => sleep(typeof ms === 'number' ? chance.below(2) : ms, ...args),
  ];
}

function makeCaller(chance) {
  let depth = 0;
  const values = makeValues(chance, callOne);
  const functions = functionsOf(chance, values);

  /** Calls something; a promise that is fulfilled when it has ended, or undefined. */
  function callOne() {
    if (depth === DEEPEST) return undefined;
    depth++;
    try {
      const result = chance.pick(functions)(...Array.from({ length: chance.below(6) }, () =>
        values.any()));
      return result?.then(() => {}, () => {});
    } catch (error) {
      assert.ok(error instanceof Error, String(error));
      return undefined;
    } finally {
      depth--;
    }
  }

  return { callOne, values };
}

playGames(async (chance) => {
  const { callOne, values } = makeCaller(chance);
  const late = new AbortController();
  const hangs = delay(HANGS_AFTER_MS, 'hangs', { signal: late.signal }).catch(() => {});
  const ended = Promise.all(Array.from({ length: CALLS }, callOne));
  assert.notStrictEqual(await Promise.race([ended, hangs]), 'hangs');
  late.abort();
  values.forget();
  if (chance.onceIn(10)) gc();
});
