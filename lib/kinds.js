'use strict';

/* Of what kind a value is, to co and to gen. */

const { Function, ObjectGetPrototypeOf } = require('./primordials.js');

const GeneratorFunction = ObjectGetPrototypeOf(function* () {}).constructor;
const { next: generatorNext, throw: generatorThrow } = GeneratorFunction.prototype.prototype;
const AsyncFunction = ObjectGetPrototypeOf(async function () {}).constructor;

function isGenerator(value) {
  return typeof value.next === 'function' && typeof value.throw === 'function';
}

function isIterator(value) {
  return !!value && typeof value.next === 'function';
}

function isThenable(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return typeof value.then === 'function';
}

/**
 * Function, AsyncFunction or GeneratorFunction (async ones too); those of other realms are told by
 * their names.
 */
function kindOfFunction(fn) {
  const { constructor } = fn;
  // To co what has next and throw is called without a callback.
  if (constructor === GeneratorFunction || isGenerator(fn)) return GeneratorFunction;
  if (constructor === Function || !constructor) return Function;
  switch (constructor.name) {
    case 'GeneratorFunction':
    case 'AsyncGeneratorFunction':
      return GeneratorFunction;
    case 'AsyncFunction':
      return AsyncFunction;
  }
  if (constructor.displayName === 'GeneratorFunction') return GeneratorFunction;
  const { prototype } = constructor;
  return prototype && isGenerator(prototype) ? GeneratorFunction : Function;
}

module.exports = {
  GeneratorFunction,
  AsyncFunction,
  generatorNext,
  generatorThrow,
  isGenerator,
  isIterator,
  isThenable,
  kindOfFunction,
};
