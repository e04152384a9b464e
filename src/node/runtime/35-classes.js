// Classes: JavaScript's side is an ordinary class, whose instances have a C struct behind them.

// What a native function that acts at once has come to. An error's stack begins below `above`.
function resultNow(value, above) {
  const kind = status[RESULT];
  if (status[TURN] !== 0) drainSoon();
  if (kind >= CALL_ERROR) throw kind === CALL_ERROR ? makeError(value, above) : value;
  return kind === CALL_NUMBER ? immediate[0] : value;
}

// Evaluated, so that V8 names it in its own messages as it does a class of that name.
function createClass(construct, name) {
  const make = native.evaluate(`(construct, resultNow) => class ${name} {
    constructor(...args) {
      resultNow(construct.apply(this, args), ${name});
    }
  }\n//# sourceURL=fibril:class\n`);
  return make(construct, resultNow);
}

// As wrapper in 40-calls.js, with the object.
function methodWrapper(entry, count) {
  switch (count) {
    case 0:
      return function () {
        const slot = status[SLOT] = takeSlot();
        return takesFuture() ? futureOutcome(slot, entry.call(this)) : outcome(slot, entry.call(this));
      };
    case 1:
      return function (a) {
        const slot = status[SLOT] = takeSlot();
        return takesFuture() ? futureOutcome(slot, entry.call(this, a)) : outcome(slot, entry.call(this, a));
      };
    default:
      return function (...args) {
        const slot = status[SLOT] = takeSlot();
        return takesFuture() ? futureOutcome(slot, entry.apply(this, args)) : outcome(slot, entry.apply(this, args));
      };
  }
}

function addToPrototype(Class, key, value) {
  Object.defineProperty(Class.prototype, key, { value, writable: true, configurable: true });
}

// addMethod(entry, name, required, count, index, key, Class): as wrap.
function addMethod(begin, name, required, count, index, key, Class) {
  const entry = gathered(begin, count);
  const method = index >= 0 ? wrapWithSignal(entry, index, key) : methodWrapper(entry, count);
  describe(method, name, required);
  addToPrototype(Class, name, method);
  // A subclass may have a close() of its own.
  if (name === 'close' && required === 0) {
    addToPrototype(Class, Symbol.asyncDispose, { async [Symbol.asyncDispose]() { await this.close(); } }[Symbol.asyncDispose]);
  }
}

// addGetter(entry, name, Class)
function addGetter(entry, name, Class) {
  const holder = {
    get [name]() {
      return resultNow(entry.call(this), get);
    },
  };
  const { get } = Object.getOwnPropertyDescriptor(holder, name);
  Object.defineProperty(Class.prototype, name, { get, configurable: true });
}
