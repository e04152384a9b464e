'use strict';

// Which build, tests and lint belong to changed files, for `npm run quick`; nothing that runs.
// Tests are those that have the file's name, and those of scripts/test-table.js.

const path = require('path');
const { C_TESTS, MOCHA_TESTS, lookUp } = require('./test-table.js');

const isC = (file) => /\.(c|cc|cpp|h|S)$/.test(file);
const isBuilt = (file) => /^(src|include|gyp)\//.test(file) || file === 'binding.gyp';
const isMocha = (file) => /^test\/([\w-]+\/)?[^/]*\.test\.js$/.test(file);
const isFormatted = (file) =>
  /^(include|src|test|bench|examples|templates)\/.*\.(c|cc|cpp|h)$/.test(file);
const mochaFile = (name) => `test/${name}.test.js`;
const sortedOnce = (list) => [...new Set(list)].sort();

function stemOf(file) {
  return path.basename(file).replace(/\..*$/, '');
}

/** What has the file's name, and what its row names; a folder's rest counts in their place only. */
function withRow(named, table, file) {
  const { tests, isNamed } = lookUp(table, file);
  return named.length > 0 && !isNamed ? named : [...named, ...tests];
}

/** The files of test/c, without .c, that have the name of one of src. */
function cTestsNamedAs(file, { exists }) {
  const [, layer] = file.match(/^src\/(core|io)\//) ?? [];
  if (layer === undefined || !isC(file)) return [];
  const names = [`${layer}_${stemOf(file)}_test`, `${stemOf(file)}_test`];
  if (file.startsWith('src/io/net/')) names.push(`io_net_${stemOf(file)}_test`);
  return names.filter((name) => exists(`test/c/${name}.c`));
}

/** The mocha file, without .test.js, that has the name of one of lib, src/node or test/addon. */
function mochaTestsNamedAs(file, { exists }) {
  const hasName = /^(lib|src\/node|test\/addon)\/.*(?<!\.d\.ts)$/.test(file);
  return hasName ? [stemOf(file)].filter((name) => exists(mochaFile(name))) : [];
}

/** The files of test/c, without .c, whose tests belong to a changed file. */
function cTestsOf(file, tree) {
  const isThere = (name) => tree.exists(`test/c/${name}.c`);
  if (/^test\/c\/\w+_test\.c$/.test(file)) return [stemOf(file)].filter(isThere);
  if (!isC(file)) return [];
  return withRow(cTestsNamedAs(file, tree), C_TESTS, file).filter(isThere);
}

/** The mocha files that belong to a changed file. */
function mochaTestsOf(file, tree) {
  const { files, exists, textOf } = tree;
  if (isMocha(file)) return [file].filter(exists);
  if (file.startsWith('test/support/')) {
    const loads = new RegExp(`require\\('[./]*support/${stemOf(file)}(\\.js)?'`);
    return files.filter((one) => isMocha(one) && loads.test(textOf(one)));
  }
  return withRow(mochaTestsNamedAs(file, tree), MOCHA_TESTS, file).map(mochaFile).filter(exists);
}

/** Whether somebody said which tests belong to a file: its name or a row of a table. */
function isPlaced(file, tree) {
  return [...cTestsNamedAs(file, tree), ...mochaTestsNamedAs(file, tree)].length > 0
    || [C_TESTS, MOCHA_TESTS].some((table) => lookUp(table, file).isNamed);
}

/** What is left out, as sentences. */
function whatIsLeft(changed, tree, cTests, mocha) {
  const cFiles = tree.files.filter((file) => /^test\/c\/\w+_test\.c$/.test(file)).length;
  const isOfNpmTest = (file) => /^test\/[^/]*\.test\.js$/.test(file);
  const mochaFiles = tree.files.filter(isOfNpmTest).length;
  const alone = changed.filter((file) => !isBuilt(file)
    && cTestsOf(file, tree).length === 0 && mochaTestsOf(file, tree).length === 0);
  const left = alone.length > 0 ? [`tests of ${alone.join(', ')}: none belong to them`] : [];
  left.push(`${cFiles - cTests.length} of ${cFiles} files of C tests (npm run test:c)`);
  const mochaLeft = mochaFiles - mocha.filter(isOfNpmTest).length;
  left.push(`${mochaLeft} of ${mochaFiles} of mocha's (npm test)`);
  if (changed.some((file) => isBuilt(file) || /^test\/(c|failure|fuzz)\//.test(file))) {
    left.push('sanitizers (npm run test:c -- --sanitize address,undefined), failing calls '
      + '(npm run test:failure), npm run fuzz -- --fixed');
  }
  return [...left, 'test:package, test:long, test:examples, the rest of npm run lint'];
}

/**
 * The commands for changed files, and what they leave out.
 * @param {{status: string, file: string}[]} changes as git's: A (also what is untracked), M, D
 * @param {object} tree
 * @param {string[]} tree.files all that are there
 * @param {function(string): string} tree.textOf what is in one of them
 * @param {boolean} [tree.configured] whether the build knows all sources
 * @param {boolean} [tree.addonsConfigured] whether that of the tests' addons does
 * @returns {{commands: string[][], notRun: string[]}}
 */
function choose(changes, { files, textOf, configured = true, addonsConfigured = true }) {
  const known = new Set(files);
  const tree = { files, textOf, exists: (file) => known.has(file) };
  const all = changes.map(({ file }) => file);
  const there = changes.filter(({ status }) => status !== 'D').map(({ file }) => file);
  const listChanged = changes.some(({ status, file }) => /\.gypi?$/.test(file)
    || (status !== 'M' && isC(file) && (isBuilt(file) || /^test\/(c|addon)\//.test(file))));
  const buildOf = (isConfigured) =>
    ['node-gyp', ...listChanged || !isConfigured ? ['configure'] : [], 'build', '--jobs', 'max'];

  const cTests = sortedOnce(all.flatMap((file) => cTestsOf(file, tree)));
  const mocha = sortedOnce(all.flatMap((file) => mochaTestsOf(file, tree)));
  // Each of the tests' addons has a copy of fibril, and some have C of test/c.
  const isOfAddons = (file) =>
    /^(test\/(addon|c)|src\/(core|io|node)|include|gyp)\/.*\.(c|cc|h|S|gypi?|js)$/.test(file);

  const commands = [];
  if (all.some(isBuilt)) commands.push(buildOf(configured));
  if (mocha.length > 0 && all.some(isOfAddons)) {
    commands.push([...buildOf(addonsConfigured), '--directory', 'test/addon']);
  }
  if (cTests.length > 0) commands.push(['node', 'scripts/test-c.js', '--file', cTests.join(',')]);
  if (mocha.length > 0) commands.push(['mocha', ...mocha]);
  // docs/c-api.md is made of both.
  if (all.some((file) => /^(include|test\/reference)\//.test(file))) {
    commands.push(['node', 'scripts/reference.js', '--check']);
  }
  const scripts = there.filter((file) => /\.m?js$/.test(file));
  if (scripts.length > 0) commands.push(['eslint', ...scripts]);
  const sources = there.filter(isFormatted);
  if (sources.length > 0) commands.push(['node', 'scripts/clang-format.js', '--check', ...sources]);
  return { commands, notRun: whatIsLeft(all, tree, cTests, mocha) };
}

module.exports = { choose, isPlaced };
