'use strict';

// Where no binary loads: one warning in one sentence, co all the same, natives that throw. Under
// Bun and Deno, in Node's permission model and on platforms without a prebuilt addon.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { fetchOrSkip } = require('./support/fetched.js');

const root = path.join(__dirname, '..');
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission' : '--experimental-permission';

// What an application sees, as JSON in stdout.
const PROGRAM = `
  const co = require(process.env.FIBRIL_UNDER_TEST);
  const work = co(function* () {
    const [a, { b }, c] = yield [Promise.resolve(1), { b: (done) => setTimeout(done, 1, null, 2) }, (function* () { return 3; })()];
    try { yield Promise.reject(new Error('x')); } catch (error) { return [a, b, c, error.message]; }
  });
  work.then(async (result) => {
    let sleep;
    try {
      sleep = await co.sleep(1, 'slept');
    } catch (error) {
      sleep = error.code;
    }
    console.log(JSON.stringify({ result, wrapped: await co.wrap(function* (n) { return yield n; })(Promise.resolve(4)), sleep }));
  });
`;

describe('without a binary', function () {
  this.timeout(60000);

  let work;
  before(() => {
    work = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-runtimes-'));
    fs.cpSync(path.join(root, 'lib'), path.join(work, 'lib'), { recursive: true });
    fs.writeFileSync(path.join(work, 'program.cjs'), PROGRAM);
  });
  after(() => fs.rmSync(work, { recursive: true, force: true }));

  /**
   * Runs the program, or another one, over the repository's lib or, `bare`, a copy of it that has
   * no binaries.
   */
  function run({ command = process.execPath, flags = [], bare = false, code }) {
    const file = path.join(work, code === undefined ? 'program.cjs' : 'other.cjs');
    if (code !== undefined) fs.writeFileSync(file, code);
    const env = { ...process.env, NO_COLOR: '1',
      FIBRIL_UNDER_TEST: path.join(bare ? work : root, 'lib') };
    const child = spawnSync(command, [...flags, file], { encoding: 'utf8', env });
    if (child.error) throw child.error;
    assert.equal(child.status, 0, child.stderr);
    return { ...JSON.parse(child.stdout),
      warnings: child.stderr.split('\n').filter((line) => /fibril/i.test(line)) };
  }

  function assertOnlyCo(outcome, code, sentence) {
    assert.deepEqual(outcome.result, [1, 2, 3, 'x']);
    assert.equal(outcome.wrapped, 4);
    assert.equal(outcome.sleep, code);
    assert.equal(outcome.warnings.length, 1, outcome.warnings.join('\n'));
    assert.match(outcome.warnings[0], sentence);
  }

  it('everything works where there is one', () => {
    assert.deepEqual(run({}), { result: [1, 2, 3, 'x'], wrapped: 4, sleep: 'slept', warnings: [] });
  });

  it('an ES module has every name that require has', async () => {
    const names = Object.keys(await import('../lib/index.mjs'));
    assert.deepEqual(names.sort(), Object.keys(require('../lib')).sort());
  });

  it('offers the same names', () => {
    const code = `
      const hidden = /^(co|default|arguments|caller|length|name|prototype|__.*)$/;
      const shape = (value) => Object.fromEntries(Object.getOwnPropertyNames(value).filter((key) => !hidden.test(key)).sort()
        .map((key) => [key, (value[key] instanceof Object) && key !== 'moment' ? shape(value[key]) : typeof value[key]]));
      process.removeAllListeners('warning');
      console.log(JSON.stringify({ shape: shape(require(process.env.FIBRIL_UNDER_TEST)) }));`;
    const complete = run({ code }).shape;
    for (const name of ['Queue', 'LifoQueue']) assert.deepEqual(complete.queues[name], {});
    assert.equal(complete.IOLoop.READ, 'number');
    assert.deepEqual(complete.gen.convertYielded, { register: {} });
    assert.deepEqual(run({ code, bare: true }).shape, complete);
  });

  it('says why at every use of gen, Future, IOLoop, locks and queues', () => {
    const code = `
      const { gen, Future, IOLoop, PeriodicCallback, locks, queues } = require(process.env.FIBRIL_UNDER_TEST);
      process.removeAllListeners('warning');
      const uses = {
        coroutine: () => gen.coroutine(function* () {}), sleep: () => gen.sleep(1), register: () => gen.convertYielded.register(Map, () => null),
        Return: () => new gen.Return(1), Future: () => new Future(), current: () => IOLoop.current(), IOLoop: () => new IOLoop(),
        PeriodicCallback: () => new PeriodicCallback(() => {}, 1), Lock: () => new locks.Lock(), Queue: () => new queues.Queue(),
      };
      const codes = {};
      for (const [name, use] of Object.entries(uses)) {
        try {
          use();
        } catch ({ code }) {
          codes[name] = code;
        }
      }
      console.log(JSON.stringify({ uses: Object.keys(uses), codes }));`;
    const { uses, codes } = run({ code, bare: true });
    assert.deepEqual(codes, Object.fromEntries(uses.map((name) => [name, 'ERR_FIBRIL_NO_BINARY'])));
  });

  const DISABLED =
    /Warning: Only co works: fibril may not load its native part: .*--permission.*--allow-addons.*\.$/;

  it('under the permission model, without --allow-addons', () => {
    assertOnlyCo(run({ flags: [permission, '--allow-fs-read=*'] }), 'ERR_FIBRIL_NO_BINARY',
      DISABLED);
  });

  it('under --no-addons', () => {
    assertOnlyCo(run({ flags: ['--no-addons'] }), 'ERR_FIBRIL_NO_BINARY', DISABLED);
  });

  it('but with --allow-addons the permission model changes nothing, though the executable may not be read', () => {
    const flags = [permission, '--allow-addons', `--allow-fs-read=${root}`,
      `--allow-fs-read=${work}`];
    const outcome = run({ flags });
    assert.equal(outcome.sleep, 'slept');
    assert.deepEqual(outcome.result, [1, 2, 3, 'x']);
  });

  for (const [key, value] of [['arch', 'mips'], ['platform', 'haiku']]) {
    it(`on an unknown ${key}`, () => {
      const code = `Object.defineProperty(process, '${key}', { value: '${value}' }); ${PROGRAM}`;
      const sentence = new RegExp(
        `Warning: Only co works: fibril has no native part for .*${value}.* npx node-gyp rebuild --directory "`);
      assertOnlyCo(run({ code, bare: true }), 'ERR_FIBRIL_NO_BINARY', sentence);
    });
  }

  const RUNTIMES = {
    Bun: { spec: `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`, file: 'bin/bun',
      flags: ['run'] },
    Deno: { spec: `@deno/linux-${process.arch}-glibc`, file: 'deno',
      flags: ['run', '--allow-all', '--no-config'] },
  };

  for (const [name, { spec, file, flags }] of Object.entries(RUNTIMES)) {
    it(`in ${name}`, function () {
      const command = path.join(fetchOrSkip(this, spec), file);
      const sentence = new RegExp(
        `Warning: Only co works: fibril needs Node.js: ${name} does not .*\\.$`);
      assertOnlyCo(run({ command, flags }), 'ERR_FIBRIL_UNSUPPORTED_RUNTIME', sentence);
    });
  }
});
