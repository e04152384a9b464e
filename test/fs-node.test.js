'use strict';

// fibril's file functions and those of the Node at hand, called with the same arguments: generated
// combinations of every kind of each. What stays different is listed here and in docs/js-api.md, in
// the same words.

const assert = require('node:assert');
const { execFile, execFileSync } = require('node:child_process');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { isDeepStrictEqual, inspect, promisify } = require('node:util');
const { randomOf, makeFolder, resetFolder, stateOf, combinations } = require('./support/fs-cases');
const { fs } = require('../lib');

const theirs = nodeFs.promises;
const major = Number(process.versions.node.split('.')[0]);
const COUNT = 600;

const sorted = (list) => list.map((entry) => inspect(entry)).sort();
const hasSameMembers = (ours, node) => Array.isArray(node.value) &&
  isDeepStrictEqual(sorted(ours.value), sorted(node.value));
const isError = ({ error }, code) => error !== undefined && error.code === code;

/**
 * `is` tells whether a call shows it; `on`: whether calls do under this Node, undefined where that
 * is a matter of time.
 */
const DIFFERENCES = [
  {
    docs: 'A file descriptor, a number, is taken for the path of `readFile` and `writeFile`; `fs.promises` takes a `FileHandle` only.',
    on: true,
    is: ({ name, labels, node }) => /^(read|write)File$/.test(name) && labels[0] === 'descriptor' &&
      isError(node, 'ERR_INVALID_ARG_TYPE'),
  },
  {
    docs: 'A `FileHandle` that is closed is `EBADF` of `read` or `write` always. Node 20 to 26 have `ERR_OUT_OF_RANGE` for most of it, and write '
      + 'nothing to it without an error.',
    on: true,
    is: ({ labels, ours, node }) => labels[0] === 'closed FileHandle' && isError(ours, 'EBADF') &&
      (node.error === undefined || isError(node, 'ERR_OUT_OF_RANGE')),
  },
  {
    docs: 'The error of a `read` names the file whose path was given, as in Node from 26 on.',
    on: major < 26,
    is: ({ ours, node }) => ours.error?.syscall === 'read' && node.error?.path === undefined
      && isDeepStrictEqual(node.error, { ...ours.error, path: undefined,
        message: ours.error.message.replace(/ '.*'$/s, '') }),
  },
  {
    docs: 'The encoding `\'buffer\'` gives a `Buffer` in `readFile`, as in `readFileSync`; `fs.promises.readFile` refuses it.',
    on: true,
    is: ({ name, labels, node }) => name === 'readFile' && /"buffer"/.test(labels[1])
      && (isError(node, 'ERR_UNKNOWN_ENCODING') || node.value === ''),
  },
  {
    docs: '`readdir` with `recursive` is that of Node 26 on every Node: it lists level by level, takes and gives `Buffer`s, and goes into '
      + 'directories whatever bytes their names are of.',
    on: major < 26,
    is: ({ name, labels, ours, node }) => name === 'readdir' &&
      /recursive: (true|1|"yes"|{})/.test(labels[1])
      && (hasSameMembers(ours, node) || isError(node, 'ERR_INVALID_ARG_TYPE') ||
        labels[0] === 'raw names' || /encoding: "(hex|base|ucs2)/.test(labels[1])),
  },
  {
    docs: 'A call that is aborted when it has done everything resolves; in Node 26 it may reject.',
    on: undefined,
    is: ({ labels, ours, node }) => labels.some((label) => label.includes('aborting')) &&
      (isError(ours, 'ABORT_ERR') || isError(node, 'ABORT_ERR')),
  },
];

function portrait({ name, code, message, errno, syscall, path: where, cause }) {
  return { name, code, message, errno, syscall, path: where, cause };
}

/** One call: what came of it and what it left behind. */
async function outcomeOf(functions, name, kinds, folder) {
  const made = [];
  for (const { make } of kinds) made.push(await make());
  const promise = functions[name](...made.map(({ value }) => value));
  for (const { after } of made) after?.();
  const [{ status, value, reason }] = await Promise.allSettled([promise]);
  for (const { close } of made) await close?.();
  const state = /File$/.test(name) ? stateOf(folder) : null;
  if (state !== null) resetFolder(folder, state);
  return { ...status === 'fulfilled' ? { value } : { error: portrait(reason) }, state };
}

const shown = (outcome) =>
  inspect({ ...outcome, state: undefined }, { depth: 3, breakLength: Infinity, maxArrayLength: 5,
    maxStringLength: 80 });

describe('the file functions beside Node\'s, with the same arguments', function () {
  this.timeout(120000);

  const folder = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'fibril-fs-node-'));
  const seen = new Set();

  before(() => makeFolder(folder));

  after(() => nodeFs.rmSync(folder, { recursive: true, force: true }));

  const names = ['readFile', 'writeFile', 'stat', 'lstat', 'readdir', 'realpath'];

  it('are all here but du, which Node has not', () => {
    assert.deepStrictEqual(Object.keys(fs).sort(), ['du', ...names].sort());
  });

  for (const [i, name] of names.entries()) {
    it(`fs.${name}`, async () => {
      const random = randomOf(i + 1);
      const unknown = [];
      for (const kinds of combinations(name, folder, COUNT, random)) {
        const labels = kinds.map(({ label }) => label);
        const node = await outcomeOf(theirs, name, kinds, folder);
        const ours = await outcomeOf(fs, name, kinds, folder);
        if (isDeepStrictEqual(ours, node)) continue;
        const difference = DIFFERENCES.find((one) => one.on !== false &&
          one.is({ name, labels, ours, node }));
        if (difference === undefined) {
          unknown.push(`${name}(${labels.join(', ')})\n  ours ${shown(ours)}\n  node ${shown(
            node)}`);
        } else seen.add(difference);
      }
      assert.deepStrictEqual(unknown.slice(0, 10), [],
        `${unknown.length} differences that are not listed`);
    });
  }

  for (const [what, fn, program] of [['reading', (given, file) => given.readFile(file, 'utf8'),
    'echo fifo > "$0"'],
    ['writing', (given, file) => given.writeFile(file, 'fifo'), 'cat "$0"']]) {
    it(`${what} a FIFO`, async () => {
      const fifo = path.join(folder, what);
      execFileSync('mkfifo', [fifo]);
      const results = [];
      for (const given of [theirs, fs]) {
        const other = promisify(execFile)('sh', ['-c', program, fifo]);
        results.push([await fn(given, fifo), (await other).stdout]);
      }
      assert.deepStrictEqual(results[1], results[0]);
    });
  }

  it('differ in all that is listed', () => {
    for (const difference of DIFFERENCES) {
      assert.strictEqual(seen.has(difference), difference.on ?? seen.has(difference),
      difference.docs);
    }
  });

  it('differ in what docs/js-api.md says, and in nothing else', () => {
    const [, section] = nodeFs.readFileSync(path.join(__dirname, '..', 'docs', 'js-api.md'), 'utf8')
      .split(/^### Where these differ from Node's\n/m);
    const listed = section.split(/^#/m)[0].split(/^- /m).slice(1)
      .map((item) => item.replace(/\s+/g, ' ').trim());
    assert.deepStrictEqual(listed, DIFFERENCES.map(({ docs }) => docs));
  });
});
