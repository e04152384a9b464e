// All copies of fibril of a thread know each other.

// Copies call each other's functions, so they must have the same ones: whoever adds, changes or
// drops one gives the name another number. Copies of other numbers have a list and listeners of
// their own.
const COPIES = SymbolFor('fibril.copies.1');
const isFirstCopy = process[COPIES] === undefined;
if (isFirstCopy) ObjectDefineProperty(process, COPIES, { value: { list: [], reports: false } });
const copies = process[COPIES];

// Memory of one copy's is lent to functions of another's: see src/node/values/memory.h.
const MEMORIES = SymbolFor('fibril.memories.1');
const { isMainThread } = getBuiltinModule('node:worker_threads');
const memories = native.memories(process[MEMORIES], isMainThread);
if (process[MEMORIES] === undefined) {
  ObjectDefineProperty(process, MEMORIES, { value: memories, configurable: true });
}

// A Buffer of zeros that C is lent. Where C's memory can't be given away, in workers for one, it is
// memory that threads share.
function bytes(size) {
  return native.bytes(size) ?? BufferFrom(new SharedArrayBuffer(size));
}
