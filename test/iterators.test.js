'use strict';

// Generators from C: what for...of, for await and direct calls of their methods see, next to
// JavaScript's own; how they end.

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const path = require('node:path');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const co = require('../lib');
const { collectUntil, errorOf, runScript } = require('./support/natives');

const iteratorsPath = path.join(__dirname, 'addon', 'build', 'Release', 'iterators.node');
const addon = require(iteratorsPath);

const turn = () => new Promise(setImmediate);
const live = async () => (await addon.counts()).live;

async function collect(iterable) {
  const values = [];
  for await (const value of iterable) values.push(value);
  return values;
}

// ---- The same in JavaScript ----

function* echo() {
  let value = 'ready';
  for (;;) {
    try {
      value = yield value;
    } catch (error) {
      value = error.message;
    }
    if (value?.startsWith?.('!')) throw Object.assign(new Error(value.slice(1)), { code: 'EIO' });
    if (value?.startsWith?.('.')) return value;
  }
}

async function* echoAsync() {
  return yield* echo();
}

async function* countLater(to) {
  for (let i = 0; i < to; i++) {
    await turn();
    yield i;
  }
  return to;
}

// Any sequence of calls of the three methods, from a seed.
function randomCalls(seed, length) {
  const arguments_ = ['a', 'b', undefined, 7, '!bad', '.end'];
  let state = seed;
  const random = (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
  return Array.from({ length }, () => {
    const method = ['next', 'next', 'next', 'throw', 'return'][random(5)];
    const argument = method === 'throw'
      ? new Error(`thrown ${random(9)}`) : arguments_[random(method === 'next' ? 6 : 4)];
    return { method, argument };
  });
}

const told = (error) => `${error.code ?? ''} ${error.message}`;

function outcomesNow(iterator, calls) {
  return calls.map(({ method, argument }) => {
    try {
      return iterator[method](argument);
    } catch (error) {
      return told(error);
    }
  });
}

// All of them at once, or each after the answer to the last.
async function outcomes(iterator, calls, atOnce) {
  const answers = [];
  const order = [];
  for (const [i, { method, argument }] of calls.entries()) {
    const answer = iterator[method](argument).catch(told);
    answer.then(() => order.push(i));
    answers.push(answer);
    if (!atOnce) await answer;
  }
  return { answers: await Promise.all(answers), order };
}

describe('what JavaScript does while an item is converted', () => {
  it('to other generators changes nothing here', async () => {
    const { code, stdout, stderr } = await runScript(`
      const addon = require(${JSON.stringify(iteratorsPath)});
      Error.prepareStackTrace = (error) => {
        [...addon.count(1)];
        return String(error);
      };
      console.log([...addon.troubles(3)].map(([error]) => error.message).join());`);
    assert.deepStrictEqual([stdout, stderr, code], ['item 0,item 1,item 2\n', '', 0]);
  });

  it('to the same generator while it is sent something', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { createHook } = require('node:async_hooks');
      const addon = require(${JSON.stringify(iteratorsPath)});
      const generators = [addon.echo(), addon.echo()], seen = [];
      for (const generator of generators) generator.next();
      let ended = null;
      const end = () => {
        const generator = ended;
        ended = null;
        if (generator !== null) seen.push(generator.return('ended').value);
      };
      createHook({ init: end }).enable();
      ended = generators[0];
      seen.push(generators[0].next(() => {}).done); // what is sent is a function, whose async context is kept
      ended = generators[1];
      try {
        generators[1].throw(Object.defineProperty(new Error('x'), 'message', { get() { end(); return 'of a getter'; } }));
      } catch (error) {
        seen.push(error.message);
      }
      console.log(seen.join());`);
    assert.deepStrictEqual([stdout, stderr, code], ['ended,true,ended,of a getter\n', '', 0]);
  });
});

describe('a generator in C with a deadline for each yield', () => {
  const text = (i) => `value number ${i}, which is a text on the heap`;

  // A yield that is late has handed nothing over, and what was handed over comes once, in order.
  for (const [name, keeps] of [['inTime', 0], ['inTimeAhead', 4]]) {
    it(`that nobody asks in time goes on without those values (${name})`, async () => {
      const iterator = addon[name](20, 1);
      const values = [(await iterator.next()).value];
      while (co.inspect().length > 0) await turn(); // it ends by itself
      let item = await iterator.next();
      for (; !item.done; item = await iterator.next()) values.push(item.value);
      const numbers = values.map((value) => Number(value.match(/number (\d+)/)[1]));
      assert.deepStrictEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
      assert.deepStrictEqual(values, numbers.map(text));
      assert.ok(values.length >= 1 && values.length <= keeps + 1, String(values.length));
      assert.ok(item.value >= 20 - values.length - 1, `${item.value} were late`);
    });
  }

  it('loses nothing when its consumer does not wait, and is slow', () => {
    const values = [];
    for (const value of addon.inTimeAtOnce(5, 1)) {
      values.push(value);
      for (const end = performance.now() + 3; performance.now() < end;);
    }
    assert.deepStrictEqual(values, [0, 1, 2, 3, 4].map(text));
  });

  it('is not run for a deadline while nobody asks', async () => {
    const iterator = addon.inTimeAtOnce(3, 1);
    iterator.next();
    await co.sleep(5);
    assert.deepStrictEqual([...iterator], [1, 2].map(text));
  });
});

describe('generators from C', () => {
  describe('for a synchronous iterator', () => {
    it('give their values to for...of and spread, and what they return to next', () => {
      assert.deepStrictEqual([...addon.count(4)], [0, 1, 2, 3]);
      assert.deepStrictEqual(Math.max(...addon.count(100000)), 99999);
      const counted = addon.count(1);
      assert.deepStrictEqual([counted.next(), counted.next(), counted.next()], [
        { value: 0, done: false }, { value: 1, done: true }, { value: undefined, done: true },
      ]);
    });

    it('look like generators', () => {
      const generator = addon.count(1);
      assert.strictEqual(String(generator), '[object Generator]');
      assert.strictEqual(generator[Symbol.iterator](), generator);
      const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
      assert.ok(Object.prototype.isPrototypeOf.call(IteratorPrototype, generator));
      assert.deepStrictEqual([addon.count.name, addon.count.length, addon.echo.length],
        ['count', 1, 0]);
      assert.throws(() => generator.next.call({}), TypeError);
    });

    it('hand over values of every kind', () => {
      const last = { a: Symbol('a') };
      const generator = addon.ofAllKinds(last);
      assert.deepStrictEqual([...generator], [{ name: 'x' }, 'text', null, Buffer.from('ab'),
        last]);
    });

    it('answer as generators of JavaScript do, whatever is called', () => {
      for (let seed = 1; seed <= 200; seed++) {
        const calls = randomCalls(seed, 12);
        assert.deepStrictEqual(outcomesNow(addon.echo(), calls), outcomesNow(echo(), calls),
          JSON.stringify(calls));
      }
    });

    it('refuse bad arguments in the call', () => {
      assert.throws(() => addon.count('1'), {
        name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE',
        message: 'The "to" argument must be of type number. Received type string (\'1\')',
      });
    });

    it('throw what throw() threw, when that is what they return', () => {
      const generator = addon.rethrow();
      generator.next();
      const thrown = { any: 'value' };
      assert.throws(() => generator.throw(thrown), (error) => error === thrown);
      assert.deepStrictEqual(generator.next(), { value: undefined, done: true });
    });

    it('may not wait, and are told so', () => {
      const values = [];
      assert.throws(() => {
        for (const value of addon.sleepOnce()) values.push(value);
      }, { code: 'FIBRIL_ESYNC', message: 'a synchronous function or generator can\'t wait' });
      assert.deepStrictEqual(values, [1]);
      assert.throws(() => addon.callOnce(() => 1).next(), { code: 'FIBRIL_ESYNC' });
    });

    it('get an error back that they yield', () => {
      const generator = addon.badValue();
      generator.next();
      assert.throws(() => generator.next(), { code: 'ENOSPC', message: 'no room for the value' });
    });

    it('unwind when the loop is left', async () => {
      for (const value of addon.count(10)) if (value === 2) break;
      assert.strictEqual(await live(), 0);
    });
  });

  describe('for an asynchronous iterator', () => {
    for (const name of ['stream', 'countLater', 'countAhead', 'countLaterAhead']) {
      it(`give their values in order (${name})`, async () => {
        assert.deepStrictEqual(await collect(addon[name](500)),
          Array.from({ length: 500 }, (_, i) => i));
        assert.deepStrictEqual(await collect(addon[name](0)), []);
      });

      it(`unwind when the loop is left (${name})`, async () => {
        for await (const value of addon[name](500)) if (value === 3) break;
        assert.strictEqual(await live(), 0);
        await assert.rejects(async () => {
          for await (const value of addon[name](500)) assert.notStrictEqual(value, 3);
        }, assert.AssertionError);
        assert.strictEqual(await live(), 0);
      });
    }

    it('look like generators', async () => {
      const generator = addon.stream(1);
      assert.strictEqual(String(generator), '[object AsyncGenerator]');
      assert.strictEqual(generator[Symbol.asyncIterator](), generator);
      assert.ok(generator.next() instanceof Promise);
      assert.ok((await errorOf(generator.next.call({}))) instanceof TypeError);
    });

    it('hand over values of every kind', async () => {
      const last = { a: Symbol('a') };
      const values = await collect(addon.ofAllKindsAsync(last));
      assert.deepStrictEqual(values, [{ name: 'x' }, 'text', null, Buffer.from('ab'), last]);
    });

    for (const atOnce of [false, true]) {
      it(`answer as generators of JavaScript do, whatever is called${atOnce ? ' at once' : ''}`,
        async () => {
        for (let seed = 1; seed <= 200; seed++) {
          const calls = randomCalls(seed, 12);
          const [ours, theirs] = await Promise.all([outcomes(addon.echoAsync(), calls, atOnce),
            outcomes(echoAsync(), calls, atOnce)]);
          assert.deepStrictEqual(ours.answers, theirs.answers, JSON.stringify(calls));
        }
      });
    }

    it('serve requests one after the other, return after the values before it', async () => {
      const methods = ['next', 'next', 'return', 'next', 'throw'];
      const calls = methods.map(
        (method) => ({ method, argument: method === 'throw' ? new Error('late') : 5 }));
      const ours = await outcomes(addon.countLater(9), calls, true);
      assert.deepStrictEqual(ours.answers, (await outcomes(countLater(9), calls, true)).answers);
      assert.deepStrictEqual(ours.order, [0, 1, 2, 3, 4]);
    });

    it('refuse bad arguments in the call', () => {
      assert.throws(() => addon.stream(), { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => addon.hang('signal'), {
        code: 'ERR_INVALID_ARG_TYPE',
        message: 'The "signal" argument must be an instance of AbortSignal. Received type string (\'signal\')',
      });
    });

    it('reject with an error, once', async () => {
      const generator = addon.badValueAsync();
      await generator.next();
      assert.deepStrictEqual((await errorOf(generator.next())).code, 'ENOSPC');
      assert.deepStrictEqual(await generator.next(), { value: undefined, done: true });
    });

    it('let return() wait until they have unwound, and fail if that did', async () => {
      const generator = addon.careful(0);
      await generator.next();
      const returned = generator.return(Promise.resolve('value'));
      assert.strictEqual(await live(), 1);
      assert.deepStrictEqual(await returned, { value: 'value', done: true });
      assert.strictEqual(await live(), 0);

      const failing = addon.careful(-5);
      await failing.next();
      assert.strictEqual((await errorOf(failing.return())).code, 'EIO');
      assert.deepStrictEqual(await failing.return(1), { value: 1, done: true });
    });

    it('end with Symbol.asyncDispose', async () => {
      const generator = addon.stream(3);
      await generator.next();
      await generator[Symbol.asyncDispose]();
      assert.strictEqual(await live(), 0);
    });

    it('call JavaScript in the context of who gave the function', async () => {
      const storage = new AsyncLocalStorage();
      const values = [];
      const make = () => addon.mapped(async (i) => {
        await turn();
        return `${storage.getStore()} ${i}`;
      });
      const generator = storage.run('given', make);
      await storage.run('used', async () => {
        for await (const value of generator) {
          values.push(value, storage.getStore());
          if (values.length === 4) break;
        }
      });
      assert.deepStrictEqual(values, ['given 0', 'used', 'given 1', 'used']);
      await assert.rejects(collect(addon.mapped(() => { throw new RangeError('mine'); })),
        { name: 'RangeError', message: 'mine' });
    });

    it('hear of a throw() that comes while they are on their way back from a yield, once',
      async () => {
      const generator = addon.echoAhead();
      await generator.next();
      generator.next(); // leaves room
      addon.counts();
      assert.deepStrictEqual(await generator.throw(new Error('thrown')),
        { value: 'thrown', done: false });
      await turn();
      assert.strictEqual((await addon.counts()).yielded, 4,
        'the message, and three values for undefined');
      await generator.return();
    });

    it('queue what is asked of them by a function that they call', async () => {
      for (const ended of [undefined, Promise.resolve()]) {
        const inner = [];
        const generator = addon.mapped((i) => {
          if (i === 0) inner.push(generator.next(), generator.return('r'), generator.next());
          return ended?.then(() => i) ?? i;
        });
        assert.deepStrictEqual(await generator.next(), { value: 0, done: false });
        assert.deepStrictEqual(await Promise.all(inner),
          [{ value: 1, done: false }, { value: 'r', done: true },
            { value: undefined, done: true }]);
      }
    });

    it('are their function\'s alone to yield from and nobody\'s to resume', async () => {
      const generator = addon.misuse();
      const codes = [(await generator.next()).value, (await generator.next()).value,
        (await generator.next()).value];
      assert.deepStrictEqual(codes, [-5002, -5006, -5006]); // FIBRIL_ENOTCOROUTINE, FIBRIL_ERUNNING
    });
  });

  describe('of a class', () => {
    const { Ladder } = addon;

    it('are methods that have the struct', async () => {
      assert.deepStrictEqual([...new Ladder(2).rungs(7)], [0, 2, 4, 6]);
      assert.deepStrictEqual(await collect(new Ladder(3).climb(7)), [0, 3, 6]);
      assert.deepStrictEqual([Ladder.prototype.climb.name, Ladder.prototype.rungs.length],
        ['climb', 1]);
      assert.deepStrictEqual(Object.keys(Ladder.prototype), []);
    });

    it('refuse another this', () => {
      const { rungs, climb } = Ladder.prototype;
      for (const method of [rungs, climb]) {
        assert.throws(() => method.call({}, 1),
          { code: 'ERR_INVALID_THIS', message: 'Value of "this" must be of type Ladder' });
      }
    });

    it('keep the struct until they have ended', async () => {
      await addon.counts();
      await (async () => { // whose variable would keep the iterator, and that its object
        const generator = new Ladder(2).climb(9);
        await generator.next();
        for (let i = 0; i < 5; i++) await collectUntil(() => true);
        assert.deepStrictEqual(await generator.next(), { value: 2, done: false });
        assert.strictEqual((await addon.counts()).yielded, 0);
        await generator.return();
      })();
      await collectUntil(async () => (await addon.counts()).yielded === -1);
    });
  });

  describe('declaring', () => {
    it('fails the load where a signature or an option makes no sense', () => {
      const refuses = (kind, message) => {
        process.env.FIBRIL_TEST_GENERATOR = kind;
        delete require.cache[iteratorsPath];
        try {
          assert.throws(() => require(iteratorsPath), { code: 'ERR_FIBRIL_SIGNATURE', message });
        } finally {
          delete process.env.FIBRIL_TEST_GENERATOR;
        }
      };
      refuses('0',
        /^fibril_export_generator: "bad\(\): AsyncGenerator<number>": expected Generator<\.\.\.>/);
      refuses('1',
        /^fibril_export_async_generator: "bad\(\): Promise<number>": expected AsyncGenerator<\.\.\.>/);
      refuses('2',
        /^fibril_export_generator: "bad\(\): Generator<number>": expected no values ahead/);
      refuses('3', /^fibril_export_generator: .*: expected no AbortSignal/);
      refuses('4', /^fibril_export_async_generator: .*: expected at most 65536 values ahead/);
      refuses('5', /^fibril_class_generator: .*: expected another name/);
      refuses('6', /^fibril_class_async_generator: .*: expected another name/);
    });
  });

  describe('back-pressure', () => {
    async function yieldedAfter(generator, count) {
      await addon.counts();
      for (let i = 0; i < count; i++) await generator.next();
      for (let i = 0; i < 10; i++) await turn();
      const { yielded } = await addon.counts();
      await generator.return();
      return yielded;
    }

    it('runs nothing before the first next', async () => {
      assert.strictEqual(await yieldedAfter(addon.countAhead(100), 0), 0);
    });

    it('without `ahead` yields what is asked for', async () => {
      assert.strictEqual(await yieldedAfter(addon.stream(100), 1), 1);
      assert.strictEqual(await yieldedAfter(addon.countLater(100), 7), 7);
    });

    it('with it yields as many more as that, and no more', async () => {
      for (const name of ['countAhead', 'countLaterAhead']) {
        for (let asked = 1; asked < 20; asked++) {
          const yielded = await yieldedAfter(addon[name](100), asked);
          assert.ok(yielded > asked + 4 / 2 && yielded <= asked + 4, `${yielded} for ${asked}`);
        }
      }
    });

    it('drops what it was ahead by when it is told to end', async () => {
      const generator = addon.echoAhead();
      await generator.next();
      assert.deepStrictEqual(await generator.return(1), { value: 1, done: true });
      assert.deepStrictEqual(await generator.next(), { value: undefined, done: true });
    });
  });

  describe('with an AbortSignal', () => {
    it('end at once in a wait, after they have unwound', async () => {
      const controller = new AbortController();
      const generator = addon.hang(controller.signal);
      await generator.next();
      const next = generator.next();
      controller.abort('reason');
      const error = await errorOf(next);
      assert.deepStrictEqual([error.name, error.code, error.cause],
        ['AbortError', 'ABORT_ERR', 'reason']);
      assert.strictEqual(await live(), 0);
      assert.deepStrictEqual(await generator.next(), { value: undefined, done: true });
    });

    it('end between two values', async () => {
      const controller = new AbortController();
      const generator = addon.countLater(9, { signal: controller.signal });
      await generator.next();
      controller.abort();
      assert.strictEqual((await errorOf(generator.next())).name, 'AbortError');
      assert.strictEqual(await live(), 0);
    });

    it('end when a function that they call aborts, before it gives a promise', async () => {
      for (const at of [0, 1]) {
        const controller = new AbortController();
        const generator = addon.mapped((i) => {
          if (i < at) return i;
          controller.abort();
          return new Promise(() => {});
        }, controller);
        const error = await errorOf((async () => {
          for (;;) await generator.next();
        })());
        assert.strictEqual(error.name, 'AbortError');
      }
    });

    it('hand over what they were ahead by first', async () => {
      const controller = new AbortController();
      const generator = addon.countAhead(100, { signal: controller.signal });
      const values = [];
      const error = await errorOf((async () => {
        for await (const value of generator) {
          values.push(value);
          if (value === 0) controller.abort();
        }
      })());
      assert.strictEqual(error.name, 'AbortError');
      assert.deepStrictEqual(values, [0, 1, 2, 3]);
    });

    it('that throws when it is asked ends them as an aborted one', async () => {
      const reason = new Error('mine');
      let broken = false;
      const signal = (key) => ({
        get aborted() {
          if (broken && key === 'aborted') throw reason;
          return broken;
        },
        get reason() {
          throw reason;
        },
        addEventListener() {},
        removeEventListener() {},
      });
      for (const key of ['aborted', 'reason']) {
        broken = false;
        const generators = [1, 2, 3].map(() => addon.hang(signal(key)));
        broken = true;
        assert.strictEqual(await errorOf(generators[0].next()), reason);
        assert.strictEqual(await errorOf(generators[1].throw('thrown')), 'thrown');
        assert.deepStrictEqual(await generators[2].return('value'), { value: 'value', done: true });
        for (const generator of generators) {
          assert.deepStrictEqual(await generator.next(), { value: undefined, done: true });
        }
      }
      assert.strictEqual((await addon.counts()).live, 0);
    });

    it('may ask for more while it is asked: that comes after', async () => {
      const requests = [];
      let asked = false;
      const generator = addon.countLater(2, {
        signal: {
          get aborted() {
            if (asked && requests.length === 0) requests.push(generator.next());
            return false;
          },
          addEventListener() {},
          removeEventListener() {},
        },
      });
      asked = true;
      const first = await generator.next();
      const values = [first, ...await Promise.all(requests)].map(({ value }) => value);
      assert.deepStrictEqual(values, [0, 1]);
      await generator.return();
    });

    it('a promise given to return() that cannot be asked is a rejection', async () => {
      const reason = new Error('mine');
      const generator = addon.countLater(2);
      await generator.next();
      const promise = Object.defineProperty(Promise.resolve(), 'constructor', {
        get() {
          throw reason;
        },
      });
      assert.strictEqual(await errorOf(generator.return(promise)), reason);
      assert.deepStrictEqual(await generator.next(), { value: undefined, done: true });
    });

    it('never start when it was aborted before', async () => {
      const generator = addon.countLater(9, { signal: AbortSignal.abort('early') });
      await addon.counts();
      assert.strictEqual((await errorOf(generator.next())).cause, 'early');
      assert.deepStrictEqual(await generator.next(), { value: undefined, done: true });
      assert.deepStrictEqual(await addon.counts(), { live: 0, yielded: 0 });
    });

    it('leave no listener', async () => {
      const { signal } = new AbortController();
      const { getEventListeners } = require('node:events');
      const generators = Array.from({ length: 20 }, () => addon.countLater(2, { signal }));
      assert.strictEqual(getEventListeners(signal, 'abort').length, 1);
      await Promise.all(generators.map(collect));
      assert.deepStrictEqual(getEventListeners(signal, 'abort'), []);
      for (let i = 0; i < 20; i++) addon.countLater(2, { signal });
      await collectUntil(() => getEventListeners(signal, 'abort').length === 0);
    });
  });

  describe('that nobody has any more', () => {
    it('are unwound', async function () {
      this.timeout(20000);
      for (let i = 0; i < 300; i++) {
        addon.stream(5);
        await addon.stream(5).next();
        await addon.countLaterAhead(50).next();
        addon.count(5).next();
        await addon.careful(0).next();
      }
      assert.ok(await live() > 0);
      await collectUntil(async () => (await live()) === 0);
    });

    it('are not collected while a value is asked for', async () => {
      const next = addon.countLater(1).next();
      await collectUntil(() => true);
      assert.deepStrictEqual(await next, { value: 0, done: false });
    });

    it('say so when their unwinding fails', async () => {
      const { code, stderr } = await runScript(`
        const { careful } = require(${JSON.stringify(iteratorsPath)});
        (async () => {
          await careful(-5).next();
          for (let i = 0; i < 20; i++) {
            await new Promise(setImmediate);
            gc();
          }
        })();`, { flags: ['--expose-gc'] });
      assert.strictEqual(code, 0);
      assert.match(stderr, /a generator that nobody had any more failed: .*i\/o error/);
    });
  });

  describe('at the end', () => {
    it('of a process that does not go on are no reason to warn', async () => {
      const { code, stderr } = await runScript(`
        const { stream } = require(${JSON.stringify(iteratorsPath)});
        const generator = stream(5);
        generator.next();
        process.on('exit', () => generator);`);
      assert.deepStrictEqual([code, stderr], [0, '']);
    });

    it('of a worker end in a yield behind a mask, too, which does not wait for a consumer that is gone', async function () {
      this.timeout(20000);
      const before = await live();
      const worker = new Worker(`
        const its = require(${JSON.stringify(iteratorsPath)});
        globalThis.all = [its.maskedAsync(), its.maskedAhead(), its.maskedAhead()];
        Promise.all(all.map((generator) => generator.next())).then(() => {
          require('node:worker_threads').parentPort.postMessage('begun');
          all[2].next();
          for (;;);
        });`, { eval: true });
      await once(worker, 'message');
      await worker.terminate();
      assert.strictEqual(await live(), before);
    });

    it('of a worker are unwound wherever they are', async function () {
      this.timeout(20000);
      const before = await live();
      for (let i = 0; i < 5; i++) {
        const worker = new Worker(`
          const { parentPort } = require('node:worker_threads');
          const its = require(${JSON.stringify(iteratorsPath)});
          const all = [its.stream(3), its.countAhead(9), its.hang(), its.count(3), its.careful(0), its.hang(), its.stream(1)];
          const fresh = its.stream(3);
          globalThis.all = all;
          Promise.all(all.slice(0, 6).map((generator) => generator.next())).then(() => {
            all[5].next();
            parentPort.postMessage('begun');
            parentPort.on('message', () => fresh);
          });`, { eval: true });
        await once(worker, 'message');
        assert.ok(await live() > before);
        await worker.terminate();
        assert.strictEqual(await live(), before);
      }
    });
  });
});
