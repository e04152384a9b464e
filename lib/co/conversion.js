'use strict';

/* A yielded value that is none of those co can wait for, but has a registered converter. */

const { badYield } = require('../errors.js');
const { keepShape } = require('../shapes.js');
const converters = require('./converters.js');

/** Yields one value and returns what comes of it. */
class Conversion {
  constructor(value, convert, outer) {
    this.value = value;
    this.convert = convert;
    this.outer = outer; // the conversion that has brought what is converted here
    this.yielded = false;
  }

  next(value) {
    const done = this.yielded;
    this.yielded = true;
    return { done, value: done ? value : this.value };
  }

  throw(error) {
    throw error;
  }
}
keepShape(Conversion, new Conversion(undefined, null, null));

/**
 * What goes on top of `run` for what it has yielded. It is converted once: what comes out must be
 * something else.
 */
function conversionOf(run, yielded) {
  const convert = converters.of(yielded);
  if (convert === undefined) throw badYield(yielded);
  const outer = run.next === Conversion.prototype.next ? run.gen : null;
  for (let each = outer; each !== null; each = each.outer) {
    if (each.convert === convert) {
      throw badYield(yielded, { reason: 'its converter leads back to it' });
    }
  }
  const converted = convert(yielded);
  if (converters.of(converted) === convert) {
    throw badYield(converted, { reason: 'its converter returned it' });
  }
  return new Conversion(converted, convert, outer);
}

module.exports = { conversionOf };
