'use strict';

module.exports = require('./build/Release/adapting.node');
