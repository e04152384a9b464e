'use strict';

/*
 * V8 keeps the code that it has optimized across full collections, when nothing of fibril's is
 * alive: see lib/shapes.js.
 */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');

const { names, ROUNDS } = require('./support/collections');

const script = path.join(__dirname, 'support', 'collections.js');
const FLAGS = ['--expose-gc', '--trace-opt', '--trace-deopt', '--no-concurrent-recompilation'];

// Node's own timers and async resources, which co.run and its timeout use, are not for fibril to
// keep; nor is the code of a run that holds a user's signal.
const NOT_KEPT = new Set(['run with options']);

/**
 * What V8 says: the functions compiled, and, by name, how often code was lost with a hidden class.
 */
async function observe(name) {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, script, name],
    { maxBuffer: 1 << 28 });
  const [before, after] = stdout.split('---- collections\n');
  const compiled = [...before.matchAll(/completed compiling 0x\w+ <JSFunction ([\w.#]+)/g)]
    .map((match) => match[1]);
  const lost = new Map();
  const lines = [
    /marking dependent code 0x\w+ <Code \w+> \(0x\w+ <SharedFunctionInfo ([\w.#]+)>\).*reason: (?:embedded )?weak objects/g,
    /completed compiling 0x\w+ <JSFunction (run\.onFulfilled|run\.onRejected) /g,
  ];
  for (const line of lines) {
    for (const [, fn] of after.matchAll(line)) {if (!fn.startsWith('user')) {
      lost.set(fn, (lost.get(fn) ?? 0) + 1);
    }}
  }
  return { compiled, lost };
}

describe('Full collections when nothing is under way', function () {
  this.timeout(120_000);

  for (const name of names.filter((each) => !NOT_KEPT.has(each))) {
    it(`cost no optimized code: ${name}`, async () => {
      const { compiled, lost } = await observe(name);
      assert.ok(compiled.some((fn) => !fn.startsWith('user')),
        'nothing was optimized, so that nothing could be lost');
      // A function may be compiled late, or for what it sees first; what depends on a shape that
      // goes is lost every time.
      const again = [...lost].filter(([, times]) => times >= ROUNDS / 2);
      assert.deepEqual(again, []);
    });
  }
});
