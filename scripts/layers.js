'use strict';

// node scripts/layers.js [--print | --write | --fields]
// The layers of src, from the bottom up: each uses what is below it only. Fails for an object file
// that uses a symbol of a layer above its own, for an #include of one, and for object files of one
// layer that use each other in a circle; and when the table in docs/how-it-works.md is not what
// --print prints, which --write puts right. It looks at what the compiler makes of the sources as
// they are now, in build/layers. --fields looks, with clang and for minutes, for functions that
// write a field of a lower layer's struct.

const { execFileSync, spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const readline = require('readline');
const { parseArgs } = require('util');
const { compileAll, listSources } = require('./compile.js');
const { filesBelow } = require('./files.js');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build', 'layers');
const DOCUMENT = 'docs/how-it-works.md';
const FLAGS = ['-std=gnu11', '-O0', '-fvisibility=hidden', '-DNAPI_VERSION=8'];

/**
 * From the bottom up. A folder stands for those inside it, too, unless they have a line of their
 * own.
 */
const LAYERS = [
  { folder: 'src/core/switch',
    holds: 'contexts, stacks and their guards, C++ exceptions; which loop a thread is in' },
  { folder: 'src/core/value', holds: 'values, and whose they are; lists' },
  { folder: 'src/core/scheduler',
    holds: 'coroutines, the ready queue, timeouts; the one wait, with its masks and deadlines' },
  { folder: 'src/core/future',
    holds: 'what waits are for: futures, generators, groups, locks, channels' },
  { folder: 'src/core/loop',
    holds: 'the scheduler\'s host: handles in a libuv loop, its turns and its end; what can be asked of it' },
  { folder: 'src/io', holds: 'libuv\'s operations as waits; handles, whose they are and how long' },
  { folder: 'src/io/net', holds: 'the network: streams, listeners, readers and writers, names' },
  { folder: 'src/io/process', holds: 'child processes' },
  { folder: 'src/node/signatures', holds: 'the parser of signatures' },
  { folder: 'src/node/env',
    holds: 'what one environment has, and the ways to call into JavaScript' },
  { folder: 'src/node/values', holds: 'values that cross, in both directions' },
  { folder: 'src/node/exports', holds: 'what is exported, by its signature' },
  { folder: 'src/node/arguments', holds: 'arguments: checked, decoded, read' },
  { folder: 'src/node/calls', holds: 'calls in both directions, and those from other threads' },
  { folder: 'src/node/iterators', holds: 'exported generators' },
  { folder: 'src/node/classes', holds: 'exported classes' },
  { folder: 'src/node/tornado', holds: 'the C Runner, and the loop as an IOLoop' },
  { folder: 'src/node', holds: 'the module: makes an environment of all that, and takes it down' },
  { folder: 'src/addon', holds: 'fibril\'s own functions, by the public header alone',
    outside: true },
];

/** Declared by who calls them, for whoever uses that layer to define. */
const PROVIDED = new Map([
  ['fibril__coroutine_main', 'where fibril__entry goes: test/arch has another one'],
]);

/**
 * What is not in the public header, and who is outside uses all the same: the macro for modules
 * does, and who has the runtime for lib.
 */
const HIDDEN = new Set(['fibril__module_register', 'fibril__module_runtime', 'src/node/runtime.h']);

function layerOf(file) {
  const inside = (layer) => file.startsWith(`${layer.folder}/`);
  return LAYERS.filter(inside).sort((a, b) => b.folder.length - a.folder.length)[0];
}

const rank = (layer) => LAYERS.indexOf(layer);

/** Where node_api.h and uv.h are: beside the running node, or where node-gyp has been told. */
function findNode() {
  const places = [process.env.npm_config_nodedir, path.dirname(path.dirname(process.execPath))]
    .filter(Boolean);
  const found = places.map((place) => path.join(place, 'include', 'node'))
    .find((place) => fs.existsSync(path.join(place, 'node_api.h')));
  if (!found) throw new Error('node_api.h is not beside node, nor in npm_config_nodedir');
  return found;
}

/** The compiler's flags, and the C files that it is to see. */
function prepare() {
  fs.mkdirSync(folder, { recursive: true });
  execFileSync(process.execPath, ['gyp/js2c.js', path.join(folder, 'js'), 'src/node/runtime'],
    { cwd: root });
  const flags = [...FLAGS, `-I${path.join(folder, 'js')}`, `-I${findNode()}`];
  const files = listSources('src/core/:.c,.S', 'src/io/:.c', 'src/node/:.c', 'src/addon/:.c');
  return { flags, files };
}

// ---- Symbols ----

function symbolsOf(object) {
  const text = execFileSync('nm', ['--format=posix', object],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = text.split('\n').filter(Boolean).map((line) => line.split(' '));
  const named = (wanted) => lines.filter(([, kind]) => wanted.test(kind)).map(([name]) => name);
  return { defined: named(/^[A-TV-Z]$/), used: named(/^[Uw]$/) };
}

/** The object files: name, layer, and what each uses of the others, as [symbol, object]. */
function readObjects(files, objects) {
  const all = files.map((file, i) => ({ file, layer: layerOf(file), ...symbolsOf(objects[i]) }));
  const definers = new Map(all.flatMap((object) => object.defined.map((name) => [name, object])));
  for (const object of all) {
    object.uses = object.used.filter((name) => definers.has(name) && !PROVIDED.has(name))
      .map((name) => [name, definers.get(name)]);
  }
  return all;
}

function upwardUses(objects) {
  return objects.flatMap((object) => object.uses
    .filter(([, other]) => rank(other.layer) > rank(object.layer))
    .map(([name, other]) => `${object.file} uses ${name} of ${other.file}, a layer above`));
}

/** Of what is written against the public header: everything else of the library. */
function hiddenUses(objects) {
  return objects.filter(({ layer }) => layer.outside).flatMap((object) => object.uses
    .filter(([name, other]) => other.layer !== object.layer && name.startsWith('fibril__') &&
      !HIDDEN.has(name))
    .map(([name]) => `${object.file} uses ${name}, which is not public`));
}

/** Tarjan's: the groups of objects of a layer that use each other. */
function circles(objects) {
  const found = [];
  const number = new Map();
  const low = new Map();
  const stack = [];
  function visit(object) {
    number.set(object, number.size);
    low.set(object, number.get(object));
    stack.push(object);
    for (const [, other] of object.uses) {
      if (other.layer !== object.layer) continue;
      if (!number.has(other)) visit(other);
      if (stack.includes(other)) low.set(object, Math.min(low.get(object), low.get(other)));
    }
    if (low.get(object) !== number.get(object)) return;
    const group = stack.splice(stack.indexOf(object));
    if (group.length > 1) found.push(group);
  }
  for (const object of objects) if (!number.has(object)) visit(object);
  return found;
}

function describeCircle(group) {
  const lines = group.map((object) => {
    const inside = object.uses.filter(([, other]) => group.includes(other) && other !== object);
    return `    ${object.file}: ${inside.map(([name, other]) =>
      `${name} (${path.basename(other.file)})`).join(', ')}`;
  });
  return `${group.length} files of ${group[0]
    .layer.folder} use each other in a circle:\n${lines.join('\n')}`;
}

// ---- Includes ----

/** [file, the file it includes] for every #include of a file of src. */
function includes() {
  const files = filesBelow(path.join(root, 'src'), ['.c', '.h', '.S']);
  return files.flatMap((file) => {
    const names = [...fs.readFileSync(file, 'utf8').matchAll(/^#include "(.+)"/gm)]
      .map(([, name]) => path.join(path.dirname(file), name));
    return names.filter((name) => fs.existsSync(name))
      .map((name) => [path.relative(root, file), path.relative(root, name)]);
  });
}

function upwardIncludes() {
  return includes()
    .filter(([file, included]) => rank(layerOf(included)) > rank(layerOf(file)))
    .map(([file, included]) => `${file} includes ${included}, of a layer above`);
}

function hiddenIncludes() {
  return includes()
    .filter(([file, included]) => layerOf(file).outside && layerOf(included) !== layerOf(file) &&
      !HIDDEN.has(included))
    .map(([file, included]) => `${file} includes ${included}, which is not public`);
}

// ---- The table ----

const nameOf = (layer) => path.basename(layer.folder);

function table(objects) {
  const below = new Map(LAYERS.map((layer) => [layer, new Set()]));
  const add = (from, to) => from !== to && below.get(from).add(to);
  for (const { layer, uses } of objects) for (const [, other] of uses) add(layer, other.layer);
  for (const [file, included] of includes()) add(layerOf(file), layerOf(included));
  const rows = LAYERS.toReversed().map((layer) => {
    const names = objects.filter((object) => object.layer === layer && object.file.endsWith('.c'))
      .map(({ file }) => path.basename(file, '.c'));
    const uses = [...below.get(layer)].sort((a, b) => rank(a) - rank(b)).map(nameOf).join(', ');
    return `| [${layer.folder}](../${layer.folder}) | ${layer.holds} | ${names.sort()
      .join(', ')} | ${layer.outside ? 'fibril.h' : uses} |`;
  });
  return ['| folder | holds | its files | uses |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const BLOCK = /(<!-- layers -->\n)[^]*?(\n<!-- end of layers -->)/;

function inDocument(text) {
  const document = fs.readFileSync(path.join(root, DOCUMENT), 'utf8');
  if (!BLOCK.test(document)) throw new Error(`${DOCUMENT} has no place for the table`);
  return { document, wanted: document.replace(BLOCK, (_, begin, end) => `${begin}${text}${end}`) };
}

function staleTable(text) {
  const { document, wanted } = inDocument(text);
  return document === wanted
    ? [] : [`the table in ${DOCUMENT} is out of date: node scripts/layers.js --write`];
}

// ---- Fields ----

const NODE = /^((?:[|` ] ?)*-?)(\w+) (0x[0-9a-f]+)/;
const WRITES = { BinaryOperator: / '='$/, CompoundAssignOperator: /./,
  UnaryOperator: /'(\+\+|--)'/ };

/** Follows the files that clang names in its locations, which it names only when they change. */
function fileFollower() {
  let file = '';
  return (line) => {
    for (const [, name] of line.matchAll(/[<\s]([^<>\s,:]+):\d+:\d+/g)) {if (name !== 'line') {
      file = name;
    }}
    return file;
  };
}

/** The writes to fields in one C file: [function's file, function, field, field's file]. */
async function writesOf(file, flags) {
  const dump = ['-Xclang', '-ast-dump', '-fsyntax-only', '-fno-color-diagnostics', '-w'];
  const env = { ...process.env, CCACHE_DISABLE: '1' }; // it would give one file's for another
  const clang = spawn('clang', [...dump, ...flags, '-Iinclude', file], { cwd: root, env });
  clang.stderr.resume();
  const follow = fileFollower();
  const fields = new Map();
  const writes = [];
  let current = null;
  let pending = -1; // the depth of a write whose left side is yet to come
  for await (const line of readline.createInterface({ input: clang.stdout })) {
    const [, indent, kind, address] = NODE.exec(line) ?? [];
    const where = follow(line);
    if (kind === undefined) continue;
    const depth = indent.length;
    if (kind === 'FunctionDecl' && depth <= 2) {
      current = { file: where, name: / (\w+) '/.exec(line)?.[1] };
    } else if (kind === 'FieldDecl') {
      fields.set(address, { file: where, name: / (\w+) '[^']*'/.exec(line)?.[1] });
    } else if (pending >= 0 && depth > pending) {
      // What is written is the first member on the left: past parentheses, and into an array that
      // is one.
      const field = kind === 'MemberExpr' && /(?:->|\.)(\w*) (0x[0-9a-f]+)/.exec(line);
      if (field) writes.push({ by: current, field: field[2] });
      if (field || !/^(ParenExpr|ArraySubscriptExpr)$/.test(kind)) pending = -1;
    }
    if (WRITES[kind]?.test(line)) pending = depth;
  }
  return writes.map(({ by, field }) => ({ by, field: fields.get(field) }))
    .filter(({ field }) => field !== undefined);
}

/** Fields that are there for upper layers to fill in. */
const OPEN = new Map([
  ['src/core/value/list.h', ['first', 'tail']], // of structs that its users declare with its macros
  ['src/core/scheduler/wait.h',
    ['on', 'owner', 'fd']], // of a report, which a kind of wait completes
  ['src/core/switch/process.h', ['pool_threads', 'tokens_taken',
    'next']], // the thread pool's part of what a process has once
]);

const inSource = (name) => path.relative(root, path.resolve(root, name));

function fieldWritesUp(writes) {
  const found = writes.flatMap(({ by, field }) => {
    const [writer, owner] = [layerOf(inSource(by.file)), layerOf(inSource(field.file))];
    const upper = writer && owner && rank(writer) > rank(owner) &&
      !OPEN.get(inSource(field.file))?.includes(field.name);
    return upper ? [`${inSource(by.file)}: ${by.name} writes ${field.name} of ${inSource(
      field.file)}`] : [];
  });
  return [...new Set(found)].sort();
}

async function checkFields() {
  const { flags, files } = prepare();
  const left = files.filter((file) => file.endsWith('.c'));
  const writes = [];
  const worker = async () => {
    for (let file = left.pop(); file; file = left.pop()) {
      writes.push(...await writesOf(file, flags));
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  console.log(`${writes.length} writes to fields`);
  return fieldWritesUp(writes);
}

// ---- All of it ----

async function check({ print, write }) {
  const { flags, files } = prepare();
  const objects = readObjects(files, await compileAll(process.env.CC || 'cc', flags, files,
    folder));
  const text = table(objects);
  if (print) console.log(text);
  if (write) fs.writeFileSync(path.join(root, DOCUMENT), inDocument(text).wanted);
  if (print || write) return [];
  const groups = circles(objects);
  return [
    ...upwardUses(objects), ...hiddenUses(objects), ...upwardIncludes(), ...hiddenIncludes(),
    ...groups.map(describeCircle), ...staleTable(text),
  ];
}

async function main() {
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({ options: { print: flag, write: flag, fields: flag } });
  const problems = await (values.fields ? checkFields() : check(values));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error.stderr || error.message);
  process.exitCode = 1;
});
