'use strict';

/*
 * What lib/ uses of the global object, taken when it is loaded: whatever a program replaces later
 * (another Promise, a test's clock, a hardened realm) is its own affair. ESLint refuses functions
 * in lib/ that read a global; src/node/runtime/10-state.js is the same for the bridge.
 */

// Of Node's modules where there is a choice: another global object, a vm context's or a test
// environment's, has what its maker gave it.
const { performance } = require('node:perf_hooks');
const process = require('node:process');
const { clearTimeout, setTimeout } = require('node:timers');

const { FinalizationRegistry = class {
  // Without the real one nothing is told of what is collected.
  register() {}

  unregister() {}
}, WeakRef = class {
  constructor(target) {
    this.deref = () => target;
  }
} } = globalThis;

/**
 * Calls `fn` when a promise of fibril's own is fulfilled: by a wait, because `then` reads what a
 * program may have made of Promise's species.
 */
async function whenFulfilled(promise, fn) {
  await promise;
  fn();
}

module.exports = {
  globalObject: globalThis,
  Array,
  Boolean,
  Error,
  FinalizationRegistry,
  Function,
  Map,
  MAX_SAFE_INTEGER: Number.MAX_SAFE_INTEGER,
  MathFloor: Math.floor,
  MathRandom: Math.random,
  NativePromise: Promise,
  Object,
  Proxy,
  RangeError,
  Set,
  String,
  SymbolAsyncIterator: Symbol.asyncIterator,
  SymbolIterator: Symbol.iterator,
  TypeError,
  Uint8Array,
  WeakMap,
  WeakRef,

  ArrayFrom: Array.from.bind(Array),
  ArrayIsArray: Array.isArray,
  ArraySlice: Array.prototype.slice,
  NumberIsInteger: Number.isInteger,
  ObjectAssign: Object.assign,
  ObjectDefineProperties: Object.defineProperties,
  ObjectDefineProperty: Object.defineProperty,
  ObjectEntries: Object.entries,
  ObjectFromEntries: Object.fromEntries,
  ObjectGetOwnPropertyDescriptor: Object.getOwnPropertyDescriptor,
  ObjectGetOwnPropertyNames: Object.getOwnPropertyNames,
  ObjectGetOwnPropertySymbols: Object.getOwnPropertySymbols,
  ObjectGetPrototypeOf: Object.getPrototypeOf,
  ObjectIsPrototypeOf: Object.prototype.isPrototypeOf,
  ObjectKeys: Object.keys,
  ObjectValues: Object.values,
  isView: ArrayBuffer.isView,
  parseInt: Number.parseInt,
  promiseReject: Promise.reject.bind(Promise),
  promiseResolve: Promise.resolve.bind(Promise),
  promiseThen: Promise.prototype.then,

  clearTimeout,
  nextTick: process.nextTick.bind(process),
  now: performance.now.bind(performance),
  process,
  setTimeout,
  whenFulfilled,
};
