'use strict';

// A C value of every owner that leaves for JavaScript in every way arrives whole, stays its owner's
// where it was borrowed, and is released once.

const assert = require('node:assert');
const { collectUntil } = require('./support/natives.js');
const addon = require('./addon/build/Release/owners.node');

const PAYLOAD = 'payload\0';

function assertWhole(value) {
  if (value instanceof Error && value.code === 'EACCES') {
    assert.strictEqual(String(value.payload), PAYLOAD);
  } else if (value instanceof Error) assert.strictEqual(value.code, 'EIO');
  else assert.ok(value === 7 || String(value) === PAYLOAD, String(value));
}

describe('values of every owner', () => {
  let names;
  before(async () => (names = await addon.names()));

  it('are constants of the exports', () => {
    for (const name of ['owned', 'borrowed', 'duplicate']) {
      assertWhole(addon[name]);
      assertWhole(addon.Payload[name]);
    }
  });

  it('leave in every way', async () => {
    const constants = await addon.countLive();
    for (const [owner, whose] of names.owners.entries()) {
      for (const [way, how] of names.ways.entries()) {
        const received = [];
        const fn = (value) => {
          received.push(value);
          return value;
        };
        fn[Symbol.for('call')] = fn.call;
        const result = await addon.leave(owner, way, fn, Buffer.from(PAYLOAD),
          { value: Buffer.from(PAYLOAD) }).catch((error) => error);
        assert.doesNotThrow(() => [result, ...received].forEach(assertWhole),
          `${whose}, by ${how}`);
        assert.strictEqual(received.length,
          Number(how !== 'return') + Number(whose === 'a call\'s'), `${whose}, by ${how}`);
      }
    }
    await collectUntil(async () => await addon.countLive() <= constants);
  });
});
