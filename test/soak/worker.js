'use strict';

/* The same load in a worker, which ends in the middle of it. */

const { parentPort, workerData } = require('node:worker_threads');
const { createLoad, runLanes } = require('./load.js');

const { seed, folders, end } = workerData;
const { lanes } = createLoad(seed, folders);
const WIDTH = 2;
let rounds = 0;

/** When lanes come back from their first round, others are in the middle of theirs. */
function isOver() {
  rounds++;
  if (rounds === WIDTH * Object.keys(lanes).length + 2) {
    parentPort.postMessage('in the middle');
    if (end === 'exit') process.exit();
    if (end === 'throw') throw new Error('the end of a worker');
  }
  return false;
}

runLanes(lanes, WIDTH, isOver);
