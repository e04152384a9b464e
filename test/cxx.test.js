'use strict';

// An addon in C++: exceptions become rejections, and catch blocks and destructors may wait.

const assert = require('node:assert');
const { runScript } = require('./support/natives');
const { throws, catches, unwinds, spawns, generates, alive,
  Thrower } = require('./addon/build/Release/throws.node');

describe('C++', () => {
  afterEach(async () => assert.strictEqual(await alive(), 0));

  for (const later of [false, true]) {
    describe(later ? 'an exception after a wait' : 'an exception before the first wait', () => {
      for (const [kind, code, message] of [
        ['runtime_error', 'FIBRIL_EEXCEPTION', /^it says so$/],
        ['length_error', 'FIBRIL_EEXCEPTION', /vector/],
        ['int', 'FIBRIL_EEXCEPTION', /^C\+\+ threw what is no std::exception$/],
        ['bad_alloc', 'ENOMEM', /memory/],
      ]) {
        it(`rejects: ${kind}`, () => assert.rejects(throws(kind, later),
          { name: 'Error', code, message }));
      }

      it('is none of those that return',
        async () => assert.strictEqual(await throws('nothing', later), 'nothing'));
    });
  }

  it('throws from a constructor', () => {
    assert.throws(() => new Thrower('runtime_error'),
      { code: 'FIBRIL_EEXCEPTION', message: 'it says so' });
    assert.ok(new Thrower('nothing'));
  });

  it('catch blocks that wait keep their exception, whichever ends first', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `error ${i}`);
    const seen = await Promise.all(names.map((name, i) => catches(name, (i * 37) % 11)));
    assert.deepStrictEqual(seen, names.map((name) => `${name} inside, ${name}`));
  });

  it('destructors that wait while an exception passes', async () => {
    assert.deepStrictEqual(await Promise.all([5, 1, 3].map((ms) => unwinds(ms))), [10, 10, 10]);
  });

  it('a child begun in a catch block has no part of it',
    () => assert.rejects(spawns(), { message: 'child' }));

  it('generators that yield in a catch block, asked in another', async () => {
    assert.strictEqual(await generates(2), 'number 0, number 1, asking');
    assert.strictEqual(await generates(4), 'number 0, number 1, number 2, the end, asking');
    const all = await Promise.all([1, 2, 3].map((count) => generates(count)));
    assert.deepStrictEqual(all.map((text) => text.split(', ').length), [2, 3, 4]);
  });

  it('code at load that throws fails every call, at the end it is logged', async () => {
    const addon = require.resolve('./addon/build/Release/throws.node');
    const { code, stdout, stderr } = await runScript(`
      const { alive, Thrower } = require(${JSON.stringify(addon)});
      alive().catch((error) => {
        console.log(error.code, error.message);
        try { new Thrower('nothing'); } catch ({ message }) { console.log(message); }
      });`, { env: { THROWS_IN_HOOKS: '1' } });
    assert.strictEqual(code, 0, stderr);
    assert.strictEqual(stdout, 'FIBRIL_EEXCEPTION init says so\ninit says so\n');
    assert.strictEqual(stderr, 'fibril: fibril_module_end failed: end says so\n');
  });
});
