'use strict';

/**
 * An answer whose head is there. The body is read through one of body, buffer, text and json, once.
 */
class Response {
  #body;

  constructor({ status, url, redirected, lines }, body) {
    const [first, ...rest] = lines.toString('latin1').replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
    const [, version, reason = ''] = /^HTTP\/(\S+) \d+ ?(.*)$/.exec(first);
    this.status = status;
    this.statusText = reason;
    this.httpVersion = version;
    this.url = url;
    this.redirected = redirected;
    this.headers = new Headers(rest.filter(Boolean).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }));
    this.#body = body;
    this.bodyUsed = false;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /** The body as an async iterator of Buffers. To leave it early ends the transfer. */
  get body() {
    this.bodyUsed = true;
    return this.#body;
  }

  /** The whole body. */
  async buffer() {
    if (this.bodyUsed) {throw Object.assign(new TypeError('The body has been read already'),
      { code: 'ERR_BODY_USED' });}
    const chunks = [];
    for await (const chunk of this.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async text() {
    return new TextDecoder().decode(await this.buffer());
  }

  async json() {
    return JSON.parse(await this.text());
  }
}

module.exports = { Response };
