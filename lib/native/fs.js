'use strict';

// The functions of fs.promises: Node's arguments and results around the native ones, which take and
// give raw data. What those do not take (an argument that is refused, options that only some
// versions know, iterables to write), Node's own functions answer.

const { Dirent, promises, statSync } = require('node:fs');
const nodePath = require('node:path');
const { Buffer } = require('node:buffer');
const {
  attempt, optionsOf, pathOf, targetOf, flagsOf, modeOf, bytesOf,
} = require('../arguments.js');
const { binding, missing, runtime } = require('./addon.js');

const { start, takesFuture } = runtime;

// As they are now, whoever replaces or deletes globals and functions later.
const { BigInt64Array, Date, Float64Array, Number } = globalThis;
const { create, defineProperty, getOwnPropertySymbols, getPrototypeOf, hasOwn } = Object;
const { isArray } = Array;
const { round } = Math;
const { concat, from } = Buffer;
const copyBytes = Uint8Array.prototype.slice;
const { cwd } = process;
const theirs = { ...promises };

/**
 * `begin(...args)` reads the arguments and gives a function that starts the call; where it gives
 * undefined instead, Node's function of the name answers. Whether a Future is wanted is known
 * before the arguments are read, which may be getters that call native functions.
 */
function withNode(name, begin) {
  const node = theirs[name];
  const fn = (...args) => {
    const wanted = takesFuture();
    return attempt(begin, ...args)?.(wanted) ?? node(...args);
  };
  defineProperty(fn, 'name', { value: name });
  defineProperty(fn, 'length', { value: node.length });
  return fn;
}

// ---- Files ----

function decoder(encoding) {
  return encoding && encoding !== 'buffer' ? (data) => data.toString(encoding) : undefined;
}

/**
 * Reads a whole file. As fs.promises.readFile, and a file descriptor is taken too: it is read from
 * its position on and stays open.
 * @param {string|Buffer|URL|number|FileHandle} path
 * @param {string|{encoding?: string, flag?: string|number, signal?: AbortSignal}} [options]
 * @returns {Promise<Buffer|string>}
 */
const readFile = withNode('readFile', (path, options) => {
  options = optionsOf(options);
  const target = targetOf(path);
  if (options === undefined || target === undefined) return undefined;
  if (options.buffer !== undefined) return undefined;
  const flags = flagsOf(target.path === undefined ? undefined : options.flag, 'r');
  if (flags === undefined) return undefined;
  const { encoding, signal } = options;
  const given = [target.path ?? '', target.fd, flags, target.look];
  return (wanted) => start(binding.fsReadFile, given, decoder(encoding), signal, wanted);
});

/**
 * Writes a whole file. As fs.promises.writeFile, and a file descriptor is taken too.
 * @param {string|Buffer|URL|number|FileHandle} path
 * @param {string|Buffer|TypedArray|DataView|Iterable|AsyncIterable} data strings and bytes are
 *   copied before the call returns
 * @param {string|{encoding?: string, mode?: number, flag?: string|number, flush?: boolean, signal?:
 *   AbortSignal}} [options]
 * @returns {Promise<void>}
 */
const writeFile = withNode('writeFile', (path, data, options) => {
  options = optionsOf(options);
  const target = targetOf(path);
  if (options === undefined || target === undefined) return undefined;
  const { encoding, signal } = options;
  const flush = options.flush ?? false;
  const flags = flagsOf(target.path === undefined ? undefined : options.flag, 'w');
  const mode = modeOf(options.mode);
  const bytes = bytesOf(data, encoding);
  if (typeof flush !== 'boolean') return undefined;
  if (flags === undefined || mode === undefined || bytes === undefined) return undefined;
  const given = [target.path ?? '', target.fd, bytes, flags, mode, flush, target.look];
  const write = target.path === undefined ? binding.fsWriteDescriptor : binding.fsWriteFile;
  return (wanted) => start(write, given, undefined, signal, wanted);
});

// ---- Stats ----

const FIELDS = ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'ino', 'size', 'blocks'];
const TIMES = ['atime', 'mtime', 'ctime', 'birthtime'];

// The platform's own prototypes, and whether its Stats have the dates as own properties (they are
// getters on newer Nodes). Nothing is looked at without a binary: Deno would ask its user.
const look = missing === undefined ? statSync : () => ({});
const sample = look(__filename);
const StatsPrototype = getPrototypeOf(sample);
const BigIntStatsPrototype = getPrototypeOf(look(__filename, { bigint: true }));
const ownDates = hasOwn(sample, 'atime');

// From Node 26 on, Stats keep the nanoseconds that a double of milliseconds loses, under symbols of
// their own.
const nanosecondKeys = TIMES.map((name) => {
  const symbols = getOwnPropertySymbols(sample);
  return symbols.find(({ description }) => description.toLowerCase().endsWith(`partial${name}ns`));
});

/** C's 18 fields as an array of the given type. */
function fieldsOf(data, Type) {
  if (data.byteOffset % 8 !== 0) data = copyBytes.call(data);
  return new Type(data.buffer, data.byteOffset, data.byteLength / 8);
}

function setDates(stats, milliseconds) {
  if (!ownDates) return stats;
  for (const [i, name] of TIMES.entries()) stats[name] = new Date(round(Number(milliseconds[i])));
  return stats;
}

function toStats(data) {
  const raw = fieldsOf(data, Float64Array);
  const stats = create(StatsPrototype);
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
  const stats = create(BigIntStatsPrototype);
  for (const [i, name] of FIELDS.entries()) stats[name] = raw[i];
  const times = TIMES.map((_, i) => raw[10 + 2 * i] * 1000n + raw[11 + 2 * i] / 1000000n);
  for (const [i, name] of TIMES.entries()) stats[`${name}Ms`] = times[i];
  for (const [i, name] of TIMES.entries()) {
    stats[`${name}Ns`] = raw[10 + 2 * i] * 1000000000n + raw[11 + 2 * i];
  }
  return setDates(stats, times);
}

/**
 * Of the options, `bigint` is read here. Others are those of newer versions: whether they mean
 * anything, Node says.
 */
function statFunction(name, follow) {
  return withNode(name, (path, options) => {
    const plain = options === undefined ||
      (typeof options === 'object' && options !== null && !isArray(options) &&
        options.throwIfNoEntry === undefined && options.signal === undefined);
    const file = pathOf(path);
    if (!plain || file === undefined) return undefined;
    const bigint = options?.bigint === true;
    const convert = bigint ? toBigIntStats : toStats;
    return (wanted) => start(binding.fsStat, [file, follow, bigint], convert, undefined, wanted);
  });
}

/**
 * As fs.promises.stat.
 * @param {string|Buffer|URL} path
 * @param {{bigint?: boolean}} [options]
 * @returns {Promise<Stats|BigIntStats>}
 */
const stat = statFunction('stat', true);

/** The same of a symbolic link itself. As fs.promises.lstat. */
const lstat = statFunction('lstat', false);

/**
 * The path without symbolic links, `.` and `..`. As fs.promises.realpath.
 * @param {string|Buffer|URL} path
 * @param {string|{encoding?: string}} [options] 'buffer': its bytes
 * @returns {Promise<string|Buffer>}
 */
const realpath = withNode('realpath', (path, options) => {
  options = optionsOf(options);
  const file = pathOf(path);
  if (options === undefined || file === undefined) return undefined;
  const decode = decoder(options.encoding || 'utf8');
  return (wanted) => start(binding.fsRealpath, [file], decode, undefined, wanted);
});

// ---- Directories ----

// What C tells of an entry's type: nothing, its own, or also whether a link leads to a directory.
const NO_TYPES = 0;
const OWN_TYPES = 1;
const TARGET_TYPES = 2;

const DIRECTORY = 2; // UV_DIRENT_DIR
const LEADS_TO_DIRECTORY = 0x80;
const SLASH = 0x2f;

// With types, Node goes into links to directories from 26 on; without, always.
const goesIntoLinks = Number.parseInt(process.versions.node, 10) >= 26;

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
  return encoding === 'buffer' ? (name) => from(name) : (name) => name.toString(encoding || 'utf8');
}

function joinBytes(directory, name) {
  if (directory.length === 0) return name;
  if (directory[directory.length - 1] === SLASH) return concat([directory, name]);
  return concat([directory, from('/'), name]);
}

// Where in `root` a directory is, as its Dirents say.
function parentOf(root, relative) {
  if (typeof root === 'string' && typeof relative === 'string') {
    return nodePath.join(root, relative);
  }
  return joinBytes(from(root), from(relative));
}

function entriesWithTypes(data, directory, decodeName) {
  return parseEntries(data).map(({ type, name }) => new Dirent(decodeName(name), type, directory));
}

// So that a change of the working directory does not lead elsewhere. It can't be said where its
// name is not UTF-8 or it is gone.
function fromWorkingDirectory(root) {
  const here = root.length === 0 || root[0] === SLASH ? undefined : attempt(cwd);
  return here === undefined || here.includes('\ufffd') ? root : joinBytes(from(here), root);
}

// As Node does it from version 26 on: level by level, in bytes until all is known.
async function listRecursively(root, decodeName, withFileTypes) {
  const result = [];
  const shown = from(root);
  const base = fromWorkingDirectory(shown);
  const types = withFileTypes && !goesIntoLinks ? OWN_TYPES : TARGET_TYPES;
  const directories = [from('')];
  for (const directory of directories) {
    const isRoot = directory.length === 0;
    const place = isRoot ? base : joinBytes(base, directory);
    const named = isRoot ? shown : joinBytes(shown, directory);
    const data = await start(binding.fsReaddir, [place, types, named]);
    const parent = withFileTypes && !isRoot ? parentOf(root, decodeName(directory)) : root;
    for (const { type, name } of parseEntries(data)) {
      const relative = joinBytes(directory, name);
      result.push(withFileTypes
        ? new Dirent(decodeName(name), type & ~LEADS_TO_DIRECTORY, parent)
        : decodeName(relative));
      if (type === DIRECTORY || type >= LEADS_TO_DIRECTORY) directories.push(relative);
    }
  }
  return result;
}

// Node copies them first: of what is inherited that takes the enumerable properties, so no getters
// of classes.
function copyOf(options) {
  const copy = { __proto__: null };
  for (const key in options) copy[key] = options[key];
  return copy;
}

/**
 * The names in a directory. As fs.promises.readdir.
 * @param {string|Buffer|URL} path
 * @param {string|{encoding?: string, withFileTypes?: boolean, recursive?: boolean}} [options]
 * @returns {Promise<string[]|Buffer[]|Dirent[]>}
 */
const readdir = withNode('readdir', (path, options) => {
  options = optionsOf(options);
  const directory = pathOf(path);
  if (options === undefined || directory === undefined) return undefined;
  const { encoding, withFileTypes, recursive } = copyOf(options);
  const decodeName = nameDecoder(encoding);
  if (recursive) return () => listRecursively(directory, decodeName, withFileTypes);
  const decode = withFileTypes
    ? (data) => entriesWithTypes(data, directory, decodeName)
    : (data) => parseEntries(data).map((entry) => decodeName(entry.name));
  const given = [directory, withFileTypes ? OWN_TYPES : NO_TYPES];
  return (wanted) => start(binding.fsReaddir, given, decode, undefined, wanted);
});

module.exports = {
  readFile,
  writeFile,
  stat,
  lstat,
  realpath,
  readdir,
  /**
   * What a directory holds, as `du -sb`: apparent sizes, hard links once, symbolic links not
   * followed. One promise for thousands of awaits in C.
   * @param {string|Buffer|URL} path
   * @param {{concurrency?: number, signal?: AbortSignal}} [options] directories in flight, 8 by
   *   default
   * @returns {Promise<{bytes: number, files: number, directories: number}>}
   */
  du: binding.du,
};
