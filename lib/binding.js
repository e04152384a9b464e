'use strict';

// Loads the native part: the one built here, or the prebuilt one of this platform. The paths are literal so that bundlers and
// file tracers find the files.

const path = require('path');
const { platformName } = require('./platform.js');

function failure(code, message, cause) {
  const error = new Error(message, cause && { cause });
  error.code = code;
  return error;
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

function requirePrebuilt() {
  switch (platformName()) {
    case 'linux-x64':
      return require('../prebuilds/linux-x64/fibril.node');
    case 'linux-x64-musl':
      return require('../prebuilds/linux-x64-musl/fibril.node');
    case 'linux-arm64':
      return require('../prebuilds/linux-arm64/fibril.node');
    case 'linux-arm64-musl':
      return require('../prebuilds/linux-arm64-musl/fibril.node');
    case 'darwin-x64':
      return require('../prebuilds/darwin-x64/fibril.node');
    case 'darwin-arm64':
      return require('../prebuilds/darwin-arm64/fibril.node');
    default:
      return undefined;
  }
}

// undefined when the file isn't there. A file that is there and does not load is an error, also when another one would.
function attempt(load) {
  try {
    return load();
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw failure(
      'ERR_FIBRIL_NO_BINARY',
      `fibril's native part does not load: ${error.message}\n${buildAdvice()}`,
      error,
    );
  }
}

function buildAdvice() {
  const folder = path.join(__dirname, '..', 'gyp');
  return `To build it here (with a C compiler, make and Python 3): npx node-gyp rebuild --directory "${folder}"`;
}

refuseOtherRuntimes();
const binding = attempt(() => require('../build/Release/fibril.node')) ?? attempt(requirePrebuilt);
if (binding === undefined) {
  throw failure('ERR_FIBRIL_NO_BINARY', `fibril has no native part for ${platformName()}. ${buildAdvice()}`);
}

/** What the native addon exports. Loading this file throws ERR_FIBRIL_NO_BINARY, or ERR_FIBRIL_UNSUPPORTED_RUNTIME in Bun and Deno. */
module.exports = binding;
