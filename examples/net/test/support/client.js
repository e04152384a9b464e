'use strict';

const net = require('node:net');
const { once } = require('node:events');

/** Connects to a port of this machine; half-closes are as the peer makes them. */
async function connect(port) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** All that the socket still gets, up to the end; it can still be written to. */
function readAll(socket) {
  const pieces = [];
  return new Promise((resolve, reject) => {
    socket.on('data', (piece) => pieces.push(piece));
    socket.once('end', () => resolve(Buffer.concat(pieces)));
    socket.once('error', reject);
  });
}

/** A server that is closed when the test ends; what it serves with and its outcome. */
function serve(server, options = {}) {
  const controller = new AbortController();
  const serving = server.serve({ ...options, signal: controller.signal });
  serving.catch(() => {});
  return {
    serving,
    async stop() {
      controller.abort();
      await serving.catch(() => {});
      await server.close();
    },
  };
}

module.exports = { connect, readAll, serve };
