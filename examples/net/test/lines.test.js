'use strict';

const assert = require('node:assert');
const { LineServer } = require('..');
const { connect, readAll, serve } = require('./support/client.js');

describe('a line server', () => {
  let server;
  let running;

  beforeEach(() => {
    server = new LineServer(0, { idle: 2000 });
    running = serve(server);
  });
  afterEach(() => running.stop());

  async function talk(text) {
    const socket = await connect(server.port);
    socket.end(text);
    return `${await readAll(socket)}`;
  }

  it('answers each line', async () => {
    assert.strictEqual(await talk('sum 1 2 3\r\nsay hello\nsum\nsum x\nwhat\n'),
      '6\nhello\nerror: unknown command\nerror: "x" is no number\nerror: unknown command\nbye\n');
  });

  it('takes lines a byte at a time', async () => {
    const socket = await connect(server.port);
    const answer = readAll(socket);
    for (const byte of 'say one\nsum 1 1\nquit\n') {
      socket.write(byte);
      await new Promise(setImmediate);
    }
    assert.strictEqual(`${await answer}`, 'one\n2\nbye\n');
    socket.destroy();
  });

  it('answers thousands at once in their order', async () => {
    const numbers = Array.from({ length: 5000 }, (_, i) => i);
    const answer = await talk(numbers.map((number) => `sum ${number} 1\n`).join(''));
    assert.strictEqual(answer, `${numbers.map((number) => `${number + 1}\n`).join('')}bye\n`);
  });

  it('sends who exceeds the limit away, with a word that arrives', async () => {
    assert.strictEqual(await talk(`say ${'x'.repeat(100000)}\n`), 'error: line too long\n');
  });

  it('sends who is silent away', async () => {
    await running.stop();
    server = new LineServer(0, { idle: 20 });
    running = serve(server);
    const socket = await connect(server.port);
    socket.write('say this\nsay no');
    assert.strictEqual(`${await readAll(socket)}`, 'this\nerror: too slow\n');
    socket.destroy();
  });

  it('drops a line that has no end', async () => {
    assert.strictEqual(await talk('say one\nsay tw'), 'one\nbye\n');
  });
});
