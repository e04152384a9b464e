'use strict';

// Stack overflows inside Node, with each kind of guard, and everybody else who handles SIGSEGV in
// the same process.

const assert = require('node:assert');
const path = require('node:path');
const { spawnSync } = require('node:child_process');

const release = path.join(__dirname, 'addon', 'build', 'Release');
const load = (name) => `require(${JSON.stringify(path.join(release, `${name}.node`))})`;

const PRELUDE = `
  'use strict';
  const { Worker } = require('node:worker_threads');
  /** The worker's message, once it has been terminated in the middle of what else it does. */
  const inWorker = (code) => new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true });
    worker.on('message', (message) => worker.terminate().then(() => resolve(message))).on('error', reject);
  });
  const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8, 1, 4, 114, 101,
    97, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11]);
  const read = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports.read;
  /** Reads behind the end of WebAssembly's memory: 'RuntimeError'. */
  const trap = () => { try { read(1 << 30); return 'nothing'; } catch (error) { return error.constructor.name; } };
`;

function run(code, guard) {
  const env = { ...process.env };
  delete env.FIBRIL_GUARD;
  if (guard) env.FIBRIL_GUARD = guard;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', PRELUDE + code],
    { env, encoding: 'utf8', timeout: 100_000, killSignal: 'SIGKILL' });
  return { status, signal, stdout, stderr };
}

const sentence = (name) =>
  `fibril: stack overflow in coroutine "${name}" (stack size 262144 bytes): give it a larger stack_size or move large local`
  + ' variables to the heap\n';

function overflowed(result, name, before = '') {
  assert.deepStrictEqual(result,
    { status: null, signal: 'SIGSEGV', stdout: '', stderr: before + sentence(name) });
}

const STACK = 256 * 1024;

describe('a stack overflow', () => {
  const unavailable = run(`${load('overflows')}.nap(1);`, 'install').stderr;

  for (const guard of ['install', 'mprotect']) {
    describe(`with guard pages by ${guard}`, () => {
      before(function () {
        if (guard === 'install' && unavailable) {
          console.log(`      skipped: ${unavailable.trim()}`);
          this.skip();
        }
      });

      for (const [what, call, name] of [
        ['by recursion', 'firstRecursion(1e9)', 'firstRecursion'],
        ['by one frame larger than stack and guard', 'firstFrame()', 'firstFrame'],
        ['deep in the C library', 'firstLibc(1e6)', 'firstLibc'],
      ]) {
        it(`${what} ends the process with a sentence`, () => {
          overflowed(run(`${load('overflows')}.${call};`, guard), name);
        });

        it(`${what}, in a worker too`, () => {
          overflowed(run(`inWorker(${JSON.stringify(`${load('overflows')}.${call};`)});`, guard),
            name);
        });

        it(`${what}, after a wait too`, () => {
          overflowed(run(`const first = ${load(
            'overflows')}; first.nap(1).then(() => first.${call});`, guard), name);
        });
      }

      it('is none where the stack is deep enough', () => {
        const code = `const first = ${load(
          'overflows')}; first.firstRecursion(200000); first.firstLibc(100).then(console.log);`;
        assert.deepStrictEqual(run(code, guard),
          { status: 0, signal: null, stdout: '0\n', stderr: '' });
      });
    });
  }

  describe('with a canary', () => {
    it('by recursion is noticed when the coroutine waits', () => {
      overflowed(run(`${load('overflows')}.firstRecursion(${STACK + 8192});`, 'canary'),
        'firstRecursion');
    });

    it('by recursion, in a worker too', () => {
      overflowed(run(`inWorker(${JSON.stringify(
        `${load('overflows')}.firstRecursion(${STACK + 8192});`)});`, 'canary'), 'firstRecursion');
    });

    it('is none where the stack is deep enough', () => {
      const code = `${load('overflows')}.firstRecursion(200000).then(console.log);`;
      assert.deepStrictEqual(run(code, 'canary'),
        { status: 0, signal: null, stdout: '200\n', stderr: '' });
    });
  });
});

describe('beside the handler for overflows', () => {
  const works = (code, stdout, stderr = '') => {
    assert.deepStrictEqual(run(code), { status: 0, signal: null, stdout, stderr });
  };

  describe('WebAssembly', () => {
    it('throws its RuntimeErrors, before and after, called from C, and in workers', () => {
      works(`
        console.log(trap());
        const natives = ${load('natives')};
        console.log(trap());
        natives.call(() => trap(), 0, true).then(console.log)
          .then(() => inWorker(${JSON.stringify(PRELUDE)} + 'const natives = ${load(
            'natives')}; natives.call(trap, 0, true).then((name) => {'
            + 'if (name !== "RuntimeError") throw new Error(name); require("node:worker_threads").parentPort.postMessage(1); });'))
          .then(console.log).then(() => console.log(trap()));`,
      'RuntimeError\nRuntimeError\nRuntimeError\n1\nRuntimeError\n');
    });
  });

  describe('process.on(\'SIGSEGV\')', () => {
    const listen =
      'process.once("SIGSEGV", (name) => { console.log(name); clearInterval(timer); }); const timer = setInterval(() => {}, 1e6);';
    const send = 'process.kill(process.pid, "SIGSEGV");';

    it('hears of a signal that was sent, when it came before',
      () => works(`${listen} ${load('overflows')}.nap(1); ${send}`, 'SIGSEGV\n'));

    it('hears of a signal that was sent, when it came after',
      () => works(`${load('overflows')}.nap(1); ${listen} ${send}`, 'SIGSEGV\n'));

    it('that came before leaves overflows their sentence', () => {
      overflowed(run(`process.on('SIGSEGV', () => console.log('wrong')); ${load(
        'overflows')}.firstRecursion(1e9);`), 'firstRecursion');
    });

    it('that came after does not keep an overflow from ending the process', () => {
      const { signal, stdout } =
        run(`const first = ${load(
          'overflows')}; process.on('SIGSEGV', () => {}); first.firstRecursion(1e9);`);
      assert.deepStrictEqual({ signal, stdout }, { signal: 'SIGSEGV', stdout: '' });
    });
  });

  describe('the handler of another addon', () => {
    const orders = {
      'that came before': `const foreign = ${load(
        'foreign')}; foreign.install(true); const first = ${load('overflows')};`,
      'that came after': `const first = ${load('overflows')}, foreign = ${load(
        'foreign')}; foreign.install(true);`,
      'between two copies': `const first = ${load('overflows')}, foreign = ${load(
        'foreign')}; foreign.install(true); ${load('overflows_again')};`,
      'on the faulting stack, that came before': `const foreign = ${load(
        'foreign')}; foreign.install(false); const first = ${load('overflows')};`,
      'on the faulting stack, that came after': `const first = ${load(
        'overflows')}, foreign = ${load('foreign')}; foreign.install(false);`,
    };
    for (const [when, setup] of Object.entries(orders)) {
      it(`${when}, mends its own faults, in workers too`, () => {
        works(`${setup} console.log(foreign.fault(), foreign.fault());
          first.nap(1).then(() => inWorker('${load('overflows')}.nap(1).then(() => {' +
            'if (${load('foreign')}.fault() !== 3) throw new Error("not mended");' +
            'require("node:worker_threads").parentPort.postMessage(1); });'))
          .then((code) => console.log(code, foreign.fault()));`, '1 2\n1 4\n');
      });

      it(`${when}, is asked about a fault that is no overflow, once, and the process ends`, () => {
        assert.deepStrictEqual(run(`${setup} first.nap(1).then(() => foreign.segv());`),
          { status: null, signal: 'SIGSEGV', stdout: '', stderr: 'foreign: not mine\n' });
      });

      it(`${when}, ${when.endsWith('stack, that came after')
        ? 'costs an overflow its sentence, not its end' : 'leaves overflows their sentence'}`,
          () => {
        const result = run(`${setup} first.firstRecursion(1e9);`);
        if (when.endsWith('stack, that came after')) {
          assert.deepStrictEqual(result, { status: null, signal: 'SIGSEGV', stdout: '',
            stderr: '' });
        } else {
          overflowed(result, 'firstRecursion',
            when === 'that came after' ? 'foreign: not mine\n' : '');
        }
      });
    }
  });
});

describe('two addons with a copy of fibril each', () => {
  const both = `const first = ${load('overflows')}, second = ${load('overflows_again')};`;

  for (const name of ['first', 'second']) {
    it(`have an overflow in the ${name} named once`, () => {
      overflowed(
        run(`${both} Promise.all([first.nap(1), second.nap(1)]).then(() => ${name}.${name}Libc(1e6));`), `${name}Libc`);
    });
  }

  describe('the second only in workers that come and go', () => {
    const napping = (count) =>
      `const copy = ${load('overflows_again')}; for (let i = 0; i < ${count}; i++) copy.nap(i);`
      + ' copy.nap(1).then(() => require("node:worker_threads").parentPort.postMessage(1));';
    const comeAndGo = `
      const first = ${load('overflows')}, foreign = ${load('foreign')};
      foreign.install(true);
      const comeAndGo = async () => { for (let i = 0; i < 20; i++) await inWorker(${JSON.stringify(
        napping(300))}); };`;

    it('leave faults, WebAssembly and overflows to whom they belong', () => {
      const mended =
        run(`${comeAndGo} comeAndGo().then(() => console.log(foreign.fault(), trap()));`);
      assert.deepStrictEqual(mended, { status: 0, signal: null, stdout: '1 RuntimeError\n',
        stderr: 'foreign: not mine\n' });
    });

    it('have an overflow in the first named, afterwards', () => {
      overflowed(run(`${comeAndGo} comeAndGo().then(() => first.firstRecursion(1e9));`),
        'firstRecursion');
    });

    it('have one in the next worker named', () => {
      const code = `${comeAndGo} comeAndGo().then(() => inWorker(${JSON.stringify(
        `${load('overflows_again')}.secondFrame();`)}));`;
      overflowed(run(code), 'secondFrame');
    });

    it('stay in memory once their handler is set up', () => {
      const code =
        `${comeAndGo} comeAndGo().then(() => console.log(/overflows_again/.test(require('node:fs').readFileSync('/proc/self/maps'))));`;
      assert.strictEqual(run(code).stdout, 'true\n');
    });
  });
}).timeout(20000);
