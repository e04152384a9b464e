'use strict';

// Loaded before everything else: a bundle that is an ES module may have none of what CommonJS has,
// and says so where that is first needed.

try {
  require('node:util');
  void [__dirname, __filename];
} catch (cause) {
  const error = new Error('fibril is in a bundle that is an ES module and has no require, ' +
    '__dirname or __filename: leave it out of the bundle (external: [\'fibril\'], or ' +
    '--external:fibril for esbuild), or define them there with module.createRequire and ' +
    'import.meta.', { cause });
  error.code = 'ERR_FIBRIL_BUNDLED';
  throw error;
}
