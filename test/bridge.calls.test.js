'use strict';

// C calls JavaScript functions and waits for their promises; async context on the way there and
// back.

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const co = require('../lib');
const { natives, runScript, collectUntil, errorOf } = require('./support/natives');

const als = new AsyncLocalStorage();

describe('JavaScript called from C', () => {
  for (const [when, later] of [['before the first wait', false], ['after a wait', true]]) {
    describe(when, () => {
      it('gives its result, its promise\'s or its thenable\'s', async () => {
        assert.strictEqual(await natives.call((a, b) => a + b, 40, later), 42);
        assert.strictEqual(await natives.call(async (a, b) => a * b, 21, later), 42);
        assert.strictEqual(await natives.call(() =>
          new Promise((resolve) => setTimeout(resolve, 2, 'timer')), 0, later), 'timer');
        assert.strictEqual(await natives.call(() => ({ then: (resolve) => resolve('thenable') }), 0,
          later), 'thenable');
        assert.strictEqual(await natives.call(() => undefined, 0, later), undefined);
      });

      it('gives what it throws or rejects with', async () => {
        const reason = new Error('reason');
        assert.strictEqual(await errorOf(natives.call(() => { throw reason; }, 0, later)), reason);
        assert.strictEqual(await errorOf(natives.call(() => Promise.reject(reason), 0, later)),
          reason);
        assert.strictEqual(await errorOf(natives.call(() => ({ get then() { throw reason; } }), 0,
          later)), reason);
        assert.strictEqual(await errorOf(natives.call(() => ({ then: () => { throw reason; } }), 0,
          later)), reason);
      });

      it('runs on the loop\'s stack, with all of its room', async () => {
        const depth = (n) => (n === 0 ? 0 : 1 + depth(n - 1));
        assert.strictEqual(await natives.call(() => depth(5000), 0, later), 5000);
      });

      it('may overflow its stack, which is an error like any other', async () => {
        const endless = () => endless() + 1;
        const error = await errorOf(natives.call(endless, 0, later));
        assert.ok(error instanceof RangeError);
        assert.strictEqual(error.message, 'Maximum call stack size exceeded');
        assert.strictEqual(await natives.add(1, 2), 3);
      });
    });
  }

  it('is handed its arguments', async () => {
    const given = [];
    const symbol = Symbol('s');
    await natives.call((...args) => given.push(...args), symbol);
    await natives.call((...args) => given.push(...args), 'text', true);
    assert.deepStrictEqual(given, [symbol, 2, 'text', 2]);
  });

  it('is handed any number of arguments', async () => {
    assert.deepStrictEqual(await natives.callWithMany((...list) => list),
      Array.from({ length: 16 }, (_, i) => i));
  });

  it('has undefined as this in strict functions', async () => {
    assert.strictEqual(await natives.call(function () { return this; }, 0), undefined);
  });

  it('gives C the message of what it threw', async () => {
    assert.strictEqual(await natives.messageOfThrow(() => { throw new TypeError('thrown'); }),
      'thrown');
    assert.strictEqual(await natives.messageOfThrow(
      async () => { throw new Error('rejected \u00e9'); }), 'rejected \u00e9');
    assert.strictEqual(await natives.messageOfThrow(() => { throw 'text'; }), '');
    const hostile = Object.defineProperty(new Error('x'), 'message',
      { get() { throw new Error('again'); } });
    assert.strictEqual(await natives.messageOfThrow(() => { throw hostile; }), '');
    assert.strictEqual(await natives.add(1, 2), 3, 'nothing is left pending');
    assert.strictEqual(await natives.messageOfThrow(() => 1), 'no error');
  });

  it('calls C that calls JavaScript, nested five deep', async () => {
    const trace = [];
    const down = async (depth) => {
      trace.push(depth);
      if (depth === 5) return 'bottom';
      const result = await natives.call(() => down(depth + 1), 0, depth % 2 === 1);
      trace.push(-depth);
      return result;
    };
    assert.strictEqual(await down(0), 'bottom');
    assert.deepStrictEqual(trace, [0, 1, 2, 3, 4, 5, -4, -3, -2, -1, -0]);
  });

  it('calls C synchronously nested, and the innermost is the first to begin', async () => {
    const trace = [];
    const down = (depth) => {
      trace.push(depth);
      const inner = depth < 20 ? natives.call(() => down(depth + 1), 0) : natives.fail('bottom');
      trace.push(-depth);
      return inner;
    };
    assert.strictEqual((await errorOf(down(1))).message, 'bottom');
    assert.deepStrictEqual(trace, [...Array.from({ length: 20 }, (_, i) => i + 1),
      ...Array.from({ length: 20 }, (_, i) => i - 20)]);
  });

  it('one call after the other, of one coroutine', async () => {
    const seen = [];
    const sum = await natives.sumCalls((i) => { seen.push(i); return i; }, 1000);
    assert.strictEqual(sum, 499500);
    assert.deepStrictEqual(seen, Array.from({ length: 1000 }, (_, i) => i));
    assert.strictEqual(await natives.sumCalls(async (i) => i, 1000), 499500);
    assert.strictEqual(await natives.sumCalls((i) => (i % 3 === 0 ? natives.echoMoment(i) : i),
      100), 4950);
  });

  it('ends the coroutine where it throws, in the middle', async () => {
    let calls = 0;
    const error = await errorOf(
      natives.sumCalls((i) => { calls++; if (i === 7) throw new Error('seven'); return i; }, 1000));
    assert.strictEqual(error.message, 'seven');
    assert.strictEqual(calls, 8);
  });

  it('a thousand at the same time, each with its own result', async () => {
    const resolves = [];
    const promises = Array.from({ length: 1000 },
      (_, i) => natives.call(() => new Promise((resolve) => { resolves[i] = resolve; }), i,
        i % 2 === 0));
    while (resolves.filter(Boolean).length < 1000) await new Promise(setImmediate);
    for (let i = 999; i >= 0; i--) resolves[i](i * 2);
    assert.deepStrictEqual(await Promise.all(promises),
      Array.from({ length: 1000 }, (_, i) => i * 2));
  });

  it('two coroutines of one call', async () => {
    assert.deepStrictEqual(await natives.callBoth(async () => 'first', () => 'second'),
      ['first', 'second']);
    const trace = [];
    const slow = async () => {
      trace.push('begins');
      await natives.echoLater(0, 5);
      trace.push('ends');
      throw new Error('slow');
    };
    const error = await errorOf(natives.callBoth(slow,
      () => { trace.push('fails'); throw new Error('fast'); }));
    assert.strictEqual(error.message, 'slow', 'the first in order, after both have ended');
    assert.deepStrictEqual(trace, ['begins', 'fails', 'ends']);
  });

  it('a promise that resolves twice, or late, or never, harms nobody', async () => {
    const twice = () => (
      { then: (resolve, reject) => { resolve(1); resolve(2); reject(new Error('x')); } });
    assert.strictEqual(await natives.call(twice, 0), 1);
    const { code, stderr } =
      await runScript(
        'natives.call(() => new Promise(() => {}), 0).then(() => { throw new Error("no"); });');
    assert.strictEqual(code, 0);
    assert.match(stderr, /^\(node:\d+\) \[FIBRIL_WAITING\].*\ncall waits for JavaScript\n/);
  });

  it('lets go of the function after the call', async () => {
    const weak = await (async () => {
      const fn = () => 1;
      await natives.call(fn, 0, true);
      return new WeakRef(fn);
    })();
    await collectUntil(() => weak.deref() === undefined);
  });

  it('runs promise jobs before C goes on waiting, also from the bare loop', async () => {
    const trace = [];
    await natives.sumCalls((i) => {
      trace.push(`call ${i}`);
      process.nextTick(() => trace.push(`tick ${i}`));
      queueMicrotask(() => trace.push(`job ${i}`));
      return natives.echoMoment(i);
    }, 2);
    assert.ok(trace.indexOf('job 0') < trace.indexOf('call 1') &&
      trace.indexOf('tick 0') < trace.indexOf('call 1'), trace.join());
  });

  it('as a done callback of a Future: an exception is uncaught, and the next callback still runs',
    async () => {
    const { code, stdout } = await runScript(`
      const seen = [];
      process.on('uncaughtException', (error) => seen.push(error.message));
      process.on('exit', () => console.log(seen.join()));
      const future = natives.runtime.future(natives.echoMoment)(1);
      future.addDoneCallback(() => { throw new Error('first'); });
      future.addDoneCallback(() => seen.push('second'));
      future.addDoneCallback(() => { throw new Error('third'); });`);
    assert.deepStrictEqual([stdout, code], ['second,first,third\n', 0]);
  });

  it('as a thenable\'s method run by a batch: an exception rejects, and the batch goes on',
    async () => {
    const hostile = { get then() { throw new Error('then'); } };
    const [a, b, c] = await Promise.allSettled(
      [natives.echoMoment(1), natives.echoMoment(hostile), natives.echoMoment(3)]);
    assert.deepStrictEqual([a.value, b.reason.message, c.value], [1, 'then', 3]);
  });
});

describe('AsyncLocalStorage', () => {
  const contexts = Array.from({ length: 10 }, (_, i) => ({ i }));

  it('in a function called from C is that of the native call', async () => {
    for (const later of [false, true]) {
      const seen = await Promise.all(
        contexts.map((context) =>
          als.run(context, () => natives.call(() => als.getStore(), null, later))));
      seen.forEach((store, i) => assert.strictEqual(store, contexts[i]));
    }
  });

  it('is there in each of many calls, after waits of every kind', async () => {
    await Promise.all(contexts.map((context) => als.run(context, async () => {
      const stores = new Set();
      await natives.sumCalls(async (i) => {
        stores.add(als.getStore());
        await natives.echoLater(0, i % 3);
        stores.add(als.getStore());
        return 0;
      }, 20);
      assert.deepStrictEqual([...stores], [context]);
    })));
  });

  it('after the await of a native function is that from before', async () => {
    const calls = [() => natives.echo(1), () => natives.echoMoment(1), () => natives.pass(1),
      () => natives.echoLater(1, 3),
      () => natives.work(1), () => natives.fail('x', true).catch(() => {}),
      () => natives.sumChildren()];
    await Promise.all(contexts.map((context) => als.run(context, async () => {
      for (const call of calls) {
        await call();
        assert.strictEqual(als.getStore(), context);
      }
    })));
    assert.strictEqual(als.getStore(), undefined);
  });

  it('does not leak from one call of a batch into the next', async () => {
    const seen = await Promise.all([...contexts, undefined]
      .map((context) => als.run(context, () => natives.echoMoment(1).then(() => als.getStore()))));
    assert.deepStrictEqual(seen, [...contexts, undefined]);
  });

  it('in a done callback is that of its registration', async () => {
    const start = natives.runtime.future(natives.echoMoment);
    const future = als.run('of the call', () => start(1));
    const seen = await new Promise((resolve) => {
      const list = [];
      for (const name of ['a', 'b']) {
        als.run(name, () => future.addDoneCallback(() => list.push(als.getStore())));
      }
      future.addDoneCallback(() => resolve(list));
    });
    assert.deepStrictEqual(seen, ['a', 'b']);
  });

  it('in a generator that a batch resumes is that of its wait', async () => {
    const wait = co.gen.sleep;
    const seen = await Promise.all(
      contexts.map((context, i) => als.run(context, () => co(function* () {
      const stores = [als.getStore()];
      for (let k = 0; k < 3; k++) {
        yield wait(1);
        stores.push(als.getStore());
      }
      als.enterWith(i);
      yield [wait(1), wait(2)];
      stores.push(als.getStore());
      return stores;
    }))));
    seen.forEach((stores, i) => assert.deepStrictEqual(stores, [...Array(4).fill(contexts[i]), i]));
  });

  it('in a listener of an AbortSignal and behind it is that of whoever awaits', async () => {
    const controller = new AbortController();
    const waiting = als.run('waiter',
      () => natives.forever({ signal: controller.signal }).catch(() => als.getStore()));
    als.run('aborter', () => controller.abort());
    assert.strictEqual(await waiting, 'waiter');
  });
});

describe('JavaScript that runs inside a call', () => {
  it('in hooks of async_hooks may make calls of its own', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { createHook } = require('node:async_hooks');
      const inner = [];
      let inside = false;
      const hook = createHook({
        init() {
          if (inside) return;
          inside = true;
          inner.push(natives.add(inner.length, 0.5), natives.echoMoment('inner ' + inner.length), natives.fail('inner', true).catch(() => 'failed'));
          inside = false;
        },
      }).enable();
      const { future } = natives.runtime;
      const later = (result) => () => result;
      const outer = [natives.add(1, 2), natives.pass(7), natives.echoMoment('a'), natives.echo('b'), future(natives.add)(3, 4), future(natives.pass)(5),
        natives.call(later(8), 0), natives.call(async () => 9, 0), natives.fail('outer').catch((error) => error.message),
        natives.forever({ signal: AbortSignal.timeout(1) }).catch((error) => error.name)];
      Promise.all(outer).then(async (results) => {
        hook.disable();
        console.log(results.join());
        const wrong = (await Promise.all(inner)).filter((result, i) => result !== [i + 0.5, 'inner ' + (i - 1), 'failed'][i % 3]);
        console.log(inner.length > 20, wrong);
      });`);
    assert.deepStrictEqual([stdout, stderr, code],
      ['3,7,a,b,7,5,8,9,outer,AbortError\ntrue []\n', '', 0]);
  });

  it('as a promise\'s own then is not asked, as await does not', async () => {
    const promise = Promise.resolve('of the promise');
    promise.then = (resolve) => {
      resolve('at once');
      throw new Error('of then');
    };
    assert.strictEqual(await natives.call(() => promise, 0), 'of the promise');
  });

  it('is refused in a worker that ends, without a word about memory', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(\`
        const { workerData, parentPort } = require('node:worker_threads');
        require(workerData).callStubbornly(() => {
          parentPort.postMessage('inside');
          for (;;);
        });
      \`, { eval: true, workerData: nativesPath });
      worker.once('message', () => worker.terminate());
      worker.on('exit', () => console.log('ended'));`);
    assert.deepStrictEqual([stdout, stderr, code], ['ended\n', 'FIBRIL_ECLOSED\n'.repeat(3), 0]);
  });
});
