'use strict';

/*
 * node compare-gen-programs.js FIRST LAST: runs the programs of these seeds under fibril, with the
 * runner of FIBRIL_RUNNER, and under the model of Tornado 4.5, and prints as JSON how many lines
 * were compared and the first line that differs of each program in which one does.
 */

const { gen, Future, IOLoop } = require('../../lib');
const { trace } = require('./gen-programs');
const { tornado } = require('./tornado');

const [first, last] = process.argv.slice(2).map(Number);

// Errors that no coroutine of a program has asked for are part of it.
process.on('unhandledRejection', () => {});
process.removeAllListeners('warning');

async function main() {
  const differences = [];
  let lines = 0;
  for (let seed = first; seed <= last; seed++) {
    const ours = await trace({ gen, Future, loop: IOLoop.current() }, seed);
    const theirs = await trace(tornado(), seed);
    lines += theirs.length;
    const line = theirs.findIndex((each, i) => each !== ours[i]);
    if (line >= 0 || ours.length !== theirs.length) {
      differences.push({ seed, line, ours: ours[line], theirs: theirs[line] });
    }
  }
  process.stdout.write(JSON.stringify({ lines, differences }));
}

main();
