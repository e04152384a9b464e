'use strict';

// Node's options and results around the native file functions, which take and give raw data.

const nodeFs = require('node:fs');
const { EBADF } = require('node:os').constants.errno;
const nodePath = require('node:path');
const { Buffer } = require('node:buffer');
const { fileURLToPath } = require('node:url');
const { inspect } = require('node:util');
const binding = require('./binding.js');

const { start, makeError, codedError, invalidType, badArgument } = binding.runtime;
const { constants } = nodeFs;

const FLAGS = {
  __proto__: null,
  r: constants.O_RDONLY,
  rs: constants.O_RDONLY | constants.O_SYNC,
  sr: constants.O_RDONLY | constants.O_SYNC,
  'r+': constants.O_RDWR,
  'rs+': constants.O_RDWR | constants.O_SYNC,
  'sr+': constants.O_RDWR | constants.O_SYNC,
  w: constants.O_TRUNC | constants.O_CREAT | constants.O_WRONLY,
  wx: constants.O_TRUNC | constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL,
  xw: constants.O_TRUNC | constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL,
  'w+': constants.O_TRUNC | constants.O_CREAT | constants.O_RDWR,
  'wx+': constants.O_TRUNC | constants.O_CREAT | constants.O_RDWR | constants.O_EXCL,
  'xw+': constants.O_TRUNC | constants.O_CREAT | constants.O_RDWR | constants.O_EXCL,
  a: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY,
  ax: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL,
  xa: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_EXCL,
  as: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_SYNC,
  sa: constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_SYNC,
  'a+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR,
  'ax+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_EXCL,
  'xa+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_EXCL,
  'as+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_SYNC,
  'sa+': constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_SYNC,
};

function invalidValue(name, reason, value) {
  const message = `The argument '${name}' ${reason}. Received ${inspect(value)}`;
  return codedError(TypeError, 'ERR_INVALID_ARG_VALUE', message, invalidValue);
}

/** `options` as Node takes them: an encoding, an object, or nothing. */
function readOptions(options, defaults) {
  if (options === undefined || options === null || typeof options === 'function') return defaults;
  if (typeof options === 'string') options = { encoding: options };
  else if (typeof options !== 'object') throw invalidType('"options" argument', 'options', options);
  const merged = { ...defaults, ...options };
  const { encoding } = merged;
  if (encoding !== undefined && encoding !== null && encoding !== 'buffer' && !Buffer.isEncoding(encoding)) {
    throw invalidValue('encoding', 'is invalid encoding', encoding);
  }
  return merged;
}

function readFlags(flag) {
  if (typeof flag === 'number') return flag;
  if (flag === undefined || flag === null) return constants.O_RDONLY;
  const flags = FLAGS[flag];
  if (flags === undefined) throw invalidValue('flags', 'is invalid', flag);
  return flags;
}

function isFileHandle(target) {
  return target !== null && typeof target === 'object' && typeof target.fd === 'number' && typeof target.readFile === 'function';
}

/** A path and no descriptor (-1), or an empty path and the descriptor of a number or FileHandle. */
function readTarget(target, syscall) {
  if (Number.isInteger(target) && target >= 0 && target <= 0x7fffffff) return ['', target];
  if (!isFileHandle(target)) return [target, -1];
  if (target.fd < 0) throw makeError({ code: 'EBADF', errno: -EBADF, text: 'bad file descriptor', syscall }, readTarget);
  return ['', target.fd];
}

/** An octal string or a 32-bit unsigned integer, of which the system takes the lowest bits. */
function readMode(mode) {
  if (mode === undefined || mode === null) return 0o666;
  if (typeof mode === 'string') {
    if (!/^[0-7]+$/.test(mode)) throw invalidValue('mode', 'must be a 32-bit unsigned integer or an octal string', mode);
    mode = Number.parseInt(mode, 8);
  }
  if (typeof mode !== 'number') throw badArgument(0, 'mode', 'number', mode);
  if (!Number.isInteger(mode)) throw badArgument(1, 'mode', 'an integer', mode);
  if (mode < 0 || mode > 0xffffffff) throw badArgument(1, 'mode', '>= 0 && <= 4294967295', mode);
  return mode & 0o7777;
}

function decoder(encoding) {
  return encoding && encoding !== 'buffer' ? (data) => data.toString(encoding) : undefined;
}

/** What an argument throws becomes the rejection: a function that returns a promise never throws. */
function promised(fn) {
  const wrapped = (...args) => {
    try {
      return fn(...args);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  Object.defineProperty(wrapped, 'name', { value: fn.name });
  Object.defineProperty(wrapped, 'length', { value: fn.length });
  return wrapped;
}

// ---- Files ----------------------------------------------------------------------------------------------------------

/**
 * Reads a whole file. As fs.promises.readFile, and a file descriptor is taken too: it is read from its position on and stays open.
 * @param {string|Buffer|URL|number|FileHandle} path
 * @param {string|{encoding?: string, flag?: string|number, signal?: AbortSignal}} [options]
 * @returns {Promise<Buffer|string>}
 */
function readFile(path, options) {
  const { encoding, flag, signal } = readOptions(options, { flag: 'r' });
  const [name, fd] = readTarget(path, 'read');
  return start(binding.fsReadFile, [name, fd, readFlags(flag)], decoder(encoding), signal);
}

/**
 * Writes a whole file. As fs.promises.writeFile, and a file descriptor is taken too; `data` is a string or bytes.
 * @param {string|Buffer|URL|number|FileHandle} path
 * @param {string|Buffer|TypedArray|DataView} data copied before the call returns
 * @param {string|{encoding?: string, mode?: number, flag?: string|number, flush?: boolean, signal?: AbortSignal}} [options]
 * @returns {Promise<void>}
 */
function writeFile(path, data, options) {
  const { encoding, mode, flag, flush, signal } = readOptions(options, { encoding: 'utf8', flag: 'w', flush: false });
  if (typeof data === 'string') data = Buffer.from(data, encoding ?? 'utf8');
  else if (!ArrayBuffer.isView(data)) {
    throw invalidType('"data" argument', 'data', data);
  }
  if (typeof (flush ?? false) !== 'boolean') throw badArgument(0, 'options.flush', 'boolean', flush);
  const [name, fd] = readTarget(path, 'write');
  return start(binding.fsWriteFile, [name, fd, data, readFlags(flag), readMode(mode), flush ?? false], undefined, signal);
}

// ---- Stats ----------------------------------------------------------------------------------------------------------

const FIELDS = ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'ino', 'size', 'blocks'];
const TIMES = ['atime', 'mtime', 'ctime', 'birthtime'];

// The platform's own prototypes, and whether its Stats have the dates as own properties (they are getters on newer Nodes).
const sample = nodeFs.statSync(__filename);
const StatsPrototype = Object.getPrototypeOf(sample);
const BigIntStatsPrototype = Object.getPrototypeOf(nodeFs.statSync(__filename, { bigint: true }));
const ownDates = Object.hasOwn(sample, 'atime');

// From Node 26 on, Stats keep the nanoseconds that a double of milliseconds loses, under symbols of their own.
const nanosecondKeys = TIMES.map((name) => {
  const symbols = Object.getOwnPropertySymbols(sample);
  return symbols.find(({ description }) => description.toLowerCase().endsWith(`partial${name}ns`));
});

/** C's 18 fields as an array of the given type. */
function fieldsOf(data, Type) {
  if (data.byteOffset % 8 !== 0) data = Uint8Array.prototype.slice.call(data);
  return new Type(data.buffer, data.byteOffset, data.byteLength / 8);
}

function setDates(stats, milliseconds) {
  if (!ownDates) return stats;
  for (const [i, name] of TIMES.entries()) stats[name] = new Date(Math.round(Number(milliseconds[i])));
  return stats;
}

function toStats(data) {
  const raw = fieldsOf(data, Float64Array);
  const stats = Object.create(StatsPrototype);
  for (const [i, name] of FIELDS.entries()) stats[name] = raw[i];
  const times = TIMES.map((_, i) => raw[10 + 2 * i] * 1000 + raw[11 + 2 * i] / 1e6);
  for (const [i, name] of TIMES.entries()) stats[`${name}Ms`] = times[i];
  for (const [i, key] of nanosecondKeys.entries()) {
    if (key !== undefined) stats[key] = raw[11 + 2 * i];
  }
  return setDates(stats, times);
}

function toBigIntStats(data) {
  const raw = fieldsOf(data, BigInt64Array);
  const stats = Object.create(BigIntStatsPrototype);
  for (const [i, name] of FIELDS.entries()) stats[name] = raw[i];
  const times = TIMES.map((_, i) => raw[10 + 2 * i] * 1000n + raw[11 + 2 * i] / 1000000n);
  for (const [i, name] of TIMES.entries()) stats[`${name}Ms`] = times[i];
  for (const [i, name] of TIMES.entries()) stats[`${name}Ns`] = raw[10 + 2 * i] * 1000000000n + raw[11 + 2 * i];
  return setDates(stats, times);
}

function statPath(path, follow, options) {
  const bigint = Boolean(options?.bigint);
  return start(binding.fsStat, [path, follow, bigint], bigint ? toBigIntStats : toStats);
}

/**
 * As fs.promises.stat.
 * @param {string|Buffer|URL} path
 * @param {{bigint?: boolean}} [options]
 * @returns {Promise<Stats|BigIntStats>}
 */
function stat(path, options = { bigint: false }) {
  return statPath(path, true, options);
}

/** The same of a symbolic link itself. As fs.promises.lstat. */
function lstat(path, options = { bigint: false }) {
  return statPath(path, false, options);
}

// ---- Directories ----------------------------------------------------------------------------------------------------

/** C's list: a type byte, the name, NUL, for every entry. */
function parseEntries(data) {
  const entries = [];
  for (let at = 0; at < data.length;) {
    const end = data.indexOf(0, at + 1);
    entries.push({ type: data[at], name: data.subarray(at + 1, end) });
    at = end + 1;
  }
  return entries;
}

function nameDecoder(encoding) {
  return encoding === 'buffer' ? (name) => Buffer.from(name) : (name) => name.toString(encoding ?? 'utf8');
}

function join(directory, name) {
  if (typeof directory === 'string' && typeof name === 'string') return nodePath.join(directory, name);
  const parts = [Buffer.from(directory), Buffer.from(nodePath.sep), Buffer.from(name)];
  return Buffer.concat(parts);
}

async function listWithTypes(directory, decodeName) {
  const entries = parseEntries(await start(binding.fsReaddir, [directory, true]));
  return entries.map(({ type, name }) => new nodeFs.Dirent(decodeName(name), type, directory));
}

// Level by level: the order of readdirSync, and from Node 26 on of fs.promises.readdir too.
async function listRecursively(root, decodeName, withFileTypes) {
  const result = [];
  const directories = [root];
  for (const directory of directories) {
    for (const dirent of await listWithTypes(directory, decodeName)) {
      const full = join(directory, dirent.name);
      result.push(withFileTypes ? dirent : nodePath.relative(String(root), String(full)));
      if (dirent.isDirectory()) directories.push(full);
    }
  }
  return result;
}

/**
 * The names in a directory. As fs.promises.readdir.
 * @param {string|Buffer|URL} path
 * @param {string|{encoding?: string, withFileTypes?: boolean, recursive?: boolean}} [options]
 * @returns {Promise<string[]|Buffer[]|Dirent[]>}
 */
function readdir(path, options) {
  const { encoding, withFileTypes, recursive } = readOptions(options, { withFileTypes: false, recursive: false });
  const decodeName = nameDecoder(encoding);
  if (path instanceof URL) path = fileURLToPath(path);
  if (recursive) return listRecursively(path, decodeName, withFileTypes);
  if (withFileTypes) return listWithTypes(path, decodeName);
  return start(binding.fsReaddir, [path, false], (data) => parseEntries(data).map((entry) => decodeName(entry.name)));
}

module.exports = {
  readFile: promised(readFile),
  writeFile: promised(writeFile),
  stat: promised(stat),
  lstat: promised(lstat),
  readdir: promised(readdir),
  /**
   * What a directory holds, as `du -sb`: apparent sizes, hard links once, symbolic links not followed. One promise for
   * thousands of awaits in C.
   * @param {string|Buffer|URL} path
   * @param {{concurrency?: number, signal?: AbortSignal}} [options] directories in flight, 8 by default
   * @returns {Promise<{bytes: number, files: number, directories: number}>}
   */
  du: binding.du,
};
