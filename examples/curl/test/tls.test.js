'use strict';

const assert = require('node:assert');
const { Client } = require('..');
const { serveTls, serveHttp2, certificate, bodyOf } = require('./support/server.js');

describe('TLS', () => {
  const own = certificate('localhost');
  const another = certificate('localhost');
  const elsewhere = certificate('example.org');
  let site;

  before(async () => {
    site = await serveTls(own, (request, response) => response.end('secret'));
  });
  after(() => site.close());

  it('rejects a certificate that nobody vouches for', () =>
    assert.rejects(new Client().fetch(site.url),
      { code: 'ECURL_PEER_FAILED_VERIFICATION', curl: 60 }));

  it('accepts it with its authority, as text or bytes', async () => {
    const client = new Client();
    assert.strictEqual(await (await client.fetch(site.url, { ca: own.cert })).text(), 'secret');
    assert.strictEqual(await (await client.fetch(site.url, { ca: Buffer.from(own.cert) })).text(),
      'secret');
  });

  it('accepts it where rejectUnauthorized is false', async () => {
    assert.strictEqual(await (await new Client().fetch(site.url, { rejectUnauthorized: false }))
      .text(), 'secret');
  });

  it('lets no connection serve whom it would not have been made for', async () => {
    const client = new Client();
    await (await client.fetch(site.url, { rejectUnauthorized: false })).text();
    await (await client.fetch(site.url, { ca: own.cert })).text();
    await assert.rejects(client.fetch(site.url), { code: 'ECURL_PEER_FAILED_VERIFICATION' });
    await assert.rejects(client.fetch(site.url, { ca: another.cert }),
      { code: 'ECURL_PEER_FAILED_VERIFICATION' });
    assert.strictEqual(await (await client.fetch(site.url, { ca: own.cert })).text(), 'secret');
  });

  it('rejects a certificate for another name, and one that is none', async () => {
    const wrong = await serveTls(elsewhere, (request, response) => response.end());
    try {
      await assert.rejects(new Client().fetch(wrong.url, { ca: elsewhere.cert }),
        { code: 'ECURL_PEER_FAILED_VERIFICATION' });
    } finally {
      await wrong.close();
    }
    await assert.rejects(new Client().fetch(site.url, { ca: 'no certificate' }),
      { code: /^ECURL_(SSL_CACERT_BADFILE|PEER_FAILED_VERIFICATION)$/ });
  });

  it('speaks HTTP/2, many requests on a connection', async () => {
    const server = await serveHttp2(own,
      async (request, response) => response.end(await bodyOf(request)));
    try {
      const client = new Client({ maxConnectionsPerHost: 1 });
      const ask = async (i) => {
        const body = `${i}`.repeat(10000);
        const response = await client.fetch(server.url, { method: 'POST', ca: own.cert, body });
        assert.deepStrictEqual([response.httpVersion, response.statusText, await response.text()],
          ['2', '', body]);
      };
      await ask(0);
      await Promise.all(Array.from({ length: 50 }, (_, i) => ask(i)));
      assert.strictEqual(server.counts.connections, 1);
    } finally {
      await server.close();
    }
  });
});
