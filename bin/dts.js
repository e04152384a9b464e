'use strict';

// fibril dts ADDON.node: prints the TypeScript declarations of what an addon exports, from the
// signatures that it was built with, or writes them into a file.

const fs = require('fs');
const path = require('path');
const { RESERVED, take, takeMembers, translate } = require('./signatures.js');
const { UsageError } = require('./usage.js');

const SIGNATURES = Symbol.for('fibril.signatures');

/** What has been declared: lines without `export`, under which name, and which it is to have. */
function declared({ doc, name }, declare) {
  const local = RESERVED.has(name) ? `${name}_` : name;
  return { doc: doc === '' ? [] : [doc], local, name, lines: declare(local) };
}

function declareFunction(taken) {
  const { parameters, result } = taken;
  return declared(taken, (local) => [`function ${local}(${parameters}): ${result};`]);
}

function declareConstant(taken) {
  return declared(taken, (local) => [`const ${local}: ${taken.result};`]);
}

/** An object, and the union of its values. */
function declareEnum(taken) {
  const members = takeMembers(taken.rest);
  const body = members.flatMap(([name, value, doc]) =>
    [...(doc === '' ? [] : [doc]), `readonly ${name}: ${value};`]);
  const values = [...new Set(members.map(([, value]) => value))].join(' | ');
  return declared(taken, (local) =>
    [[`const ${local}: {`, ...body.map((line) => `  ${line}`), '};'], [`type ${local} = ${values};`]]);
}

/** A class of errors: what extends JavaScript's own has a code. */
function declareError(taken) {
  const [, base, fields] = /^\s*extends\s+([\w$]+)\s*([\s\S]*)$/.exec(taken.rest);
  const body = fields.trim().slice(1, -1).trim();
  const listed = body === '' ? [] : [translate(body, true, false)];
  const own = base.endsWith('Error') && globalThis[base] !== undefined;
  if (own && !/(^|[\s;,])code\??\s*:/.test(body)) listed.unshift('code: string;');
  return declared(taken, (local) =>
    [`class ${local} extends ${base} {`, ...listed.map((line) => `  ${line}`), '}']);
}

function disposes(members, symbol) {
  return members.some(([, , signature]) => take(signature).name === `[${symbol}]`);
}

function declareDispose(parameters, result, members) {
  if (!/^([\w$]+\?|\.\.\.|$)/.test(parameters)) return [];
  const promise = /^Promise\b/.test(result);
  const symbol = promise ? 'Symbol.asyncDispose' : 'Symbol.dispose';
  return disposes(members, symbol) ? [] : [`[${symbol}](): ${promise ? 'Promise<void>' : 'void'};`];
}

function hasMember(members, form, name) {
  return members.some(([each, , signature]) => each === form && take(signature).name === name);
}

function declareAccessor(form, { name, result }, isWritten) {
  if (form === 'setter') return [`set ${name}(value: ${result});`];
  return [isWritten ? `get ${name}(): ${result};` : `readonly ${name}: ${result};`];
}

function targetOf({ rest }) {
  return /=\s*(\S+)/.exec(rest)[1];
}

/** Another name for a member, as that was declared before. */
function declareAlias(alias, members) {
  const target = targetOf(alias);
  const { doc, name } = alias;
  return members.filter(([form, , signature]) => form !== 'static' && form !== 'constant' &&
    take(signature).name === target)
    .flatMap(([form, , signature]) => {
      const taken = take(signature, form !== 'setter');
      const renamed = { ...taken, name, doc: doc === '' ? taken.doc : doc };
      return declareMember(form, renamed, members, target);
    });
}

/** @param {string} first the member's own name, where `taken` has another one */
function declareMember(form, taken, members, first = taken.name) {
  const { doc, name, parameters, result } = taken;
  if (form === 'alias') return declareAlias(taken, members);
  const lines = doc === '' ? [] : doc.split('\n');
  switch (form) {
    case 'constructor': return [...lines, `constructor(${parameters});`];
    case 'getter':
    case 'setter':
      return [...lines, ...declareAccessor(form, taken, hasMember(members, 'setter', first))];
    case 'static': return [...lines, `static ${name}(${parameters}): ${result};`];
    case 'constant': return [...lines, `static readonly ${name}: ${result};`];
    default: lines.push(`${name}(${parameters}): ${result};`);
  }
  if (form === 'function' && name === 'close') {
    lines.push(...declareDispose(parameters, result, members));
  }
  return lines;
}

function declareClass(taken, members) {
  const body = members.some(([form]) => form === 'constructor') ? [] : ['constructor();'];
  for (const [index, [form, , signature]] of members.entries()) {
    const known = form === 'alias' ? members.slice(0, index) : members;
    body.push(...declareMember(form, take(signature, form !== 'setter'), known));
  }
  return declared(taken, (local) =>
    [`class ${local} {`, ...body.map((line) => `  ${line}`), '}']);
}

/** What is exported in one place: the module, or a namespace. */
class Place {
  /** @param {string|undefined} space the namespace, "a.b" */
  constructor(signatures, space) {
    this.signatures = signatures;
    this.space = space;
    const here = signatures.filter(([, of, , where]) => of === undefined && where === space);
    this.aliases = here.filter(([form]) => form === 'alias').map(([, , text]) => take(text));
    this.standard = here.find(([form]) => form === 'default')?.[2].trim();
    this.all = here.filter(([form]) => form !== 'alias' && form !== 'default')
      .map((each) => this.declare(...each));
  }

  declare(form, of, signature) {
    const taken = take(signature);
    switch (form) {
      case 'class': return declareClass(taken, this.signatures.filter(
        ([, owner, , where]) => owner === taken.name && where === this.space));
      case 'constant': return declareConstant(taken);
      case 'enum': return declareEnum(taken);
      case 'error': return declareError(taken);
      case 'namespace': return this.declareSpace(taken);
      default: return declareFunction(taken);
    }
  }

  declareSpace(taken) {
    const inner = new Place(this.signatures, [this.space, taken.name].filter(Boolean).join('.'));
    const body = inner.lines('').flatMap((line) => line.split('\n'));
    return declared(taken, (local) =>
      [`namespace ${local} {`, ...body.map((line) => `  ${line}`), '}']);
  }

  /** Where it is declared, by another name perhaps. */
  localOf(name) {
    const alias = this.aliases.find((each) => each.name === name);
    if (alias !== undefined) return this.localOf(targetOf(alias));
    return this.all.find((each) => each.name === name)?.local ?? name;
  }

  /** "local as name" of what is not exported where it is declared, or of everything. */
  listed(everything) {
    const own = this.all.filter(({ local, name }) => everything || local !== name);
    return [
      ...own.map(({ local, name }) => (local === name ? name : `${local} as ${name}`)),
      ...this.aliases.map(({ name }) => `${this.localOf(name)} as ${name}`),
    ];
  }

  /** @param {string} ambient what a declaration begins with that is not exported */
  lines(ambient) {
    const { standard } = this;
    const lines = this.all.flatMap(({ doc, local, name, lines: text }) => {
      const begin = standard === undefined && local === name ? 'export ' : ambient;
      const pieces = Array.isArray(text[0]) ? text : [text];
      return [...doc, ...pieces.flatMap(([first, ...rest]) => [begin + first, ...rest])];
    });
    const listed = this.listed(standard !== undefined);
    if (standard === undefined) {
      return listed.length === 0 ? lines : [...lines, `export { ${listed.join(', ')} };`];
    }
    const main = this.localOf(standard);
    return [...lines, `declare namespace ${main} {`,
      ...[`${main} as default`, ...listed].map((each) => `  export { ${each} };`), '}',
      `export = ${main};`];
  }
}

/**
 * The text of a .d.ts.
 * @param {Array<[string, string|undefined, string, string|undefined]>} signatures the form of each,
 *   its class, itself, and its namespace
 * @param {string} source the addon's name, for the head
 */
function declarations(signatures, source) {
  const place = new Place(signatures, undefined);
  const body = place.lines('declare ').join('\n');
  const isNodes = /\b(Buffer|URL|AbortSignal|NodeJS|Symbol\.(asyncD|d)ispose)\b/.test(body);
  const node = isNodes ? '/// <reference types="node" />\n' : '';
  const head = `// Written by \`fibril dts\` from the signatures of ${source}.\n${node}`;
  return `${head}\n${body}\n${place.standard === undefined ? 'export {};\n' : ''}`;
}

function signaturesOf(file) {
  let addon;
  try {
    addon = require(path.resolve(file));
  } catch (error) {
    throw new UsageError(`${file} does not load: ${error.message}`, '');
  }
  const signatures = addon?.[SIGNATURES];
  if (signatures === undefined) {
    throw new UsageError(`${file} is no addon that was built with fibril`, '');
  }
  return signatures;
}

/** Nothing when it says so already, so that what depends on the file's time has nothing to do. */
function write(file, text) {
  if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) fs.writeFileSync(file, text);
}

module.exports = {
  usage: 'dts ADDON.node [FILE]',
  summary: 'prints the TypeScript declarations of an addon, or writes them into FILE',
  help: 'Prints what an addon exports as TypeScript declarations, from the signatures of its ' +
    `functions and classes, with their doc comments;
or writes them into a file, if that says anything else:

  fibril dts build/Release/addon.node
  fibril dts build/Release/addon.node index.d.ts
`,
  declarations,
  async run(args) {
    if (args.length < 1 || args.length > 2 || args.some((each) => each.startsWith('-'))) {
      throw new UsageError('dts takes the path of one addon, and of one file to write');
    }
    const [addon, file] = args;
    const text = declarations(signaturesOf(addon), path.basename(addon));
    if (file === undefined) return text;
    write(file, text);
    return '';
  },
};
