'use strict';

// A web server whose handlers are coroutines, and a client that fetches from it: Tornado's
// introduction, over Node's http and fetch.

const http = require('node:http');
const { gen } = require('fibril');
const { AsyncHTTPClient } = require('./web/client.js');
const { RequestHandler, application } = require('./web/handler.js');

const client = new AsyncHTTPClient();

const fetchCoroutine = gen.coroutine(function* (url) {
  const response = yield client.fetch(url);
  return response.body;
});

class SlowHandler extends RequestHandler {
  *get() {
    yield gen.sleep(100);
    this.write('slow');
  }
}

class SequenceHandler extends RequestHandler {
  *get() {
    for (const part of ['1', '2', '3']) {
      this.write(part);
      yield this.flush();
      yield gen.sleep(10);
    }
  }
}

class ActionHandler extends RequestHandler {
  *get() {
    const { host } = this.request.headers;
    const [slow, sequence] = yield [`http://${host}/slow`, `http://${host}/sequence`]
      .map((url) => fetchCoroutine(url));
    this.finish(`${slow} and ${sequence}`);
  }
}

class FailingHandler extends RequestHandler {
  *get() {
    yield gen.moment;
    throw new Error('a mistake');
  }
}

const main = gen.coroutine(function* () {
  const routes = { '/action': ActionHandler, '/slow': SlowHandler, '/sequence': SequenceHandler,
    '/failing': FailingHandler };
  const server = http.createServer(application(routes));
  yield gen.Task((callback) => server.listen(0, '127.0.0.1', callback));
  const url = `http://127.0.0.1:${server.address().port}`;
  const print = gen.coroutine(function* (path) {
    try {
      console.log(path, 'gives', yield fetchCoroutine(url + path));
    } catch (error) {
      console.log(path, 'fails:', error.message);
    }
  });
  yield ['/action', '/slow', '/failing', '/nowhere'].map((path) => print(path));
  server.close();
  server.closeAllConnections();
});

main();
