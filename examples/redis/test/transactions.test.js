'use strict';

const assert = require('node:assert');
const { connect, RedisError } = require('..');
const { server } = require('./support/server.js');

for (const protocol of [2, 3]) {
  describe(`transactions, RESP${protocol}`, () => {
    let client, other;

    before(async () => {
      const { port } = await server();
      client = await connect({ port, protocol });
      other = await client.duplicate();
    });
    beforeEach(() => client.command('FLUSHALL'));
    after(() => Promise.all([client.close(), other.close()]));

    it('give the replies of all commands', async () => {
      assert.deepStrictEqual(await client.transaction([['SET', 'a', 1], ['INCR', 'a'], ['GET', 'a'],
        ['HSET', 'h', 'f', 'v'], ['HGETALL', 'h']]),
      ['OK', 2, '2', 1, protocol === 3 ? new Map([['f', 'v']]) : ['f', 'v']]);
      assert.deepStrictEqual(await client.transaction([['GET', 'a']], { buffers: true }),
        [Buffer.from('2')]);
      assert.deepStrictEqual(await client.transaction([]), []);
    });

    it('keep together what others send meanwhile', async () => {
      const results = await Promise.all(Array.from({ length: 300 }, (_, i) => (i % 3 === 0
        ? client.transaction([['SET', 'k', i], ['GET', 'k']]) : client.command('SET', 'k', 'other'))));
      results.forEach((result, i) =>
        assert.deepStrictEqual(result, i % 3 === 0 ? ['OK', String(i)] : 'OK'));
    });

    it('have the error of each command in its place', async () => {
      const [set, failed, got] = await client.transaction([['SET', 'a', 'x'], ['LPUSH', 'a', 1],
        ['GET', 'a']]);
      assert.ok(failed instanceof RedisError);
      assert.deepStrictEqual([set, failed.code, got], ['OK', 'WRONGTYPE', 'x']);
    });

    it('do nothing where a command is refused, and say which', async () => {
      await assert.rejects(client.transaction([['SET', 'a', 1], ['NOPE'], ['GET']]), (error) => {
        assert.strictEqual(error.code, 'EXECABORT');
        assert.deepStrictEqual(error.errors.map((each) => each?.code), [undefined, 'ERR', 'ERR']);
        return true;
      });
      assert.strictEqual(await client.command('GET', 'a'), null);
      await assert.rejects(client.transaction([['SET', 'a', 1], ['exec']]),
        { code: 'ERR_INVALID_ARG_VALUE' });
      await assert.rejects(client.transaction([['SET', 'a', 1], []]),
        { code: 'ERR_INVALID_ARG_VALUE' });
      assert.strictEqual(await client.command('GET', 'a'), null);
    });

    it('give null where a watched key has changed', async () => {
      await client.command('WATCH', 'a');
      await other.command('SET', 'a', 'theirs');
      assert.strictEqual(await client.transaction([['SET', 'a', 'ours']]), null);
      await client.command('WATCH', 'a');
      assert.deepStrictEqual(await client.transaction([['SET', 'a', 'ours']]), ['OK']);
    });

    it('that are aborted leave the connection in order', async () => {
      const controller = new AbortController();
      const aborted = client.transaction([['SET', 'a', 1], ['GET', 'a']],
        { signal: controller.signal });
      const next = client.command('GET', 'a');
      controller.abort();
      await assert.rejects(aborted, { name: 'AbortError' });
      assert.strictEqual(await next, '1');
    });
  });
}
