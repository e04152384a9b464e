'use strict';

// Node carries an OpenSSL of its own and exports its functions, so that a library which wants
// libssl finds Node's instead, of another version. RTLD_DEEPBIND has libpq, and all that comes with
// it, look into its own dependencies first. musl has no such flag.

const { constants } = require('node:os');
const path = require('node:path');

const { RTLD_NOW, RTLD_DEEPBIND = 0 } = constants.dlopen;

process.dlopen(module, path.join(__dirname, '..', 'build', 'Release', 'postgres.node'),
  RTLD_NOW | RTLD_DEEPBIND);
