'use strict';

/*
 * node blocked-pool.js PART: two environments whose native functions all want to block the thread
 * pool, of which they get PART threads; what else wants to use it meanwhile. Prints what was seen,
 * as JSON.
 */

const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const pressure = require('./pressure.js');

const JOBS = 10;
const turn = () => new Promise(setImmediate);

const startJobs = () => Array.from({ length: JOBS }, () => pressure.block());

async function main(part) {
  const worker = new Worker(__filename);
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  const jobs = startJobs();
  await new Promise((resolve) => worker.once('message', resolve));
  while ((await pressure.countBlocked()) < part) await turn();

  const { promisify } = require('node:util');
  const fs = require('node:fs');
  const uses = {
    stat: fs.promises.stat(__filename),
    readFile: fs.promises.readFile(__filename),
    gzip: promisify(require('node:zlib').gzip)('text'),
    pbkdf2: promisify(require('node:crypto').pbkdf2)('secret', 'salt', 1, 8, 'sha256'),
    lookup: promisify(require('node:dns').lookup)('localhost'),
  };
  const proceeded = [];
  for (const [name, use] of Object.entries(uses)) {
    await use;
    proceeded.push(name);
  }
  const blocked = await pressure.countBlocked();
  await pressure.letGo(2 * JOBS);
  await Promise.all(jobs);
  await exited;
  console.log(JSON.stringify({ proceeded, blocked, left: await pressure.countBlocked() }));
}

if (isMainThread) {
  main(Number(process.argv[2]));
} else {
  startJobs();
  parentPort.postMessage('begun');
}
