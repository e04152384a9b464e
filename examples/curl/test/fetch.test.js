'use strict';

const assert = require('node:assert');
const net = require('node:net');
const zlib = require('node:zlib');
const { once } = require('node:events');
const { fetch, HTTPError } = require('..');
const { serve, bodyOf } = require('./support/server.js');

describe('fetch', () => {
  let site;
  let other;

  async function echo(request, response) {
    const { method, url, headers } = request;
    const body = (await bodyOf(request)).toString('latin1');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, headers, body }));
  }

  const routes = {
    '/gzip': (response) => response.writeHead(200, { 'content-encoding': 'gzip' })
      .end(zlib.gzipSync('gzip '.repeat(50000))),
    '/br': (response) => response.writeHead(200, { 'content-encoding': 'br' })
      .end(zlib.brotliCompressSync('brotli '.repeat(50000))),
    '/deflate': (response) => response.writeHead(200, { 'content-encoding': 'deflate' })
      .end(zlib.deflateSync('deflate')),
    '/bad-gzip': (response) => response.writeHead(200, { 'content-encoding': 'gzip' })
      .end('this is no gzip'),
    '/headers': (response) =>
      response.writeHead(200, 'Fine, thanks',
        [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['X-Name', 'J\u00fcrgen'], ['X-Empty', '']])
        .end(),
    '/status/404': (response) => response.writeHead(404).end('nothing here'),
    '/empty': (response) => response.writeHead(204).end(),
    '/loop': (response) => response.writeHead(302, { location: '/loop' }).end(),
    '/elsewhere': (response) => response.writeHead(307, { location: `${other.url}/there` }).end(),
    '/file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    '/endless': (response) => {
      response.writeHead(302, { location: '/end' });
      const write = () => {
        while (response.write(Buffer.alloc(65536)));
        response.once('drain', write);
      };
      write();
    },
  };

  function answer(request, response) {
    const moved = /^\/moved\/(\d+)$/.exec(request.url);
    if (moved) return response.writeHead(+moved[1], { location: '../end?x=1' }).end('elsewhere');
    return routes[request.url] ? routes[request.url](response) : echo(request, response);
  }

  before(async () => {
    site = await serve(answer);
    other = await serve(echo);
  });
  after(() => Promise.all([site.close(), other.close()]));

  const get = async (where, options) => (await fetch(site.url + where, options)).json();

  it('gets', async () => {
    const response = await fetch(`${site.url}/a?b=c`);
    assert.strictEqual(response.status, 200);
    assert.strictEqual(response.ok, true);
    assert.strictEqual(response.statusText, 'OK');
    assert.strictEqual(response.httpVersion, '1.1');
    assert.strictEqual(response.url, `${site.url}/a?b=c`);
    assert.strictEqual(response.redirected, false);
    assert.strictEqual(response.headers.get('content-type'), 'application/json');
    const { method, url, headers, body } = await response.json();
    assert.deepStrictEqual([method, url, body], ['GET', '/a?b=c', '']);
    assert.deepStrictEqual(Object.keys(headers).sort(), ['accept', 'accept-encoding', 'host']);
  });

  it('takes a URL, sends its query and no fragment', async () => {
    assert.strictEqual((await get('/ä?q=ö#top')).url, '/%C3%A4?q=%C3%B6');
    assert.strictEqual((await (await fetch(new URL('/x', site.url))).json()).url, '/x');
  });

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY']) {
    it(`sends a body with ${method}`, async () => {
      const seen = await get('/', { method, body: 'K\u00fche' });
      assert.strictEqual(seen.method, method);
      assert.strictEqual(seen.body, Buffer.from('K\u00fche').toString('latin1'));
      assert.strictEqual(seen.headers['content-length'], '5');
      assert.strictEqual(seen.headers['content-type'], 'text/plain;charset=UTF-8');
      assert.strictEqual(seen.headers.expect, undefined);
    });
  }

  it('sends no body where there is none', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const seen = await get('/', { method });
      assert.deepStrictEqual([seen.method, seen.body, seen.headers['content-type']],
        [method, '', undefined]);
    }
    assert.strictEqual((await get('/', { method: 'POST' })).headers['content-length'], '0');
  });

  it('sends bytes as they are, and forms', async () => {
    const seen = await get('/', { method: 'POST', body: new Uint8Array([0, 255, 10]) });
    assert.deepStrictEqual([seen.body, seen.headers['content-type']], ['\0\u00ff\n', undefined]);
    const form = await get('/', { method: 'POST', body: new URLSearchParams({ a: '1 2' }) });
    assert.deepStrictEqual([form.body, form.headers['content-type']],
      ['a=1+2', 'application/x-www-form-urlencoded;charset=UTF-8']);
  });

  it('sends headers, empty ones and Latin-1 too, and none that are two', async () => {
    const { headers } = await get('/',
      { headers: { 'X-One': 'J\u00fcrgen', 'x-empty': '', 'user-agent': 'me',
        accept: 'text/html' } });
    assert.deepStrictEqual([headers['x-one'], headers['x-empty'], headers['user-agent'],
      headers.accept], ['J\u00fcrgen', '', 'me', 'text/html']);
    await assert.rejects(fetch(site.url, { headers: { 'x-a': 'b\r\nx-c: d' } }), TypeError);
  });

  it('gives the headers of the answer', async () => {
    const { headers, statusText } = await fetch(`${site.url}/headers`);
    assert.strictEqual(statusText, 'Fine, thanks');
    assert.deepStrictEqual(headers.getSetCookie(), ['a=1', 'b=2']);
    assert.deepStrictEqual([headers.get('x-name'), headers.get('x-empty')], ['J\u00fcrgen', '']);
  });

  it('waits for no body after HEAD, and after 204', async () => {
    assert.strictEqual(await (await fetch(`${site.url}/`, { method: 'HEAD' })).text(), '');
    const response = await fetch(`${site.url}/empty`);
    assert.deepStrictEqual([response.status, await response.text()], [204, '']);
  });

  it('decodes what is compressed, unless told not to', async () => {
    assert.strictEqual(await (await fetch(`${site.url}/gzip`)).text(), 'gzip '.repeat(50000));
    assert.strictEqual(await (await fetch(`${site.url}/br`)).text(), 'brotli '.repeat(50000));
    assert.strictEqual(await (await fetch(`${site.url}/deflate`)).text(), 'deflate');
    const raw = await (await fetch(`${site.url}/gzip`, { compressed: false })).buffer();
    assert.strictEqual(zlib.gunzipSync(raw).toString(), 'gzip '.repeat(50000));
    const { code } = await fetch(`${site.url}/bad-gzip`).then((response) => response.text())
      .catch((error) => error);
    assert.strictEqual(code, 'ECURL_BAD_CONTENT_ENCODING');
  });

  it('gives a body once', async () => {
    const response = await fetch(site.url);
    await response.text();
    assert.strictEqual(response.bodyUsed, true);
    await assert.rejects(response.text(), { code: 'ERR_BODY_USED' });
  });

  it('resolves whatever the status is, unless raiseError is set', async () => {
    const response = await fetch(`${site.url}/status/404`);
    assert.deepStrictEqual([response.status, response.ok, await response.text()],
      [404, false, 'nothing here']);
    const error = await fetch(`${site.url}/status/404`, { raiseError: true })
      .catch((reason) => reason);
    assert.ok(error instanceof HTTPError);
    assert.deepStrictEqual([error.code, error.message, error.response.status],
      ['ERR_HTTP_STATUS', 'HTTP 404: Not Found', 404]);
    assert.strictEqual(await error.response.text(), 'nothing here');
  });

  describe('redirects', () => {
    for (const status of [301, 302, 303, 307, 308]) {
      it(`follows ${status} as WHATWG's fetch does`, async () => {
        for (const method of ['GET', 'POST', 'PUT']) {
          const body = method === 'GET' ? undefined : 'text';
          const response = await fetch(`${site.url}/moved/${status}`,
            { method, body, headers: { 'x-kept': 'yes', 'content-language': 'en' } });
          const seen = await response.json();
          const becomesGet = method === 'GET' || status === 303 ||
            (method === 'POST' && status < 303);
          assert.deepStrictEqual([response.redirected, response.url, seen.url],
            [true, `${site.url}/end?x=1`, '/end?x=1']);
          assert.deepStrictEqual([seen.method, seen.body],
            becomesGet ? ['GET', ''] : [method, 'text']);
          assert.deepStrictEqual([seen.headers['x-kept'], seen.headers['content-language']],
            ['yes', becomesGet ? undefined : 'en']);
        }
      });
    }

    it('keeps the connection', async () => {
      const { connections } = site.counts;
      await get('/moved/302');
      assert.ok(site.counts.connections - connections <= 1);
    });

    it('gives the answer itself with "manual", an error with "error"', async () => {
      const response = await fetch(`${site.url}/moved/302`, { redirect: 'manual' });
      assert.deepStrictEqual([response.status, response.headers.get('location'),
        await response.text()], [302, '../end?x=1', 'elsewhere']);
      await assert.rejects(fetch(`${site.url}/moved/302`, { redirect: 'error' }),
        { code: 'ECURL_REDIRECT' });
      await assert.rejects(fetch(site.url, { redirect: 'maybe' }),
        { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    });

    it('ends with an error after maxRedirects', async () => {
      await assert.rejects(fetch(`${site.url}/loop`), { code: 'ECURL_TOO_MANY_REDIRECTS' });
      await assert.rejects(fetch(`${site.url}/moved/302`, { maxRedirects: 0 }),
        { code: 'ECURL_TOO_MANY_REDIRECTS' });
      await get('/moved/302', { maxRedirects: 1 });
    });

    it('takes credentials to no other origin', async () => {
      const headers = { authorization: 'Bearer secret', cookie: 'a=b', 'x-kept': 'yes' };
      const seen = await get('/elsewhere', { headers });
      assert.deepStrictEqual([seen.url, seen.headers.host], ['/there', new URL(other.url).host]);
      assert.deepStrictEqual([seen.headers.authorization, seen.headers.cookie,
        seen.headers['x-kept']], [undefined, undefined, 'yes']);
      const same = await get('/moved/307', { headers });
      assert.deepStrictEqual([same.headers.authorization, same.headers.cookie],
        ['Bearer secret', 'a=b']);
    });

    it('follows to http and https alone', () =>
      assert.rejects(fetch(`${site.url}/file`), { code: 'ECURL_UNSUPPORTED_PROTOCOL' }));

    it('does not read the endless body of one', async () => {
      assert.strictEqual((await get('/endless')).url, '/end');
    });
  });

  describe('errors', () => {
    it('has the codes of Node', async () => {
      const server = net.createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address();
      server.close();
      await once(server, 'close');
      await assert.rejects(fetch(`http://127.0.0.1:${port}`), { code: 'ECONNREFUSED', curl: 7 });
      await assert.rejects(fetch('http://nothing.invalid'), { code: 'ENOTFOUND', curl: 6 });
    });

    it('says who has called', async () => {
      async function caller() {
        await fetch('http://127.0.0.1:1');
      }
      await assert.rejects(caller(), (error) => /at async caller/.test(error.stack));
    });

    it('refuses what can not be asked', async () => {
      await assert.rejects(fetch('no url'), { code: 'ERR_INVALID_URL' });
      await assert.rejects(fetch('file:///etc/passwd'), { code: 'ECURL_UNSUPPORTED_PROTOCOL' });
      await assert.rejects(fetch(site.url, { body: 'x' }), { code: 'ERR_INVALID_ARG_VALUE' });
      await assert.rejects(fetch(site.url, { method: 'A B' }), { code: 'ERR_INVALID_ARG_VALUE' });
      await assert.rejects(fetch(site.url, { method: 'CONNECT' }),
        { code: 'ERR_INVALID_ARG_VALUE' });
      await assert.rejects(fetch(site.url, { method: 'POST', body: 42 }),
        { code: 'ERR_INVALID_ARG_TYPE' });
      await assert.rejects(fetch(site.url, { timeout: 'x' }), { code: 'ERR_INVALID_ARG_TYPE' });
    });
  });
});
