'use strict';

// A root plugin for Mocha (npm run test:repeat). FIBRIL_STARTS=FILE: writes the titles of the tests
// that start a process, a server or a worker into FILE, one JSON string a line. FIBRIL_ONLY=FILE:
// leaves out all other tests.

const childProcess = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const workerThreads = require('node:worker_threads');

const { FIBRIL_STARTS: record, FIBRIL_ONLY: only } = process.env;
// Not for what the tests start.
delete process.env.FIBRIL_STARTS;
delete process.env.FIBRIL_ONLY;

let current;
const seen = new Set();

function note() {
  if (current === undefined || seen.has(current)) return;
  seen.add(current);
  fs.appendFileSync(record, `${JSON.stringify(current)}\n`);
}

function noting(object, name) {
  object[name] = new Proxy(object[name], {
    apply(target, self, args) {
      note();
      return Reflect.apply(target, self, args);
    },
    construct(target, args, newTarget) {
      note();
      return Reflect.construct(target, args, newTarget);
    },
  });
}

const mochaHooks = {};

if (record !== undefined) {
  noting(childProcess.ChildProcess.prototype, 'spawn');
  for (const name of ['spawnSync', 'execSync', 'execFileSync']) noting(childProcess, name);
  noting(net.Server.prototype, 'listen');
  noting(workerThreads, 'Worker');
  mochaHooks.beforeEach = function () { current = this.currentTest.fullTitle(); };
  mochaHooks.afterEach = function () { current = undefined; };
}

if (only !== undefined) {
  const wanted = new Set(fs.readFileSync(only, 'utf8').trim().split('\n')
    .map((line) => JSON.parse(line)));
  mochaHooks.beforeEach = function () {
    if (!wanted.has(this.currentTest.fullTitle())) this.skip();
  };
}

module.exports = { mochaHooks };
