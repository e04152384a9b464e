// Generators from C: iterators whose next value a coroutine yields. The objects are as V8's own
// generators, next to which they can stand; what is behind one they keep private.

const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
const AsyncIteratorPrototype =
  Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype));

// The prototype of V8's own ones has methods, the tag, and nothing else of its own; as little is
// seen of these.
function asGenerators(Class, parent, tag) {
  const { prototype } = Class;
  delete prototype.constructor;
  ObjectSetPrototypeOf(prototype, parent);
  ObjectDefineProperty(prototype, SymbolToStringTag, { value: tag, configurable: true });
  return Class;
}

// ---- Synchronous ----

const NativeGenerator = asGenerators(class {
  #native;
  // Of a method: C keeps its struct only, and this the object.
  // eslint-disable-next-line no-unused-private-class-members
  #receiver;

  constructor(behind, receiver) {
    this.#native = behind;
    this.#receiver = receiver;
  }

  next(value) {
    status[STATUS_REQUEST] = REQUEST_NEXT;
    return itemNow(native.iterate(this.#native, value), this.next);
  }

  throw(error) {
    status[STATUS_REQUEST] = REQUEST_THROW;
    return itemNow(native.iterate(this.#native, error), this.throw);
  }

  return(value) {
    status[STATUS_REQUEST] = REQUEST_RETURN;
    itemNow(native.iterate(this.#native, undefined), this.return);
    return { value, done: true };
  }

  [Symbol.dispose]() {
    this.return();
  }
}, IteratorPrototype, 'Generator');
keepShape(NativeGenerator, new NativeGenerator(undefined, undefined));

function itemNow(item, above) {
  const done = status[STATUS_DONE] !== 0;
  return { value: resultNow(item, above), done };
}

// ---- Asynchronous ----

async function returnedOf(value) {
  return { value: await value, done: true };
}

// Requests are served in order, each when the one before it has its answer. Only one that C has not
// answered is pending: then a slot holds this, and with it what is behind it.
class Iteration {
  constructor(behind, signal, receiver) {
    this.native = behind;
    this.signal = signal;
    this.receiver = receiver; // of a method: C keeps its struct only
    this.ref = undefined; // of this, while the signal is watched
    this.refusal = undefined; // { error }: why it cannot be watched
    this.began = false;
    this.resolve = null; // of the request that is pending,
    this.kind = REQUEST_NEXT; // and what it is
    this.value = undefined;
    this.queue = []; // of those behind it
  }

  request(kind, value) {
    if (this.resolve !== null || this.queue.length > 0) {
      return new NativePromise((resolve) => {
        this.queue.push({ kind, value, resolve });
      });
    }
    const answer = this.ask(kind, value, takeSlot());
    if (answer === undefined) {
      return new NativePromise((resolve) => {
        this.resolve = resolve;
      });
    }
    const promise = answer instanceof NativePromise ? answer : promiseResolve(answer);
    if (this.queue.length > 0) this.proceed();
    return promise;
  }

  // The answer, or undefined: it will come, and the caller says to whom. It never throws.
  ask(kind, value, slot) {
    this.resolve = noop; // users' code in here may make requests, which wait for this one
    const looks = !this.began && this.signal !== undefined;
    const aborted = looks ? this.refusal ?? lookAt(this.signal) : undefined;
    if (aborted !== undefined) {
      giveSlot(slot);
      return this.refuse(kind, value, aborted.error);
    }
    this.began = true;
    this.kind = kind;
    this.value = value;
    status[STATUS_SLOT] = slot;
    status[STATUS_REQUEST] = kind;
    const item = native.iterate(this.native, value);
    if (status[STATUS_RESULT] === CALL_PENDING) {
      targets[slot] = this;
      if (status[STATUS_TURN] !== 0) drainSoon();
      return undefined;
    }
    giveSlot(slot);
    return this.answer(item);
  }

  // A request that C has been through with.
  answer(item) {
    const { kind, value, signal } = this;
    const result = status[STATUS_RESULT];
    const done = status[STATUS_DONE] !== 0;
    if (result === CALL_NUMBER) item = immediate[0];
    this.value = undefined;
    if (status[STATUS_TURN] !== 0) drainSoon();
    if (done && signal !== undefined) this.forgetSignal();
    if (result < CALL_ERROR && kind === REQUEST_RETURN) return this.returned(value);
    return this.served(result < CALL_ERROR ? { value: item, done } : failure(result, item, signal));
  }

  served(answer) {
    this.resolve = null;
    return answer;
  }

  // The signal was aborted before C was asked for anything, or cannot be asked.
  refuse(kind, value, error) {
    this.began = true;
    this.forgetSignal();
    status[STATUS_REQUEST] = REQUEST_RETURN;
    native.iterate(this.native, undefined);
    if (kind === REQUEST_RETURN) return this.returned(value);
    return this.served(promiseReject(kind === REQUEST_NEXT ? error : value));
  }

  // return(promise) waits for it, as that of V8's own generators does, and who comes after that
  // waits too.
  returned(value) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
      return this.served({ value, done: true });
    }
    const done = () => {
      this.resolve = null;
      this.proceed();
    };
    const answer = returnedOf(value);
    whenSettled(answer, done, done);
    return answer;
  }

  // From a batch: there is an item, or the end.
  settle() {
    const { resolve, kind, value } = this;
    // What was thrown has been.
    this.serve(kind === REQUEST_RETURN ? REQUEST_RETURN : REQUEST_NEXT, value, resolve);
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
    status[STATUS_REQUEST] = REQUEST_ABORT;
    native.iterate(this.native, undefined);
    if (status[STATUS_TURN] !== 0) drainSoon();
  }

  // One that is aborted already, or that may not be asked or listened to, is what the first request
  // hears of.
  watch() {
    try {
      if (!this.signal.aborted) watchIteration(this.signal, this);
    } catch (error) {
      this.refusal = { error };
    }
  }

  forgetSignal() {
    if (this.ref !== undefined) unwatchIteration(this.signal, this);
  }
}
keepShape(Iteration, new Iteration(undefined, undefined, undefined));

// By signal: one listener, and the iterations it ends, none of which it keeps alive.
const watchedIterations = new WeakMap();
const forgotten = new FinalizationRegistry(({ signal, ref }) => dropIteration(signal, ref));

function watchIteration(signal, iteration) {
  const ref = new WeakRef(iteration);
  const known = watchedIterations.get(signal);
  if (known !== undefined) {
    known.refs.add(ref);
  } else {
    const refs = new Set([ref]);
    const listener = () => {
      for (const each of refs) each.deref()?.abort();
    };
    watch(watchedIterations, signal, { refs, listener });
  }
  iteration.ref = ref;
  forgotten.register(iteration, { signal, ref }, ref);
}

function unwatchIteration(signal, { ref }) {
  forgotten.unregister(ref);
  dropIteration(signal, ref);
}

function dropIteration(signal, ref) {
  const known = watchedIterations.get(signal);
  if (known === undefined || !known.refs.delete(ref) || known.refs.size > 0) return;
  unwatch(watchedIterations, signal, known);
}

const NativeAsyncGenerator = asGenerators(class {
  #iteration;

  constructor(iteration) {
    this.#iteration = iteration;
  }

  // As with V8's own, another `this` is a rejection.
  next(value) {
    if (!(#iteration in this)) return foreign('next', this);
    return this.#iteration.request(REQUEST_NEXT, value);
  }

  throw(error) {
    if (!(#iteration in this)) return foreign('throw', this);
    return this.#iteration.request(REQUEST_THROW, error);
  }

  return(value) {
    if (!(#iteration in this)) return foreign('return', this);
    return this.#iteration.request(REQUEST_RETURN, value);
  }

  async [SymbolAsyncDispose]() {
    await this.return();
  }
}, AsyncIteratorPrototype, 'AsyncGenerator');
keepShape(NativeAsyncGenerator, new NativeAsyncGenerator(null));

function foreign(method, value) {
  const receiver = describeValue(value, { depth: -1 });
  const message = `${method} method called on incompatible receiver ${receiver}`;
  return promiseReject(new TypeError(message));
}

// ---- The functions that users call ----

function generatorOf(entry) {
  return function generator(...args) {
    return new NativeGenerator(resultNow(apply(entry, this, args), generator), this);
  };
}

function asyncGeneratorOf(entry, index, key) {
  return function generator(...args) {
    const signal = index >= 0 ? signalOf(args[index], key) : undefined;
    const iteration = new Iteration(resultNow(apply(entry, this, args), generator), signal, this);
    if (signal !== undefined) iteration.watch();
    return new NativeAsyncGenerator(iteration);
  };
}

function signalOf(holder, key) {
  const signal = key === '' ? holder : holder?.[key];
  if (signal === undefined || isSignal(signal)) return signal;
  const label = key === '' ? '"signal" argument' : `"options.${key}" property`;
  throw invalidType(label, 'AbortSignal', signal);
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
