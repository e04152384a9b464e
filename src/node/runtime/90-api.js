// What lib/ uses of the runtime.

const api = {
  Future,
  future: returnFuture,
  makeError,
  codedError,
  invalidType,
  badArgument,
  describeValue,
  inspect: inspectAll,
  reportLeaks,
  createRunner: native.createRunner,
  createLoop: native.createLoop,
  isNative,
  markNative,
  bytes,
  // start(fn, args, convert, signal, wanted): calls an exported function; `convert` makes the
  // result of what C gave. Who runs users' code (getters) before that asks takesFuture() first, and
  // says here what that said.
  start: (fn, args, convert, signal, wanted) =>
    callWith(exported.get(fn), convert, signal, args, undefined, undefined, wanted),
  takesFuture,
  attachRunner,
};
