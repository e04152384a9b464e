'use strict';

// The packed tarball in what runs or installs packages in a way of its own; docs/pitfalls.md has a line for each.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { fetchOrSkip, needNetwork } = require('./support/fetched.js');
const { root, newFolder, run, tarball } = require('./support/packed.js');

const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');

describe('hosts', function () {
  this.timeout(300000);

  let work;
  before(() => (work = fs.realpathSync(newFolder('hosts'))));
  after(() => fs.rmSync(work, { recursive: true, force: true }));

  function newProject(name) {
    const folder = path.join(work, name);
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name": "user", "version": "1.0.0", "private": true}');
    return folder;
  }

  it('Jest: works, also loaded again for each file; instanceof fails as for Node\'s own promises', function () {
    needNetwork(this, 'Jest');
    const folder = newProject('jest');
    run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball(), 'jest@30'], folder);
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

  it('Yarn\'s Plug\'n\'Play: works, and an addon builds from one line', function () {
    const yarn = path.join(fetchOrSkip(this, '@yarnpkg/cli-dist@4'), 'bin', 'yarn.js');
    const folder = newProject('yarn');
    const { variables } = JSON.parse(fs.readFileSync(path.join(root, 'build', 'config.gypi'), 'utf8').replace(/^#.*$/m, ''));
    const env = {
      ...process.env, YARN_ENABLE_TELEMETRY: '0', YARN_GLOBAL_FOLDER: path.join(work, 'yarn-global'), YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
      npm_config_nodedir: variables.nodedir,
    };
    const runYarn = (...args) => run(process.execPath, [yarn, ...args], folder, env);
    fs.writeFileSync(path.join(folder, 'yarn.lock'), '');
    runYarn('add', `fibril@file:${tarball()}`);
    assert.ok(fs.existsSync(path.join(folder, '.pnp.cjs')) && !fs.existsSync(path.join(folder, 'node_modules')));
    assert.strictEqual(runYarn('node', '-e', "require('fibril').sleep(1, 'slept').then(console.log)"), 'slept\n');

    fs.writeFileSync(path.join(folder, 'addon.c'), `#include <fibril.h>
      static fibril_value answer(fibril_args *args) {
        (void)args;
        int err = fibril_sleep(1);
        return err != 0 ? fibril_error(err, NULL) : fibril_number(42);
      }
      FIBRIL_MODULE(m) { fibril_export(m, "answer(): Promise<number>", answer); }`);
    fs.writeFileSync(path.join(folder, 'binding.gyp'), `{
      "targets": [{
        "target_name": "addon",
        "sources": ["addon.c"],
        "dependencies": ["<!(node -p \\"require('fibril/gyp').target\\")"]
      }]
    }`);
    runYarn('exec', 'node', nodeGyp, 'rebuild');
    assert.strictEqual(runYarn('node', '-e', "require('./build/Release/addon.node').answer().then(console.log)"), '42\n');
  });
});
