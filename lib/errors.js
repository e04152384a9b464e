'use strict';

/* Errors of runs that are ended from outside. They need no binary. */

/** As Node's own: `code` is 'ABORT_ERR', `cause` the signal's reason. */
class AbortError extends Error {
  constructor(cause) {
    super('The operation was aborted', { cause });
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

/** What took too long ends with it. Tornado: TimeoutError. */
class TimeoutError extends Error {
  constructor(message = 'Timeout') {
    super(message);
    this.name = 'TimeoutError';
    this.code = 'ETIMEDOUT';
  }
}

module.exports = { AbortError, TimeoutError };
