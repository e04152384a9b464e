'use strict';

// What C does with JavaScript's objects.

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { collectUntil, errorOf, runScript, thrownBy } = require('./support/natives');

const addonPath = path.join(__dirname, 'addon', 'build', 'Release', 'references.node');
const addon = require(addonPath);

// An operation on an object: get, set, has, del, call, keys, equal.
const WAYS = {
  'in a coroutine': addon.operateLaterNamed,
  'in a synchronous function': addon.operateNamed,
  'in fibril_on_loop of a coroutine': addon.onLoopLaterNamed,
  'in fibril_on_loop of a synchronous function': addon.onLoopNamed,
  'in a batch': addon.inBatchNamed,
  'in a batch of a coroutine': addon.inBatchLaterNamed,
  'in a callback of the loop': addon.inCallbackNamed,
};

const OPERATIONS = ['get', 'set', 'has', 'del', 'keys', 'call'];

describe('JavaScript\'s objects in C', () => {
  for (const [where, operate] of Object.entries(WAYS)) {
    describe(where, () => {
      it('give what their properties are', async () => {
        const inner = { inner: true };
        const fn = () => {};
        const symbol = Symbol('s');
        const big = 2n ** 70n;
        const object = { n: 1.5, t: true, s: 'text', z: null, inner, fn, symbol, big, small: 5n,
          bytes: Buffer.from('bytes'), undef: undefined };
        for (const [key, value] of Object.entries(object)) {
          const got = await operate('get', object, key);
          if (key === 'bytes') assert.deepStrictEqual(got, value);
          else assert.strictEqual(got, value, key);
        }
        assert.strictEqual(await operate('get', object, 'none'), undefined);
        assert.strictEqual(await operate('get', object, 'toString'), Object.prototype.toString);
        assert.strictEqual(await operate('get', [1, 2, 3], 'length'), 3);
        assert.strictEqual(await operate('get', [1, 2, 3], '1'), 2);
        assert.strictEqual(await operate('get', function named() {}, 'name'), 'named');
        assert.strictEqual(await operate('get', { 'ä→😀': 1 }, 'ä→😀'), 1);
      });

      it('take what they are set to', async () => {
        const object = {};
        for (const value of [1, 'text', null, undefined, true, 3n, object, Symbol.iterator]) {
          assert.strictEqual(await operate('set', object, 'key', value), undefined);
          assert.strictEqual(object.key, value);
        }
        const list = [];
        await operate('set', list, '2', 'x');
        assert.deepStrictEqual(list, [, , 'x']); // eslint-disable-line no-sparse-arrays
        await operate('set', list, 'length', 0);
        assert.deepStrictEqual(list, []);
        let got;
        await operate('set', { set key(value) { got = [this.me, value]; }, me: 1 }, 'key', 2);
        assert.deepStrictEqual(got, [1, 2]);
      });

      it('are asked for what they have, lose it, and list it', async () => {
        const object = Object.create({ inherited: 1 }, {
          hidden: { value: 1, configurable: true }, b: { value: 1, enumerable: true },
          7: { value: 1, enumerable: true }, [Symbol('s')]: { value: 1, enumerable: true },
          a: { value: 1, enumerable: true, configurable: true },
        });
        assert.strictEqual(await operate('has', object, 'a'), true);
        assert.strictEqual(await operate('has', object, 'inherited'), true);
        assert.strictEqual(await operate('has', object, 'none'), false);
        assert.deepStrictEqual(await operate('keys', object), ['7', 'b', 'a']);
        assert.strictEqual(await operate('del', object, 'a'), undefined);
        assert.strictEqual(await operate('del', object, 'none'), undefined);
        assert.deepStrictEqual(await operate('keys', object), ['7', 'b']);
        assert.deepStrictEqual(await operate('keys', []), []);
        assert.deepStrictEqual(await operate('keys', 'xyz'.split('')), ['0', '1', '2']);
        const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]));
        assert.deepStrictEqual(await operate('keys', many), Object.keys(many));
      });

      it('throw what getters, setters and proxies throw', async () => {
        for (const thrown of [new RangeError('thrown'), 'text', undefined, null, Symbol('s'), {}]) {
          const fail = () => { throw thrown; };
          const objects = [
            ['get', { get key() { return fail(); } }],
            ['set', { set key(_) { fail(); } }],
            ['get', new Proxy({}, { get: fail })], ['set', new Proxy({}, { set: fail })],
            ['has', new Proxy({}, { has: fail })], ['del', new Proxy({}, { deleteProperty: fail })],
            ['keys', new Proxy({}, { ownKeys: fail })],
          ];
          for (const [operation, object] of objects) {
            const error = await outcomeOf(() => operate(operation, object, 'key', 1));
            assert.deepStrictEqual(error, { thrown }, operation);
          }
        }
      });

      it('throw where they refuse, as in strict code', async () => {
        const frozen = Object.freeze({ key: 1 });
        for (const [operation, object] of [['set', frozen], ['del', frozen],
          ['set', Object.preventExtensions({})], ['set', { get key() { return 1; } }],
          ['set', new Proxy({}, { set: () => false })],
          ['del', new Proxy({}, { deleteProperty: () => false })]]) {
          const { thrown } = await outcomeOf(() => operate(operation, object, 'key', 2));
          assert.ok(thrown instanceof TypeError, operation);
        }
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        for (const operation of ['get', 'set', 'has', 'del', 'keys']) {
          const { thrown } = await outcomeOf(() => operate(operation, proxy, 'key', 2));
          assert.ok(thrown instanceof TypeError, operation);
        }
      });

      it('may do anything meanwhile', async () => {
        const log = [];
        const object = {
          get key() {
            Promise.resolve().then(() => log.push('job'));
            log.push(addon.operateNamed('get', { inner: 'nested' }, 'inner'));
            addon.operateLaterNamed('get', { inner: 'later' }, 'inner').then((value) => log.push(value));
            addon.keep({});
            return 'value';
          },
        };
        assert.strictEqual(await operate('get', object, 'key'), 'value');
        assert.strictEqual(log[0], 'nested');
        await new Promise(setImmediate);
        await new Promise(setImmediate);
        assert.deepStrictEqual(log.toSorted?.() ?? log.sort(), ['job', 'later', 'nested']);
      });

      it('are compared', async () => {
        const object = {};
        assert.strictEqual(await operate('equal', object, undefined, object), true);
        assert.strictEqual(await operate('equal', object, undefined, {}), false);
        assert.strictEqual(await operate('equal', Symbol.for('a'), '', Symbol.for('a')), true);
        assert.strictEqual(await operate('equal', Symbol('a'), '', Symbol('a')), false);
        assert.strictEqual(await operate('equal', 'text', '', 'text'), true);
        assert.strictEqual(await operate('equal', 5n, '', 5n), true);
        assert.strictEqual(await operate('equal', object, '', Symbol.iterator), false);
      });

      it('are nothing else', async () => {
        for (const operation of ['get', 'set', 'has', 'del', 'keys']) {
          for (const value of [1, true, null, undefined, 'text', Symbol('s'), 5n]) {
            const { thrown } = await outcomeOf(() => operate(operation, value, 'key', 1));
            assert.strictEqual(thrown?.code, 'FIBRIL_ETYPE', `${operation} ${typeof value}`);
          }
        }
        const { thrown } = await outcomeOf(() => operate('equal', {}, 'key', 1));
        assert.strictEqual(thrown.code, 'FIBRIL_ETYPE');
      });
    });
  }

  it('are refused where values of C are no references, and what is no key', async () => {
    for (const which of ['object', 'key']) {
      const codes = await addon.misuse(which, {});
      const passedOn = codes.filter((code) => code === 'EIO'); // an error in place of an object
      assert.strictEqual(passedOn.length, which === 'object' ? 6 + 11 : 0);
      assert.deepStrictEqual(new Set(codes.slice(1)),
        new Set(['FIBRIL_ETYPE', ...passedOn]), which);
      assert.ok(codes.length > 25);
    }
    assert.strictEqual(thrownBy(() => addon.batchOfNothing()).code, 'FIBRIL_ETYPE');
  });

  it('have keys that are symbols, numbers and strings', async () => {
    const symbol = Symbol('s');
    const object = { [symbol]: 1, 3: 'three', 1.5: 'fraction', name: 'x' };
    for (const key of [symbol, 3, 1.5, 'name']) {
      assert.strictEqual(addon.byKey('get', object, key), object[key]);
      assert.strictEqual(addon.byKey('has', object, key), true);
      addon.byKey('set', object, key, 'changed');
      assert.strictEqual(object[key], 'changed');
      addon.byKey('del', object, key);
      assert.strictEqual(addon.byKey('has', object, key), false);
    }
    assert.strictEqual(addon.byKey('get', [5, 6], 1), 6);
    assert.strictEqual(addon.getStringKey({ name: 'y' }, 'name'), 'y');
    assert.strictEqual(addon.badName({ 'a\ufffd': 'replaced' }), 'replaced');
    const iterable = { [Symbol.iterator]() { return this === iterable; } };
    assert.strictEqual(await addon.byKeyLater('call', iterable, Symbol.iterator), true);
    assert.strictEqual(thrownBy(() => addon.byKey('call', iterable, Symbol.iterator)).code,
      'FIBRIL_ESYNC');
    assert.strictEqual(thrownBy(() => addon.byKeyOnLoop('call', iterable, Symbol.iterator)).code,
      'FIBRIL_ENOTCOROUTINE');
    const throwing = new Proxy({},
      { get: refuse, set: refuse, has: refuse, deleteProperty: refuse });
    for (const operation of ['get', 'set', 'has', 'del']) {
      assert.strictEqual(thrownBy(() => addon.byKey(operation, throwing, 1)).message, 'refused');
    }
  });

  it('that C keeps stay as long as it wants', async () => {
    const keepNew = () => {
      const object = { name: 'kept' };
      addon.keep(object);
      return new WeakRef(object);
    };
    const weak = keepNew();
    await new Promise(setImmediate);
    assert.strictEqual(addon.getKept('name'), 'kept');
    addon.keep(null);
    await collectUntil(() => weak.deref() === undefined);
    assert.strictEqual(thrownBy(() => addon.getKept('name')).code, 'FIBRIL_ETYPE');
  });

  it('let promise jobs run that are due', async () => {
    const object = { second: 'too early', get first() {
      Promise.resolve().then(() => { object.second = 'in between'; });
      return 'a text that C leaves';
    } };
    assert.strictEqual(await addon.getTwo(object), 'in between');
  });

  it('may go away in the getter that is asked', () => {
    addon.keep({ get name() {
      addon.keep(null);
      return 'the last';
    } });
    assert.strictEqual(addon.getKept('name'), 'the last');
  });
});

function refuse() {
  throw new Error('refused');
}

async function outcomeOf(fn) {
  try {
    return { value: await fn() };
  } catch (thrown) {
    return { thrown };
  }
}

describe('methods of JavaScript\'s objects', () => {
  const call = (object, name, value) => addon.operateLaterNamed('call', object, name, value);

  it('are called with their object, and waited for', async () => {
    const object = {
      factor: 2,
      now(value) { return value * this.factor; },
      async later(value) {
        await new Promise(setImmediate);
        return value * this.factor;
      },
      thenable(value) { return { then: (resolve) => resolve(value * this.factor) }; },
      count(...args) { return args.length; },
    };
    assert.strictEqual(await call(object, 'now', 4), 8);
    assert.strictEqual(await call(object, 'later', 5), 10);
    assert.strictEqual(await call(object, 'thenable', 6), 12);
    assert.strictEqual(await call(object, 'count', 6), 1);
    assert.strictEqual(await call([3, 4], 'indexOf', 4), 1);
    assert.strictEqual(await call(() => 'called', 'call', null), 'called');
  });

  it('that are none are an error', async () => {
    for (const [object, received] of [[{}, 'undefined'], [{ key: 1 }, 'type number (1)'],
      [{ key: {} }, 'an instance of Object']]) {
      const error = await errorOf(call(object, 'key'));
      assert.strictEqual(error.name, 'TypeError');
      assert.strictEqual(error.message, `"key" is no method of the object. Received ${received}`);
    }
    const error = await errorOf(addon.byKeyLater('call', {}, Symbol('s')));
    assert.match(error.message, /^"Symbol\(s\)" is no method/);
  });

  it('give what they throw and reject', async () => {
    for (const thrown of [new Error('thrown'), undefined, 'text']) {
      const outcomes = await Promise.all([
        { key() { throw thrown; } }, { key: () => Promise.reject(thrown) },
        { get key() { throw thrown; } },
        { key: () => ({ get then() { throw thrown; } }) },
      ].map((object) => outcomeOf(() => call(object, 'key'))));
      for (const outcome of outcomes) assert.deepStrictEqual(outcome, { thrown });
    }
  });

  it('are called where something can wait alone', async () => {
    const object = { key: () => assert.fail('it was called') };
    for (const operate of [addon.operateNamed, addon.inBatchNamed, addon.inBatchLaterNamed]) {
      assert.strictEqual((await outcomeOf(() => operate('call', object, 'key'))).thrown.code,
        'FIBRIL_ESYNC');
    }
    for (const operate of [addon.inCallbackNamed, addon.onLoopLaterNamed]) {
      assert.strictEqual((await outcomeOf(() => operate('call', object, 'key'))).thrown.code,
        'FIBRIL_ENOTCOROUTINE');
    }
  });

  it('run in the async context of the call that brought their object', async () => {
    const storage = new AsyncLocalStorage();
    const object = {
      now: () => storage.getStore(),
      async later() {
        await new Promise(setImmediate);
        return storage.getStore();
      },
      get got() {
        const store = storage.getStore();
        return () => store;
      },
    };
    for (const name of ['now', 'later', 'got']) {
      for (const start of [addon.callMethod, addon.callGot]) {
        if (start === addon.callGot && name === 'got') continue; // getters have no context then
        const results = [1, 2].map((store) => storage.run(store, () => start(object, name)));
        assert.deepStrictEqual(await Promise.all(results), [1, 2], name);
      }
    }
    assert.strictEqual(await storage.run(1, () => call(object, 'now')), undefined); // came as `any`
  });

  it('may be left to themselves by a cancellation', async () => {
    let resolve;
    const object = { x: () => new Promise((fn) => { resolve = fn; }) };
    assert.strictEqual((await errorOf(addon.callCancelled(object))).code, 'ECANCELED');
    resolve();
    const getter = { get x() {
      addon.cancel();
      return 'what it gave';
    } };
    assert.strictEqual(await addon.getCancelled(getter), 'what it gave');
  });
});

describe('a batch', () => {
  const texts = (count) => Array.from({ length: count }, () => 'text');

  it('has the values of its caller, and can\'t wait', async () => {
    const object = [1, 2, 3];
    object.text = 'text';
    const expected = { sum: 6, texts: texts(3), waited: 'FIBRIL_ESYNC' };
    assert.deepStrictEqual(addon.batch(object, 3), expected);
    assert.deepStrictEqual(await addon.batchLater(object, 3), expected);
    assert.deepStrictEqual(addon.batchNested(object), texts(4));
  });

  it('lets promise jobs run at its end alone', async () => {
    const log = [];
    const at = (i) => ({ get: () => {
      log.push(i);
      Promise.resolve().then(() => log.push(`job ${i}`));
      return i;
    } });
    const object = Object.defineProperties({ text: '' }, { 0: at(0), 1: at(1), 2: at(2) });
    await addon.batchLater(object, 3);
    assert.deepStrictEqual(log, [0, 1, 2, 'job 0', 'job 1', 'job 2']);
  });

  it('has nothing to do with what its getters call', async () => {
    const object = { text: '', get 0() {
      return addon.operateNamed('get', { inner: 'text'.repeat(10) }, 'inner').length;
    } };
    assert.strictEqual((await addon.batchLater(object, 1)).sum, 40);
  });
});

describe('symbols', () => {
  it('come back as they are', async () => {
    for (const symbol of [Symbol('s'), Symbol.iterator, Symbol.for('key')]) {
      assert.strictEqual(addon.same(symbol), symbol);
      assert.strictEqual(await addon.sameLater(symbol), symbol);
    }
  });

  it('are found by their keys', async () => {
    for (const key of ['key', '', 'ä→😀']) {
      assert.strictEqual(addon.symbol(key), Symbol.for(key));
      assert.strictEqual(await addon.symbolLater(key), Symbol.for(key));
    }
  });

  it('are not found where no environment\'s loop runs', async () => {
    assert.strictEqual((await errorOf(addon.symbolElsewhere())).code, 'EINVAL');
  });
});

describe('names that are longer than V8\'s strings', function () {
  this.timeout(60000);

  it('are an error that says so', async () => {
    const errors = await addon.longName({}, 2 ** 29);
    assert.deepStrictEqual(errors.map(({ code }) => code), Array(3).fill('ERR_STRING_TOO_LONG'));
  });
});

describe('JavaScript\'s objects of another thread', () => {
  const inWorker = (code, data) => new Worker(`
    const { parentPort, workerData } = require('node:worker_threads');
    const addon = require(${JSON.stringify(addonPath)});
    ${code}`, { eval: true, workerData: data });

  it('are refused', async () => {
    addon.share(() => {});
    try {
      const worker = inWorker('addon.useShared({}).then((codes) => parentPort.postMessage(codes));');
      const [codes] = await once(worker, 'message');
      await once(worker, 'exit');
      assert.deepStrictEqual(codes, Array(12).fill('FIBRIL_ETYPE'));
    } finally {
      addon.share(null);
    }
  });

  it('are of no use at their environment\'s end', async () => {
    const worker = inWorker('addon.noteForEnd({ x: 1 });');
    await once(worker, 'exit');
    assert.deepStrictEqual(addon.atEnds(), Array(14).fill('FIBRIL_ECLOSED'));
  });

  const ends = {
    'process.exit()': 'process.exit(0)',
    'worker.terminate()': 'parentPort.postMessage(0); for (;;);',
    'an uncaught exception': 'process.nextTick(() => { throw new Error("x"); }); return 1;',
  };
  for (const [how, end] of Object.entries(ends)) {
    for (const [where, operate] of Object.entries(WAYS)) {
      const name = Object.keys(addon).find((key) => addon[key] === operate);
      it(`may end their worker by ${how} ${where}`, () => Promise.all(OPERATIONS.map((operation) =>
        new Promise((resolve) => {
          const worker = inWorker(`
            const end = () => { ${end} };
            const object = new Proxy({ call: end }, {
              get: (target, key) => (workerData === 'call' ? target[key] : end()),
              set: end, has: end, deleteProperty: end, ownKeys: end,
            });
            const operate = workerData === 'call' ? addon.operateLaterNamed : addon.${name};
            setImmediate(async () => operate(workerData, object, workerData, 1));
            setInterval(() => {}, 1000);
          `, operation);
          worker.on('message', () => worker.terminate());
          worker.on('error', () => {}); // the uncaught one
          worker.on('exit', resolve);
        }))));
    }
  }

  it('may end the process in the midst of them', async () => {
    for (const operation of OPERATIONS) {
      const { code, stderr } = await runScript(`
        const addon = require(${JSON.stringify(addonPath)});
        const end = () => process.exit(7);
        addon.operateLaterNamed('${operation}', new Proxy({}, { get: end, set: end, has: end,
          deleteProperty: end, ownKeys: end }), 'key', 1);
      `);
      assert.deepStrictEqual([code, stderr], [7, ''], operation);
    }
  });
});
