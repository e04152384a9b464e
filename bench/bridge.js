'use strict';

/*
 * A native async call: fibril's coroutines against napi_create_async_work, node-addon-api's
 * AsyncWorker and a JavaScript async function, all of them incrementing a number. `fibril` waits on
 * the loop, without a thread; `fibril_work` does its increment in the thread pool as the peers do.
 * Synchronous functions stand against bare Node-API with the same checks.
 */

const path = require('node:path');
const vm = require('node:vm');

const { buildAddons, compare, formatRatio, save, table } = require('./harness');

const folder = path.join(__dirname, 'bridge');
const CONCURRENT = 1000;
const REFERENCE = 'async_work';
const COLLECTED = 'after a full collection';
const TIMES = 10; // as fast as the reference the row has to be that waits on the loop
const BARE = 'Node-API';
const MOST = 1.3; // times its time that a synchronous call may take
const TOGETHER = 10; // properties
const ALONE = 'alone';
const BATCH = `${TOGETHER} in a batch`;

function build() {
  const load = buildAddons(folder);
  return { coroutine: load('coroutine'), asyncWork: load('async_work').increment,
    asyncWorker: load('async_worker').increment, bare: load('bare') };
}

/** A contender that awaits one call before it makes the next. */
function oneAtATime(call) {
  return async (iterations) => {
    let sum = 0;
    for (let i = 0; i < iterations; i++) sum += await call(1);
    if (sum !== 2 * iterations) throw new Error(`expected ${2 * iterations}, got ${sum}`);
  };
}

/**
 * A contender that has CONCURRENT calls under way; its iterations, too, are calls. All promises
 * share one reaction, which counts: the cheapest way to hear of each, so that the row shows the
 * calls. `Promise.all` costs all contenders about 30 ns more.
 */
function manyAtOnce(call) {
  return async (iterations) => {
    const batches = Math.max(1, Math.round(iterations / CONCURRENT));
    let pending, sum, done;
    const add = (n) => {
      sum += n;
      if (--pending === 0) done();
    };
    const begin = process.hrtime.bigint();
    for (let batch = 0; batch < batches; batch++) {
      pending = CONCURRENT;
      sum = 0;
      const all = new Promise((resolve) => { done = resolve; });
      for (let i = 0; i < CONCURRENT; i++) call(1).then(add);
      await all;
      if (sum !== 2 * CONCURRENT) throw new Error(`expected ${2 * CONCURRENT}, got ${sum}`);
    }
    const elapsed = Number(process.hrtime.bigint() - begin);
    return (elapsed / (batches * CONCURRENT)) * iterations;
  };
}

function contenders({ coroutine, asyncWork, asyncWorker }) {
  const resolved = Promise.resolve();
  const asynchronous = async (n) => n + 1;
  const awaiting = async (n) => {
    await resolved;
    return n + 1;
  };
  const turn = (n) => new Promise((resolve) => { setImmediate(resolve, n + 1); });
  const rows = {
    'one at a time, finished at once': { 'fibril': coroutine.atOnce, 'JS': asynchronous },
    'one at a time, the same turn': { 'fibril': coroutine.pass, 'JS': awaiting },
    'one at a time, a turn of the loop': { 'fibril': coroutine.moment, 'JS': turn },
    'one at a time, in the pool': { 'fibril': coroutine.work },
    '1,000 at once, finished at once': { 'fibril': coroutine.atOnce, 'JS': asynchronous },
    '1,000 at once, the same turn': { 'fibril': coroutine.pass, 'JS': awaiting },
    '1,000 at once, a turn of the loop': { 'fibril': coroutine.moment, 'JS': turn },
    '1,000 at once, a turn of the loop, three calls deep': { 'fibril': coroutine.momentDeep },
    '1,000 at once, in the pool': { 'fibril': coroutine.work },
  };
  return Object.entries(rows).map(([name, calls]) => {
    const drive = name.startsWith('one') ? oneAtATime : manyAtOnce;
    const all = { ...calls, async_work: asyncWork, AsyncWorker: asyncWorker };
    return [name, Object.fromEntries(Object.entries(all)
      .map(([label, call]) => [label, drive(call)]))];
  });
}

/** Contenders by row: the same loop for each, of a text of its own, so that V8 knows one callee. */
function synchronousContenders({ coroutine, bare }) {
  const rows = {
    'synchronous, nothing': ['nothing', '', ''],
    'synchronous, a number': ['increment', 'i', 'i + 1'],
    'synchronous, two numbers': ['add', 'i, 2', 'i + 2'],
    'synchronous, a string of 20': ['copy', "'a string of twenty..'", "'a string of twenty..'"],
  };
  const drive = (call, args, expected) => vm.runInThisContext(`(call) => (iterations) => {
    let last;
    for (let i = 0; i < iterations; i++) last = call(${args});
    const i = iterations - 1;
    if (last !== ${expected || 'undefined'}) throw new Error(\`got \${last}\`);
  }`)(call);
  return Object.entries(rows).map(([name, [fn, args, expected]]) => [name, {
    fibril: drive(coroutine[fn], args, expected),
    [BARE]: drive(bare[fn], args, expected),
  }]);
}

async function runSynchronous(all, { quick, chosen }) {
  const rows = [];
  for (const [name, functions] of synchronousContenders(all)) {
    if (!chosen(name)) continue;
    rows.push(await compare(name, functions, { quick, reference: BARE }));
  }
  if (rows.length === 0) return rows;
  console.log(
    '\nNanoseconds a synchronous call. x: how many times as fast as bare Node-API with the same checks.\n');
  console.log(table(rows, ['fibril', BARE]));
  for (const { name, results: { fibril: { ratio } } } of rows) {
    const verdict = ratio.low >= 1 / MOST ? 'yes'
      : ratio.high < 1 / MOST ? 'NO' : 'within the spread';
    console.log(`${name}: ${(1 / ratio.median).toFixed(2)} times its time; at most ${
      MOST} wanted: ${verdict}`);
  }
  return rows;
}

/** C gets a number that a JavaScript object has: each by itself, and ten in a batch. */
async function runProperties({ coroutine }, { quick, chosen }) {
  const name = 'a property of an object';
  if (!chosen(name)) return [];
  const object = { n: 1 };
  const drive = (get) => async (iterations) => {
    const times = Math.ceil(iterations / TOGETHER) * TOGETHER;
    const sum = await get(object, times);
    if (sum !== times) throw new Error(`expected ${times}, got ${sum}`);
  };
  const functions = { [ALONE]: drive(coroutine.getAlone), [BATCH]: drive(coroutine.getTogether) };
  const row = await compare(name, functions, { quick, reference: ALONE });
  console.log('\nNanoseconds a property that C gets of a JavaScript object, after a wait.\n');
  console.log(table([row], [ALONE, BATCH]));
  return [row];
}

/**
 * @param {{quick: boolean, json: ?string, only: string[]}} options
 */
async function run({ quick, json, only }) {
  const rows = [];
  const all = build();
  const chosen = (name) => only.length === 0 || only.some((part) => name.includes(part));
  for (const [name, functions] of contenders(all)) {
    if (!chosen(name)) continue;
    const options = { quick, reference: REFERENCE, roundMs: quick ? 10 : 40,
      rounds: quick ? 9 : 31 };
    const row = await compare(name, functions, options);
    const { fibril, [REFERENCE]: reference } = functions;
    const collected = await compare(name, { fibril, [REFERENCE]: reference },
      { ...options, collected: true });
    row.results[COLLECTED] = collected.results.fibril;
    rows.push(row);
  }
  if (rows.length > 0) {
    console.log(
      'Nanoseconds a call. x: how many times as fast as napi_create_async_work in the same round, median [95% interval].\n');
    console.log(table(rows, ['fibril', COLLECTED, 'JS', 'AsyncWorker', REFERENCE]));
  }
  for (const row of rows.filter((one) => one.name === '1,000 at once, a turn of the loop')) {
    const { ratio } = row.results.fibril;
    const verdict = ratio.low >= TIMES ? 'yes' : ratio.high < TIMES ? 'NO' : 'within the spread';
    console.log(`\n1,000 concurrent native calls: x${formatRatio(
      ratio)} of napi_create_async_work; at least ${TIMES} wanted: ${verdict}`);
  }
  rows.push(...await runSynchronous(all, { quick, chosen }));
  rows.push(...await runProperties(all, { quick, chosen }));
  if (json) save(json, 'bridge', rows);
}

module.exports = { run };
