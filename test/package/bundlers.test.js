'use strict';

// The packed tarball in bundles: each loads the addon, or says in one sentence what to set.
// docs/js-api.md names the settings.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { platformName } = require('../../lib/native/platform.js');
const { installOrSkip } = require('../support/fetched.js');
const { newFolder, run, tarball } = require('../support/packed.js');

const PROGRAMS = {
  'main.mjs': `import co, { sleep } from 'fibril';
    console.log(await sleep(1, 'slept'), await co(function* () { return (yield co.fs.stat('/')).isDirectory(); }));`,
  'main.cjs': `const co = require('fibril');
    co(function* () { console.log(yield co.sleep(1, 'slept'), (yield co.fs.stat('/')).isDirectory()); });`,
};
const PRINTED = 'slept true\n';

describe('bundled', function () {
  this.timeout(300_000);

  let work;
  let folder; // where fibril is installed; the bundles are in folders of it

  before(function () {
    work = fs.realpathSync(newFolder('bundled'));
    folder = path.join(work, 'project');
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'package.json'),
      '{"name": "user", "version": "1.0.0", "private": true}');
    run('npm', ['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', tarball()],
      folder);
    for (const [name, text] of Object.entries(PROGRAMS)) {
      fs.writeFileSync(path.join(folder, name), text);
    }
  });

  after(() => fs.rmSync(work, { recursive: true, force: true }));

  /** The bundle prints what the program does. */
  function assertWorks(file) {
    assert.strictEqual(run(process.execPath, [file], folder), PRINTED);
  }

  /** The bundle ends with an uncaught error of this one sentence. */
  function assertSays(file, sentence) {
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    assert.strictEqual(status, 1, stderr);
    assert.match(stderr, sentence);
    assert.match(stderr, /code: 'ERR_FIBRIL_BUNDLED'/);
  }

  /** Where nothing is installed, a bundle without fibril says so. */
  function assertNeedsFibril(bundle) {
    const elsewhere = fs.mkdtempSync(path.join(work, 'elsewhere-'));
    const file = path.join(elsewhere, path.basename(bundle));
    fs.copyFileSync(bundle, file);
    assertSays(file,
      /^Error: fibril is not in the bundle, [^.]*: install it, by this name, where the bundle runs\.$/m);
  }

  it('by what follows the requires, a tracer of files, has the addon', async () => {
    const { nodeFileTrace } = require('@vercel/nft');
    const { fileList, warnings } = await nodeFileTrace([path.join(folder, 'main.cjs'),
      path.join(folder, 'main.mjs')], { base: folder });
    // Neither a build nor the binaries of other platforms need be there.
    const missing =
      /^Failed to resolve dependency "\.\.\/\.\.\/(build\/(Debug|Release)|prebuilds\/\S+)\/fibril\.node"/;
    assert.deepStrictEqual([...warnings].filter(({ message }) => /fibril/.test(message) &&
      !missing.test(message)), []);
    const shipped = path.join(work, 'traced');
    for (const file of fileList) fs.cpSync(path.join(folder, file), path.join(shipped, file));
    assert.ok(fileList.has(path.join('node_modules', 'fibril', 'prebuilds', platformName(),
      'fibril.node')));
    for (const name of Object.keys(PROGRAMS)) assertWorks(path.join(shipped, name));
  });

  describe('by esbuild', () => {
    const banner = `import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url), __dirname = import.meta.dirname, __filename = import.meta.filename;`;

    function bundle(name, options) {
      const extension = options.format === 'esm' ? '.mjs' : '.cjs';
      require('esbuild').buildSync({
        entryPoints: [path.join(folder, `main${extension}`)], bundle: true, platform: 'node',
        target: 'node20', logLevel: 'silent',
        outdir: path.join(folder, name), outExtension: { '.js': extension }, ...options,
      });
      return path.join(folder, name, `main${extension}`);
    }

    it('works where it is left outside', () => {
      assertWorks(bundle('external', { external: ['fibril'] }));
      assertWorks(bundle('external-esm', { external: ['fibril'], format: 'esm' }));
    });

    it('works with a copied addon, in an ES module with a require', () => {
      assertWorks(bundle('copied', { loader: { '.node': 'copy' } }));
      assertWorks(bundle('copied-esm', { loader: { '.node': 'copy' }, format: 'esm',
        banner: { js: banner } }));
    });

    it('says in one sentence what an ES module is missing', () => {
      const sentence =
        /^Error: fibril is in a bundle that is an ES module and has no require, .*--external:fibril.*\.$/m;
      assertSays(bundle('bare', { loader: { '.node': 'copy' }, format: 'esm' }), sentence);
      const half = banner.replace(/, __dirname.*;/, ';');
      assert.ok(!half.includes('__dirname'));
      assertSays(bundle('half', { loader: { '.node': 'copy' }, format: 'esm',
        banner: { js: half } }), sentence);
    });

    it('keeps the program\'s own lines in traces', () => {
      const file = path.join(folder, 'traces.cjs');
      fs.writeFileSync(file, `const co = require('fibril');
        co.traces(true);
        async function failing() { await co.sleep(1); throw new Error('failed'); }
        co(function* () { yield failing(); }).catch((error) => console.log(error.stack));`);
      bundle('traces', { entryPoints: [file], loader: { '.node': 'copy' } });
      for (const each of [file, path.join(folder, 'traces', 'traces.cjs')]) {
        assert.match(run(process.execPath, [each], folder),
          /^ +at failing \(.*\n +at async .*traces\.cjs/m);
      }
    });

    for (const loader of ['file', 'binary', 'dataurl', 'empty']) {
      it(`says in one sentence that the loader "${loader}" does not load`, () => {
        assertSays(bundle(loader, { loader: { '.node': loader } }),
          /^Error: fibril is in a bundle whose loader for \.node files .*\.$/m);
      });
    }
  });

  describe('by webpack', () => {
    let webpack;
    before(function () {
      const tools = installOrSkip(this, 'webpack@5');
      webpack = createRequire(path.join(tools, 'x.js'))('webpack');
    });

    async function bundle(name, extension, config = {}) {
      const esm = extension === 'mjs' ? { experiments: { outputModule: true } } : {};
      const output = extension === 'mjs' ? { module: true, library: { type: 'module' },
        chunkFormat: 'module' } : {};
      const stats = await new Promise((resolve, reject) => {
        webpack({
          context: folder, entry: `./main.${extension}`, target: 'node', mode: 'production', ...esm,
          ...config,
          output: { path: path.join(folder, name), filename: `main.${extension}`, ...output },
        }, (error, result) => (error ? reject(error) : resolve(result)));
      });
      const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
      assert.deepStrictEqual([errors, warnings], [[], []]);
      return path.join(folder, name, `main.${extension}`);
    }

    for (const extension of ['mjs', 'cjs']) {
      it(`works with nothing set, where fibril is installed, as .${extension}`, async () => {
        const file = await bundle(`webpack-${extension}`, extension);
        assertWorks(file);
        assertNeedsFibril(file);
      });

      it(`works where it is left outside, as .${extension}`, async () => {
        assertWorks(await bundle(`webpack-external-${extension}`, extension,
          { externals: { fibril: 'node-commonjs fibril' } }));
      });
    }
  });

  describe('by Rollup', () => {
    let rollup;
    let plugins;
    before(function () {
      const tools = installOrSkip(this, 'rollup@4', '@rollup/plugin-node-resolve@16',
        '@rollup/plugin-commonjs@28');
      const load = createRequire(path.join(tools, 'x.js'));
      ({ rollup } = load('rollup'));
      plugins = ['node-resolve', 'commonjs'].map((name) => load(`@rollup/plugin-${name}`).default);
    });

    async function bundle(name, options) {
      const result = await rollup({
        input: path.join(folder, 'main.mjs'), onwarn: ({ message }) => assert.fail(message),
        ...options,
      });
      await result.write({ dir: path.join(folder, name), format: 'es',
        entryFileNames: '[name].mjs' });
      await result.close();
      return path.join(folder, name, 'main.mjs');
    }

    it('works with nothing set, where fibril is installed', async () => {
      const [resolve, commonjs] = plugins;
      for (const [name, list] of [['rollup', [resolve()]],
        ['rollup-commonjs', [resolve(), commonjs()]]]) {
        const file = await bundle(name, { plugins: list });
        assertWorks(file);
        assertNeedsFibril(file);
      }
    });

    it('works where it is left outside', async () => {
      assertWorks(await bundle('rollup-external',
        { external: ['fibril'], plugins: plugins.map((plugin) => plugin()) }));
    });
  });

  describe('by Vite', () => {
    let build;
    before(async function () {
      const tools = installOrSkip(this, 'vite@7');
      ({ build } = await import(
        pathToFileURL(path.join(tools, 'node_modules', 'vite', 'dist', 'node', 'index.js'))));
    });

    async function bundle(name, ssr) {
      await build({
        root: folder, configFile: false, logLevel: 'silent', ssr,
        build: {
          ssr: path.join(folder, 'main.mjs'), outDir: path.join(folder, name), target: 'node20',
          rollupOptions: { output: { entryFileNames: '[name].mjs' } },
        },
      });
      return path.join(folder, name, 'main.mjs');
    }

    it('works with nothing set, and with fibril inside, where it is installed', async () => {
      assertWorks(await bundle('vite', {}));
      const file = await bundle('vite-inside', { noExternal: true });
      assertWorks(file);
      assertNeedsFibril(file);
    });

    it('works where it is left outside', async () => {
      assertWorks(await bundle('vite-external', { noExternal: true, external: ['fibril'] }));
    });
  });
});
