'use strict';

const assert = require('node:assert');
const { setImmediate: turn } = require('node:timers/promises');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { connect } = require('..');
const { Fake } = require('./support/fake.js');
const { server } = require('./support/server.js');

const LIMIT = 10;
const FAR = 16; // times the limit: where reading has to go on because of replies

for (const protocol of [2, 3]) {
  describe(`subscriptions, RESP${protocol}`, () => {
    let client, other;

    before(async () => {
      const { port } = await server();
      [client, other] = await Promise.all([connect({ port, protocol }), connect({ port })]);
    });
    after(() => Promise.all([client.close(), other.close()]));

    const publish = (channel, message) => other.command('PUBLISH', channel, message);
    const listeners = async (channel) => (await other.command('PUBSUB', 'NUMSUB', channel))[1];

    it('give what is published, in order', async () => {
      const news = client.subscribe('news');
      await news.ready;
      for (const text of ['a', '', 'é']) assert.strictEqual(await publish('news', text), 1);
      for (const message of ['a', '', 'é']) {
        assert.deepStrictEqual(await news.next(), { value: { channel: 'news', message }, done: false });
      }
      await news.return();
      assert.strictEqual(await listeners('news'), 0);
    });

    it('in loops, with commands meanwhile', async () => {
      const news = client.subscribe(['one', 'two']);
      await news.ready;
      await Promise.all(Array.from({ length: 100 }, (_, i) => publish(i % 2 ? 'one' : 'two', i)));
      let count = 0;
      for await (const { channel, message } of news) {
        assert.deepStrictEqual([channel, message], [count % 2 ? 'one' : 'two', String(count)]);
        assert.strictEqual(await client.command('ECHO', count), String(count));
        if (++count === 100) break;
      }
      assert.deepStrictEqual([await listeners('one'), await listeners('two')], [0, 0]);
    });

    it('of patterns say which', async () => {
      const news = client.subscribe('n*s', { patterns: true });
      await news.ready;
      await publish('news', 'x');
      assert.deepStrictEqual((await news.next()).value,
        { channel: 'news', message: 'x', pattern: 'n*s' });
      await news.return();
      assert.strictEqual(await other.command('PUBSUB', 'NUMPAT'), 0);
    });

    it('give bytes where that is wanted', async () => {
      const bytes = Buffer.from([0, 255, 13, 10]);
      const news = client.subscribe('news', { buffers: true });
      await news.ready;
      await publish('news', bytes);
      assert.deepStrictEqual((await news.next()).value, { channel: 'news', message: bytes });
      await news.return();
    });

    it('share a channel until the last one has ended', async () => {
      const [first, second] = [client.subscribe('news'), client.subscribe(['news', 'more'])];
      await Promise.all([first.ready, second.ready]);
      await publish('news', 1);
      for (const each of [first, second]) {
        assert.strictEqual((await each.next()).value.message, '1');
      }
      await first.return();
      await publish('news', 2);
      assert.strictEqual((await second.next()).value.message, '2');
      await second.return();
      assert.deepStrictEqual([await listeners('news'), await listeners('more')], [0, 0]);
    });

    it('end with their signal', async () => {
      const controller = new AbortController();
      const news = client.subscribe('news', { signal: controller.signal });
      await news.ready;
      const next = news.next();
      controller.abort();
      await assert.rejects(next, { name: 'AbortError' });
      assert.deepStrictEqual(await news.next(), { value: undefined, done: true });
      assert.strictEqual(await listeners('news'), 0);
      await assert.rejects(client.subscribe('x', { signal: AbortSignal.abort() }).next(),
        { name: 'AbortError' });
    });

    it('that nobody has any more end', async () => {
      setFlagsFromString('--expose-gc');
      const gc = runInNewContext('gc');
      await (async () => client.subscribe('forgotten').ready)();
      while (await listeners('forgotten') > 0) gc();
      assert.strictEqual(await client.command('PING'), 'PONG');
    });

    it('need a channel, without null bytes', async () => {
      for (const bad of [[], ['a\0b']]) {
        await assert.rejects(client.subscribe(bad).next(), { code: 'ERR_INVALID_ARG_VALUE' });
      }
      assert.throws(() => client.subscribe([1]), { code: 'ERR_INVALID_ARG_TYPE' });
    });

    it('end without an error with their client', async () => {
      const own = await connect({ port: (await server()).port, protocol });
      const news = own.subscribe('news');
      await news.ready;
      const next = news.next();
      await own.close();
      assert.deepStrictEqual(await next, { value: undefined, done: true });
      await assert.rejects(own.subscribe('news').ready, { code: 'ERR_REDIS_CLOSED' });
    });

    it('reject when the connection is lost, after what had come', async () => {
      const own = await connect({ port: (await server()).port, protocol });
      const news = own.subscribe('lost');
      await news.ready;
      await publish('lost', 'last');
      await other.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      assert.strictEqual((await news.next()).value.message, 'last');
      await assert.rejects(news.next(), { code: 'ERR_REDIS_CONNECTION' });
      assert.strictEqual(await own.command('PING'), 'PONG');
      await own.close();
    });

    it('are refused with the server\'s error', async () => {
      await other.command('ACL', 'SETUSER', 'deaf', 'on', '>pass', '+@all', '~*', 'resetchannels');
      const own = await connect({ port: (await server()).port, protocol, username: 'deaf',
        password: 'pass' });
      await assert.rejects(own.subscribe(['news', 'more']).ready, { code: 'NOPERM' });
      assert.strictEqual(await own.command('PING'), 'PONG');
      await own.close();
    });
  });
}

describe('a subscription that is not read', () => {
  let fake, client, peer;

  const push = (...words) => `>${words.length}\r\n${words.map((word) =>
    `$${word.length}\r\n${word}\r\n`).join('')}`;
  const confirmation = (kind, channel) => push(kind, channel, '1');
  const message = (text) => push('message', 'c', text);

  beforeEach(async () => {
    fake = await new Fake().start();
    const connecting = connect({ port: fake.port, maxDelay: 10 });
    peer = await fake.accept();
    await peer.heard('HELLO');
    peer.send('%1\r\n+proto\r\n:3\r\n');
    client = await connecting;
  });
  afterEach(async () => {
    await client.close();
    await fake.close();
  });

  const listen = async (options) => {
    const messages = client.subscribe('c', options);
    await peer.heard('SUBSCRIBE');
    peer.send(confirmation('subscribe', 'c'));
    await messages.ready;
    return messages;
  };

  it('stops the reading of the connection, and begins it again', async () => {
    const messages = await listen({ limit: LIMIT });
    const large = 'x'.repeat(100000);
    const total = 400; // more than what sockets hold
    let sent = 0, before = -1;
    const sending = (async () => {
      for (; sent < total; sent++) await peer.sendAll(message(large));
    })();
    while (before !== sent) {
      before = sent;
      for (let i = 0; i < 100; i++) await turn();
    }
    assert.ok(sent < total, 'everything was read');
    for (let i = 0; i < total; i++) {
      const { value } = await messages.next();
      assert.strictEqual(value.message, large);
    }
    await sending;
  });

  it('lets replies pass', async () => {
    const messages = await listen({ limit: LIMIT });
    for (let i = 0; i < LIMIT + 5; i++) peer.send(message(String(i)));
    const call = client.command('PING');
    await peer.heard('PING');
    peer.send('+PONG\r\n');
    assert.strictEqual(await call, 'PONG');
    for (let i = 0; i < LIMIT + 5; i++) {
      assert.strictEqual((await messages.next()).value.message, String(i));
    }
  });

  it('and is far behind ends with an error, after what had come', async () => {
    const messages = await listen({ limit: LIMIT });
    const call = client.command('PING');
    await peer.heard('PING');
    for (let i = 0; i <= LIMIT * FAR; i++) peer.send(message(String(i)));
    peer.send('+PONG\r\n');
    assert.strictEqual(await call, 'PONG');
    for (let i = 0; i < LIMIT * FAR; i++) {
      assert.strictEqual((await messages.next()).value.message, String(i));
    }
    const last = assert.rejects(messages.next(), { code: 'ERR_REDIS_BEHIND' });
    await peer.heard('UNSUBSCRIBE');
    peer.send(confirmation('unsubscribe', 'c'));
    await last;
  });

  it('does not hold up its own end', async () => {
    const messages = await listen({ limit: LIMIT });
    for (let i = 0; i < 3 * LIMIT; i++) peer.send(message(String(i)));
    const ended = messages.return();
    await peer.heard('UNSUBSCRIBE');
    peer.send(confirmation('unsubscribe', 'c'));
    await ended;
    const call = client.command('PING');
    await peer.heard('PING');
    peer.send('+PONG\r\n');
    assert.strictEqual(await call, 'PONG');
  });
});
