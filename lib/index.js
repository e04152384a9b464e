'use strict';

/*
 * What `require('fibril')` gives: co, callable, with everything else as its properties. Where no
 * binary loads, co works all the same and the native functions throw.
 */

require('./bundled.js');
const co = require('./co/index.js');
const features = require('./features.js');
const { ObjectAssign } = require('./primordials.js');

module.exports = ObjectAssign(co, features);
