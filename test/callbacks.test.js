'use strict';

// JavaScript functions that C keeps, and calls from coroutines, from callbacks of the loop and from
// other threads.

const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { collectUntil, errorOf, runScript } = require('./support/natives');

const callbacksPath = path.join(__dirname, 'addon', 'build', 'Release', 'callbacks.node');
const {
  Late, Notifier, callEveryWay, callInARow, callSurvivor, countTold, forgetDeep, lateCodes, misuse,
  overfill, produce, shieldedCodes,
} = require(callbacksPath);

const als = new AsyncLocalStorage();

/** Runs a script in a process of its own, with the addon as `callbacks`. */
const run = (code) =>
  runScript(`const callbacks = require(${JSON.stringify(callbacksPath)}); ${code}`);

function startWorker(code) {
  return new Worker(`
    const callbacks = require(${JSON.stringify(callbacksPath)});
    const { parentPort } = require('node:worker_threads');
    ${code}`, { eval: true });
}

describe('JavaScript functions that C keeps', () => {
  for (const [from, method] of [['a coroutine', 'call'], ['a callback of the loop', 'start']]) {
    describe(`called from ${from}`, () => {
      it('give their result, their promise\'s or their thenable\'s', async () => {
        for (const fn of [(n) => n + 1, async (n) => n + 1,
          (n) => new Promise((resolve) => setImmediate(resolve, n + 1)),
          (n) => ({ then: (resolve) => resolve(n + 1) })]) {
          const notifier = new Notifier(fn);
          assert.strictEqual(await notifier[method](1), 2);
          assert.strictEqual(await notifier[method](2), 3);
          await notifier.close();
        }
      });

      it('give what they throw or reject with', async () => {
        const reason = new Error('reason');
        for (const fn of [() => { throw reason; }, () => Promise.reject(reason),
          () => new Promise((_, reject) => setImmediate(reject, reason))]) {
          const notifier = new Notifier(fn);
          assert.strictEqual(await errorOf(notifier[method](1)), reason);
          await notifier.close();
        }
      });

      it('run in the context of the call that brought them', async () => {
        const notifier = als.run('brought', () => new Notifier(async () => {
          await null;
          return als.getStore();
        }));
        assert.strictEqual(await als.run('called', () => notifier[method]()), 'brought');
        await notifier.close();
      });
    });
  }

  describe('called without waiting', () => {
    it('may be forgotten', async () => {
      const seen = [];
      const notifier = new Notifier((value) => seen.push(value));
      assert.strictEqual(await notifier.forget('a'), 0);
      assert.deepStrictEqual(seen, ['a']);
      await notifier.close();
    });

    it('then throw uncaught exceptions and unhandled rejections', async () => {
      const { code, stdout } = await run(`
        process.on('uncaughtException', (error, origin) => console.log(origin, error.message));
        new callbacks.Notifier(() => { throw new Error('thrown'); }, { unref: true }).forget(1);
        new callbacks.Notifier(async () => { throw new Error('rejected'); }, { unref: true }).forget(1);`);
      assert.strictEqual(stdout, 'uncaughtException thrown\nunhandledRejection rejected\n');
      assert.strictEqual(code, 0);
    });

    it('end the process with what they throw', async () => {
      const { code, stderr } =
        await run('new callbacks.Notifier(() => { throw new Error(\'thrown\'); }).forget(1);');
      assert.match(stderr, /Error: thrown/);
      assert.strictEqual(code, 1);
    });

    it('have a future that may be dropped: its error is logged', async () => {
      const { code, stderr } = await run(`
        const notifier = new callbacks.Notifier(() => { throw new Error('dropped'); }, { unref: true });
        notifier.drop(1);`);
      assert.match(stderr, /fibril: .*: dropped\n/);
      assert.strictEqual(code, 0);
    });

    it('have a future that may be cancelled; the promise goes on', async () => {
      let resolve;
      const notifier = new Notifier(() => new Promise((done) => { resolve = done; }));
      assert.strictEqual(await notifier.drop(1, true), -125);
      resolve(1);
      await notifier.close();
    });
  });

  describe('called from other threads', () => {
    it('are called in the order of each thread, and the thread hears of each result', async () => {
      const seen = [[], [], []];
      const result = await produce((thread, i) => {
        seen[thread].push(i);
        return i;
      }, { threads: 3, count: 1000, hear: true });
      for (const list of seen) {
        assert.deepStrictEqual(list, Array.from({ length: 1000 }, (_, i) => i));
      }
      assert.deepStrictEqual(result, {
        taken: 3000, again: 0, canceled: 0, heard: 3000, failed: 0, sum: 3 * 999 * 500, message: '',
      });
    });

    it('are given what the thread made', async () => {
      const seen = [];
      await produce((_, value) => seen.push(value),
        { threads: 2, count: 50, text: true, hear: true });
      assert.strictEqual(seen.length, 100);
      for (const value of seen) {
        assert.deepStrictEqual(value, { list: ['text', Buffer.from('bytes')] });
      }
    });

    for (const limit of [1, 3, 0]) {
      it(`are under way at most ${limit || 256} at a time: threads wait`, async () => {
        let running = 0;
        let most = 0;
        const { taken, heard } = await produce(async () => {
          most = Math.max(most, ++running);
          await new Promise(setImmediate);
          running--;
        }, { threads: 4, count: 300, limit, hear: true });
        assert.deepStrictEqual([taken, heard, running], [1200, 1200, 0]);
        assert.ok(most <= (limit || 256), `${most}`);
        if (limit > 0) assert.strictEqual(most, limit);
      });
    }

    it('are refused beyond that where the thread does not wait: UV_EAGAIN', async () => {
      let calls = 0;
      let release;
      const held = new Promise((resolve) => { release = resolve; });
      const result = produce(() => {
        calls++;
        return held;
      }, { threads: 1, count: 50, limit: 5, attempt: true, hear: true });
      await collectUntil(() => calls === 5);
      release(1);
      const { taken, again, heard } = await result;
      assert.deepStrictEqual([taken + again, heard], [50, taken]);
      assert.ok(taken >= 5 && again > 0, `${taken} taken, ${again} refused`);
    });

    it('give the thread what they throw or reject with', async () => {
      const { failed, heard, message } = await produce((_, i) => {
        if (i % 2) throw new Error('thrown');
        return Promise.reject(new Error('thrown'));
      }, { threads: 2, count: 100, limit: 10, hear: true });
      assert.deepStrictEqual([failed, heard, message], [200, 200, 'thrown']);
    });

    it('end the process with it when the thread does not hear of it', async () => {
      for (const [body, origin] of [['() => { throw new Error(\'thrown\'); }', 'uncaughtException'],
        ['async () => { throw new Error(\'thrown\'); }', 'unhandledRejection']]) {
        const { code, stdout } = await run(`
          let count = 0;
          process.on('uncaughtException', (error, origin) => { if (++count === 3) console.log(origin, error.message); });
          callbacks.produce(${body}, { threads: 1, count: 3, limit: 1 });`);
        assert.deepStrictEqual([stdout, code], [`${origin} thrown\n`, 0]);
      }
    });

    it('run in the context of the call that brought them', async () => {
      const stores = new Set();
      await als.run('brought', () => produce(async () => {
        await null;
        stores.add(als.getStore());
      }, { threads: 2, count: 10, hear: true }));
      assert.deepStrictEqual([...stores], ['brought']);
    });

    it('may be called again by who hears of a call, with room for one: and the loop\'s thread never waits for room', async () => {
      const seen = [];
      assert.strictEqual(await callInARow(async (n) => seen.push(n), 5), 0);
      assert.deepStrictEqual(seen, [5, 4, 3, 2, 1]);
    });

    it('may throw, wait and call back at once', async () => {
      const { sum } = await produce(async () => {
        const inner = await produce(() => 1, { threads: 1, count: 2, hear: true });
        return inner.sum;
      }, { threads: 2, count: 20, limit: 4, hear: true });
      assert.strictEqual(sum, 80);
    });
  });

  describe('hold the process', () => {
    it('until the last reference is dropped', async () => {
      const { code, stdout } = await run(`
        const notifier = new callbacks.Notifier(() => {});
        setTimeout(() => { console.log('closing'); notifier.close(); }, 20).unref();`);
      assert.deepStrictEqual([stdout, code], ['closing\n', 0]);
    });

    it('or not at all', async () => {
      const { code, stdout } = await run(`
        globalThis.notifier = new callbacks.Notifier(() => {}, { unref: true });
        setTimeout(() => { console.log('never'); }, 1e6).unref();`);
      assert.deepStrictEqual([stdout, code], ['', 0]);
    });

    it('until they are unheld, and again when they are held', async () => {
      const { code, stdout } = await run(`
        const notifier = globalThis.notifier = new callbacks.Notifier(() => {}, { unref: true });
        const hold = async (...all) => { for (const held of all) await notifier.hold(held); };
        process.once('beforeExit', async () => {
          console.log('unheld');
          await hold(true, true);
          setTimeout(() => { console.log('held'); hold(false, false); }, 20).unref();
        });
        hold(true, false);`);
      assert.deepStrictEqual([stdout, code], ['unheld\nheld\n', 0]);
    });

    it('but a promise that they returned does not', async () => {
      const { code, stdout } = await run(`
        callbacks.produce(() => { console.log('called'); return new Promise(() => {}); }, { threads: 1, count: 1 })
          .then(() => console.log('produced'));`);
      assert.deepStrictEqual([stdout, code], ['called\nproduced\n', 0]);
    });
  });

  describe('and their environment\'s end', () => {
    it('wakes threads that wait, and tells of every call', async () => {
      const before = await countTold();
      for (let i = 0; i < 20; i++) {
        // All of them answer, or, from the 100th on, none does: then 256 are under way at most.
        const [last, answer] = i % 2 ? [300, 'calls'] : [99 + 256,
          'calls < 100 ? calls : new Promise(() => {})'];
        const worker = startWorker(`
          let calls = 0;
          callbacks.flood(() => {
            if (++calls === ${last}) parentPort.postMessage('flooded');
            return ${answer};
          });`);
        await once(worker, 'message');
        await worker.terminate();
      }
      assert.ok(await countTold() >= before + 10 * 256, `${await countTold()} told`);
    });

    it('leaves a reference that answers UV_ECANCELED', async () => {
      const worker = startWorker(
        'callbacks.survive(() => {}).then(() => parentPort.postMessage(1));');
      await once(worker, 'message');
      await worker.terminate();
      assert.deepStrictEqual(await callSurvivor(), [-125, -125]);
    });

    it('is refused what is still called then: FIBRIL_ECLOSED', async () => {
      const worker = startWorker(
        'globalThis.late = new callbacks.Late(() => {}); parentPort.postMessage(1);');
      await once(worker, 'message');
      await worker.terminate();
      assert.deepStrictEqual(await lateCodes(), [-5004, -5004, false, false]);
    });

    for (const [how, start] of [['fibril_call', false], ['fibril_call_start', true]]) {
      it(`ends a wait for a promise behind a mask, which goes on to hold: ${how}`,
        async function () {
        this.timeout(20000);
        const worker = startWorker(
          `callbacks.shielded(() => new Promise(() => {}), ${start}); parentPort.postMessage(1);`);
        await once(worker, 'message');
        await worker.terminate();
        assert.deepStrictEqual(await shieldedCodes(), [-125, -5004, 0]);
      });
    }

    it('may be process.exit, with threads that wait', async () => {
      const { code } = await run(
        'let n = 0; callbacks.flood(() => { if (++n === 1000) process.exit(7); });');
      assert.strictEqual(code, 7);
    });
  });

  it('are collected with the object that keeps them', async () => {
    const gone = (() => {
      const fn = () => {};
      void new Notifier(fn, { unref: true });
      return new WeakRef(fn);
    })();
    await collectUntil(() => gone.deref() === undefined);
  });

  it('are awaited in coroutines alone: FIBRIL_ENOTCOROUTINE', () => {
    assert.strictEqual(new Late(() => {}).outside, -5002);
  });

  it('are refused on the loop\'s own thread beyond the limit, which never waits: UV_EAGAIN',
    async () => {
    assert.deepStrictEqual(await overfill(() => {}), [0, -11, -11]);
  });

  it('get as many arguments as there are', async () => {
    const seen = [];
    await callEveryWay((...list) => { seen.push(list.join('')); });
    assert.deepStrictEqual(seen, ['0123456789', '0123456789', '0123456789']);
  });

  it('are not called with what is too deep for JavaScript: FIBRIL_EEXCEPTION', async () => {
    let called = false;
    assert.strictEqual(await forgetDeep(() => { called = true; }), -5008);
    assert.strictEqual(called, false);
  });

  it('must be functions', async () => {
    const refused = [-5009, -5009, true, -5009];
    assert.deepStrictEqual(await misuse(() => {}, {}), [...refused, ...refused, ...refused, true]);
    assert.throws(() => new Notifier(1), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
