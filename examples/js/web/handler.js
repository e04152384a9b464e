'use strict';

// Tornado's RequestHandler over Node's http: a method is a coroutine, and its end is the end of the
// response.

const { STATUS_CODES } = require('node:http');
const { gen } = require('fibril');
const { HTTPError } = require('./client.js');

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

class RequestHandler {
  constructor(request, response) {
    this.request = request;
    this.response = response;
    this.chunks = [];
  }

  get finished() {
    return this.response.writableEnded;
  }

  /**
   * Called before the method: a generator, an async or a plain function. What it throws keeps the
   * method from being called.
   */
  prepare() {}

  /** Adds to the response, which is sent by flush() or at the end. */
  write(chunk) {
    this.chunks.push(Buffer.from(chunk));
  }

  /** Sends what was written so far; a Future that is done when the system has taken it. */
  flush() {
    return gen.Task((callback) => this.response.write(this.take(), callback));
  }

  /** Ends the response. */
  finish(chunk = '') {
    this.write(chunk);
    this.response.end(this.take());
  }

  /**
   * The page for an error: of HTTPError its status, of any other 500. A response that has begun can
   * only be cut off.
   */
  sendError(error) {
    const status = error instanceof HTTPError ? error.status : 500;
    if (this.response.headersSent) {
      this.response.destroy();
      return;
    }
    this.chunks = [];
    this.response.writeHead(status, { 'Content-Type': 'text/plain' });
    this.finish(`${status}: ${STATUS_CODES[status]}\n`);
  }

  take() {
    return Buffer.concat(this.chunks.splice(0));
  }
}

const serve = gen.coroutine(function* (handler) {
  const method = handler.request.method.toLowerCase();
  const call = (name) => gen.coroutine(handler[name]).call(handler);
  try {
    if (!METHODS.includes(method) || handler[method] === undefined) {
      throw new HTTPError(405, STATUS_CODES[405]);
    }
    yield call('prepare');
    if (!handler.finished) yield call(method);
    if (!handler.finished) handler.finish();
  } catch (error) {
    handler.sendError(error);
  }
});

/**
 * A listener for http.createServer that gives each path to its class; other requests go on while
 * one waits.
 */
function application(routes) {
  return (request, response) => {
    const Handler = routes[new URL(request.url, 'http://localhost').pathname];
    if (Handler !== undefined) serve(new Handler(request, response));
    else new RequestHandler(request, response).sendError(new HTTPError(404, STATUS_CODES[404]));
  };
}

module.exports = { RequestHandler, HTTPError, application };
