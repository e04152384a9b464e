const { stringify } = JSON;

// The source of a function that makes objects with these keys of as many values. Keys come from anywhere, a database's columns for
// instance: as JSON they can't be anything but strings, and "__proto__" in brackets is a property like any other.
function objectMaker(...keys) {
  const values = keys.map((key, i) => `v${i}`);
  const properties = keys.map((key, i) => `${key === '__proto__' ? '["__proto__"]' : stringify(key)}: ${values[i]}`);
  return `(function (${values}) { return { ${properties} }; })\n//# sourceURL=fibril:object`;
}
