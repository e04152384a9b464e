'use strict';

/*
 * What lib/native and lib/tornado are loaded with where there is no binary: enough for their
 * classes and functions to be there, by name, for lib/features.js, which lets nobody use them.
 */

const { Proxy } = require('../primordials.js');

class Future {
  then() {}

  setResult() {}
}

const runtime = {
  Future,
  future: (fn) => fn,
  createLoop: () => ({}),
  markNative() {},
};

/** Any function that a binary may export. */
module.exports = new Proxy({ runtime }, {
  get: (target, name) => target[name] ?? function absent() {},
});
