'use strict';

/*
 * Prints, as JSON, in which order everything happens that can be started at one place of the event
 * loop, for each such place. A program of its own: nothing else runs, and its main script is one of
 * the places.
 */

const fs = require('node:fs');
const co = require('../../lib');
const { natives } = require('./natives.js');

const { gen, sleep } = co;
const { call, echo, echoLater, echoMoment, pass, runtime } = natives;
const momentAsFuture = runtime.future(echoMoment);

/**
 * Longer than every timer here: all are due when the loop comes to them, whatever the machine is
 * busy with.
 */
function outlastTimers() {
  const end = process.hrtime.bigint() + 5_000_000n;
  while (process.hrtime.bigint() < end);
}

/** Starts one of each, and returns the trace once the last of them has happened. */
function startAll() {
  const trace = [];
  const log = (what) => () => trace.push(what);
  const logWithTick = (what) => () => {
    trace.push(what);
    process.nextTick(log(`${what}: nextTick`));
    queueMicrotask(log(`${what}: microtask`));
  };

  call(log('C calls JavaScript, first segment'), null);
  setTimeout(logWithTick('setTimeout'), 1);
  setImmediate(logWithTick('setImmediate'));
  process.nextTick(log('nextTick'));
  queueMicrotask(log('microtask 1'));
  echo().then(log('ended in the call'));
  pass(0).then(logWithTick('pass'));
  echoMoment().then(logWithTick('moment'));
  call(logWithTick('C calls JavaScript after a moment'), null, true);
  momentAsFuture().addDoneCallback(logWithTick('done callback'));
  const slept = echoLater(0, 0).then(log('sleep 0'));
  const sleptLonger = echoLater(0, 1).then(log('sleep 1'));
  echoMoment().then(log('moment 2'));
  queueMicrotask(log('microtask 2'));
  outlastTimers();
  trace.push('end of the callback');
  return Promise.all([slept, sleptLonger])
    .then(() => new Promise((resolve) => setTimeout(resolve, 1, trace)));
}

/**
 * What one batch settles: a promise, a generator that waits for a Future, one that waits for a
 * promise, a done callback.
 */
async function settleBatch() {
  const trace = [];
  const log = (what) => () => trace.push(what);
  const slept = sleep(0);
  slept.then(log('a reaction'));
  co(function* () {
    yield gen.sleep(0);
    trace.push('a generator, of its Future');
    yield null;
  }).catch(log('the end of its run'));
  co(function* () {
    yield sleep(0);
    trace.push('a generator, of its promise');
  });
  gen.sleep(0).addDoneCallback(log('a done callback'));
  outlastTimers();
  await slept;
  await sleep(1);
  return trace;
}

const places = {
  'the main script': (go) => go(),
  'a timer': (go) => setTimeout(go, 1),
  'an immediate': (go) => setImmediate(go),
  'I/O': (go) => fs.stat('/', go),
  'a reaction to a native call': (go) => echoMoment().then(go),
  'a done callback': (go) => momentAsFuture().addDoneCallback(go),
  'JavaScript that C calls': (go) => call(go, null, true),
};

async function main() {
  const traces = {};
  for (const [place, from] of Object.entries(places)) {
    traces[place] = await new Promise((resolve) => {
      from(() => {
        startAll().then(resolve);
      });
    });
  }
  traces.batch = await settleBatch();
  console.log(JSON.stringify(traces));
}

main();
