// Classes: JavaScript's side is an ordinary class, whose instances have a C struct behind them.

// Evaluated, so that V8 names it in its own messages as it does a class of that name.
function createClass(construct, name) {
  const make = native.evaluate(`(construct, resultNow, apply) => class ${name} {
    constructor(...args) {
      resultNow(apply(construct, this, args), ${name});
    }
  }\n//# sourceURL=fibril:class\n`);
  return make(construct, resultNow, apply);
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

// addMethod(entry, name, required, count, index, key, Class): as wrap.
function addMethod(begin, name, required, count, index, key, Class) {
  const entry = gathered(begin, count);
  const method = index >= 0 ? wrapWithSignal(entry, index, key) : methodWrapper(entry, count);
  describe(method, name, required);
  addToPrototype(Class, name, markNative(method));
  // A subclass may have a close() of its own.
  if (name === 'close' && required === 0) {
    const holder = {
      async [SymbolAsyncDispose]() {
        await this.close();
      },
    };
    addToPrototype(Class, SymbolAsyncDispose, holder[SymbolAsyncDispose]);
  }
}

// addGetter(entry, name, Class)
function addGetter(entry, name, Class) {
  const holder = {
    get [name]() {
      return resultNow(entry.call(this), get);
    },
  };
  const { get } = ObjectGetOwnPropertyDescriptor(holder, name);
  ObjectDefineProperty(Class.prototype, name, { get, configurable: true });
}
