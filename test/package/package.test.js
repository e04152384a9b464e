'use strict';

// What a user gets: the packed tarball, installed into empty folders.

const assert = require('assert');
const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { platformName } = require('../../lib/native/platform.js');
const { fetchOrSkip } = require('../support/fetched.js');
const packed = require('../support/packed.js');

const { root, newFolder, run } = packed;
const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');

function has(command) {
  return spawnSync(command, ['--version']).error === undefined;
}

describe('the package', function () {
  this.timeout(300000);

  let work;
  let tarball;

  before(function () {
    work = newFolder('package');
    tarball = packed.tarball();
  });

  after(function () {
    fs.rmSync(work, { recursive: true, force: true });
  });

  function newProject(name) {
    const folder = path.join(work, name);
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name": "user", "version": "1.0.0"}');
    return folder;
  }

  function install(name) {
    const folder = newProject(name);
    run('npm', ['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', tarball],
      folder);
    return folder;
  }

  function evaluate(folder, code, ...flags) {
    return run(process.execPath, [...flags, '-e', code], folder).trim();
  }

  describe('as a tarball', function () {
    let files;

    before(function () {
      files = run('tar', ['-tzf', tarball]).trim().split('\n')
        .map((name) => name.replace(/^package\//, ''));
    });

    it('has nothing that npm would run or build', function () {
      const manifest = JSON.parse(run('tar', ['-xOzf', tarball, 'package/package.json']));
      for (const script of ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare',
        'postprepare', 'prepublish']) {
        assert.ok(!manifest.scripts[script], script);
      }
      assert.strictEqual(manifest.gypfile, false);
      assert.deepStrictEqual(manifest.dependencies ?? {}, {});
      assert.ok(!files.includes('binding.gyp'));
    });

    it('has the sources, the header, the loader and the prebuilt addon', function () {
      for (const file of [
        'LICENSE', 'README.md', 'CHANGELOG.md', 'include/fibril.h', 'gyp/fibril.gyp',
        'gyp/binding.gyp', 'gyp/index.js',
        'lib/index.js', 'lib/index.mjs', 'lib/index.d.ts', 'lib/native/binding.js', 'bin/fibril.js',
          `prebuilds/${platformName()}/fibril.node`,
      ]) {
        assert.ok(files.includes(file), `${file} is missing`);
      }
    });

    it('has what its documents link to', function () {
      const documents = files.filter((file) => /^(README\.md|docs\/[^/]+\.md)$/.test(file));
      assert.ok(documents.length > 5);
      for (const file of documents) {
        for (const [, target] of run('tar', ['-xOzf', tarball, `package/${file}`])
          .matchAll(/\]\((?!\w+:)([^)#]+)[^)]*\)/g)) {
          const linked = path.posix.join(path.posix.dirname(file), target).replace(/\/$/, '');
          assert.ok(files.some((name) => name === linked || name.startsWith(`${linked}/`)),
            `${file}: ${target}`);
        }
      }
    });

    it('has every source that is in the repository, and no build', function () {
      for (const folder of ['bin', 'src', 'gdb', 'gyp', 'include', 'lib', 'templates']) {
        const here = fs
          .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
          .filter((file) => !file.startsWith('gyp/build/'));
        assert.deepStrictEqual(files.filter((file) => file.startsWith(`${folder}/`)).sort(),
          here.sort());
      }
      const folders = new Set(files.map((file) => (file.includes('/') ? file.split('/')[0] : '.')));
      assert.deepStrictEqual([...folders].sort(), [
        '.', 'bin', 'docs', 'examples', 'gdb', 'gyp', 'include', 'lib', 'prebuilds', 'src',
        'templates',
      ]);
    });
  });

  describe('the prebuilt addons', function () {
    const MACHINES = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' };
    let platforms;

    before(function () {
      if (process.platform !== 'linux' || !has('readelf')) this.skip();
      platforms = fs.readdirSync(path.join(root, 'prebuilds'));
      console.log(`      (${platforms.join(', ')})`);
    });

    /** Calls check(read, platform) for each addon; read(OPTION) is what readelf says of it. */
    function forEach(check) {
      for (const platform of platforms) {
        const binary = path.join(root, 'prebuilds', platform, 'fibril.node');
        check((option) => run('readelf', [option, '--wide', binary]), platform);
      }
    }

    it('are the libraries of a platform that the loader knows, this one among them', function () {
      assert.ok(platforms.includes(platformName()));
      const loader = fs.readFileSync(path.join(root, 'lib', 'native', 'binding.js'), 'utf8');
      forEach((read, platform) => {
        assert.ok(loader.includes(`require('../../prebuilds/${platform}/fibril.node')`), platform);
        assert.ok(read('--file-header').includes(MACHINES[platform.split('-')[1]]), platform);
      });
    });

    it('need the C library and nothing else, and of glibc nothing after 2.28', function () {
      forEach((read, platform) => {
        const libraries = [...read('--dynamic').matchAll(/NEEDED.*\[(.*)\]/g)]
          .map((match) => match[1]);
        const versions = [...read('--version-info').matchAll(/GLIBC_2\.(\d+)/g)]
          .map((match) => Number(match[1]));
        if (platform.endsWith('-musl')) {
          assert.deepStrictEqual([libraries, versions], [['libc.so'], []], platform);
        } else {
          for (const library of libraries) {
            assert.match(library, /^(libc|libpthread|libm|libdl|ld-linux-.*)\.so\.\d$/, platform);
          }
          assert.ok(versions.length > 0 && Math.max(...versions) <= 28,
            `${platform} needs GLIBC_2.${Math.max(...versions)}`);
        }
      });
    });

    it('show no symbol but the entry, are never unloaded, and have a stack that is not executable',
      function () {
      forEach((read, platform) => {
        const symbols = read('--dyn-syms')
          .split('\n')
          .map((line) => line.trim().split(/\s+/))
          .filter(([, , , , binding, , section]) => /GLOBAL|WEAK/.test(binding) &&
            section !== 'UND')
          .map((columns) => columns[7]);
        assert.deepStrictEqual(symbols.filter((name) => !['_init', '_fini'].includes(name)),
          ['napi_register_module_v1'], platform);
        assert.match(read('--dynamic'), /NODELETE/, platform);
        assert.match(read('--program-headers'), /GNU_STACK +\S+ \S+ \S+ \S+ \S+ RW /, platform);
      });
    });

    // No package of npm has a Node for musl. A program linked with musl, which has what Node gives
    // an addon, tells whether musl's loader finds all the rest.
    it('load under musl, where there is one of it', function () {
      const platform = 'linux-x64-musl';
      if (process.arch !== 'x64' || !platforms.includes(platform) || !has('musl-gcc')) this.skip();
      const binary = path.join(root, 'prebuilds', platform, 'fibril.node');
      const names = run('readelf', ['--dyn-syms', '--wide', binary])
        .match(/(?<= UND )(napi|uv)_\w+/g);
      const source = path.join(work, 'host.c');
      fs.writeFileSync(source, `
        #include <dlfcn.h>
        #include <stdio.h>
        ${names.map((name) => `void ${name}(void) {}`).join('\n')}
        int main(int argc, char **argv) {
          void *library = dlopen(argv[argc - 1], RTLD_NOW);
          puts(library && dlsym(library, "napi_register_module_v1") ? "loaded" : dlerror());
        }`);
      const host = path.join(work, 'host');
      run('musl-gcc', ['-rdynamic', source, '-o', host]);
      assert.match(run('readelf', ['--program-headers', '--wide', host]), /ld-musl-x86_64/);
      assert.strictEqual(run(host, [binary]), 'loaded\n');
      const [missing] = run(host, [path.join(root, 'prebuilds', 'linux-x64', 'fibril.node')])
        .split('\n');
      assert.notStrictEqual(missing, 'loaded');
    });
  });

  describe('installed in an empty folder', function () {
    const program =
      `co(function* () { yield co.sleep(1); return (yield co.fs.stat('package.json')).size; }).then(console.log)`;
    let folder;
    let size;

    before(function () {
      folder = install('empty');
      size = String(fs.statSync(path.join(folder, 'package.json')).size);
    });

    it('works without a compiler', function () {
      assert.ok(!fs.existsSync(path.join(folder, 'node_modules', 'fibril', 'build')));
      assert.strictEqual(evaluate(folder, `const co = require('fibril'); ${program}`), size);
    });

    it('works as a module, over the same instance', function () {
      const code = `
        import co, { sleep } from 'fibril';
        import { createRequire } from 'node:module';
        const required = createRequire(process.cwd() + '/x.js')('fibril');
        if (co !== required || sleep !== required.sleep) throw new Error('another instance');
        ${program}`;
      assert.strictEqual(evaluate(folder, code, '--input-type=module'), size);
    });

    it('lets only the entry points be required', function () {
      const code = `require('fibril/lib/native/binding.js')`;
      const child = spawnSync(process.execPath, ['-e', code], { cwd: folder, encoding: 'utf8' });
      assert.match(child.stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
      assert.strictEqual(evaluate(folder, `console.log(require('fibril/package.json').name)`),
        'fibril');
      assert.ok(fs.existsSync(
        evaluate(folder, `console.log(require.resolve('fibril/include/fibril.h'))`)));
    });
  });

  describe('installed with nothing but Node on the PATH', function () {
    const program = `require('fibril').sleep(1, 'slept').then(console.log)`;
    let bare;

    before(function () {
      bare = newFolder('path');
      fs.symlinkSync(process.execPath, path.join(bare, 'node'));
    });

    after(function () {
      fs.rmSync(bare, { recursive: true, force: true });
    });

    /** npm's output: the installing, with scripts allowed, of what needs none. */
    function installBare(folder, node, npm) {
      const env = { ...process.env, PATH: bare };
      const args = [npm, 'install', '--offline', '--no-audit', '--no-fund', tarball];
      const child = spawnSync(node, args, { cwd: folder, env, encoding: 'utf8' });
      assert.strictEqual(child.status, 0, child.stderr);
      return child.stdout + child.stderr;
    }

    it('works, and npm has no script to warn of', function () {
      const folder = newProject('bare');
      const npm = fs.realpathSync(run('sh', ['-c', 'command -v npm']).trim());
      assert.doesNotMatch(installBare(folder, process.execPath, npm), /script|fibril/);
      assert.strictEqual(run(process.execPath, ['-e', program], folder, { PATH: bare }), 'slept\n');
    });

    it('works with npm 12', function () {
      const npm = path.join(fetchOrSkip(this, 'npm@12'), 'bin', 'npm-cli.js');
      const node = path.join(fetchOrSkip(this, `node-linux-${process.arch}@24`), 'bin', 'node');
      const folder = newProject('npm 12');
      assert.match(run(node, [npm, '--version'], folder), /^12\./);
      assert.doesNotMatch(installBare(folder, node, npm), /script|fibril/);
      for (const each of [node, process.execPath]) {
        assert.strictEqual(run(each, ['-e', program], folder, { PATH: bare }), 'slept\n');
      }
    });
  });

  describe('where no prebuilt addon fits', function () {
    let folder;
    let installed;
    const load = `try { require('./node_modules/fibril/lib/native/binding.js'); console.log('{}'); }
      catch (e) { console.log(JSON.stringify({ code: e.code, message: e.message, cause: e.cause?.code })); }`;

    before(function () {
      folder = install('no prebuilt');
      installed = path.join(folder, 'node_modules', 'fibril');
      fs.rmSync(path.join(installed, 'prebuilds'), { recursive: true });
    });

    it('names the command that builds it, and that command does', function () {
      const error = JSON.parse(evaluate(folder, load));
      assert.strictEqual(error.code, 'ERR_FIBRIL_NO_BINARY');
      const [, directory] = error.message.match(/npx node-gyp rebuild --directory "(.*)"$/);
      run(process.execPath, [nodeGyp, 'rebuild', '--directory', directory], folder);
      assert.deepStrictEqual(JSON.parse(evaluate(folder, load)), {});
    });

    it('loads the debug build that the same command makes with --debug', function () {
      run(process.execPath, [nodeGyp, 'rebuild', '--debug', '--jobs', 'max', '--directory',
        path.join(installed, 'gyp')], folder);
      const program =
        'require("./node_modules/fibril/lib/native/binding.js"); console.log(Object.keys(require.cache).join());';
      assert.match(evaluate(folder, program), /build\/Debug\/fibril\.node$/);
    });

    it('loads what was built last, Release or Debug', function () {
      const node = run('find', [path.join(root, 'build', 'Release'), '-maxdepth', '1', '-name',
        'fibril.node']).trim();
      for (const [newer, older] of [['Debug', 'Release'], ['Release', 'Debug']]) {
        for (const [name, time] of [[newer, 2000], [older, 1000]]) {
          const file = path.join(installed, 'build', name, 'fibril.node');
          fs.mkdirSync(path.dirname(file), { recursive: true });
          fs.copyFileSync(node, file);
          fs.utimesSync(file, time, time);
        }
        const program =
          'require("./node_modules/fibril/lib/native/binding.js"); console.log(Object.keys(require.cache).filter((name) => /node$/.test(name)));';
        assert.match(evaluate(folder, program),
          new RegExp(`build/${newer}/fibril\\.node'\\s+\\]$`));
      }
      fs.rmSync(path.join(installed, 'build'), { recursive: true });
    });

    it('does not hide why a binary that is there does not load', function () {
      const release = path.join(installed, 'build', 'Release');
      fs.mkdirSync(release, { recursive: true });
      fs.writeFileSync(path.join(release, 'fibril.node'), 'no library');
      const error = JSON.parse(evaluate(folder, load));
      assert.strictEqual(error.code, 'ERR_FIBRIL_NO_BINARY');
      assert.strictEqual(error.cause, 'ERR_DLOPEN_FAILED');
    });

    for (const [key, name] of [['bun', 'Bun'], ['deno', 'Deno']]) {
      it(`refuses ${name} before it loads anything`, function () {
        const version = `Object.defineProperty(process.versions, '${key}', { value: '1.0.0' }); `;
        const error = JSON.parse(evaluate(folder, version + load));
        assert.strictEqual(error.code, 'ERR_FIBRIL_UNSUPPORTED_RUNTIME');
        assert.match(error.message, new RegExp(`${name}.*\\.$`));
      });
    }
  });

  describe('as a dependency of another addon', function () {
    const source = `#include <fibril.h>
      static fibril_value twice(fibril_args *args) {
        int code = fibril_sleep(1);
        return code < 0 ? fibril_error(code, NULL) : fibril_number(2 * fibril_arg_number(args, 0));
      }
      FIBRIL_MODULE(m) { fibril_export(m, "twice(n: number): Promise<number>", twice); }`;

    function buildAndCall(folder) {
      run(process.execPath, [nodeGyp, 'rebuild'], folder);
      return evaluate(folder, `require('./build/Release/addon.node').twice(21).then(console.log)`);
    }

    it('builds from one line, in a path with spaces', function () {
      const folder = install('an addon');
      packed.writeAddon(folder, source);
      assert.strictEqual(buildAndCall(folder), '42');
    });

    it('builds where the package is a link to a folder elsewhere, and writes nothing outside',
      function () {
      const folder = path.join(work, 'workspace', 'packages', 'addon');
      fs.mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
      const linked = path.join(install('linked'), 'node_modules', 'fibril');
      fs.symlinkSync(linked, path.join(folder, 'node_modules', 'fibril'));
      packed.writeAddon(folder, source);
      const before = execFileSync('find', [linked], { encoding: 'utf8' });
      assert.strictEqual(buildAndCall(folder), '42');
      assert.strictEqual(execFileSync('find', [linked], { encoding: 'utf8' }), before);
      assert.deepStrictEqual(fs.readdirSync(folder).sort(),
        ['addon.c', 'binding.gyp', 'build', 'node_modules']);
      assert.deepStrictEqual(fs.readdirSync(path.join(work, 'workspace')), ['packages']);
      assert.deepStrictEqual(fs.readdirSync(path.join(work, 'workspace', 'packages')), ['addon']);
    });

    it('builds in a workspace whose packages share one node_modules', function () {
      const folder = path.join(work, 'shared workspace');
      const addon = path.join(folder, 'packages', 'addon');
      fs.mkdirSync(addon, { recursive: true });
      fs.writeFileSync(path.join(folder, 'package.json'),
        '{"name": "shared", "private": true, "workspaces": ["packages/*"]}');
      const manifest = { name: 'addon', version: '1.0.0', gypfile: false,
        dependencies: { fibril: `file:${tarball}` } };
      fs.writeFileSync(path.join(addon, 'package.json'), JSON.stringify(manifest));
      packed.writeAddon(addon, source);
      run('npm', ['install', '--offline', '--no-audit', '--no-fund'], folder);
      assert.ok(fs.existsSync(path.join(folder, 'node_modules', 'fibril', 'gyp')));
      assert.strictEqual(buildAndCall(addon), '42');
    });

    it('builds after npm link', function () {
      const env = { ...process.env, npm_config_prefix: path.join(work, 'global'),
        npm_config_offline: 'true' };
      run('npm', ['link'], path.join(install('to be linked'), 'node_modules', 'fibril'), env);
      const folder = newProject('linking');
      packed.writeAddon(folder, source);
      fs.writeFileSync(path.join(folder, 'package.json'),
        '{"name": "linking", "version": "1.0.0", "gypfile": false}');
      run('npm', ['link', 'fibril'], folder, env);
      assert.ok(fs.lstatSync(path.join(folder, 'node_modules', 'fibril')).isSymbolicLink());
      assert.strictEqual(buildAndCall(folder), '42');
    });

    const listWithTimes = (folder) => execFileSync('find', [folder, '-printf', '%p %C@ %T@\\n'],
      { encoding: 'utf8' });

    it('builds where node_modules is read-only, twice, and touches nothing in it', function () {
      const folder = install('read only');
      packed.writeAddon(folder, source);
      const modules = path.join(folder, 'node_modules');
      run('chmod', ['-R', 'a-w', modules]);
      const before = listWithTimes(modules);
      assert.strictEqual(buildAndCall(folder), '42');
      assert.strictEqual(buildAndCall(folder), '42');
      assert.strictEqual(listWithTimes(modules), before);
      run('chmod', ['-R', 'u+w', modules]);
    });

    it('copies from a read-only store what it can remove again', function () {
      const store = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-store-'));
      const folder = path.join(store, 'addon');
      try {
        fs.chmodSync(store, 0o755);
        fs.cpSync(path.join(install('stored'), 'node_modules', 'fibril'),
          path.join(store, 'fibril'), { recursive: true });
        run('chmod', ['-R', 'a-w', path.join(store, 'fibril')]);
        fs.mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
        fs.symlinkSync(path.join(store, 'fibril'), path.join(folder, 'node_modules', 'fibril'));
        fs.chmodSync(folder, 0o777);
        // Nothing is read-only for root.
        const user = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
        for (let i = 0; i < 2; i++) {
          const child = spawnSync(process.execPath, ['-p', "require('fibril/gyp').target"],
            { cwd: folder, encoding: 'utf8', ...user });
          assert.strictEqual(child.stdout, 'build/fibril/gyp/fibril.gyp:fibril\n', child.stderr);
        }
      } finally {
        run('chmod', ['-R', 'u+w', store]);
        fs.rmSync(store, { recursive: true });
      }
    });
  });
});
