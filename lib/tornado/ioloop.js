'use strict';

/* Tornado's IOLoop for JavaScript. */

const {
  checkFunction, checkFuture, checkTime, descriptorOf, notNative, notTimeout,
} = require('../arguments.js');
const { TimeoutError } = require('../errors.js');
const { runtime } = require('../native/addon.js');
const { Error, NativePromise, promiseReject, promiseResolve } = require('../primordials.js');
const { chainFuture } = require('./coroutine.js');
const {
  READ, WRITE, ERROR, Handler, Timeout, capture, handlers, native, nobody, queueEntry, setHandler,
  setLoop,
} = require('./loop.js');

const { Future, future: toFuture, isNative } = runtime;

let stopRunning = null; // resolves the promise of start()
let stoppedBefore = false;

/**
 * The event loop of this thread. One iteration, in libuv's check phase: the callbacks that were
 * there when it began, then the timeouts that were due then. What they add waits for the next one,
 * after I/O. Answers to tornado.ioloop.IOLoop.
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

  /**
   * Hears of what a callback, a timeout or a handler of this loop has thrown, and of the error of a
   * Future that it returned. It is there to be replaced, by a function that logs the error, after
   * which the loop goes on; by itself it has Node's way, an uncaught exception. Tornado:
   * handle_callback_exception.
   */
  handleCallbackException(callback, error) {
    native.report(error);
  }

  /** Calls `callback(...args)` in the next iteration, in order. Tornado: add_callback. */
  addCallback(callback, ...args) {
    queueEntry(capture(callback, args));
  }

  /** The same outside the caller's async context (AsyncLocalStorage). Tornado: spawn_callback. */
  spawnCallback(callback, ...args) {
    const entry = capture(callback, args);
    entry.resource = nobody;
    queueEntry(entry);
  }

  /**
   * Calls `callback(future)` in an iteration after the future, or the promise, is done. Tornado:
   * add_future.
   */
  addFuture(future, callback) {
    const entry = capture(callback, [future]);
    checkFuture(future, this.addFuture);
    const awaited = entry.args[0] = future instanceof Future ? future : toFuture(() => future)();
    awaited._markRead(); // the callback has it
    awaited._whenDone(() => queueEntry(entry));
  }

  /**
   * Calls `callback(...args)` after `ms` milliseconds, never early. What it returns is for
   * removeTimeout, and has ref() and unref(). Tornado: call_later.
   */
  callLater(ms, callback, ...args) {
    checkTime('ms', ms);
    return new Timeout(capture(callback, args)).begin(ms, true);
  }

  /**
   * The same when time() has reached `when`; equal times in the order of the calls. Tornado:
   * call_at.
   */
  callAt(when, callback, ...args) {
    checkTime('when', when);
    return new Timeout(capture(callback, args)).begin(when, false);
  }

  /**
   * Removes a timeout: also one that is due in this very iteration, or that has fired. Tornado:
   * remove_timeout.
   */
  removeTimeout(timeout) {
    if (!(timeout instanceof Timeout)) throw notTimeout(timeout, this.removeTimeout);
    timeout.remove();
  }

  /**
   * Calls `handler(fd, events)` whenever the descriptor is ready for one of `events`. `fd` is a
   * number or an object with a property `fd`, which the handler gets back. A descriptor has one
   * handler: a second is an error with code 'EEXIST'. What it returns has ref() and unref().
   * Tornado: add_handler.
   */
  addHandler(fd, handler, events) {
    const number = descriptorOf(fd);
    const added = new Handler(number, capture(handler, []), fd);
    setHandler(number, events, false);
    handlers.set(number, added);
    return added;
  }

  /** Other events for a descriptor that has a handler. Tornado: update_handler. */
  updateHandler(fd, events) {
    setHandler(descriptorOf(fd), events, true);
  }

  /**
   * Removes the handler, if there is one; events that have arrived already do not reach it.
   * Tornado: remove_handler.
   */
  removeHandler(fd) {
    const number = descriptorOf(fd);
    native.setHandler(number, 0, false);
    handlers.delete(number);
  }

  /**
   * Calls a native function, whose work is done in libuv's thread pool. Returns a Future. A
   * function of JavaScript is refused, and not called: it cannot run in that pool. Tornado:
   * run_in_executor.
   */
  runInExecutor(fn, ...args) {
    checkFunction('fn', fn, this.runInExecutor);
    if (isNative(fn)) return toFuture((...rest) => fn(...rest))(...args);
    throw notNative(this.runInExecutor);
  }

  /**
   * Keeps the process alive until stop(); returns a promise of that. A stop() that came before lets
   * it resolve at once. Tornado: start, which Node has done already.
   */
  start() {
    if (stopRunning !== null) {
      return promiseReject(new Error('IOLoop is already running'));
    }
    if (stoppedBefore) {
      stoppedBefore = false;
      return promiseResolve();
    }
    native.hold(true);
    return new NativePromise((resolve) => {
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
   * Calls `fn` in the next iteration and returns a Future of what it brings: undefined, or the
   * result of a yieldable. After `timeout` milliseconds it fails with gen.TimeoutError. Node's loop
   * cannot be blocked: await it. Tornado: run_sync.
   */
  runSync(fn, { timeout } = {}) {
    checkFunction('fn', fn, this.runSync);
    if (timeout !== undefined) checkTime('timeout', timeout);
    const result = new Future();
    this.addCallback(() => {
      try {
        chainFuture(fn(), result);
      } catch (error) {
        if (!result.done()) result.setException(error);
      }
    });
    if (timeout === undefined) return result;
    const timer = this.callLater(timeout, () => {
      if (result.done()) return;
      result.setException(new TimeoutError(`Operation timed out after ${timeout} ms`));
    });
    result._whenDone(() => this.removeTimeout(timer));
    return result;
  }
}

setLoop(IOLoop.current());

module.exports = { IOLoop };
