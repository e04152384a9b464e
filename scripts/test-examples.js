'use strict';

// node scripts/test-examples.js [--every-node] [NAME...]: the packages of examples/, each in a
// folder of its own with the packed fibril, as a stranger would have it: installed, built, tested;
// with --every-node what was built is tested under other Nodes, too. One whose Debian packages
// ("debian" in its package.json) are missing is skipped, and that is said.

const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { addCounts } = require('./counts.js');
const { nodeOf, otherMajors } = require('./nodes.js');

const root = path.join(__dirname, '..');

/** Runs a command to its end, in sight; whether that was good. */
function run(command, args, cwd) {
  return spawnSync(command, args, { cwd, stdio: 'inherit' }).status === 0;
}

function isInstalled(name) {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return stdout !== null && stdout.includes('ok installed');
}

/** Packs fibril into the folder; the path of the tarball. */
function pack(folder) {
  if (!run('npm', ['pack', '--silent', '--pack-destination', folder], root)) {
    throw new Error('npm pack failed');
  }
  return path.join(folder, fs.readdirSync(folder).find((name) => name.endsWith('.tgz')));
}

/** The example without what was built in it, and with the tarball for fibril. */
function copy(name, folder, tarball) {
  const built = ['build', 'node_modules', 'package-lock.json'];
  fs.cpSync(path.join(root, 'examples', name), folder, {
    recursive: true,
    filter: (file) => !built.includes(path.basename(file)),
  });
  const file = path.join(folder, 'package.json');
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  manifest.dependencies.fibril = `file:${tarball}`;
  fs.writeFileSync(file, JSON.stringify(manifest, null, 2));
}

function test(name, folder, tarball, nodes) {
  copy(name, folder, tarball);
  const install = ['install', '--no-audit', '--no-fund', '--no-package-lock'];
  if (!run('npm', install, folder) || !run('npm', ['run', 'build', '--', '--silent'], folder)) {
    addCounts({ passed: 0, failed: 1 });
    return false;
  }
  const mocha = path.join('node_modules', 'mocha', 'bin', 'mocha.js');
  const results = nodes.map((node) =>
    run(node, [mocha, '--reporter', path.join(root, 'scripts', 'reporter.js')], folder));
  return results.every(Boolean);
}

function main(names, majors) {
  const nodes = [process.execPath, ...majors.map(nodeOf)];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-examples-'));
  try {
    const tarball = pack(folder);
    for (const name of names) {
      const { debian = [] } = require(path.join(root, 'examples', name, 'package.json'));
      const missing = debian.filter((each) => !isInstalled(each));
      if (missing.length > 0) {
        console.log(`examples/${name} is skipped: Debian's ${missing.join(', ')} not installed`);
      } else if (!test(name, path.join(folder, name), tarball, nodes)) process.exitCode = 1;
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const given = process.argv.slice(2);
const named = given.filter((each) => each !== '--every-node');
const all = fs.readdirSync(path.join(root, 'examples'))
  .filter((name) => fs.existsSync(path.join(root, 'examples', name, 'package.json')));
main(named.length > 0 ? named : all, named.length < given.length ? otherMajors : []);
