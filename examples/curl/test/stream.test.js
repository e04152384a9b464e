'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { Client, fetch } = require('..');
const { serve, bodyOf } = require('./support/server.js');
const { collect } = require('./support/collect.js');

const MIB = 1024 * 1024;

describe('bodies', () => {
  let site;
  const open = new Map(); // responses that the server has begun, by path

  /** Writes for as long as the client reads; counts. */
  function pour(response) {
    response.sent = 0;
    const write = () => {
      do response.sent += 65536; while (response.write(Buffer.alloc(65536, 'x')));
    };
    response.on('drain', write);
    write();
  }

  const routes = {
    '/pour': (request, response) => pour(response),
    '/large': (request, response) => response.end(Buffer.alloc(32 * MIB, 'y')),
    '/upload': async (request, response) => {
      const body = await bodyOf(request);
      response.end(`${body.length} ${body[0]} ${body.at(-1)}`);
    },
    '/part': (request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('part');
    },
    '/chunked-part': (request, response) => response.write('part'),
    '/silent': () => {},
    '/hang-up': (request) => request.socket.destroy(),
    '/slow': async (request, response) => {
      for (let i = 0; i < 3; i++) {
        response.write(`${i}`);
        await once(site.server, 'go');
      }
      response.end();
    },
  };

  before(async () => {
    site = await serve((request, response) => {
      open.set(request.url, response);
      routes[request.url](request, response);
    });
  });
  after(() => site.close());

  it('come piece by piece, as they are sent', async () => {
    const pieces = [];
    for await (const piece of (await fetch(`${site.url}/slow`)).body) {
      pieces.push(piece.toString());
      site.server.emit('go');
    }
    assert.deepStrictEqual(pieces, ['0', '1', '2']);
  });

  it('are whole, however large', async () => {
    const whole = await (await fetch(`${site.url}/large`)).buffer();
    assert.strictEqual(whole.length, 32 * MIB);
    assert.ok(whole.every((byte) => byte === 121));
  });

  it('are uploaded whole', async () => {
    const body = Buffer.alloc(48 * MIB, 'u');
    const response = await fetch(`${site.url}/upload`, { method: 'PUT', body });
    assert.strictEqual(await response.text(), `${body.length} 117 117`);
  });

  it('stop the server that nobody reads from, and let it go on', async () => {
    const { body } = await fetch(`${site.url}/pour`);
    const response = open.get('/pour');
    // It stands still once nothing more was sent for a while; how much that is, the kernel's
    // buffers say.
    for (let before = -1; before !== response.sent; await sleep(200)) before = response.sent;
    const stopped = response.sent;
    assert.ok(stopped < 24 * MIB, `${stopped} bytes`);
    let read = 0;
    for await (const piece of body) {
      read += piece.length;
      if (read > stopped + 8 * MIB) break;
    }
    assert.ok(response.sent > stopped);
  });

  it('end the transfer when they are left early', async () => {
    const { body } = await fetch(`${site.url}/pour`);
    const closed = once(open.get('/pour'), 'close');
    for await (const piece of body) {
      assert.ok(piece.length > 0);
      break;
    }
    await closed;
    assert.deepStrictEqual(await body.next(), { value: undefined, done: true });
  });

  it('end the transfer when they are left before the first piece', async () => {
    const { body } = await fetch(`${site.url}/pour`);
    const closed = once(open.get('/pour'), 'close');
    assert.deepStrictEqual(await body.return(7), { value: 7, done: true });
    await closed;
    await assert.rejects(async () => {
      for await (const piece of (await fetch(`${site.url}/pour`)).body) {
        throw new Error(`${typeof piece}`);
      }
    }, { message: 'object' });
  });

  it('end the transfer when they are collected', async () => {
    const begin = async () => void (await fetch(`${site.url}/pour`));
    await begin();
    let closed = false;
    open.get('/pour').once('close', () => {
      closed = true;
    });
    await collect(() => closed);
  });

  it('are not collected while somebody waits', async () => {
    const next = (async () => {
      const { body } = await fetch(`${site.url}/slow`);
      await body.next();
      return { value: body.next() };
    })();
    const { value } = await next;
    let tries = 0;
    await collect(() => ++tries > 5);
    site.server.emit('go');
    assert.strictEqual((await value).value.toString(), '1');
  });

  it('of which the server sends a part end with ECONNRESET', async () => {
    for (const where of ['/part', '/chunked-part']) {
      const { body } = await fetch(site.url + where);
      const { value } = await body.next();
      assert.strictEqual(value.toString(), 'part');
      open.get(where).socket.destroy();
      await assert.rejects(body.next(), { code: 'ECONNRESET' });
      assert.deepStrictEqual(await body.next(), { value: undefined, done: true });
    }
  });

  it('and heads of servers that hang up before end with ECONNRESET', () =>
    assert.rejects(fetch(`${site.url}/hang-up`), { code: 'ECONNRESET' }));

  it('and heads that do not come in time end with ETIMEDOUT', async () => {
    await assert.rejects(fetch(`${site.url}/silent`, { timeout: 50 }), { code: 'ETIMEDOUT' });
    const { body } = await fetch(`${site.url}/part`, { timeout: 200 });
    await body.next();
    await assert.rejects(body.next(), { code: 'ETIMEDOUT' });
  });

  it('and the turn in the queue count for the timeout', async () => {
    const client = new Client({ maxConnections: 1 });
    const first = await client.fetch(`${site.url}/part`);
    await assert.rejects(client.fetch(`${site.url}/large`, { timeout: 50 }), { code: 'ETIMEDOUT' });
    await first.body.return();
  });

  it('do not pile up in memory while they pass', async () => {
    const { body } = await fetch(`${site.url}/pour`);
    let read = 0;
    let base;
    for await (const piece of body) {
      read += piece.length;
      if (base === undefined && read > 32 * MIB) {
        await collect(() => true);
        base = process.memoryUsage.rss();
      }
      if (read > 256 * MIB) break;
    }
    await collect(() => true);
    const grown = process.memoryUsage.rss() - base;
    assert.ok(grown < 64 * MIB, `${grown} bytes`);
  });
});
