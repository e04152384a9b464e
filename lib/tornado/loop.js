'use strict';

/*
 * What the core calls. It has the queues and decides the order: callbacks wait in its ready queue,
 * timeouts in its heap, descriptors in its handlers. Here are only the functions that it calls.
 */

const { AsyncResource } = require('node:async_hooks');
const { checkEvents, checkFunction } = require('../arguments.js');
const { adopt } = require('../co/promises.js');
const { makeError } = require('../errors.js');
const { isThenable } = require('../kinds.js');
const { runtime } = require('../native/addon.js');
const { Map, promiseReject, promiseThen } = require('../primordials.js');
const { keepShape } = require('../shapes.js');

const { Future, createLoop } = runtime;

const READ = 1;
const WRITE = 2;
const ERROR = 4;

let loop = null; // the IOLoop that hears of errors
let nodesWay = null; // how it does by itself

/** To be called once, before anything is queued. */
function setLoop(ioloop) {
  loop = ioloop;
  nodesWay = ioloop.handleCallbackException;
}

function isNodesWay() {
  return loop.handleCallbackException === nodesWay;
}

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
    this.resource.runInAsyncScope(callAndWatch, undefined, this.callback, this.args);
  }
}
keepShape(Entry, new Entry(null, null, null));

// ---- Callbacks that fail ----

// All of it in their own async context, where a domain may wait for the error.

function callAndWatch(callback, args) {
  try {
    const result = args.length === 0 ? callback() : callback(...args);
    // Looking at it may throw, too.
    if (result !== undefined && isThenable(result)) watch(callback, result);
  } catch (error) {
    failed(callback, error);
  }
}

function failed(callback, error) {
  try {
    loop.handleCallbackException(callback, error);
  } catch (another) {
    native.report(another);
  }
}

/**
 * An error of what a callback returns is heard of at once, unless somebody has asked for it: the
 * callback has no other caller.
 */
function watch(callback, result) {
  if (result instanceof Future) {
    const entry = new Entry(reportResult, [callback, result], new AsyncResource('FIBRIL_CALLBACK'));
    result._whenDone(() => queueEntry(entry));
  } else if (isNodesWay()) {
    return; // V8 tells of what nobody handles
  } else {
    promiseThen.call(adopt(result), undefined, (error) => failed(callback, error));
  }
}

function reportResult(callback, future) {
  if (future.read || future.state === 1) return;
  const error = future.exception();
  if (isNodesWay()) promiseReject(error);
  else failed(callback, error);
}

function capture(callback, args) {
  checkFunction('callback', callback, capture);
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

/**
 * Queues an entry for the next iteration. Where the environment is ending, nothing is called any
 * more.
 */
function queueEntry(entry) {
  const error = native.addCallback();
  if (error === undefined) callbacks.push(entry);
  else if (error.code !== 'FIBRIL_ECLOSED') throw makeError(error, queueEntry);
}

/**
 * Calls `run()` in the next iteration: for coroutines, which take care of their async context
 * themselves.
 */
function nextIteration(run) {
  queueEntry({ run });
}

// ---- Timeouts ----

const timeouts = []; // by slot
const freeSlots = [];

/** What callLater and callAt give, for removeTimeout. */
class Timeout {
  #slot;

  constructor(entry) {
    this.entry = entry;
    this.#slot = -1;
  }

  /**
   * Has C call it: `later`, in `when` milliseconds, or else when the loop's clock has reached
   * `when`. Returns itself.
   */
  begin(when, later) {
    const slot = this.#slot = freeSlots.length > 0 ? freeSlots.pop() : timeouts.length;
    timeouts[slot] = this;
    const error = native.callAt(slot, when, later);
    if (error === undefined) return this;
    this.#release();
    if (error.code !== 'FIBRIL_ECLOSED') throw makeError(error, this.begin);
    return this;
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

  /** Whether it keeps the process alive: it does until unref(). As Node's timers have them. */
  ref() {
    return this.#hold(true);
  }

  unref() {
    return this.#hold(false);
  }

  #hold(held) {
    if (this.entry !== null) native.holdTimeout(this.#slot, held);
    return this;
  }

  #release() {
    timeouts[this.#slot] = undefined;
    freeSlots.push(this.#slot);
    this.entry = null;
  }
}
keepShape(Timeout, new Timeout(null));

function runTimeout(slot) {
  timeouts[slot].take().run();
}

// ---- Handlers ----

const handlers = new Map(); // by descriptor

/** What addHandler gives. */
class Handler {
  #fd;
  #entry;
  #file;

  constructor(fd, entry, file) {
    this.#fd = fd;
    this.#entry = entry;
    this.#file = file;
  }

  /** Whether it keeps the process alive: it does until unref(). */
  ref() {
    return this.#hold(true);
  }

  unref() {
    return this.#hold(false);
  }

  #hold(held) {
    if (handlers.get(this.#fd) === this) native.holdHandler(this.#fd, held);
    return this;
  }

  static run(handler, events) {
    const { callback, resource } = handler.#entry;
    resource.runInAsyncScope(callAndWatch, undefined, callback, [handler.#file, events]);
  }
}

function runHandler(fd, events) {
  Handler.run(handlers.get(fd), events < 0 ? ERROR : events);
}

function setHandler(fd, events, change) {
  checkEvents(events, READ | WRITE | ERROR, setHandler);
  const error = native.setHandler(fd, events, change);
  if (error !== undefined) throw makeError(error, setHandler);
}

const native = createLoop(runCallbacks, runTimeout, runHandler);

module.exports = {
  READ,
  WRITE,
  ERROR,
  Handler,
  Timeout,
  capture,
  handlers,
  native,
  nextIteration,
  nobody,
  queueEntry,
  setHandler,
  setLoop,
};
