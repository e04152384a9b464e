'use strict';

// Tornado's AsyncHTTPClient over Node's fetch. The Future is made first; what does the work gets a
// callback that settles it.

const { Future, locks } = require('fibril');

class HTTPError extends Error {
  constructor(status, message) {
    super(`HTTP ${status}: ${message}`);
    this.name = 'HTTPError';
    this.status = status;
  }
}

class AsyncHTTPClient {
  /** `maxClients`: how many requests are under way at once; the others wait in line. */
  constructor({ maxClients = 10 } = {}) {
    this.clients = new locks.Semaphore(maxClients);
  }

  /**
   * A Future of `{ status, headers, body }`. A status that is no success fails it with HTTPError,
   * unless `raiseError` is false; what else goes wrong fails it in any case. The other options are
   * those of fetch.
   */
  fetch(url, { raiseError = true, ...options } = {}) {
    const future = new Future();
    this.fetchImpl(url, options, (error, response) => {
      if (error) future.setException(error);
      else if (raiseError && !response.ok) {future.setException(new HTTPError(response.status,
        response.reason));}
      else future.setResult(response);
    });
    return future;
  }

  fetchImpl(url, options, callback) {
    const request = this.clients.run(async () => {
      const response = await fetch(url, options);
      const { ok, status, statusText: reason, headers } = response;
      return { ok, status, reason, headers, body: await response.text() };
    });
    request.addDoneCallback(() => {
      const error = request.exception();
      callback(error, error === undefined ? request.result() : undefined);
    });
  }
}

module.exports = { AsyncHTTPClient, HTTPError };
