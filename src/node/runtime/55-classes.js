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

// What `using` and `await using` call is close(), of which a subclass may have one of its own.
function addDispose(Class, symbol, name, required) {
  if (name !== 'close' || required > 0) return;
  const dispose = symbol === SymbolDispose
    ? { [symbol]() {
      this.close();
    } }
    : { async [symbol]() {
      await this.close();
    } };
  addToPrototype(Class, symbol, dispose[symbol]);
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
  const holder = {
    get [name]() {
      return resultNow(entry.call(this), get);
    },
  };
  const { get } = ObjectGetOwnPropertyDescriptor(holder, name);
  ObjectDefineProperty(Class.prototype, name, { get, configurable: true });
}
