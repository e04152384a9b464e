// The functions that users call.

// Of a wrapped function: the native one; and, where there is nothing else to it, how many arguments
// that takes.
const exported = new WeakMap();
const plainCounts = new WeakMap();

// The functions whose work is done natively: those, what gen.future makes of them, methods of
// classes, and what lib/ has around its own.
const nativeFunctions = new WeakSet();

function markNative(fn) {
  nativeFunctions.add(fn);
  return fn;
}

function isMarkedNative(fn) {
  return nativeFunctions.has(fn);
}

// Of whichever copy of fibril.
function isNative(fn) {
  return copies.list.some((copy) => copy.isNative(fn));
}

// Set while future(fn) calls fn. The first native call takes it: other calls, of JavaScript that
// runs inside that one too, give promises.
let wantsFuture = false;

function takesFuture() {
  if (!wantsFuture) return false;
  wantsFuture = false;
  return true;
}

// By number of arguments: the slot is taken, C runs the coroutine to its first wait, and the
// promise is made after that. Evaluated anew for every exported function: V8 then sees one callee
// at the call of `entry` and calls it without its generic path.
function wrapper(entry, count, words, slotWord, runtime) {
  const { take, takesFutures, promiseFor, futureFor, call } = runtime;
  switch (count) {
    case 0:
      return function () {
        const slot = words[slotWord] = take();
        return takesFutures() ? futureFor(slot, entry()) : promiseFor(slot, entry());
      };
    case 1:
      return function (a) {
        const slot = words[slotWord] = take();
        return takesFutures() ? futureFor(slot, entry(a)) : promiseFor(slot, entry(a));
      };
    case 2:
      return function (a, b) {
        const slot = words[slotWord] = take();
        return takesFutures() ? futureFor(slot, entry(a, b)) : promiseFor(slot, entry(a, b));
      };
    default:
      return function (...args) {
        const slot = words[slotWord] = take();
        return takesFutures()
          ? futureFor(slot, call(entry, undefined, args))
          : promiseFor(slot, call(entry, undefined, args));
      };
  }
}

const wrapperText = `(${wrapper})\n//# sourceURL=fibril:call\n`;

function wrapPlain(entry, count, takesFutures = takesFuture) {
  const fresh = native.evaluate(wrapperText);
  return fresh(entry, count, status, STATUS_SLOT, {
    take: takeSlot,
    takesFutures,
    promiseFor: outcome,
    futureFor: futureOutcome,
    call: apply,
  });
}

function always() {
  return true;
}

function wrapWithSignal(entry, index, key) {
  return function (...args) {
    const wanted = takesFuture(); // before getters make calls of their own
    const holder = args[index];
    let signal;
    try {
      signal = key === '' ? holder : holder?.[key];
    } catch (error) {
      return promiseReject(error);
    }
    const label = key === '' ? 'signal' : `options.${key}`;
    return callWith(entry, undefined, signal, args, label, this, wanted);
  };
}

function callWith(
  entry,
  convert,
  signal,
  args,
  name = 'options.signal',
  receiver = undefined,
  wanted = takesFuture()
) {
  if (signal !== undefined) {
    const refused = refusal(signal, name);
    if (refused !== undefined) return refused;
  }
  const plain = convert === undefined && signal === undefined;
  const slot = status[STATUS_SLOT] = takeSlot();
  if (wanted) {
    const futureFor = plain ? futureOutcome : futureOutcomeWith;
    return futureFor(slot, apply(entry, receiver, args), convert, signal);
  }
  return outcomeWith(slot, apply(entry, receiver, args), convert, signal);
}

function describe(fn, name, length) {
  ObjectDefineProperty(fn, 'name', { value: name, configurable: true });
  ObjectDefineProperty(fn, 'length', { value: length, configurable: true });
}

// A member's name as its key: "[Symbol.iterator]" stands for the symbol.
function keyOf(name) {
  if (name[0] !== '[') return name;
  const symbol = NativeSymbol[apply(stringSlice, name, ['[Symbol.'.length, -1])];
  if (typeof symbol === 'symbol') return symbol;
  throw codedError(Error, 'ERR_FIBRIL_SIGNATURE', `This Node.js has no ${name}`, keyOf);
}

function addToPrototype(Class, name, value) {
  const attributes = { value, writable: true, configurable: true };
  ObjectDefineProperty(Class.prototype, freeKeyOf(Class, name), attributes);
}

// What members have brought along gives way to what is declared.
const broughtAlong = new WeakSet();

// Of a getter or a setter the other half may be there.
function freeKeyOf(Class, name, half) {
  const key = keyOf(name);
  const there = ObjectGetOwnPropertyDescriptor(Class.prototype, key);
  const isFree = there === undefined || broughtAlong.has(there.value) ||
    (half !== undefined && there.value === undefined && there[half] === undefined);
  if (isFree) return key;
  throw codedError(Error, 'ERR_FIBRIL_SIGNATURE',
    `"${Class.name}.${name}": expected another name`, freeKeyOf);
}

// C gets the arguments that are left as one array. `count` is then negative: as ~count says, so
// many come before.
function gathered(entry, count) {
  if (count >= 0) return entry;
  return function (...args) {
    const gather = (_, i) => (i === ~count ? apply(arraySlice, args, [i]) : args[i]);
    return apply(entry, this, ArrayFrom({ length: ~count + 1 }, gather));
  };
}

// wrap(entry, name, required, count, index, key): the function that goes on the exports. `index`:
// of the argument that is an AbortSignal or has one as its property `key`; -1 for none.
function wrap(begin, name, required, count, index, key) {
  const entry = gathered(begin, count);
  const wrapped = index >= 0 ? wrapWithSignal(entry, index, key) : wrapPlain(entry, count);
  describe(wrapped, name, required);
  exported.set(wrapped, entry);
  markNative(wrapped);
  if (index < 0) plainCounts.set(wrapped, count);
  return wrapped;
}

// exportNow(entry, name, required): of a function that returns its result. Nothing is around the
// native one, which throws its errors.
function exportNow(entry, name, required) {
  describe(entry, name, required);
  return entry;
}

// Its stack begins with who called the native function.
function errorNow(description) {
  return makeError(description, errorNow);
}

// What `require` gives where there is a default export: that itself, with all exports.
function exportsOfDefault(exports, name) {
  const main = exports[name];
  for (const key of ownKeys(exports)) {
    if (ObjectHasOwn(main, key) || key === 'default') {
      throw codedError(Error, 'ERR_FIBRIL_SIGNATURE',
        `fibril_export_default: "${name}": has a property "${key}" of its own`, exportsOfDefault);
    }
    ObjectDefineProperty(main, key, ObjectGetOwnPropertyDescriptor(exports, key));
  }
  ObjectDefineProperty(main, 'default', { value: main, writable: true, configurable: true });
  return main;
}

// The signatures of an addon, for tools, which find them under this symbol.
function publish(exports) {
  ObjectDefineProperty(exports, SymbolFor('fibril.signatures'), { get: native.signatures });
}
