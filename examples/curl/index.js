'use strict';

const binding = require('./lib/binding.js');
const { Body, Pipe } = require('./lib/body.js');
const { encode } = require('./lib/request.js');
const { Response } = require('./lib/response.js');

/** A status that raiseError makes an error of. Tornado: HTTPError. */
class HTTPError extends Error {
  constructor(response) {
    super(`HTTP ${response.status}: ${response.statusText || 'Unknown'}`);
    this.name = 'HTTPError';
    this.code = 'ERR_HTTP_STATUS';
    this.response = response;
  }
}

/** Has `controller` follow `signal`; what undoes that. */
function follow(signal, controller) {
  if (!(signal instanceof AbortSignal)) {
    throw Object.assign(new TypeError('The "signal" option must be an AbortSignal'), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

// The addon's promise is that of the whole transfer; the one returned, that of its head. What a transfer holds while it runs may
// not lead to the body, or an abandoned one would never be collected: so `head` forgets its promise.
function start(client, [url, options], controller, onEnd) {
  const pipe = new Pipe();
  const head = {};
  const promise = new Promise((resolve, reject) => Object.assign(head, { resolve, reject }));
  const abort = () => controller.abort();
  const onHead = (parts) => {
    head.resolve(new Response(parts, new Body(pipe, abort, ended)));
    head.resolve = head.reject = null;
  };
  const onChunk = (chunk) => pipe.put(chunk);
  const transfer = client.request(url, { ...options, signal: controller.signal }, onHead, onChunk);
  const ended = transfer.then(() => pipe.end(null), (error) => {
    head.reject?.(error);
    pipe.end(error);
  }).then(onEnd);
  return promise;
}

/** Connections, kept for the next request, and how many there may be. What is more waits its turn. Tornado: AsyncHTTPClient. */
class Client {
  #native;

  constructor({ maxConnections = 100, maxConnectionsPerHost = 10 } = {}) {
    this.#native = new binding.Client(maxConnections, maxConnectionsPerHost);
  }

  /** Resolves with a Response as soon as its head is there. */
  async fetch(url, { signal, raiseError = false, ...options } = {}) {
    const request = encode(url, options);
    const controller = new AbortController();
    const unfollow = signal == null ? () => {} : follow(signal, controller);
    const response = await start(this.#native, request, controller, unfollow);
    if (raiseError && !response.ok) throw new HTTPError(response);
    return response;
  }
}

let shared = null;

/** Client.fetch of a client that everything in this environment shares. */
function fetch(url, options) {
  shared ??= new Client();
  return shared.fetch(url, options);
}

module.exports = { fetch, Client, HTTPError };
