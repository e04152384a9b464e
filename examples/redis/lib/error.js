'use strict';

/** What C makes is an Error of this name; `instanceof` knows it by that. */
class RedisError extends Error {
  static [Symbol.hasInstance](value) {
    return value instanceof Error && value.name === 'RedisError';
  }
}

module.exports = { RedisError };
