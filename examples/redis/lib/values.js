'use strict';

// C hands maps, sets and large integers over under their names; here they become JavaScript's.

function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value) ||
    value instanceof Error) return value;
  const { map, set, big } = value;
  if (big !== undefined) return BigInt(big);
  if (set !== undefined) return new Set(set.map(revive));
  const made = new Map();
  for (let i = 0; i < map.length; i += 2) {
    // What a map is asked for is a text: a Buffer would be found by nobody.
    const key = Buffer.isBuffer(map[i]) ? map[i].toString() : revive(map[i]);
    made.set(key, revive(map[i + 1]));
  }
  return made;
}

module.exports = { revive };
