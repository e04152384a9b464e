// The source of a function that makes objects with these keys of as many values. Keys come from
// anywhere, a database's columns for instance: as JSON they can't be anything but strings, and
// "__proto__" in brackets is a property like any other.
function objectMaker(...keys) {
  const values = keys.map((key, i) => `v${i}`);
  const nameOf = (key) => (key === '__proto__' ? '["__proto__"]' : stringify(key));
  const properties = keys.map((key, i) => `${nameOf(key)}: ${values[i]}`);
  return `(function (${values}) { return { ${properties} }; })\n//# sourceURL=fibril:object`;
}

// Arrays of what C gives, defined rather than set: setters in prototypes don't hear of it.
function arrayOf(...items) {
  return items;
}

// Not every Node-API can make one.
function float16Array(buffer) {
  if (Float16Array !== undefined) return new Float16Array(buffer);
  throw codedError(TypeError, 'ERR_FIBRIL_NO_FLOAT16', 'This Node.js has no Float16Array',
    float16Array);
}

function join(...pieces) {
  return apply(arrayConcat, [], pieces);
}
