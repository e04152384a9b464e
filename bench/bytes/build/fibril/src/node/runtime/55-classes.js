// Classes: JavaScript's side is an ordinary class, whose instances have a C struct behind them.

// Evaluated, so that V8 names it in its own messages as it does a class of that name.
function createClass(construct, name) {
  let make;
  try {
    make = native.evaluate(`(construct, resultNow, apply) => class ${name} {
      constructor(...args) {
        resultNow(apply(construct, this, args), ${name});
      }
    }\n//# sourceURL=fibril:class\n`);
  } catch {
    throw codedError(Error, 'ERR_FIBRIL_SIGNATURE',
      `fibril_export_class: "${name}": expected a name that a class can have`, createClass);
  }
  return make(construct, resultNow, apply);
}

// The object of an instance that C has made.
function adopt(Class) {
  return ObjectCreate(Class.prototype);
}

// As wrapper in 48-exports.js, with the object.
function methodWrapper(entry, count) {
  switch (count) {
    case 0:
      return function () {
        const slot = status[STATUS_SLOT] = takeSlot();
        return takesFuture()
          ? futureOutcome(slot, entry.call(this))
          : outcome(slot, entry.call(this));
      };
    case 1:
      return function (a) {
        const slot = status[STATUS_SLOT] = takeSlot();
        return takesFuture()
          ? futureOutcome(slot, entry.call(this, a))
          : outcome(slot, entry.call(this, a));
      };
    default:
      return function (...args) {
        const slot = status[STATUS_SLOT] = takeSlot();
        return takesFuture()
          ? futureOutcome(slot, apply(entry, this, args))
          : outcome(slot, apply(entry, this, args));
      };
  }
}

// What `using` and `await using` call is close(), of which a subclass may have one of its own.
function addDispose(Class, symbol, name, required) {
  if (name !== 'close' || required > 0 || ObjectHasOwn(Class.prototype, symbol)) return;
  const dispose = symbol === SymbolDispose
    ? { [symbol]() {
      this.close();
    } }
    : { async [symbol]() {
      await this.close();
    } };
  const attributes = { value: dispose[symbol], writable: true, configurable: true };
  broughtAlong.add(dispose[symbol]);
  ObjectDefineProperty(Class.prototype, symbol, attributes);
}

// addMethodNow(entry, name, required, count, index, key, Class): as exportNow.
function addMethodNow(begin, name, required, count, index, key, Class) {
  addToPrototype(Class, name, exportNow(begin, name, required));
  addDispose(Class, SymbolDispose, name, required);
}

// addMethod(entry, name, required, count, index, key, Class): as wrap.
function addMethod(begin, name, required, count, index, key, Class) {
  const entry = gathered(begin, count);
  const method = index >= 0 ? wrapWithSignal(entry, index, key) : methodWrapper(entry, count);
  describe(method, name, required);
  addToPrototype(Class, name, markNative(method));
  addDispose(Class, SymbolAsyncDispose, name, required);
}

// addGetter(entry, name, Class)
function addGetter(entry, name, Class) {
  const key = freeKeyOf(Class, name, 'get');
  const holder = key === SymbolToStringTag ? {
    get [key]() {
      return tagOf(entry, this);
    },
  } : {
    get [key]() {
      return resultNow(entry.call(this), get);
    },
  };
  const { get } = ObjectGetOwnPropertyDescriptor(holder, key);
  ObjectDefineProperty(Class.prototype, key, { get, configurable: true });
  if (key === name) show(Class, name);
}

// util.inspect and others ask prototypes, too: as of typed arrays that is undefined.
function tagOf(entry, object) {
  try {
    return resultNow(entry.call(object), tagOf);
  } catch (error) {
    if (error.code === 'ERR_INVALID_THIS') return undefined;
    throw error;
  }
}

// addSetter(entry, name, Class): the native function throws its errors itself.
function addSetter(entry, name, Class) {
  describe(entry, `set ${name}`, 1);
  const key = freeKeyOf(Class, name, 'set');
  ObjectDefineProperty(Class.prototype, key, { set: entry, configurable: true });
}

// addAlias(alias, name, Class)
function addAlias(alias, name, Class) {
  const member = ObjectGetOwnPropertyDescriptor(Class.prototype, keyOf(name));
  if (member === undefined) {
    throw codedError(Error, 'ERR_FIBRIL_SIGNATURE',
      `fibril_class_alias: "${alias} = ${name}": the class has no ${name}`, addAlias);
  }
  ObjectDefineProperty(Class.prototype, freeKeyOf(Class, alias), member);
}

// What util.inspect shows of objects: their class, what its getters give, and what JavaScript has
// put on them.

const inspectCustom = SymbolFor('nodejs.util.inspect.custom');
const shownGetters = new WeakMap();

function show(Class, name) {
  const known = shownGetters.get(Class);
  if (known !== undefined) {
    known.push(name);
    return;
  }
  const names = [name];
  shownGetters.set(Class, names);
  const value = {
    [inspectCustom](depth, options) {
      return inspectObject(this, names, depth, options);
    },
  }[inspectCustom];
  const attributes = { value, writable: true, configurable: true };
  ObjectDefineProperty(Class.prototype, inspectCustom, attributes);
}

// What a program has made of the constructor is nobody's business here.
function nameOf(object) {
  try {
    const { name } = object.constructor;
    return typeof name === 'string' && name !== '' ? name : 'Object';
  } catch {
    return 'Object';
  }
}

// A getter that throws shows that; one that is not for this object gives `foreign`.
function getForShow(object, key, foreign) {
  try {
    return object[key];
  } catch (error) {
    if (error?.code === 'ERR_INVALID_THIS') return foreign;
    const text = `[Getter: <Inspection threw (${error?.message})>]`;
    return { [inspectCustom]: () => text };
  }
}

// Those that are being shown, as Node keeps them: one in itself comes to an end.
const beingShown = [];

// What is no object of the class, its prototype for instance, is shown as any other.
function inspectObject(object, names, depth, options) {
  if (beingShown.includes(object)) return '[Circular]';
  if (depth < 0) return `[${nameOf(object)}]`;
  const shown = {};
  beingShown.push(object);
  try {
    for (const key of names) {
      const value = getForShow(object, key, shown);
      if (value === shown) return object;
      define(shown, key, value);
    }
    for (const key of ownKeys(object)) {
      ObjectDefineProperty(shown, key, ObjectGetOwnPropertyDescriptor(object, key));
    }
    const inner = { ...options, depth: options.depth == null ? null : options.depth - 1 };
    return `${nameOf(object)} ${inspect(shown, inner)}`;
  } finally {
    beingShown.pop();
  }
}
