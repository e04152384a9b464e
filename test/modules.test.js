'use strict';

// scripts/module-circles.js, which npm run lint runs over lib/: what it finds in made-up modules.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { graphOf, problemsOf } = require('../scripts/module-circles');

describe('the order of modules', () => {
  let root;
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-modules-'));
  });
  afterEach(() => fs.rmSync(root, { recursive: true }));

  /** What is wrong with these files, by path. */
  function problems(files) {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(root, 'lib', name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
    }
    return problemsOf(graphOf(root));
  }

  const rooms = {
    'index.js': "require('./features.js');", 'features.js': "require('./tornado/gen');",
    'tornado/gen.js': "require('../co'); require('../native/index.js');",
    'co/index.js': "require('../errors.js');", 'native/index.js': "require('../errors.js');",
    'errors.js': "// as require('./index.js')\nrequire('node:util');",
    'index.mjs': "import co from '#co';",
  };

  it('is one way where it should be', () => {
    assert.deepEqual(problems(rooms), []);
  });

  it('is none where files need each other, also from inside functions', () => {
    const files = {
      'co/a.js': "const b = require('./b.js');", 'co/b.js': "require('./c');",
      'co/c.js': "function late() { return require('./a.js'); }",
    };
    assert.deepEqual(problems({ ...rooms, ...files }), [
      'a circle: lib/co/a.js needs lib/co/b.js needs lib/co/c.js needs lib/co/a.js',
    ]);
  });

  it('leads from no room to one that it is not over', () => {
    assert.deepEqual(problems({ ...rooms, 'co/up.js': "require('../native/index.js');" }), [
      'lib/co/up.js needs lib/native/index.js, but co is not over native',
    ]);
  });

  it('leads up from what is shared nowhere', () => {
    const [first] = problems({ ...rooms, 'errors.js': "import('./index.mjs');" });
    assert.equal(first, 'lib/errors.js needs lib/index.mjs, but shared is not over index');
  });

  it('is that of declarations, too', () => {
    const files = {
      'co/index.d.ts': "export * from '../native/index';", 'native/index.d.ts': 'export {};',
    };
    assert.deepEqual(problems({ ...rooms, 'co/up.js': '', ...files }), [
      'lib/co/index.d.ts needs lib/native/index.d.ts, but co is not over native',
    ]);
  });

  it('hears of a name that is not there', () => {
    assert.throws(() => problems({ 'index.js': "require('./none.js');" }), /lib\/index\.js needs/);
  });
});
