'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { EchoServer } = require('..');
const { connect, readAll, serve } = require('./support/client.js');

describe('an echo server', () => {
  let server;
  let running;

  beforeEach(() => {
    server = new EchoServer();
    running = serve(server);
  });
  afterEach(() => running.stop());

  it('says everything again, also after the other side has ended', async () => {
    const socket = await connect(server.port);
    socket.end('hello');
    assert.strictEqual(`${await readAll(socket)}`, 'hello');
  });

  it('serves many at once', async () => {
    const texts = Array.from({ length: 200 }, (_, i) => `client ${i}`);
    const answers = await Promise.all(texts.map(async (text) => {
      const socket = await connect(server.port);
      socket.end(text);
      return `${await readAll(socket)}`;
    }));
    assert.deepStrictEqual(answers, texts);
  });

  it('reads no more from who does not read, and loses nothing', async () => {
    const socket = await connect(server.port);
    const much = Buffer.alloc(32 << 20, 'much ');
    const written = once(socket.end(much), 'finish');
    const early = await Promise.race([written, new Promise((resolve) => {
      setTimeout(resolve, 50, 'not yet');
    })]);
    assert.strictEqual(early, 'not yet');
    assert.ok(much.equals(await readAll(socket)));
  });

  it('goes on when a connection is reset', async () => {
    const socket = await connect(server.port);
    socket.resetAndDestroy();
    while (server.connections > 0) await new Promise(setImmediate);
    const other = await connect(server.port);
    other.end('still here');
    assert.strictEqual(`${await readAll(other)}`, 'still here');
  });

  it('gives handlers their grace, then ends them', async () => {
    await running.stop();
    const graceful = new EchoServer();
    const controller = new AbortController();
    const serving = graceful.serve({ signal: controller.signal, grace: 30 });
    const socket = await connect(graceful.port);
    socket.write('hello');
    await once(socket, 'data');
    controller.abort();
    socket.write('in time');
    const [answer] = await once(socket, 'data');
    assert.strictEqual(`${answer}`, 'in time');
    const rest = readAll(socket);
    await assert.rejects(serving, { name: 'AbortError' });
    assert.strictEqual(graceful.connections, 0);
    assert.strictEqual((await rest).length, 0);
    socket.destroy();
    await graceful.close();
  });

  it('is closed, and its port refused and unknown', async () => {
    const { port } = server;
    await server.close();
    await running.serving;
    await assert.rejects(connect(port), { code: 'ECONNREFUSED' });
    assert.throws(() => server.port, { code: 'EBADF' });
    await assert.rejects(server.serve(), { code: 'EBADF' });
    await server.close();
  });

  it('has its port for itself', () => {
    assert.throws(() => new EchoServer(server.port), { code: 'EADDRINUSE', syscall: 'listen' });
  });

  it('is served once at a time', async () => {
    await assert.rejects(server.serve(), { code: 'EBUSY' });
  });
});
