'use strict';

const assert = require('node:assert');
const { EchoServer, resolve, scan } = require('..');

describe('a scan', () => {
  let servers;
  let ports;

  before(() => {
    servers = [1, 2, 3].map(() => new EchoServer());
    ports = servers.map(({ port }) => port).sort((a, b) => a - b);
  });
  after(() => Promise.all(servers.map((server) => server.close())));

  it('finds the ports that answer', async () => {
    for (const port of ports) {
      const found = await scan('127.0.0.1', port, Math.min(port + 20, 65535));
      assert.strictEqual(found[0], port);
    }
  });

  it('tries no more at once than it may', async () => {
    const found = await scan('127.0.0.1', ports[0], ports[0], { atOnce: 1 });
    assert.deepStrictEqual(found, [ports[0]]);
    assert.deepStrictEqual(await scan('127.0.0.1', 10, 9), []);
  });

  it('refuses ports that are none', async () => {
    await assert.rejects(scan('127.0.0.1', 0, 1), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(scan('127.0.0.1', 1, 65536), { code: 'ERR_OUT_OF_RANGE' });
  });

  it('is ended by its signal', async () => {
    const controller = new AbortController();
    const scanning = scan('127.0.0.1', 1, 65535, { atOnce: 10, signal: controller.signal });
    controller.abort();
    await assert.rejects(scanning, { name: 'AbortError' });
  });
});

describe('resolve', () => {
  it('gives the addresses of a name', async () => {
    assert.deepStrictEqual(await resolve('localhost', { family: 4 }), ['127.0.0.1']);
    assert.ok((await resolve('localhost')).includes('127.0.0.1'));
  });

  it('gives an address as it is', async () => {
    assert.deepStrictEqual(await resolve('::1'), ['::1']);
  });

  it('says which name there is not', async () => {
    await assert.rejects(resolve('no such name.invalid'), { syscall: 'getaddrinfo' });
  });
});
