'use strict';

// What several test files share: the natives, child processes, garbage collection on demand, the
// messages of Node's own errors.

const { AssertionError } = require('node:assert');
const { spawn } = require('node:child_process');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

const nativesPath = path.join(__dirname, '..', 'addon', 'build', 'Release', 'natives.node');

/**
 * Runs a script in a process of its own, where `natives` and `nativesPath` are defined.
 * @returns {Promise<{code: ?number, signal: ?string, stdout: string, stderr: string}>}
 */
function runOnce(code, { flags = [], env = {}, onOutput } = {}) {
  const prelude = `const nativesPath = ${JSON.stringify(
    nativesPath)}; const natives = require(nativesPath);`;
  const child = spawn(process.execPath, [...flags, '-e', `'use strict'; ${prelude} ${code}`], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result = { code: null, signal: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      result[name] += text;
      onOutput?.(child, result);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) =>
      resolve(Object.assign(result, { code: exitCode, signal })));
  });
}

// LeakSanitizer looks for leaks at the end of a process, in a thread of its own that sometimes
// crashes where many libraries are loaded. A leak is found in the next run as well.
const TRACER_CRASHED = 'LeakSanitizer has encountered a fatal error';
const RUNS_MAX = 4;

/** As runOnce; again, where the sanitizer itself has failed. */
async function runScript(code, options) {
  for (let runs = 1; ; runs++) {
    const result = await runOnce(code, options);
    if (runs === RUNS_MAX || !result.stderr.includes(TRACER_CRASHED)) return result;
  }
}

let gc;

/**
 * Collects garbage, the loop turning in between, until `condition()` holds; what never comes to be
 * garbage is an error.
 */
async function collectUntil(condition) {
  if (gc === undefined) {
    v8.setFlagsFromString('--expose-gc');
    gc = vm.runInNewContext('gc');
  }
  for (let i = 0; i < 100; i++) {
    if (await condition()) return;
    await new Promise(setImmediate); // reading a WeakRef holds its target until the end of the job
    gc();
    await new Promise(setImmediate);
  }
  throw new Error('not collected');
}

/** The error of a promise that must be rejected. */
async function errorOf(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`resolved with ${String(value)}`);
}

/** What a function throws, which it must. */
function thrownBy(fn) {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new AssertionError({ message: 'nothing was thrown', stackStartFn: thrownBy });
}

module.exports = {
  nativesPath, natives: require(nativesPath), runScript, collectUntil, errorOf, thrownBy,
};
