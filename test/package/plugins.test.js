'use strict';

// Programs without Node that load plugins, each with a copy of fibril: what the copies share
// outlives the one that brought it.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawnSync } = require('node:child_process');
const { compileAll, findLibuv, forCompiler, listSources } = require('../../scripts/compile.js');

const root = path.join(__dirname, '..', '..');
const FLAGS = ['-std=gnu11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-fPIC',
  '-fvisibility=hidden', '-pthread'];

describe('a plugin with a copy of fibril', function () {
  this.timeout(300_000);
  let folder;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-plugins-'));
  });

  after(() => folder && fs.rmSync(folder, { recursive: true }));

  it('can be unloaded while another goes on', async () => {
    const libuv = findLibuv();
    const sources = [...listSources('src/core/:.c,.S', 'src/io/:.c'),
      'test/package/plugins/plugin.c'];
    const objects = await compileAll('gcc', [...FLAGS, ...forCompiler(libuv)], sources, folder);
    const [first, second, host] = ['first.so', 'second.so', 'host']
      .map((name) => path.join(folder, name));
    execFileSync('gcc', ['-shared', '-pthread', ...objects, ...libuv, '-lm', '-o', first]);
    fs.copyFileSync(first, second);
    execFileSync('gcc', ['-Wall', '-Wextra', '-Werror',
      path.join(root, 'test/package/plugins/host.c'), ...libuv, '-ldl', '-o', host]);
    const { stdout, stderr, signal } = spawnSync(host, [first, second], { encoding: 'utf8' });
    assert.deepStrictEqual([stdout, stderr, signal], ['1 1 0 1\n', '', null]);
  });
});
