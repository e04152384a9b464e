'use strict';

// Test files in processes of their own, several at the same time.

const { spawn } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const program = require.resolve('mocha/bin/mocha.js');

/** Runs Mocha on a file: { output, failed }. */
function runMocha(args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { output += text; });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const end = signal === null ? '' : `\nended by ${signal}\n`;
      resolve({ output: output + end, failed: code !== 0 });
    });
  });
}

/** Calls fn with each item, `jobs` of the promises at the same time. */
async function eachOf(items, fn, jobs = os.availableParallelism()) {
  const waiting = [...items];
  await Promise.all(Array.from({ length: jobs }, async () => {
    while (waiting.length > 0) await fn(waiting.shift());
  }));
}

module.exports = { runMocha, eachOf, root };
