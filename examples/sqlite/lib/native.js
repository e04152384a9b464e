'use strict';

const native = require('../build/Release/sqlite.node');

/** A class's methods that are for this package only: taken off it. */
function inner({ prototype }) {
  const names = Object.getOwnPropertyNames(prototype).filter((name) => name.startsWith('_'));
  const methods = Object.fromEntries(names.map((name) => [name.slice(1), prototype[name]]));
  for (const name of names) delete prototype[name];
  return methods;
}

module.exports = {
  ...native,
  ofDatabase: inner(native.Database),
  ofStatement: inner(native.Statement),
};
