'use strict';

// Rows come from C as arrays of values; here they become objects, and the texts of json columns
// values.

const JSON_TYPES = new Set([114, 3802, 199, 3807]); // json, jsonb and arrays of them

function parse(value) {
  if (Array.isArray(value)) return value.map(parse);
  return value === null ? null : JSON.parse(value);
}

/** A function that makes an object of a row with these fields. */
function rowMaker(fields) {
  return (values) => {
    const row = {};
    for (let i = 0; i < fields.length; i++) {
      const { name, type } = fields[i];
      const value = JSON_TYPES.has(type) ? parse(values[i]) : values[i];
      if (name === '__proto__') {
        Object.defineProperty(row, name, { value, writable: true, enumerable: true,
          configurable: true });
      } else row[name] = value;
    }
    return row;
  };
}

module.exports = { rowMaker };
