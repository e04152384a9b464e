'use strict';

const { Session } = require('./session.js');

/** What the function of a transaction gets: ends with it. */
class Transaction extends Session {
  #streams = new Set();
  #savepoints = 0;

  /**
   * As a connection's, but a loop that is left takes back what the statement did, and the
   * transaction goes on.
   */
  stream(sql, params, options) {
    const rows = this.#rows(sql, params, options, () => this.#streams.delete(rows));
    this.#streams.add(rows);
    return rows;
  }

  async* #rows(sql, params, options, ended) {
    const savepoint = `stream_${++this.#savepoints}`;
    let left = true;
    try {
      await this.query(`savepoint ${savepoint}`);
      yield* super.stream(sql, params, options);
      left = false;
    } catch (error) {
      left = false;
      throw error;
    } finally {
      ended();
      if (left) await this.query(`rollback to savepoint ${savepoint}`);
    }
  }

  /** Ends the streams that the function has left open: COMMIT would wait for them. */
  async end() {
    for (const rows of this.#streams) await rows.return();
  }
}

module.exports = { Transaction };
