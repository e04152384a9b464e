'use strict';

module.exports = {
  /**
   * Tornado's gen: coroutines whose calls are Futures; and `gen.future(fn)`, native functions that
   * give Futures.
   */
  gen: require('./gen.js'),

  /** Tornado's IOLoop over the loop of this thread: callbacks, timeouts, descriptors. */
  IOLoop: require('./ioloop.js').IOLoop,

  /** Calls a function once every so many milliseconds. */
  PeriodicCallback: require('./periodic.js').PeriodicCallback,

  /** Tornado's locks: Condition, Event, Semaphore, BoundedSemaphore, Lock. */
  locks: require('./locks.js'),

  /** Tornado's queues: Queue, PriorityQueue, LifoQueue. */
  queues: require('./queues.js'),
};
