'use strict';

// For require() and import. webpack puts the path of this file here in place of import.meta.url,
// but has a name for Node's `require`.
/* global __non_webpack_require__ */

module.exports = require('./outside.mjs').load(__non_webpack_require__);
