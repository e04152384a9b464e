'use strict';

// process.exit in every phase, what is refused at the end, and what another thread still does then.

const assert = require('node:assert');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { natives, nativesPath, runScript } = require('./support/natives');

const endsPath = path.join(path.dirname(nativesPath), 'ends.node');
const libPath = path.join(__dirname, '..', 'lib');
const ends = require(endsPath);

const PRELUDE = `
  const ends = require(${JSON.stringify(endsPath)}), co = require(${JSON.stringify(libPath)});
  const quiet = () => {};
`;

// Something of everything goes on beside it.
const BUSY = `
  for (let i = 0; i < 5; i++) {
    natives.echoLater(i, i).catch(quiet);
    natives.forever().catch(quiet);
    natives.work(i).catch(quiet);
    natives.sumCalls(() => natives.echoMoment(1), 1e9).catch(quiet);
    co.fs.readFile(${JSON.stringify(__filename)}).catch(quiet);
    co.fs.du(${JSON.stringify(__dirname)}).catch(quiet);
    co(function* () { for (;;) yield [natives.echoMoment(1), co.sleep(1)]; }).catch(quiet);
    co(function* () { for (;;) yield co.gen.sleep(1); }).catch(quiet);
  }
`;

/** A worker on a script, and what becomes of it. */
function start(code) {
  const worker = new Worker(`'use strict'; const { parentPort } = require('node:worker_threads');
    const natives = require(${JSON.stringify(nativesPath)}); ${PRELUDE} ${code}`, { eval: true });
  const exit = new Promise((resolve) => { worker.once('exit', resolve); });
  const message = new Promise(
    (resolve, reject) => { worker.once('message', resolve).once('error', reject); });
  message.catch(() => {});
  return { worker, exit, message };
}

async function until(condition) {
  while (!await condition()) await new Promise(setImmediate);
}

const PHASES = {
  'the main script': 'exit();',
  'a microtask': 'Promise.resolve().then(exit);',
  'process.nextTick': 'process.nextTick(exit);',
  'a timer': 'setTimeout(exit, 2);',
  'setImmediate': 'setImmediate(exit);',
  'an I/O callback of Node': `require('node:fs').stat('.', exit);`,
  'a reaction to a native call that finished at once': 'natives.add(1, 2).then(exit);',
  'a reaction to a native call that finished in the same turn': 'natives.pass(1).then(exit);',
  'a reaction to a native call that finished later': 'natives.echoLater(1, 2).then(exit);',
  'a reaction to a failed native call': 'natives.fail("x", true).catch(exit);',
  'a reaction to an aborted native call':
    'const c = new AbortController(); natives.forever({ signal: c.signal }).catch(exit); setImmediate(() => c.abort());',
  'a getter that the decoding of arguments calls': 'natives.options({ get count() { exit(); } });',
  'toString of a path': 'natives.path({ toString: exit, get href() { exit(); }, protocol: "file:" }).catch(exit);',
  'JavaScript that C called at once': 'natives.call(exit, 0).catch(quiet);',
  'JavaScript that C called later': 'natives.call(exit, 0, true).catch(quiet);',
  'a promise job of JavaScript that C called': 'natives.call(async () => { await 1; exit(); }, 0, true).catch(quiet);',
  'JavaScript nested in C nested in JavaScript': 'natives.call(() => natives.call(() => natives.call(exit, 0), 0, true), 0).catch(quiet);',
  'a done callback of a Future': 'natives.runtime.future(natives.echoMoment)(1).addDoneCallback(exit);',
  'a done callback of a Future that is done': 'natives.runtime.future(natives.add)(1, 2).addDoneCallback(exit);',
  'the cancellation of a Future': 'const f = natives.runtime.future(natives.forever)(); f.addDoneCallback(exit); f.cancel();',
  'a thenable that a call resolves to': 'natives.echoMoment({ get then() { exit(); } });',
  'a generator that co resumes': 'co(function* () { yield natives.echoMoment(1); exit(); });',
  'a generator that a batch resumes': 'co(function* () { yield co.gen.sleep(1); exit(); });',
  'a generator\'s finally': 'co(function* () { try { yield natives.fail("x", true); } finally { exit(); } });',
  'a thunk': 'co(function* () { yield exit; });',
  'a listener of an AbortSignal':
    'const c = new AbortController(); c.signal.addEventListener("abort", exit); natives.forever({ signal: c.signal }).catch(quiet);'
    + 'setImmediate(() => c.abort());',
  'an uncaughtException listener':
    'process.on("uncaughtException", exit); natives.runtime.future(natives.echoMoment)(1).addDoneCallback(() => { throw new Error("x"); });',
  'an unhandledRejection listener': 'process.on("unhandledRejection", exit); natives.fail("x", true);',
  'an exit listener': 'process.on("exit", exit); setImmediate(() => process.exit(4));',
  'an exit listener, in JavaScript that C called': 'process.on("exit", () => natives.call(exit, 0)); setImmediate(() => process.exit(4));',
};

describe('process.exit', () => {
  for (const [phase, code] of Object.entries(PHASES)) {
    it(`in ${phase}, in the middle of everything`, async () => {
      const main = runScript(`${PRELUDE} const exit = () => process.exit(3); ${BUSY} ${code}`);
      const { exit } = start(`const exit = () => process.exit(3); ${BUSY} ${code}`);
      const { code: status, signal, stdout, stderr } = await main;
      assert.deepStrictEqual([status, signal, stdout, stderr], [3, null, '', '']);
      assert.strictEqual(await exit, 3);
    });
  }

  it('in beforeExit, when nothing is left to do', async () => {
    const { code, stderr } =
      await runScript(
        'natives.add(1, 2); process.on("beforeExit", () => natives.call(() => process.exit(3), 0));');
    assert.deepStrictEqual([code, stderr], [3, '']);
  });

  it('leaves nothing of its workers behind', async () => {
    await until(async () => await natives.countLive() === 0);
    await until(async () => await natives.countBuffers() === 0);
  });
});

describe('an uncaught exception in a callback, that a listener hears of', () => {
  for (const [where, code] of [
    ['a done callback',
      'natives.runtime.future(natives.echoMoment)(1).addDoneCallback(() => { throw new Error("x"); });'],
    ['a reaction to nothing awaited',
      'natives.echoMoment(1).then(() => { throw new Error("x"); });'],
    ['a reaction to a failure', 'natives.fail("y", true).catch(() => { throw new Error("x"); });'],
    ['JavaScript that C called, and not awaited',
      'natives.call(() => { throw new Error("x"); }, 0, true);'],
  ]) {
    it(`in ${where}, leaves everything working`, async () => {
      const { code: status, stdout } = await runScript(`
        process.once('uncaughtException', (error) => {
          console.log(error.message);
          Promise.all([natives.add(1, 2), natives.echoLater(3, 1), natives.call(() => 4, 0, true), natives.work(5)])
            .then((list) => console.log(list.join()));
        });
        ${code}`);
      assert.deepStrictEqual([status, stdout], [0, 'x\n3,3,4,10\n']);
    });
  }
});

describe('an exception that JavaScript throws into C', () => {
  it('of any kind is an error value there, and itself again in the promise', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const hostile = new Proxy(new Error('x'),
      { get() { throw new Error('get'); }, getPrototypeOf() { throw new Error('prototype'); } });
    const things = [undefined, null, 0, NaN, '', 'text', Symbol('s'), 10n, {}, [], () => {}, proxy,
      hostile, new Error('x'),
      Object.create(null), Object.freeze(new Error('frozen')), new Proxy(() => {}, {}),
      Promise.resolve(1)];
    for (const thing of things) {
      for (const later of [false, true]) {
        const outcome = await natives.call(() => { throw thing; }, 0, later)
          .then(() => ['resolved'], (reason) => ['rejected', reason]);
        assert.strictEqual(outcome[0], 'rejected');
        assert.ok(Object.is(outcome[1], thing), `${typeof thing} ${later}`);
      }
      assert.strictEqual(typeof await natives.messageOfThrow(() => { throw thing; }), 'string');
    }
    assert.strictEqual(await natives.add(1, 2), 3);
  });
});

describe('a cancelled coroutine that waits again', () => {
  const ALL = Array(12).fill('ECANCELED');

  it('is refused every kind of wait, JavaScript among them, and may end as it likes', async () => {
    const controller = new AbortController();
    let called = 0;
    const result = ends.waitAgain(() => { called++; }, { signal: controller.signal });
    await natives.echoMoment(1);
    controller.abort();
    assert.deepStrictEqual(await result, ALL);
    assert.strictEqual(called, 0);
  });

  it('is so at the end of a worker', async () => {
    const before = (await ends.counts()).stubborn;
    const { worker, message } =
      start(
        'for (let i = 0; i < 10; i++) ends.waitAgain(quiet); parentPort.on("message", quiet).postMessage(1);');
    await message;
    await worker.terminate();
    assert.strictEqual((await ends.counts()).stubborn - before, 10);
  });
});

describe('jobs of the thread pool that block', () => {
  /** A pipe: `reader` is the file descriptor of its reading end. */
  function makePipe() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-'));
    const fifo = path.join(folder, 'fifo');
    assert.strictEqual(spawnSync('mkfifo', [fifo]).status, 0);
    const hold = fs.openSync(fifo, fs.constants.O_RDWR);
    const reader = fs.openSync(fifo, fs.constants.O_RDONLY);
    fs.rmSync(folder, { recursive: true });
    return { reader, write: (bytes) => fs.writeSync(hold, Buffer.alloc(bytes)),
      close: () => { fs.closeSync(hold); fs.closeSync(reader); } };
  }

  it('when a worker is terminated, are waited for; the queued ones never run', async () => {
    const pipe = makePipe();
    const before = await ends.counts();
    const { worker, message, exit } = start(`
      for (let i = 0; i < 50; i++) ends.blockedJob(${pipe.reader}).catch(quiet);
      parentPort.postMessage(1);`);
    await message;
    await until(async () => (await ends.counts()).jobsStarted > before.jobsStarted);
    const terminated = worker.terminate();
    // One after the other in the worker's thread, while this one looks on.
    await until(async () => {
      const now = await ends.counts();
      return now.jobsRefused - before.jobsRefused + now.jobsStarted - before.jobsStarted >= 50;
    });
    const { jobsStarted, jobsEnded, jobsRefused } = await ends.counts();
    const running = jobsStarted - before.jobsStarted;
    assert.strictEqual(jobsEnded, before.jobsEnded, 'they are blocked');
    assert.strictEqual(await Promise.race([terminated, natives.echoLater('waits', 50)]), 'waits');
    assert.ok(running >= 1 && running <= 2, `${running} of 50 run`);
    assert.strictEqual(jobsRefused - before.jobsRefused, 50 - running);
    pipe.write(running);
    await exit;
    const after = await ends.counts();
    assert.deepStrictEqual([after.jobsStarted, after.jobsEnded, after.jobsRefused],
      [jobsStarted, before.jobsEnded + running, before.jobsRefused + 50 - running],
      'what ran was not refused');
    pipe.close();
  });

  it('when the process exits, let it go as soon as they have ended', async () => {
    const child = spawn(process.execPath,
      ['-e', `const natives = require(${JSON.stringify(nativesPath)}); ${PRELUDE}
      for (let i = 0; i < 10; i++) ends.blockedJob(0).catch(quiet);
      process.on('exit', () => require('node:fs').writeSync(1, 'exiting'));
      (async () => {
        while ((await ends.counts()).jobsStarted === 0) await natives.echoMoment(1);
        process.exit(3);
      })();`], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (text) => { stderr += text; });
    child.stdout.once('data', () => child.stdin.end());
    const [code, signal] = await once(child, 'close');
    assert.deepStrictEqual([code, signal, stderr], [3, null, '']);
  });
});

describe('a FIFO that nobody writes to, being read', () => {
  let folder, fifo;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-'));
    fifo = JSON.stringify(path.join(folder, 'fifo'));
    assert.strictEqual(spawnSync('mkfifo', [path.join(folder, 'fifo')]).status, 0);
  });

  after(() => fs.rmSync(folder, { recursive: true }));

  it('does not hold up the end of a worker', async () => {
    const { worker, message } = start(`
      for (let i = 0; i < 5; i++) co.fs.readFile(${fifo}).catch(quiet);
      co.fs.stat(${fifo}).then(() => parentPort.postMessage(1));`);
    await message;
    assert.strictEqual(await worker.terminate(), 1);
  });

  it('does not hold up the end of the process', async () => {
    const { code, signal, stderr } = await runScript(`${PRELUDE}
      for (let i = 0; i < 5; i++) co.fs.readFile(${fifo}).catch(quiet);
      co.fs.stat(${fifo}).then(() => process.exit(3));`);
    assert.deepStrictEqual([code, signal, stderr], [3, null, '']);
  });
});

describe('threads that post', () => {
  it('are refused once a worker has ended; what was accepted has run', async () => {
    const before = await ends.counts();
    for (let i = 0; i < 20; i++) {
      const { worker, message } =
        start(
          'ends.postForEver(3); ends.counts().then(() => setTimeout(() => parentPort.postMessage(1), 2));');
      await message;
      await worker.terminate();
    }
    await until(async () => (await ends.counts()).threads === 0);
    const after = await ends.counts();
    assert.strictEqual(after.postsRefused - before.postsRefused, 60);
    assert.ok(after.postsAccepted > before.postsAccepted);
    assert.strictEqual(after.postsRun - before.postsRun,
      after.postsAccepted - before.postsAccepted);
  });

  it('while the process exits harm nobody, ten times', async () => {
    await Promise.all(Array.from({ length: 10 }, async (_, i) => {
      const { code, signal, stderr } = await runScript(
        `${PRELUDE} ends.postForEver(4); setTimeout(() => process.exit(3), ${i});`);
      assert.deepStrictEqual([code, signal, stderr], [3, null, '']);
    }));
  });
});
