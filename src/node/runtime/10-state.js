// The JavaScript side of the bridge: promises are made here, because that is cheap here, and
// settled a batch at a time.

// What is used of the global object is taken here, when the addon is loaded: a program may replace
// any of it later. ESLint refuses functions that read a global; lib/primordials.js is the same for
// lib/.
const {
  AggregateError, Error, Map: NativeMap, RangeError, Set, SharedArrayBuffer, String,
  Symbol: NativeSymbol, TypeError, Uint8Array, process,
} = globalThis;
const { Float16Array } = globalThis; // of Node 24 and later
const { from: ArrayFrom, isArray: ArrayIsArray } = Array;
const { concat: arrayConcat, slice: arraySlice } = Array.prototype;
const { captureStackTrace } = Error;
const { stringify } = JSON;
const { abs: MathAbs } = Math;
const { isInteger: NumberIsInteger } = Number;
const { slice: stringSlice } = String.prototype;
const {
  create: ObjectCreate,
  defineProperty: ObjectDefineProperty,
  getOwnPropertyDescriptor: ObjectGetOwnPropertyDescriptor,
  getOwnPropertySymbols: ObjectGetOwnPropertySymbols,
  getPrototypeOf: ObjectGetPrototypeOf,
  hasOwn: ObjectHasOwn,
  keys: ObjectKeys,
  setPrototypeOf: ObjectSetPrototypeOf,
} = Object;
const { apply, ownKeys } = Reflect;
const { entries: mapEntries, set: mapSet } = Map.prototype;
const { get: mapSize } = ObjectGetOwnPropertyDescriptor(Map.prototype, 'size');
const { next: mapNext } = ObjectGetPrototypeOf(new Map()[Symbol.iterator]());
const { add: setAdd, values: setValues } = Set.prototype;
const { get: setSize } = ObjectGetOwnPropertyDescriptor(Set.prototype, 'size');
const { next: setNext } = ObjectGetPrototypeOf(new Set()[Symbol.iterator]());
const NativePromise = Promise;
const { then: promiseThen, finally: promiseFinally } = Promise.prototype;
const promiseResolve = Promise.resolve.bind(Promise);
const promiseReject = Promise.reject.bind(Promise);
const {
  asyncDispose: SymbolAsyncDispose, dispose: SymbolDispose, for: SymbolFor,
  toStringTag: SymbolToStringTag,
} = Symbol;
const { getBuiltinModule, nextTick } = process;

// A program may run without these; then nothing is told of what is collected.
const { FinalizationRegistry = class {
  register() {}

  unregister() {}
}, WeakRef = class {
  constructor(target) {
    this.deref = () => target;
  }
} } = globalThis;

const {
  constants: { MAX_STRING_LENGTH }, Buffer: { from: BufferFrom },
} = process.getBuiltinModule('node:buffer');
const { AsyncLocalStorage, AsyncResource } = process.getBuiltinModule('node:async_hooks');
const { writeSync } = process.getBuiltinModule('node:fs');
const { constants: osConstants } = process.getBuiltinModule('node:os');
const { fileURLToPath } = process.getBuiltinModule('node:url');
const { inspect, types } = process.getBuiltinModule('node:util');
const { isMap, isSet, isUint8Array } = types;
const { status, immediate, slots, kinds, numbers } = native;

const resolved = promiseResolve();

// Every pending call has a slot: its promise's resolve function, or an object with settle(kind,
// value). A free slot has the number of the next one, or -1. It inherits nothing, so that no setter
// of Array.prototype gets what is put in.
const targets = ObjectSetPrototypeOf([], null);
let freeSlot = -1;

function takeSlot() {
  if (freeSlot < 0) {
    const added = targets.length;
    targets[added] = undefined;
    return added;
  }
  const slot = freeSlot;
  freeSlot = targets[slot];
  return slot;
}

function giveSlot(slot) {
  targets[slot] = freeSlot;
  freeSlot = slot;
}

// One executor for all promises. A promise's executor is the last thing that runs when it is made,
// after hooks that may make others.
let newResolve;
function executor(resolve) {
  newResolve = resolve;
}

function newPromise(slot) {
  const promise = new NativePromise(executor);
  targets[slot] = newResolve;
  newResolve = undefined; // it would keep the promise
  return promise;
}

// Waits, because `then` reads what a program may have made of Promise's species.
async function soon(fn) {
  await undefined;
  fn();
}

async function whenSettled(value, onFulfilled, onRejected) {
  let result;
  try {
    result = await value;
  } catch (error) {
    onRejected(error);
    return;
  }
  onFulfilled(result);
}

// Uncaught, but not here.
function throwSoon(error) {
  nextTick(() => {
    throw error;
  });
}

// What became ready in this turn need not wait for the next poll: once a turn, in a microtask.
let draining = false;
function drainSoon() {
  if (draining) return;
  draining = true;
  soon(drain);
}

function drain() {
  draining = false;
  native.drain();
}
