'use strict';

/*
 * An echo server of bench/net.js in a process of its own: `node server.js fibril|callbacks|net`.
 * Prints its port, and for each line that comes what it has used.
 */

const net = require('node:net');
const path = require('node:path');

const [, , name, quiet] = process.argv;

const load = (addon) => require(path.join(__dirname, 'build', 'Release', `${addon}.node`));

function announce(port) {
  process.stdout.write(`${port}\n`);
}

async function serveWithFibril() {
  const addon = load('fibril_echo');
  announce(await addon.listen());
  await addon.serve(quiet === 'quiet');
}

function serveWithNet() {
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('data', (data) => socket.write(data));
    socket.on('error', () => {});
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 },
    () => announce(server.address().port));
}

const servers = {
  fibril: serveWithFibril,
  callbacks: () => announce(load('callbacks').listen()),
  net: serveWithNet,
};

function report(line) {
  if (String(line).includes('collected')) globalThis.gc();
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({
    cpu: user + system, rss: process.memoryUsage.rss() })}\n`);
}

process.stdin.on('data', report);
process.stdin.on('end', () => process.exit());
servers[name]();
