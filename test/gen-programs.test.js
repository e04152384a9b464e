'use strict';

// Whole programs with gen against real servers on the loopback address: the web handlers and the
// HTTP client of the examples, and a TCP client and server.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { co, gen, coroutineTest } = require('./support/gen');
const { AsyncHTTPClient } = require('../examples/js/web/client');
const { RequestHandler, HTTPError, application } = require('../examples/js/web/handler');

const { Future, locks } = co;

describe('web handlers', () => {
  let server;
  let base;
  let log;
  const client = new AsyncHTTPClient();

  class Sequence extends RequestHandler {
    *get() {
      for (const part of ['1', '2', '3']) {
        this.write(part);
        yield gen.moment;
      }
      this.finish();
    }
  }

  class Unfinished extends RequestHandler {
    *get() {
      this.write('1');
      yield gen.moment;
      this.write('2');
      yield gen.moment;
      this.write('3');
    }
  }

  class Undecorated extends RequestHandler {
    *prepare() {
      log.push('prepare begins');
      yield gen.moment;
      log.push('prepare ends');
    }

    *get() {
      log.push('get begins');
      yield gen.moment;
      log.push('get ends');
      this.finish('both');
    }
  }

  class ErrorInPrepare extends RequestHandler {
    *prepare() {
      yield gen.moment;
      throw new HTTPError(403, 'no');
    }

    get() {
      log.push('get was called');
    }
  }

  class FinishedInPrepare extends RequestHandler {
    prepare() {
      this.finish('early');
    }

    get() {
      log.push('get was called');
    }
  }

  class Async extends RequestHandler {
    async get() {
      await gen.sleep(1);
      this.write(await (async () => 'async')());
    }
  }

  class Plain extends RequestHandler {
    get() {
      this.write('plain');
    }

    post() {
      throw new Error('a mistake');
    }
  }

  class Flushing extends RequestHandler {
    *get() {
      this.write('begun ');
      yield this.flush();
      yield gate;
      this.write('ended');
    }
  }

  let gate;

  before(async () => {
    server = http.createServer(application({
      '/sequence': Sequence, '/unfinished': Unfinished, '/undecorated': Undecorated,
      '/error-in-prepare': ErrorInPrepare,
      '/finished-in-prepare': FinishedInPrepare, '/async': Async, '/plain': Plain,
        '/flushing': Flushing,
    })).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${server.address().port}`;
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  beforeEach(() => {
    log = [];
    gate = new Future();
  });

  const body = gen.coroutine(function* (path, options) {
    const response = yield client.fetch(base + path, options);
    return response.body;
  });

  it('write between waits', coroutineTest(function* () {
    assert.equal(yield body('/sequence'), '123');
  }));

  it('need not finish', coroutineTest(function* () {
    assert.equal(yield body('/unfinished'), '123');
  }));

  it('run prepare, then the method', coroutineTest(function* () {
    assert.equal(yield body('/undecorated'), 'both');
    assert.deepEqual(log, ['prepare begins', 'prepare ends', 'get begins', 'get ends']);
  }));

  it('do not run the method when prepare fails or has finished', coroutineTest(function* () {
    const response = yield client.fetch(`${base}/error-in-prepare`, { raiseError: false });
    assert.equal(response.status, 403);
    assert.equal(yield body('/finished-in-prepare'), 'early');
    assert.deepEqual(log, []);
  }));

  it('may be async and plain functions', coroutineTest(function* () {
    assert.deepEqual(yield [body('/async'), body('/plain')], ['async', 'plain']);
  }));

  it('answer 500 for an error, 405 for a method that is not there, 404 for a path',
    coroutineTest(function* () {
    const statuses = [];
    for (const [path, method] of [['/plain', 'POST'], ['/plain', 'DELETE'], ['/nowhere', 'GET']]) {
      const response = yield client.fetch(base + path, { method, raiseError: false });
      statuses.push([response.status, response.body]);
    }
    assert.deepEqual(statuses, [
      [500, '500: Internal Server Error\n'], [405, '405: Method Not Allowed\n'],
      [404, '404: Not Found\n'],
    ]);
  }));

  it('send what was written when they flush, and go on, while other requests are served',
    async () => {
    const response = await fetch(`${base}/flushing`);
    const reader = response.body.getReader();
    const first = await reader.read();
    assert.equal(Buffer.from(first.value).toString(), 'begun ');
    assert.equal(await body('/sequence'), '123');
    gate.setResult();
    const second = await reader.read();
    assert.equal(Buffer.from(second.value).toString(), 'ended');
    assert.equal((await reader.read()).done, true);
  });
});

describe('the HTTP client', () => {
  let server;
  let base;
  const busy = { now: 0, most: 0 };
  const gates = new locks.Condition();

  before(async () => {
    server = http.createServer(gen.coroutine(function* (request, response) {
      busy.most = Math.max(busy.most, ++busy.now);
      if (request.url === '/gated') yield gates.wait();
      busy.now--;
      response.statusCode = Number(request.url.slice(1)) || 200;
      response.end(`body of ${request.url}`);
    })).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${server.address().port}`;
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  it('gives a Future before anything has happened', async () => {
    const future = new AsyncHTTPClient().fetch(`${base}/`);
    assert.ok(future instanceof Future);
    assert.equal(future.done(), false);
    const { status, body } = await future;
    assert.deepEqual([status, body], [200, 'body of /']);
  });

  it('fails for a status that is no success, unless it is told not to', async () => {
    const client = new AsyncHTTPClient();
    await assert.rejects(client.fetch(`${base}/503`), { name: 'HTTPError', status: 503 });
    assert.equal((await client.fetch(`${base}/503`, { raiseError: false })).status, 503);
  });

  it('fails when there is no server, in any case', async () => {
    const closed = net.createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address();
    closed.close();
    await once(closed, 'close');
    await assert.rejects(new AsyncHTTPClient()
      .fetch(`http://127.0.0.1:${port}/`, { raiseError: false }), TypeError);
  });

  it('has requests beyond its limit wait in line', coroutineTest(function* () {
    const client = new AsyncHTTPClient({ maxClients: 2 });
    busy.most = 0;
    const responses = Array.from({ length: 6 }, () => client.fetch(`${base}/gated`));
    const all = gen.multi(responses);
    while (!all.done()) {
      yield gen.sleep(1);
      gates.notifyAll();
    }
    assert.equal(busy.most, 2);
    assert.ok((yield all).every(({ body }) => body === 'body of /gated'));
  }));
});

// A server that gives lines back in capitals and complains of those that have them, and its client:
// all of it coroutines.
describe('a TCP client and server', () => {
  class CapError extends Error {}

  let server;
  let port;

  const lines = (socket) => {
    socket.setEncoding('utf8');
    let text = '';
    return gen.coroutine(function* () {
      while (!text.includes('\n')) {
        text += yield gen.Task((callback) => socket.once('data', (data) => callback(null, data)));
      }
      const line = text.slice(0, text.indexOf('\n'));
      text = text.slice(line.length + 1);
      return line;
    });
  };

  const serve = gen.coroutine(function* (socket) {
    const line = yield lines(socket)();
    yield gen.Task((callback) => socket.end(line === line.toUpperCase()
      ? 'error\talready capitalized\n' : `ok\t${line.toUpperCase()}\n`,
      callback));
  });

  const capitalize = gen.coroutine(function* (text) {
    const socket = net.connect(port, '127.0.0.1');
    yield gen.Task((callback) => socket.once('connect', callback));
    yield gen.Task((callback) => socket.write(`${text}\n`, callback));
    const [status, answer] = (yield lines(socket)()).split('\t');
    socket.destroy();
    if (status === 'error') throw new CapError(answer);
    return answer;
  });

  before(async () => {
    server = net.createServer(serve).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address());
  });
  after(async () => {
    server.close();
    await once(server, 'close');
  });

  it('give a result, to a done callback and to a yield', async () => {
    const future = capitalize('hello');
    await new Promise((resolve) => future.addDoneCallback(resolve));
    assert.equal(future.result(), 'HELLO');
    assert.equal(await gen.coroutine(function* () {
      return yield capitalize('hello');
    })(), 'HELLO');
  });

  it('give an error, to a done callback and at a yield', async () => {
    const future = capitalize('HELLO');
    await new Promise((resolve) => future.addDoneCallback((done) => resolve(done.exception())));
    assert.ok(future.exception() instanceof CapError);
    await gen.coroutine(function* () {
      try {
        yield capitalize('HELLO');
        assert.fail('went on');
      } catch (error) {
        assert.ok(error instanceof CapError);
        assert.equal(error.message, 'already capitalized');
      }
    })();
  });
});
