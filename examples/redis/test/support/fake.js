'use strict';

// A server that says whatever a test wants it to.

const { once } = require('node:events');
const net = require('node:net');
const { setImmediate: turn } = require('node:timers/promises');

/** The server's side of a connection. */
class Peer {
  constructor(socket) {
    this.socket = socket.setNoDelay();
    this.received = '';
    this.errors = [];
    socket.on('error', (error) => this.errors.push(error.code));
    // The client has ended it, one way or the other.
    this.closed = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    socket.on('data', (data) => (this.received += data.toString('latin1')));
  }

  /** Until so many commands have come that contain the text. */
  async heard(text, times = 1) {
    while (this.received.split(text).length <= times) await once(this.socket, 'data');
    return this.received;
  }

  send(bytes) {
    this.socket.write(bytes, 'latin1');
  }

  /** The same, until the system has all of it. */
  sendAll(bytes) {
    return new Promise((resolve) => this.socket.write(bytes, 'latin1', resolve));
  }

  /** The same in single bytes, each in a turn of the loop. */
  async sendChopped(bytes) {
    for (const byte of Buffer.from(bytes, 'latin1')) {
      this.socket.write(Buffer.of(byte));
      await turn();
    }
  }
}

class Fake {
  #peers = [];
  #waiting = [];

  constructor() {
    this.listener = net.createServer({ allowHalfOpen: true }, (socket) => {
      const peer = new Peer(socket);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#peers.push(peer);
      else waiting(peer);
    });
    this.all = new Set();
    this.listener.on('connection', (socket) => this.all.add(socket));
  }

  async start(port = 0) {
    this.listener.listen(port, '127.0.0.1');
    await once(this.listener, 'listening');
    this.port = this.listener.address().port;
    return this;
  }

  /** The next connection. */
  accept() {
    const peer = this.#peers.shift();
    return peer ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close() {
    this.listener.close();
    for (const socket of this.all) socket.destroy();
    await once(this.listener, 'close');
  }
}

module.exports = { Fake };
