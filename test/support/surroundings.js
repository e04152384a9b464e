'use strict';

/*
 * node surroundings.js NAME: does a little of everything that lib/ has, in the surroundings of that
 * name, and prints as JSON what came of it and which globals lib/ and the bridge have read
 * meanwhile. Surroundings are made before or after fibril is loaded.
 */

const { writeSync } = require('node:fs');
const vm = require('node:vm');

const { Promise: Native, setImmediate, process, JSON, Error, Set, Object, Array,
  AbortController } = globalThis;

class Other {
  constructor(executor) {
    const inner = new Native(executor);
    this.then = (...args) => inner.then(...args);
  }
}
Other.resolve = (value) => new Other((resolve) => resolve(value));
Other.reject = (error) => new Other((_resolve, reject) => reject(error));

const freezeAll = () => {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const value = Object.getOwnPropertyDescriptor(globalThis, name).value;
    if (typeof value !== 'function' || !/^[A-Z]/.test(name)) continue;
    Object.freeze(value);
    if (value.prototype) Object.freeze(value.prototype);
  }
};
const fail = () => {
  throw new Error('a static function that has been replaced');
};

const reads = new Set();

/** Every global becomes a getter that notes who reads it. */
const watchGlobals = () => {
  const { captureStackTrace } = Error;
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const { value, get, configurable } = Object.getOwnPropertyDescriptor(globalThis, name);
    if (!configurable || ['globalThis', 'global'].includes(name)) continue;
    Object.defineProperty(globalThis, name, {
      configurable: true,
      set() {},
      get() {
        const here = {};
        captureStackTrace(here);
        const where = /^.*\n.*\n.*(fibril:\w+|\/lib\/(?:\w+\/)?[\w-]+\.js)/.exec(here.stack)?.[1];
        if (where !== undefined) reads.add(`${name} in ${where}`);
        return get === undefined ? value : get.call(globalThis);
      },
    });
  }
};

const before = {
  'no FinalizationRegistry': () => delete globalThis.FinalizationRegistry,
  'no WeakRef': () => delete globalThis.WeakRef,
  'no Promise but another': () => {
    globalThis.Promise = class extends Native {};
  },
};
const after = {
  'none': () => {},
  'another Promise': () => {
    globalThis.Promise = Other;
  },
  'no Promise': () => delete globalThis.Promise,
  'a Promise that throws': () => {
    globalThis.Promise = fail;
  },
  'replaced static functions': () => {
    const replaced = [];
    for (const object of [Native, Object, Array, globalThis.Number, globalThis.Math,
      globalThis.Reflect]) {
      for (const name of Object.getOwnPropertyNames(object)) {
        const descriptor = Object.getOwnPropertyDescriptor(object, name);
        if (descriptor.writable && typeof descriptor.value === 'function') {
          replaced.push([object, name]);
        }
      }
    }
    for (const [object, name] of replaced) object[name] = fail;
  },
  'frozen Error.prototype': () => Object.freeze(Error.prototype),
  'everything frozen': freezeAll,
  'watched globals': watchGlobals,
};

before[process.argv[2]]?.();
const co = require('../../lib');
const { gen, Future, IOLoop, locks, queues } = co;

const outcome = (thenable) =>
  new Native((resolve) => thenable.then((value) => resolve(value), (error) =>
    resolve(`${error.name} ${error.code}`)));
const turn = () => new Native((resolve) => setImmediate(resolve));
const foreign = vm.runInNewContext('(async function* () { yield 1; return "foreign"; })');

const programs = {
  yields: () => co(function* () {
    const values = [];
    for (const each of [
      // prettier-ignore
      turn().then(() => 1), (done) => done(null, 2), (done) => setImmediate(done, null, 3),
        function* () { return 4; },
      // prettier-ignore
      [turn(), 5], { six: turn().then(() => 6), seven: [function* () { yield turn(); return 7; }] },
        { then: (resolve) => resolve(8) },
      // prettier-ignore
      async () => 9, async function* () { return 10; }, gen.sleep(1, 11), [gen.sleep(1, 12)],
        foreign,
    ]) values.push(yield each);
    try {
      yield 5;
    } catch (error) {
      values.push(error.name, error.type);
    }
    return values;
  }),
  fails: () => co(function* () { throw new RangeError('fails'); }), // prettier-ignore
  wrapped: () => co.wrap(function* (value) { return value; })('wrapped'), // prettier-ignore
  value: () => co('value'),
  timeout: () => co.run(function* () { yield co.sleep(1e6); },
    { timeout: 1, name: 'late' }), // prettier-ignore
  aborted() {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    // prettier-ignore
    return co.run(function* () { yield [gen.sleep(1e6), function* () { yield co.sleep(1e6); }]; },
      { signal: controller.signal });
  },
  coroutine: gen.coroutine(function* () {
    const iterator = new gen.WaitIterator({ a: gen.sleep(1, 'a') });
    const values = [yield gen.sleep(1, 'slept'), yield [turn(), gen.moment],
      yield { key: gen.sleep(1, 1) }, yield iterator.next()];
    values.push(yield gen.multi(new Set([gen.sleep(1, 'set')])),
      yield gen.Task((done) => setImmediate(done, null, 'task')));
    try {
      yield 5;
    } catch (error) {
      values.push(error.name);
    }
    return values;
  }),
  'async generator': gen.coroutine(async function*
    () { yield turn(); return 'async'; }), // prettier-ignore
  'foreign async generator': gen.coroutine(foreign),
  return: gen.coroutine(() => {
    throw new gen.Return('returned');
  }),
  limited: () => gen.withTimeout(1, new Future()),
  settled() {
    const future = new Future();
    setImmediate(() => future.setResult(future.toString()));
    return future.finally(() => {}).catch(() => {});
  },
  cancelled() {
    const future = gen.sleep(1e6);
    future.cancel();
    return future;
  },
  locks: gen.coroutine(function* () {
    const [lock, event, condition] = [new locks.Lock(), new locks.Event(), new locks.Condition()];
    const permit = yield lock.acquire();
    permit.release();
    setImmediate(() => [event.set(), condition.notifyAll()]);
    return [yield event.wait(), yield condition.wait(1), yield lock.run(() => 'run'), `${lock}`];
  }),
  queue: gen.coroutine(function* () {
    const queue = new queues.PriorityQueue();
    for (const item of [[2], [1]]) yield queue.put(item);
    return [yield queue.get(), yield queue.get(), `${queue}`];
  }),
  'queue that stays empty': () => new queues.Queue().get(1),
  'full queue': () => new queues.Queue(1).put(1)
    .then(() => co(function* () { new queues.Queue(1).getNowait(); })), // prettier-ignore
  loop: () => IOLoop.current().runSync(() => IOLoop.current().runInExecutor(co.sleep, 1, 'slept'),
    { timeout: 1e6 }),
  periodic: () => new Native((resolve) => {
    const periodic = new co.PeriodicCallback(() => {
      periodic.stop();
      resolve('periodic');
    }, 1, { jitter: 0.1 });
    periodic.start();
  }),
  file: () => co.fs.lstat('/no/such/file'),
  'bad argument': () => co.sleep('5'),
};

async function main() {
  const outcomes = {};
  after[process.argv[2]]?.();
  const begun = [];
  for (const name in programs) begun.push([name, outcome(programs[name]())]);
  for (const [name, ended] of begun) outcomes[name] = await ended;
  const named = co.inspect().map(({ name }) => name);
  writeSync(1, JSON.stringify({ outcomes, named, reads: [...reads] }));
}

module.exports = { before: Object.keys(before), after: Object.keys(after) };
if (require.main === module) main();
