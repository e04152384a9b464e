'use strict';

const { parameters } = require('./parameters.js');
const { rowMaker } = require('./rows.js');

/**
 * What a connection and a transaction have in common: queries, under a transaction's number or 0.
 */
class Session {
  #native;
  #transaction;

  constructor(native, transaction) {
    this.#native = native;
    this.#transaction = transaction;
  }

  /** Runs one statement and reads all of its result. */
  async query(sql, params = [], { signal } = {}) {
    const result = await this.#native.query(sql, parameters(params), this.#transaction, { signal });
    return { ...result, rows: result.rows.map(rowMaker(result.fields)) };
  }

  /** The rows of one statement as they come. Leaving the loop cancels the statement. */
  async* stream(sql, params = [], { signal } = {}) {
    const batches = this.#native.stream(sql, parameters(params), this.#transaction, { signal });
    try {
      const { value: fields } = await batches.next();
      const toObject = rowMaker(fields);
      for await (const batch of batches) yield* batch.map(toObject);
    } finally {
      await batches.return();
    }
  }
}

module.exports = { Session };
