'use strict';

// IOLoop: the behaviours that Tornado's own tests of its loop assert.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { co, gen, turn, collectUntil, uncaughtDuring, unhandledDuring,
  iterations } = require('./support/gen');
const { natives, runScript } = require('./support/natives');

const { Future, IOLoop } = co;
const loop = IOLoop.current();
const lib = JSON.stringify(path.join(__dirname, '..', 'lib'));

const busyUntil = (when) => {
  while (loop.time() < when) { /* nothing else may run */ }
};

describe('IOLoop', () => {
  it('is one, whatever it is called', () => {
    assert.equal(IOLoop.instance(), loop);
    assert.ok(loop instanceof IOLoop);
  });

  describe('an iteration', () => {
    it('runs the callbacks that were there, then the timeouts that were due when it began',
      async () => {
      const log = [];
      const last = new Future();
      loop.callLater(0, () => log.push('later 0'));
      loop.callAt(loop.time() - 5, () => log.push('past'));
      loop.addCallback(() => {
        log.push(1);
        loop.addCallback(() => log.push('next 1'));
        loop.callAt(0, () => {
          log.push('not due when it began');
          last.setResult();
        });
        process.nextTick(() => log.push('tick'));
      });
      loop.addCallback(() => log.push(2));
      loop.addCallback(() => log.push(3));
      await last;
      assert.deepEqual(log, [1, 2, 3, 'tick', 'past', 'later 0', 'next 1',
        'not due when it began']);
    });

    it('runs one only of callbacks that add themselves, and never starves I/O', async () => {
      let turns = 0;
      let read = false;
      const again = () => {
        turns++;
        if (!read) loop.addCallback(again);
      };
      loop.addCallback(again);
      await new Promise((resolve) => fs.stat('.', () => {
        read = true;
        resolve();
      }));
      const before = turns;
      await iterations(3);
      assert.equal(turns, before + 1);
    });

    it('is one order of callbacks and the coroutines of C', async () => {
      // The natives of this copy of fibril call no JavaScript; those of the test addon do, in a
      // loop of its own.
      const { createLoop } = natives.runtime;
      const log = [];
      const jobs = [];
      const other = createLoop((count) => {
        log.push(count);
        for (let i = 0; i < count; i++) jobs.shift()();
      }, assert.fail, assert.fail);
      const add = (job) => {
        jobs.push(job);
        other.addCallback();
      };
      const fromC = (job) => natives.call(job, 0, true); // C waits a moment, then calls
      add(() => log.push('a'));
      add(() => log.push('b'));
      fromC(() => log.push('C'));
      add(() => log.push('c'));
      await iterations(2);
      assert.deepEqual(log.splice(0), [2, 'a', 'b', 'C', 1, 'c'],
        'nothing is called before what was queued first');
      fromC(() => add(() => log.push('next')));
      add(() => {
        log.push('now');
        add(() => log.push('next too'));
      });
      await iterations(3);
      assert.deepEqual(log, [1, 'now', 1, 'next', 1, 'next too'],
        'nothing joins a batch whose iteration has begun');
    });

    it('runs in the order of a thousand callbacks, added here and there', async () => {
      const log = [];
      let expected = 0;
      const add = () => {
        const number = expected++;
        loop.addCallback(() => {
          log.push(number);
          if (expected < 1000) {
            add();
            if (number % 3 === 0) co.sleep(0);
            add();
          }
        });
      };
      add();
      while (log.length < expected || expected < 1000) await turn();
      assert.deepEqual(log, log.map((_, i) => i));
    });
  });

  describe('addCallback', () => {
    it('passes arguments, later, in the async context of the call', async () => {
      const storage = new AsyncLocalStorage();
      const log = [];
      storage.run('a', () => loop.addCallback((...args) => log.push(storage.getStore(), args), 1,
        2));
      storage.run('b', () => loop.addCallback(() => log.push(storage.getStore())));
      assert.deepEqual(log, []);
      await iterations(1);
      assert.deepEqual(log, ['a', [1, 2], 'b']);
    });

    it('cares not for what comes back', async () => {
      let calls = 0;
      for (const value of [[], {}, 5, null]) {
        loop.addCallback(() => {
          calls++;
          return value;
        });
      }
      await iterations(3);
      assert.equal(calls, 4);
    });

    it('makes an exception uncaught, in its place, and goes on', async () => {
      const log = [];
      const errors = await uncaughtDuring(2, () => {
        process.on('uncaughtException', ({ message }) => log.push(message));
        for (const item of ['a', new Error('b'), 'c', new Error('d'), 'e']) {
          loop.addCallback(() => {
            if (item instanceof Error) throw item;
            log.push(item);
          });
        }
        return iterations(1);
      });
      assert.equal(errors.length, 2);
      assert.deepEqual(log, ['a', 'b', 'c', 'd', 'e']);
    });

    it('ends the process at an exception that nobody catches, before the next callback',
      async () => {
      const { code, stdout, stderr } = await runScript(`
        const loop = require(${lib}).IOLoop.current();
        loop.addCallback(() => { throw new Error('fatal'); });
        loop.addCallback(() => console.log('next'));`);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /Error: fatal/);
    });

    it('has a failed Future or promise that comes back reported', async () => {
      const unhandled = await unhandledDuring(async () => {
        loop.addCallback(gen.coroutine(function* () {
          yield gen.moment;
          throw new Error('coroutine');
        }));
        loop.addCallback(async () => {
          throw new Error('async');
        });
        await iterations(4);
      });
      assert.deepEqual(unhandled.map(({ error }) => error.message).sort(), ['async', 'coroutine']);
    });

    it('wakes a loop that has nothing else to do, and lets the process end', async () => {
      const { code, stdout } = await runScript(`
        const loop = require(${lib}).IOLoop.current();
        require('node:fs').stat('.', () => loop.addCallback(() => console.log('woken')));`);
      assert.deepEqual([code, stdout], [0, 'woken\n']);
    });

    it('can be called from a signal\'s listener', async () => {
      const { code, stdout } = await runScript(`
        const loop = require(${lib}).IOLoop.current();
        process.once('SIGUSR2', () => loop.addCallback(() => { console.log('signalled'); loop.stop(); }));
        loop.start();
        process.kill(process.pid, 'SIGUSR2');`);
      assert.deepEqual([code, stdout], [0, 'signalled\n']);
    });

    it('drops what comes when the process is ending', async () => {
      const { code, stderr } = await runScript(`
        const { IOLoop } = require(${lib});
        const loop = IOLoop.current();
        process.on('exit', () => {
          for (let i = 0; i < 1000; i++) {
            loop.addCallback(() => console.error('called'));
            loop.callLater(0, () => console.error('called'));
          }
        });`);
      assert.deepEqual([code, stderr], [0, '']);
    });

    it('refuses what cannot be called', () => {
      for (const value of [undefined, null, 5, {}]) {
        assert.throws(() => loop.addCallback(value), { code: 'ERR_INVALID_ARG_TYPE' });
        assert.throws(() => loop.spawnCallback(value), { code: 'ERR_INVALID_ARG_TYPE' });
        assert.throws(() => loop.callLater(1, value), { code: 'ERR_INVALID_ARG_TYPE' });
      }
    });
  });

  describe('spawnCallback', () => {
    it('reports errors, thrown and in a Future', async () => {
      const errors = await uncaughtDuring(1, () => loop.spawnCallback(() => {
        throw new Error('spawned');
      }));
      assert.equal(errors[0].message, 'spawned');
      const unhandled = await unhandledDuring(async () => {
        loop.spawnCallback(gen.coroutine(function* () {
          throw new Error('coroutine');
        }));
        await iterations(2);
      });
      assert.deepEqual(unhandled.map(({ error }) => error.message), ['coroutine']);
    });

    it('leaves the async context of the caller', async () => {
      const storage = new AsyncLocalStorage();
      const seen = await new Promise((resolve) => {
        storage.run('caller', () => loop.spawnCallback((a) => resolve([a, storage.getStore()]), 1));
      });
      assert.deepEqual(seen, [1, undefined]);
    });
  });

  describe('addFuture', () => {
    it('calls back in an iteration after the future is done, never inside setResult', async () => {
      const future = new Future();
      const log = [];
      loop.addFuture(future, (done) => log.push(done === future, done.result()));
      future.addDoneCallback(() => log.push('done callback'));
      future.setResult('value');
      log.push('set');
      await iterations(1);
      assert.deepEqual(log, ['done callback', 'set', true, 'value']);
    });

    it('takes one that is done, one that fails, and a promise', async () => {
      const done = new Future();
      done.setResult(1);
      const failing = new Future();
      const seen = [];
      loop.addFuture(done, (future) => seen.push(future.result()));
      loop.addFuture(failing, (future) => seen.push(future.exception().message));
      failing.setException(new Error('failed'));
      assert.deepEqual(seen, []);
      await iterations(1);
      loop.addFuture(Promise.resolve(2), (future) => seen.push(future.result()));
      await iterations(2);
      assert.deepEqual(seen, [1, 'failed', 2]);
      assert.throws(() => loop.addFuture(5, () => {}), { code: 'ERR_INVALID_ARG_TYPE' });
    });

    it('hears of a native call that another thread has done', async () => {
      const log = [];
      const called = new Promise((resolve) => {
        loop.addFuture(loop.runInExecutor(co.fs.stat, __filename),
          (future) => resolve(log.push(future.result().isFile())));
      });
      log.push('returned');
      await called;
      assert.deepEqual(log, ['returned', true]);
    });

    it('counts as looking at the error', async () => {
      const unhandled = await unhandledDuring(async () => {
        for (const future of [new Future(), gen.sleep(1)]) {
          loop.addFuture(future, () => {});
          if (future.slot < 0) future.setException(new Error('x'));
          else future.cancel();
        }
        loop.addFuture(Promise.reject(new Error('y')), () => {});
        await turn();
        await iterations(3);
      });
      assert.deepEqual(unhandled, []);
    });
  });

  describe('timeouts', () => {
    it('keep their place in time when it has passed', async () => {
      const log = [];
      loop.callLater(0, () => log.push('now'));
      for (const ms of [-1000, -3000, -2000, -3000]) {
        loop.callLater(ms, () => log.push(`${ms} ${log.length}`));
      }
      loop.callAt(loop.time() - 2500, () => log.push('at'));
      await iterations(2);
      assert.deepEqual(log, ['-3000 0', '-3000 1', 'at', '-2000 3', '-1000 4', 'now']);
    });

    it('never come early, and pass arguments in the async context of the call', async () => {
      const storage = new AsyncLocalStorage();
      const start = loop.time();
      const seen = await new Promise((resolve) => {
        storage.run('x', () => loop.callLater(5, (...args) => resolve([args, storage.getStore()]),
          1, 2));
        busyUntil(start + 4);
      });
      assert.ok(loop.time() - start >= 5);
      assert.deepEqual(seen, [[1, 2], 'x']);
    });

    it('due together come in the order of their times, equal times in the order of the calls',
      async () => {
      const log = [];
      const when = loop.time() + 5;
      for (const name of ['a', 'b', 'c']) loop.callAt(when, () => log.push(name));
      loop.callAt(when - 1, () => log.push('earlier'));
      for (const name of ['d', 'e']) loop.callAt(when, () => log.push(name));
      busyUntil(when + 1);
      await gen.sleep(0);
      await iterations(1);
      assert.deepEqual(log, ['earlier', 'a', 'b', 'c', 'd', 'e']);
    });

    it('can be removed: before, from a timeout due in the same iteration, after, twice',
      async () => {
      const log = [];
      const when = loop.time() + 2;
      const removed = loop.callAt(when, () => log.push('removed'));
      loop.removeTimeout(removed);
      loop.removeTimeout(removed);
      const fired = loop.callAt(when, () => {
        log.push('first');
        loop.removeTimeout(second);
        loop.removeTimeout(fired);
      });
      const second = loop.callAt(when, () => log.push('second'));
      loop.callAt(when, () => log.push('third'));
      busyUntil(when);
      await gen.sleep(1);
      assert.deepEqual(log, ['first', 'third']);
      loop.removeTimeout(fired);
      const other = new Promise((resolve) => loop.callLater(0, resolve, 'other'));
      loop.removeTimeout(fired);
      assert.equal(await other, 'other', 'a used handle is nobody else\'s');
    });

    it('can be added and removed by the thousand', async () => {
      for (let i = 0; i < 2000; i++) loop.removeTimeout(loop.callLater(3_600_000, assert.fail));
      const log = [];
      const all = Array.from({ length: 2000 }, (_, i) => loop.callLater(1, () => log.push(i)));
      all.filter((_, i) => i % 2 === 1).forEach((timeout) => loop.removeTimeout(timeout));
      while (log.length < 1000) await turn();
      assert.deepEqual(log, Array.from({ length: 1000 }, (_, i) => 2 * i));
    });

    it('make an exception uncaught, each its own, and go on', async () => {
      const log = [];
      const errors = await uncaughtDuring(1, async () => {
        loop.callAt(0, () => {
          throw new Error('timeout');
        });
        loop.callAt(0, () => log.push('next'));
        await gen.sleep(1);
      });
      assert.deepEqual([errors[0].message, log], ['timeout', ['next']]);
    });

    it('let go of their callback when they have fired or were removed', async () => {
      let collected = 0;
      const registry = new FinalizationRegistry(() => {
        collected++;
      });
      const make = () => {
        const callback = () => {};
        registry.register(callback);
        return callback;
      };
      const handles = [loop.callLater(0, make()), loop.callLater(1e6, make())];
      loop.removeTimeout(handles[1]);
      await gen.sleep(1);
      assert.equal(await collectUntil(() => collected === 2), true);
      handles.forEach((handle) => loop.removeTimeout(handle));
    });

    it('keep the process, and one that was removed does not', async () => {
      const { code, stdout } = await runScript(`
        const loop = require(${lib}).IOLoop.current();
        loop.callLater(20, console.log, 'called');
        loop.removeTimeout(loop.callLater(1e9, console.log, 'never'));`);
      assert.deepEqual([code, stdout], [0, 'called\n']);
    });

    it('refuse what is no time', () => {
      for (const ms of ['1', undefined, null]) {
        assert.throws(() => loop.callLater(ms, () => {}), { code: 'ERR_INVALID_ARG_TYPE' });
      }
      for (const ms of [NaN, Infinity]) {
        assert.throws(() => loop.callLater(ms, () => {}), { code: 'ERR_OUT_OF_RANGE' });
        assert.throws(() => loop.callAt(ms, () => {}), { code: 'ERR_OUT_OF_RANGE' });
      }
      assert.throws(() => loop.removeTimeout(5), { code: 'ERR_INVALID_ARG_TYPE' });
    });

    it('keep the process alive until unref(), and again after ref()', async () => {
      const { code, stdout } = await runScript(`
        const loop = require(${lib}).IOLoop.current();
        const timeout = loop.callLater(1e6, () => console.log('never'));
        timeout.unref().unref();
        loop.callLater(1, () => console.log('held'));
        loop.callLater(2, () => console.log('unheld, held')).unref().ref();
        const fired = loop.callLater(0, () => {
          fired.ref().unref();
          timeout.remove();
          timeout.ref();
          loop.callAt(loop.time() + 1e6, () => console.log('never')).unref();
        });`);
      assert.deepEqual([code, stdout], [0, 'held\nunheld, held\n']);
    });
  });

  describe('handlers', () => {
    let folder;
    let files;

    beforeEach(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-ioloop-'));
      files = [];
    });
    afterEach(() => {
      for (const fd of files) {
        loop.removeHandler(fd);
        fs.closeSync(fd);
      }
      fs.rmSync(folder, { recursive: true });
    });

    /** A descriptor that is writable, and readable once something has been written to it. */
    function open() {
      const file = path.join(folder, String(files.length));
      execFileSync('mkfifo', [file]);
      const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
      files.push(fd);
      return fd;
    }
    const readAll = (fd) => fs.readSync(fd, Buffer.alloc(100));

    it('that fail are told to handleCallbackException', async () => {
      const handler = (fd) => {
        loop.removeHandler(fd);
        throw new Error('handler');
      };
      try {
        const told = await new Promise((resolve) => {
          loop.handleCallbackException = (callback, { message }) => resolve([callback, message]);
          loop.addHandler(open(), handler, IOLoop.WRITE);
        });
        assert.deepEqual(told, [handler, 'handler']);
      } finally {
        delete loop.handleCallbackException;
      }
    });

    it('are called with the descriptor and its events, in the async context of addHandler',
      async () => {
      const storage = new AsyncLocalStorage();
      const fd = open();
      const seen = new Promise((resolve) => {
        storage.run('x', () => loop.addHandler(fd, (...args) => {
          readAll(fd);
          resolve([...args, storage.getStore()]);
        }, IOLoop.READ));
      });
      fs.writeSync(fd, 'x');
      assert.deepEqual(await seen, [fd, IOLoop.READ, 'x']);
    });

    it('hear only of the events they asked for: reading while it is writeable too', async () => {
      const fd = open();
      const log = [];
      loop.addHandler(fd, (_, events) => {
        log.push(events);
        loop.updateHandler(fd, IOLoop.WRITE);
        if (log.length === 2) loop.removeHandler(fd);
      }, IOLoop.READ);
      await iterations(5);
      assert.deepEqual(log, []);
      fs.writeSync(fd, 'x');
      while (log.length < 2) await turn();
      await iterations(5);
      assert.deepEqual(log, [IOLoop.READ, IOLoop.WRITE]);
    });

    it('are one for each descriptor', () => {
      const fd = open();
      loop.addHandler(fd, () => {}, IOLoop.READ);
      assert.throws(() => loop.addHandler(fd, () => {}, IOLoop.READ), { code: 'EEXIST' });
      loop.removeHandler(fd);
      loop.addHandler(fd, () => {}, IOLoop.READ);
    });

    it('can be removed when there is none', () => {
      const fd = open();
      loop.removeHandler(fd);
      loop.removeHandler(12345);
      assert.throws(() => loop.updateHandler(fd, IOLoop.READ), { code: 'ENOENT' });
    });

    it('removed by another handler of the same poll are not called', async () => {
      const pair = [open(), open()];
      const log = [];
      for (const fd of pair) {
        loop.addHandler(fd, () => {
          log.push(fd);
          for (const each of pair) loop.removeHandler(each);
        }, IOLoop.READ);
      }
      await turn();
      pair.forEach((fd) => fs.writeSync(fd, 'x'));
      await iterations(5);
      assert.equal(log.length, 1);
    });

    it('take an object with a descriptor, which they get back', async () => {
      const fd = open();
      const file = { fd };
      const seen = new Promise((resolve) => {
        loop.addHandler(file, (given) => {
          readAll(given.fd);
          loop.removeHandler(fd);
          resolve(given);
        }, IOLoop.READ);
      });
      assert.throws(() => loop.addHandler(fd, () => {}, IOLoop.READ), { code: 'EEXIST' });
      loop.updateHandler(file, IOLoop.READ);
      fs.writeSync(fd, 'x');
      assert.equal(await seen, file);
    });

    it('hear of an error of the descriptor', async () => {
      const file = path.join(folder, 'broken');
      execFileSync('mkfifo', [file]);
      const reader = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      const writer = fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      files.push(writer);
      while (true) {
        try {
          fs.writeSync(writer, Buffer.alloc(65536)); // until it is writable no more
        } catch (error) {
          assert.equal(error.code, 'EAGAIN');
          break;
        }
      }
      const seen = new Promise((resolve) => loop.addHandler(writer, (fd, events) => resolve(events),
        IOLoop.WRITE));
      await iterations(2);
      fs.closeSync(reader);
      assert.equal(await seen, IOLoop.ERROR);
    });

    it('make an exception uncaught, and are called again', async () => {
      const fd = open();
      let calls = 0;
      const errors = await uncaughtDuring(2, () => {
        loop.addHandler(fd, () => {
          if (++calls === 2) loop.removeHandler(fd);
          throw new Error(`call ${calls}`);
        }, IOLoop.WRITE);
      });
      assert.deepEqual(errors.map(({ message }) => message), ['call 1', 'call 2']);
    });

    it('refuse what is no descriptor, no function or no event', () => {
      const fd = open();
      assert.throws(() => loop.addHandler('x', () => {}, IOLoop.READ),
        { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => loop.addHandler({}, () => {}, IOLoop.READ),
        { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => loop.addHandler(fd, undefined, IOLoop.READ),
        { code: 'ERR_INVALID_ARG_TYPE' });
      for (const events of [0, 8, '1', undefined]) {
        assert.throws(() => loop.addHandler(fd, () => {}, events), { code: 'ERR_OUT_OF_RANGE' });
      }
      assert.throws(() => loop.addHandler(-1, () => {}, IOLoop.READ), { code: 'EBADF' });
      const regular = fs.openSync(__filename);
      assert.throws(() => loop.addHandler(regular, () => {}, IOLoop.READ), { code: 'EPERM' });
      fs.closeSync(regular);
    });

    it('keep the process alive until unref(), and again after ref()', async () => {
      const file = path.join(folder, 'silent');
      execFileSync('mkfifo', [file]);
      const { code, stdout } = await runScript(`
        const { IOLoop } = require(${lib});
        const loop = IOLoop.current();
        const fd = require('node:fs').openSync(${JSON.stringify(file)}, 'r+');
        const first = loop.addHandler(fd, () => console.log('first'), IOLoop.READ).unref();
        loop.removeHandler(fd);
        const second = loop.addHandler(fd, () => {
          console.log('second');
          second.unref();
          first.ref(); // which is gone
        }, IOLoop.READ).unref();
        second.ref();
        setTimeout(() => require('node:fs').writeSync(fd, 'x'), 20).unref();`);
      assert.equal(code, 0);
      assert.match(stdout, /^second\n/);
      assert.ok(!stdout.includes('first'));
    });
  });

  describe('runInExecutor', () => {
    it('runs native functions in the thread pool, in parallel', async () => {
      const both = [loop.runInExecutor(natives.meet), loop.runInExecutor(natives.meet)];
      for (const future of both) assert.ok(future instanceof Future);
      assert.deepEqual(await gen.multi(both), [true, true]);
      assert.equal((await loop.runInExecutor(co.fs.stat, __filename)).isFile(), true);
      await assert.rejects(loop.runInExecutor(co.fs.stat, '/no/such'), { code: 'ENOENT' });
    });

    it('takes what gen.future has made of one, and functions of this package', async () => {
      assert.equal(await loop.runInExecutor(gen.sleep, 1, 'slept'), 'slept');
      assert.equal(await loop.runInExecutor(gen.future(co.sleep), 1, 'slept'), 'slept');
      assert.equal(await loop.runInExecutor(gen.future(natives.meet)).cancel(), true);
    });

    it('refuses a function of JavaScript, and does not call it', () => {
      let calls = 0;
      const count = () => calls++;
      // prettier-ignore
      for (const fn of [count, async () => count(), gen.coroutine(count), gen.future(count),
        count.bind(null), function* () { count(); }, 5]) {
        assert.throws(() => loop.runInExecutor(fn, 1),
          { code: 'ERR_INVALID_ARG_TYPE', message: /^The "fn" argument must be / });
      }
      assert.equal(calls, 0);
    });
  });

  describe('handleCallbackException', () => {
    const error = new Error('in a callback');
    const fail = () => {
      throw error;
    };

    /** What it is called with while `body` runs and until it has been called `count` times. */
    async function handled(count, body) {
      const found = [];
      const all = new Future();
      loop.handleCallbackException = (...args) => {
        if (found.push(args) === count) all.setResult();
      };
      try {
        await body();
        await all;
      } finally {
        delete loop.handleCallbackException;
      }
      return found;
    }

    it('hears of callbacks and timeouts, and the loop goes on', async () => {
      const log = [];
      const found = await handled(2, () => {
        loop.addCallback(fail);
        loop.addCallback(() => log.push('next'));
        loop.callLater(0, fail);
      });
      assert.deepEqual(log, ['next']);
      assert.deepEqual(found.map(([callback]) => callback), [fail, fail]);
      assert.ok(found.every(([, thrown]) => thrown === error));
    });

    it('hears of what a callback returns, when that fails and nobody has asked', async () => {
      const failing = gen.coroutine(function* () {
        yield gen.moment;
        throw error;
      });
      const asyncFail = async () => fail();
      const read = () => {
        const future = failing();
        future.addDoneCallback(() => future.exception());
        return future;
      };
      const found = await handled(2, async () => {
        loop.addCallback(read);
        await iterations(4);
        loop.addCallback(failing);
        loop.addCallback(asyncFail);
      });
      assert.deepEqual(found.map(([callback]) => callback).sort(), [asyncFail, failing].sort());
    });

    it('is in the async context of the callback', async () => {
      const storage = new AsyncLocalStorage();
      let store;
      const hear = loop.handleCallbackException;
      await new Promise((resolve) => {
        loop.handleCallbackException = () => resolve(store = storage.getStore());
        storage.run('callback', () => loop.addCallback(fail));
      });
      delete loop.handleCallbackException;
      assert.equal(store, 'callback');
      assert.equal(loop.handleCallbackException, hear);
    });

    it('may fail itself: then that is uncaught', async () => {
      const another = new Error('in the handler');
      loop.handleCallbackException = () => {
        throw another;
      };
      try {
        assert.deepEqual(await uncaughtDuring(1, () => loop.addCallback(fail)), [another]);
      } finally {
        delete loop.handleCallbackException;
      }
    });
  });

  describe('runSync', () => {
    it('gives the result or error of a coroutine, at once or later', async () => {
      assert.equal(await loop.runSync(() => {}), undefined);
      assert.equal(await loop.runSync(gen.coroutine(() => 42)), 42);
      assert.equal(await loop.runSync(() => gen.sleep(1, 'later')), 'later');
      assert.equal(await loop.runSync(async () => 'async'), 'async');
      await assert.rejects(loop.runSync(() => {
        throw new Error('at once');
      }), { message: 'at once' });
      await assert.rejects(loop.runSync(gen.coroutine(function* () {
        yield gen.moment;
        throw new Error('later');
      })), { message: 'later' });
    });

    it('fails with BadYieldError when there is nothing to wait for', async () => {
      await assert.rejects(loop.runSync(() => 42), gen.BadYieldError);
    });

    it('is ended by no stop(), and runs in the current loop', async () => {
      const current = await loop.runSync(gen.coroutine(function* () {
        loop.stop();
        yield gen.moment;
        return IOLoop.current();
      }));
      assert.equal(current, loop);
      await loop.start(); // takes the stop() back
    });

    it('fails after a timeout', async () => {
      await assert.rejects(loop.runSync(() => new Future(), { timeout: 5 }), {
        name: 'TimeoutError', message: 'Operation timed out after 5 ms',
      });
      assert.equal(await loop.runSync(() => gen.sleep(1, 'in time'), { timeout: 10_000 }),
        'in time');
    });
  });

  describe('start and stop', () => {
    it('keep the process alive in between; start inside start is an error', async () => {
      const { code, stdout } = await runScript(`
        const loop = require(${lib}).IOLoop.current();
        loop.start().then(() => console.log('stopped'));
        loop.start().catch((error) => console.log(error.message));
        require('node:fs').stat('.', () => setTimeout(() => { console.log('stop'); loop.stop(); }, 10).unref());`);
      assert.deepEqual([code, stdout], [0, 'IOLoop is already running\nstop\nstopped\n']);
    });

    it('in the other order return at once', async () => {
      loop.stop();
      await loop.start();
    });
  });

  it('of a worker is its own, and its end drops what waits, at whatever moment', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads');
      const { IOLoop, Future, gen, locks } = require(${lib});
      const loop = IOLoop.current();
      const again = () => loop.addCallback(again);
      const later = () => loop.callLater(0, later);
      const lock = new locks.Lock();
      for (let i = 0; i < 20; i++) {
        again();
        later();
        loop.callLater(1e6 + i, () => {});
        gen.coroutine(function* () { while (true) yield [gen.moment, gen.sleep(0)]; })();
        gen.withTimeout(1e6, new Future());
        lock.acquire(1e6);
      }
      loop.addHandler(require('node:fs').openSync('/dev/ptmx', 'r+'), () => {}, IOLoop.READ | IOLoop.WRITE);
      loop.start();
      loop.addCallback(() => parentPort.postMessage('running'));`;
    for (let turns = 0; turns < 20; turns++) {
      const worker = new Worker(code, { eval: true });
      await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      for (let i = 0; i < turns; i++) await turn();
      assert.equal(await worker.terminate(), 1);
    }
  });
});
