'use strict';

/*
 * Tornado's IOLoop for JavaScript. The C core has the queues and decides the order: callbacks wait in its ready queue, timeouts in its heap,
 * descriptors in its handlers. Here are only the functions that it calls.
 */

const { AsyncResource } = require('node:async_hooks');
const binding = require('./binding.js');

const { Future, future: toFuture, createLoop, makeError, codedError, invalidType } = binding.runtime;

const READ = 1;
const WRITE = 2;
const ERROR = 4;
const MS_MAX = Number.MAX_SAFE_INTEGER;

// Callbacks of spawnCallback run in the async context in which this file was loaded: in nobody's.
const nobody = new AsyncResource('FIBRIL_LOOP');

/** A function to call later, with the async context to call it in. */
class Entry {
  constructor(callback, args, resource) {
    this.callback = callback;
    this.args = args;
    this.resource = resource;
  }

  run() {
    const { callback, args, resource } = this;
    if (args.length === 0) resource.runInAsyncScope(callback);
    else resource.runInAsyncScope(callback, undefined, ...args);
  }
}

function capture(callback, args) {
  if (typeof callback !== 'function') throw invalidType('"callback" argument', 'function', callback, capture);
  return new Entry(callback, args, new AsyncResource('FIBRIL_CALLBACK'));
}

// ---- Callbacks ----

let callbacks = []; // in the order in which C has them in its queue
let firstCallback = 0;
let callbacksLeft = 0; // of the batch that runs

function takeCallback() {
  const entry = callbacks[firstCallback];
  callbacks[firstCallback++] = undefined;
  if (firstCallback === callbacks.length) {
    callbacks = [];
    firstCallback = 0;
  }
  return entry;
}

// When one throws, C reports it and comes again with 0.
function runCallbacks(count) {
  callbacksLeft += count;
  while (callbacksLeft > 0) {
    callbacksLeft--;
    takeCallback().run();
  }
}

/** Queues an entry for the next iteration. Where the environment is ending, nothing is called any more. */
function queueEntry(entry) {
  const error = native.addCallback();
  if (error === undefined) callbacks.push(entry);
  else if (error.code !== 'FIBRIL_ECLOSED') throw makeError(error, queueEntry);
}

/** For lib/gen.js: `run()` in the next iteration, which takes care of its async context itself. */
function nextIteration(run) {
  queueEntry({ run });
}

// ---- Timeouts ----

const timeouts = []; // by slot
const freeSlots = [];

/** What callLater and callAt give, for removeTimeout. */
class Timeout {
  #slot;

  constructor(entry, when, later) {
    const slot = freeSlots.length > 0 ? freeSlots.pop() : timeouts.length;
    const error = native.callAt(slot, when, later);
    this.entry = error === undefined ? entry : null;
    this.#slot = slot;
    timeouts[slot] = this;
    if (error === undefined) return;
    this.#release();
    if (error.code !== 'FIBRIL_ECLOSED') throw makeError(error, Timeout);
  }

  take() {
    const { entry } = this;
    this.#release();
    return entry;
  }

  remove() {
    if (this.entry === null) return;
    native.removeTimeout(this.#slot);
    this.#release();
  }

  #release() {
    timeouts[this.#slot] = undefined;
    freeSlots.push(this.#slot);
    this.entry = null;
  }
}

function runTimeout(slot) {
  timeouts[slot].take().run();
}

function checkTime(name, value) {
  if (typeof value !== 'number') throw invalidType(`"${name}" argument`, 'number', value, checkTime);
  if (value >= -MS_MAX && value <= MS_MAX) return;
  throw codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. ` +
    `It must be >= ${-MS_MAX} && <= ${MS_MAX}. Received ${value}`, checkTime);
}

// ---- Handlers ----

const handlers = new Map(); // by descriptor

function runHandler(fd, events) {
  const handler = handlers.get(fd);
  handler.resource.runInAsyncScope(handler.callback, undefined, handler.file, events < 0 ? ERROR : events);
}

function descriptorOf(file) {
  const fd = typeof file === 'object' && file !== null ? file.fd : file;
  if (Number.isInteger(fd)) return fd;
  throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE',
    'The "fd" argument must be a file descriptor or an object with one in its property "fd".', descriptorOf);
}

function setHandler(fd, events, change) {
  if (!Number.isInteger(events) || events < 1 || events > (READ | WRITE | ERROR)) {
    throw codedError(RangeError, 'ERR_OUT_OF_RANGE',
      `The value of "events" must be made of IOLoop.READ, IOLoop.WRITE and IOLoop.ERROR. Received ${String(events)}`, setHandler);
  }
  const error = native.setHandler(fd, events, change);
  if (error !== undefined) throw makeError(error, setHandler);
}

const native = createLoop(runCallbacks, runTimeout, runHandler);

// ---- The loop ----

let stopRunning = null; // resolves the promise of start()
let stoppedBefore = false;

/**
 * The event loop of this thread. One iteration, in libuv's check phase: the callbacks that were there when it began, then the timeouts that
 * were due then. What they add waits for the next one, after I/O. Answers to tornado.ioloop.IOLoop.
 */
class IOLoop {
  static READ = READ;
  static WRITE = WRITE;
  static ERROR = ERROR;
  static #current = new IOLoop();

  /** The loop of this thread: there is one. */
  static current() {
    return IOLoop.#current;
  }

  /** The same. */
  static instance() {
    return IOLoop.#current;
  }

  /** The loop's clock in milliseconds, for callAt: it never goes back. */
  time() {
    return native.now();
  }

  /** Calls `callback(...args)` in the next iteration, in order. An exception is uncaught. Tornado: add_callback. */
  addCallback(callback, ...args) {
    queueEntry(capture(callback, args));
  }

  /** The same outside the caller's async context (AsyncLocalStorage). Tornado: spawn_callback. */
  spawnCallback(callback, ...args) {
    const entry = capture(callback, args);
    entry.resource = nobody;
    queueEntry(entry);
  }

  /** Calls `callback(future)` in an iteration after the future, or the promise, is done. Tornado: add_future. */
  addFuture(future, callback) {
    const entry = capture(callback, [future]);
    if (typeof future?.then !== 'function') throw invalidType('"future" argument', 'Future', future, this.addFuture);
    const awaited = entry.args[0] = future instanceof Future ? future : toFuture(() => future)();
    awaited.read = true; // the callback has it
    awaited._whenDone(() => queueEntry(entry));
  }

  /** Calls `callback(...args)` after `ms` milliseconds, never early. What it returns is for removeTimeout. Tornado: call_later. */
  callLater(ms, callback, ...args) {
    checkTime('ms', ms);
    return new Timeout(capture(callback, args), ms, true);
  }

  /** The same when time() has reached `when`; equal times in the order of the calls. Tornado: call_at. */
  callAt(when, callback, ...args) {
    checkTime('when', when);
    return new Timeout(capture(callback, args), when, false);
  }

  /** Removes a timeout: also one that is due in this very iteration, or that has fired. Tornado: remove_timeout. */
  removeTimeout(timeout) {
    if (!(timeout instanceof Timeout)) throw invalidType('"timeout" argument', 'Timeout', timeout, this.removeTimeout);
    timeout.remove();
  }

  /**
   * Calls `handler(fd, events)` whenever the descriptor is ready for one of `events`. `fd` is a number or an object with a property `fd`,
   * which the handler gets back. A descriptor has one handler: a second is an error with code 'EEXIST'. Tornado: add_handler.
   */
  addHandler(fd, handler, events) {
    const number = descriptorOf(fd);
    const { callback, resource } = capture(handler, []);
    setHandler(number, events, false);
    handlers.set(number, { callback, resource, file: fd });
  }

  /** Other events for a descriptor that has a handler. Tornado: update_handler. */
  updateHandler(fd, events) {
    setHandler(descriptorOf(fd), events, true);
  }

  /** Removes the handler, if there is one; events that have arrived already do not reach it. Tornado: remove_handler. */
  removeHandler(fd) {
    const number = descriptorOf(fd);
    native.setHandler(number, 0, false);
    handlers.delete(number);
  }

  /**
   * Calls a native function, whose work is done in libuv's thread pool. Returns a Future. A function that is not asynchronous is refused,
   * after it ran: JavaScript cannot run in that pool. Tornado: run_in_executor.
   */
  runInExecutor(fn, ...args) {
    if (typeof fn !== 'function') throw invalidType('"fn" argument', 'function', fn, this.runInExecutor);
    return toFuture((...rest) => {
      const result = fn(...rest);
      if (typeof result?.then === 'function') return result;
      throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', 'The "fn" argument must be a native function: JavaScript does not run in the ' +
        'thread pool. Use node:worker_threads.', fn);
    })(...args);
  }

  /**
   * Keeps the process alive until stop(); returns a promise of that. A stop() that came before lets it resolve at once. Tornado: start,
   * which Node has done already.
   */
  start() {
    if (stopRunning !== null) return Promise.reject(new Error('IOLoop is already running'));
    if (stoppedBefore) {
      stoppedBefore = false;
      return Promise.resolve();
    }
    native.hold(true);
    return new Promise((resolve) => {
      stopRunning = resolve;
    });
  }

  /** Ends start(). Tornado: stop. */
  stop() {
    const resolve = stopRunning;
    stopRunning = null;
    stoppedBefore = resolve === null;
    if (resolve === null) return;
    native.hold(false);
    resolve();
  }

  /**
   * Calls `fn` in the next iteration and returns a Future of what it brings: undefined, or the result of a yieldable. After `timeout`
   * milliseconds it fails with gen.TimeoutError. Node's loop cannot be blocked: await it. Tornado: run_sync.
   */
  runSync(fn, { timeout } = {}) {
    const { chainFuture, TimeoutError } = require('./gen.js').gen;
    const result = new Future();
    this.addCallback(() => {
      try {
        chainFuture(fn(), result);
      } catch (error) {
        result.setException(error);
      }
    });
    if (timeout === undefined) return result;
    const timer = this.callLater(timeout, () => {
      if (!result.done()) result.setException(new TimeoutError(`Operation timed out after ${timeout} ms`));
    });
    result._whenDone(() => this.removeTimeout(timer));
    return result;
  }
}

module.exports = { IOLoop, checkTime, nextIteration };
