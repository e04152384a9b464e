'use strict';

const native = require('./lib/native.js');
const { Session } = require('./lib/session.js');
const { Transaction } = require('./lib/transaction.js');

const LEVELS = ['read committed', 'repeatable read', 'serializable'];

function begin({ isolation, readOnly, deferrable }) {
  if (isolation !== undefined && !LEVELS.includes(isolation)) {
    const message = `The property 'options.isolation' must be one of: ${LEVELS.join(
      ', ')}. Received ${String(isolation)}`;
    throw Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
  }
  const modes = [isolation && `isolation level ${isolation}`, readOnly && 'read only', deferrable &&
    'deferrable'];
  return ['begin', ...modes.filter(Boolean)].join(' ');
}

/** An open connection; connect() makes one. */
class Connection extends Session {
  #native;

  constructor(opened) {
    super(opened, 0);
    this.#native = opened;
  }

  /** The number of the server's process. */
  get pid() {
    return this.#native.pid;
  }

  /** False once it has been closed, or has turned out to be lost. */
  get connected() {
    return this.#native.connected;
  }

  /** Runs fn(transaction) between BEGIN and COMMIT, or ROLLBACK when it rejects; what it gave. */
  async transaction(fn, { signal, ...modes } = {}) {
    // What it gives need not pass through C.
    let result;
    await this.#native.transaction(begin(modes), async (number) => {
      const transaction = new Transaction(this.#native, number);
      try {
        result = await fn(transaction);
      } finally {
        await transaction.end();
      }
    }, { signal });
    return result;
  }

  /**
   * Listens to a channel; when the promise resolves, the server does. The iterator gives { channel,
   * payload, pid }.
   */
  async listen(channel, { signal } = {}) {
    const notifications = this.#native.listen(channel, { signal });
    await notifications.next();
    return notifications;
  }

  /** Ends the connection, and what still runs on it with an error of code 08003. */
  async close() {
    await this.#native.close();
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }
}

/**
 * Opens a connection.
 * @param {string} [conninfo] a URL or "key=value" pairs, as of psql; what is left out comes from
 *   PGHOST and the like
 * @param {{timeout?: number, signal?: AbortSignal}} [options] `timeout`: milliseconds, 30,000 if
 *   left out, 0 for none
 * @returns {Promise<Connection>}
 */
async function connect(conninfo = '', { timeout = 30000, signal } = {}) {
  const opened = new native.Connection();
  await opened.connect(conninfo, timeout, { signal });
  return new Connection(opened);
}

exports.connect = connect;
exports.Connection = Connection;
