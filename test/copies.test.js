'use strict';

// Many addons in one process, each with a copy of fibril: what the process has once they share, and
// none of them is too many. In processes of their own, whose addons stay loaded.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');

const release = path.join(__dirname, 'addon', 'build', 'Release');

const PRELUDE = `
  'use strict';
  const fs = require('node:fs');
  const { join } = require('node:path');
  const { setTimeout: sleep } = require('node:timers/promises');
  const { Worker } = require('node:worker_threads');
  /** As many copies of a test addon as asked for. Each file is deleted when it is loaded. */
  const copies = (name, count) => Array.from({ length: count }, (_, i) => {
    const file = join(process.env.FOLDER, name + i + '.node');
    fs.copyFileSync(join(process.env.RELEASE, name + '.node'), file);
    try { return require(file); } finally { fs.unlinkSync(file); }
  });
  const until = async (holds) => { while (!(await holds())) await sleep(1); };
`;

describe('copies of fibril in one process', function () {
  this.timeout(120_000);
  let folder;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-copies-'));
  });

  after(() => fs.rmSync(folder, { recursive: true }));

  /** What a program prints. */
  async function run(code, env = {}) {
    const options = { env: { ...process.env, FIBRIL_GUARD: '', FOLDER: folder, RELEASE: release,
      ...env }, timeout: 100_000, killSignal: 'SIGKILL' };
    return promisify(execFile)(process.execPath, ['-e', PRELUDE + code], options)
      .catch((error) => error);
  }

  it('are 250 without trouble, on the main thread and in a worker', async () => {
    const { stdout, stderr } = await run(`
      const all = copies('natives', 250);
      const last = () => all[249].call((n) => all[0].call((m) => m * 2, n + 1), 20);
      last().then(async (result) => {
        console.log(result, (await Promise.all(all.map((one, i) => one.echoLater(i, 1)))).reduce((a, b) => a + b));
        const worker = new Worker('require("node:worker_threads").parentPort.postMessage(require(' + JSON.stringify(
          join(process.env.RELEASE, 'natives.node')) + ').add(1, 2) instanceof Promise)', { eval: true });
        worker.on('message', console.log);
      });`);
    assert.deepStrictEqual([stderr, stdout], ['', '42 31125\ntrue\n']);
  });

  it('call nothing of those of another version', async () => {
    const { stdout, stderr } = await run(`
      for (const name of ['copies', 'calls', 'copies.0', 'calls.0', 'copies.2', 'calls.2']) {
        const refuse = () => { throw new Error('called'); };
        Object.defineProperty(process, Symbol.for('fibril.' + name), { value: { list: [{ inspect: refuse }], reports: true, note: refuse } });
      }
      const [one, other] = copies('natives', 2);
      const fibril = require(${JSON.stringify(path.join(__dirname, '..'))});
      fibril.reportLeaks();
      fibril.gen.future(one.add)(1, 2).then(async (sum) => {
        console.log(sum, await fibril.run(function* () { return yield other.echoLater('late', 1); }), fibril.inspect());
      });
      process.on('exit', () => console.log('exit'));`);
    assert.deepStrictEqual([stderr, stdout], ['', '3 late []\nexit\n']);
  });

  // What copies of this number have, which are not all of this version. Whoever has to change this
  // line gives the name another number.
  it('have the same functions for each other as all of their number', async () => {
    const { stdout, stderr } = await run(`
      copies('natives', 1);
      const { list, ...rest } = process[Symbol.for('fibril.copies.1')];
      console.log(Object.keys(list[0]).join(), Object.keys(rest).join(), Object.keys(process[Symbol.for('fibril.calls.1')]).join());`);
    const functions =
      'inspect,keepBook,reportLeaks,closeCallbacks,reportAllUnread,writeUnread,isNative';
    assert.deepStrictEqual([stderr, stdout], ['', `${functions} reports note\n`]);
  });

  it('pass a fault that is none of theirs on, however many they are', async () => {
    const { stdout, stderr } = await run(`
      const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8, 1, 4, 114, 101,
        97, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11]);
      copies('natives', 150);
      const { read } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports;
      try { read(1 << 30); } catch (error) { console.log(error.constructor.name); }`);
    assert.deepStrictEqual([stderr, stdout], ['', 'RuntimeError\n']);
  });

  it('name the coroutine that overflows, whichever copy is its own', async () => {
    for (const which of [0, 1, 4]) {
      const { signal, stderr } = await run(`copies('overflows', 5)[${which}].firstRecursion(1e9);`);
      assert.strictEqual(signal, 'SIGSEGV');
      assert.match(stderr,
        /^fibril: stack overflow in coroutine "firstRecursion" \(stack size 262144 bytes\): .*\n$/);
    }
  });

  it('take half of the pool\'s threads together, not each', async () => {
    const { stdout, stderr } = await run(`
      const all = copies('waits', 3);
      const count = async () => (await Promise.all(all.map((one) => one.countBlocked()))).reduce((a, b) => a + b);
      const blocked = all.map((one) => one.block());
      until(async () => await count() > 0).then(async () => {
        await fs.promises.readFile('/proc/self/stat');
        console.log(await count());
        for (const one of all) one.letGo(1);
        await Promise.all(blocked);
        console.log('done');
      });`, { UV_THREADPOOL_SIZE: '2' });
    assert.deepStrictEqual([stderr, stdout], ['', '1\ndone\n']);
  });

  it('leave the only thread of the pool to Node between two jobs', async () => {
    const { stdout, stderr } = await run(`
      const [one, other] = copies('waits', 2);
      const jobs = [one.block(), one.block(), other.block()];
      until(async () => await one.countBlocked() === 1).then(async () => {
        const stat = fs.promises.stat('/').then(() => console.log('stat')); // one job; readFile takes turns
        await sleep(5); // more than a turn
        one.letGo(1);
        await stat;
        one.letGo(1);
        other.letGo(1);
        await Promise.all(jobs);
        console.log('done');
      });`, { UV_THREADPOOL_SIZE: '1' });
    assert.deepStrictEqual([stderr, stdout], ['', 'stat\ndone\n']);
  });

  it('keep their guards in one budget, and say once that it is used up', async function () {
    const limit = Number(fs.readFileSync('/proc/sys/vm/max_map_count', 'latin1'));
    if (limit > 100_000) this.skip();
    const { stdout, stderr } = await run(`
      const maps = () => fs.readFileSync('/proc/self/maps', 'latin1').split('\\n').length;
      const [one, other] = copies('overflows', 2);
      for (let i = 0; i < ${Math.floor(limit / 8 * 3)}; i++) one.nap(1e6);
      const before = maps();
      for (let i = 0; i < 1000; i++) other.nap(1e6);
      console.log(before > ${limit} / 2, maps() - before < 500);
      process.exit();`, { FIBRIL_GUARD: 'mprotect' });
    assert.match(stderr, /^fibril: no more guard pages: .*\n$/);
    assert.strictEqual(stdout, 'true true\n');
  });
});
