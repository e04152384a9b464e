'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { platform } = require('./platform.js');

const builtAt = (configuration) =>
  fs.statSync(path.join(__dirname, 'build', configuration, '{{target}}.node'),
    { throwIfNoEntry: false })?.mtimeMs ?? 0;

function unlessMissing(error) {
  if (error.code !== 'MODULE_NOT_FOUND') throw error;
  return undefined;
}

// Bundlers see what is required by its name, and forgive one that is not there in its own `try`.
function requireRelease() {
  try {
    return require('./build/Release/{{target}}.node');
  } catch (error) {
    return unlessMissing(error);
  }
}

function requireDebug() {
  try {
    return require('./build/Debug/{{target}}.node');
  } catch (error) {
    return unlessMissing(error);
  }
}

function requirePrebuilt() {
  try {
    return require(`./prebuilds/${platform}/{{target}}.node`);
  } catch (error) {
    return unlessMissing(error);
  }
}

// The one built here last, or the prebuilt one of this platform.
function load() {
  const isDebug = builtAt('Debug') > builtAt('Release');
  const addon = (isDebug ? requireDebug() : requireRelease()) ?? requirePrebuilt();
  if (addon !== undefined) return addon;
  const advice =
    `To build it, with node-gyp, a C compiler, make and Python 3: npx node-gyp rebuild --directory "${__dirname}"`;
  throw new Error(`{{name}} has no binary for ${platform}. ${advice}`);
}

const addon = load();

// One by one: then `import { countLines } from '{{name}}'` works, too.
exports.countLines = addon.countLines;
