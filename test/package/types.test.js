'use strict';

// lib/index.d.ts, checked with TypeScript's compiler: what is used as it should be, and everything
// that is there.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const ts = require('typescript');

const fibril = require('../../lib');
const { fetchOrSkip } = require('../support/fetched.js');

const folder = path.join(__dirname, 'types');

/** Names of methods, inherited ones too, that do not begin with "_"; and of well-known symbols. */
function publicMethods(prototype) {
  const names = new Set();
  for (let each = prototype; ![Object.prototype, Error.prototype]
    .includes(each); each = Object.getPrototypeOf(each)) {
    for (const key of Reflect.ownKeys(each)) {
      if (typeof Object.getOwnPropertyDescriptor(each, key).value === 'function') {
        names.add(String(key).replace('(Symbol.', '('));
      }
    }
  }
  const hidden = ['constructor', 'toString', 'settle', 'Symbol(nodejs.util.inspect.custom)'];
  return [...names].filter((name) => !hidden.includes(name) && !name.startsWith('_')).sort();
}

const host = { getCurrentDirectory: () => folder, getCanonicalFileName: (name) => name,
  getNewLine: () => '\n' };

/** What the compiler says of test/package/types/drop-in.ts when `declarations` are those of co. */
function compileDropIn(declarations, options) {
  const program = ts.createProgram([path.join(folder, 'drop-in.ts')], {
    strict: true, noEmit: true, target: ts.ScriptTarget.ES2020, module: ts.ModuleKind.CommonJS,
    esModuleInterop: true,
    noUncheckedIndexedAccess: true, paths: { co: [declarations] }, ...options,
  });
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host);
}

// TypeScript 7 is no JavaScript.
const native = `@typescript/typescript-${process.platform}-${process.arch}`;
const COMPILERS = [
  ['typescript@5.0', ['lib', 'tsc.js']], ['typescript@5.3', ['lib', 'tsc.js']],
  ['typescript@5.6', ['lib', 'tsc.js']],
  ['typescript@6', ['lib', 'tsc.js']], [`${native}@latest`, ['lib', 'tsc']],
];

describe('lib/index.d.ts', function () {
  this.timeout(600_000);
  let program;
  let checker;

  before(() => {
    const file = path.join(folder, 'tsconfig.json');
    const { fileNames, options, errors } = ts.parseJsonConfigFileContent(ts.readConfigFile(file,
      ts.sys.readFile).config, ts.sys, folder);
    assert.deepEqual(errors, []);
    program = ts.createProgram(fileNames, options);
    checker = program.getTypeChecker();
  });

  /**
   * The symbol that a name stands for: those of co are aliases of what the folders of lib declare.
   */
  const meant = (symbol) => (symbol.flags & ts.SymbolFlags.Alias
    ? checker.getAliasedSymbol(symbol) : symbol);
  const member = (symbol, name) => meant(checker.getExportsOfModule(symbol)
    .find((each) => each.name === name));

  function declarations() {
    const source = program.getSourceFile(path.join(__dirname, '..', '..', 'lib', 'index.d.ts'));
    const isValue = (symbol) => (meant(symbol).flags & ts.SymbolFlags.Value) !== 0;
    return {
      co: checker.resolveExternalModuleSymbol(checker.getSymbolAtLocation(source)),
      values: (symbol) => checker.getExportsOfModule(symbol).filter(isValue).map(({ name }) => name)
        .filter((name) => name !== 'prototype').sort(),
    };
  }

  it('compiles, and what test/package/types expects of it', () => {
    assert.equal(ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host), '');
  });

  for (const [spec, file] of COMPILERS) {
    it(`compiles with ${spec}, and what test/package/types expects of it`, function () {
      const compiler = path.join(fetchOrSkip(this, spec), ...file);
      const [command, args] = file.at(-1) === 'tsc'
        ? [compiler, []] : [process.execPath, [compiler]];
      const { stdout, error } = spawnSync(command,
        [...args, '--pretty', 'false', '--listFiles', '-p', folder], { encoding: 'utf8' });
      assert.ifError(error);
      assert.match(stdout, /lib\/index\.d\.ts$/m);
      // @types/node is for newer compilers than the oldest here.
      const found = stdout.split('\n').filter((line) => /error TS/.test(line) &&
        !line.includes('node_modules/@types/node'));
      assert.deepEqual(found, []);
    });
  }

  it('needs no @types/node where only co is used', () => {
    const elsewhere = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'fibril-types-'));
    try {
      const isDeclared = (file) => nodeFs.statSync(file).isDirectory() || file.endsWith('.d.ts');
      nodeFs.cpSync(path.join(__dirname, '..', '..', 'lib'), elsewhere,
        { recursive: true, filter: isDeclared });
      assert.equal(compileDropIn(path.join(elsewhere, 'index.d.ts'),
        { types: [], lib: ['lib.es2018.d.ts'] }), '');
    } finally {
      nodeFs.rmSync(elsewhere, { recursive: true });
    }
  });

  it('takes nothing in test/package/types/drop-in.ts that @types/co does not', function () {
    const file = path.join(fetchOrSkip(this, '@types/co@4.6'), 'index.d.ts');
    assert.equal(compileDropIn(file, { types: [] }), '');
  });

  it('declares what is there with require and with import, and nothing else', async () => {
    const { co, values } = declarations();
    assert.deepEqual(values(co), Object.keys(fibril).sort());
    assert.deepEqual(values(co), Object.keys(await import('../../lib/index.mjs')).sort());
    for (const part of ['gen', 'locks', 'queues']) {
      assert.deepEqual(values(member(co, part)), Object.keys(fibril[part]).sort(), part);
    }
    const fs = checker.getTypeOfSymbol(member(co, 'fs'));
    assert.deepEqual(fs.getProperties().map(({ name }) => name).sort(),
      Object.keys(fibril.fs).sort());
  });

  it('declares every member of the classes', () => {
    const { co } = declarations();
    const parts = [[co, fibril],
      ...['gen', 'locks', 'queues'].map((part) => [member(co, part), fibril[part]])];
    let classes = 0;
    for (const [symbol, values] of parts) {
      for (const each of checker.getExportsOfModule(symbol).map(meant)) {
        if (!(each.flags & ts.SymbolFlags.Class)) continue;
        const type = checker.getDeclaredTypeOfSymbol(each);
        const declared = type.getProperties()
          .filter(({ valueDeclaration }) => ts.isMethodDeclaration(valueDeclaration) ||
          ts.isMethodSignature(valueDeclaration))
          .map(({ name }) => name.replace(/^__@(\w+)@\d+$/, 'Symbol($1)')).sort();
        assert.deepEqual(declared, publicMethods(values[each.name].prototype), each.name);
        classes++;
      }
    }
    assert.ok(classes >= 15);
  });
});
