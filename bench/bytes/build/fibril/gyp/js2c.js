'use strict';

// node js2c.js OUT FOLDER: writes OUT/runtime_js.h, the JavaScript of FOLDER/*.js, in the order of
// the names, as one function
//   (function (native) { 'use strict'; ... return { wrap, ..., api }; })
// which the runtime calls; prints OUT as gyp wants it. What C and JavaScript both know is written
// in FOLDER/../env/shared.h: the constants come first, and the functions that C calls are what is
// returned. It runs when gyp does, not as an action of the build: gyp's make generator leaves the
// folder of an action's output unquoted, which breaks in a path with spaces.

const fs = require('fs');
const path = require('path');

const BYTES_PER_LINE = 20;

function read(folder) {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.js'));
  return names.sort().map((name) => fs.readFileSync(path.join(folder, name), 'utf8'));
}

// The names of a header's enums, each with its value: C counts from 0, and so does this.
function constantsOf(header) {
  const enums = header.replace(/\/\*[^]*?\*\//g, '').matchAll(/^enum \{([^}]*)\};/gm);
  return Array.from(enums, ([, list]) => list.match(/\bFIBRIL__\w+/g))
    .flatMap((names) => names.map((name, value) => [name.replace('FIBRIL__', ''), value]));
}

// Those that the header's list names, X(C_NAME, jsName).
function functionsOf(header) {
  return Array.from(header.matchAll(/^ {2}X\(\w+, (\w+)\)/gm), ([, name]) => name);
}

function wrap(texts, shared) {
  const constants = constantsOf(shared).map(([name, value]) => `const ${name} = ${value};\n`);
  const returned = `return { ${functionsOf(shared).join(', ')}, api };`;
  const body = [...constants, '\n', texts.join('\n'), returned].join('');
  return `(function (native) { 'use strict';\n${body} })\n//# sourceURL=fibril:runtime\n`;
}

// What is no ASCII must be a character constant: as a number it would overflow where char is
// signed.
function literal(byte) {
  return byte < 128 ? String(byte) : `'\\x${byte.toString(16)}'`;
}

// Bytes, not a string literal: compilers need not take literals above 64 KiB.
function toHeader(text) {
  const bytes = Array.from(Buffer.from(text), literal);
  const lines = [];
  for (let i = 0; i < bytes.length; i += BYTES_PER_LINE) {
    lines.push(bytes.slice(i, i + BYTES_PER_LINE).join(','));
  }
  return `/* Made by gyp/js2c.js from src/node/runtime. */
#ifndef FIBRIL_RUNTIME_JS_H
#define FIBRIL_RUNTIME_JS_H

#include <stddef.h>

/* UTF-8, not NUL-terminated. */
static const size_t fibril__runtime_js_length = ${bytes.length};
static const char fibril__runtime_js[] = {
${lines.join(',\n')}
};

#endif
`;
}

// Without a change the file keeps its time, and what includes it isn't compiled again.
function writeChanged(file, text) {
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

const [out, folder] = process.argv.slice(2);
const shared = fs.readFileSync(path.join(folder, '../env/shared.h'), 'utf8');
writeChanged(path.join(out, 'runtime_js.h'), toHeader(wrap(read(folder), shared)));
console.log(path.relative(process.cwd(), out).split(path.sep).join('/'));
