'use strict';

/* test/addon/pressure.c */

module.exports = require('../addon/build/Release/pressure.node');
