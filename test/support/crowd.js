'use strict';

/*
 * node crowd.js COUNT: what an event loop does for others while COUNT coroutines are always ready.
 * Prints it as JSON.
 */

const fs = require('node:fs');
const pressure = require('./pressure.js');

const now = () => Number(process.hrtime.bigint()) / 1e6;
let turns = 0;
let over = false;

function countTurns() {
  turns++;
  if (!over) setImmediate(countTurns);
}

/** How many turns something that is due in `ms` milliseconds comes late. */
async function turnsLate(ms, start) {
  const started = start(ms);
  const due = now() + ms;
  let dueIn;
  const watch = () => {
    if (now() >= due) dueIn = turns;
    else setImmediate(watch);
  };
  setImmediate(watch);
  await started;
  return dueIn === undefined ? 0 : turns - dueIn;
}

async function main(count) {
  const busy = pressure.keepBusy(count);
  countTurns();
  const laps = [];
  for (let i = 0; i < 20; i++) {
    await new Promise(setImmediate);
    laps.push(await pressure.laps());
  }

  const ended = [];
  await fs.promises.stat(__filename);
  ended.push('stat');
  const job = pressure.block();
  await pressure.letGo(1);
  await job;
  ended.push('job');

  const timer = await turnsLate(5, (ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  const nap = await turnsLate(5, (ms) => pressure.nap(ms));
  const before = turns;
  await pressure.countBlocked();
  const call = turns - before;

  const start = now();
  const first = turns;
  while (turns < first + 20) await new Promise(setImmediate);
  const msATurn = (now() - start) / 20;

  await pressure.stopBusy();
  await busy;
  over = true;
  console.log(JSON.stringify({ laps, ended, timer, nap, call, msATurn }));
}

main(Number(process.argv[2]));
