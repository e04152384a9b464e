'use strict';

/*
 * fibril's co against co 4.6.0, bluebird.coroutine where it is installed, and async/await where it
 * can say the same. Every runner is measured in a process of its own (FIBRIL_RUNNER), so that
 * neither spoils what the engine has learnt about the other; ratios are taken to co in the same
 * process. In one more process somebody uses AsyncLocalStorage, as tracing does in many servers: on
 * Node 20 and 22 every promise is slower there. And in one each turn comes right after a full
 * collection, fibril's and co's alike.
 */

const { AsyncLocalStorage } = require('node:async_hooks');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const { buildAddons, compare, geometricMean, save, table, verdict } = require('./harness');

const IN_C = 'fibril, runner in C';
const COLLECTED = 'after a full collection';
const LABELS = ['co 4.6.0', 'fibril', COLLECTED, IN_C, 'bluebird', 'async/await'];
const WAITS = 100; // of each of a thousand generators
const ADDONS = path.join(__dirname, 'bridge');

/** A module, or undefined where it isn't installed or built. */
function optional(name) {
  try {
    return require(name);
  } catch {
    return undefined;
  }
}

const p = Promise.resolve(1);
const rejected = Promise.reject(new Error('caught'));
rejected.catch(() => {});
const thunkNow = (done) => done(null, 1);
const thunkLater = (done) => {
  p.then(() => done(null, 1));
};
const pending = () => new Promise((resolve) => p.then(resolve));

function* returning() {
  return 1;
}
function* waiting() {
  return yield p;
}
function* nested(depth) {
  return depth === 1 ? yield p : yield nested(depth - 1);
}
const asyncReturning = async () => 1;
const asyncWaiting = async () => await p;
const asyncNested = async (depth) => (depth === 1 ? await p : await asyncNested(depth - 1));

/** A row whose generator yields what `make` gives, once an operation. */
const yields = (make) => (co) => (n) =>
  co(function* () {
    for (let i = 0; i < n; i++) yield make();
  });

/** The same with async/await. */
const awaits = (make) => async (n) => {
  for (let i = 0; i < n; i++) await make();
};

/**
 * The rows: what a co does, and what async/await does where it can. `addon` has native functions.
 */
function rows(fibril, addon) {
  const { atOnce, moment } = addon;
  const futureOfMoment = addon.runtime.future(moment);
  return [
    { name: 'resolved promise', co: yields(() => p), native: awaits(() => p) },
    { name: 'pending promise', co: yields(pending), native: awaits(pending) },
    { name: '[p, p, p]', co: yields(() => [p, p, p]),
      native: awaits(() => Promise.all([p, p, p])) },
    { name: '{a: p, b: p}', co: yields(() => ({ a: p, b: p })) },
    { name: 'thunk at once', co: yields(() => thunkNow) },
    { name: 'thunk later', co: yields(() => thunkLater) },
    { name: 'generator', co: yields(returning), native: awaits(asyncReturning) },
    { name: 'generator that waits', co: yields(waiting), native: awaits(asyncWaiting) },
    { name: 'generator function', co: yields(() => returning), native: awaits(asyncReturning) },
    { name: 'ten nested generators', co: yields(() => nested(10)),
      native: awaits(() => asyncNested(10)) },
    { name: 'yield*', co: yieldStar, native: awaits(asyncWaiting) },
    { name: 'native function, at once', co: yields(() => atOnce(1)),
      native: awaits(() => atOnce(1)) },
    { name: 'native function, a loop turn', co: yields(() => moment(1)),
      native: awaits(() => moment(1)) },
    {
      name: 'native Future, 1,000 generators',
      co: (co) => thousandGenerators(co, co === fibril ? futureOfMoment : moment),
      multiple: 1000 * WAITS,
    },
    { name: 'start and finish', co: startAndFinish, native: startAsync },
    { name: 'co.wrap, two yields', co: wrapped, native: twoAwaits },
    { name: '10,000 concurrent runs', co: concurrent, native: concurrentAsync, multiple: 10_000 },
    { name: 'error thrown and caught', co: throwing, native: throwingAsync },
  ];
}

const yieldStar = (co) => (n) =>
  co(function* () {
    for (let i = 0; i < n; i++) yield* waiting();
  });

const startAndFinish = (co) => (n) => {
  for (let i = 0; i < n; i++) co(returning);
};
const startAsync = (n) => {
  for (let i = 0; i < n; i++) asyncReturning();
};

function wrapped(co) {
  const fn = co.wrap(function* (value) {
    yield p;
    yield p;
    return value;
  });
  return async (n) => {
    for (let i = 0; i < n; i++) await fn(i);
  };
}
async function twoAwaits(n) {
  const fn = async (value) => {
    await p;
    await p;
    return value;
  };
  for (let i = 0; i < n; i++) await fn(i);
}

const concurrent = (co) => (n) => inGroups(n, 10_000, () => co(waiting));
const concurrentAsync = (n) => inGroups(n, 10_000, asyncWaiting);

/** A thousand generators at a time, an operation is one wait of one of them. */
function thousandGenerators(co, wait) {
  const work = function* () {
    for (let i = 0; i < WAITS; i++) yield wait(1);
  };
  return (n) => inGroups(n / WAITS, 1000, () => co(work));
}

async function inGroups(n, size, start) {
  for (let left = n; left > 0; left -= size) {
    const group = [];
    for (let i = 0; i < size; i++) group.push(start());
    await Promise.all(group);
  }
}

const throwing = (co) => (n) =>
  co(function* () {
    for (let i = 0; i < n; i++) {
      try {
        yield rejected;
      } catch (error) {
        if (error.message !== 'caught') throw error;
      }
    }
  });
async function throwingAsync(n) {
  for (let i = 0; i < n; i++) {
    try {
      await rejected;
    } catch (error) {
      if (error.message !== 'caught') throw error;
    }
  }
}

/**
 * bluebird.coroutine in co's shape; it knows promises only, and what it is told to treat as such.
 */
function bluebirdCo(bluebird) {
  const co = (fn) => bluebird.coroutine(fn)();
  co.wrap = bluebird.coroutine;
  return co;
}
const BLUEBIRD_ROWS = new Set([
  'resolved promise',
  'pending promise',
  'yield*',
  'start and finish',
  'co.wrap, two yields',
  '10,000 concurrent runs',
  'error thrown and caught',
]);

/** How many times as fast as co these are meant to be. */
const AIMS = [
  ['[p, p, p]', 2],
  ['generator', 2],
  ['generator function', 2],
  ['ten nested generators', 2],
  ['native Future, 1,000 generators', 2.5],
];

/** Measures all rows under this process's runner. */
async function measure({ quick, only, context, collected }) {
  const fibril = require('../lib');
  const { attachFuture } = require('../lib/co/futures');
  const modes = require('../lib/co/modes');
  const runner = require('../lib/co/runner');
  const original = require('co');
  const bluebird = optional('bluebird');
  const addon = require(path.join(ADDONS, 'build', 'Release', 'coroutine.node'));
  // The addon carries a fibril of its own; its Futures are to be yielded here.
  attachFuture(addon.runtime.Future);
  addon.runtime.attachRunner(runner.resumeRun, modes);
  const label = process.env.FIBRIL_RUNNER === 'native' ? IN_C : 'fibril';
  const measured = [];
  for (const { name, co, native, multiple } of rows(fibril, addon)) {
    if (only.length > 0 && !only.some((part) => name.includes(part))) continue;
    const contenders = { [label]: co(fibril), 'co 4.6.0': co(original) };
    if (label === 'fibril' && !collected) {
      if (bluebird && BLUEBIRD_ROWS.has(name)) contenders.bluebird = co(bluebirdCo(bluebird));
      if (native) contenders['async/await'] = native;
    }
    const where = `${context ? ', with AsyncLocalStorage' : ''}${collected
      ? `, ${COLLECTED}` : ''}`;
    process.stderr.write(`${label}${where}: ${name}\n`);
    measured.push(await compare(name, contenders,
      { reference: 'co 4.6.0', quick, multiple, collected }));
  }
  return measured;
}

/**
 * Measures in a child process, under the runner of this name; `context`: in the scope of an
 * AsyncLocalStorage; `collected`: after full collections.
 */
async function measureUnder(runner, options) {
  const child = promisify(execFile)(process.execPath, [__filename, JSON.stringify(options)], {
    env: { ...process.env, FIBRIL_RUNNER: runner },
    maxBuffer: 1 << 26,
  });
  // Rows as they come, for who looks on; in a log they would be in the way.
  if (process.stderr.isTTY) child.child.stderr.pipe(process.stderr);
  return JSON.parse((await child).stdout);
}

/** Prints the table and the goals that it stands for. */
async function run(options) {
  buildAddons(ADDONS);
  const measured = await measureUnder('js', options);
  const inC = await measureUnder('native', options);
  const collected = await measureUnder('js', { ...options, collected: true });
  measured.forEach((row, i) => {
    if (inC[i].results[IN_C]) row.results[IN_C] = inC[i].results[IN_C];
    row.results[COLLECTED] = collected[i].results.fibril;
  });
  console.log('x: how many times as fast as co 4.6.0, median [95% interval]\n');
  report(measured);
  reportSpeed(measured, COLLECTED, `, ${COLLECTED}`);
  const inContext = await measureUnder('js', { ...options, context: true });
  console.log('\nWith AsyncLocalStorage in use:\n');
  report(inContext);
  if (options.json) save(options.json, 'co', measured, { inContext });
}

/** Prints a table and what it comes to. */
function report(measured) {
  console.log(`${table(measured,
    LABELS.filter((label) => measured.some((row) => row.results[label])))}\n`);
  reportSpeed(measured, 'fibril');
  for (const [name, times] of AIMS) {
    const row = measured.find((each) => each.name === name);
    if (row) {console.log(
      `${name}: ${row.results.fibril.ratio.median.toFixed(2)} times co, the aim is ${times}`);}
  }
  const promise = measured.find((row) => row.name === 'resolved promise');
  if (promise) {
    const { fibril, 'async/await': native } = promise.results;
    console.log(`a resolved promise takes ${(native.ratio.median / fibril.ratio.median)
      .toFixed(2)} times async/await's time`);
  }
}

function reportSpeed(measured, label, where = '') {
  const slower = measured.filter((row) => verdict(row.results[label].ratio) === 'slower');
  console.log(`rows slower than co${where}: ${slower.map((row) => row.name).join(', ') || 'none'}`);
  console.log(`geometric mean over all rows${where}: ${geometricMean(measured, label)
    .toFixed(2)} times co`);
}

if (require.main === module) {
  const options = JSON.parse(process.argv[2]);
  const measured = options.context ? new AsyncLocalStorage().run('context', measure,
    options) : measure(options);
  measured.then((all) => process.stdout.write(JSON.stringify(all)));
}

module.exports = { run };
