'use strict';

// The native functions and the C Runner; without a binary, functions that throw why there is none.

const runner = require('./runner.js');
const { attachNative } = require('./inspect.js');

const NO_BINARY = ['ERR_FIBRIL_NO_BINARY', 'ERR_FIBRIL_UNSUPPORTED_RUNTIME'];

function load() {
  const binding = require('./binding.js');
  const { Future, attachRunner, createRunner, inspect, reportLeaks } = binding.runtime;
  attachNative({ inspect, reportLeaks });
  runner.attachFuture(Future);
  if (process.env.FIBRIL_RUNNER === 'native') runner.attachNative(createRunner(runner.stepOnce));
  attachRunner(runner.resumeRun);
  const { WaitIterator } = require('./wait-iterator.js');
  return {
    sleep: binding.sleep,
    fs: require('./fs.js'),
    gen: { ...require('./gen.js').gen, WaitIterator },
    Future,
    IOLoop: require('./ioloop.js').IOLoop,
    PeriodicCallback: require('./periodic.js').PeriodicCallback,
    locks: require('./locks.js'),
    queues: require('./queues.js'),
  };
}

// What is missing without a binary; each of it throws why when it is called or made.
const MISSING = {
  fs: ['readFile', 'writeFile', 'stat', 'lstat', 'readdir', 'du'],
  gen: [
    'coroutine', 'isCoroutineFunction', 'Return', 'BadYieldError', 'TimeoutError', 'convertYielded', 'multi', 'withTimeout', 'chainFuture',
    'Task', 'WaitIterator', 'future', 'sleep',
  ],
  IOLoop: ['current', 'instance'],
  locks: ['Condition', 'Event', 'Semaphore', 'BoundedSemaphore', 'Lock'],
  queues: ['Queue', 'PriorityQueue', 'LifoQueue', 'QueueEmpty', 'QueueFull'],
};

function missing(error) {
  process.emitWarning(`Only co works: ${error.message}`, { code: error.code });
  const unavailable = () => function () {
    throw error;
  };
  const withEach = (target, names) => Object.assign(target, Object.fromEntries(names.map((name) => [name, unavailable()])));
  const gen = withEach({}, MISSING.gen);
  gen.convertYielded.register = unavailable();
  gen.moment = { then: (_resolve, reject) => reject(error) };
  return {
    sleep: unavailable(),
    fs: withEach({}, MISSING.fs),
    gen,
    Future: unavailable(),
    IOLoop: withEach(unavailable(), MISSING.IOLoop),
    PeriodicCallback: unavailable(),
    locks: withEach({}, MISSING.locks),
    queues: withEach({}, MISSING.queues),
  };
}

function loadOrExplain() {
  try {
    return load();
  } catch (error) {
    if (!NO_BINARY.includes(error.code)) throw error;
    return missing(error);
  }
}

module.exports = loadOrExplain();
