'use strict';

const assert = require('node:assert');
const net = require('node:net');
const { once } = require('node:events');
const { EchoServer, Proxy } = require('..');
const { connect, readAll, serve } = require('./support/client.js');

describe('a proxy', () => {
  const running = [];

  function run(server) {
    running.push(serve(server));
    return server;
  }

  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
  });

  it('hands on what comes, and the end of it', async () => {
    const proxy = run(new Proxy(run(new EchoServer()).port));
    const socket = await connect(proxy.port);
    const much = Buffer.alloc(3 << 20, 'much ');
    socket.end(much);
    assert.ok(much.equals(await readAll(socket)));
    while (proxy.connections > 0) await new Promise(setImmediate);
  });

  it('lets a side answer that has heard the end', async () => {
    const target = net.createServer({ allowHalfOpen: true }, async (socket) => {
      socket.end(`${await readAll(socket)}, too`);
    });
    await once(target.listen(0, '127.0.0.1'), 'listening');
    const socket = await connect(run(new Proxy(target.address().port)).port);
    socket.end('you');
    assert.strictEqual(`${await readAll(socket)}`, 'you, too');
    target.close();
  });

  it('passes a reset on', async () => {
    const target = net.createServer((socket) => socket.on('error', () => {}).resetAndDestroy());
    await once(target.listen(0, '127.0.0.1'), 'listening');
    const socket = await connect(run(new Proxy(target.address().port)).port);
    await assert.rejects(readAll(socket), { code: 'ECONNRESET' });
    target.close();
  });

  it('resets who wants to reach nobody', async () => {
    const nobody = new EchoServer();
    const { port } = nobody;
    await nobody.close();
    const socket = await connect(run(new Proxy(port)).port);
    await assert.rejects(readAll(socket), { code: 'ECONNRESET' });
  });

  it('goes through another proxy', async () => {
    let { port } = run(new EchoServer());
    for (let i = 0; i < 5; i++) ({ port } = run(new Proxy(port)));
    const socket = await connect(port);
    socket.end('far');
    assert.strictEqual(`${await readAll(socket)}`, 'far');
  });
});
