'use strict';

// Servers on loopback, each with its URL and what it counts, and the certificates that they show.

const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');

async function listen(server, scheme) {
  const sockets = new Set();
  const counts = { connections: 0, most: 0 };
  server.on('connection', (socket) => {
    sockets.add(socket);
    counts.connections++;
    counts.most = Math.max(counts.most, sockets.size);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url: `${scheme}://localhost:${server.address().port}`, server, counts, sockets, close };
}

/** An HTTP server with this handler. */
exports.serve = (handler) => listen(http.createServer(handler), 'http');

/** The same over TLS. */
exports.serveTls = ({ key, cert }, handler) =>
  listen(https.createServer({ key, cert }, handler), 'https');

/** The same for HTTP/2 and HTTP/1.1. */
exports.serveHttp2 = ({ key, cert }, handler) =>
  listen(http2.createSecureServer({ key, cert, allowHTTP1: true }, handler), 'https');

/** The whole body of a request. */
exports.bodyOf = async (request) => Buffer.concat(await request.toArray());

/** A certificate for a name, signed by its own key: { key, cert }, both as PEM. */
exports.certificate = (name) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-curl-'));
  try {
    const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-days', '2', '-subj', `/CN=${name}`];
    const names = ['-addext', `subjectAltName=DNS:${name}`, '-keyout', 'key.pem', '-out',
      'cert.pem'];
    const { status, stderr } = spawnSync('openssl', ['req', ...options, ...names],
      { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl: ${stderr}`);
    const read = (file) => fs.readFileSync(path.join(folder, file), 'utf8');
    return { key: read('key.pem'), cert: read('cert.pem') };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
};
