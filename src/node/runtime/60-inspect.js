// Who runs and who waits, in all copies of fibril of this thread, and what is left at the end.

// A coroutine as one line: who waits for what, or is what.
function line({ name, state, waitsFor, on, fd }) {
  const who = name === '' ? 'a coroutine' : name;
  if (waitsFor === undefined) return `${who} is ${state}`;
  let what = waitsFor;
  if (on) what += ` of ${on}`;
  else if (fd !== undefined) what += ` of descriptor ${fd}`;
  return `${who} waits for ${what}`;
}

// A coroutine that waits for a bare future or a JavaScript promise does not hold the process: when
// that is all that is left, the process ends, and says so. Of what was unheld nobody is surprised.
function warnWhoWaits() {
  const waiting = inspectAll().filter(({ state, unheld }) => state !== 'suspended' && !unheld);
  if (waiting.length === 0) return;
  // Here, because loading it takes milliseconds.
  const who = isMainThread ? 'process' : 'worker';
  process.emitWarning(`The ${who} ends while native functions wait for what nothing will bring`, {
    code: 'FIBRIL_WAITING',
    detail: waiting.map(line).join('\n'),
  });
}

/** What every coroutine of this thread does, whichever copy of fibril it belongs to. */
function inspectAll() {
  return copies.list.flatMap((copy) => copy.inspect());
}

/** Asks for the report of leaks, of all copies, those that are still to be loaded too. */
function reportLeaks() {
  if (copies.reports) return;
  copies.reports = true;
  for (const copy of copies.list) copy.keepBook();
  process.once('exit', () => {
    for (const copy of copies.list) copy.reportLeaks();
  });
}

// A loop that has run dry may be kept going by whoever handles what is reported, so more than once.
function reportLostErrors() {
  for (const copy of copies.list) copy.reportAllUnread();
}

function writeLostErrors() {
  for (const copy of copies.list) copy.writeUnread();
}

// process.exit() waits for the pool's threads, who may wait for room in a callback's queue.
function closeCallbacks() {
  for (const copy of copies.list) copy.closeCallbacks();
}

// One listener of each serves all copies.
if (isFirstCopy) {
  process.once('beforeExit', warnWhoWaits);
  process.on('beforeExit', reportLostErrors);
  process.once('exit', writeLostErrors);
  process.once('exit', closeCallbacks);
}
copies.list.push({
  inspect: native.inspect,
  keepBook: native.keepBook,
  reportLeaks: native.reportLeaks,
  closeCallbacks: native.closeCallbacks,
  reportAllUnread,
  writeUnread,
  isNative: isMarkedNative,
});
if (copies.reports) native.keepBook();
else if (process.env.FIBRIL_LEAKS === '1') reportLeaks();
