'use strict';

// The C tests inside Node, on private loops. Programs that must end their process get a process of
// their own.

const assert = require('assert');
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { judge } = require('./c/judge.js');

const addon = path.join(__dirname, 'addon', 'build', 'Release', 'c_tests.node');
const tests = require(addon);

function runInChild(name) {
  const code = `const failures = require(${JSON.stringify(addon)}).run(${JSON.stringify(
    name)}); console.log(failures);`;
  const child = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  return { ended: child.signal || String(child.status), failures: child.stdout.trim(),
    stderr: child.stderr };
}

function runHere(name) {
  return { ended: '0', failures: tests.run(name) || '', stderr: '' };
}

const SANITIZED = 'sanitize_test.c'; // has tests only in builds for ASan and LSan

describe('C', function () {
  this.timeout(60000);

  const all = tests.list();
  const files = new Set(all.map((test) => path.basename(test.file)));
  for (const file of files) {
    describe(file, function () {
      for (const test of all.filter((each) => path.basename(each.file) === file)) {
        it(test.name.replaceAll('_', ' '), function () {
          const outcome = test.kind === 'crash' ? runInChild(test.name) : runHere(test.name);
          const problem = judge(test, outcome);
          assert.ok(!problem, problem);
        });
      }
    });
  }

  it('runs every file of test/c that has a test', function () {
    const folder = path.join(__dirname, 'c');
    const written = fs.readdirSync(folder).filter((name) => {
      return name !== SANITIZED && name.endsWith('.c') &&
      /^[A-Z_]*TEST\(/m.test(fs.readFileSync(path.join(folder, name), 'utf8'));
    });
    assert.deepStrictEqual([...files].filter((name) => name !== SANITIZED).sort(), written.sort());
  });
});
