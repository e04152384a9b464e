'use strict';

// Node has OpenSSL, nghttp2, zlib and brotli inside and exports their functions, and a library that
// is loaded later would get those instead of its own copies': README.md, "Two of everything".
// RTLD_DEEPBIND lets the addon, libcurl and all that libcurl needs look among themselves first.

const os = require('node:os');
const path = require('node:path');

const { RTLD_NOW, RTLD_DEEPBIND } = os.constants.dlopen;
if (RTLD_DEEPBIND === undefined) {
  throw new Error('fibril-curl needs a dynamic linker with RTLD_DEEPBIND: Linux with glibc');
}

const addon = { exports: {} };
process.dlopen(addon, path.join(__dirname, '..', 'build', 'Release', 'curl.node'),
  RTLD_NOW | RTLD_DEEPBIND);

module.exports = addon.exports;
