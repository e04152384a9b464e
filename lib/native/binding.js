'use strict';

// Loads the native part: the one built here, or the prebuilt one of this platform.

const fs = require('node:fs');
const path = require('node:path');
const { withCode } = require('../errors.js');
const { Error, process } = require('../primordials.js');
const { platformName } = require('./platform.js');

function failure(code, message, cause) {
  return withCode(new Error(message, cause && { cause }), code);
}

function refuseOtherRuntimes() {
  for (const [key, name] of [['bun', 'Bun'], ['deno', 'Deno']]) {
    if (process.versions[key]) {
      throw failure(
        'ERR_FIBRIL_UNSUPPORTED_RUNTIME',
        `fibril needs Node.js: ${name} does not give native code a libuv loop to run on.`,
      );
    }
  }
}

// Each require is literal, and inside a try: so file tracers find the file, and bundlers take one
// that is missing for optional.

/** When a configuration was built; 0 when it was not, or when that may not be seen. */
function builtAt(configuration) {
  try {
    const folder = path.join(__dirname, '..', '..', 'build', configuration);
    return fs.statSync(path.join(folder, 'fibril.node')).mtimeMs;
  } catch {
    return 0;
  }
}

// The one that was built last is the one that somebody wants.
function loadBuilt() {
  try {
    return builtAt('Debug') > builtAt('Release')
      ? require('../../build/Debug/fibril.node')
      : require('../../build/Release/fibril.node');
  } catch (error) {
    return unlessMissing(error);
  }
}

function loadPrebuilt() {
  try {
    switch (platformName()) {
      case 'linux-x64':
        return require('../../prebuilds/linux-x64/fibril.node');
      case 'linux-x64-musl':
        return require('../../prebuilds/linux-x64-musl/fibril.node');
      case 'linux-arm64':
        return require('../../prebuilds/linux-arm64/fibril.node');
      default:
        return undefined;
    }
  } catch (error) {
    return unlessMissing(error);
  }
}

// undefined when the file isn't there. A file that is there and does not load is an error, also
// when another one would.
function unlessMissing(error) {
  if (error.code === 'MODULE_NOT_FOUND') return undefined;
  const message = error.code === 'ERR_DLOPEN_DISABLED'
    ? 'fibril may not load its native part: Node runs with --permission and without ' +
      '--allow-addons, or with --no-addons.'
    : `fibril's native part does not load: ${error.message}\n${buildAdvice()}`;
  throw failure('ERR_FIBRIL_NO_BINARY', message, error);
}

function buildAdvice() {
  const folder = path.join(__dirname, '..', '..', 'gyp');
  return 'To build it here (with node-gyp, a C compiler, make and Python 3): ' +
    `npx node-gyp rebuild --directory "${folder}"`;
}

refuseOtherRuntimes();
const binding = loadBuilt() ?? loadPrebuilt();
if (binding === undefined) {
  const message = `fibril has no native part for ${platformName()}. ${buildAdvice()}`;
  throw failure('ERR_FIBRIL_NO_BINARY', message);
}
// Some loaders of bundlers give a file's name or its bytes.
if (binding.runtime === undefined) {
  throw failure('ERR_FIBRIL_BUNDLED', 'fibril is in a bundle whose loader for .node files does ' +
    "not load them: leave it out of the bundle (external: ['fibril'], or --external:fibril for " +
    "esbuild), or copy them, with esbuild's --loader:.node=copy for instance.");
}

/**
 * What the native addon exports. Loading this file throws ERR_FIBRIL_NO_BINARY, ERR_FIBRIL_BUNDLED,
 * or ERR_FIBRIL_UNSUPPORTED_RUNTIME in Bun and Deno.
 */
module.exports = binding;
