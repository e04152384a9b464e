'use strict';

/* Functions whose work is done in C, and the Future of such a call. */

const { ObjectValues } = require('../primordials.js');
const { binding, runtime } = require('./addon.js');
const { bytes } = require('./bytes.js');
const fs = require('./fs.js');

ObjectValues(fs).forEach(runtime.markNative);

module.exports = {
  /**
   * Waits at least `ms` milliseconds in a C coroutine.
   * @param {number} ms
   * @param {*} [value] what the promise resolves to
   * @returns {Promise<*>}
   */
  sleep: binding.sleep,

  /** A Buffer of zeros that functions of addons are lent, not given a copy of. */
  bytes,

  /** Files: readFile, writeFile, stat, lstat, realpath, readdir as in fs.promises, and du. */
  fs,

  /** A result that will be there, without a promise: yield it, await it, or add a done callback. */
  Future: runtime.Future,
};
