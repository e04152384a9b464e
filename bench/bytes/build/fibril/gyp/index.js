'use strict';

/**
 * require('fibril/gyp'): for the binding.gyp of a package that depends on fibril. Loads no binary.
 *
 *   "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
 *
 * compiles fibril's own copy for that addon and passes on the include folder and every flag it
 * needs.
 */

const fs = require('fs');
const path = require('path');

const root = path.dirname(__dirname);

// Not with fs.cpSync: folders of a read-only store would be read-only here, too, and could not be
// removed. The files keep their times, so that a second build compiles only what has changed.
function copy(from, to) {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) {
      if (source !== path.join(__dirname, 'build')) copy(source, target);
    } else {
      const { atime, mtime } = fs.statSync(source);
      fs.writeFileSync(target, fs.readFileSync(source));
      fs.utimesSync(target, atime, mtime);
    }
  }
}

// gyp writes a target's makefile and objects at the same relative path inside the build folder:
// with ".." in it (a linked package, a workspace) they would end up outside. There the sources are
// copied into the build folder.
function copyInto(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const part of ['gyp', 'include', 'src']) {
    copy(path.join(root, part), path.join(folder, part));
  }
}

module.exports = {
  /**
   * The gyp target of the static library, relative to the current folder, which must be that of the
   * binding.gyp. Reading it from a package that does not contain fibril copies fibril's sources to
   * build/fibril.
   */
  get target() {
    let folder = path.relative(process.cwd(), __dirname);
    if (folder.startsWith('..') || path.isAbsolute(folder)) {
      folder = path.join('build', 'fibril', 'gyp');
      copyInto(path.resolve('build', 'fibril'));
    }
    return `${path.join(folder, 'fibril.gyp').split(path.sep).join('/')}:fibril`;
  },

  /** The folder of fibril.h, absolute, for other build systems. */
  include: path.join(root, 'include'),
};
