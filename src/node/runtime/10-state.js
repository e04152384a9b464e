// The JavaScript side of the bridge: promises are made here, because that is cheap here, and settled a batch at a time.

const { AsyncLocalStorage, AsyncResource } = process.getBuiltinModule('node:async_hooks');
const { constants: osConstants } = process.getBuiltinModule('node:os');
const { fileURLToPath } = process.getBuiltinModule('node:url');
const { inspect } = process.getBuiltinModule('node:util');
const { status, immediate, slots, kinds, numbers } = native;

// What became of a call: as in node.h.
const CALL_PENDING = 0;
const CALL_UNDEFINED = 1;
const CALL_NUMBER = 2;
const CALL_VALUE = 3;
const CALL_ERROR = 4;
const CALL_THROWN = 5;

// Words of `status`.
const RESULT = 0;
const TURN = 1;
const SLOT = 2;
const REQUEST = 3;
const DONE = 4;

const resolved = Promise.resolve();
const promiseThen = Promise.prototype.then;

// Every pending call has a slot: its promise's resolve function, or an object with settle(kind, value).
const targets = [];
const freeSlots = [];

function takeSlot() {
  return freeSlots.length > 0 ? freeSlots.pop() : targets.push(undefined) - 1;
}

// One executor for all promises: it puts the resolve function into the slot of the call.
let newSlot = 0;
function executor(resolve) {
  targets[newSlot] = resolve;
}

function newPromise(slot) {
  newSlot = slot;
  return new Promise(executor);
}

// What became ready in this turn need not wait for the next poll: once a turn, in a microtask.
let draining = false;
function drainSoon() {
  if (draining) return;
  draining = true;
  promiseThen.call(resolved, drain);
}

function drain() {
  draining = false;
  native.drain();
}
