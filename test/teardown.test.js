'use strict';

// Environments that end in the middle of everything, and several of them at once.

const assert = require('node:assert');
const fs = require('node:fs');
const { Worker } = require('node:worker_threads');
const path = require('node:path');
const { natives, nativesPath, runScript } = require('./support/natives');
const { ADDONS, GENERATORS, OBJECTS } = require('./support/under-way');

const libPath = path.join(__dirname, '..', 'lib');

/** A worker script: `natives` loaded, then the code. */
const inWorker = (code) => `
  'use strict';
  const { parentPort } = require('node:worker_threads');
  const natives = require(${JSON.stringify(nativesPath)});
  ${code}`;

// Something of everything that can be under way.
const EVERYTHING = `
  const { fs: files, sleep } = require(${JSON.stringify(libPath)});
  const quiet = () => {};
  for (let i = 0; i < 20; i++) {
    natives.echoLater(i, 5 + i).catch(quiet);
    natives.forever().catch(quiet);
    natives.forever({ signal: new AbortController().signal, swallow: true }).catch(quiet);
    natives.work(i).catch(quiet);
    natives.call(() => new Promise(quiet), i).catch(quiet);
    natives.call(() => natives.forever(), i, true).catch(quiet);
    natives.sumCalls(() => natives.echoMoment(1), 1e9).catch(quiet);
    natives.bigBuffer(1 << 17).catch(quiet);
    natives.runtime.future(natives.forever)().then(quiet, quiet);
    sleep(i).catch(quiet);
    files.readFile(${JSON.stringify(__filename)}).catch(quiet);
    files.stat('.').catch(quiet);
    files.du(${JSON.stringify(__dirname)}).catch(quiet);
  }
`;

function start(code, options) {
  const worker = new Worker(inWorker(code), { eval: true, ...options });
  const ready = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const exit = new Promise((resolve) => { worker.once('exit', resolve); });
  return { worker, ready, exit };
}

const descriptors = () => fs.readdirSync('/proc/self/fd').length;

describe('the end of an environment', () => {
  describe('that is a worker', () => {
    it('which has nothing left to do exits, its coroutines unwound', async () => {
      const { ready, exit } = start(`
        natives.forever();
        natives.call(() => new Promise(() => {}), 0);
        natives.add(1, 2).then((sum) => parentPort.postMessage(sum));`,
          { execArgv: ['--no-warnings'] });
      assert.strictEqual(await ready, 3);
      assert.strictEqual(await exit, 0);
    });

    it('which is terminated in the middle of everything, fifty times', async () => {
      const once = async (turns) => {
        const { worker, ready, exit } = start(`${EVERYTHING} parentPort.postMessage('ready');`);
        await ready;
        for (let i = 0; i < turns; i++) await new Promise(setImmediate);
        await worker.terminate();
        assert.strictEqual(await exit, 1);
      };
      await once(0); // what is opened once stays open
      const before = descriptors();
      for (let i = 0; i < 50; i++) await once(i % 7);
      assert.strictEqual(descriptors(), before);
      assert.strictEqual(await natives.countLive(), 0,
        'the worker threads share it: every deferred call ran');
    }).timeout(120000);

    it('which is terminated before it can have started', async () => {
      for (let i = 0; i < 10; i++) {
        const { worker, ready, exit } = start(EVERYTHING);
        ready.catch(() => {});
        await worker.terminate();
        await exit;
      }
    });

    it('which is terminated while JavaScript that C called runs for ever', async () => {
      for (const body of ['natives.call(spin, 0)', 'natives.call(spin, 0, true)',
        'natives.sumCalls(async () => spin(), 2)',
        'natives.options({ get count() { spin(); } })', 'natives.echoMoment(1).then(spin)']) {
        const { worker, ready, exit } = start(`
          const spin = () => { parentPort.postMessage('spinning'); for (;;); };
          natives.forever();
          ${body};`);
        await ready;
        await worker.terminate();
        assert.strictEqual(await exit, 1, body);
      }
      assert.strictEqual(await natives.countLive(), 0);
    });

    it('which calls process.exit from JavaScript that C called', async () => {
      for (const later of [false, true]) {
        const { exit } = start(`${EVERYTHING} natives.call(() => process.exit(5), 0, ${later});`);
        assert.strictEqual(await exit, 5);
      }
    });

    it('which ends by an uncaught exception thrown in JavaScript that C called, and not awaited',
      async () => {
      const { ready, exit } =
        start(`${EVERYTHING} natives.call(() => { throw new Error('uncaught'); }, 0, true);`);
      await assert.rejects(ready, { message: 'uncaught' });
      assert.strictEqual(await exit, 1);
    });

    it('which is one of two at the same time, the other going on', async () => {
      const first = start(`${EVERYTHING} parentPort.postMessage('ready');`);
      const second = start(`
        parentPort.on('message', async (n) => {
          parentPort.postMessage(await natives.sumCalls((i) => natives.echoLater(i, 1), n));
          parentPort.close();
        });
        parentPort.postMessage('ready');`);
      await Promise.all([first.ready, second.ready]);
      const sum = new Promise((resolve) => { second.worker.once('message', resolve); });
      second.worker.postMessage(50);
      await first.worker.terminate();
      assert.strictEqual(await sum, 1225);
      assert.strictEqual(await second.exit, 0);
      assert.strictEqual(await natives.echoLater('main goes on', 1), 'main goes on');
    });

    it('ten at a time, terminated at different moments', async () => {
      await Promise.all(Array.from({ length: 10 }, async (_, i) => {
        const { worker, ready } = start(`${EVERYTHING} parentPort.postMessage('ready');`);
        await ready;
        await natives.echoLater(0, i);
        await worker.terminate();
      }));
      assert.strictEqual(await natives.countLive(), 0);
    });
  });

  describe('that is the process', () => {
    const exits = [
      ['by process.exit', 'setImmediate(() => process.exit(3));', 3],
      ['by process.exit at once', 'process.exit(3);', 3],
      ['by process.exit in JavaScript that C called',
        'natives.call(() => process.exit(3), 0, true);', 3],
      ['by process.exit in a done callback',
        'natives.runtime.future(natives.echoMoment)(1).addDoneCallback(() => process.exit(3));', 3],
      ['by process.exit in an exit listener of its own',
        'process.on("exit", () => natives.call(() => process.exit(3), 0)); setImmediate(() => process.exit(4));', 3],
      ['by an uncaught exception', 'setImmediate(() => { throw new Error("uncaught"); });', 1],
      ['by an uncaught exception in a done callback',
        'natives.runtime.future(natives.echoMoment)(1).addDoneCallback(() => { throw new Error("uncaught"); });', 1],
      ['by an unhandled rejection', 'natives.fail("uncaught", true);', 1],
      ['by a signal', 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000);',
        'SIGTERM'],
    ];
    for (const [name, code, expected] of exits) {
      it(`ends ${name}, in the middle of everything`, async () => {
        const result = await runScript(
          `${EVERYTHING} { ${ADDONS} ${OBJECTS} ${GENERATORS} } ${code}`);
        assert.strictEqual(result.code ?? result.signal, expected, result.stderr);
        if (expected !== 1) assert.strictEqual(result.stderr, '');
        else assert.match(result.stderr, /Error: uncaught/);
      });
    }

    it('calls native functions in an exit listener, the ones that finish at once', async () => {
      const { code, stdout } = await runScript(`
        process.on('exit', () => {
          const f = natives.runtime.future(natives.add)(1, 2);
          natives.echoMoment(1).then(() => console.log('never'));
          console.log(f.result());
        });`);
      assert.deepStrictEqual([code, stdout], [0, '3\n']);
    });
  });

  describe('with a coroutine that refuses to end', () => {
    const SENTENCE = /^fibril: .*"refusesToEnd".*\n$/;

    it('is a fatal error that names it, when a worker is terminated', async () => {
      const { code, signal, stderr } = await runScript(`
        const { Worker } = require('node:worker_threads');
        const code = 'const { parentPort } = require("node:worker_threads"); parentPort.on("message", () => {});' + // which holds it
          'require(' + JSON.stringify(nativesPath) + ').refusesToEnd(); parentPort.postMessage(1);';
        const worker = new Worker(code, { eval: true });
        worker.on('message', () => worker.terminate());`);
      assert.deepStrictEqual([code, signal], [null, 'SIGABRT'], stderr);
      assert.match(stderr, SENTENCE);
    });

    it('is a fatal error that names it, when the process runs out of work', async () => {
      const { code, signal, stderr } = await runScript('natives.refusesToEnd();');
      assert.deepStrictEqual([code, signal], [null, 'SIGABRT'], stderr);
      assert.match(stderr, /(^|\n)fibril: .*"refusesToEnd".*\n$/);
    });
  });
});

describe('two environments on one thread', () => {
  /** The addon again, as a test runner loads it that clears the require cache. */
  function loadAgain() {
    delete require.cache[nativesPath];
    return require(nativesPath);
  }

  it('both go on working, side by side', async () => {
    const again = loadAgain();
    assert.notStrictEqual(again, natives);
    assert.notStrictEqual(again.runtime.Future, natives.runtime.Future);
    const results = await Promise.all([natives, again, natives, again].flatMap((n, i) => [
      n.echoLater(i, 5 - i),
      n.echoMoment(i),
      n.pass(i),
      n.work(i),
      n.sumCalls((k) => n.echoMoment(k), 10),
      n.call(() => i, 0, true),
    ]));
    assert.deepStrictEqual(results, [0, 1, 2, 3].flatMap((i) => [i, i, i, 2 * i, 45, i]));
  });

  it('call each other', async () => {
    const again = loadAgain();
    const down = async (depth) => (depth === 0
      ? 'bottom' : [natives, again][depth % 2].call(() => down(depth - 1), 0, depth % 3 === 0));
    assert.strictEqual(await down(8), 'bottom');
    const sync = (depth) => (depth === 0
      ? again.add(1, 2) : [natives, again][depth % 2].call(() => sync(depth - 1), 0));
    assert.strictEqual(await sync(10), 3);
  });

  it('do not take each other\'s futures', async () => {
    const again = loadAgain();
    const mine = natives.runtime.future(again.echoMoment)(1);
    assert.ok(mine instanceof natives.runtime.Future);
    assert.strictEqual(await mine, 1);
    assert.ok(again.echoMoment(1) instanceof Promise);
  });

  it('settle their failures and aborts each', async () => {
    const again = loadAgain();
    const controller = new AbortController();
    const { signal } = controller;
    const both = [natives.forever({ signal }), again.forever({ signal }), natives.fail('a', true),
      again.fail('b', true)];
    controller.abort();
    const errors = (await Promise.allSettled(both)).map(({ reason }) => reason.code);
    assert.deepStrictEqual(errors, ['ABORT_ERR', 'ABORT_ERR', 'EIO', 'EIO']);
  });

  it('end together with their process, ten of them', async () => {
    const { code, signal, stdout, stderr } = await runScript(`
      const all = [natives];
      for (let i = 0; i < 10; i++) {
        delete require.cache[nativesPath];
        all.push(require(nativesPath));
      }
      for (const n of all) { n.forever(); n.echoLater('x', 1e6); n.work(1); }
      Promise.all(all.map((n, i) => n.echoLater(i, 20 - i))).then((list) => { console.log(list.join()); process.exit(0); });`);
    assert.deepStrictEqual([code, signal, stdout, stderr],
      [0, null, '0,1,2,3,4,5,6,7,8,9,10\n', '']);
  });

  it('end together with their worker, fifteen times', async () => {
    for (let i = 0; i < 15; i++) {
      const { worker, ready, exit } = start(`
        delete require.cache[require.resolve(${JSON.stringify(nativesPath)})];
        const again = require(${JSON.stringify(nativesPath)});
        for (const n of [natives, again]) { n.forever(); n.echoLater('x', 1e6); n.work(1); n.sumCalls(() => n.echoMoment(1), 1e9); }
        Promise.all([natives.echoMoment(1), again.echoMoment(2)]).then((list) => parentPort.postMessage(list));`);
      assert.deepStrictEqual(await ready, [1, 2]);
      await worker.terminate();
      await exit;
    }
    assert.strictEqual(await natives.countLive(), 0);
  });
});
