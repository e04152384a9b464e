'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { Client } = require('..');
const { serve } = require('./support/server.js');

describe('limits', () => {
  let sites;

  /** Ends the connections that clients have kept, and counts anew. */
  async function hangUp() {
    for (const { counts, sockets } of sites) {
      await Promise.all([...sockets].map((socket) => once(socket.destroy(), 'close')));
      counts.connections = counts.most = 0;
    }
  }

  before(async () => {
    sites = await Promise.all([0, 1]
      .map(() => serve((request, response) => setImmediate(() => response.end(request.url)))));
  });
  after(() => Promise.all(sites.map((site) => site.close())));

  beforeEach(hangUp);

  it('lets a thousand requests through ten connections', async () => {
    const client = new Client({ maxConnections: 10, maxConnectionsPerHost: 10 });
    const texts = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) => (await client.fetch(`${sites[0].url}/${i}`))
        .text()));
    assert.deepStrictEqual(texts, Array.from({ length: 1000 }, (_, i) => `/${i}`));
    assert.strictEqual(sites[0].counts.most, 10);
    assert.strictEqual(sites[0].counts.connections, 10);
  });

  it('counts by host, and over all hosts', async () => {
    const ask = (client) =>
      Promise.all(Array.from({ length: 60 }, async (_, i) => (await client.fetch(sites[i % 2].url))
        .text()));
    await ask(new Client({ maxConnectionsPerHost: 3 }));
    assert.deepStrictEqual(sites.map((site) => site.counts.most), [3, 3]);
    await hangUp();
    await ask(new Client({ maxConnections: 3 }));
    const [first, second] = sites.map((site) => site.counts.most);
    assert.ok(first <= 3 && second <= 3, `${first} and ${second}`);
  });

  it('refuses limits that are none', () => {
    assert.throws(() => new Client({ maxConnections: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new Client({ maxConnectionsPerHost: 'x' }),
      { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('gives the turn of a request that was aborted to the next', async () => {
    const client = new Client({ maxConnections: 1 });
    const controller = new AbortController();
    const all = [0, 1, 2]
      .map((i) => client.fetch(`${sites[0].url}/${i}`,
        { signal: i === 1 ? controller.signal : undefined }));
    const results = Promise.allSettled(all.map(async (response) => (await response).text()));
    controller.abort();
    assert.deepStrictEqual((await results).map(({ value, reason }) => value ?? reason.name),
      ['/0', 'AbortError', '/2']);
  });
});
