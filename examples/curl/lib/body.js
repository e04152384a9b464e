'use strict';

/**
 * Where the addon's coroutine puts the pieces of a body, one at a time: the promise that put() returns is what it waits for. Knows
 * nothing of the Body that reads from it, unless somebody waits there: so an abandoned Body can be collected.
 */
class Pipe {
  #chunk = null;
  #taken = null;
  #reader = null;
  #end = null;

  put(chunk) {
    if (this.#reader !== null) {
      this.#answer({ value: chunk, done: false });
      return undefined;
    }
    this.#chunk = chunk;
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
  }

  /** After the last piece: null, or the error that came instead of the rest. */
  end(error) {
    this.#end = { error };
    if (error !== null) this.#chunk = null;
    if (this.#reader !== null) this.#answerEnd();
  }

  take(body) {
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject, body };
      if (this.#chunk !== null) {
        const [value, taken] = [this.#chunk, this.#taken];
        this.#chunk = this.#taken = null;
        this.#answer({ value, done: false });
        taken();
      } else if (this.#end !== null) {
        this.#answerEnd();
      }
    });
  }

  #answer(result) {
    const { resolve } = this.#reader;
    this.#reader = null;
    resolve(result);
  }

  #answerEnd() {
    const { resolve, reject } = this.#reader;
    const { error } = this.#end;
    this.#reader = null;
    this.#end = { error: null }; // an error is thrown once, as by a generator
    if (error === null) resolve({ value: undefined, done: true });
    else reject(error);
  }
}

// A body that nobody can read any more ends its transfer.
const abandoned = new FinalizationRegistry((abort) => abort());

/** The pieces of a response's body, each a Buffer: an async iterator that can be walked once. */
class Body {
  #pipe;
  #abort;
  #ended;
  #turn = Promise.resolve();

  /** `abort` ends the transfer, `ended` is resolved when it has ended. */
  constructor(pipe, abort, ended) {
    this.#pipe = pipe;
    this.#abort = abort;
    this.#ended = ended;
    abandoned.register(this, abort);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  next() {
    // One after the other, like a generator's.
    const turn = this.#turn.then(() => this.#pipe.take(this));
    this.#turn = turn.then(() => {}, () => {});
    return turn;
  }

  /** Ends the transfer; resolved when it is gone. */
  async return(value) {
    this.#abort();
    await this.#ended;
    this.#pipe = new Pipe();
    this.#pipe.end(null);
    return { value, done: true };
  }

  async throw(error) {
    await this.return();
    throw error;
  }
}

module.exports = { Body, Pipe };
