'use strict';

const { platform } = require('./platform.js');

// The one built here, or the prebuilt one of this platform. The requires are literal so that bundlers see them.
function load() {
  const places = [() => require('./build/Release/{{target}}.node'), () => require(`./prebuilds/${platform}/{{target}}.node`)];
  for (const place of places) {
    try {
      return place();
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  const advice = `To build it, with a C compiler, make and Python 3: npx node-gyp rebuild --directory "${__dirname}"`;
  throw new Error(`{{name}} has no binary for ${platform}. ${advice}`);
}

const addon = load();

// One by one: then `import { countLines } from '{{name}}'` works, too.
exports.countLines = addon.countLines;
