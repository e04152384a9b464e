'use strict';

// fibril new NAME: writes templates/addon into a new folder, with the package's name filled in.

const fs = require('fs');
const { builtinModules } = require('module');
const path = require('path');
const { UsageError } = require('./usage.js');

const root = path.join(__dirname, '..');
const template = path.join(root, 'templates', 'addon');
const manifest = require('../package.json');

// npm would leave it out of fibril's own tarball, or obey it there.
const RENAMED = { gitignore: '.gitignore' };

const DEPENDENCIES = ['fibril', 'node-gyp'];

// A target's name is also one of the makefile, where some have a meaning; gyp takes "lib" off the
// file's name, and fibril is a target, too.
function targetOf(bare) {
  return /^(?!lib|all|fibril$)[a-z0-9][a-z0-9_-]*$/.test(bare) ? bare : 'addon';
}

/** Why npm would not take it as the name of a new package; undefined when it would. */
function badName(name) {
  const bare = name.replace(/^@[a-z0-9][a-z0-9._-]*\//, '');
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(bare)) {
    return 'a package\'s name has small letters, digits, ".", "_" and "-", begins with a letter ' +
      'or digit, and may follow a scope: @scope/name';
  }
  if (name.length > 214) return 'a package\'s name has at most 214 characters';
  const isTaken = [...builtinModules, 'node_modules', 'favicon.ico'].includes(name);
  if (bare === name && isTaken) {
    return 'Node or npm uses it for something else';
  }
  if (DEPENDENCIES.includes(name)) return 'the new package depends on the one of that name';
  return undefined;
}

// What npm wrote down when it installed this copy of fibril: from a registry, a tarball, a link.
function installedFrom() {
  const modules = path.dirname(root);
  if (path.basename(modules) !== 'node_modules') return undefined;
  try {
    const lock = JSON.parse(fs.readFileSync(path.join(modules, '.package-lock.json'), 'utf8'));
    return lock.packages['node_modules/fibril']?.resolved;
  } catch {
    return undefined;
  }
}

/**
 * The dependency on fibril of a package in `folder`: on the same tarball or folder that this copy
 * is from, else on its version.
 */
function dependencyOn(folder) {
  const from = installedFrom();
  const local = (target) => `file:${path.relative(folder, target).split(path.sep).join('/')}`;
  if (path.basename(path.dirname(root)) !== 'node_modules') return local(root);
  if (from === undefined || /^https?:.*\/fibril\/-\/fibril-[^/]*\.tgz$/.test(from)) {
    return `^${manifest.version}`;
  }
  if (!from.startsWith('file:')) return from;
  return local(path.resolve(root, '..', '..', from.slice('file:'.length)));
}

function packageJson(name, folder) {
  const target = targetOf(path.basename(folder));
  return {
    name,
    version: '0.1.0',
    description: 'A native addon with fibril',
    main: 'index.js',
    types: 'index.d.ts',
    files: ['addon.d.ts', 'binding.gyp', 'index.d.ts', 'platform.js', 'prebuilds', 'src'],
    engines: { node: manifest.engines.node },
    // Whoever installs the package gets a binary of prebuilds/, and npm need not run anything.
    gypfile: false,
    scripts: {
      build: 'node-gyp configure build',
      postbuild: `fibril dts build/Release/${target}.node addon.d.ts`,
      pretest: 'npm run build',
      test: 'node --test test/index.test.js',
      prebuilds: 'npm run build && node scripts/prebuild.js',
      prepack: 'npm run prebuilds',
    },
    dependencies: { fibril: dependencyOn(folder) },
    // addon.d.ts refers to them where a signature has a Buffer or the like. Who uses no TypeScript
    // needs none.
    peerDependencies: { '@types/node': '*' },
    peerDependenciesMeta: { '@types/node': { optional: true } },
    devDependencies: { 'node-gyp': manifest.devDependencies['node-gyp'] },
  };
}

function writeProject(name, folder) {
  const binary = targetOf(path.basename(folder));
  fs.mkdirSync(folder);
  const json = JSON.stringify(packageJson(name, folder), null, 2);
  fs.writeFileSync(path.join(folder, 'package.json'), `${json}\n`);
  for (const entry of fs.readdirSync(template, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.relative(template, path.join(entry.parentPath, entry.name));
    const text = fs.readFileSync(path.join(template, file), 'utf8')
      .replaceAll('{{name}}', name).replaceAll('{{target}}', binary);
    const target = path.join(folder, path.dirname(file), RENAMED[entry.name] ?? entry.name);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
  }
}

module.exports = {
  usage: 'new NAME',
  summary: 'writes a small addon package into the new folder NAME',
  help: 'Writes a package that builds and passes its test: C source, types, a test, and a script ' +
    `that makes prebuilt binaries.
NAME is the package's; of @scope/name the folder is name. It must not exist.

  npx fibril new my-addon
  cd my-addon
  npm install
  npm test
`,

  run(args) {
    const [name] = args;
    if (args.length !== 1) throw new UsageError('new needs one name');
    if (name.startsWith('-')) throw new UsageError(`new has no option "${name}"`);
    const reason = badName(name);
    if (reason !== undefined) {
      throw new UsageError(`"${name}" can't be the name of the package: ${reason}`, '');
    }
    const bare = name.split('/').pop();
    const folder = path.resolve(bare);
    if (fs.lstatSync(folder, { throwIfNoEntry: false })) {
      throw new UsageError(`"${bare}" exists already; nothing was written`, '');
    }
    writeProject(name, folder);
    return `${bare} is written. Next:\n\n  cd ${bare}\n  npm install\n  npm test\n`;
  },
};
