'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { setImmediate: turn } = require('node:timers/promises');
const { connect, Client, RedisError } = require('..');
const { Fake } = require('./support/fake.js');
const { server, Server } = require('./support/server.js');

const QUICK = { delay: 5, maxDelay: 20 };

describe('connecting', () => {
  it('by address, by name and by path', async () => {
    const { port, path: file } = await server();
    for (const where of [{ port }, { port, host: 'localhost' }, { path: file }]) {
      const client = await connect(where);
      assert.strictEqual(await client.command('PING'), 'PONG');
      assert.strictEqual(client.connected, true);
      await client.close();
      assert.strictEqual(client.connected, false);
    }
  });

  it('with the first command', async () => {
    const client = new Client({ port: (await server()).port });
    assert.strictEqual(client.connected, false);
    assert.strictEqual(await client.command('PING'), 'PONG');
    await client.close();
  });

  it('to a database', async () => {
    const { port } = await server();
    for (const protocol of [2, 3]) {
      const client = await connect({ port, protocol, database: 3 });
      assert.match(await client.command('CLIENT', 'INFO'), / db=3 /);
      await client.close();
      await assert.rejects(connect({ port, protocol, database: 1000 }),
        { name: 'RedisError', code: 'ERR' });
    }
  });

  it('with a password, and a name', async () => {
    const guarded = await new Server({ requirepass: 'secret' }).start();
    try {
      for (const protocol of [2, 3]) {
        const { port } = guarded;
        const client = await connect({ port, protocol, password: 'secret' });
        await client.command('ACL', 'SETUSER', 'ada', 'on', '>words', '+@all', '~*');
        const named = await connect({ port, protocol, username: 'ada', password: 'words' });
        assert.strictEqual(await named.command('ACL', 'WHOAMI'), 'ada');
        await assert.rejects(connect({ port, protocol, password: 'wrong' }), { code: 'WRONGPASS' });
        await assert.rejects(connect({ port, protocol }).then((open) => open.command('GET', 'a')),
          { code: 'NOAUTH' });
        await Promise.all([client.close(), named.close()]);
      }
    } finally {
      await guarded.stop();
    }
  });

  it('is refused with the reason', async () => {
    const fake = await new Fake().start();
    await fake.close();
    await assert.rejects(connect({ port: fake.port }), (error) => {
      assert.ok(error instanceof RedisError);
      assert.deepStrictEqual([error.code, error.cause.code, error.cause.syscall],
        ['ERR_REDIS_CONNECTION', 'ECONNREFUSED', 'connect']);
      return true;
    });
    await assert.rejects(connect({ path: '/no/such/socket' }),
      { code: 'ERR_REDIS_CONNECTION', message: /no such file/ });
  });

  it('takes no longer than it may, and ends with its signal', async () => {
    const fake = await new Fake().start();
    await assert.rejects(connect({ port: fake.port, timeout: 20 }), (error) =>
      error.code === 'ERR_REDIS_CONNECTION' && error.cause.code === 'ETIMEDOUT');
    const controller = new AbortController();
    const connecting = connect({ port: fake.port, signal: controller.signal });
    await (await fake.accept()).heard('HELLO');
    controller.abort();
    await assert.rejects(connecting, { name: 'AbortError' });
    await fake.close();
  });

  it('to a server that is full gives what it says', async () => {
    const fake = await new Fake().start();
    const connecting = connect({ port: fake.port });
    const peer = await fake.accept();
    peer.socket.end('-ERR max number of clients reached\r\n');
    await assert.rejects(connecting, { code: 'ERR', message: /max number/ });
    await fake.close();
  });

  it('to what is no Redis at all fails', async () => {
    const fake = await new Fake().start();
    const connecting = connect({ port: fake.port });
    (await fake.accept()).send('HTTP/1.1 400 Bad Request\r\n\r\n');
    await assert.rejects(connecting, { code: 'ERR_REDIS_PROTOCOL' });
    await fake.close();
  });

  it('refuses options that are none', () => {
    assert.throws(() => new Client({ protocol: 4 }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => new Client({ host: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => new Client({ port: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  });
});

describe('a connection', () => {
  let fake, client;

  beforeEach(async () => (fake = await new Fake().start()));
  afterEach(async () => {
    await client.close();
    await fake.close();
  });

  const begin = async (options) => {
    let peer;
    [client, peer] = await Promise.all([
      connect({ port: fake.port, protocol: 2, reconnect: QUICK, ...options }), fake.accept()]);
    return peer;
  };

  it('has few writes for many commands', async () => {
    const peer = await begin();
    const writes = () => Number(/syscw: (\d+)/.exec(fs.readFileSync('/proc/self/io', 'utf8'))[1]);
    const before = writes();
    const calls = Array.from({ length: 1000 }, () => client.command('PING'));
    await peer.heard('PING', 1000);
    assert.ok(writes() - before < 20, `${writes() - before} writes`);
    peer.send('+PONG\r\n'.repeat(1000));
    assert.ok((await Promise.all(calls)).every((reply) => reply === 'PONG'));
  });

  it('holds commands back that the server does not take', async () => {
    const peer = await begin();
    peer.socket.pause();
    const bytes = Buffer.alloc(100000);
    const controller = new AbortController();
    const calls = Array.from({ length: 400 }, (_, i) => client.command('SET', i, bytes,
      i === 399 ? { signal: controller.signal } : {}));
    for (let i = 0; i < 100; i++) await turn();
    assert.ok(client.pending < 399, `${client.pending} written`);
    controller.abort(); // not sent, never will be
    await assert.rejects(calls.pop(), { name: 'AbortError' });
    let heard = 0; // of commands, by their first byte: the values are zeroes
    peer.socket.removeAllListeners('data').on('data', (data) => {
      for (let at = data.indexOf('*'); at >= 0; at = data.indexOf('*', at + 1)) {
        heard++;
        peer.send('+OK\r\n');
      }
    }).resume();
    await Promise.all(calls);
    assert.strictEqual(heard, calls.length);
  });

  it('swallows replies to those who did not wait', async () => {
    const peer = await begin();
    const controller = new AbortController();
    const calls = [client.command('A', { signal: controller.signal }), client.command('B')];
    await peer.heard('B');
    controller.abort();
    await assert.rejects(calls[0], { name: 'AbortError' });
    peer.send('*2\r\n+for\r\n+A\r\n+for B\r\n');
    assert.strictEqual(await calls[1], 'for B');
  });

  it('swallows one that is aborted in the middle of its reply', async () => {
    const peer = await begin();
    const controller = new AbortController();
    const calls = [client.command('A', { signal: controller.signal }), client.command('B')];
    await peer.heard('B');
    peer.send('*2\r\n+for\r\n');
    for (let i = 0; i < 10; i++) await turn();
    controller.abort();
    await assert.rejects(calls[0], { name: 'AbortError' });
    peer.send('+A\r\n+for B\r\n');
    assert.strictEqual(await calls[1], 'for B');
  });

  for (const [how, end] of [['ended', (peer) => peer.socket.end()],
    ['reset', (peer) => peer.socket.resetAndDestroy()]]) {
    it(`that is ${how} rejects what was on its way, and comes again`, async () => {
      const peer = await begin();
      const calls = [client.command('A'), client.command('B')];
      await peer.heard('B');
      peer.send('+a\r\n');
      assert.strictEqual(await calls[0], 'a');
      end(peer);
      await assert.rejects(calls[1], (error) => error instanceof RedisError &&
        error.code === 'ERR_REDIS_CONNECTION' && error.command === 'B' &&
        error.cause.code === (how === 'reset' ? 'ECONNRESET' : 'EOF'));
      const again = client.command('C');
      const next = await fake.accept();
      await next.heard('C');
      assert.ok(!next.received.includes('B'), 'B was sent again');
      next.send('+c\r\n');
      assert.strictEqual(await again, 'c');
    });
  }

  it('is tried again while somebody waits', async () => {
    const peer = await begin();
    const { port } = fake;
    await fake.close();
    peer.socket.destroy();
    await assert.rejects(client.command('A').then(() => client.command('A')),
      { code: 'ERR_REDIS_CONNECTION' });
    const waiting = client.command('B');
    for (let i = 0; i < 100; i++) await turn();
    fake = await new Fake().start(port);
    const next = await fake.accept();
    await next.heard('B');
    next.send('+b\r\n');
    assert.strictEqual(await waiting, 'b');
  });

  it('is given up after so many attempts, and when nobody waits any more', async () => {
    const peer = await begin({ reconnect: { ...QUICK, attempts: 3 } });
    await fake.close();
    peer.socket.destroy();
    await client.command('A').catch(() => {});
    await assert.rejects(client.command('B'), (error) =>
      error.code === 'ERR_REDIS_CONNECTION' && error.cause.code === 'ECONNREFUSED');
    const controller = new AbortController();
    const waiting = client.command('C', { signal: controller.signal });
    controller.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    fake = await new Fake().start();
  });

  it('does not come again where that is not wanted', async () => {
    const peer = await begin({ reconnect: false });
    peer.socket.destroy();
    for (let i = 0; i < 3; i++) {
      await assert.rejects(client.command('A'), { code: 'ERR_REDIS_CONNECTION' });
    }
  });

  it('whose server is slow waits', async () => {
    const peer = await begin();
    const call = client.command('A');
    await peer.heard('A');
    await peer.sendChopped('$20\r\n01234567890123456789\r\n');
    assert.strictEqual(await call, '01234567890123456789');
  });

  it('that is closed rejects all, and says so', async () => {
    const peer = await begin();
    const calls = [client.command('A'), client.command('B')].map((call) =>
      assert.rejects(call, { name: 'RedisError', code: 'ERR_REDIS_CLOSED' }));
    await peer.heard('B');
    await client.close();
    await Promise.all(calls);
    await peer.closed;
    await assert.rejects(client.command('C'), { code: 'ERR_REDIS_CLOSED' });
    await client.close();
  });

  it('is closed by what disposes of it', async () => {
    const peer = await begin();
    await client[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
    await peer.closed;
  });

  it('duplicates itself', async () => {
    await begin();
    const [second] = await Promise.all([client.duplicate(), fake.accept()]);
    assert.strictEqual(second.connected, true);
    await second.close();
    assert.strictEqual(client.connected, true);
  });
});

describe('a restart of the server', () => {
  it('costs what was on its way, and no more', async () => {
    const own = await new Server().start();
    const client = await connect({ port: own.port, reconnect: QUICK });
    const blocked = assert.rejects(client.command('BLPOP', 'nothing', 0),
      { code: 'ERR_REDIS_CONNECTION' });
    await own.end();
    await blocked;
    const waiting = client.command('PING');
    await own.start();
    assert.strictEqual(await waiting, 'PONG');
    await client.close();
    await own.stop();
  });
});

describe('the end', () => {
  const { spawnSync } = require('node:child_process');
  const { Worker } = require('node:worker_threads');
  const addon = JSON.stringify(path.join(__dirname, '..'));
  const BUSY = (port) => `
    const { connect } = require(${addon});
    async function start() {
      const [busy, listening, two] = await Promise.all([connect({ port: ${port} }), connect({ port: ${port} }),
        connect({ port: ${port}, protocol: 2 })]);
      busy.command('BLPOP', 'nothing', 0).catch(() => {});
      for (let i = 0; i < 100; i++) busy.command('PING').catch(() => {});
      busy.transaction([['PING']]).catch(() => {});
      const messages = [listening.subscribe('news'), two.subscribe('news')];
      await Promise.all(messages.map((each) => each.ready));
      messages.forEach((each) => each.next().catch(() => {}));
      globalThis.kept = [busy, listening, two, messages];
    }`;
  const run = (script) => spawnSync(process.execPath, ['-e', script],
    { encoding: 'utf8', timeout: 60000 });

  it('of a process that has nothing to do comes by itself, with a connection open', async () => {
    const { port } = await server();
    for (const command of ['', 'await client.command(\'PING\');']) {
      const { status, stderr } = run(`require(${addon}).connect({ port: ${
        port} }).then(async (client) => { ${command} globalThis.kept = client; })`);
      assert.deepStrictEqual([status, stderr], [0, '']);
    }
  });

  it('comes when nobody waits any more for a server that is not there', () => {
    const { status, stdout } = run(`
      const server = require('node:net').createServer().listen(0, '127.0.0.1', async () => {
        const accepted = require('node:events').once(server, 'connection');
        const client = await require(${addon}).connect({ port: server.address().port, protocol: 2,
          reconnect: { delay: 1, maxDelay: 1 } });
        const [socket] = await accepted;
        server.close();
        socket.destroy();
        await client.command('A').catch((error) => console.log(error.code));
        const controller = new AbortController();
        const waiting = client.command('B', { signal: controller.signal });
        setImmediate(() => controller.abort());
        await waiting.catch((error) => console.log(error.name));
        globalThis.kept = client;
      });`);
    assert.deepStrictEqual([status, stdout], [0, 'ERR_REDIS_CONNECTION\nAbortError\n']);
  });

  it('does not come before a reply, or while somebody listens', async () => {
    const { port } = await server();
    const { status, stdout, stderr } = run(`require(${addon}).connect({ port: ${
      port} }).then(async (client) => {
        await client.command('BLPOP', 'nothing', 0.05);
        const messages = client.subscribe('late');
        await messages.ready;
        require(${addon}).connect({ port: ${port} }).then(async (other) => {
          await other.command('BLPOP', 'nothing', 0.05);
          await other.command('PUBLISH', 'late', 'x');
        });
        console.log((await messages.next()).value.message);
        await client.close();
      })`);
    assert.deepStrictEqual([status, stdout, stderr], [0, 'x\n', '']);
  });

  it('of a process in the middle is clean', async () => {
    const { status, stderr } = run(`${BUSY((await server()).port)} start().then(() => process.exit(7));`);
    assert.deepStrictEqual([status, stderr], [7, '']);
  });

  it('of a worker in the middle is clean, and leaves no connection', async () => {
    const { port } = await server();
    const watcher = await connect({ port });
    const count = async () => (await watcher.command('CLIENT', 'LIST')).trim().split('\n').length;
    const before = await count();
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(`${BUSY(port)} start().then(() =>
        require('node:worker_threads').parentPort.postMessage('busy'));`, { eval: true });
      await once(worker, 'message');
      await worker.terminate();
      while (await count() > before) continue;
    }
    await watcher.close();
  });
});
