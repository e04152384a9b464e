'use strict';

/* The binding, or what stands in for it: `missing` is the error that says why. */

const { attachNative } = require('../errors.js');

const NO_BINARY = ['ERR_FIBRIL_NO_BINARY', 'ERR_FIBRIL_UNSUPPORTED_RUNTIME'];

function load() {
  try {
    return { binding: require('./binding.js'), missing: undefined };
  } catch (error) {
    if (!NO_BINARY.includes(error.code)) throw error;
    return { binding: require('./absent.js'), missing: error };
  }
}

const { binding, missing } = load();
attachNative(binding.runtime);

module.exports = { binding, runtime: binding.runtime, missing };
