'use strict';

// lib/index.d.ts, checked with TypeScript's compiler: what is used as it should be, and everything that is there.

const assert = require('node:assert/strict');
const path = require('node:path');
const ts = require('typescript');

const fibril = require('../lib');

const folder = path.join(__dirname, 'types');

describe('lib/index.d.ts', function () {
  this.timeout(120_000);
  let program;

  before(() => {
    const file = path.join(folder, 'tsconfig.json');
    const { fileNames, options, errors } = ts.parseJsonConfigFileContent(ts.readConfigFile(file, ts.sys.readFile).config, ts.sys, folder);
    assert.deepEqual(errors, []);
    program = ts.createProgram(fileNames, options);
  });

  it('compiles, and what test/types expects of it', () => {
    const host = { getCurrentDirectory: () => folder, getCanonicalFileName: (name) => name, getNewLine: () => '\n' };
    assert.equal(ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host), '');
  });

  it('declares what is there, and nothing else', () => {
    const checker = program.getTypeChecker();
    const source = program.getSourceFile(path.join(__dirname, '..', 'lib', 'index.d.ts'));
    const isValue = (symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return (target.flags & ts.SymbolFlags.Value) !== 0;
    };
    const names = (symbol) => checker.getExportsOfModule(symbol).filter(isValue).map(({ name }) => name).filter((name) => name !== 'prototype').sort();
    const module = checker.getSymbolAtLocation(source);
    const co = checker.resolveExternalModuleSymbol(module);
    assert.deepEqual(names(co), Object.keys(fibril).sort());
    for (const part of ['gen', 'locks', 'queues']) {
      const symbol = checker.getExportsOfModule(co).find(({ name }) => name === part);
      assert.deepEqual(names(symbol), Object.keys(fibril[part]).sort(), part);
    }
    const fs = checker.getTypeOfSymbol(checker.getExportsOfModule(co).find(({ name }) => name === 'fs'));
    assert.deepEqual(fs.getProperties().map(({ name }) => name).sort(), Object.keys(fibril.fs).sort());
  });
});
