'use strict';

const assert = require('node:assert');
const { connect, RedisError } = require('..');
const { server } = require('./support/server.js');

for (const protocol of [2, 3]) {
  describe(`commands, RESP${protocol}`, () => {
    let client;

    before(async () => {
      client = await connect({ port: (await server()).port, protocol });
      await client.command('FLUSHALL');
    });
    after(() => client.close());

    it('give what the server answers', async () => {
      assert.strictEqual(await client.command('PING'), 'PONG');
      assert.strictEqual(await client.command('SET', 'name', 'Ada'), 'OK');
      assert.strictEqual(await client.command('GET', 'name'), 'Ada');
      assert.strictEqual(await client.command('GET', 'nothing'), null);
      assert.strictEqual(await client.command('INCRBY', 'count', 5), 5);
      assert.deepStrictEqual(await client.command('MGET', 'name', 'nothing', 'count'),
        ['Ada', null, '5']);
    });

    it('have the types of the protocol', async () => {
      const types = Object.fromEntries(await Promise.all(
        ['string', 'integer', 'double', 'null', 'array', 'set', 'map', 'attrib', 'verbatim', 'true',
          'false', 'bignum'].map(async (type) => [type, await client.command('DEBUG', 'PROTOCOL',
          type)])));
      assert.deepStrictEqual(types, protocol === 3 ? {
        string: 'Hello World', integer: 12345, double: 3.141, null: null, array: [0, 1, 2],
        set: new Set([0, 1, 2]), map: new Map([[0, false], [1, true], [2, false]]),
        attrib: 'Some real reply following the attribute', verbatim: 'This is a verbatim\nstring',
        true: true, false: false, bignum: 1234567999999999999999999999999999999n,
      } : {
        string: 'Hello World', integer: 12345, double: '3.141', null: null, array: [0, 1, 2],
        set: [0, 1, 2], map: [0, 0, 1, 1, 2, 0],
        attrib: 'Some real reply following the attribute', verbatim: 'This is a verbatim\nstring',
        true: 1, false: 0, bignum: '1234567999999999999999999999999999999',
      });
    });

    it('take strings, numbers, bigints and bytes as they are', async () => {
      const echo = (value, options = {}) => client.command('ECHO', value, options);
      assert.strictEqual(await echo('é 🍃\r\n\0'), 'é 🍃\r\n\0');
      assert.strictEqual(await echo(''), '');
      for (const number of [0, -1, 1.5, 0.1, 1 / 3, 1e21, 1e-7, 2 ** 53, -(2 ** 60), 5e-324]) {
        assert.strictEqual(Number(await echo(number)), number);
      }
      assert.deepStrictEqual(await Promise.all([10, 0.1, Infinity, -7n].map((each) => echo(each))),
        ['10', '0.1', 'inf', '-7']);
      const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      assert.deepStrictEqual(await echo(all, { buffers: true }), all);
      assert.deepStrictEqual(await echo(new Uint16Array([258]), { buffers: true }),
        Buffer.from([2, 1]));
      assert.deepStrictEqual(await echo(Buffer.alloc(0), { buffers: true }), Buffer.alloc(0));
    });

    it('refuse other arguments, and what would break the order of replies', async () => {
      for (const bad of [undefined, null, true, [], Symbol('x')]) {
        await assert.rejects(client.command('ECHO', bad, {}), { code: 'ERR_INVALID_ARG_TYPE' });
      }
      for (const name of ['SUBSCRIBE', 'hello', 'Monitor', 'RESET']) {
        await assert.rejects(client.command(name, 'x'), { code: 'ERR_INVALID_ARG_VALUE' });
      }
      await assert.rejects(client.command('client', 'reply', 'off'),
        { code: 'ERR_INVALID_ARG_VALUE' });
      await assert.rejects(client.command(), { code: 'ERR_INVALID_ARG_VALUE' });
      assert.strictEqual(await client.command('PING'), 'PONG');
    });

    it('reject with the server\'s errors, which cost nobody else', async () => {
      await client.command('SET', 'text', 'x');
      const results = await Promise.allSettled([client.command('INCR', 'text'),
        client.command('GET', 'text'), client.command('LPUSH', 'text', 1), client.command('NOPE')]);
      assert.deepStrictEqual(results.map(({ reason, value }) => reason?.code ?? value),
        ['ERR', 'x', 'WRONGTYPE', 'ERR']);
      assert.ok(results[2].reason instanceof RedisError && results[2].reason.command === 'LPUSH');
      assert.match(results[2].reason.message, /^WRONGTYPE Operation against a key/);
    });

    it('go out together, and come back in order', async () => {
      const calls = Array.from({ length: 5000 }, (_, i) => client.command('ECHO', i));
      assert.strictEqual(client.pending, 5000);
      assert.deepStrictEqual(await Promise.all(calls),
        Array.from({ length: 5000 }, (_, i) => String(i)));
      assert.strictEqual(client.pending, 0);
    });

    it('take values of any size', async () => {
      for (const size of [65533, 65534, 65535, 65536, 65537, 1 << 20, 5e6 + 1]) {
        const bytes = Buffer.alloc(size, 'fibril');
        await client.command('SET', 'large', bytes);
        const [text, back] = await Promise.all([client.command('GET', 'large'),
          client.command('GET', 'large', { buffers: true })]);
        assert.ok(back.equals(bytes) && text === bytes.toString(), String(size));
      }
    });

    it('give long and deep replies', async () => {
      await client.command('RPUSH', 'list', ...Array.from({ length: 20000 }, (_, i) => i));
      assert.deepStrictEqual(await client.command('LRANGE', 'list', 0, -1),
        Array.from({ length: 20000 }, (_, i) => String(i)));
      const nested = 'local t = {1} for i = 1, 5 do t = {t} end return t';
      assert.deepStrictEqual(await client.command('EVAL', nested, 0), [[[[[[1]]]]]]);
    });

    it('are aborted: before, and without moving the replies of others', async () => {
      await assert.rejects(client.command('PING', { signal: AbortSignal.abort() }),
        { name: 'AbortError' });
      const controller = new AbortController();
      const calls = Array.from({ length: 100 }, (_, i) =>
        client.command('ECHO', i, i % 3 === 0 ? { signal: controller.signal } : {}));
      controller.abort();
      const results = await Promise.allSettled(calls);
      results.forEach(({ value, reason }, i) => {
        if (i % 3 === 0) assert.strictEqual(reason?.name, 'AbortError');
        else assert.strictEqual(value, String(i));
      });
      assert.strictEqual(await client.command('ECHO', 'then'), 'then');
    });
  });
}
