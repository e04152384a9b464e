'use strict';

// include/fibril.h as data: its sections, and of each declaration the comment, what that says of
// where it may be called, of ownership and of errors, and the code. Whoever wants to know something
// of the C API asks here: the reference, tests, the recorder of errors.

const fs = require('fs');
const path = require('path');

const FILE = path.join(__dirname, '..', 'include', 'fibril.h');
const HEADING = /^---- (.+?)(?:: (.+?))? -+$/;
const LABELS = ['Where', 'Ownership', 'Errors'];
const LABEL = new RegExp(`^(${LABELS.join('|')}): (.*)$`);
const PLACES = [
  'a coroutine', 'the loop\'s thread', 'the loop\'s stack', 'any thread', 'the value\'s thread',
  'an exported function', 'FIBRIL_MODULE',
  'the thread that runs the libuv loop',
];
// What a function gives, as far as an error can be in it.
const GIVES = [[/^(int|int64_t)$/, 'code'], [/^fibril_value$/, 'value'],
  [/^fibril_future \*$/, 'future'], [/\*$/, 'pointer']];

function fail(name, what) {
  throw new Error(`include/fibril.h: ${name}: ${what}`);
}

/** Groups of lines between empty ones; those in comments and in braces do not count. */
function blocks(text) {
  const found = [];
  let block = '';
  let depth = 0;
  let inComment = false;
  for (const line of text.split('\n')) {
    if (line.trim() === '' && depth === 0 && !inComment) {
      if (block) found.push(block);
      block = '';
      continue;
    }
    block += `${line}\n`;
    for (const [token] of line.matchAll(/\/\*|\*\/|[{}]/g)) {
      if (token === '/*') inComment = true;
      else if (token === '*/') inComment = false;
      else if (!inComment) depth += token === '{' ? 1 : -1;
    }
  }
  return found.concat(block || []);
}

/** The lines of the comment that a block begins with, and the code below it. */
function split(block) {
  const [comment = ''] = block.match(/^\/\*[\s\S]*?\*\/\n?/) ?? [];
  const lines = comment.replace(/^\/\* ?/, '').replace(/\s*\*\/\s*$/, '').split('\n')
    .map((line) => line.replace(/^ \* ?/, ''));
  return { lines: comment === '' ? [] : lines, code: block.slice(comment.length).trimEnd() };
}

/** What a comment says in words, and in lines for programs. */
function labelled(lines, name) {
  const first = lines.findIndex((line) => LABEL.test(line));
  const facts = {};
  let label;
  for (const line of first < 0 ? [] : lines.slice(first)) {
    const [, found, rest] = LABEL.exec(line) ?? [];
    if (found !== undefined && LABELS.indexOf(found) <= LABELS.indexOf(label)) {
      fail(name, `"${found}:" is not in its place`);
    }
    label = found ?? label;
    facts[label] = found === undefined ? `${facts[label]} ${line.trim()}` : rest;
  }
  return { prose: (first < 0 ? lines : lines.slice(0, first)).join('\n').trim(), facts };
}

/** "UV_EINVAL when; those of x; ..." as {code, when} and {those}. */
function errors(text, name) {
  if (text === 'none.') return [];
  if (!text.endsWith('.')) fail(name, 'its errors do not end in a point');
  return text.slice(0, -1).split(/;\s+/).map((item) => {
    const [, code, when] = /^((?:UV|FIBRIL)_E\w+|NULL)\s+(\S.*)$/.exec(item) ?? [];
    const [, those] = /^those of (.+)$/.exec(item) ?? [];
    if (code === undefined && those === undefined && item !== 'those of a wait') {
      fail(name, `"${item}" is no error and when it comes`);
    }
    return code === undefined ? { those } : { code, when };
  });
}

function functionsOf(code) {
  const declared = code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^#define (?:.*\\\n)*.*$/gm, '')
    .replace(/\{[\s\S]*?\n\}/g, ';').replace(/\bFIBRIL_PRINTF\([^)]*\)/g, '');
  return [...declared.matchAll(
    /^(?!typedef|#)(static inline )?([\w ]+?[ *]+)(fibril_(?!_)\w+)\(([^;{]*)\)\s*;/gm)]
    .map((match) => {
    const [, inline, type, name, parameters] = match.map((part) => part?.replace(/\s+/g, ' '));
    const returns = type.trim().replace(/^const /, '');
    const gives = GIVES.find(([pattern]) => pattern.test(returns))?.[1] ?? 'nothing';
    return { name, returns, gives, parameters, inline: inline !== undefined };
  });
}

function typesOf(code) {
  const bare = code.replace(/\/\*[\s\S]*?\*\//g, '');
  const names = [...bare.matchAll(
    /^typedef [^;{]*?\(\*(fibril_\w+)\)|^(?:typedef [^;{(]*|\}) ?\b(fibril_\w+);/gm)];
  return names.map(([, pointer, plain]) => pointer ?? plain)
    .filter((name) => !name.startsWith('fibril__'));
}

function macrosOf(code) {
  return [...code.matchAll(/^#define (FIBRIL_\w*[A-Z])\b/gm)].map(([, name]) => name);
}

function declaration(block) {
  const { lines, code } = split(block);
  const functions = functionsOf(code);
  const one = { code, functions, types: typesOf(code), macros: macrosOf(code) };
  const [name] = [...functions.map((each) => each.name), ...one.types, ...one.macros, code];
  Object.assign(one, labelled(lines, name));
  if (functions.length > 0) check(one, name);
  return one;
}

function check(one, name) {
  const { Where: where, Ownership: ownership, Errors: text } = one.facts;
  if (where === undefined || text === undefined) {
    fail(name, 'its comment has to end in "Where:" and "Errors:"');
  }
  if (!PLACES.some((place) => where.startsWith(place))) {
    fail(name, `"${where}" is none of the places: ${PLACES.join(', ')}`);
  }
  const owns = one.functions.some(({ gives, parameters }) => /value|future|pointer/.test(gives) ||
    /\bfibril_value \w/.test(parameters));
  if (owns && ownership === undefined) {
    fail(name, 'it gives or takes what has an owner, and does not say "Ownership:"');
  }
  one.where = where.split(/[.:;]/)[0];
  one.suspends = /\bSuspends\b/.test(where);
  one.errors = errors(text, name);
}

function section(block) {
  const [first, ...lines] = split(block).lines;
  const [, title, lead = ''] = HEADING.exec(first) ?? fail(first, 'this heading is not whole');
  return { title, lead, prose: lines.join('\n').trim(), declarations: [] };
}

/**
 * The header.
 * @returns {{intro: string, waits: {code: string, when: string}[], sections: {title: string, lead:
 *   string, prose: string, declarations: object[]}[], functions: Map<string, object>}} `waits`: the
 *   errors of a wait; `functions`: by name, with `errors` in which those of a wait are spelled out
 */
function readHeader(text = fs.readFileSync(FILE, 'utf8')) {
  const [opening] = text.match(/^\/\*[\s\S]*?\*\//);
  const { prose, waits } = introduction(split(opening).lines);
  const rest = text.slice(opening.length)
    .replace(/^#ifndef FIBRIL_H\n#define FIBRIL_H\n|^#include .*\n/gm, '')
    .replace(/^#(if|ifdef) [\s\S]*?^#endif.*\n/gm, '');
  const sections = [];
  for (const block of blocks(rest)) {
    if (/^\/\* ----/.test(block)) sections.push(section(block));
    else if (!/^#endif/.test(block)) sections.at(-1).declarations.push(declaration(block));
  }
  const functions = new Map();
  for (const each of sections.flatMap(({ declarations }) => declarations)) {
    for (const one of each.functions) {
      const spelled = each.errors.flatMap((error) => (error.those === 'a wait' ? waits : [error]));
      functions.set(one.name, { ...one, where: each.where, suspends: each.suspends, errors: spelled,
        facts: each.facts });
    }
  }
  return { intro: prose, waits, sections, functions };
}

function introduction(lines) {
  const at = lines.findIndex((line) => line.startsWith('Errors of a wait: '));
  if (at < 0) fail('the introduction', 'it does not say what the errors of a wait are');
  const text = lines.slice(at).join(' ').replace('Errors of a wait: ', '');
  return { prose: lines.slice(0, at).join('\n').trim(), waits: errors(text, 'the introduction') };
}

/**
 * What can come of a function, as far as a program can tell: codes, "NULL", and "those of ..." for
 * what comes from below.
 * @returns {[string, string][]}
 */
function promises({ functions }) {
  return [...functions.values()].filter(({ gives }) => gives !== 'nothing')
    .flatMap(({ name, errors: list }) => {
    return [...new Set(list.map(({ code, those }) => code ?? `those of ${those}`))]
      .map((error) => [name, error]);
  });
}

module.exports = { readHeader, promises };
