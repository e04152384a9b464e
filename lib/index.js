'use strict';

/*
 * What `require('fibril')` gives: co, callable, with everything else as its properties. Where no binary loads, co works all the same and
 * the native functions throw.
 */

const co = require('./co.js');
const native = require('./native.js');

/**
 * Waits at least `ms` milliseconds in a C coroutine.
 * @param {number} ms
 * @param {*} [value] what the promise resolves to
 * @returns {Promise<*>}
 */
co.sleep = native.sleep;

/** Files: readFile, writeFile, stat, lstat, readdir as in Node's fs.promises, and du. */
co.fs = native.fs;

/** Tornado's gen: coroutines whose calls are Futures; and `gen.future(fn)`, native functions that give Futures. */
co.gen = native.gen;

/** A result that will be there, without a promise: yield it, await it, or add a done callback. */
co.Future = native.Future;

/** Tornado's IOLoop over the loop of this thread: callbacks, timeouts, descriptors. */
co.IOLoop = native.IOLoop;

/** Calls a function once every so many milliseconds. */
co.PeriodicCallback = native.PeriodicCallback;

/** Tornado's locks: Condition, Event, Semaphore, BoundedSemaphore, Lock. */
co.locks = native.locks;

/** Tornado's queues: Queue, PriorityQueue, LifoQueue. */
co.queues = native.queues;

module.exports = co;
