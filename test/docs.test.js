'use strict';

// What the documentation shows must work: its JavaScript is run, its C is built.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { readHeader } = require('../scripts/header.js');
const { root, run, buildAddon, codeBlocks } = require('./support/examples.js');

/**
 * Calls fn with an empty folder in which fibril can be required: as for somebody who has just
 * installed it, nothing else is there.
 */
function inEmptyFolder(fn) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-docs-'));
  try {
    const folder = path.join(work, 'empty');
    fs.mkdirSync(folder);
    fs.mkdirSync(path.join(work, 'node_modules'));
    fs.symlinkSync(root, path.join(work, 'node_modules', 'fibril'), 'junction');
    return fn(folder);
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}

// Of pages that have been looked at.
const anchors = new Map();

/** What can be linked to in a page: its headings, as GitHub names them, and what has an id. */
function anchorsOf(page) {
  if (!anchors.has(page)) anchors.set(page, findAnchors(page));
  return anchors.get(page);
}

function findAnchors(page) {
  const text = page.replace(/^```[\s\S]*?^```$/gm, '');
  const headings = Array.from(text.matchAll(/^#+ (.+)$/gm),
    ([, title]) => title.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'));
  return new Set([...headings, ...Array.from(text.matchAll(/<a id="(\w+)">/g), ([, id]) => id)]);
}

/** Runs the block; what it prints must be what the documentation shows, if it shows anything. */
function checkBlock(block) {
  const output = inEmptyFolder((folder) => run(['-e', block.code], folder));
  if (block.output !== null) assert.strictEqual(output, block.output);
}

describe('README.md', () => {
  const blocks = codeBlocks('README.md');
  const ofLanguage = (language) => blocks.filter((block) => block.language === language);

  it('begins with an addon, and a program that calls it', function () {
    this.timeout(600000);
    inEmptyFolder((folder) => {
      fs.writeFileSync(path.join(folder, 'nap.c'), ofLanguage('c')[0].code);
      const [gyp] = ofLanguage('python');
      fs.writeFileSync(path.join(folder, 'binding.gyp'), gyp.code.replaceAll('line_count', 'nap'));
      buildAddon(folder);
      assert.strictEqual(run(['-e', ofLanguage('js')[0].code], folder), '3 naps\n');
    });
  });

  it('shows JavaScript that runs in an empty folder', () => inEmptyFolder((folder) => {
    const snippets = ofLanguage('js').slice(1);
    assert.ok(snippets.length >= 2);
    for (const block of snippets) {
      const output = run(['-e', block.code], folder);
      assert.match(output,
        /^(\d+ names here, \d+ bytes in all|the largest file beside Node's own is \S+)\n$/,
        `line ${block.line}`);
    }
  }));

  it('shows the addon of examples/c/line_count', () => {
    const folder = path.join(root, 'examples', 'c', 'line_count');
    assert.deepStrictEqual(
      [...ofLanguage('c').slice(1), ...ofLanguage('python')].map((block) => block.code),
      ['line_count.c', 'binding.gyp']
        .map((name) => fs.readFileSync(path.join(folder, name), 'utf8')),
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
      it(`line ${block.line} runs in an empty folder`, () => checkBlock(block));
    }
  });
}

describe('docs/gen.md', () => {
  it('names everything that gen, Future, IOLoop, locks and queues have', () => {
    const page = fs.readFileSync(path.join(root, 'docs', 'gen.md'), 'utf8');
    const { gen, Future, IOLoop, locks, queues } = require('../lib');
    const methods = (Class) => Object.getOwnPropertyNames(Class.prototype)
      .filter((name) => !/^(constructor$|toString$|_|settle$)/.test(name));
    const names = [...Object.keys(gen), ...Object.keys(locks), ...Object.keys(queues),
      ...[Future, IOLoop, gen.WaitIterator,
      ...Object.values(locks), queues.Queue].flatMap(methods)];
    assert.ok(names.length > 70);
    assert.deepStrictEqual(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page)), []);
  });
});

describe('docs/c-api.md', () => {
  const page = fs.readFileSync(path.join(root, 'docs', 'c-api.md'), 'utf8');

  it('is what include/fibril.h says', () => {
    run(['scripts/reference.js', '--check']);
  });

  it('has an anchor for every function', () => {
    const { functions } = readHeader();
    assert.ok(functions.size > 150);
    assert.deepStrictEqual([...functions.keys()].filter((name) => !anchorsOf(page).has(name)), []);
  });

  it('shows addons that build without a warning and do what they say', function () {
    this.timeout(600000);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-docs-'));
    try {
      // A block that exports something is a whole addon; others are lines of some function.
      const addons = codeBlocks('docs/c-api.md')
        .filter(({ language, code }) => language === 'c' && code.startsWith('#include <fibril.h>'));
      const names = addons.map(({ code }) => {
        const [, name] = /fibril_export\w*\(m, "(\w+)/.exec(code);
        fs.writeFileSync(path.join(folder, `${name}.c`), code);
        return name;
      });
      const target = (name) => ({
        target_name: name, sources: [`${name}.c`], cflags: ['-Wall', '-Wextra', '-Werror'],
        dependencies: ['<!(node -p "require(\'fibril/gyp\').target")'],
      });
      fs.writeFileSync(path.join(folder, 'binding.gyp'),
        JSON.stringify({ targets: names.map(target) }));
      buildAddon(folder);
      const program = `
        const { ticks } = require('./build/Release/ticks.node');
        const { Counter } = require('./build/Release/Counter.node');
        const { Box } = require('./build/Release/Box.node');
        const { map } = require('./build/Release/map.node');
        const { countdown } = require('./build/Release/countdown.node');
        (async () => {
          for await (const tick of ticks(1)) if (tick === 2) break;
          const counter = new Counter(2);
          console.log(await Promise.all([counter.add(3), counter.add(4)]), counter.value, new Counter().value);
          const box = new Box();
          const empty = box.last;
          await box.set(['kept', 'values']);
          console.log(empty, box.last, box.last);
          await box.set(['others']);
          console.log(box.last);
          console.log(await map(3, async (i) => 2 * i));
          await new Promise((resolve) => countdown(3, (n) => { if (n === 1) resolve(); }));
        })();`;
      assert.deepStrictEqual(names.toSorted(), ['Box', 'Counter', 'countdown', 'map', 'ticks']);
      assert.strictEqual(run(['-e', program], folder),
        "[ 5, 9 ] 9 0\nundefined [ 'kept', 'values' ] [ 'kept', 'values' ]\n[ 'others' ]\n[ 0, 2, 4 ]\n");
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('names every type of a signature', () => {
    const source = fs.readFileSync(path.join(root, 'src', 'node', 'signatures', 'known.c'), 'utf8');
    const types = [...source.matchAll(/^ +\{"(\w+)", FIBRIL__/gm)].map(([, name]) => name);
    assert.ok(types.length >= 32);
    for (const type of types) {
      assert.match(page, new RegExp(`^(keyword +=|  +\\|).*"${type}"`, 'm'));
    }
  });
});

describe('docs/adapting.md', () => {
  it('shows what is in examples/c/adapting', () => {
    const source = fs.readFileSync(path.join(root, 'examples', 'c', 'adapting', 'adapting.c'),
      'utf8');
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
      assert.match(svg,
        /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"[^>]*>\n {2}<title>[^<]+<\/title>/);
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
      const text = fs.readFileSync(path.join(root, file), 'utf8')
        .replace(/^```[\s\S]*?^```$/gm, '');
      for (const [, target, anchor] of text.matchAll(/\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)/g)) {
        const linked = target === '' ? path.join(root, file) : path.join(root, path.dirname(file),
          target);
        assert.ok(fs.existsSync(linked), target);
        if (anchor !== undefined) {
          assert.ok(anchorsOf(fs.readFileSync(linked, 'utf8')).has(anchor), `${target}#${anchor}`);
        }
      }
    });
  }
});
