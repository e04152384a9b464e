'use strict';

// npm start: coroutines side by side, driven by co and by async/await, then real files read and
// counted in C.

const path = require('node:path');
const co = require('fibril');

const { sleep, fs } = co;
const root = path.join(__dirname, '..');

const number = (value) => value.toLocaleString('en-US');
const seconds = (since) => ((performance.now() - since) / 1000).toFixed(2);

function heading(text) {
  console.log(`\n${text}`);
}

// ---- Three downloads at once; the network is a timer
// ---------------------------------------------------------------

function* getURL(url, ms) {
  const start = performance.now();
  yield sleep(ms);
  console.log(`URL ${url} took ${seconds(start)}s to get!`);
  return url;
}

function* getAll() {
  const start = performance.now();
  const urls = yield [getURL('/first', 400), getURL('/second', 600), getURL('/third', 200)];
  console.log(`${urls.join(', ')}: total ${seconds(start)}s, as long as the slowest`);
}

// ---- A whole tree in one call: thousands of waits in C behind one promise
// ------------------------------------------

function* measureTree(folder) {
  const start = performance.now();
  const { bytes, files, directories } = yield fs.du(folder);
  console.log(`${number(bytes)} bytes in ${number(files)} files and ${number(
    directories)} directories, ${seconds(start)}s`);
}

// ---- The same functions with async/await
// ---------------------------------------------------------------------------

async function countLines(file) {
  const text = await fs.readFile(file, 'utf8');
  return text.split('\n').length - 1;
}

async function readSources(folders) {
  const start = performance.now();
  const options = { recursive: true, withFileTypes: true };
  const lists = await Promise.all(
    folders.map((folder) => fs.readdir(path.join(root, folder), options)));
  const files = lists.flat().filter((entry) => entry.isFile() && /\.(c|h|S|js)$/.test(entry.name));
  const lines = await Promise.all(
    files.map((entry) => countLines(path.join(entry.parentPath, entry.name))));
  const total = lines.reduce((sum, count) => sum + count, 0);
  console.log(`${number(total)} lines in ${files.length} files, ${seconds(start)}s`);
}

async function main() {
  heading('Three coroutines at once (co, generators)');
  await co(getAll);

  heading(`fs.du of ${root} (co, generators)`);
  await co(measureTree, root);

  heading('fs.readdir and fs.readFile of every source at once (async/await)');
  await readSources(['include', 'lib', 'src']);
}

main();
