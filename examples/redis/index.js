'use strict';

const native = require('./build/Release/redis.node');
const { RedisError } = require('./lib/error.js');
const { Subscription } = require('./lib/subscription.js');
const { revive } = require('./lib/values.js');

const DEFAULTS = {
  host: '127.0.0.1', port: 6379, database: 0, protocol: 3, timeout: 10000,
  maxBulk: 512 * 1024 * 1024, maxItems: 2 ** 24, maxDepth: 128,
};

/** Options are what is no argument of a command: an object, but no bytes. */
function isOptions(value) {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) &&
    !(value instanceof ArrayBuffer);
}

function reconnecting(reconnect) {
  const { delay = 50, maxDelay = 2000, attempts = Infinity } = reconnect === true ? {} : reconnect;
  return { delay, maxDelay, attempts };
}

/** A client of one server; connect() makes one. */
class Client {
  #native;
  #options;

  constructor({ reconnect = true, ...options } = {}) {
    this.#options = { reconnect, ...options };
    this.#native = new native.Client({
      ...DEFAULTS, ...options, ...reconnecting(reconnect || { attempts: 0 }),
    }, revive);
  }

  /** Connects; without this the first command does. */
  async open({ signal } = {}) {
    await this.#native.open({ signal });
  }

  /**
   * Sends a command: its name, its arguments, and perhaps options: `{buffers, signal}`.
   */
  command(...args) {
    const last = args[args.length - 1];
    if (!isOptions(last)) return this.#native.command(args, false);
    args.pop();
    const { buffers = false, signal } = last;
    if (signal === undefined) return this.#native.command(args, buffers);
    return this.#native.commandWith(args, buffers, { signal });
  }

  /**
   * Runs commands, arrays of a name and arguments, between MULTI and EXEC: their replies, or null
   * when a key that was watched has changed.
   */
  transaction(commands, { buffers = false, signal } = {}) {
    return this.#native.transaction(commands, buffers, { signal });
  }

  /** Listens to a channel, or several; with `patterns` to all whose names match. */
  subscribe(channels, { patterns = false, buffers = false, limit = 1000, signal } = {}) {
    const names = typeof channels === 'string' ? [channels] : channels;
    return new Subscription(this.#native.subscribe(names, patterns, buffers, limit, { signal }));
  }

  /** Another client with the same options, connected. */
  duplicate(options = {}) {
    return connect({ ...this.#options, ...options });
  }

  /** Ends the connection, and what waits for a reply with ERR_REDIS_CLOSED. */
  async close() {
    await this.#native.close();
  }

  /** Whether there is a connection now. */
  get connected() {
    return this.#native.connected;
  }

  /** How many replies are to come. */
  get pending() {
    return this.#native.pending;
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }
}

/** A client that is connected. */
async function connect({ signal, ...options } = {}) {
  const client = new Client(options);
  await client.open({ signal });
  return client;
}

exports.connect = connect;
exports.Client = Client;
exports.RedisError = RedisError;
