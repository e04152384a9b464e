'use strict';

// lib/index.d.ts, checked with TypeScript's compiler: what is used as it should be, and everything that is there.

const assert = require('node:assert/strict');
const path = require('node:path');
const ts = require('typescript');

const fibril = require('../lib');

const folder = path.join(__dirname, 'types');

/** Names of methods, inherited ones too, that do not begin with "_"; and of well-known symbols. */
function publicMethods(prototype) {
  const names = new Set();
  for (let each = prototype; ![Object.prototype, Error.prototype].includes(each); each = Object.getPrototypeOf(each)) {
    for (const key of Reflect.ownKeys(each)) {
      if (typeof Object.getOwnPropertyDescriptor(each, key).value === 'function') names.add(String(key).replace('(Symbol.', '('));
    }
  }
  const hidden = ['constructor', 'toString', 'settle', 'Symbol(nodejs.util.inspect.custom)'];
  return [...names].filter((name) => !hidden.includes(name) && !name.startsWith('_')).sort();
}

describe('lib/index.d.ts', function () {
  this.timeout(120_000);
  let program;
  let checker;

  before(() => {
    const file = path.join(folder, 'tsconfig.json');
    const { fileNames, options, errors } = ts.parseJsonConfigFileContent(ts.readConfigFile(file, ts.sys.readFile).config, ts.sys, folder);
    assert.deepEqual(errors, []);
    program = ts.createProgram(fileNames, options);
    checker = program.getTypeChecker();
  });

  const member = (symbol, name) => checker.getExportsOfModule(symbol).find((each) => each.name === name);

  function declarations() {
    const source = program.getSourceFile(path.join(__dirname, '..', 'lib', 'index.d.ts'));
    const isValue = (symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return (target.flags & ts.SymbolFlags.Value) !== 0;
    };
    return {
      co: checker.resolveExternalModuleSymbol(checker.getSymbolAtLocation(source)),
      values: (symbol) => checker.getExportsOfModule(symbol).filter(isValue).map(({ name }) => name).filter((name) => name !== 'prototype').sort(),
    };
  }

  it('compiles, and what test/types expects of it', () => {
    const host = { getCurrentDirectory: () => folder, getCanonicalFileName: (name) => name, getNewLine: () => '\n' };
    assert.equal(ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host), '');
  });

  it('declares what is there with require and with import, and nothing else', async () => {
    const { co, values } = declarations();
    assert.deepEqual(values(co), Object.keys(fibril).sort());
    assert.deepEqual(values(co), Object.keys(await import('../lib/index.mjs')).sort());
    for (const part of ['gen', 'locks', 'queues']) assert.deepEqual(values(member(co, part)), Object.keys(fibril[part]).sort(), part);
    const fs = checker.getTypeOfSymbol(member(co, 'fs'));
    assert.deepEqual(fs.getProperties().map(({ name }) => name).sort(), Object.keys(fibril.fs).sort());
  });

  it('declares every member of the classes', () => {
    const { co } = declarations();
    const parts = [[co, fibril], ...['gen', 'locks', 'queues'].map((part) => [member(co, part), fibril[part]])];
    let classes = 0;
    for (const [symbol, values] of parts) {
      for (const each of checker.getExportsOfModule(symbol)) {
        if (!(each.flags & ts.SymbolFlags.Class)) continue;
        const type = checker.getDeclaredTypeOfSymbol(each);
        const declared = type.getProperties().filter(({ valueDeclaration }) => ts.isMethodDeclaration(valueDeclaration) ||
          ts.isMethodSignature(valueDeclaration)).map(({ name }) => name.replace(/^__@(\w+)@\d+$/, 'Symbol($1)')).sort();
        assert.deepEqual(declared, publicMethods(values[each.name].prototype), each.name);
        classes++;
      }
    }
    assert.ok(classes >= 15);
  });
});
