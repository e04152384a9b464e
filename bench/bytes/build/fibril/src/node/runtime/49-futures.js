// future(fn): the functions that give a Future.

/**
 * Makes a function that calls native code return a Future instead of a promise: `yield` of it in
 * co() needs no promise at all. Works for every function of this copy of fibril that starts a
 * native call before it returns.
 */
function returnFuture(fn) {
  if (typeof fn !== 'function') throw invalidType('"fn" argument', 'function', fn);
  const count = plainCounts.get(fn);
  const made = count === undefined ? futureOfCall(fn) : wrapPlain(exported.get(fn), count, always);
  ObjectDefineProperty(made, 'name', { value: fn.name, configurable: true });
  return isNative(fn) ? markNative(made) : made;
}

function futureOfCall(fn) {
  return function (...args) {
    let result;
    wantsFuture = true;
    try {
      result = apply(fn, this, args);
    } finally {
      wantsFuture = false;
    }
    return result instanceof Future ? result : futureOf(result);
  };
}

function futureOf(promise) {
  const result = new Future();
  whenSettled(
    promise,
    (value) => result.settle(CALL_VALUE, value),
    (error) => result.settle(CALL_THROWN, error)
  );
  return result;
}
