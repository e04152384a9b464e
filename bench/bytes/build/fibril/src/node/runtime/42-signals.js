// AbortSignals: they may be anybody's objects, with getters and methods that throw.

// One listener a signal, however many calls it can end: Node warns of the eleventh.
const watchedSlots = new WeakMap();

// Adds to those that a signal ends: `made` is there for the first one, with its listener. Signals
// may be anybody's objects.
function watch(watched, signal, made) {
  watched.set(signal, made);
  try {
    signal.addEventListener('abort', made.listener, { once: true });
  } catch (error) {
    watched.delete(signal);
    throw error;
  }
}

function unwatch(watched, signal, { listener }) {
  watched.delete(signal);
  try {
    signal.removeEventListener('abort', listener);
  } catch (error) {
    throwSoon(error);
  }
}

function watchSignal(signal, slot) {
  const known = watchedSlots.get(signal);
  if (known !== undefined) {
    known.slots.add(slot);
    return;
  }
  const slotsOfSignal = new Set([slot]);
  const listener = () => {
    for (const pending of slotsOfSignal) native.cancel(pending);
  };
  watch(watchedSlots, signal, { slots: slotsOfSignal, listener });
}

function unwatchSignal(signal, slot) {
  const known = watchedSlots.get(signal);
  if (known === undefined || !known.slots.delete(slot) || known.slots.size > 0) return;
  unwatch(watchedSlots, signal, known);
}

// Who was cancelled because of its signal fails with an AbortError; a function that fails
// otherwise, or completes, says so.
function abortion(kind, value, signal) {
  const cancelled = kind === CALL_ERROR && signal !== undefined && value?.code === 'ECANCELED';
  return cancelled ? lookAt(signal) : undefined;
}

// { error } of a signal that is aborted, or that throws when it is asked: signals may be anybody's
// objects.
function lookAt(signal) {
  try {
    return signal.aborted ? { error: new AbortError(signal.reason) } : undefined;
  } catch (error) {
    return { error };
  }
}

function isSignal(value) {
  return value !== null && typeof value === 'object' && 'aborted' in value &&
    typeof value.addEventListener === 'function' && typeof value.removeEventListener === 'function';
}

// Why a call can't begin, as a rejected promise, or undefined. A signal may be anything, with
// getters that throw.
function refusal(signal, name) {
  try {
    if (!isSignal(signal)) {
      const label = name.includes('.') ? `"${name}" property` : `"${name}" argument`;
      return promiseReject(invalidType(label, 'AbortSignal', signal));
    }
    const aborted = lookAt(signal);
    return aborted && promiseReject(aborted.error);
  } catch (error) {
    return promiseReject(error);
  }
}
