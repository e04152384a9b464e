'use strict';

/* The way through a yielded array or object, down to the member at hand. */

const { ArrayIsArray, Set } = require('../primordials.js');
const { keepShape } = require('../shapes.js');

const LONG_WAY = 32;

/**
 * A step on the way from the yielded array or object down to the member at hand, into
 * `source[key]`, and where to go on after it.
 */
class Level {
  constructor(source, copy, keys, next, key, outer) {
    this.source = source;
    this.copy = copy;
    this.keys = keys;
    this.next = next;
    this.key = key;
    this.outer = outer;
    this.depth = outer === null ? 1 : outer.depth + 1;
  }

  /** The way for errors: `[1].name`. */
  static path(source, key, level) {
    let path = step(source, key);
    for (; level !== null; level = level.outer) path = step(level.source, level.key) + path;
    return path.replace(/^\./, '');
  }
}
keepShape(Level, new Level(null, null, null, 0, null, null));

function step(source, key) {
  return ArrayIsArray(source) ? `[${key}]` : `.${key}`;
}

/** What the way has led through, looked up by hash once it has been long. */
class Way {
  constructor() {
    this.sources = null;
  }

  /** Whether `container` is on it; adds the last step. */
  leadsTo(container, level) {
    if (this.sources === null && level.depth < LONG_WAY) {
      for (let each = level; each !== null; each = each.outer) {
        if (each.source === container) return true;
      }
      return false;
    }
    if (this.sources === null) {
      this.sources = new Set();
      for (let each = level; each !== null; each = each.outer) this.sources.add(each.source);
    } else {
      this.sources.add(level.source);
    }
    return this.sources.has(container);
  }

  leave(level) {
    if (this.sources !== null) this.sources.delete(level.source);
  }
}
keepShape(Way, new Way());

module.exports = { Level, Way };
