'use strict';

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const { serve } = require('./support/server.js');

const addon = JSON.stringify(path.join(__dirname, '..'));

/** A program of its own with a server inside; its output. */
function run(program) {
  const code = `const { fetch } = require(${addon});
    const server = require('node:http').createServer((request, response) => {
      if (request.url === '/whole') response.end('whole'); else response.write('part');
    }).listen(0, '127.0.0.1', async () => {
      const url = 'http://127.0.0.1:' + server.address().port;
      ${program}
    });`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', code],
    { encoding: 'utf8', timeout: 30000 });
  return { status, signal, stdout, stderr };
}

describe('environments', () => {
  let site;
  before(async () => {
    site = await serve((request, response) => response.write('part'));
  });
  after(() => site.close());

  it('worker_threads are terminated in the middle of transfers, and their connections and descriptors go', async () => {
    const code = `const { fetch } = require(${addon});
      const { parentPort, workerData } = require('node:worker_threads');
      Promise.all(Array.from({ length: 5 }, () => fetch(workerData))).then(async (responses) => {
        await responses[0].body.next();
        fetch(workerData, { ca: 'x' });
        parentPort.postMessage('halfway');
        await responses[1].text();
      });`;
    const descriptors = () => fs.readdirSync('/proc/self/fd')
      .filter((fd) => !/socket/.test(readLink(fd))).length;
    const readLink = (fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return 'socket'; // gone meanwhile
      }
    };
    let base;
    for (let i = 0; i < 12; i++) {
      const worker = new Worker(code, { eval: true, workerData: site.url });
      assert.deepStrictEqual(await once(worker, 'message'), ['halfway']);
      assert.strictEqual(await worker.terminate(), 1);
      if (i === 1) base = descriptors();
    }
    while (site.sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(descriptors() <= base, `${descriptors()} descriptors after ${base}`);
  });

  it('a process ends when nothing is left to do, though connections are kept', () => {
    const program =
      "await (await fetch(url + '/whole')).text(); server.close(); server.closeAllConnections(); console.log('end');";
    assert.deepStrictEqual(run(program), { status: 0, signal: null, stdout: 'end\n', stderr: '' });
  });

  it('a process lives while a transfer does', () => {
    const program = `server.unref();
      server.on('connection', (socket) => socket.unref());
      process.on('exit', () => console.log('end'));
      const response = await fetch(url);
      setTimeout(() => server.closeAllConnections(), 20).unref();
      await response.text().catch((error) => console.log(error.code));`;
    assert.deepStrictEqual(run(program), { status: 0, signal: null, stdout: 'ECONNRESET\nend\n',
      stderr: '' });
  });

  it('process.exit ends a process in the middle', () => {
    const program =
      "const { body } = await fetch(url); await body.next(); fetch(url); body.next(); console.log('exit'); process.exit(7);";
    assert.deepStrictEqual(run(program), { status: 7, signal: null, stdout: 'exit\n', stderr: '' });
  });
});
