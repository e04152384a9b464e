'use strict';

// JavaScript's values as PostgreSQL's texts. The server knows what type a parameter has from the
// query; a Buffer goes as it is.

function quoted(text) {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function arrayText(array) {
  const items = array.map((item) => {
    if (item === null || item === undefined) return 'NULL';
    if (Array.isArray(item)) return arrayText(item);
    const text = parameter(item);
    return quoted(typeof text === 'string'
      ? text : `\\x${Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('hex')}`);
  });
  return `{${items.join(',')}}`;
}

/** What the server gets for a value: a string, bytes or null. */
function parameter(value) {
  switch (typeof value) {
    case 'string':
      return value;
    case 'undefined':
      return null;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null || ArrayBuffer.isView(value)) return value;
      if (Array.isArray(value)) return arrayText(value);
      return value instanceof Date ? value.toISOString() : JSON.stringify(value);
    default:
      throw Object.assign(new TypeError(`A parameter can't be a ${typeof value}`),
        { code: 'ERR_INVALID_ARG_TYPE' });
  }
}

function parameters(values) {
  if (!Array.isArray(values)) {
    throw Object.assign(new TypeError('The "params" argument must be an array'),
      { code: 'ERR_INVALID_ARG_TYPE' });
  }
  return values.map(parameter);
}

module.exports = { parameters };
