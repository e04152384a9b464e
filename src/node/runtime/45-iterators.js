// Generators from C: iterators whose next value a coroutine yields. The objects are as V8's own generators, next to which they can
// stand; what is behind one they keep private.

// As in iterator.c.
const NEXT = 0;
const THROW = 1;
const RETURN = 2;
const ABORT = 3;

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype));

// The prototype of V8's own ones has methods, the tag, and nothing else of its own; as little is seen of these.
function asGenerators(Class, parent, tag) {
  const { prototype } = Class;
  delete prototype.constructor;
  Object.setPrototypeOf(prototype, parent);
  Object.defineProperty(prototype, Symbol.toStringTag, { value: tag, configurable: true });
  return Class;
}

// ---- Synchronous ----

const NativeGenerator = asGenerators(class {
  #native;

  constructor(behind) {
    this.#native = behind;
  }

  next(value) {
    status[REQUEST] = NEXT;
    return itemNow(native.iterate(this.#native, value), this.next);
  }

  throw(error) {
    status[REQUEST] = THROW;
    return itemNow(native.iterate(this.#native, error), this.throw);
  }

  return(value) {
    status[REQUEST] = RETURN;
    itemNow(native.iterate(this.#native, undefined), this.return);
    return { value, done: true };
  }

  [Symbol.dispose]() {
    this.return();
  }
}, IteratorPrototype, 'Generator');

function itemNow(item, above) {
  const value = resultNow(item, above);
  return { value, done: status[DONE] !== 0 };
}

// ---- Asynchronous ----

// Requests are served in order, each when the one before it has its answer. Only one that C has not answered is pending: then a slot
// holds this, and with it what is behind it.
class Iteration {
  constructor(behind, signal) {
    this.native = behind;
    this.signal = signal;
    this.ref = undefined; // of this, while the signal is watched
    this.began = false;
    this.resolve = null; // of the request that is pending,
    this.kind = NEXT; // and what it is
    this.value = undefined;
    this.queue = []; // of those behind it
  }

  request(kind, value) {
    if (this.resolve !== null) {
      return new Promise((resolve) => {
        this.queue.push({ kind, value, resolve });
      });
    }
    const answer = this.ask(kind, value, takeSlot());
    if (answer === undefined) {
      return new Promise((resolve) => {
        this.resolve = resolve;
      });
    }
    const promise = answer instanceof Promise ? answer : Promise.resolve(answer);
    if (this.queue.length > 0) this.proceed();
    return promise;
  }

  // The answer, or undefined: it will come.
  ask(kind, value, slot) {
    if (!this.began && this.signal?.aborted) {
      freeSlots.push(slot);
      return this.refuse(kind, value);
    }
    this.began = true;
    this.kind = kind;
    this.value = value;
    status[SLOT] = slot;
    status[REQUEST] = kind;
    this.resolve = noop; // what its function calls may make requests, which wait for this one
    const item = native.iterate(this.native, value);
    this.resolve = null;
    if (status[RESULT] === CALL_PENDING) {
      targets[slot] = this;
      if (status[TURN] !== 0) drainSoon();
      return undefined;
    }
    freeSlots.push(slot);
    return this.answer(item);
  }

  // A request that C has been through with.
  answer(item) {
    const { kind, value, signal } = this;
    const result = status[RESULT];
    const done = status[DONE] !== 0;
    this.value = undefined;
    if (status[TURN] !== 0) drainSoon();
    if (done && signal !== undefined) this.forgetSignal();
    if (result >= CALL_ERROR) return failure(result, item, signal);
    if (kind === RETURN) return this.returned(value);
    return { value: result === CALL_NUMBER ? immediate[0] : item, done };
  }

  // The signal was aborted before C was asked for anything.
  refuse(kind, value) {
    const { signal } = this;
    this.forgetSignal();
    this.began = true;
    status[REQUEST] = RETURN;
    native.iterate(this.native, undefined);
    if (kind === NEXT) return Promise.reject(new AbortError(signal.reason));
    return kind === THROW ? Promise.reject(value) : this.returned(value);
  }

  // return(promise) waits for it, as that of V8's own generators does, and who comes after that waits too.
  returned(value) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return { value, done: true };
    const done = () => {
      this.resolve = null;
      this.proceed();
    };
    const answer = Promise.resolve(value).then((awaited) => ({ value: awaited, done: true }));
    this.resolve = noop;
    answer.then(done, done);
    return answer;
  }

  // From a batch: there is an item, or the end.
  settle() {
    const { resolve, kind, value } = this;
    this.resolve = null;
    this.serve(kind === RETURN ? RETURN : NEXT, value, resolve); // what was thrown has been
    this.proceed();
  }

  serve(kind, value, resolve) {
    const answer = this.ask(kind, value, takeSlot());
    if (answer === undefined) this.resolve = resolve;
    else resolve(answer);
  }

  proceed() {
    while (this.queue.length > 0 && this.resolve === null) {
      const { kind, value, resolve } = this.queue.shift();
      this.serve(kind, value, resolve);
    }
  }

  abort() {
    if (!this.began) return;
    status[REQUEST] = ABORT;
    native.iterate(this.native, undefined);
    if (status[TURN] !== 0) drainSoon();
  }

  forgetSignal() {
    if (this.ref !== undefined) unwatchIteration(this.signal, this);
  }
}

// By signal: one listener, and the iterations it ends, none of which it keeps alive.
const watchedIterations = new WeakMap();
const forgotten = new FinalizationRegistry(({ signal, ref }) => dropIteration(signal, ref));

function watchIteration(signal, iteration) {
  let watch = watchedIterations.get(signal);
  if (watch === undefined) {
    const refs = new Set();
    const listener = () => {
      for (const ref of refs) ref.deref()?.abort();
    };
    watch = { refs, listener };
    watchedIterations.set(signal, watch);
    signal.addEventListener('abort', listener, { once: true });
  }
  const ref = new WeakRef(iteration);
  iteration.ref = ref;
  watch.refs.add(ref);
  forgotten.register(iteration, { signal, ref }, ref);
}

function unwatchIteration(signal, { ref }) {
  forgotten.unregister(ref);
  dropIteration(signal, ref);
}

function dropIteration(signal, ref) {
  const watch = watchedIterations.get(signal);
  if (watch === undefined || !watch.refs.delete(ref) || watch.refs.size > 0) return;
  watchedIterations.delete(signal);
  signal.removeEventListener('abort', watch.listener);
}

const NativeAsyncGenerator = asGenerators(class {
  #iteration;

  constructor(iteration) {
    this.#iteration = iteration;
  }

  // As with V8's own, another `this` is a rejection.
  next(value) {
    return #iteration in this ? this.#iteration.request(NEXT, value) : foreign('next', this);
  }

  throw(error) {
    return #iteration in this ? this.#iteration.request(THROW, error) : foreign('throw', this);
  }

  return(value) {
    return #iteration in this ? this.#iteration.request(RETURN, value) : foreign('return', this);
  }

  async [Symbol.asyncDispose]() {
    await this.return();
  }
}, AsyncIteratorPrototype, 'AsyncGenerator');

function foreign(method, value) {
  return Promise.reject(new TypeError(`${method} method called on incompatible receiver ${inspect(value, { depth: -1 })}`));
}

// ---- The functions that users call ----

function generatorOf(entry) {
  return function generator(...args) {
    return new NativeGenerator(resultNow(entry.apply(this, args), generator));
  };
}

function asyncGeneratorOf(entry, index, key) {
  return function generator(...args) {
    const signal = index >= 0 ? signalOf(args[index], key) : undefined;
    const iteration = new Iteration(resultNow(entry.apply(this, args), generator), signal);
    if (signal !== undefined && !signal.aborted) watchIteration(signal, iteration);
    return new NativeAsyncGenerator(iteration);
  };
}

function signalOf(holder, key) {
  const signal = key === '' ? holder : holder?.[key];
  if (signal === undefined || isSignal(signal)) return signal;
  throw invalidType(key === '' ? '"signal" argument' : `"options.${key}" property`, 'AbortSignal', signal);
}

// As wrap; with a class, one of its methods.
function wrapGenerator(begin, name, required, count, index, key, Class) {
  return finish(generatorOf(gathered(begin, count)), name, required, Class);
}

function wrapAsyncGenerator(begin, name, required, count, index, key, Class) {
  return finish(asyncGeneratorOf(gathered(begin, count), index, key), name, required, Class);
}

function finish(wrapped, name, required, Class) {
  describe(wrapped, name, required);
  if (Class !== undefined) addToPrototype(Class, name, wrapped);
  return wrapped;
}
