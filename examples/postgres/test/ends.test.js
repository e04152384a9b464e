'use strict';

// Processes and threads that end while the server has not answered.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { connect } = require('..');
const { server } = require('./support/server.js');

const addon = path.join(__dirname, '..');

const BUSY = `
  const { connect } = require(${JSON.stringify(addon)});
  async function start(url) {
    const [querying, streaming, listening, transacting, idle] = await Promise.all(Array.from({ length: 5 }, () => connect(url)));
    querying.query('select pg_sleep(3600)').catch(() => {});
    const rows = streaming.stream('select generate_series(1, 1000000000)');
    const jobs = await listening.listen('jobs');
    jobs.next().catch(() => {});
    await new Promise((resolve) => transacting.transaction(async (tx) => {
      await tx.query('select 1');
      resolve();
      await tx.query('select pg_sleep(3600)');
    }).catch(() => {}));
    await rows.next();
    globalThis.kept = [rows, jobs, idle];
  }`;

async function connectionsGone(watcher) {
  while ((await watcher.query('select 1 from pg_stat_activity where application_name = \'worker\''))
    .rowCount > 0) continue;
}

describe('the end', () => {
  let url, watcher;

  before(async () => {
    ({ url } = await server());
    watcher = await connect(url);
  });
  after(() => watcher.close());

  it('of a process that has nothing to do comes by itself, with a connection open', () => {
    const script = `require(${JSON.stringify(addon)}).connect(${JSON.stringify(
      url)}).then((db) => { globalThis.db = db; })`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script],
      { encoding: 'utf8', timeout: 60000 });
    assert.deepStrictEqual([status, stderr], [0, '']);
  });

  it('of a process in the middle is clean', () => {
    const script = `${BUSY} start(${JSON.stringify(url)}).then(() => process.exit(7));`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script],
      { encoding: 'utf8', timeout: 60000 });
    assert.deepStrictEqual([status, stderr], [7, '']);
  });

  it('of a worker in the middle is clean, and leaves no connection', async () => {
    const script = `${BUSY} start(${JSON.stringify(
      `${url}?application_name=worker`)}).then(() => require('node:worker_threads').parentPort.postMessage('busy'));`;
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(script, { eval: true });
      await once(worker, 'message');
      await worker.terminate();
      await connectionsGone(watcher);
    }
  });

  it('of a worker by itself, after a query', async () => {
    const script = `const { connect } = require(${JSON.stringify(addon)});
      connect(${JSON.stringify(url)}).then(async (db) => {
        const { rows } = await db.query('select 6 * 7 as answer');
        await db.close();
        require('node:worker_threads').parentPort.postMessage(rows[0].answer);
      });`;
    const workers = Array.from({ length: 4 }, () => new Worker(script, { eval: true }));
    const answers = await Promise.all(workers.map(async (worker) => {
      const [[answer]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      return answer;
    }));
    assert.deepStrictEqual(answers, [42, 42, 42, 42]);
  });
});
