'use strict';

/*
 * A Redis client of bench/net/redis.js in a process of its own: `node redis_client.js
 * fibril|ioredis|redis FOLDER SOCKET`. For a line "flight|turn MILLISECONDS" it asks that long, and
 * prints nanoseconds of the processor and of the clock, and how many requests.
 */

const path = require('node:path');
const readline = require('node:readline');

const [, , name, folder, socket] = process.argv;
const AT_ONCE = 1000;
const IN_A_ROW = 100;

/** What asks for a key, and what sets one. */
const clients = {
  async fibril() {
    const client = await require(folder).connect({ path: socket });
    return { get: (key) => client.command('GET', key),
      set: (key, value) => client.command('SET', key, value) };
  },
  async ioredis() {
    const Redis = require(path.join(folder, 'node_modules', 'ioredis'));
    const client = new Redis({ path: socket });
    await client.ping();
    return { get: (key) => client.get(key), set: (key, value) => client.set(key, value) };
  },
  async redis() {
    const { createClient } = require(path.join(folder, 'node_modules', 'redis'));
    const client = createClient({ socket: { path: socket } });
    await client.connect();
    return { get: (key) => client.get(key), set: (key, value) => client.set(key, value) };
  },
};

const keys = Array.from({ length: AT_ONCE }, (_, i) => `key:${i}`);

const ways = {
  async flight({ get }) {
    await Promise.all(keys.map((key) => get(key)));
    return AT_ONCE;
  },
  async turn({ get }) {
    for (let i = 0; i < IN_A_ROW; i++) await get(keys[i]);
    return IN_A_ROW;
  },
};

async function measure(client, way, milliseconds) {
  const before = process.cpuUsage(), begun = process.hrtime.bigint();
  let requests = 0, time = 0;
  while (time < milliseconds * 1e6) {
    requests += await ways[way](client);
    time = Number(process.hrtime.bigint() - begun);
  }
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) * 1e3, time, requests };
}

async function main() {
  const client = await clients[name]();
  for (const key of keys) await client.set(key, 'value');
  console.log('ready');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [way, milliseconds] = line.split(' ');
    console.log(JSON.stringify(await measure(client, way, Number(milliseconds))));
  }
  process.exit();
}

main();
