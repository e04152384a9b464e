'use strict';

// A Redis server of our own: on a free port of the loopback and a UNIX socket, without files, gone
// afterwards.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const READY = 'eady to accept connections';

async function freePort() {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

class Server {
  constructor(settings = {}) {
    this.settings = settings;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-redis-'));
    this.path = path.join(this.folder, 'socket');
  }

  async start() {
    this.port ??= await freePort();
    const settings = {
      'port': this.port, 'bind': '127.0.0.1', 'unixsocket': this.path, 'dir': this.folder, 'save': '',
      'appendonly': 'no', 'enable-debug-command': 'yes', ...this.settings,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.kill = () => this.child.kill('SIGKILL');
    process.once('exit', this.kill);
    let log = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => (log += text));
    while (!log.includes(READY)) {
      if (this.child.exitCode !== null) throw new Error(`The server has ended:\n${log}`);
      await Promise.race([once(this.child.stdout, 'data'), once(this.child, 'close')]);
    }
    return this;
  }

  /** Ends it; start() begins another one on the same port. */
  async end() {
    process.removeListener('exit', this.kill);
    const closed = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await closed;
  }

  async stop() {
    await this.end();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

let shared;

/** The server that all tests of a run share. */
async function server() {
  shared ??= new Server().start();
  return shared;
}

exports.mochaHooks = {
  async afterAll() {
    if (shared !== undefined) await (await shared).stop();
  },
};

exports.server = server;
exports.Server = Server;
