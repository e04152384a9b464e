'use strict';

// What the documentation shows must work: its JavaScript is run, its C is built.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { root, run, buildAddon, codeBlocks } = require('./support/examples.js');

/** Runs the block; what it prints must be what the documentation shows, if it shows anything. */
function checkBlock(block, cwd) {
  const output = run(['-e', block.code], cwd);
  if (block.output !== null) assert.strictEqual(output, block.output);
}

describe('README.md', () => {
  const blocks = codeBlocks('README.md');
  const ofLanguage = (language) => blocks.filter((block) => block.language === language);

  for (const block of ofLanguage('js')) it(`line ${block.line} runs`, () => checkBlock(block));

  it('shows the addon of examples/c/line_count', () => {
    const folder = path.join(root, 'examples', 'c', 'line_count');
    assert.deepStrictEqual(
      [...ofLanguage('c'), ...ofLanguage('python')].map((block) => block.code),
      ['line_count.c', 'binding.gyp'].map((name) => fs.readFileSync(path.join(folder, name), 'utf8')),
    );
  });

  it('has no other code but the commands that everything else here runs', () => {
    const known = ['npm install fibril\n', 'npm install && npm start\nnpm test\n'];
    for (const block of blocks) {
      if (block.language === 'sh') assert.ok(known.includes(block.code), block.code);
      else assert.ok(['js', 'c', 'python'].includes(block.language), `line ${block.line}`);
    }
  });
});

for (const page of ['docs/js-api.md', 'docs/gen.md', 'docs/co.md']) {
  describe(page, () => {
    for (const block of codeBlocks(page).filter(({ language }) => language === 'js')) {
      it(`line ${block.line} runs`, () => checkBlock(block));
    }
  });
}

describe('docs/gen.md', () => {
  it('names everything that gen, Future, IOLoop, locks and queues have', () => {
    const page = fs.readFileSync(path.join(root, 'docs', 'gen.md'), 'utf8');
    const { gen, Future, IOLoop, locks, queues } = require('../lib');
    const methods = (Class) => Object.getOwnPropertyNames(Class.prototype).filter((name) => !/^(constructor$|toString$|_|settle$)/.test(name));
    const names = [...Object.keys(gen), ...Object.keys(locks), ...Object.keys(queues), ...[Future, IOLoop, gen.WaitIterator,
      ...Object.values(locks), queues.Queue].flatMap(methods)];
    assert.ok(names.length > 70);
    assert.deepStrictEqual(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page)), []);
  });
});

describe('docs/c-api.md', () => {
  const page = fs.readFileSync(path.join(root, 'docs', 'c-api.md'), 'utf8');
  const header = fs.readFileSync(path.join(root, 'include', 'fibril.h'), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const inHeader = [...header.matchAll(/\b(fibril_(?!_)\w+)\(/g)].map(([, name]) => name);

  it('names every function of fibril.h', () => {
    const missing = inHeader.filter((name) => name !== 'fibril_module_init_' && !new RegExp(`\\b${name}\\b`).test(page));
    assert.ok(inHeader.length > 100);
    assert.deepStrictEqual(missing, []);
  });

  it('names no function that fibril.h does not have', () => {
    const inPage = [...page.matchAll(/\b(fibril_(?!_)\w+)\(/g)].map(([, name]) => name);
    assert.deepStrictEqual(inPage.filter((name) => !inHeader.includes(name)), []);
  });

  it('shows addons that build without a warning and do what they say', function () {
    this.timeout(120000);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-docs-'));
    try {
      const names = codeBlocks('docs/c-api.md').filter(({ language }) => language === 'c').map(({ code }) => {
        const [, name] = /fibril_export\w*\(m, "(\w+)/.exec(code);
        fs.writeFileSync(path.join(folder, `${name}.c`), code);
        return name;
      });
      const target = (name) => ({
        target_name: name, sources: [`${name}.c`], cflags: ['-Wall', '-Wextra', '-Werror'],
        dependencies: ['<!(node -p "require(\'fibril/gyp\').target")'],
      });
      fs.writeFileSync(path.join(folder, 'binding.gyp'), JSON.stringify({ targets: names.map(target) }));
      buildAddon(folder);
      const program = `
        const { ticks } = require('./build/Release/ticks.node');
        const { Counter } = require('./build/Release/Counter.node');
        (async () => {
          for await (const tick of ticks(1)) if (tick === 2) break;
          const counter = new Counter(2);
          console.log(await Promise.all([counter.add(3), counter.add(4)]), counter.value, new Counter().value);
        })();`;
      assert.deepStrictEqual(names, ['ticks', 'Counter']);
      assert.strictEqual(run(['-e', program], folder), '[ 5, 9 ] 9 0\n');
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('names every type of a signature', () => {
    const source = fs.readFileSync(path.join(root, 'src', 'node', 'signature_type.c'), 'utf8');
    const types = [...source.matchAll(/^ +\{"(\w+)", FIBRIL__/gm)].map(([, name]) => name);
    assert.ok(types.length >= 32);
    for (const type of types) assert.match(page, new RegExp(`^(keyword +=|  +\\|).*"${type}"`, 'm'));
  });
});

describe('docs/adapting.md', () => {
  it('shows what is in examples/c/adapting', () => {
    const source = fs.readFileSync(path.join(root, 'examples', 'c', 'adapting', 'adapting.c'), 'utf8');
    const blocks = codeBlocks('docs/adapting.md');
    assert.deepStrictEqual(blocks.map(({ language }) => language), ['c', 'c', 'c']);
    for (const { code, line } of blocks) assert.ok(source.includes(`\n${code}`), `line ${line}`);
  });
});

describe('docs/img', () => {
  const page = fs.readFileSync(path.join(root, 'docs', 'how-it-works.md'), 'utf8');

  for (const name of fs.readdirSync(path.join(root, 'docs', 'img'))) {
    it(`${name} is an SVG with a title, and is shown`, () => {
      const svg = fs.readFileSync(path.join(root, 'docs', 'img', name), 'utf8');
      assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"[^>]*>\n {2}<title>[^<]+<\/title>/);
      const open = [];
      for (const [, close, tag, empty] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
        if (close) assert.strictEqual(open.pop(), tag);
        else if (!empty) open.push(tag);
      }
      assert.deepStrictEqual(open, []);
      assert.ok(page.includes(`](img/${name})`), 'no page shows it');
    });
  }
});

describe('links of the documentation', () => {
  const pages = fs.readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  const files = ['README.md', ...pages.map((name) => `docs/${name}`)];

  for (const file of files) {
    it(`${file} links to what is there`, () => {
      const text = fs.readFileSync(path.join(root, file), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
      for (const [, target] of text.matchAll(/\]\((?!\w+:)([^)#]+)[^)]*\)/g)) {
        assert.ok(fs.existsSync(path.join(root, path.dirname(file), target)), target);
      }
    });
  }
});
