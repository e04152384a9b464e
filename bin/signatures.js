'use strict';

// The words of signatures, and the TypeScript that they stand for.

// What is of fibril's grammar and not TypeScript's, as JavaScript gives it to C, and as it gets it.
const GIVEN = {
  __proto__: null, int32: 'number', uint32: 'number', int64: 'number',
  bytes: 'ArrayBufferView | ArrayBuffer', path: 'string | Buffer | URL',
  Buffer: 'Uint8Array',
};
const GOT = {
  __proto__: null, int32: 'number', uint32: 'number', int64: 'number', bytes: 'Buffer',
  path: 'string',
};

// No names of functions and parameters in a module.
const RESERVED = new Set(`arguments await break case catch class const continue debugger default
  delete do else enum eval export extends false finally for function if implements import in
  instanceof interface let new null package private protected public return static super switch
  this throw true try typeof undefined var void while with yield`.split(/\s+/));

const TOKEN = new RegExp([
  /\s+/, /'(?:\\.|[^'\\])*'/, /"(?:\\.|[^"\\])*"/, /=>/, /\.\.\./,
  /\d[\d.]*(?:[eE][+-]?\d+)?n?/, /[A-Za-z_$][\w$]*/, /./,
].map(({ source }) => source).join('|'), 'g');
const NAME = /^[A-Za-z_$]/;
const SPACE = /^\s/;

/** A signature, which C has taken already, in its words; `next` and `last` pass over spaces. */
class Words {
  constructor(text) {
    this.list = text.match(TOKEN) ?? [];
  }

  next(index) {
    do index++;
    while (SPACE.test(this.list[index] ?? 'end'));
    return index;
  }

  word(index) {
    return this.list[index] ?? '';
  }

  /** The name of a parameter, property or member stands before ":" or "?:". */
  isLabel(index) {
    let after = this.next(index);
    if (this.word(after) === '?') after = this.next(after);
    return this.word(after) === ':';
  }

  /** A parameter with a reserved name, of which a predicate says something. */
  isSubject(index) {
    return RESERVED.has(this.list[index]) && this.list[index] !== 'this' &&
      (this.word(this.next(index)) === 'is' || this.word(index - 2) === 'asserts');
  }

  /** The bracket that closes the one at `index`. */
  closing(index) {
    for (let depth = 0; index < this.list.length; index++) {
      if ('([{<'.includes(this.list[index])) depth++;
      else if (')]}>'.includes(this.list[index]) && --depth === 0) break;
    }
    return index;
  }
}

/** Where a default begins that is no part of "=>": the index after it. */
function afterDefault(words, index) {
  const literal = words.next(index);
  return words.word(literal) === '-' ? words.next(literal) + 1 : literal + 1;
}

/**
 * The TypeScript of a piece of a signature.
 * @param {boolean} got whether its types are of what JavaScript gets from C
 * @param {boolean} renames whether its labels are parameters, for which some names are reserved
 */
function translate(text, got, renames) {
  const words = new Words(text);
  const out = [];
  const frames = [{ got, renames, label: -1 }];
  let index = 0;
  while (index < words.list.length) {
    const word = words.list[index];
    const frame = frames[frames.length - 1];
    if ('([{<'.includes(word)) {
      const arrow = word === '(' && words.word(words.next(words.closing(index))) === '=>';
      frames.push({ got: arrow ? !frame.got : frame.got, renames: arrow, label: -1 });
    } else if (')]}>'.includes(word)) {
      frames.pop();
    } else if (word === '=') {
      while (SPACE.test(out[out.length - 1])) out.pop();
      if (!frame.optional) out[frame.label] += '?';
      index = afterDefault(words, index);
      continue;
    }
    // A new line may end what TypeScript reads, as before "[]"; or stand for ";" in an object.
    out.push(SPACE.test(word) && (!got || words.word(words.next(index)) === '[') ? ' ' : word);
    if (NAME.test(word)) {
      if (words.isLabel(index)) {
        frame.label = out.length - 1;
        frame.optional = words.word(words.next(index)) === '?';
        if (frame.renames && RESERVED.has(word)) out[frame.label] += '_';
      } else {
        out[out.length - 1] = typeOf(words, index, frame.got);
        if (words.isSubject(index)) out[out.length - 1] += '_';
      }
    }
    index++;
  }
  return out.join('').trim();
}

function typeOf(words, index, got) {
  const name = words.list[index];
  const type = (got ? GOT : GIVEN)[name];
  const after = words.word(words.next(index));
  if (type === undefined || words.word(index - 1) === '.') return name;
  if (after === '(' || after === '.') return name;
  return after === '[' && type.includes('|') ? `(${type})` : type;
}

/**
 * A signature's doc comment, name, parameters and type of the result; without what its form does
 * not have. `rest`: all behind the name, as it is.
 * @param {boolean} got whether JavaScript gets the result from C
 */
function take(signature, got = true) {
  const [, doc = '', rest] = /^\s*(\/\*\*[\s\S]*?\*\/)?\s*([\s\S]*)$/.exec(signature);
  const [name] = /^(\[[\w.]*\]|[\w$]*)/.exec(rest);
  const words = new Words(rest.slice(name.length));
  const open = words.next(-1);
  const has = words.word(open) === '(';
  const close = has ? words.closing(open) : open - 1;
  const listed = words.list.slice(open + 1, has ? close : open + 1).join('');
  const parameters = listed.replace(/,\s*$/, '');
  const colon = words.next(close);
  return {
    doc: doc.replace(/\n\s*/g, '\n '),
    name,
    parameters: translate(parameters, false, true),
    result: words.word(colon) === ':'
      ? translate(words.list.slice(colon + 1).join(''), got, false)
      : '',
    rest: words.list.join(''),
  };
}

/** The members of an enum, as [name, value, doc comment]; a value is JavaScript's text of it. */
function takeMembers(rest) {
  const member = /(\/\*\*[\s\S]*?\*\/)?\s*([\w$]+)\s*(?:=\s*('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,}\s]+))?\s*[,}]/g;
  let next = 0;
  return Array.from(rest.slice(rest.indexOf('{') + 1).matchAll(member),
    ([, doc = '', name, text = String(next)]) => {
      next = Number(text) + 1;
      return [name, /^['"]/.test(text) ? text : String(Number(text)), doc];
    });
}

module.exports = { RESERVED, take, takeMembers, translate };
