'use strict';

const binding = require('./lib/binding.js');
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

/**
 * Connections, kept for the next request, and how many there may be. What is more waits its turn.
 * Tornado: AsyncHTTPClient.
 */
class Client {
  #native;

  constructor({ maxConnections = 100, maxConnectionsPerHost = 10 } = {}) {
    this.#native = new binding.Client(maxConnections, maxConnectionsPerHost);
  }

  /** Resolves with a Response as soon as its head is there. */
  async fetch(url, { raiseError = false, ...options } = {}) {
    const pieces = this.#native.request(...encode(url, options));
    const { value: head } = await pieces.next();
    const response = new Response(head, pieces);
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
