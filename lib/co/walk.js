'use strict';

/*
 * The walk over a yielded array or object, which starts its members and makes the copy for their
 * results.
 */

const { badYield, tooDeep } = require('../errors.js');
const { Array, ArrayIsArray, ObjectDefineProperty, ObjectKeys } = require('../primordials.js');
const converters = require('./converters.js');
const { isWaitable, startMember, startOther } = require('./members.js');
const { Level, Way } = require('./way.js');

const MAX_DEPTH = 100_000;
const OWN_PROPERTY = {
  __proto__: null, value: undefined, writable: true, enumerable: true, configurable: true,
};

function emptyCopy(source) {
  return ArrayIsArray(source) ? elementsOf(source) : {};
}

/**
 * A plain array, holes and all. Slicing is the fastest way to one, but a subclass may make anything
 * of it.
 */
function elementsOf(array) {
  if (array.constructor === Array) return array.slice();
  const elements = [];
  for (let i = 0; i < array.length; i++) elements.push(array[i]);
  return elements;
}

/**
 * Starts all members in order, those of an array or object inside when its turn comes: no deeper
 * calls, however deep the data is.
 */
function startMembers(group, source, copy) {
  let level = null;
  let way = null;
  let keys = keysOf(source);
  let next = 0;
  for (;;) {
    const found = keys === null
      ? startElements(group, source, copy, next, level)
      : startProperties(group, source, copy, keys, next, level);
    if (found >= 0) {
      const key = keys === null ? found : keys[found];
      const inner = copy[key];
      level = new Level(source, copy, keys, found + 1, key, level);
      way ??= new Way();
      copy = enter(group, inner, level, way);
      source = inner;
      keys = keysOf(source);
      next = 0;
    } else if (level !== null) {
      way.leave(level);
      ({ source, copy, keys, next, outer: level } = level);
    } else {
      return;
    }
  }
}

function keysOf(source) {
  return ArrayIsArray(source) ? null : ObjectKeys(source);
}

function enter(group, inner, level, way) {
  const { source, copy, key, outer, depth } = level;
  if (way.leadsTo(inner, level)) {
    throw badYield(inner, { key: Level.path(source, key, outer), reason: 'it contains itself' });
  }
  // What getters, proxies and converters make anew each time has no end.
  if (depth > MAX_DEPTH) throw tooDeep();
  if (group.nested === null) group.nested = [];
  const innerCopy = emptyCopy(inner);
  group.nested.push(innerCopy);
  copy[key] = innerCopy;
  return innerCopy;
}

/** From index `i` to the next array or object, whose index it returns; -1 at the end. */
function startElements(group, source, copy, i, level) {
  for (; i < copy.length; i++) {
    const value = copy[i];
    if (isWaitable(value)) {
      if (startMember(group, value, copy, i, source, level)) return i;
    } else if (value === undefined) {
      copy[i] = value; // no holes
    } else if (converters.any && startOther(group, value, copy, i, source, level)) {
      return i;
    }
  }
  return -1;
}

/** The same for properties: an index into `keys`. */
function startProperties(group, source, copy, keys, i, level) {
  for (; i < keys.length; i++) {
    const key = keys[i];
    const value = source[key];
    // Not what Object.prototype has: a setter, or frozen.
    if (key in copy) ObjectDefineProperty(copy, key, OWN_PROPERTY);
    copy[key] = value;
    if (isWaitable(value)) {
      if (startMember(group, value, copy, key, source, level)) return i;
    } else if (converters.any && startOther(group, value, copy, key, source, level)) {
      return i;
    }
  }
  return -1;
}

module.exports = { emptyCopy, startMembers };
