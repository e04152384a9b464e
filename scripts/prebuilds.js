'use strict';

// npm run prebuilds -- [PLATFORM...]: builds the addon for platforms and puts each where the loader
// of an installed package finds it, prebuilds/PLATFORM/fibril.node. 'own' is this machine's;
// without an argument: every one whose compiler is here. Other folders stay, so that a release can
// collect the binaries of several machines.

const { spawnSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { platformName } = require('../lib/native/platform.js');

const root = path.join(__dirname, '..');
const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');

/**
 * What linux-x64 builds for others with: node-gyp's name of the architecture, the tools, Debian's
 * packages of them.
 */
const CROSS = {
  'linux-arm64': {
    arch: 'arm64',
    cc: 'aarch64-linux-gnu-gcc',
    ar: 'aarch64-linux-gnu-ar',
    cxx: 'aarch64-linux-gnu-g++',
    debian: 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
  },
  'linux-x64-musl': { arch: 'x64', cc: 'musl-gcc', ar: 'ar', debian: 'musl-tools' },
};

function isHere(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

// What is in C is linked with the C driver: it needs no C++ library, nor the compiler for it.
function toolsFor(platform, inCxx) {
  if (platform === platformName()) return { args: [], env: {} };
  const cross = platformName() === 'linux-x64' ? CROSS[platform] : undefined;
  if (cross === undefined) throw new Error(`${platformName()} can't build for ${platform}`);
  const { arch, cc, ar, debian } = cross;
  const cxx = inCxx ? cross.cxx : cc;
  if (!isHere(cc)) {throw new Error(
    `building for ${platform} needs ${cc} (Debian: apt-get install ${debian})`);}
  return { args: ['--arch', arch], env: { CC: cc, CXX: cxx, LINK: cxx, AR: ar } };
}

/**
 * Builds what a binding.gyp describes for a platform.
 * @param {string} platform as in prebuilds/
 * @param {string} folder the folder of the binding.gyp
 * @param {{inCxx?: boolean}} options `inCxx`: there is C++ in it
 * @throws {Error} where there is no compiler for it, or it fails: what node-gyp printed
 */
function buildFor(platform, folder, { inCxx = false } = {}) {
  const { args, env } = toolsFor(platform, inCxx);
  const child = spawnSync(process.execPath, [nodeGyp, 'rebuild', '--jobs', 'max', '--directory',
    folder, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  });
  if (child.status !== 0) {
    throw new Error(`the build for ${platform} fails\n${child.stdout}\n${child.stderr}`);
  }
}

/**
 * A new folder with copies of the named files and folders of the repository, without what was built
 * in them.
 */
function copyOfSources(...names) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-build-'));
  for (const name of names) {
    const filter = (file) => path.basename(file) !== 'build';
    fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true, filter });
  }
  return folder;
}

// In a copy: a build that is in the repository may be of other sources, another compiler or a
// sanitizer.
function prebuild(platform) {
  const copy = copyOfSources('gyp', 'include', 'src');
  try {
    buildFor(platform, path.join(copy, 'gyp'));
    const target = path.join(root, 'prebuilds', platform, 'fibril.node');
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(path.join(copy, 'build', 'Release', 'fibril.node'), target);
    console.log(`prebuilds/${platform}/fibril.node: ${fs.statSync(target).size} bytes`);
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

function platformsHere() {
  const others = platformName() === 'linux-x64' ? Object.keys(CROSS) : [];
  const missing = others.filter((platform) => !isHere(CROSS[platform].cc));
  for (const platform of missing) {
    console.log(`left out: ${platform}, for which there is no ${CROSS[platform].cc}`);
  }
  return [platformName(), ...others.filter((platform) => !missing.includes(platform))];
}

module.exports = { buildFor, copyOfSources, platformsHere };

if (require.main === module) {
  const named = process.argv.slice(2).map((name) => (name === 'own' ? platformName() : name));
  try {
    for (const platform of named.length > 0 ? named : platformsHere()) prebuild(platform);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
