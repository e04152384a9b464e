'use strict';

/* What becomes of yielded values that co itself cannot wait for: converters by class. */

const { checkConverter } = require('../arguments.js');
const { Object, ObjectGetPrototypeOf } = require('../primordials.js');

const byPrototype = new Map();

/**
 * Has instances of a class converted when they are yielded, alone or as a member of an array or
 * object. It is asked for what co cannot wait for by itself: thenables, functions, generators,
 * arrays and plain objects keep their meaning. Answers to Tornado's convert_yielded.register.
 * @param {function} Class subclasses included; Number, String and the like for primitives
 * @param {function(*)} converter returns something that can be yielded; what it throws is thrown at
 *   the yield; null takes the class out
 */
function register(Class, converter) {
  checkConverter(Class, converter);
  if (converter === null) byPrototype.delete(Class.prototype);
  else byPrototype.set(Class.prototype, converter);
  module.exports.any = byPrototype.size > 0;
}

/** The converter for a value, that of the nearest class; undefined when there is none. */
function converterOf(value) {
  if (byPrototype.size === 0 || value === undefined || value === null) return undefined;
  let prototype = ObjectGetPrototypeOf(Object(value));
  while (prototype !== null && !byPrototype.has(prototype)) {
    prototype = ObjectGetPrototypeOf(prototype);
  }
  return byPrototype.get(prototype);
}

module.exports = { register, of: converterOf, any: false };
