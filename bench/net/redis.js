'use strict';

/*
 * Redis clients: examples/redis against ioredis and redis, each in a process of its own
 * (redis_client.js), with the same redis-server. What counts is the client's processor time for
 * each GET.
 */

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { buildAddons, formatNs, formatRatio, rotated, summarize } = require('../harness');
const { Partner } = require('../partner');
const { installPackages } = require('../../scripts/fetch-package');

const root = path.join(__dirname, '..', '..');
const example = path.join(root, 'examples', 'redis');
const PEERS = { ioredis: 'ioredis@6', redis: 'redis@6' };
const ROWS = [
  { name: 'redis, 1,000 commands in flight', what: 'flight', least: 2 },
  { name: 'redis, in turn', what: 'turn', least: 1 },
];
const WARM_UP = 3;

/** Where each contender's packages are. */
function findClients() {
  const folders = { fibril: example };
  for (const [name, spec] of Object.entries(PEERS)) {
    if (process.env.FIBRIL_FETCH === '1') folders[name] = installPackages([spec]);
    else console.log(`${name} is left out: FIBRIL_FETCH=1 gets ${spec} from npm`);
  }
  return folders;
}

function build() {
  const modules = path.join(example, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  if (!fs.existsSync(path.join(modules, 'fibril'))) {
    fs.symlinkSync(root, path.join(modules, 'fibril'), 'junction');
  }
  buildAddons(example);
}

async function startServer() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-bench-'));
  const socket = path.join(folder, 'socket');
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--dir', folder,
    '--save', '', '--appendonly', 'no'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let log = '';
  server.stdout.on('data', (data) => (log += data));
  while (!log.includes('eady to accept connections')) await once(server.stdout, 'data');
  return { socket, async end() {
    server.kill();
    await once(server, 'exit');
    fs.rmSync(folder, { recursive: true, force: true });
  } };
}

/** A turn of one client: nanoseconds of its processor, and of the clock, for each request. */
async function measure(client, what, milliseconds) {
  const { cpu, time, requests } = JSON.parse(await client.ask(`${what} ${milliseconds}`));
  return { cpu: cpu / requests, time: time / requests };
}

async function sample(clients, what, { rounds, milliseconds }) {
  const samples = Object.fromEntries(clients.map(({ name }) => [name, []]));
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const index of rotated(clients.length, Math.max(round, 0))) {
      const { name, client } = clients[index];
      const taken = await measure(client, what, milliseconds);
      if (round >= 0) samples[name].push(taken);
    }
  }
  return samples;
}

function summarizeRow({ name, least }, samples) {
  const results = Object.fromEntries(Object.entries(samples).map(([label, own]) => [label,
    { cpu: summarize(own.map(({ cpu }) => cpu)), time: summarize(own.map(({ time }) => time)) }]));
  console.log(name);
  for (const [label, { cpu, time }] of Object.entries(results)) {
    console.log(`  ${label.padEnd(14)}${formatNs(cpu.median).padStart(10)} of the processor, ${
      formatNs(time.median).padStart(8)} of the clock: ${Math.round(1e9 / cpu.median)
      .toLocaleString('en').padStart(8)} a CPU-second`);
  }
  const ratios = Object.keys(results).slice(1).map((to) => {
    const ratio = summarize(samples[to].map(({ cpu }, round) => cpu / samples.fibril[round].cpu));
    const answer = ratio.low >= least ? 'yes' : ratio.high < least ? 'NO' : 'within the spread';
    console.log(`  fibril to ${to}: x${formatRatio(ratio)}  at least ${least} wanted: ${answer}`);
    return { of: 'fibril', to, least, ratio };
  });
  console.log('');
  return { name, results, ratios };
}

async function measureRedis({ processes, rounds, milliseconds }) {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    console.log('redis is left out: Debian\'s redis-server is not installed\n');
    return [];
  }
  build();
  const folders = findClients();
  const server = await startServer();
  const samples = ROWS.map(() => ({}));
  for (let i = 0; i < processes; i++) {
    const clients = Object.entries(folders).map(([name, folder]) => ({ name, client: new Partner([
      process.execPath, path.join(__dirname, 'redis_client.js'), name, folder, server.socket]) }));
    for (const { client } of clients) await client.next(); // "ready"
    for (const [index, { what }] of ROWS.entries()) {
      const taken = await sample(clients, what, { rounds, milliseconds });
      for (const [name, own] of Object.entries(taken)) (samples[index][name] ??= []).push(...own);
    }
    for (const { client } of clients) await client.end();
  }
  await server.end();
  return ROWS.map((row, index) => summarizeRow(row, samples[index]));
}

module.exports = { measureRedis };
