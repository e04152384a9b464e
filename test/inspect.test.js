'use strict';

// Who runs and who waits: co.inspect(), the warning when nothing is left that could wake anybody,
// and the report of leaks.

const assert = require('node:assert');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');
const co = require('../lib');
const { natives, nativesPath, collectUntil } = require('./support/natives');

const waits = require(path.join(path.dirname(nativesPath), 'waits.node'));
const lib = JSON.stringify(path.join(__dirname, '..', 'lib'));

function run(script, env = {}) {
  const code = `'use strict'; const n = require(${JSON.stringify(
    nativesPath)}), co = require(${lib}); ${script}`;
  return spawnSync(process.execPath, ['-e', code],
    { encoding: 'utf8', env: { ...process.env, ...env } });
}

function named(name) {
  return co.inspect().filter((each) => each.name === name);
}

describe('co.inspect', () => {
  it('has every coroutine with its name, what it waits for and since when', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const sleeping = waits.wait('sleep', -1, () => {}, { signal });
    const waiting = natives.forever({ signal });
    await natives.echoLater(1, 20);
    const [sleep] = named('wait');
    const [forever] = named('forever');
    assert.deepStrictEqual({ ...sleep, waited: 0, stackUsed: 0 }, {
      kind: 'coroutine', name: 'wait', state: 'waiting', waitsFor: 'sleep', on: undefined,
      waited: 0,
      cancelled: false, masked: false, stackUsed: 0, stackSize: sleep.stackSize,
    });
    assert.ok(sleep.waited >= 19, `${sleep.waited}`);
    assert.ok(sleep.stackUsed > 0 && sleep.stackUsed < sleep.stackSize);
    assert.strictEqual(forever.waitsFor, 'resume');
    controller.abort();
    assert.ok(named('forever')[0].cancelled);
    await assert.rejects(waiting, { name: 'AbortError' });
    await assert.rejects(sleeping, { name: 'AbortError' });
    assert.deepStrictEqual(co.inspect(), []);
  });

  it('says where a listener listens', async () => {
    const controller = new AbortController();
    const accepting = waits.wait('accept', -1, () => {}, { signal: controller.signal });
    const [accept] = named('wait');
    assert.strictEqual(accept.waitsFor, 'accept');
    assert.match(accept.address, /^127\.0\.0\.1:\d+$/);
    assert.ok(accept.fd > 2);
    controller.abort();
    await assert.rejects(accepting, { name: 'AbortError' });
  });

  it('does not take the time that the loop has slept for time waited', async () => {
    // A socket's callback is the first thing that runs after the loop has slept.
    const server = net.createServer((socket) => socket.end('x')).listen(0);
    await once(server, 'listening');
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    const socket = net.connect(server.address().port);
    await once(socket, 'data');
    const promise = natives.echoLater(1, 5);
    assert.ok(named('echoLater')[0].waited < 300);
    await promise;
    server.close();
    await once(server, 'close');
  });

  it('says what JavaScript does that C called', async () => {
    let during;
    await natives.call(() => { during = named('call')[0]; }, 0);
    assert.strictEqual(during.state, 'running');
    let resolve;
    const promise = natives.call(() => new Promise((fulfil) => { resolve = fulfil; }), 0);
    assert.strictEqual(named('call')[0].waitsFor, 'JavaScript');
    resolve();
    await promise;
  });

  it('says which descriptor is polled', async () => {
    const { stdout } = run(
      `n.readable(0); const [{ waitsFor, fd }] = co.inspect(); console.log(waitsFor, fd); process.exit(0);`);
    assert.strictEqual(stdout, 'poll 0\n');
  });

  it('has the jobs of the thread pool', async () => {
    const promise = co.fs.stat('.');
    assert.deepStrictEqual(co.inspect().map(({ name, waitsFor }) => [name, waitsFor]),
      [['fsStat', 'stat']]);
    await promise;
  });

  it('has the runs of co.run that have a name', async () => {
    let inside;
    const controller = new AbortController();
    const { signal } = controller;
    const runs = [
      co.run(function* () {
        [inside] = named('first');
        yield new Promise(() => {});
      }, { name: 'first', signal }),
      co.run(function* () { yield [natives.forever({ signal }), 1]; }, { name: 'second', signal }),
      co.run(function* () { yield co.gen.sleep(1e9); }, { name: 'third', signal }),
      co.run(function* unnamed() { yield new Promise(() => {}); }, { signal }),
    ];
    assert.deepStrictEqual({ ...inside, age: 0 },
      { kind: 'run', name: 'first', state: 'running', waitsFor: undefined, age: 0 });
    const waiting = co.inspect().filter(({ kind }) => kind === 'run')
      .map(({ name, state, waitsFor }) => [name, state, waitsFor]);
    assert.deepStrictEqual(waiting, [['first', 'waiting', 'promise'],
      ['second', 'waiting', 'members'], ['third', 'waiting', 'future']]);
    controller.abort();
    await Promise.allSettled(runs);
    assert.deepStrictEqual(co.inspect(), []);
  });

  it('keeps no run alive', async () => {
    co.run(function* () { yield new Promise(() => {}); }, { name: 'lost' });
    await collectUntil(() => named('lost').length === 0);
  });

  it('has the coroutines of all copies of fibril, of this thread only', async () => {
    const worker = new Worker(`
      const n = require(${JSON.stringify(nativesPath)}), co = require(${lib});
      n.forever(); co.sleep(1e9);
      require('node:worker_threads').parentPort.postMessage(co.inspect().map(({ name }) => name));`,
        { eval: true });
    const [names] = await once(worker, 'message');
    assert.deepStrictEqual(names.sort(), ['forever', 'sleep']);
    assert.deepStrictEqual(co.inspect(), []);
    await worker.terminate();
  });
});

describe('a process whose coroutines nothing will wake', () => {
  it('ends, and names each one and what it waits for', () => {
    const { status, stderr } = run('n.forever(); n.call(() => new Promise(() => {}), 1);');
    assert.strictEqual(status, 0);
    assert.match(stderr, /\[FIBRIL_WAITING\] Warning: The process ends/);
    assert.match(stderr, /forever waits for resume\ncall waits for JavaScript/);
  });

  it('says of a worker that the worker ends', () => {
    const code = `require(${JSON.stringify(nativesPath)}).forever();`;
    const { status, stderr } =
      run(`new (require('node:worker_threads').Worker)(${JSON.stringify(code)}, { eval: true });`);
    assert.strictEqual(status, 0);
    assert.match(stderr, /\[FIBRIL_WAITING\] Warning: The worker ends/);
  });

  it('says nothing when all have ended', () => {
    const { status, stderr } = run('n.echoLater(1, 5);');
    assert.strictEqual(status, 0);
    assert.strictEqual(stderr, '');
  });
});

describe('the report of leaks', () => {
  const LEAKS =
    'n.forever(); co.sleep(1e9); n.keepFailed("on fire"); co.run(function* lost() { yield new Promise(() => {}); }).catch(() => {});';
  const EXPECTED = [
    'fibril: never finished: coroutine "forever", waiting # ms for resume',
    'fibril: never finished: coroutine "keepFailed", waiting # ms for resume',
    'fibril: never finished: coroutine "sleep", waiting # ms for sleep',
    'fibril: never finished: run "lost", waiting for promise',
    'fibril: never read: a future of coroutine "failing" failed: on fire',
  ];

  function lines(text) {
    return text.replace(/\d+ ms/g, '# ms').split('\n').filter(Boolean).sort();
  }

  it('names what has not ended and what nobody read, when the environment asks for it', () => {
    const { status, stderr } = run(`${LEAKS} setImmediate(() => process.exit(3));`,
      { FIBRIL_LEAKS: '1' });
    assert.strictEqual(status, 3);
    assert.deepStrictEqual(lines(stderr), EXPECTED);
  });

  it('does so after co.reportLeaks(), and once', () => {
    const { stderr } = run(
      `co.reportLeaks(); co.reportLeaks(); ${LEAKS} setImmediate(() => process.exit(3));`);
    assert.deepStrictEqual(lines(stderr), EXPECTED);
  });

  it('comes at the end of a process that has nothing left to do, too', () => {
    const { status, stderr } = run('n.forever();', { FIBRIL_LEAKS: '1' });
    assert.strictEqual(status, 0);
    assert.strictEqual(stderr.match(/never finished: coroutine "forever"/g).length, 1);
  });

  for (const [how, end] of [['process.exit()', 'process.exit(3)'],
    ['terminate()', 'port.on("message", () => {}).postMessage(1)']]) {
    it(`comes at the end of a worker, by ${how}`, () => {
      const { stderr } = run(`
        const { Worker, isMainThread } = require('node:worker_threads');
        const worker = new Worker(\`
          const n = require(${JSON.stringify(
            nativesPath)}), port = require('node:worker_threads').parentPort;
          n.forever(); n.keepFailed("on fire"); setImmediate(() => ${end});\`, { eval: true });
        worker.on('message', () => worker.terminate());`, { FIBRIL_LEAKS: '1' });
      assert.deepStrictEqual(lines(stderr), [EXPECTED[0], EXPECTED[1], EXPECTED[4]]);
    });
  }

  it('says nothing where nothing leaks, or nobody asked', () => {
    assert.strictEqual(run(
      'n.echoLater(1, 5); co.sleep(1); co.run(function* () { yield 1; }).catch(() => {});',
      { FIBRIL_LEAKS: '1' }).stderr, '');
    assert.strictEqual(run(`${LEAKS} setImmediate(() => process.exit(3));`, { FIBRIL_LEAKS: '0' })
      .stderr, '');
  });

  it('reports the runs of co where there is no binary', () => {
    const alone = path.join(fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'fibril-')),
      'lib');
    fs.cpSync(path.join(__dirname, '..', 'lib'), alone, { recursive: true });
    const code = `const co = require(${JSON.stringify(
      alone)}); co.run(function* lost() { yield new Promise(() => {}); }); console.log(co.inspect().length);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', code],
      { encoding: 'utf8', env: { ...process.env, FIBRIL_LEAKS: '1' } });
    fs.rmSync(path.dirname(alone), { recursive: true });
    assert.strictEqual(stdout, '1\n');
    assert.match(stderr, /^fibril: never finished: run "lost", waiting for promise$/m);
  });
});
