'use strict';

/*
 * The checks of what lib/'s functions are given, and the only place that reads options: each is
 * read once. In three parts: co and co.run, which have no binary to ask; gen, the loop, locks and
 * queues; fs. A function `above` is the one whose caller the stack of the error begins with.
 */

const { Buffer } = require('node:buffer');
const { constants } = require('node:fs');
const { fileURLToPath } = require('node:url');
const { isUint8Array } = require('node:util').types;
const { codedError, invalidType, withCode } = require('./errors.js');
const { isGenerator, isThenable } = require('./kinds.js');
const {
  ArrayIsArray, MAX_SAFE_INTEGER, NumberIsInteger, Object, ObjectGetOwnPropertyDescriptor,
  ObjectGetOwnPropertySymbols, ObjectGetPrototypeOf, ObjectIsPrototypeOf, ObjectKeys, ObjectValues,
  RangeError, String, SymbolIterator, TypeError, Uint8Array, isView, parseInt,
} = require('./primordials.js');

const { from, isEncoding } = Buffer;

// ---- co ----

const LONGEST = 2 ** 31 - 1; // what a timer of Node's can wait

/** As `invalidType`, in the words that need no binary. */
function invalid(name, type, value) {
  const received = value === null ? 'null' : `type ${typeof value}`;
  const message = `The "${name}" argument must be of type ${type}. Received ${received}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

function isObject(value) {
  return value !== null && (typeof value === 'object' || typeof value === 'function');
}

function isSignal(value) {
  return value !== null && typeof value === 'object' && 'aborted' in value &&
    typeof value.addEventListener === 'function' && typeof value.removeEventListener === 'function';
}

/** What co.run is given: `{signal, timeout, args, name}`. */
function runOptions(options) {
  if (options === null || typeof options !== 'object') throw invalid('options', 'object', options);
  const { signal, timeout, args = [], name } = options;
  if (signal !== undefined && !isSignal(signal)) {
    throw invalid('options.signal', 'AbortSignal', signal);
  }
  if (!ArrayIsArray(args)) throw invalid('options.args', 'Array', args);
  if (name !== undefined && typeof name !== 'string') throw invalid('options.name', 'string', name);
  checkDeadline(timeout);
  return { signal, timeout, args, name };
}

function checkDeadline(timeout) {
  if (timeout === undefined || timeout === Infinity) return;
  if (typeof timeout !== 'number') throw invalid('options.timeout', 'number', timeout);
  if (timeout >= 0 && timeout <= LONGEST) return;
  const message = rangeMessage('options.timeout', `>= 0 && <= ${LONGEST}`, timeout);
  throw withCode(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

/** Of co.register. */
function checkConverter(Class, converter) {
  if (typeof Class !== 'function' || !isObject(Class.prototype)) {
    throw invalid('Class', 'class', Class);
  }
  if (typeof converter !== 'function' && converter !== null) {
    throw invalid('converter', 'function', converter);
  }
}

// ---- gen, the loop, locks and queues ----

function rangeMessage(name, must, value) {
  return `The value of "${name}" is out of range. It must be ${must}. Received ${String(value)}`;
}

function outOfRange(name, must, value, above) {
  return codedError(RangeError, 'ERR_OUT_OF_RANGE', rangeMessage(name, must, value), above);
}

function checkFunction(name, value, above) {
  if (typeof value === 'function') return;
  throw invalidType(`"${name}" argument`, 'function', value, above);
}

function checkNumber(name, value, above) {
  if (typeof value !== 'number') throw invalidType(`"${name}" argument`, 'number', value, above);
}

/** Milliseconds, in which the loop counts. */
function checkTime(name, value) {
  checkNumber(name, value, checkTime);
  if (value >= -MAX_SAFE_INTEGER && value <= MAX_SAFE_INTEGER) return;
  throw outOfRange(name, `>= ${-MAX_SAFE_INTEGER} && <= ${MAX_SAFE_INTEGER}`, value, checkTime);
}

/** Of addFuture. */
function checkFuture(future, above) {
  if (typeof future?.then !== 'function') {
    throw invalidType('"future" argument', 'Future', future, above);
  }
}

/** The error of removeTimeout. */
function notTimeout(value, above) {
  return invalidType('"timeout" argument', 'Timeout', value, above);
}

/** The number of a descriptor, or of an object that has one. */
function descriptorOf(file) {
  const fd = typeof file === 'object' && file !== null ? file.fd : file;
  if (NumberIsInteger(fd)) return fd;
  throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE',
    'The "fd" argument must be a file descriptor or an object with one in its property "fd".',
    descriptorOf);
}

/** Some of the bits of `all`. */
function checkEvents(events, all, above) {
  if (NumberIsInteger(events) && events >= 1 && events <= all) return;
  throw codedError(RangeError, 'ERR_OUT_OF_RANGE',
    'The value of "events" must be made of IOLoop.READ, IOLoop.WRITE and IOLoop.ERROR. ' +
    `Received ${String(events)}`, above);
}

/** The error of runInExecutor. */
function notNative(above) {
  return codedError(TypeError, 'ERR_INVALID_ARG_TYPE',
    'The "fn" argument must be a native function: JavaScript does not run in the thread pool. ' +
    'Use node:worker_threads.', above);
}

/** The classes of `quietExceptions`: one, or an array of them. */
function quietClasses(quietExceptions, above) {
  const classes = quietExceptions === undefined ? [] : [quietExceptions].flat();
  for (const Class of classes) {
    if (typeof Class !== 'function') {
      const label = '"options.quietExceptions" property';
      throw invalidType(label, ['function', 'Array'], quietExceptions, above);
    }
  }
  return classes;
}

/** Whether an object is used as a table: of no class, of whichever realm. */
function isTable(value) {
  const prototype = ObjectGetPrototypeOf(value);
  if (prototype === null || ObjectGetPrototypeOf(prototype) === null) return true;
  return value.constructor === Object;
}

/** The keys of gen.multi's children; null for those of an array or another iterable. */
function keysOfChildren(children, above) {
  if (typeof children === 'string' || typeof children?.[SymbolIterator] === 'function') return null;
  if (typeof children === 'object' && children !== null && !isThenable(children) &&
      !isGenerator(children) && isTable(children)) return ObjectKeys(children);
  throw invalidType('"children" argument', ['Iterable', 'Object'], children, above);
}

/** Whether it is an object of yieldables: a plain one that is no yieldable by itself. */
function isNamed(value) {
  return value !== null && typeof value === 'object' && value.constructor === Object &&
    !isThenable(value) && !isGenerator(value);
}

/** What WaitIterator is given: yieldables (`keys` is null), or an object of them. */
function namedYieldables(args) {
  if (args.length === 1 && isNamed(args[0])) {
    return { keys: ObjectKeys(args[0]), yieldables: ObjectValues(args[0]) };
  }
  if (!args.some(isNamed)) return { keys: null, yieldables: args };
  throw new TypeError('WaitIterator takes yieldables or one object of them, not both');
}

/** Of PeriodicCallback. */
function checkPeriod(callback, ms, jitter, above) {
  checkFunction('callback', callback, above);
  checkNumber('ms', ms, above);
  if (!(ms > 0 && ms <= MAX_SAFE_INTEGER)) throw outOfRange('ms', '> 0', ms, above);
  if (typeof jitter !== 'number') {
    throw invalidType('"options.jitter" property', 'number', jitter, above);
  }
  if (!(jitter >= 0 && jitter <= 1)) {
    throw outOfRange('options.jitter', '>= 0 && <= 1', jitter, above);
  }
}

/** How many permits a Semaphore begins with. */
function checkPermits(value, above) {
  if (NumberIsInteger(value) && value >= 0) return;
  throw outOfRange('value', 'an integer >= 0', value, above);
}

/** How many items a Queue takes. */
function checkMaxsize(maxsize, above) {
  checkNumber('maxsize', maxsize, above);
  if (!(maxsize >= 0)) throw outOfRange('maxsize', '>= 0', maxsize, above);
}

/** Of PriorityQueue. */
function checkCompare(compare, above) {
  if (typeof compare === 'function') return;
  throw invalidType('"options.compare" property', 'function', compare, above);
}

// ---- fs ----

// Read as Node reads them. Each function here gives undefined for what is no good and for the rare
// kinds that only Node's own functions take: those then answer, and so an argument's error is
// Node's own on every version.

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = constants;

const FLAGS = {
  __proto__: null,
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  sr: O_RDONLY | O_SYNC,
  'r+': O_RDWR,
  'rs+': O_RDWR | O_SYNC,
  'sr+': O_RDWR | O_SYNC,
  w: O_TRUNC | O_CREAT | O_WRONLY,
  wx: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  xw: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  'w+': O_TRUNC | O_CREAT | O_RDWR,
  'wx+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  'xw+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  a: O_APPEND | O_CREAT | O_WRONLY,
  ax: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  xa: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  as: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  sa: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  'a+': O_APPEND | O_CREAT | O_RDWR,
  'ax+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'xa+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'as+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
  'sa+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
};

const NO_OPTIONS = { __proto__: null };

/**
 * What `read` gives; undefined, too, when a getter, a proxy or a conversion throws: it will throw
 * the same in Node's hands.
 */
function attempt(read, ...args) {
  try {
    return read(...args);
  } catch {
    return undefined;
  }
}

// An AbortSignal that may still end the call. Node takes every object with `aborted`, the native
// functions those that one can stop listening to.
function isOpenSignal(signal) {
  return typeof signal === 'object' && signal !== null && signal.aborted === false &&
    typeof signal.addEventListener === 'function' &&
    typeof signal.removeEventListener === 'function';
}

/**
 * The object to read options from, as properties: own or inherited, values or getters. An encoding
 * is checked, and a signal.
 */
function optionsOf(options) {
  if (options === undefined || options === null || typeof options === 'function') return NO_OPTIONS;
  if (typeof options === 'string') options = { __proto__: null, encoding: options };
  if (typeof options !== 'object') return undefined;
  const { encoding, signal } = options;
  if (encoding && encoding !== 'buffer' && !isEncoding(encoding)) return undefined;
  return signal === undefined || isOpenSignal(signal) ? options : undefined;
}

// Node's test, which URLs of other realms pass, too.
function isURL(value) {
  return value?.href && value.protocol && value.auth === undefined && value.path === undefined;
}

/** A path without NUL: a string or bytes. */
function pathOf(path) {
  if (isURL(path)) path = fileURLToPath(path);
  if (typeof path === 'string') return path.includes('\0') ? undefined : path;
  if (!isUint8Array(path)) return undefined;
  return from(path.buffer, path.byteOffset, path.byteLength).indexOf(0) < 0 ? path : undefined;
}

// Node exports no FileHandle to ask for: the first object with the makings of one tells. Where none
// is found, Node takes the handles.
let FileHandlePrototype;

function findFileHandlePrototype(target) {
  let found = ObjectGetPrototypeOf(target);
  for (; found !== null; found = ObjectGetPrototypeOf(found)) {
    const isIt = found.constructor?.name === 'FileHandle' &&
      ObjectGetOwnPropertyDescriptor(found, 'fd')?.get !== undefined &&
      ObjectGetOwnPropertySymbols(found).some(({ description }) => description === 'kRef');
    if (isIt) return found;
  }
  return undefined;
}

function isFileHandle(target) {
  if (target === null || typeof target !== 'object') return false;
  FileHandlePrototype ??= findFileHandlePrototype(target);
  return FileHandlePrototype !== undefined && ObjectIsPrototypeOf.call(FileHandlePrototype, target);
}

/**
 * What a file is named by: a path; or a descriptor, and of a FileHandle, which may be closed at any
 * time, a function that tells what it is now. The function keeps the handle, too: one that is
 * collected closes its file.
 */
function targetOf(target) {
  if (NumberIsInteger(target) && target >= 0 && target <= 0x7fffffff) {
    return { path: undefined, fd: target, look: undefined };
  }
  if (isFileHandle(target)) return { path: undefined, fd: target.fd, look: () => target.fd };
  const path = pathOf(target);
  return path === undefined ? undefined : { path, fd: -1, look: undefined };
}

/** A number or a name; what is falsy is the default. */
function flagsOf(flag, otherwise) {
  if (!flag) return FLAGS[otherwise];
  if (typeof flag === 'number') return (flag | 0) === flag ? flag : undefined;
  return typeof flag === 'string' ? FLAGS[flag] : undefined;
}

/** An octal string or a 32-bit unsigned integer, of which the system takes the lowest bits. */
function modeOf(mode) {
  mode ??= 0o666;
  if (typeof mode === 'string') mode = /^[0-7]+$/.test(mode) ? parseInt(mode, 8) : undefined;
  return NumberIsInteger(mode) && mode >= 0 && mode <= 0xffffffff ? mode & 0o7777 : undefined;
}

/** The bytes to write. */
function bytesOf(data, encoding) {
  if (typeof data === 'string') return from(data, encoding || 'utf8');
  if (!isView(data)) return undefined;
  const { buffer, byteOffset, byteLength } = data;
  // None of one that is detached: that throws.
  return byteLength === 0 ? from(new Uint8Array(buffer, byteOffset, 0)) : data;
}

module.exports = {
  runOptions,
  checkConverter,
  checkFunction,
  checkTime,
  checkFuture,
  notTimeout,
  descriptorOf,
  checkEvents,
  notNative,
  quietClasses,
  keysOfChildren,
  namedYieldables,
  checkPeriod,
  checkPermits,
  checkMaxsize,
  checkCompare,
  attempt,
  optionsOf,
  pathOf,
  targetOf,
  flagsOf,
  modeOf,
  bytesOf,
};
