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

// The same of a method. Its getter, too, runs in the object's async context.
function invokeMethod(object, resource, id, key, ...args) {
  if (resource === undefined) return callMethodAndFollow(object, key, args, id);
  return resource.runInAsyncScope(callMethodAndFollow, undefined, object, key, args, id);
}

function callMethodAndFollow(object, key, args, id) {
  const method = object[key];
  if (typeof method !== 'function') {
    throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `"${String(key)}" is no method of the ` +
      `object.${received(method)}`, callMethodAndFollow);
  }
  return followed(apply(method, object, args), id);
}

function callAndFollow(fn, args, id) {
  return followed(apply(fn, undefined, args), id);
}

function followed(result, id) {
  if (!isThenable(result)) return result;
  return follow(
    result,
    (value) => complete(id, false, value),
    (error) => complete(id, true, error)
  );
}

// What C does with an object besides: as in strict code, where what is refused throws.

function setMember(object, key, value) {
  object[key] = value;
}

function deleteMember(object, key) {
  delete object[key];
}

function keysOf(object) {
  return ObjectKeys(object);
}

function symbolFor(key) {
  return SymbolFor(key);
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

