'use strict';

// JavaScript values that are hard to take: `makeValues(chance, again)` makes them; `again()` is
// what a getter calls to come in once more.

const { gc } = require('./games.js');
const fuzzed = require('../addon/build/Release/fuzzed.node');

const TEXTS = [
  '', 'x', 'y', '\0', 'a\0b', '\ud800', 'x\udc00y', '/tmp', 'é'.repeat(200), 'x'.repeat(70000),
  '__proto__', 'file:///tmp/x', 'z'.repeat(255), 'z'.repeat(256),
];
const NUMBERS = [
  0, -0, NaN, Infinity, -Infinity, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, -(2 ** 53), 4294967295,
  4294967296, 1e308, 5e-324, 3, -1,
];
const BIGINTS = [0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 64n, -(2n ** 64n),
  10n ** 100n];
const KEYS = ['a', 'b', 'c', 'd', 'signal', 'length', 'href', 'then', '__proto__', 'aborted',
  'addEventListener', 'constructor', 'name'];
const VIEWS = [
  Uint8Array, Int8Array, Uint16Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
  DataView, Uint8ClampedArray,
  ...(globalThis.Float16Array ? [globalThis.Float16Array] : []),
];
const DEEPEST = 4;
const LONGEST = 3000;

const evil = () => {
  throw new Error('evil');
};

function makeValues(chance, again) {
  const { below, onceIn, pick } = chance;
  const shared = {};

  /** What several values share, and getters change under whoever reads it. */
  function forget() {
    shared.list = [];
    shared.buffer = new ArrayBuffer(64);
    shared.resizable = new ArrayBuffer(32, { maxByteLength: 64 });
  }
  forget();

  const tries = (fn) => {
    try {
      fn();
    } catch {
      // a buffer that is detached, a frozen object
    }
  };

  /** What a getter does before it gives a value. */
  function disturb(depth) {
    switch (below(8)) {
      case 0: return evil();
      case 1: tries(() => structuredClone(shared.buffer, { transfer: [shared.buffer] })); break;
      case 2: again(); break;
      case 3: if (onceIn(50)) gc(); break;
      case 4: shared.list.length = below(shared.list.length + 1); break;
      case 5: shared.list.push(any(depth)); break;
      case 6: tries(() => shared.resizable.resize(below(64))); break;
      default: for (const number of fuzzed.numbers(3)) if (number > 0 && onceIn(2)) break;
    }
    return any(depth);
  }

  const getter = (depth) => ({ configurable: true, enumerable: true, get: () => disturb(depth) });

  function detached(length) {
    const buffer = new ArrayBuffer(length);
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  }

  function bytes() {
    const length = below(40) * 8;
    const buffer = pick([
      () => new ArrayBuffer(length), () => new SharedArrayBuffer(length), () => shared.resizable,
      () => new ArrayBuffer(length, { maxByteLength: length + 64 }),
      () => shared.buffer, () => detached(length),
        () => new WebAssembly.Memory({ initial: 1 }).buffer, () => new ArrayBuffer(100000),
    ])();
    if (onceIn(10)) tries(() => Object.defineProperty(buffer, 'resizable', getter(3)));
    if (onceIn(10)) return buffer;
    if (onceIn(10)) tries(() => shared.resizable.resize(0));
    try {
      return onceIn(10) ? Buffer.from(buffer) : new (pick(VIEWS))(buffer);
    } catch {
      return new Uint8Array(3);
    }
  }

  const OBJECTS = [
    () => ({}), () => Object.create(null), () => new Date(), () => new Map(), () => /x/,
    () => new Error('evil'),
    (depth) => new Proxy({}, { get: () => disturb(depth),
      getPrototypeOf: () => (onceIn(2) ? null : evil()), ownKeys: evil }),
    (depth) => Object.create(Object.defineProperty({}, 'a', getter(depth))),
    () => new URL('file:///tmp/%00x'), () => new URL('http://x/'),
    (depth) => Object.defineProperty({ href: 'file:///x', protocol: 'file:' }, 'pathname',
      getter(depth)),
    (depth) => new Map([[any(depth + 1), any(depth + 1)], ['x', [1]], [1, simple()]]),
    (depth) => new Set([any(depth + 1), 'x', simple()]), () => new Date(pick(NUMBERS)),
    (depth) => new (class extends Map {
      get size() { return disturb(depth); }
    })([['a', 1]]),
    () => new AbortController().signal, () => AbortSignal.abort(), () => Promise.resolve(1),
      () => fuzzed.numbers(2), () => new fuzzed.Thing('x'),
    () => new (class extends Array {})(3),
  ];

  function object(depth) {
    if (onceIn(20)) return globalThis;
    const made = pick(OBJECTS)(depth);
    for (let count = below(4); count > 0; count--) {
      const key = pick(KEYS);
      // Billions of elements are taken, too, if one has the time.
      if (key === 'length' && Array.isArray(made)) made.length = below(LONGEST);
      else if (onceIn(4)) tries(() => Object.defineProperty(made, key, getter(depth)));
      else tries(() => (made[key] = any(depth + 1)));
    }
    return made;
  }

  function array(depth) {
    if (onceIn(30)) return new Array(below(LONGEST));
    if (onceIn(30)) {return new Proxy([1, 2, 3],
      { get: (target, key) => (key === 'length' ? disturb(DEEPEST + 1) : target[key]) });}
    const list = onceIn(5) ? shared.list : [];
    const length = pick([0, 1, 2, 5, 30, 1500]);
    for (let i = 0; i < length && list.length < LONGEST; i++) {
      list.push(any(length > 10 ? DEEPEST + 1 : depth + 1));
    }
    if (onceIn(6) && list.length > 0) {
      tries(() => Object.defineProperty(list, below(list.length), getter(depth)));
    }
    if (onceIn(12)) list.push(list);
    return list;
  }

  const simple = () => pick([() => pick(TEXTS), () => pick(NUMBERS), () => pick(BIGINTS), () =>
    onceIn(2), () => null, () => undefined])();

  function any(depth = 0) {
    if (depth > DEEPEST || onceIn(2)) return simple();
    return pick([
      () => Symbol('s'), bytes, array, object, object,
      () => pick([() => 1, function named() {}, class {}, async () => 2,
        Object.defineProperty(() => 1, 'a', getter(depth))]),
    ])(depth);
  }

  return { any, disturb, forget };
}

module.exports = { makeValues };
