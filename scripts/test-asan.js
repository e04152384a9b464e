'use strict';

// npm run test:asan -- [MOCHA'S ARGUMENTS]: builds the addon and those of the tests with ASan and
// UBSan, in a copy of the repository, and runs the mocha suite on them, or what the arguments name.
// In every process of a test, leaks are looked for at its end: an allocation counts unless Node's
// own code made it.

const path = require('path');
const { asanEnvironment, inSanitizedCopy, runMocha } = require('./sanitized-node.js');

const LEFT_OUT = {
  'test/package': 'npm, compilers, bundlers and debuggers make and load things of their own, without a sanitizer',
  'test/c.test.js': 'npm run test:c -- --sanitize runs these tests, each in a process of its own, so that a leak has a name',
  'test/runtimes.test.js': 'Bun and Deno cannot be preloaded into, and where no binary loads there is nothing to look at',
};

const CANARY = 'frames between red zones are wider than the canary';
const SKIP = new Map([
  ['a stack overflow with a canary by recursion is noticed when the coroutine waits', CANARY],
  ['a stack overflow with a canary by recursion, in a worker too', CANARY],
  ['.* are 250 without trouble, on the main thread and in a worker',
    'LeakSanitizer\'s own tracer crashes at the end of a process with so many libraries'],
  ['.* wakes threads that wait, and tells of every call',
    'it wants some thousand calls of a worker in 20 ms'],
  ['.*, installed with npm overrides',
    'npm itself would run under ASan; the same projects run from node_modules'],
  ['.* leave nothing behind, taken or refused',
    'ASan keeps freed memory aside, and what is resident is measured'],
]);

/** Mocha's arguments for all files and tests but those that are named above. */
function wholeSuite() {
  for (const [what, reason] of [...Object.entries(LEFT_OUT), ...SKIP]) {
    console.log(`  skipped ${what}: ${reason}`);
  }
  const ignored = Object.keys(LEFT_OUT).flatMap((file) => ['--ignore', file]);
  return ['test/*.test.js', ...ignored];
}

function main(args) {
  const options = ['--invert', '--grep', `^(${[...SKIP.keys()].join('|')})$`];
  const chosen = args.length > 0 ? args : wholeSuite();
  return inSanitizedCopy('address,undefined', (folder) =>
    runMocha(folder, [...options, ...chosen], asanEnvironment(path.join(folder, 'build'))));
}

try {
  process.exitCode = main(process.argv.slice(2)) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
