// C calls JavaScript.

function bind() {
  return new AsyncResource('FIBRIL_CALL');
}

// What invoke and forget give instead of a result: complete(id) follows.
function later() {}

// invoke(fn, resource, id, ...args): the result. A thenable's own code runs in the function's async
// context, too.
function invoke(fn, resource, id, ...args) {
  if (resource === undefined) return callAndFollow(fn, args, id);
  return resource.runInAsyncScope(callAndFollow, undefined, fn, args, id);
}

function isThenable(value) {
  return value !== null && (typeof value === 'object' || typeof value === 'function') &&
    typeof value.then === 'function';
}

// As await does: a promise's own `then` is not asked, and nothing is told before the function has
// returned.
function follow(promise, onFulfilled, onRejected) {
  whenSettled(promise, onFulfilled, onRejected);
  return later;
}

function callAndFollow(fn, args, id) {
  const result = apply(fn, undefined, args);
  if (!isThenable(result)) return result;
  return follow(
    result,
    (value) => complete(id, false, value),
    (error) => complete(id, true, error)
  );
}

// forget(fn, resource, id, ...args): nobody takes the result; what is thrown is an uncaught
// exception, what is rejected an unhandled rejection.
function forget(fn, resource, id, ...args) {
  if (resource === undefined) return callAndForget(fn, args, id);
  return resource.runInAsyncScope(callAndForget, undefined, fn, args, id);
}

function callAndForget(fn, args, id) {
  try {
    const result = apply(fn, undefined, args);
    if (id < 0 || !isThenable(result)) return undefined;
    return follow(result, () => complete(id, false), (error) => {
      complete(id, false);
      throw error;
    });
  } catch (error) {
    throwSoon(error);
    return undefined;
  }
}

function complete(id, failed, value) {
  native.complete(id, failed, value);
  if (status[STATUS_TURN] !== 0) drainSoon();
}

