'use strict';

/*
 * TCP servers: fibril's coroutines against libuv's callbacks, each inside Node and without it, and
 * against Node's net. Every server is a process, and so is who asks it (bench/net/load.c); what
 * counts is the servers' processor time, of which they tell themselves. All servers of a row run at
 * the same time and are asked one after the other, round by round; ratios are taken within a round.
 */

const path = require('node:path');

const { buildAddons, formatNs, formatRatio, rotated, save, summarize } = require('./harness');
const { measureRedis } = require('./net/redis');
const { Partner } = require('./partner');
const { root, folder, cc, command, libuv, compile, findLibrary, compileLibrary } =
  require('./programs');

const sources = path.join(__dirname, 'net');
const MEMORY_MOST = 6 * 1024; // bytes a quiet connection
const QUIET = 2000;
const HELD = 10000;
const BUSY = 1000;
const SPARE_DESCRIPTORS = 100;
const WARM_UP = 3;

const inNode = (...args) => {
  return [process.execPath, '--expose-gc', path.join(sources, 'server.js'), ...args];
};
const alone = (name) => [path.join(folder, 'alone'), name];

const SERVERS = {
  'fibril': inNode('fibril'),
  'libuv': inNode('callbacks'),
  'net': inNode('net'),
  'fibril alone': alone('fibril'),
  'libuv alone': alone('callbacks'),
  'own buffers': alone('own'), // libuv alone, with a buffer for each connection
};

/* Who is compared with whom, and how many times as many requests a CPU-second are wanted. */
const ECHO_AIMS = [['fibril', 'net', 1.7], ['fibril', 'libuv', 0.8],
  ['fibril alone', 'libuv alone', 0.9], ['fibril alone', 'own buffers']];
const SHORT_AIMS = [['fibril', 'net', 2], ['fibril', 'libuv'], ['fibril alone', 'libuv alone']];

const echo = (connections, size, label) => {
  return { name: `${connections.toLocaleString('en')} x ${label}`, connections, size, what: 'go',
    aims: ECHO_AIMS };
};
const ROWS = [
  ...[1, 100, 1000].flatMap((count) => [echo(count, 64, '64 B'), echo(count, 16384, '16 KiB')]),
  { name: 'short connections', connections: 100, size: 64, what: 'short', aims: SHORT_AIMS },
];

class Server extends Partner {
  async use(collected = '') {
    return JSON.parse(await this.ask(`use ${collected}`));
  }
}

async function startServer(argv) {
  const server = new Server(argv);
  server.port = await server.next();
  return server;
}

async function startLoad(server, ...args) {
  const load = new Partner([path.join(folder, 'load'), server.port, ...args.map(String)]);
  await load.next(); // "ready"
  return load;
}

function build() {
  const uv = libuv();
  buildAddons(sources);
  const library = findLibrary('bench/net/build');
  const objects = compile(['alone', 'echo', 'callbacks'].map((name) => `bench/net/${name}.c`),
    ['-fstack-clash-protection', ...uv.cflags]);
  command(cc, [...objects, ...(library ? [library] : compileLibrary(uv)),
    '-o', path.join(folder, 'alone'), ...uv.libs, '-lm', '-ldl', '-pthread']);
  command(cc, ['-O2', '-std=gnu11', 'bench/net/load.c', '-o', path.join(folder, 'load')]);
}

// ---- Processor time ----

/** A turn of one server: nanoseconds of its processor, and of the clock, for each answer. */
async function measure({ server, load }, { what }, milliseconds) {
  const before = await server.use();
  const [answers, seconds] = (await load.ask(`${what} ${milliseconds}`)).split(' ').map(Number);
  const after = await server.use();
  return { cpu: (after.cpu - before.cpu) * 1e3 / answers, time: seconds * 1e9 / answers };
}

/** The samples of a row from one set of processes, by contender. */
async function sample(row, { rounds, milliseconds }) {
  const pairs = [];
  for (const [label, argv] of Object.entries(SERVERS)) {
    const server = await startServer(argv);
    pairs.push({ label, server, load: await startLoad(server, row.connections, row.size) });
  }
  const samples = Object.fromEntries(pairs.map(({ label }) => [label, []]));
  for (let turn = 0; turn < WARM_UP; turn++) { // engines learn
    for (const pair of pairs) await measure(pair, row, milliseconds);
  }
  for (let round = 0; round < rounds; round++) {
    for (const index of rotated(pairs.length, round)) {
      samples[pairs[index].label].push(await measure(pairs[index], row, milliseconds));
    }
  }
  for (const { load, server } of pairs) {
    await load.end();
    await server.end();
  }
  return samples;
}

function summarizeRow({ name, aims }, samples) {
  const results = {};
  for (const [label, own] of Object.entries(samples)) {
    results[label] = { cpu: summarize(own.map(({ cpu }) => cpu)),
      time: summarize(own.map(({ time }) => time)) };
  }
  const ratios = aims.map(([of, to, least]) => {
    return { of, to, least, ratio: summarize(samples[of].map(({ cpu }, round) => {
      return samples[to][round].cpu / cpu;
    })) };
  });
  return { name, results, ratios };
}

function verdict({ ratio, least }) {
  if (least === undefined) return '';
  const answer = ratio.low >= least ? 'yes' : ratio.high < least ? 'NO' : 'within the spread';
  return `  at least ${least} wanted: ${answer}`;
}

function print({ name, results, ratios }) {
  console.log(name);
  for (const [label, { cpu, time }] of Object.entries(results)) {
    console.log(`  ${label.padEnd(14)}${formatNs(cpu.median).padStart(10)} of the processor, ${
      formatNs(time.median).padStart(8)} of the clock: ${Math.round(1e9 / cpu.median)
      .toLocaleString('en').padStart(8)} a CPU-second, ${Math.round(1e9 / time.median)
      .toLocaleString('en').padStart(8)} a second`);
  }
  for (const one of ratios) {
    console.log(`  ${one.of} to ${one.to}: x${formatRatio(one.ratio)}${verdict(one)}`);
  }
  console.log('');
}

async function measureRow(row, options) {
  const samples = {};
  for (let i = 0; i < options.processes; i++) {
    for (const [label, own] of Object.entries(await sample(row, options))) {
      (samples[label] ??= []).push(...own);
    }
  }
  return summarizeRow(row, samples);
}

// ---- Memory ----

/** Resident bytes of each of so many connections that have been used once and are quiet. */
async function measureQuiet(argv, count) {
  const server = await startServer(argv);
  const first = await startLoad(server, 100, 64); // what the first ones make is made
  await first.end();
  const before = await server.use('collected');
  const load = await startLoad(server, count, 64);
  const after = await server.use('collected');
  await load.end();
  await server.end();
  return (after.rss - before.rss) / count;
}

async function measureMemory({ processes }) {
  const samples = { fibril: [], libuv: [], net: [] };
  for (let i = 0; i < processes; i++) {
    for (const [label, own] of Object.entries(samples)) {
      own.push(await measureQuiet([...SERVERS[label], 'quiet'], QUIET));
    }
  }
  const results = Object.fromEntries(Object.entries(samples)
    .map(([label, own]) => [label, summarize(own)]));
  const kilobytes = ([label, { median }]) => `${label} ${(median / 1024).toFixed(1)} KB`;
  console.log(`${QUIET.toLocaleString('en')} quiet connections, resident for each: ${
    Object.entries(results).map(kilobytes).join(', ')}; at most ${
    MEMORY_MOST / 1024} KB wanted: ${results.fibril.median <= MEMORY_MOST ? 'yes' : 'NO'}\n`);
  return { name: 'memory', results };
}

// ---- Many ----

/** As many as this process's children may have descriptors for. */
function mostConnections() {
  const limit = command('sh', ['-c', 'ulimit -Hn']).trim();
  return limit === 'unlimited' ? HELD : Math.min(HELD, Number(limit) - SPARE_DESCRIPTORS);
}

async function measureHeld({ milliseconds }) {
  const count = mostConnections();
  const busy = Math.min(BUSY, count);
  const server = await startServer([...SERVERS.fibril, 'quiet']);
  const begun = await server.use('collected');
  const load = await startLoad(server, count, 64, busy);
  await load.ask(`go ${milliseconds}`);
  const before = await server.use('collected');
  const [answers] = (await load.ask(`go ${10 * milliseconds}`)).split(' ').map(Number);
  const after = await server.use('collected');
  const [left] = (await load.ask('all')).split(' ').map(Number);
  await load.end();
  await server.end();
  const megabytes = ({ rss }) => `${(rss / (1 << 20)).toFixed(1)} MB`;
  console.log(`${count.toLocaleString('en')} connections held, of which ${
    busy.toLocaleString('en')} are busy: ${answers.toLocaleString('en')} answers at ${
    Math.round((after.cpu - before.cpu) * 1e3 / answers)} ns of the processor; resident ${
    megabytes(begun)} without any, ${megabytes(before)} before, ${megabytes(after)} after; ${
    count - left} lost`);
  return { name: 'held', count, busy, answers, begun, before, after, lost: count - left };
}

/**
 * @param {{quick: boolean, json: ?string, only: string[]}} options
 */
async function run({ quick, json, only }) {
  const chosen = (name) => only.length === 0 || only.some((part) => name.includes(part));
  build();
  const options = quick ? { processes: 1, rounds: 3, milliseconds: 80 } :
    { processes: 3, rounds: 7, milliseconds: 250 };
  console.log(`${path.relative(root, sources)}: each message and its echo. x: how many times as ${
    ''}many for the same processor time in the same round, median [95% interval].\n`);
  const rows = [];
  for (const row of ROWS.filter(({ name }) => chosen(name))) {
    rows.push(await measureRow(row, options));
    print(rows.at(-1));
  }
  if (chosen('memory')) rows.push(await measureMemory(options));
  if (chosen('held')) rows.push(await measureHeld(options));
  if (chosen('redis')) rows.push(...await measureRedis(options));
  if (json) save(json, 'net', rows);
}

module.exports = { run };
