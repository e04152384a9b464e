'use strict';

// The packed tarball in what runs or installs packages in a way of its own; docs/pitfalls.md has a
// line for each.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { fetchOrSkip, installOrSkip, needNetwork } = require('../support/fetched.js');
const { root, newFolder, run, tarball, writeAddon } = require('../support/packed.js');

const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');

describe('hosts', function () {
  this.timeout(300000);

  let work;
  before(() => (work = fs.realpathSync(newFolder('hosts'))));
  after(() => fs.rmSync(work, { recursive: true, force: true }));

  function newProject(name) {
    const folder = path.join(work, name);
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'package.json'),
      '{"name": "user", "version": "1.0.0", "private": true}');
    return folder;
  }

  it('Jest: works, also loaded again for each file; instanceof fails as for Node\'s own promises',
    function () {
    needNetwork(this, 'Jest');
    const folder = newProject('jest');
    run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund',
      tarball(), 'jest@30'], folder);
    const file = `
      const co = require('fibril');
      test('co and natives', async () => {
        const result = await co(function* () {
          const [a, b] = yield [Promise.resolve(1), co.sleep(5, 2)];
          return [a, b, (yield co.fs.stat('package.json')).size, yield { c: co.sleep(1, 3) }];
        });
        expect(result).toEqual([1, 2, require('fs').statSync('package.json').size, { c: 3 }]);
        await co.gen.sleep(1);
      });
      test('errors', async () => {
        await expect(co.fs.readFile('/no/such')).rejects.toMatchObject({ code: 'ENOENT', path: '/no/such' });
        await expect(co.fs.readFile({})).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      });
      test('fake timers leave native ones alone', async () => {
        jest.useFakeTimers();
        await co.sleep(5);
        jest.useRealTimers();
      });
      test('what Node makes is of its own realm', () => {
        expect(co.sleep(1)).not.toBeInstanceOf(Promise);
        expect(require('fs').promises.stat('.')).not.toBeInstanceOf(Promise);
      });`;
    for (const name of ['a', 'b']) fs.writeFileSync(path.join(folder, `${name}.test.js`), file);
    const jest = path.join(folder, 'node_modules', 'jest', 'bin', 'jest.js');
    run(process.execPath, [jest, '--ci'], folder);
    run(process.execPath, [jest, '--ci', '--runInBand'], folder);
  });

  // By pool: whether tests are of Node's realm; how many workers. A single one of a vm pool has the
  // files' realms one after another.
  for (const [pool, ofRealm, counts] of [['vmThreads', false, [1, 2]], ['vmForks', false, [1]],
    ['threads', true, [2]], ['forks', true, [2]]]) {
    it(`Vitest's ${pool}: works, also loaded again and again`, function () {
      const tools = installOrSkip(this, 'vitest@3');
      const folder = newProject(`vitest ${pool}`);
      run('npm', ['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', tarball()],
        folder);
      fs.symlinkSync(path.join(tools, 'node_modules', 'vitest'),
        path.join(folder, 'node_modules', 'vitest'));
      const file = `
        import { createRequire } from 'node:module';
        import { expect, test, vi } from 'vitest';
        import co, { fs, gen, sleep } from 'fibril';
        test('co and natives', async () => {
          const result = await co(function* () {
            const [a, b] = yield [Promise.resolve(1), sleep(5, 2)];
            return [a, b, (yield fs.stat('package.json')).isFile(), yield { c: gen.sleep(1, 3) }];
          });
          expect(result).toEqual([1, 2, true, { c: 3 }]);
          await expect(fs.readFile('/no/such')).rejects.toMatchObject({ code: 'ENOENT', path: '/no/such' });
          await expect(fs.readFile({})).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
        });
        test('loaded again and again', async () => {
          const require = createRequire(import.meta.url);
          const values = [];
          for (let i = 0; i < 5; i++) {
            vi.resetModules();
            for (const name of Object.keys(require.cache)) delete require.cache[name];
            for (const each of [(await import('fibril')).default, require('fibril')]) {
              values.push(await each(function* () { return yield [each.sleep(1, i), each.gen.sleep(1, i), sleep(1, i)]; }));
            }
          }
          expect(values).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4].map((i) => [i, i, i]));
          expect(co.inspect()).toEqual([]);
        });
        test('fake timers leave native ones alone', async () => {
          vi.useFakeTimers();
          await sleep(5);
          vi.useRealTimers();
        });
        test('promises are of the realm of Node', () => {
          expect(sleep(1) instanceof Promise).toBe(${ofRealm});
        });`;
      const names = ['a', 'b', 'c', 'd'];
      for (const name of names) fs.writeFileSync(path.join(folder, `${name}.test.mjs`), file);
      const vitest = path.join(tools, 'node_modules', 'vitest', 'vitest.mjs');
      for (const workers of counts) {
        const json = run(process.execPath, [vitest, 'run', `--pool=${pool}`,
          `--maxWorkers=${workers}`, `--minWorkers=${workers}`, '--reporter=json'], folder);
        const { numPassedTests, numTotalTests } = JSON.parse(json.slice(json.indexOf('{')));
        assert.deepStrictEqual([numPassedTests, numTotalTests],
          [4 * names.length, 4 * names.length]);
      }
    });
  }

  it('Yarn\'s Plug\'n\'Play: works, and an addon builds from one line', function () {
    const yarn = path.join(fetchOrSkip(this, '@yarnpkg/cli-dist@4'), 'bin', 'yarn.js');
    const folder = newProject('yarn');
    const { variables } = JSON.parse(fs.readFileSync(path.join(root, 'build', 'config.gypi'),
      'utf8').replace(/^#.*$/m, ''));
    const env = {
      ...process.env, YARN_ENABLE_TELEMETRY: '0',
      YARN_GLOBAL_FOLDER: path.join(work, 'yarn-global'), YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
      npm_config_nodedir: variables.nodedir,
    };
    const runYarn = (...args) => run(process.execPath, [yarn, ...args], folder, env);
    fs.writeFileSync(path.join(folder, 'yarn.lock'), '');
    runYarn('add', `fibril@file:${tarball()}`);
    assert.ok(fs.existsSync(path.join(folder, '.pnp.cjs')) &&
      !fs.existsSync(path.join(folder, 'node_modules')));
    assert.strictEqual(runYarn('node', '-e',
      "require('fibril').sleep(1, 'slept').then(console.log)"), 'slept\n');

    writeAddon(folder, `#include <fibril.h>
      static fibril_value answer(fibril_args *args) {
        (void)args;
        int err = fibril_sleep(1);
        return err != 0 ? fibril_error(err, NULL) : fibril_number(42);
      }
      FIBRIL_MODULE(m) { fibril_export(m, "answer(): Promise<number>", answer); }`);
    runYarn('exec', 'node', nodeGyp, 'rebuild');
    assert.strictEqual(runYarn('node', '-e',
      "require('./build/Release/addon.node').answer().then(console.log)"), '42\n');
  });
});
