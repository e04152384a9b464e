'use strict';

/* Memory that C is lent, not given a copy of. */

const { Buffer, constants } = require('node:buffer');
const { runtime } = require('./addon.js');

const { alloc } = Buffer;
const { MAX_LENGTH } = constants;

/**
 * A Buffer of zeros as Buffer.alloc gives it, in memory that functions of fibril's addons are lent,
 * not given a copy of.
 * @param {number} size in bytes
 * @returns {Buffer}
 * @throws what Buffer.alloc throws
 */
function bytes(size) {
  if (typeof size !== 'number' || !(size >= 0 && size <= MAX_LENGTH)) return alloc(size);
  return runtime.bytes(size);
}

module.exports = { bytes };
