'use strict';

// Arguments of the functions of fs.promises, of every kind that they tell apart, and their
// combinations.

const nodeFs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { isDeepStrictEqual } = require('node:util');
const vm = require('node:vm');

/** A generator of numbers below n that gives the same for the same seed. */
function randomOf(seed) {
  return (n) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * n);
  };
}

// A kind of argument: what it is called, and what makes a new one: `{value, after, close}`, where
// `after` is called when the function has been, and `close` when it is through.
const kind = (label, make) => ({ label, make });
const plain = (label, value) => kind(label, () => ({ value }));
const values = (...list) =>
  list.map((value) => plain(typeof value === 'string' ? JSON.stringify(value) : String(value),
    value));
const functions = values(() => {}).map(({ make }) => kind('function', make));

// ---- Files ----

const text = 'caf\u00e9 \u{1f600}\n'.repeat(20);

// What a call may change, as it is to be before every call: [content, mode]; null: not there.
const initial = { text: [text, 0o100644], empty: ['', 0o100644], missing: null, nowhere: null };

/** What is there of it. */
function stateOf(folder) {
  return Object.fromEntries(Object.keys(initial).map((name) => {
    const file = path.join(folder, name);
    const stats = nodeFs.lstatSync(file, { throwIfNoEntry: false });
    return [name, stats === undefined ? null : [nodeFs.readFileSync(file, 'utf8'), stats.mode]];
  }));
}

/** Makes it so again, where `state` is something else. */
function resetFolder(folder, state = {}) {
  for (const [name, [content, mode] = []] of Object.entries(initial)
    .map(([key, value]) => [key, value ?? undefined])) {
    const file = path.join(folder, name);
    if (isDeepStrictEqual(state[name], initial[name])) continue;
    nodeFs.rmSync(file, { force: true });
    if (content !== undefined) nodeFs.writeFileSync(file, content, { mode });
  }
}

function makeFolder(folder) {
  resetFolder(folder);
  nodeFs.mkdirSync(path.join(folder, 'folder', 'sub', 'deep'), { recursive: true });
  nodeFs.writeFileSync(path.join(folder, 'folder', 'sub', 'file'), 'x');
  nodeFs.symlinkSync('sub', path.join(folder, 'folder', 'link'));
  nodeFs.symlinkSync('gone', path.join(folder, 'folder', 'dangling'));
  const raw = Buffer.from(path.join(folder, 'raw/\xff'), 'latin1');
  nodeFs.mkdirSync(raw, { recursive: true });
  nodeFs.writeFileSync(Buffer.concat([raw, Buffer.from('/file')]), '');
  nodeFs.writeFileSync(path.join(folder, 'large'), Buffer.alloc(1.2e6, text));
  nodeFs.truncateSync(path.join(folder, 'large'), 1.2e6);
  nodeFs.writeFileSync(path.join(folder, 'huge'), '');
  nodeFs.truncateSync(path.join(folder, 'huge'), 3e9);
  nodeFs.writeFileSync(path.join(folder, 'locked'), 'secret');
  nodeFs.chmodSync(path.join(folder, 'locked'), 0);
  nodeFs.symlinkSync('text', path.join(folder, 'link'));
  nodeFs.symlinkSync('nowhere', path.join(folder, 'dangling'));
  nodeFs.symlinkSync('loop', path.join(folder, 'loop'));
}

async function handleOf(file, flags) {
  const handle = await nodeFs.promises.open(file, flags);
  return { value: handle, close: () => handle.close() };
}

function descriptorOf(file) {
  const fd = nodeFs.openSync(file, 'r+');
  return { value: fd, close: () => nodeFs.closeSync(fd) };
}

const foreign = (code, sandbox) => vm.runInNewContext(code, sandbox);

function pathKinds(name, folder) {
  const at = (...names) => path.join(folder, ...names);
  const file = at('text');
  const named = ['text', 'empty', 'large', 'huge', 'folder', 'link', 'dangling', 'loop', 'missing',
    'locked', 'missing/file', 'text/file', 'folder/']
    .map((one) => plain(one, `${folder}/${one}`));
  return [
    ...named, plain('raw names', at('raw')),
    ...values('/proc/filesystems', name === 'writeFile' ? '/dev/full' : '/dev/null', '', 'a\0b',
      'x'.repeat(300), path.relative('.', file), path.relative('.', at('folder'))),
    plain('Buffer', Buffer.from(file)), plain('Buffer of a folder', Buffer.from(at('folder'))),
      plain('Uint8Array', new Uint8Array(Buffer.from(file))),
    plain('Buffer with NUL', Buffer.from('a\0')), plain('Uint16Array', new Uint16Array(4)),
    plain('bytes of another realm', foreign('Uint8Array.from(bytes)',
      { bytes: [...Buffer.from(file)] })),
    plain('URL', pathToFileURL(file)), plain('URL of a folder', pathToFileURL(at('folder'))),
      plain('http URL', new URL('http://x/y')),
    plain('URL with NUL', new URL('file:///a%00b')), plain('String object', Object(file)),
    plain('URL of another realm', foreign('({ href, protocol, pathname, host: "", hostname: "" })',
      pick(pathToFileURL(file)))),
    plain('legacy url', { href: 'file:///x', protocol: 'file:', auth: null, path: '/x' }),
    ...values(undefined, null, true, -1, 1.5, NaN, 2 ** 31, 5n, Symbol('path')), plain('{}', {}),
      plain('[]', []), plain('{fd: 0}', { fd: 0 }), ...functions,
    kind('descriptor', () => descriptorOf(file)),
    kind('FileHandle', () => handleOf(file, 'r+')),
      kind('FileHandle to append', () => handleOf(file, 'a+')),
    kind('FileHandle of a folder', () => handleOf(at('folder'), 'r')),
      kind('FileHandle that inherits', async () => {
      const { value, close } = await handleOf(file, 'r+');
      return { value: Object.create(value), close };
    }),
    kind('closed FileHandle', async () => {
      const { value } = await handleOf(file, 'r+');
      await value.close();
      return { value };
    }),
  ];
}

function pick({ href, protocol, pathname }) {
  return { href, protocol, pathname };
}

// ---- Data ----

const memory = Uint8Array.from({ length: 64 }, (_, i) => i).buffer;

const dataKinds = [
  plain('text', 'caf\u00e9'), plain('""', ''), plain('hex digits', 'ffee00'),
  plain('lone surrogate', 'a\ud800b'), plain('much text', 'x'.repeat(7e5)),
  plain('Buffer', Buffer.from('bytes')), plain('no bytes', Buffer.alloc(0)),
    plain('many bytes', Buffer.alloc(7e5, 'y')),
  plain('Uint16Array', new Uint16Array(memory, 2, 3)),
    plain('DataView', new DataView(memory, 1, 7)),
    plain('BigInt64Array', new BigInt64Array(memory, 8, 2)),
  plain('bytes of another realm', foreign('Uint8Array.of(1, 2, 3)')),
    plain('shared', new Uint8Array(new SharedArrayBuffer(4))),
  plain('resizable', new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 }), 1, 2)),
  kind('detached', () => {
    const value = new Uint8Array(8);
    structuredClone(value.buffer, { transfer: [value.buffer] });
    return { value };
  }),
  plain('array', ['one', Buffer.from('two')]), plain('array of numbers', [1]),
    plain('Set', new Set(['a', 'b'])), plain('String object', Object('text')),
  kind('async generator',
    () => ({ value: (async function* () { yield 'a'; yield Buffer.from('b'); }()) })),
  kind('generator that throws',
    () => ({ value: (function* () { yield 'a'; throw new Error('in between'); }()) })),
  ...values(undefined, null, 5, true, 5n, Symbol('data')), plain('{}', {}),
    plain('ArrayBuffer', memory), ...functions,
];

// ---- Options ----

const signals = [
  ...values(undefined, null, 5, 'signal'), plain('{}', {}),
  plain('{aborted: false}', { aborted: false }), plain('{aborted: true}', { aborted: true }),
  kind('signal', () => ({ value: new AbortController().signal })),
  kind('aborted', () => ({ value: AbortSignal.abort('reason') })),
  kind('aborting', () => {
    const controller = new AbortController();
    return { value: controller.signal, after: () => controller.abort('reason') };
  }),
];

const encodings = values(undefined, null, '', 0, false, 'utf8', 'UTF-8', 'latin1', 'ascii', 'hex',
  'base64', 'base64url', 'ucs2', 'buffer', 'nonsense', 5, true);
const flagNames = ['r', 'rs', 'sr', 'r+', 'rs+', 'sr+', 'w', 'wx', 'xw', 'w+', 'wx+', 'xw+', 'a',
  'ax', 'xa', 'as', 'sa', 'a+', 'ax+', 'xa+', 'as+', 'sa+'];
const { O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_WRONLY } = nodeFs.constants;
const flags = [
  ...values(undefined, null, 0, -0, '', false, NaN, ...flagNames, O_RDWR, O_RDWR | O_CREAT,
    O_CREAT | O_EXCL | O_WRONLY, O_APPEND | O_WRONLY),
  ...values('R', 'nonsense', 'toString', 1.5, 2 ** 31, true, 5n), plain('["r"]', ['r']),
    plain('{}', {}),
];
const modes = [...values(undefined, null, 0o600, 0, '600', '0644', '0o600', '', 'rw', -1, 1.5,
  2 ** 32, 0o100755, true, NaN), plain('{}', {})];
const switches = [...values(undefined, null, true, false, 0, 1, '', 'yes'), plain('{}', {})];
const buffers = [
  ...values(undefined, null, 5), kind('Buffer', () => ({ value: Buffer.alloc(1000) })),
  kind('small Buffer', () => ({ value: Buffer.alloc(2) })),
  kind('function', () => ({ value: (size) => Buffer.alloc(size + 1) })),
];

/** What every function's options may have. */
const properties = {
  readFile: { encoding: encodings, flag: flags, signal: signals, buffer: buffers },
  writeFile: { encoding: encodings, mode: modes, flag: flags, flush: switches, signal: signals },
  stat: { bigint: switches, throwIfNoEntry: switches, signal: signals },
  lstat: { bigint: switches, throwIfNoEntry: switches, signal: signals },
  readdir: { encoding: encodings, withFileTypes: switches, recursive: switches, signal: signals },
  realpath: { encoding: encodings, signal: signals },
};

const classOf = (object) => {
  class Options {}
  for (const key of Object.keys(object)) {
    Object.defineProperty(Options.prototype, key, { get: () => object[key], configurable: true });
  }
  return new Options();
};

const containers = [
  ['object', (object) => object],
  ['null prototype', (object) => Object.assign(Object.create(null), object)],
  ['inherited', (object) => Object.create(object)],
  ['getters of a class', classOf],
  ['own getters', (object) => Object.defineProperties({},
    Object.fromEntries(Object.keys(object)
      .map((key) => [key, { get: () => object[key], enumerable: true }])))],
  ['hidden', (object) => Object.defineProperties({},
    Object.fromEntries(Object.keys(object).map((key) => [key, { value: object[key] }])))],
  ['frozen', (object) => Object.freeze(object)],
  ['proxy', (object) => new Proxy(object, {})],
  ['array', (object) => Object.assign([], object)],
  ['of another realm', (object) => Object.assign(foreign('({})'), object)],
];

const noObjects = [
  ...values(undefined, null, 'utf8', 'latin1', 'hex', 'buffer', 'nonsense', '', 5, 0, true, false,
    5n, Symbol('options')), ...functions,
  kind('getter that throws',
    () => ({ value: { get encoding() { throw new RangeError('no'); },
      get bigint() { throw new RangeError('no'); } } })),
];

/** Options of these kinds: `chosen` has a kind for each of some properties. */
function optionsKind(chosen, [label, contain]) {
  const keys = Object.keys(chosen);
  return kind(`${label} {${keys.map((key) => `${key}: ${chosen[key].label}`).join(', ')}}`, () => {
    const made = keys.map((key) => [key, chosen[key].make()]);
    const value = contain(Object.fromEntries(made.map(([key, one]) => [key, one.value])));
    return { value, after: () => made.forEach(([, one]) => one.after?.()) };
  });
}

/** Every kind of options with one property, in every container, and `count` with several. */
function optionKinds(name, count, random) {
  const known = properties[name];
  const one = (list) => list[random(list.length)];
  const single = Object.entries(known)
    .flatMap(([key, kinds]) => kinds.map((made) => optionsKind({ [key]: made }, one(containers))));
  const each = containers.map((container) =>
    optionsKind(Object.fromEntries(Object.entries(known).map(([key, kinds]) => [key, kinds[0]])),
      container));
  const several = Array.from({ length: count }, () => {
    const keys = Object.keys(known).filter(() => random(3) > 0);
    return optionsKind(Object.fromEntries(keys.map((key) => [key, one(known[key])])),
      one(containers));
  });
  return [...noObjects, ...single, ...each, ...several];
}

/**
 * Lists of arguments: every kind of each argument at least once beside usual ones, and then `count`
 * at random.
 */
function* combinations(name, folder, count, random) {
  const lists = [pathKinds(name, folder), ...name === 'writeFile' ? [dataKinds] : [],
    optionKinds(name, 60, random)];
  const usual = lists.map((list, i) => (i === 0 && name === 'readdir'
    ? list.find(({ label }) => label === 'folder') : list[0]));
  for (const [i, list] of lists.entries()) {
    for (const made of list) yield usual.map((one, j) => (i === j ? made : one));
  }
  for (let i = 0; i < count; i++) yield lists.map((list) => list[random(list.length)]);
}

module.exports = { randomOf, makeFolder, resetFolder, stateOf, combinations };
