// All copies of fibril of a thread know each other.

// Copies call each other's functions, so they must have the same ones: whoever adds, changes or
// drops one gives the name another number. Copies of other numbers have a list and listeners of
// their own.
const COPIES = SymbolFor('fibril.copies.1');
const isFirstCopy = process[COPIES] === undefined;
if (isFirstCopy) ObjectDefineProperty(process, COPIES, { value: { list: [], reports: false } });
const copies = process[COPIES];
