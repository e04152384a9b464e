'use strict';

/*
 * node module-circles.js [--print]: the order of lib/'s modules. No file may need one that
 * needs it, however far around, nor one of a room that its own is not over. --print: the files of
 * each room, each after those that it needs.
 */

const fs = require('node:fs');
const path = require('node:path');
const { filesBelow } = require('./files');

// The rooms, bottom up: what is in them, and which others they are over.
const ROOMS = [
  { name: 'bundle', files: /^lib\/bundle\/[^/]+$/, over: [] },
  { name: 'shared', files: /^lib\/(?!features\.|index\.)[^/]+$/, over: [] },
  { name: 'native', files: /^lib\/native\/[^/]+$/, over: ['shared'] },
  { name: 'co', files: /^lib\/co\/[^/]+$/, over: ['shared'] },
  { name: 'tornado', files: /^lib\/tornado\/[^/]+$/, over: ['shared', 'native', 'co'] },
  { name: 'index', files: /^lib\/[^/]+$/, over: ['shared', 'native', 'co', 'tornado'] },
];
const NEED = /(?:\brequire\(|\bfrom\s+|\bimport\(|\bimport\s+)['"](\.[^'"]*|#co)['"]/g;

function roomOf(file) {
  return ROOMS.find(({ files }) => files.test(file));
}

/** The files that the text of one requires or imports, wherever in it. */
function neededBy(file, text, all) {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const names = [...code.matchAll(NEED)].map(([, name]) => name);
  return [...new Set(names)].filter((name) => !name.endsWith('.node')).map((name) => {
    const target = path.posix.join(path.posix.dirname(file), name);
    // As package.json has it for Node.
    if (name === '#co') return 'lib/index.js';
    const endings = file.endsWith('.d.ts') ? ['.d.ts'] : ['', '.js', '/index.js'];
    const found = endings.map((ending) => target + ending).find((each) => all.includes(each));
    if (found === undefined) throw new Error(`${file} needs ${name}, which is not there`);
    return found;
  });
}

/** What each file below `root`/lib needs. */
function graphOf(root) {
  const files = filesBelow(path.join(root, 'lib'), ['.js', '.mjs', '.ts']);
  const all = files.map((file) => path.relative(root, file).split(path.sep).join('/')).sort();
  const textOf = (file) => fs.readFileSync(path.join(root, file), 'utf8');
  return new Map(all.map((file) => [file, neededBy(file, textOf(file), all)]));
}

/** The files, each after those that it needs; where there is a circle, that. */
function sorted(graph) {
  const order = [];
  const way = [];
  let circle;
  const visit = (file) => {
    if (order.includes(file) || circle !== undefined) return;
    if (way.includes(file)) {
      circle = [...way.slice(way.indexOf(file)), file];
      return;
    }
    way.push(file);
    graph.get(file).forEach(visit);
    way.pop();
    order.push(file);
  };
  [...graph.keys()].forEach(visit);
  return { order, circle };
}

/** What is wrong with the modules below `root`/lib, a sentence each. */
function problemsOf(graph) {
  const problems = [];
  for (const [file, needed] of graph) {
    const { name, over } = roomOf(file);
    for (const each of needed) {
      const other = roomOf(each).name;
      if (other === name || over.includes(other)) continue;
      problems.push(`${file} needs ${each}, but ${name} is not over ${other}`);
    }
  }
  const { circle } = sorted(graph);
  if (circle !== undefined) problems.push(`a circle: ${circle.join(' needs ')}`);
  return problems;
}

function print(graph) {
  const order = sorted(graph).order.filter((file) => !file.endsWith('.d.ts'));
  for (const { name, over } of ROOMS) {
    console.log(over.length > 0 ? `${name}, over ${over.join(', ')}` : name);
    for (const file of order.filter((each) => roomOf(each).name === name)) {
      const beside = graph.get(file).filter((each) => roomOf(each).name === name);
      const list = beside.map((each) => path.posix.basename(each)).join(', ');
      console.log(list === '' ? `  ${file}` : `  ${file}: ${list}`);
    }
  }
}

if (require.main === module) {
  const graph = graphOf(path.join(__dirname, '..'));
  const problems = problemsOf(graph);
  for (const each of problems) console.error(each);
  if (problems.length > 0) process.exitCode = 1;
  if (process.argv.includes('--print')) print(graph);
}

module.exports = { graphOf, problemsOf };
