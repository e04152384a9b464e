'use strict';

// What a server may say, and what it may not: whole, in single bytes, and cut off.

const assert = require('node:assert');
const { connect, RedisError } = require('..');
const { Fake } = require('./support/fake.js');

const LARGE = 'x'.repeat(200000);

const REPLIES = [
  ['a simple string', '+OK\r\n', 'OK'],
  ['an empty simple string', '+\r\n', ''],
  ['an integer', ':-42\r\n', -42],
  ['an integer with a plus', ':+7\r\n', 7],
  ['the largest safe integer', ':9007199254740991\r\n', 9007199254740991],
  ['a larger one', ':9007199254740992\r\n', 9007199254740992n],
  ['the least of 64 bits', ':-9223372036854775808\r\n', -9223372036854775808n],
  ['a string', '$5\r\nhello\r\n', 'hello'],
  ['an empty string', '$0\r\n\r\n', ''],
  ['a string with line ends', '$8\r\na\r\nb\r\n\r\n\r\n', 'a\r\nb\r\n\r\n'],
  ['UTF-8', '$4\r\n\xf0\x9f\x8d\x83\r\n', '🍃'],
  ['null as a string', '$-1\r\n', null],
  ['null as an array', '*-1\r\n', null],
  ['an array', '*3\r\n:1\r\n$1\r\na\r\n*1\r\n+b\r\n', [1, 'a', ['b']]],
  ['an empty array', '*0\r\n', []],
  ['null', '_\r\n', null],
  ['true', '#t\r\n', true],
  ['false', '#f\r\n', false],
  ['a double', ',1.25\r\n', 1.25],
  ['a double with an exponent', ',-1.5e3\r\n', -1500],
  ['infinity', ',inf\r\n', Infinity],
  ['minus infinity', ',-inf\r\n', -Infinity],
  ['not a number', ',nan\r\n', NaN],
  ['a big number', '(3492890328409238509324850943850943825024385\r\n',
    3492890328409238509324850943850943825024385n],
  ['a negative one', '(-3492890328409238509324850943850943825024385\r\n',
    -3492890328409238509324850943850943825024385n],
  ['a big number that is small', '(12\r\n', 12n],
  ['a verbatim string', '=9\r\ntxt:hello\r\n', 'hello'],
  ['a map', '%2\r\n+a\r\n:1\r\n$1\r\nb\r\n*1\r\n#t\r\n', new Map([['a', 1], ['b', [true]]])],
  ['an empty map', '%0\r\n', new Map()],
  ['a map in an array', '*1\r\n%1\r\n:1\r\n~1\r\n:2\r\n', [new Map([[1, new Set([2])]])]],
  ['a set', '~3\r\n+a\r\n+b\r\n+a\r\n', new Set(['a', 'b'])],
  ['attributes before a reply', '|1\r\n+ttl\r\n%1\r\n+a\r\n:1\r\n*1\r\n|1\r\n+x\r\n+y\r\n:7\r\n', [7]],
  ['a push before a reply', '>2\r\n+invalidate\r\n*1\r\n+key\r\n+OK\r\n', 'OK'],
  ['an error in an array', '*2\r\n-OOPS no\r\n:1\r\n', (reply) => {
    assert.ok(reply[0] instanceof RedisError && reply[0].code === 'OOPS' && reply[1] === 1);
  }],
];

const BROKEN = [
  ['an unknown type', '@1\r\n', /type 0x40/],
  ['a NUL for a type', '\0\r\n', /type 0x00/],
  ['an empty line', '\r\n', /empty line/],
  ['a line that ends without CR', '+OK\n', /without CRLF/],
  ['a string that is followed by something else', '$1\r\naXY', /without CRLF behind/],
  ['a large string that is', `$100000\r\n${'x'.repeat(100000)}XY`, /without CRLF behind/],
  ['a negative length', '$-2\r\n', /"-2" for the length of a string/],
  ['a negative count', '*-7\r\n', /"-7" for the length of an array/],
  ['a negative map', '%-1\r\n', /"-1" for the length of map/],
  ['a streamed string', '$?\r\n', /"\?" for the length/],
  ['no length', '$\r\n', /"" for the length/],
  ['a length of more than 64 bits', '$99999999999999999999\r\n', /for the length/],
  ['a length with blanks', '$ 1\r\na\r\n', /" 1" for the length/],
  ['a string beyond the limit', '$1001\r\n', /a string of 1001, and 1000 are allowed/],
  ['an array beyond it', '*2000000000\r\n', /an array of 2000000000, and 50 are allowed/],
  ['arrays that are beyond it together', '*10\r\n' + '*10\r\n'.repeat(10), /more than 50 items/],
  ['a map whose values are', '%26\r\n', /more than 50 items/],
  ['attributes that are', '|26\r\n', /more than 50 items/],
  ['arrays in arrays', '*1\r\n'.repeat(9), /more than 8 levels/],
  ['an integer with letters', ':12a\r\n', /integer that is none/],
  ['an integer of a sign', ':-\r\n', /integer that is none/],
  ['an integer of more than 64 bits', ':9223372036854775808\r\n', /integer that is none/],
  ['a hexadecimal double', ',0x10\r\n', /double that is none/],
  ['a double of nothing', ',\r\n', /double that is none/],
  ['a double of too many digits', `,${'1'.repeat(600)}\r\n`, /double that is none/],
  ['a big number with letters', '(1z\r\n', /big number that is none/],
  ['a boolean of neither', '#x\r\n', /boolean or a null/],
  ['a null with something', '_x\r\n', /boolean or a null/],
  ['a verbatim string without format', '=3\r\nabc\r\n', /without its format/],
  ['a push within an array', '*1\r\n>1\r\n+x\r\n', /push within a reply/],
  ['a line without end', `+${'x'.repeat(70000)}`, /line of more than 65536/],
  ['a second reply', '+OK\r\n+OK\r\n', /nobody has asked for/],
];

describe('replies', () => {
  let fake, client, peer;

  const begin = async (options) => {
    [client, peer] = await Promise.all([
      connect({ port: fake.port, protocol: 2, reconnect: false, ...options }), fake.accept()]);
  };
  before(async () => (fake = await new Fake().start()));
  after(() => fake.close());
  afterEach(() => client.close());

  const matches = (reply, wanted) => {
    if (typeof wanted === 'function') wanted(reply);
    else assert.deepStrictEqual(reply, wanted);
  };

  for (const [name, bytes, wanted] of [...REPLIES,
    ['a large string', `$${LARGE.length}\r\n${LARGE}\r\n`, LARGE]]) {
    it(`${name}: whole and twice`, async () => {
      await begin();
      const replies = Promise.all([client.command('X'), client.command('Y')]);
      await peer.heard('Y');
      peer.send(bytes + bytes);
      for (const reply of await replies) matches(reply, wanted);
    });
    if (bytes.length > 1000) continue;
    it(`${name}: in single bytes`, async () => {
      await begin();
      const reply = client.command('X');
      await peer.heard('X');
      await peer.sendChopped(bytes);
      matches(await reply, wanted);
    });
    it(`${name}: an end in the middle`, async () => {
      await begin();
      const calls = [client.command('X'), client.command('Y')];
      await peer.heard('Y');
      peer.send(bytes.slice(0, -1));
      peer.socket.end();
      for (const call of calls) {
        await assert.rejects(call, { name: 'RedisError', code: 'ERR_REDIS_CONNECTION' });
      }
    });
  }

  it('strings as Buffers, by call', async () => {
    await begin();
    const calls = [client.command('A', { buffers: true }), client.command('B'),
      client.command('C', { buffers: true }), client.command('D', { buffers: true })];
    await peer.heard('D');
    peer.send('*2\r\n$2\r\n\xff\x00\r\n+s\r\n$1\r\nb\r\n' +
      `$${LARGE.length}\r\n${LARGE}\r\n%1\r\n$1\r\nk\r\n$1\r\nv\r\n`);
    assert.deepStrictEqual(await Promise.all(calls), [[Buffer.from([255, 0]), 's'], 'b',
      Buffer.from(LARGE), new Map([['k', Buffer.from('v')]])]);
  });

  it('errors reject with the server\'s code', async () => {
    await begin();
    const calls = ['-WRONGTYPE not so', '-ERR what', '-no code here', '-NOAUTH', '!8\r\nBUSY yes']
      .map((text) => [client.command('X', text), text]);
    await peer.heard('BUSY');
    for (const [, text] of calls) peer.send(`${text}\r\n`);
    const codes = [];
    for (const [call] of calls) {
      await assert.rejects(call, (error) => {
        codes.push(error.code);
        return error instanceof RedisError && error.command === 'X' && error instanceof Error;
      });
    }
    assert.deepStrictEqual(codes, ['WRONGTYPE', 'ERR', 'ERR', 'NOAUTH', 'BUSY']);
  });

  for (const [name, bytes, message] of BROKEN) {
    it(`are refused: ${name}`, async () => {
      await begin({ maxItems: 50, maxDepth: 8, maxBulk: bytes.length > 100000 ? 1e6 : 1000 });
      const call = client.command('X').catch((error) => error);
      await peer.heard('X');
      peer.send(bytes);
      const reply = await call;
      if (reply === 'OK') await peer.closed;
      const failed = client.command('Y');
      await assert.rejects(failed, { name: 'RedisError', code: 'ERR_REDIS_PROTOCOL', message });
      if (reply !== 'OK') assert.strictEqual(reply.code, 'ERR_REDIS_PROTOCOL');
      await peer.closed;
    });
  }

  it('any bytes at all end in a reply or a named error', async () => {
    const types = '+-:$*_#,(=!%~|>@\r\n019';
    let seed = 1;
    const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
    for (let i = 0; i < 300; i++) {
      await begin({ maxItems: 50, maxDepth: 8, maxBulk: 1000 });
      const call = client.command('X').then(() => 'reply', (error) => error.code);
      await peer.heard('X');
      peer.socket.end(Array.from({ length: 1 + random(12) }, () => types[random(types.length)])
        .join('') + '\r\n');
      assert.ok(['reply', 'ERR', 'ERR_REDIS_PROTOCOL', 'ERR_REDIS_CONNECTION'].includes(await call),
        await call);
      await client.close();
    }
  });
});
