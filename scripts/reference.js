'use strict';

// npm run reference: writes docs/c-api.md, of include/fibril.h and of the examples in
// test/reference. With --check it fails when that page is not what it would write.
//
// An example is a whole addon, NAME.c, shown where it says `shown at`; or, in a C test, what stands
// between a line "example: NAME" and one "end", both comments. NAME is a function's, a type's or a
// section's.

const fs = require('fs');
const path = require('path');
const { filesBelow } = require('./files.js');
const { readHeader } = require('./header.js');

const root = path.join(__dirname, '..');
const PAGE = path.join(root, 'docs', 'c-api.md');
const EXAMPLES = [path.join(root, 'test', 'reference'), path.join(root, 'test', 'c')];
const SEE_ALSO_MAX = 8;

const OPENING = `# C API

<!-- Made from include/fibril.h by \`npm run reference\`: what stands here is changed there. -->

Everything is in \`<fibril.h>\`, which includes \`<uv.h>\`. This page is made from that header.
`;

/** As GitHub makes an anchor of a heading. */
function slug(title) {
  return title.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-');
}

function readExamples() {
  const examples = new Map();
  for (const file of EXAMPLES.flatMap((folder) => filesBelow(folder, ['.c']))) {
    const text = fs.readFileSync(file, 'utf8');
    const [, whole] = /^\/\* shown at (\S+): .*\*\/\n/m.exec(text) ?? [];
    if (whole !== undefined) {
      examples.set(whole, text.replace(/^\/\* shown at .*\*\/\n\n?/m, '').trim());
    }
    for (const [, name, code] of text.matchAll(
      /^\/\* example: (\w+) \*\/\n([\s\S]*?)^\/\* end \*\/$/gm)) {
      if (examples.has(name)) throw new Error(`${file}: there is another example of ${name}`);
      examples.set(name, code.trim());
    }
  }
  return examples;
}

// ---- Text ----

const CODE =
  /`[^`]*`|"[^"\n]*"|\b(?:fibril_\w+|fn|closed|each|handler|callback|log|release|done)\((?:[^()]|\([^()]*\))*\)|\b(?:UV_|FIBRIL_E)\*|\b(?:fibril_\w+|(?:FIBRIL|UV|ERR)_[A-Z]\w*|uv_fs_\*|uv_\w+|NULL|INFINITY|U?INT\d*_MAX)\b/g;

function escape(text) {
  return text.replace(/[<*]/g, (sign) => (sign === '<' ? '&lt;' : '\\*'));
}

/**
 * What a comment says, as Markdown: code is code, and the first mention of a name a link to where
 * it is described.
 */
class Writer {
  #anchors;
  #seen;

  constructor(anchors, own = []) {
    this.#anchors = anchors;
    this.#seen = new Set(own);
  }

  inline(text) {
    let written = '';
    let end = 0;
    for (const match of text.matchAll(CODE)) {
      written += escape(text.slice(end, match.index)) + this.#code(match[0]);
      end = match.index + match[0].length;
    }
    return (written + escape(text.slice(end))).replace(/(?<!\[)\bCHANGELOG\.md\b/, '[$&](../$&)');
  }

  #code(text) {
    if (text.startsWith('"')) return /[<*_{]/.test(text) ? `\`${text}\`` : text;
    const code = text.startsWith('`') ? text : `\`${text}\``;
    const [, name] = /^`(\w+)`$/.exec(code) ?? [];
    if (!this.#anchors.has(name) || this.#seen.has(name)) return code;
    this.#seen.add(name);
    return `[${code}](#${this.#anchors.get(name)})`;
  }

  /** Paragraphs, lists, and what is indented as it stands. */
  text(prose) {
    return prose.split(/\n\s*\n/).reduce((parts, part) => {
      const code = /^ {4}/.test(part);
      if (code && parts.at(-1)?.code) parts.at(-1).part += `\n\n${part}`;
      else parts.push({ code, part });
      return parts;
    }, []).map(({ code, part }) => (code ? fenced(part.replace(/^ {4}/gm, ''),
      '') : this.#paragraph(part))).join('\n');
  }

  #paragraph(part) {
    const [opening, ...items] = part.split(/^ ?- /m);
    const list = items.map((item) => `- ${this.inline(oneLine(item))}\n`).join('');
    return (opening.trim() === '' ? '' : `${this.inline(oneLine(opening))}\n${list && '\n'}`) +
      list;
  }
}

function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}

function fenced(code, language) {
  return `\`\`\`${language}\n${code}\n\`\`\`\n`;
}

// ---- A declaration ----

/** What is only there for others, as a type that a struct has, has no heading of its own. */
function isDescribed(one) {
  return namesOf(one).length === 0 || one.prose !== '' || one.macros.length > 0;
}

function namesOf({ functions, types, macros }) {
  return [...functions.map(({ name }) => name), ...types, ...macros];
}

/** As who calls it sees it: without bodies, and without what helps compilers. */
function declared({ code, functions }) {
  if (functions.some(({ inline }) => inline)) {
    return functions.map(({ name, returns, parameters }) => `${returns} ${name}(${parameters});`)
      .join('\n');
  }
  return code.replace(/\s+FIBRIL_PRINTF\(.*\);/g, ';')
    .replace(/^(#define FIBRIL_MODULE\(m\)) [\s\S]*/, '$1');
}

function facts(one, writer) {
  const { where, ownership } = { where: one.facts.Where, ownership: one.facts.Ownership };
  const lines = [`- **Where:** ${writer.inline(where).replace(/\bSuspends\b/, '**Suspends**')}`];
  if (ownership) lines.push(`- **Ownership:** ${writer.inline(ownership)}`);
  if (one.errors.length === 0) return `${lines.join('\n')}\n- **Errors:** none.\n`;
  lines.push('- **Errors:**');
  for (const { code, when, those } of one.errors) {
    if (those === 'a wait') lines.push('  - those of [a wait](#errors-of-a-wait)');
    else if (those !== undefined) lines.push(`  - those of ${writer.inline(those)}`);
    else lines.push(`  - ${writer.inline(code)}: ${writer.inline(when)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Those of the same noun, and those that speak of it. */
/** How many words two names share, at their beginnings and at their ends. */
function commonParts(name, other) {
  const [a, b] = [name.split('_'), other.split('_')];
  const run = (at) => {
    let length = 0;
    while (a.at(at(length)) !== undefined && a.at(at(length)) === b.at(at(length))) length++;
    return length;
  };
  const ends = a.at(-1).endsWith(b.at(-1)) || b.at(-1).endsWith(a.at(-1)); // ref, unref
  return run((i) => i) + Math.max(run((i) => -1 - i), Number(ends));
}

function seeAlso(one, all, anchors) {
  const own = namesOf(one);
  const text = JSON.stringify([one.prose, one.facts]);
  const family = new RegExp(`^${own[0].split('_').slice(0, 2).join('_')}_(?!.*_cb$)`);
  const related = all.filter((other) => other !== one && other.functions.length > 0)
    .flatMap((other) => {
    const said = new RegExp(`\\b(${own.join('|')})\\b`)
      .test(JSON.stringify([other.prose, other.facts]));
    const near = other.section === one.section && family.test(other.functions[0].name);
    return said || near ? other.functions.slice(0, 1).map(({ name }) => ({ name, said })) : [];
  }).filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(text));
  // Who speaks of it first, then those whose names are more like its own than all of the family's.
  const likeness = ({ name }) => commonParts(name, own[0]);
  const order = (a, b) => b.said - a.said || likeness(b) - likeness(a);
  const chosen = related.filter((other) => other.said || likeness(other) > 2)
    .sort(order).slice(0, SEE_ALSO_MAX);
  if (chosen.length === 0) return '';
  return `\nSee also: ${chosen.map(({ name }) => `[\`${name}\`](#${anchors.get(name)})`)
    .join(', ')}.\n`;
}

function render(one, page) {
  const names = namesOf(one);
  if (!isDescribed(one)) return '';
  if (/^void \*fibril__/.test(one.code)) return '';
  const writer = new Writer(page.anchors, names);
  let text = '';
  if (names.length > 1 || one.macros.length > 0) {
    text += `${names.map((name) => `<a id="${name}"></a>`).join('')}\n\n`;
  }
  if (one.functions.length > 0 || names.length === 1) {
    text += `### ${names.map((name) => `\`${name}\``).join(', ')}\n\n`;
  }
  text += `${fenced(declared(one), 'c')}\n`;
  if (one.prose !== '') text += `${writer.text(one.prose)}\n`;
  if (one.functions.length > 0) text += facts(one, writer) + seeAlso(one, page.all, page.anchors);
  for (const name of names) text += page.example(name);
  return `${text.trimEnd()}\n`;
}

// ---- The page ----

function contents(sections) {
  return sections.map(({ title, declarations }) => {
    const names = declarations.filter(isDescribed).flatMap(namesOf);
    const links = names.map((name) => `[\`${name}\`](#${name})`).join(', ');
    return `- [${title}](#${slug(title)})${links && `: ${links}`}\n`;
  }).join('');
}

function waitErrors(waits, writer) {
  const lines = waits.map(({ code, when }) => `- ${writer.inline(code)}: ${writer.inline(when)}\n`);
  return `### Errors of a wait\n\n${lines.join('')}`;
}

function makePage() {
  const { intro, waits, sections } = readHeader();
  const general = intro.slice(intro.indexOf('\n\n'))
    .trim(); // without what the header says of itself
  const examples = readExamples();
  const unused = new Set(examples.keys());
  const all = sections.flatMap((section) =>
    section.declarations.map((one) => Object.assign(one, { section })));
  const anchors = new Map(all.flatMap((one) => namesOf(one).map((name) => [name, name])));
  const example = (name) => {
    if (!unused.delete(name)) return '';
    return `\nFor example:\n\n${fenced(examples.get(name), 'c')}`;
  };
  const page = { anchors, all, example };
  const parts = [OPENING, contents(sections), '## What holds everywhere\n',
    new Writer(anchors).text(general), waitErrors(waits, new Writer(anchors))];
  for (const section of sections) {
    parts.push(`## ${section.title}\n`);
    if (section.lead) parts.push(`${section.lead[0].toUpperCase()}${section.lead.slice(1)}.\n`);
    if (section.prose) parts.push(new Writer(anchors).text(section.prose));
    parts.push(example(slug(section.title).replaceAll('-', '_')).trimStart(),
      ...section.declarations.map((one) => render(one, page)));
  }
  if (unused.size > 0) throw new Error(`examples of what is not there: ${[...unused].join(', ')}`);
  return `${parts.filter(Boolean).join('\n').trimEnd()}\n`;
}

function main() {
  const text = makePage();
  const check = process.argv.includes('--check');
  if (!check) fs.writeFileSync(PAGE, text);
  else if (text !== fs.readFileSync(PAGE, 'utf8')) {throw new Error(
    'docs/c-api.md is not what include/fibril.h says: npm run reference');}
}

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
