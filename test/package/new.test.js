'use strict';

// npx fibril: its commands, and what `fibril new` writes, built and tested as its user would.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { root, newFolder, run, runAsync, tarball, openRegistry,
  environmentWithNpm } = require('../support/packed.js');

const { version } = require('../../package.json');

describe('npx fibril', function () {
  this.timeout(300000);

  let work;
  before(() => (work = newFolder('new')));
  after(() => fs.rmSync(work, { recursive: true, force: true }));

  function fibril(args, cwd = work) {
    const child = spawnSync(process.execPath, [path.join(root, 'bin', 'fibril.js'), ...args],
      { cwd, encoding: 'utf8' });
    return { status: child.status, stdout: child.stdout, stderr: child.stderr };
  }

  const manifestOf = (folder) =>
    JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));

  function newProject(...parts) {
    const folder = path.join(work, ...parts);
    fs.mkdirSync(folder, { recursive: true });
    return folder;
  }

  describe('as a command', () => {
    it('says what it can', () => {
      for (const args of [[], ['--help'], ['-h'], ['help']]) {
        const { status, stdout, stderr } = fibril(args);
        assert.deepStrictEqual([status, stderr], [0, '']);
        assert.match(stdout, /^ {2}fibril new NAME {2,}\S/m);
      }
      assert.deepStrictEqual(fibril(['--version']),
        { status: 0, stdout: `${version}\n`, stderr: '' });
      assert.match(fibril(['new', '--help']).stdout,
        /^fibril new NAME\n[\s\S]*npx fibril new my-addon\n/);
    });

    it('refuses what it does not know', () => {
      for (const [args, message] of [
        [['nwe'], /^fibril: there is no command "nwe"\n\nfibril /],
        [['toString'], /^fibril: there is no command "toString"\n/],
        [['new'], /^fibril: new needs one name\n\nfibril new NAME\n/],
        [['new', 'a', 'b'], /^fibril: new needs one name\n/],
        [['new', '--force'], /^fibril: new has no option "--force"\n/],
      ]) {
        const { status, stdout, stderr } = fibril(args);
        assert.deepStrictEqual([status, stdout], [2, '']);
        assert.match(stderr, message);
      }
    });
  });

  describe('new', () => {
    it('refuses names that npm would, in one sentence, and writes nothing', () => {
      const folder = newProject('bad names');
      for (const name of [
        'Addon', 'my addon', '', '.', '..', '.hidden', '_x', 'a/b', '../a', '/a', '@a/b/c', '@a',
        '@/a', 'a\n', 'ä', `${'a'.repeat(215)}`, 'fs',
        'worker_threads', 'node_modules', 'fibril', 'node-gyp', '{{name}}',
      ]) {
        const { status, stdout, stderr } = fibril(['new', name], folder);
        assert.deepStrictEqual([status, stdout], [2, ''], name);
        assert.ok(stderr.startsWith(`fibril: "${name}" can't be the name of the package: `),
          stderr);
      }
      assert.deepStrictEqual(fs.readdirSync(folder), []);
    });

    it('leaves what exists alone', () => {
      const folder = newProject('existing');
      fs.mkdirSync(path.join(folder, 'folder'));
      fs.writeFileSync(path.join(folder, 'file'), 'mine');
      fs.symlinkSync('nowhere', path.join(folder, 'link'));
      for (const name of ['folder', 'file', 'link', '@scope/folder']) {
        const bare = name.split('/').pop();
        assert.deepStrictEqual(fibril(['new', name], folder), {
          status: 2, stdout: '', stderr: `fibril: "${bare}" exists already; nothing was written\n`,
        });
      }
      assert.deepStrictEqual(fs.readdirSync(folder).sort(), ['file', 'folder', 'link']);
      assert.deepStrictEqual(fs.readdirSync(path.join(folder, 'folder')), []);
    });

    it('says in a sentence that it may not write', () => {
      const folder = newProject('gone');
      fs.writeFileSync(path.join(work, 'in-a-removed-folder.js'), `
        require('fs').rmdirSync(process.cwd());
        process.argv = [process.argv[0], 'fibril', 'new', 'addon'];
        require(${JSON.stringify(path.join(root, 'bin', 'fibril.js'))});`);
      const child = spawnSync(process.execPath, [path.join(work, 'in-a-removed-folder.js')],
        { cwd: folder, encoding: 'utf8' });
      assert.strictEqual(child.status, 1);
      assert.match(child.stderr, /^fibril: ENOENT: .*\n$/);
    });

    it('writes a package of that name, with everything filled in', () => {
      const folder = newProject('written');
      fibril(['new', '@scope/some.addon-2'], folder);
      const addon = path.join(folder, 'some.addon-2');
      assert.strictEqual(manifestOf(addon).name, '@scope/some.addon-2');
      const files = fs.readdirSync(addon, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile());
      const names = files.map((entry) =>
        path.relative(addon, path.join(entry.parentPath, entry.name))).sort();
      assert.deepStrictEqual(names, [
        '.gitignore', 'README.md', 'addon.d.ts', 'binding.gyp', 'index.d.ts', 'index.js', 'package.json',
        'platform.js', 'scripts/prebuild.js',
        'src/addon.c', 'test/index.test.js',
      ]);
      for (const name of names) {
        assert.doesNotMatch(fs.readFileSync(path.join(addon, name), 'utf8'), /\{\{/, name);
      }
      assert.match(fs.readFileSync(path.join(addon, 'README.md'), 'utf8'),
        /^# @scope\/some\.addon-2\n/);
    });

    it('depends on the fibril that wrote it: a clone, a tarball', () => {
      const folder = newProject('dependency', 'with space');
      fibril(['new', 'of-clone'], folder);
      const { fibril: clone } = manifestOf(path.join(folder, 'of-clone')).dependencies;
      assert.strictEqual(path.resolve(folder, 'of-clone', clone.replace(/^file:/, '')), root);

      fs.copyFileSync(tarball(), path.join(folder, 'f.tgz'));
      run('npm', ['install', '--offline', '--no-audit', '--no-fund', './f.tgz'], folder);
      run('npx', ['fibril', 'new', 'of-tarball'], folder);
      assert.strictEqual(manifestOf(path.join(folder, 'of-tarball')).dependencies.fibril,
        'file:../f.tgz');
    });

    it('names the binary after the package where gyp and make can have it', () => {
      const folder = newProject('targets');
      for (const [name, target] of [
        ['my-addon', 'my-addon'], ['int', 'int'], ['@scope/x_1', 'x_1'], ['libfoo', 'addon'],
        ['lib', 'addon'], ['all', 'addon'],
        ['some.addon', 'addon'], ['@scope/fibril', 'addon'], ['2x', '2x'],
      ]) {
        fibril(['new', name], folder);
        const addon = path.join(folder, name.split('/').pop());
        assert.match(fs.readFileSync(path.join(addon, 'binding.gyp'), 'utf8'),
          new RegExp(`"target_name": "${target}"`));
        assert.ok(fs.readFileSync(path.join(addon, 'index.js'), 'utf8')
          .includes(`./build/Release/${target}.node`), name);
        assert.ok(manifestOf(addon).devDependencies['node-gyp'], name);
      }
    });

    it('writes types that TypeScript takes', () => {
      const folder = newProject('types');
      fibril(['new', 'typed'], folder);
      const program = path.join(folder, 'program.ts');
      fs.writeFileSync(program, `import { countLines } from './typed';
        const lines: Promise<number> = countLines(new URL('file:///x'), { signal: AbortSignal.abort() });
        // @ts-expect-error
        countLines(42);
        void lines;`);
      const tsc = require.resolve('typescript/bin/tsc');
      const types = path.join(root, 'node_modules', '@types');
      run(process.execPath, [tsc, '--noEmit', '--strict', '--typeRoots', types, '--types', 'node',
        program], folder);
    });
  });

  // With node-gyp from here, so that the network is not needed.
  it('a new package builds and passes its test, in a path with spaces, and its tarball needs no compiler', () => {
    const folder = newProject('off line');
    fs.copyFileSync(tarball(), path.join(folder, 'f.tgz'));
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', './f.tgz'], folder);
    run('npx', ['fibril', 'new', 'my-addon'], folder);
    const addon = path.join(folder, 'my-addon');
    run('npm', ['install', '--offline', '--omit=dev', '--no-audit', '--no-fund'], addon);
    const env = { ...process.env,
      PATH: `${path.join(root, 'node_modules', '.bin')}${path.delimiter}${process.env.PATH}` };
    // What is JavaScript's own beside the native functions stays.
    fs.appendFileSync(path.join(addon, 'index.js'), 'exports.own = () => addon.countLines.name;\n');
    fs.appendFileSync(path.join(addon, 'index.d.ts'), 'export function own(): string;\n');
    const written = ['addon.d.ts', 'index.d.ts', 'index.js'];
    const read = () => written.map((name) => fs.readFileSync(path.join(addon, name), 'utf8'));
    const before = read();
    assert.match(run('npm', ['test'], addon, env), /^# pass 3$/m);
    assert.deepStrictEqual(read(), before, 'the build has written the same');
    fs.writeFileSync(path.join(addon, 'use.ts'), `import { countLines, own } from './index';
      const lines: Promise<number> = countLines('x'), name: string = own();
      export { lines, name };`);
    run(process.execPath, [require.resolve('typescript/bin/tsc'), '--noEmit', '--strict',
      '--typeRoots', path.join(root, 'node_modules', '@types'), '--types', 'node', 'use.ts'], addon);

    const cachedTarball = run('npm', ['pack', '--silent'], addon, env).trim().split('\n').pop();
    const user = newProject('off line', 'user');
    fs.writeFileSync(path.join(user, 'package.json'), '{"name": "user", "version": "1.0.0"}');
    const bare = newFolder('bare');
    try {
      for (const name of ['node', 'npm']) {
        fs.symlinkSync(fs.realpathSync(run('sh', ['-c', `command -v ${name}`]).trim()),
          path.join(bare, name));
      }
      run('npm', ['install', '--offline', '--no-audit', '--no-fund',
        path.join(addon, cachedTarball)], user, { ...process.env, PATH: bare });
      const program =
        'import { countLines } from "my-addon"; console.log(await countLines("package.json"));';
      const args = ['--input-type=module', '-e', program];
      assert.strictEqual(run('node', args, user, { ...process.env, PATH: bare }), '0\n');
    } finally {
      fs.rmSync(bare, { recursive: true });
    }
    assert.ok(!fs.existsSync(path.join(user, 'node_modules', 'my-addon', 'build')));
  });

  for (const major of [11, 12]) {
    it(`from an empty folder to a tested package, all from a registry, with npm ${major}`,
      async function () {
      const folder = newProject(`npm ${major}`, 'empty');
      const bin = newProject(`npm ${major}`, 'bin');
      const npmEnv = environmentWithNpm(this, major, bin);
      const registry = await openRegistry(newProject(`npm ${major}`, 'config'));
      try {
        const env = { ...npmEnv, ...registry.env };
        const sh = (command, cwd) => runAsync('sh', ['-c', command], cwd, env);
        assert.match(await sh('npm --version', folder), new RegExp(`^${major}\\.`));
        await sh('npx fibril new my-addon', folder);
        assert.deepStrictEqual(fs.readdirSync(folder), ['my-addon']);
        const addon = path.join(folder, 'my-addon');
        assert.strictEqual(manifestOf(addon).dependencies.fibril, `^${version}`);
        await sh('npm install', addon);
        assert.match(await sh('npm test', addon), /pass 3$/m);
      } finally {
        registry.close();
      }
    });
  }
});
