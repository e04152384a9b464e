'use strict';

// include/fibril.h as its users meet it: compiled alone, of one version with the package, every
// function documented and tested.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { filesBelow } = require('../../scripts/files');
const { readHeader } = require('../../scripts/header');

const root = path.join(__dirname, '..', '..');
const header = fs.readFileSync(path.join(root, 'include', 'fibril.h'), 'utf8');
const { version } = require('../../package.json');

const DECLARATION = /\b(fibril_(?!_)\w+)\(/g;
const PROTOTYPE = /^(?!typedef)[\w ]+[ *](fibril_(?!_)\w+)\([^;{]*\)/gm;

/** Groups of lines between empty ones, which comments may hold. */
function paragraphs(text) {
  const kept = text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll('\n', '\r'));
  return kept.split(/\n\s*\n/)
    .map((paragraph) => ({ comment: /\/\*/.test(paragraph), text: paragraph,
      code: paragraph.replace(/\/\*[\s\S]*?\*\//g, '') }));
}

function functionsOf(code) {
  const lines = code.split('\n')
    .filter((line) => !/^\s*(#|return |static void fibril_module)/.test(line) &&
      !line.endsWith('\\'));
  return [...lines.join('\n').matchAll(DECLARATION)].map(([, name]) => name);
}

function textsBelow(folder, extensions) {
  return filesBelow(path.join(root, folder), extensions)
    .map((file) => fs.readFileSync(file, 'utf8'));
}

describe('fibril.h', function () {
  this.timeout(600000);

  const declarations = header.replace(/\/\*[\s\S]*?\*\//g, '');
  const functions = [...new Set(functionsOf(declarations))];

  it('has the version of the package', () => {
    const [major, minor, patch] = ['MAJOR', 'MINOR', 'PATCH']
      .map((part) => header.match(new RegExp(`^#define FIBRIL_VERSION_${part} (\\d+)$`, 'm'))[1]);
    assert.strictEqual(`${major}.${minor}.${patch}`, version.replace(/-.*/, ''));
  });

  it('has a comment at every function', () => {
    assert.ok(functions.length > 100);
    const bare = paragraphs(header).filter(({ comment }) => !comment)
      .flatMap(({ code }) => functionsOf(code));
    assert.deepStrictEqual(bare, []);
  });

  it('has no function that no test calls', () => {
    const callers = [...textsBelow('test', ['.c', '.cc']), ...textsBelow('examples', ['.c'])]
      .join('\n');
    assert.deepStrictEqual(functions.filter((name) => !new RegExp(`\\b${name}\\b`).test(callers)),
      []);
  });

  // One place decides whether a coroutine may wait: test/c/core_waits_test.c and test/waits.test.js
  // walk a table of all waits.
  it('has no function that waits and is not in the table of waits', () => {
    const table = ['test/c/every_wait.c', 'test/addon/waits.c']
      .map((file) => fs.readFileSync(path.join(root, file), 'utf8')).join('\n');
    // Those that wait while a generator does have no wait of their own.
    const waiting = [...readHeader().functions.values()]
      .filter(({ suspends, facts }) => suspends &&
        !facts.Where.includes('while the generator waits'))
      .map(({ name }) => name);
    assert.ok(waiting.includes('fibril_await') && waiting.includes('fibril_fs_open'),
      waiting.join());
    assert.deepStrictEqual(waiting.filter((name) => !new RegExp(`\\b${name}\\b`).test(table)), []);
  });

  // test/c/owners_test.c lets a value of every owner leave in every way.
  it('has no function that takes or gives a value and is not tried with a value of every owner',
    () => {
    const withValues = [...declarations.matchAll(PROTOTYPE)]
      .filter(([prototype]) => /\bfibril_value\b/.test(prototype)).map(([, name]) => name);
    assert.ok(withValues.length > 50);
    const tables = ['test/c/owners.c', 'test/c/owners_test.c', 'test/addon/owners.c']
      .map((file) => fs.readFileSync(path.join(root, file), 'utf8')).join('\n');
    assert.deepStrictEqual(withValues.filter((name) => !new RegExp(`\\b${name}\\b`).test(tables)),
      []);
  });

  describe('alone', () => {
    const includes = [];
    let work;

    before(function () {
      const config = fs.readFileSync(path.join(root, 'build', 'config.gypi'), 'utf8')
        .replace(/^#.*$/m, '');
      includes.push('-I', path.join(root, 'include'), '-isystem',
        path.join(JSON.parse(config).variables.nodedir, 'include', 'node'));
      work = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-header-'));
      const [major, minor, patch] = version.split(/[.-]/).map(Number);
      fs.writeFileSync(path.join(work, 'all.c'), `#include <fibril.h>
        #include <fibril.h>
        #if FIBRIL_VERSION != ${(major << 16) | (
          minor << 8) | patch} || FIBRIL_VERSION < FIBRIL_VERSION_NUMBER(0, 0, 9)
        #error FIBRIL_VERSION
        #endif
        static fibril_value f(fibril_args *args) {
          fibril_spawn_options options = {sizeof(fibril_spawn_options), "f", 0};
          (void)args;
          return fibril_await(fibril_spawn(0, &options, 0));
        }
        FIBRIL_MODULE(m) { fibril_export(m, "f(): Promise<void>", f); }\n`);
    });
    after(() => fs.rmSync(work, { recursive: true }));

    const C = ['c11', 'c17', 'gnu11'].map((standard) => ['c', standard]);
    const CXX = ['c++11', 'c++17', 'c++20'].map((standard) => ['c++', standard]);
    for (const [compilers, modes] of [[['gcc', 'clang'], C], [['g++', 'clang++'], CXX]]) {
      for (const compiler of compilers) {
        it(`compiles with ${compiler} as ${modes.map(([, standard]) => standard)
          .join(', ')}, without a warning`, function () {
          if (spawnSync(compiler, ['--version']).error) {
            console.log(`      skipped: ${compiler} is not installed`);
            this.skip();
          }
          for (const [language, standard] of modes) {
            const flags = ['-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wundef',
              '-Wstrict-prototypes', '-Werror'];
            if (language === 'c++') {
              flags.splice(flags.indexOf('-Wstrict-prototypes'), 1, '-Wold-style-cast');
            }
            // uv.h wants it where the standard's name stands without gnu.
            flags.push('-D_POSIX_C_SOURCE=200809L');
            const args = ['-x', language, `-std=${standard}`, ...flags, ...includes,
              '-fsyntax-only', path.join(work, 'all.c')];
            const child = spawnSync(compiler, args, { encoding: 'utf8' });
            assert.strictEqual(child.status, 0, child.stderr);
          }
        });
      }
    }
  });
});
