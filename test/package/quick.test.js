'use strict';

// What `npm run quick` chooses for changed files.

const assert = require('node:assert');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { choose, isPlaced } = require('../../scripts/choose-tests.js');
const { filesBelow } = require('../../scripts/files.js');
const { C_TESTS, MOCHA_TESTS } = require('../../scripts/test-table.js');

const root = path.join(__dirname, '..', '..');
const textOf = (file) => fs.readFileSync(path.join(root, file), 'utf8');

/** What git has, or will have; in a copy without git what is there. */
function listFiles() {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (status === 0) {
    const isThere = (file) => file !== '' && fs.existsSync(path.join(root, file));
    return stdout.split('\0').filter(isThere);
  }
  const extensions = ['.c', '.cc', '.h', '.S', '.js', '.mjs', '.ts', '.md', '.py'];
  return filesBelow(root, extensions).map((file) => path.relative(root, file));
}

const files = listFiles();
const tree = { files, textOf, exists: (file) => files.includes(file) };

const changeOf = (one) => (typeof one === 'string' ? { status: 'M', file: one } : one);

/** For changed files, or {status, file}. */
const chosen = (...changed) => choose(changed.map(changeOf), tree);

const commandsOf = (...changed) => chosen(...changed).commands.map((command) => command.join(' '));
const isTest = (command) => /^mocha |test-c\.js/.test(command);
const testsOf = (file) => commandsOf(file).filter(isTest).join('\n');

describe('npm run quick', () => {
  it('builds for C of src and runs the C tests of its name, without configuring', () => {
    assert.deepStrictEqual(commandsOf('src/io/fs.c'), [
      'node-gyp build --jobs max',
      'node scripts/test-c.js --file io_fs_test',
      'node scripts/clang-format.js --check src/io/fs.c',
    ]);
  });

  it('takes the tests of the folder where none has the name', () => {
    assert.match(testsOf('src/io/pool.c'), /--file io_fs_test,io_net_dns_test,io_test,io_work_test$/);
    assert.match(testsOf('src/core/new.c'), /core_coroutine_test/);
    assert.match(testsOf('src/core/loop/new.h'), /core_loop_test/);
    assert.match(testsOf('lib/tornado/new.js'), /gen\.test\.js/);
  });

  it('runs what looks at the header', () => {
    const commands = commandsOf('include/fibril.h').join('\n');
    assert.match(commands, /--file .*misuse_test/);
    assert.match(commands, /^mocha .*docs\.test\.js .*header\.test\.js$/m);
    assert.match(commands, /^node scripts\/reference\.js --check$/m);
  });

  it('configures when a source has come or gone, or the build does not know all of them', () => {
    const expected = 'node-gyp configure build --jobs max';
    for (const status of ['A', 'D']) {
      assert.strictEqual(commandsOf({ status, file: 'src/io/fs.c' })[0], expected);
    }
    const changes = [{ status: 'M', file: 'src/io/fs.c' }];
    const { commands: [build] } = choose(changes, { files, textOf, configured: false });
    assert.strictEqual(build.join(' '), expected);
    const mocha = { status: 'M', file: 'test/locks.test.js' };
    const { commands } = choose([...changes, mocha], { files, textOf, addonsConfigured: false });
    assert.deepStrictEqual(commands.slice(0, 2).map((command) => command.join(' ')),
      ['node-gyp build --jobs max', `${expected} --directory test/addon`]);
  });

  it('looks for no format in what is gone, and runs no test that is', () => {
    const [, ...others] = commandsOf({ status: 'D', file: 'src/io/fs.c' });
    assert.deepStrictEqual(others, ['node scripts/test-c.js --file io_fs_test']);
    for (const file of ['test/locks.test.js', 'test/c/io_fs_test.c']) {
      const left = files.filter((one) => one !== file);
      const { commands } = choose([{ status: 'D', file }], { files: left, textOf });
      assert.deepStrictEqual(commands, []);
    }
  });

  it('runs changed tests, and those that use a changed file beside them', () => {
    const file = 'test/locks.test.js';
    assert.deepStrictEqual(commandsOf(file), [`mocha ${file}`, `eslint ${file}`]);
    assert.match(testsOf('test/support/fs-cases.js'), /^mocha test\/fs-node\.test\.js$/);
    assert.match(testsOf('test/c/io_work_test.c'), /--file io_work_test$/);
    assert.match(testsOf('test/c/every_wait.c'), /core_waits_test\nmocha test\/waits\.test\.js$/);
  });

  for (const [file, ...tests] of [
    ['lib/arguments.js', 'co-run', 'fs', 'fs-node', 'locks'],
    ['lib/native/fs.js', 'fs', 'fs-node'], ['lib/native/index.d.ts', 'package/types'],
    ['lib/tornado/locks.js', 'locks'], ['lib/tornado/wait-iterator.js', 'gen-waits'],
    ['lib/tornado/waiters.js', 'locks', 'queues'],
    ['src/addon/du.c', 'fs'], ['src/node/calls/from_js.c', 'bridge.calls'],
    ['src/node/runtime/42-signals.js', 'bridge.signal'],
    ['src/node/signatures/scan.c', 'signatures'],
    ['docs/co.md', 'docs'], ['scripts/quick.js', 'package/quick'],
  ]) {
    it(`runs ${tests.join(', ')} for ${file}`, () => {
      const [, ...run] = chosen(file).commands.find(([program]) => program === 'mocha');
      const missing = tests.filter((test) => !run.includes(`test/${test}.test.js`));
      assert.deepStrictEqual(missing, []);
    });
  }

  for (const [file, ...tests] of [
    ['src/core/future/drive.c', 'core_generator_test', 'core_inspect_test'],
    ['src/core/future/failures.c', 'core_future_test', 'core_inspect_test'],
    ['src/core/future/spawn.c', 'core_future_test', 'core_generator_test', 'core_inspect_test'],
    ['src/core/scheduler/deadline.c', 'core_scope_test'],
  ]) {
    it(`runs ${tests.join(', ')} for ${file}`, () => {
      const missing = tests.filter((test) => !new RegExp(`\\b${test}\\b`).test(testsOf(file)));
      assert.deepStrictEqual(missing, []);
    });
  }

  it('builds the tests\' addons, each with a copy of fibril, where mocha runs for C', () => {
    const build = 'node-gyp build --jobs max --directory test/addon';
    const mocha = 'test/locks.test.js';
    for (const file of ['test/addon/classes.c', 'src/node/classes/begin.c', 'src/core/loop/turn.c',
      'src/core/switch/arch/aarch64.S', 'src/io/fs.c', 'src/node/runtime/42-signals.js',
      'include/fibril.h']) {
      assert.ok(commandsOf(file, mocha).includes(build), file);
    }
    assert.ok(!commandsOf('src/core/loop/turn.c').includes(build), 'nobody looks at them');
    assert.ok(!commandsOf('src/addon/du.c').includes(build), 'they have no copy of that');
  });

  it('names what it leaves out', () => {
    const { commands, notRun } = chosen('SECURITY.md');
    assert.deepStrictEqual(commands, []);
    assert.match(notRun[0], /SECURITY\.md/);
    const left = chosen('src/io/fs.c').notRun.join('\n');
    assert.match(left, /files of C tests .*\n.* of mocha's .*\n.*--sanitize.*test:failure.*fuzz/);
  });

  it('has a test for each file of src and lib, and a row where none has its name', () => {
    const known = files.filter((file) => /^(src|lib)\//.test(file));
    assert.ok(known.length > 200);
    assert.deepStrictEqual(known.filter((file) => testsOf(file) === ''), []);
    assert.deepStrictEqual(known.filter((file) => !isPlaced(file, tree)), []);
  });

  it('has no row for what is not there, or that another one hides', () => {
    for (const table of [C_TESTS, MOCHA_TESTS]) {
      let left = files;
      for (const { folder, names, patterns } of table) {
        for (const [i, pattern] of patterns.entries()) {
          const where = `${folder}/${names[i]}`;
          assert.ok(files.some((file) => pattern.test(file)), `${where} is not there`);
          const before = left.length;
          left = left.filter((file) => !pattern.test(file));
          // Every file may have a row of its own: its folder's is for new ones.
          assert.ok(left.length < before || names[i] === '*', `${where} is in another row`);
        }
      }
    }
  });

  it('names no test that is not there', () => {
    const named = [
      ...C_TESTS.flatMap(({ tests }) => tests).map((name) => `test/c/${name}.c`),
      ...MOCHA_TESTS.flatMap(({ tests }) => tests).map((name) => `test/${name}.test.js`),
    ];
    assert.deepStrictEqual(named.filter((file) => !files.includes(file)), []);
  });

  it('says what it would run', function () {
    const inRoot = { cwd: root, encoding: 'utf8' };
    if (spawnSync('git', ['rev-parse', 'HEAD'], inRoot).status !== 0) this.skip(); // a tarball, say
    const said = execFileSync(process.execPath, ['scripts/quick.js', '--list'], inRoot);
    assert.match(said, /^(Nothing has|1 file has|\d+ files have) changed since HEAD/);
  });
});
