'use strict';

/*
 * node trace-programs.js FIRST LAST: the traces of the programs with these seeds, as JSON, under
 * the runner of FIBRIL_RUNNER.
 */

const co = require('../../lib');
const { trace } = require('./programs');

const [first, last] = process.argv.slice(2).map(Number);

/** Whether a generator that goes on after a wait has the loop of the JavaScript runner under it. */
const resumesInJS = () =>
  co(function* () {
    yield Promise.resolve();
    return new Error().stack.includes('resumeInJS');
  });

async function main() {
  const traces = [];
  for (let seed = first; seed <= last; seed++) traces.push(await trace(co, seed));
  process.stdout.write(JSON.stringify({ resumesInC: !(await resumesInJS()), traces }));
}

main();
