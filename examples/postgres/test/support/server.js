'use strict';

// A PostgreSQL server of our own: in a temporary folder, on a free port of the loopback, gone
// afterwards.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

// How to end a server: each after the one before has not done it within so many milliseconds. One
// that recovers from a killed backend may never end by SIGINT.
const ENDINGS = ['SIGINT', 'SIGQUIT', 'SIGKILL'];
const PATIENCE = 5000;

/** The folder with the server's programs. */
function findPrograms() {
  const versions = '/usr/lib/postgresql';
  const newest = fs.readdirSync(versions).sort((a, b) => b - a)[0];
  return path.join(versions, newest, 'bin');
}

// The server refuses to be root.
function identity() {
  if (process.getuid() !== 0) return {};
  const number = (kind) => Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}

async function freePort() {
  const listener = net.createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

class Server {
  constructor() {
    this.bin = findPrograms();
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-postgres-'));
    this.owner = identity();
    this.log = '';
    if (this.owner.uid !== undefined) fs.chownSync(this.folder, this.owner.uid, this.owner.gid);
    this.options = { ...this.owner, cwd: this.folder,
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' } };
    this.data = path.join(this.folder, 'data');
  }

  /** Runs one of the programs; what it has printed. */
  run(name, args, env = {}) {
    return execFileSync(path.join(this.bin, name), args, {
      ...this.options, env: { ...this.options.env, ...env }, encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** What psql prints for a query: unaligned, a line for each row, "|" between columns. */
  psql(sql) {
    return this.run('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql, this.url])
      .replace(/\n$/, '');
  }

  write(name, text) {
    const file = path.join(this.data, name);
    fs.writeFileSync(file, text, { mode: 0o600 });
    if (this.owner.uid !== undefined) fs.chownSync(file, this.owner.uid, this.owner.gid);
  }

  append(name, text) {
    fs.appendFileSync(path.join(this.data, name), text);
  }

  async start() {
    this.run('initdb', ['-D', this.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8',
      '--no-sync']);
    this.port = await freePort();
    this.url = `postgres://postgres@127.0.0.1:${this.port}/postgres`;
    const settings = {
      listen_addresses: '127.0.0.1', port: this.port, unix_socket_directories: this.folder,
      fsync: 'off', max_connections: 60, lc_messages: 'C',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.child = spawn(path.join(this.bin, 'postgres'), ['-D', this.data, ...args],
      { ...this.options, stdio: ['ignore', 'ignore', 'pipe'] });
    this.kill = () => this.child.kill('SIGQUIT');
    process.once('exit', this.kill);
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.log += text));
    await this.logged('ready to accept connections');
    return this;
  }

  /** Waits until the server has written this to its log. */
  async logged(text) {
    while (!this.log.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(`The server has ended:\n${this.log}`);
      await Promise.race([once(this.child.stderr, 'data'), once(this.child, 'close')]);
    }
  }

  async stop() {
    process.removeListener('exit', this.kill);
    const closed = once(this.child, 'close');
    const signals = ENDINGS.values();
    const end = () => this.child.kill(signals.next().value ?? 'SIGKILL');
    const impatience = setInterval(end, PATIENCE);
    end();
    await closed;
    clearInterval(impatience);
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
