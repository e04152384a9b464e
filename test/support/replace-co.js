'use strict';

/*
 * For `node --require`: every require('co') of the process, from whichever package, gives fibril,
 * as npm's `overrides` would have it. `process.replacedCo` lists the packages that have asked.
 */

const Module = require('node:module');
const path = require('node:path');

const fibril = path.join(__dirname, '..', '..', 'lib', 'index.js');
const resolve = Module._resolveFilename;
process.replacedCo = [];

Module._resolveFilename = function (request, parent, ...rest) {
  if (request !== 'co') return resolve.call(this, request, parent, ...rest);
  process.replacedCo.push(path.relative(path.join(__dirname, '..', '..', 'node_modules'),
    parent.filename).split(path.sep)[0]);
  return fibril;
};
