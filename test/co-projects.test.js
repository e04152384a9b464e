'use strict';

/*
 * Projects that use co, with fibril in its place: Koa 1 with koa-router 5, ajv 4's asynchronous
 * schemas, co-mocha; and those of today that still have it: Jest 29, whose tests may be generators,
 * and Koa 2, whose middleware may.
 */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');

const run = promisify(execFile);
const support = path.join(__dirname, 'support');
const hook = path.join(support, 'replace-co.js');

async function output(program, { replaced, runner = 'js', cwd }) {
  const args = [...(replaced ? ['--require', hook] : []), program];
  const { stdout } = await run(process.execPath, args,
    { cwd, env: { ...process.env, FIBRIL_RUNNER: runner } });
  return JSON.parse(stdout);
}

const programs = {
  'Koa 1 with koa-router 5': ['koa-server.js', ['composition', 'koa', 'koa-router']],
  "ajv 4's asynchronous schemas": ['ajv-async.js', ['ajv-async']],
};

describe('co: projects that use co', function () {
  this.timeout(120_000);

  for (const [name, [file, users]] of Object.entries(programs)) {
    for (const runner of ['js', 'native']) {
      it(`${name} with fibril in its place, FIBRIL_RUNNER=${runner}`, async () => {
        const program = path.join(support, file);
        const [expected, found] = await Promise.all([output(program, {}),
          output(program, { replaced: true, runner })]);
        assert.deepEqual([expected.replaced, [...new Set(found.replaced)].sort()], [[], users]);
        delete expected.replaced;
        delete found.replaced;
        assert.deepEqual(found, expected);
      });
    }
  }

  it('the same and co-mocha, installed with npm overrides', function () {
    return withPackages(this, { 'ajv-async': 'npm:ajv@4', 'co-mocha': '1', koa: '1',
      'koa-router': '5', mocha: '3' }, async (folder) => {
      for (const [file] of Object.values(programs)) {
        const copy = path.join(folder, file);
        fs.copyFileSync(path.join(support, file), copy);
        const found = await output(copy, { cwd: folder });
        const expected = await output(path.join(support, file), {});
        assert.deepEqual(found, expected);
      }
      await runCoMocha(folder);
    });
  });

  it('Jest 29 and Koa 2, installed with npm overrides', function () {
    return withPackages(this, { jest: '29', koa: '2' }, async (folder) => {
      await runJest(folder);
      await runKoa2(folder);
    });
  });
});

function* copiesOfCo(modules) {
  if (!fs.existsSync(modules)) return;
  for (const name of fs.readdirSync(modules)) {
    const inside = path.join(modules, name);
    if (name === 'co') yield inside;
    else yield* copiesOfCo(name.startsWith('@') ? inside : path.join(inside, 'node_modules'));
  }
}

/** Runs `use` in a folder with these packages, in which fibril stands for co. */
async function withPackages(test, dependencies, use) {
  if (process.env.FIBRIL_FETCH !== '1') {
    console.log('      skipped: installs packages from npm: set FIBRIL_FETCH=1');
    test.skip();
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-projects-'));
  try {
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({
      private: true,
      dependencies: { co: `file:${path.join(__dirname, '..')}`, ...dependencies },
      overrides: { co: '$co' },
    }));
    await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder });
    assert.deepEqual([...copiesOfCo(path.join(folder, 'node_modules'))]
      .map((copy) => require(path.join(copy, 'package.json')).name), ['fibril']);
    await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** A suite whose tests are generators: one passes, one fails at its bad yield. */
async function runCoMocha(folder) {
  fs.mkdirSync(path.join(folder, 'test'));
  fs.writeFileSync(path.join(folder, 'test', 'suite.js'), `
    const assert = require('assert');
    describe('generators', function () {
      let prepared;
      beforeEach(function* () {
        prepared = yield Promise.resolve('prepared');
      });
      it('passes', function* () {
        assert.equal(prepared, yield (done) => setImmediate(done, null, 'prepared'));
      });
      it('fails', function* () {
        yield 5;
      });
    });
  `);
  const mocha = path.join(folder, 'node_modules', 'mocha', 'bin', '_mocha');
  const { stdout } = await run(process.execPath,
    [mocha, '--require', 'co-mocha', '--reporter', 'json'], { cwd: folder })
    .catch((error) => error);
  const { passes, failures } = JSON.parse(stdout.slice(stdout.indexOf('{')));
  assert.deepEqual(passes.map(({ title }) => title), ['passes']);
  assert.deepEqual(failures.map(({ title, err }) => [title, err.message.slice(-3), err.type]),
    [['fails', '"5"', 'number']]);
}

/** A suite of generators under Jest, which drives them with co. */
async function runJest(folder) {
  fs.writeFileSync(path.join(folder, 'generators.test.js'), `
    let prepared;
    beforeEach(function* () {
      prepared = yield Promise.resolve('prepared');
    });
    test('passes', function* () {
      expect(yield [(done) => setImmediate(done, null, 'prepared')]).toEqual([prepared]);
    });
    test('fails', function* () {
      yield 5;
    });
  `);
  const jest = path.join(folder, 'node_modules', 'jest', 'bin', 'jest.js');
  const { stdout } = await run(process.execPath, [jest, '--json'], { cwd: folder })
    .catch((error) => error);
  const [{ assertionResults }] = JSON.parse(stdout).testResults;
  const found = assertionResults.map(({ title, status, failureMessages: [message = ''] }) =>
    [title, status, message.split('\n')[0].slice(-3)]);
  assert.deepEqual(found, [['passes', 'passed', ''], ['fails', 'failed', '"5"']]);
}

/** Middleware of Koa 1 in Koa 2, which converts it with co. */
async function runKoa2(folder) {
  const program = path.join(folder, 'koa2.js');
  fs.writeFileSync(program, `
    const Koa = require('koa');
    const app = new Koa();
    app.use(function* (next) {
      try {
        yield next;
        this.body = [this.path, yield (done) => setImmediate(done, null, 'thunk'), this.state.seen];
      } catch (error) {
        this.body = [error.message];
      }
    });
    app.use(async (ctx, next) => {
      ctx.state.seen = 'async';
      await next();
    });
    app.use(function* () {
      if (this.path === '/bad') yield 5;
    });
    const server = app.listen(0, '127.0.0.1', async () => {
      const get = async (path) => (await fetch('http://127.0.0.1:' + server.address().port + path)).json();
      process.stdout.write(JSON.stringify([await get('/good'), await get('/bad')]));
      server.close();
      server.closeAllConnections();
    });
  `);
  const { stdout } = await run(process.execPath, ['--no-deprecation', program], { cwd: folder });
  const [good, [bad]] = JSON.parse(stdout);
  assert.deepEqual(good, ['/good', 'thunk', 'async']);
  assert.match(bad, /^You may only yield .*"5"$/);
}
