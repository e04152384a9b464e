'use strict';

// C structs behind JavaScript classes: constructors, methods, getters, and when the struct is
// released.

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const path = require('node:path');
const { inspect } = require('node:util');
const { Worker } = require('node:worker_threads');
const co = require('../lib');
const { collectUntil, errorOf, runScript, thrownBy } = require('./support/natives');

const classesPath = path.join(__dirname, 'addon', 'build', 'Release', 'classes.node');
const { Bare, Counter, Empty, countLive, late, noObject, runtime, tickNow } = require(classesPath);

const INVALID_THIS = {
  name: 'TypeError', code: 'ERR_INVALID_THIS', message: 'Value of "this" must be of type Counter',
};

describe('classes of C structs', () => {
  describe('an object', () => {
    it('is an instance of a class with its name, like any other', () => {
      const counter = new Counter();
      assert.ok(counter instanceof Counter);
      assert.strictEqual(Counter.name, 'Counter');
      assert.strictEqual(Counter.length, 0);
      assert.strictEqual(counter.constructor, Counter);
      assert.strictEqual(inspect(new Bare()), 'Bare {}');
      assert.deepStrictEqual(Object.keys(counter), []);
      assert.deepStrictEqual(Object.keys(Counter.prototype), []);
    });

    it('has methods and getters as the signatures say', () => {
      const { add, sum, change } = Counter.prototype;
      assert.deepStrictEqual([add.name, add.length, sum.length, change.length], ['add', 1, 3, 0]);
      const { get, set, enumerable } = Object.getOwnPropertyDescriptor(Counter.prototype, 'value');
      assert.deepStrictEqual([get.name, get.length, set, enumerable],
        ['get value', 0, undefined, false]);
    });

    it('begins with zeroes, and is made without a constructor, a struct or a release', async () => {
      assert.strictEqual(await new Bare().value(), 0);
      assert.ok(new Empty() instanceof Empty);
    });

    it('is not made without new', () => {
      assert.throws(() => Counter(), { name: 'TypeError',
        message: 'Class constructor Counter cannot be invoked without \'new\'' });
    });

    it('is not made with bad arguments: new throws, in Node\'s words', () => {
      const error = thrownBy(() => new Counter('1'));
      assert.deepStrictEqual([error.name, error.code], ['TypeError', 'ERR_INVALID_ARG_TYPE']);
      assert.strictEqual(error.message,
        'The "start" argument must be of type number. Received type string (\'1\')');
      assert.throws(() => new Counter(1, { name: 1 }), {
        code: 'ERR_INVALID_ARG_TYPE',
        message: 'The "options.name" property must be of type string. Received type number (1)',
      });
      const reason = new Error('of a getter');
      assert.throws(() => new Counter(1, { get name() { throw reason; } }), reason);
    });

    it('is not made when its constructor fails, and its struct is released', async () => {
      const before = await countLive();
      const error = thrownBy(() => new Counter(-1));
      assert.deepStrictEqual([error.name, error.code, error.message],
        ['RangeError', 'ERR_TEST', 'a counter starts at 0 or more']);
      assert.match(error.stack, /^RangeError \[ERR_TEST\]: .*\n.*classes\.test\.js/);
      await collectUntil(async () => await countLive() <= before);
    });
  });

  describe('methods', () => {
    it('are coroutines with the object\'s struct', async () => {
      const counter = new Counter(3);
      const other = new Counter(100);
      assert.strictEqual(await counter.add(4), 7);
      assert.strictEqual(await counter.sum(1, 2, 3), 13);
      assert.strictEqual(await other.add(1), 101);
    });

    it('run at the same time; what the struct holds keeps them apart', async () => {
      const counter = new Counter();
      const results = await Promise.all(Array.from({ length: 10 }, () => counter.addLater(1)));
      assert.deepStrictEqual(results, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    it('wait for each other', async () => {
      const counter = new Counter(1);
      const changed = counter.change();
      await counter.add(1);
      assert.strictEqual(await changed, 2);
    });

    it('end with their AbortSignal', async () => {
      const controller = new AbortController();
      const counter = new Counter();
      const changed = counter.change({ signal: controller.signal });
      controller.abort();
      assert.strictEqual((await errorOf(changed)).name, 'AbortError');
      assert.strictEqual((await errorOf(counter.change({ signal: controller.signal }))).name,
        'AbortError');
      assert.strictEqual((await errorOf(counter.change({ signal: 1 }))).code,
        'ERR_INVALID_ARG_TYPE');
    });

    it('reject bad arguments', async () => {
      const error = await errorOf(new Counter().add('1'));
      assert.strictEqual(error.message,
        'The "n" argument must be of type number. Received type string (\'1\')');
    });

    it('give futures, yielded in co', async () => {
      const counter = new Counter();
      const add = runtime.future(counter.add);
      const addLater = runtime.future(counter.addLater);
      const result = await co(function* () {
        return [yield add.call(counter, 1), yield addLater.call(counter, 1),
          yield counter.addLater(1)];
      });
      assert.deepStrictEqual(result, [1, 2, 3]);
      assert.ok(addLater.call(counter, 1) instanceof runtime.Future);
      assert.strictEqual((await errorOf(add.call({}, 1))).code, 'ERR_INVALID_THIS');
    });

    it('keep the AsyncLocalStorage of their caller', async () => {
      const als = new AsyncLocalStorage();
      const counter = new Counter();
      await als.run('store', async () => {
        await counter.addLater(1);
        assert.strictEqual(als.getStore(), 'store');
      });
    });
  });

  describe('getters', () => {
    it('give what C returns, of every kind', async () => {
      const counter = new Counter(2, { name: 'caf\u00e9' });
      const kept = { some: 'object' };
      assert.deepStrictEqual([counter.value, counter.name, counter.closed, counter.kept],
        [2, 'caf\u00e9', false, undefined]);
      await counter.keep(kept);
      assert.strictEqual(counter.kept, kept);
    });

    it('throw the error that C returns', () => {
      const error = thrownBy(() => new Counter().broken);
      assert.deepStrictEqual([error.code, error.syscall, error.message],
        ['EIO', 'read', 'EIO: i/o error, read']);
      assert.match(error.stack, /^Error: EIO.*\n.*classes\.test\.js/);
    });

    it('may not wait: FIBRIL_ENOTCOROUTINE', () => {
      assert.strictEqual(new Counter().waits, -5002);
    });

    it('can\'t be set', () => {
      assert.throws(() => { new Counter().value = 1; }, TypeError);
    });
  });

  describe('another this', () => {
    const others = [undefined, null, 1, {}, Object.create(Counter.prototype), Counter.prototype,
      new Bare(), new Empty(),
      new Proxy(new Counter(), {})];

    it('is refused by methods', async () => {
      for (const other of others) {
        for (const method of ['add', 'change']) {
          assert.deepEqual(shown(await errorOf(Counter.prototype[method].call(other, 1))),
          INVALID_THIS);
        }
      }
    });

    it('is refused by getters', () => {
      const { get } = Object.getOwnPropertyDescriptor(Counter.prototype, 'value');
      for (const other of others) assert.throws(() => get.call(other), INVALID_THIS);
    });

    it('of the same class in another copy of the addon is refused, too', async () => {
      delete require.cache[classesPath];
      const again = require(classesPath);
      assert.notStrictEqual(again.Counter, Counter);
      assert.deepEqual(shown(await errorOf(again.Counter.prototype.add.call(new Counter(), 1))),
        INVALID_THIS);
      assert.strictEqual(await new again.Counter(1).add(1), 2);
    });

    it('is none in an exported function', async () => {
      assert.strictEqual(await noObject(), true);
    });
  });

  describe('a subclass', () => {
    class Named extends Counter {
      #secret = 'secret';

      constructor(name) {
        super(5, { name });
      }

      get secret() {
        return this.#secret;
      }

      async add(n) {
        return `${this.name}: ${await super.add(n)}`;
      }

      async close() {
        await super.close();
        this.ended = true;
      }
    }

    it('has what its class has and what it adds', async () => {
      const named = new Named('name');
      assert.ok(named instanceof Counter && named instanceof Named);
      assert.strictEqual(await named.add(1), 'name: 6');
      assert.deepStrictEqual([named.value, named.secret], [6, 'secret']);
      assert.throws(() => new Named(1), { code: 'ERR_INVALID_ARG_TYPE' });
    });

    it('closes its own way when it is disposed of', async () => {
      const named = new Named('name');
      await named[Symbol.asyncDispose]();
      assert.deepStrictEqual([named.closed, named.ended], [true, true]);
    });
  });

  describe('close', () => {
    it('is Symbol.asyncDispose, which gives undefined', async () => {
      const counter = new Counter();
      assert.strictEqual(await counter[Symbol.asyncDispose](), undefined);
      assert.strictEqual(counter.closed, true);
      assert.strictEqual(Counter.prototype[Symbol.asyncDispose].name,
        `[${Symbol.asyncDispose.description}]`);
      assert.strictEqual(Bare.prototype[Symbol.asyncDispose], undefined);
    });
  });

  describe('the struct', () => {
    it('is released when the object has been collected', async () => {
      const before = await countLive();
      for (let i = 0; i < 100; i++) await new Counter(i).add(1);
      await collectUntil(async () => await countLive() <= before);
    });

    // Calls the method of an object that nobody else has.
    function abandon(method, ...args) {
      const counter = new Counter();
      const promise = counter[method](...args);
      promise.catch(() => {});
      return { weak: new WeakRef(counter), promise };
    }

    it('stays while a method waits that nobody waits for, and so does the object', async () => {
      await collectUntil(async () => await countLive() <= 1);
      const before = await countLive();
      const controller = new AbortController();
      const { weak, promise } = abandon('change', { signal: controller.signal });
      let turns = 0;
      await collectUntil(() => ++turns > 5);
      assert.strictEqual(await countLive(), before + 1);
      assert.ok(weak.deref() instanceof Counter);
      controller.abort();
      assert.strictEqual((await errorOf(promise)).name, 'AbortError');
      await collectUntil(async () => await countLive() <= before);
    });

    it('stays as long as C refers to it', async () => {
      await collectUntil(async () => await countLive() <= 1);
      const before = await countLive();
      const { weak, promise } = abandon('tickLater', -1);
      let turns = 0;
      await promise;
      await collectUntil(() => weak.deref() === undefined && ++turns > 5);
      assert.strictEqual(await countLive(), before + 1);
      await tickNow();
      await collectUntil(async () => await countLive() <= before);
    });

    it('may hold a JavaScript value, even its own object', async () => {
      const counter = new Counter();
      await counter.keep(counter);
      assert.strictEqual(counter.kept, counter);
      await counter.keep(undefined);
    });

    it('is released when its environment ends, in the middle of methods', async () => {
      const before = await countLive();
      for (let i = 0; i < 20; i++) {
        const worker = new Worker(`
          const { Counter } = require(${JSON.stringify(classesPath)});
          globalThis.counters = Array.from({ length: 10 }, (_, i) => new Counter(i));
          for (const counter of counters) { counter.change(); counter.tickLater(1e6); }
          counters[0].keep(counters[1]);
          new Counter().change();
          require('node:worker_threads').parentPort.postMessage('ready');
          ${i % 2 ? 'for (;;);' : ''}
        `, { eval: true });
        await new Promise((resolve) => { worker.once('message', resolve); });
        await worker.terminate();
      }
      assert.ok(await countLive() <= before, `${await countLive()}, before ${before}`);
    });

    it('may be released by another\'s release, when the environment ends, too', async () => {
      const { code, stderr } = await runScript(`
        const { Worker } = require('node:worker_threads');
        const worker = new Worker(${JSON.stringify(`
          const { Counter } = require(${JSON.stringify(classesPath)});
          require('node:v8').setFlagsFromString('--expose-gc');
          const gc = require('node:vm').runInNewContext('gc');
          const abandoned = (() => {
            const elder = new Counter();
            elder.lineUp();
            globalThis.kept = new Counter();
            kept.lineUp();
            return new WeakRef(elder);
          })();
          let turns = 0; // for the finalizer
          setImmediate(function collect() {
            if (abandoned.deref() === undefined && ++turns > 5) return;
            setImmediate(gc);
            setImmediate(collect);
          });
        `)}, { eval: true });
        worker.on('exit', (code) => process.exit(code));`);
      assert.deepStrictEqual([code, stderr], [0, '']);
    });

    it('is no reason to stay: the process ends', async () => {
      const { code, stderr } = await runScript(`
        const { Counter } = require(${JSON.stringify(classesPath)});
        globalThis.counter = new Counter();
        new Counter().addLater(1).then(() => process.exit(counter.value));`);
      assert.deepStrictEqual([code, stderr], [0, '']);
    });
  });

  describe('declaring', () => {
    const modulePath = path.join(__dirname, 'addon', 'build', 'Release', 'signatures.node');

    // Loads the addon with a class that has this member, or this name.
    function load(member, signature, { size } = {}) {
      Object.assign(process.env, { FIBRIL_TEST_CLASS: member, FIBRIL_TEST_SIGNATURE: signature });
      if (size !== undefined) process.env.FIBRIL_TEST_SIZE = size;
      delete require.cache[modulePath];
      try {
        return require(modulePath);
      } finally {
        for (const name of ['CLASS', 'SIGNATURE', 'SIZE']) {
          delete process.env[`FIBRIL_TEST_${name}`];
        }
      }
    }

    const refuses = (member, signature, rest, options) =>
      assert.throws(() => load(member, signature, options), {
      code: 'ERR_FIBRIL_SIGNATURE',
      message: `fibril_${member === 'class'
        ? 'export_class' : `class_${member.split(' ')[0]}`}: "${signature}": ${rest}`,
    });

    it('takes names, constructors, methods and getters as TypeScript has them', async () => {
      assert.strictEqual(load('class', ' $Name_1 ').$Name_1.name, '$Name_1');
      assert.strictEqual(load('constructor', '( a: any, b: number, c?: string )').Echo.length, 2);
      assert.strictEqual(await new (load('method', 'echo(a: any): Promise<any>').Echo)().echo('a'),
        'a');
      for (const type of ['number', 'Map<string, () => number[]>', '{ a: [1, 2] }[]', 'a | b']) {
        assert.strictEqual(new (load('getter', `get: ${type}`).Echo)().get, undefined);
      }
    });

    it('fails the load otherwise, and says where', () => {
      refuses('class', '', 'expected a name at position 0');
      refuses('class', 'a b', 'expected the end at position 2');
      refuses('constructor', 'a()', 'expected \'(\' at position 0');
      refuses('constructor', '(a: string', 'expected \',\' or \')\' at position 10');
      refuses('constructor', '(): void', 'expected the end at position 2');
      refuses('constructor', '(options?: {signal?: AbortSignal})',
        'expected no AbortSignal at position 0');
      refuses('constructor twice', '()', 'expected one constructor at position 0');
      refuses('method', 'm()', 'expected \':\' and the type of the result at position 3');
      refuses('method', 'm(): Generator<number>',
        'expected Promise<...> or a type that is no generator\'s at position 5');
      refuses('method', 'constructor(): Promise<any>', 'expected another name at position 0');
      refuses('getter', 'g', 'expected \':\' and the type of the property at position 1');
      refuses('getter', 'g: ', 'expected \':\' and the type of the property at position 3');
      refuses('getter', 'g(): any', 'expected \':\' and the type of the property at position 1');
      refuses('getter', 'g: Map<1', 'expected \'>\' at position 8');
      refuses('getter', 'g: 1]', 'expected the end at position 4');
      refuses('getter', 'constructor: any', 'expected another name at position 0');
      refuses('class', 'Echo', 'invalid argument', { size: '3' });
      refuses('method', 'm(): Promise<any>', 'invalid argument', { size: '3' });
      assert.throws(() => load('class', 'class'), { name: 'Error' });
    });

    it('ends with the module\'s load', async () => {
      assert.strictEqual(await late(), -22);
      assert.strictEqual('late' in Counter.prototype, false);
    });
  });
});

function shown({ name, code, message }) {
  return { name, code, message };
}
