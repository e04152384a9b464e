'use strict';

// What an addon exports besides functions and classes: enums, namespaces, other names, a default.

const assert = require('node:assert');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { errorOf, runScript } = require('./support/natives');

const release = path.join(__dirname, 'addon', 'build', 'Release');
const addonPath = path.join(release, 'names.node');
const addon = require(addonPath);
const declares = path.join(release, 'declares.node');

const codeOf = (fn) => {
  try {
    fn();
  } catch (error) {
    return [error.code, error.message];
  }
  return undefined;
};

/** The messages of loads that fail, of exports that test/addon/declares.c makes. */
async function loadsOf(list) {
  const { stdout, stderr } = await runScript(`
    for (const exported of ${JSON.stringify(list)}) {
      process.env.FIBRIL_TEST_EXPORTS = exported;
      let message = 'loaded';
      const module = { exports: {} };
      try {
        process.dlopen(module, ${JSON.stringify(declares)});
        module.exports.refusals?.();
      } catch (error) {
        message = error.code + ': ' + error.message;
      }
      console.log(message);
    }`);
  assert.strictEqual(stderr, '');
  return stdout.trim().split('\n');
}

describe('enums', () => {
  it('are frozen objects of their values', () => {
    assert.deepStrictEqual(addon.Mode, { READ: 0, WRITE: 4, BOTH: 5, APPEND: 'a' });
    assert.ok(Object.isFrozen(addon.Mode));
    assert.throws(() => {
      addon.Mode.READ = 1;
    }, TypeError);
    assert.throws(() => {
      addon.Mode = 1;
    }, TypeError);
  });

  it('are types that take their values and no others', async () => {
    for (const value of Object.values(addon.Mode)) assert.strictEqual(addon.mode(value), value);
    for (const value of [1, 'b', -0.5]) {
      assert.deepStrictEqual(codeOf(() => addon.mode(value)), ['ERR_INVALID_ARG_VALUE',
        `The argument 'mode' must be one of: 0, 4, 5, 'a'. Received ${
          typeof value === 'string' ? `'${value}'` : value}`]);
    }
    assert.strictEqual(codeOf(() => addon.mode())[0], 'ERR_INVALID_ARG_VALUE');
    assert.deepStrictEqual(addon.modes([0, null, 'a']), [0, null, 'a']);
    assert.strictEqual(codeOf(() => addon.modes([0, 1]))[1],
      'The argument \'modes[1]\' must be one of: 0, 4, 5, \'a\', null. Received 1');
    assert.strictEqual(codeOf(() => addon.modes([], { mode: 1 }))[0], 'ERR_INVALID_ARG_VALUE');
    assert.strictEqual(await addon.limits.mode('soft'), 'soft');
    assert.strictEqual((await errorOf(addon.limits.mode(0))).code, 'ERR_INVALID_ARG_VALUE');
  });
});

describe('classes of errors', () => {
  const { OddError, OddestError } = addon;

  it('are what errors of the name are instances of', async () => {
    const error = await errorOf(addon.fail('OddError'));
    assert.ok(error instanceof OddError && error instanceof RangeError);
    assert.strictEqual(Object.getPrototypeOf(error), OddError.prototype);
    assert.deepStrictEqual([error.name, error.code, error.message, error.by],
      ['OddError', 'ODD', 'by 3', 3]);
    assert.deepStrictEqual(Object.keys(error), ['code', 'by']);
    assert.match(error.stack, /^OddError \[ODD\]: by 3\n/);
    assert.ok(await errorOf(addon.fail('OddestError')) instanceof OddError);
    assert.throws(() => addon.failNow('OddestError'), (thrown) =>
      thrown instanceof OddestError && /names\.test\.js/.test(thrown.stack));
    assert.strictEqual((await errorOf(addon.fail('OtherError'))).constructor, Error);
  });

  it('are classes that programs can use, too', () => {
    const cause = new Error();
    const error = new OddError('mine', { cause });
    assert.deepStrictEqual([error.name, error.message, error.cause, String(error)],
      ['OddError', 'mine', cause, 'OddError: mine']);
    assert.strictEqual(OddError.name, 'OddError');
  });

  it('are other addons\' own', async () => {
    const file = path.join(release, 'names.node');
    const module = { exports: {} };
    process.dlopen(module, file);
    assert.notStrictEqual(module.exports.OddError, OddError);
    assert.ok(await errorOf(module.exports.fail('OddError')) instanceof module.exports.OddError);
    assert.ok(!(await errorOf(addon.fail('OddError')) instanceof module.exports.OddError));
  });

  it('whose base a program has changed are not made, errors are', async () => {
    const before = Object.getPrototypeOf(OddestError);
    Object.setPrototypeOf(OddestError, class { constructor() { throw new Error('evil'); } });
    try {
      const error = await errorOf(addon.fail('OddestError'));
      assert.deepStrictEqual([error.constructor, error.name, error.by], [Error, 'OddestError', 3]);
    } finally {
      Object.setPrototypeOf(OddestError, before);
    }
  });
});

describe('namespaces', () => {
  it('are objects with exports of their own', () => {
    const { limits } = addon;
    assert.deepStrictEqual(Object.keys(limits),
      ['MAX', 'Mode', 'mode', 'points', 'read', 'ceiling']);
    assert.deepStrictEqual([limits.MAX, limits.Mode.HARD, limits.points.delete], [9, 'hard', true]);
    assert.strictEqual(limits.points.Point.name, 'Point');
  });

  it('know the types of those around them, which name theirs with a point', () => {
    const point = new addon.limits.points.Point(7);
    assert.strictEqual(addon.limits.points.read(point, 'soft'), 7);
    assert.strictEqual(addon.limits.read(point, 'hard'), 7);
    assert.strictEqual(addon.read(point, 'hard'), 7);
    assert.strictEqual(addon.read(point, 4), 7);
    assert.deepStrictEqual(codeOf(() => addon.limits.read(point, 4)), ['ERR_INVALID_ARG_VALUE',
      'The argument \'mode\' must be one of: \'soft\', \'hard\'. Received 4']);
    assert.deepStrictEqual(codeOf(() => addon.read({}, 4)), ['ERR_INVALID_ARG_TYPE',
      'The "point" argument must be an instance of limits.points.Point. ' +
        'Received an instance of Object']);
  });
});

describe('other names', () => {
  it('are the same thing', () => {
    assert.strictEqual(addon.increment, addon.plusOne);
    assert.strictEqual(addon.limits.ceiling, 9);
  });
});

describe('a default export', () => {
  it('is what require gives, with everything as its properties', async () => {
    assert.strictEqual(addon(1), 2);
    assert.strictEqual(addon.plusOne, addon);
    assert.strictEqual(addon.default, addon);
    assert.strictEqual(addon.name, 'plusOne');
    assert.deepStrictEqual(Object.keys(addon),
      ['plusOne', 'Mode', 'mode', 'modes', 'VERSION', 'increment', 'OddError',
        'OddestError', 'fail', 'failNow', 'limits', 'read']);
    const [value] = await require('node:events').once(new Worker(
      `require('worker_threads').parentPort.postMessage(require(${JSON.stringify(addonPath)})(2))`,
      { eval: true }), 'message');
    assert.strictEqual(value, 3);
  });

  it('keeps the signatures for tools', () => {
    const list = addon[Symbol.for('fibril.signatures')];
    assert.deepStrictEqual(list.find(([form]) => form === 'default'),
      ['default', undefined, 'plusOne', undefined]);
    assert.deepStrictEqual(list.find(([form]) => form === 'class'),
      ['class', undefined, 'Point', 'limits.points']);
  });
});

describe('what is declared wrongly fails the load', () => {
  it('says what was expected, and where', async () => {
    const of = (what, text, expected, position) =>
      `ERR_FIBRIL_SIGNATURE: ${what}: "${text}": expected ${expected} at position ${position}`;
    const cases = [
      ['enum', 'Mode', '\'{\'', 4], ['enum', 'Mode {}', 'a name', 6],
      ['enum', 'Mode { A, A }', 'another name', 10], ['enum', 'Mode { A = true }',
        'a string or a finite number', 11], ['enum', 'Mode { A = Infinity }',
        'a string or a finite number', 11],
      ['enum', 'Mode { A = \'a\', B }', '\'=\'', 18], ['enum', 'Mode { A', '\',\' or \'}\'', 8],
      ['enum', 'Mode { A } x', 'the end', 11], ['enum', 'taken { A }', 'another name', 0],
      ['class', 'taken', 'another name', 0], ['class', 'string', 'a name that means no other type',
        0], ['enum', 'Buffer { A }', 'a name that means no other type', 0],
      ['error', 'E', '\'extends\'', 1], ['error', 'E extends', 'the name of a class of errors', 9],
      ['error', 'E extends Error {', '\'}\'', 17], ['error', 'taken extends Error',
        'another name', 0],
      ['alias', 'a', '\'=\' and another name', 1], ['alias', 'a = ', 'a name', 4],
      ['alias', 'a = none', 'the name of something exported', 4],
      ['alias', 'taken = taken', 'another name', 0],
      ['default', 'none', 'the name of something exported', 0],
      ['default', 'taken', 'a function or a class', 0],
      ['namespace', 'a.b', 'the end', 1], ['namespace', 'taken', 'another name', 0],
    ];
    const messages = await loadsOf(cases.map(([form, text]) => `${form} ${text}`));
    assert.deepStrictEqual(messages, cases.map(([form, text, expected, position]) =>
      of(`fibril_export_${form}`, text, expected, position)));
  });

  it('has a class of errors to extend, and a name of its own', async () => {
    assert.deepStrictEqual(await loadsOf(['error E extends Class', 'error E extends AggregateError',
      'error TypeError extends Error']), ['E extends Class": expected a class of errors to extend',
      'E extends AggregateError": expected a class of errors to extend',
      'TypeError extends Error": expected another name']
      .map((text) => `ERR_FIBRIL_SIGNATURE: fibril_export_error: "${text}`));
  });

  it('is refused where a module has one only, or the name is taken at the end', async () => {
    assert.deepStrictEqual(await loadsOf(['twice', 'inner', 'own', 'name', 'default', 'function fn(): void',
      'class delete', 'shadow']), [
      'ERR_FIBRIL_SIGNATURE: fibril_export_default: "fn": ' +
        'expected one default, which is the module\'s at position 0',
      'ERR_FIBRIL_SIGNATURE: fibril_export_default: "fn": ' +
        'expected one default, which is the module\'s at position 0',
      'ERR_FIBRIL_SIGNATURE: fibril_export_default: "fn": has a property "prototype" of its own',
      'ERR_FIBRIL_SIGNATURE: fibril_export_default: "fn": has a property "name" of its own',
      'ERR_FIBRIL_SIGNATURE: fibril_export_default: "fn": has a property "default" of its own',
      'ERR_FIBRIL_SIGNATURE: fibril_export: "fn(): void": expected another name at position 0',
      'ERR_FIBRIL_SIGNATURE: fibril_export_class: "delete": expected a name that a class can have',
      'ERR_FIBRIL_SIGNATURE: fibril_export_enum: "Mode { INNER = \'inner\' }": expected a name that ' +
        'means no other type at position 0',
    ]);
  });

  it('knows a class from its declaration on, in its namespace', async () => {
    assert.deepStrictEqual((await loadsOf(['early', 'outside', 'inside'])).map((each) =>
      each.replace(/expected a type \(.*\) at/, 'expected a type at')), [
      'ERR_FIBRIL_SIGNATURE: fibril_export: "f(late: Late): void": expected a type at position 8',
      'ERR_FIBRIL_SIGNATURE: fibril_export: "f(late: Late): void": expected a type at position 8',
      'loaded',
    ]);
  });

  it('has members that fit their class', async () => {
    assert.deepStrictEqual(await loadsOf(['symbol', 'noSymbol', 'noMember', 'signal', 'sealed',
      'twoMethods', 'twoForms', 'twoStatics', 'prototype', 'noSymbols']), [
      'ERR_FIBRIL_SIGNATURE: This Node.js has no [Symbol.nothing]',
      'ERR_FIBRIL_SIGNATURE: fibril_class_method: "[Symbol.]()": expected a symbol\'s name at ' +
        'position 8',
      'ERR_FIBRIL_SIGNATURE: fibril_class_alias: "a = b": the class has no b',
      'ERR_FIBRIL_SIGNATURE: fibril_class_setter: "s: AbortSignal": expected no AbortSignal at ' +
        'position 14',
      'loaded',
      'ERR_FIBRIL_SIGNATURE: "Class.m": expected another name',
      'ERR_FIBRIL_SIGNATURE: "Class.p": expected another name',
      'ERR_FIBRIL_SIGNATURE: fibril_class_static: "m(): void": expected another name at position 0',
      'ERR_FIBRIL_SIGNATURE: fibril_class_static: "prototype(): void": expected another name at ' +
        'position 0',
      'ERR_FIBRIL_SIGNATURE: This Node.js has no [Symbol.for]',
    ]);
  });
});
