'use strict';

/** Messages for `for await`. It listens from the beginning, before anybody asks for one. */
class Subscription {
  #messages;
  #ready;

  constructor(messages) {
    this.#messages = messages;
    this.#ready = messages.next();
    this.#ready.catch(() => {}); // whoever asks hears of it
  }

  /** When the server has confirmed: nothing that is published from then on is missed. */
  get ready() {
    return this.#ready.then(() => undefined);
  }

  async next() {
    await this.#ready;
    return this.#messages.next();
  }

  /** Listens no more. */
  return(value) {
    return this.#messages.return(value);
  }

  throw(error) {
    return this.#messages.throw(error);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.return();
  }
}

module.exports = { Subscription };
