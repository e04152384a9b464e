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

// Maps and sets of C's come as arrays of what is in them, a map's keys and values in turn, and
// those of JavaScript go so. What is none of them is undefined.
function mapOf(items) {
  const map = new NativeMap();
  for (let i = 0; i < items.length; i += 2) apply(mapSet, map, [items[i], items[i + 1]]);
  return map;
}

function setOf(items) {
  const set = new Set();
  for (let i = 0; i < items.length; i++) apply(setAdd, set, [items[i]]);
  return set;
}

function mapItems(value) {
  if (!isMap(value)) return undefined;
  const entries = apply(mapEntries, value, []);
  let entry;
  return ArrayFrom({ __proto__: null, length: 2 * apply(mapSize, value, []) }, (_, i) => {
    if (i % 2 === 0) entry = apply(mapNext, entries, []).value;
    return entry[i % 2];
  });
}

function setItems(value) {
  if (!isSet(value)) return undefined;
  const values = apply(setValues, value, []);
  return ArrayFrom({ __proto__: null, length: apply(setSize, value, []) },
    () => apply(setNext, values, []).value);
}

// Of an object with any keys. Arrays, maps and sets are none, though TypeScript may take them: what
// is in them would be lost.
function objectItems(value) {
  if (ArrayIsArray(value) || isMap(value) || isSet(value)) return undefined;
  const keys = ObjectKeys(value);
  return ArrayFrom({ __proto__: null, length: 2 * keys.length },
    (_, i) => (i % 2 === 0 ? keys[i / 2] : value[keys[(i - 1) / 2]]));
}
