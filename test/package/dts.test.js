'use strict';

// The declarations that `fibril dts` prints, checked with TypeScript's compiler; and the parser of
// signatures against it: whatever that takes, compiles.

const assert = require('node:assert');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const ts = require('typescript');
const { declarations } = require('../../bin/dts.js');
const { nativesPath } = require('../support/natives');

const root = path.join(__dirname, '..', '..');
const addons = path.dirname(nativesPath);
const { check } = require(path.join(addons, 'parser.node'));

/** What the compiler says of files in one folder, and what they are. */
function compile(files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-dts-'));
  try {
    const names = Object.entries(files).map(([name, text]) => {
      fs.writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    });
    const program = ts.createProgram(names, {
      strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS,
      types: ['node'],
      typeRoots: [path.join(root, 'node_modules/@types')],
        lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
    });
    const host = { getCurrentDirectory: () => folder, getCanonicalFileName: (name) => name,
      getNewLine: () => '\n' };
    return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const print = (...args) =>
  execFileSync(process.execPath, [path.join(root, 'bin/fibril.js'), 'dts', ...args],
    { encoding: 'utf8' });

/** The declaration of one function. */
const declared = (signature) => declarations([['function', undefined, signature]], 'x').split('\n')
  .slice(1)
  .filter((line) => line !== '' && line !== 'export {};' && !line.startsWith('///')).join('\n');

describe('fibril dts', function () {
  this.timeout(600_000);

  it('translates what TypeScript does not have', () => {
    for (const [signature, expected] of [
      ['f(): Promise<void>', 'export function f(): Promise<void>;'],
      ['f(a: int32, b?: uint32 = 5, c: int64 = -1): Promise<int32[]>',
        'export function f(a: number, b?: number, c?: number): Promise<number[]>;'],
      ['f(path: path, bytes: bytes): Promise<bytes>',
        'export function f(path: string | Buffer | URL, bytes: ArrayBufferView | ArrayBuffer): Promise<Buffer>;'],
      ['f(a: bytes[], b: Buffer): Promise<{ bytes: int32, path?: path }>',
        'export function f(a: (ArrayBufferView | ArrayBuffer)[], b: Uint8Array): Promise<{ bytes: number, path?: string }>;'],
      ['f(o: {a: string = \'}\', b?: {c: int32 = 1}[]} = null): Promise<\'int32\'>',
        'export function f(o?: {a?: string, b?: {c?: number}[]}): Promise<\'int32\'>;'],
      ['f(fn: (data: bytes) => bytes, ...rest: path[]): Promise<a.path>',
        'export function f(fn: (data: Buffer) => ArrayBufferView | ArrayBuffer, ...rest: (string | Buffer | URL)[]): Promise<a.path>;'],
      ['delete(class: any, fn: (new: any) => void, o: {this: any}): Promise<void>',
        'declare function delete_(class_: any, fn: (new_: any) => void, o: {this: any}): Promise<void>;\nexport { delete_ as delete };'],
      ['f(a: string\n  []): Promise<void>', 'export function f(a: string []): Promise<void>;'],
      ['f(): string\n  []', 'export function f(): string [];'],
      ['f(): {\n a: string\n b: int32[] }',
        'export function f(): {\n a: string\n b: number[] };'],
      ['f(default: any): default is string',
        'export function f(default_: any): default_ is string;'],
      ['f(new: any): asserts new', 'export function f(new_: any): asserts new_;'],
      ['f(a: Record<string, bytes>, b: [x: int32, y?: path], c: Map<int32, Set<bytes>>): [int32, bytes?]',
        'export function f(a: Record<string, ArrayBufferView | ArrayBuffer>, b: [x: number, y?: string | Buffer | URL], c: Map<number, Set<ArrayBufferView | ArrayBuffer>>): [number, Buffer?];'],
      ['f(a: path): bytes | null', 'export function f(a: string | Buffer | URL): Buffer | null;'],
      ['/** Says it. */ f(a: 1 | -1 = -1,): Promise<void>',
        '/** Says it. */\nexport function f(a?: 1 | -1): Promise<void>;'],
    ]) assert.strictEqual(declared(signature), expected);
  });

  it('declares constants', () => {
    assert.strictEqual(declarations([['constant', undefined, '/** It. */ limits: {depth: uint32}'],
      ['constant', undefined, 'default: 5 | 6']], 'x').split('\n').slice(2, -2).join('\n'),
    '/** It. */\nexport const limits: {depth: number};\n' +
      'declare const default_: 5 | 6;\nexport { default_ as default };');
  });

  it('declares what using calls, as close() is', () => {
    for (const [result, dispose] of [
      ['Promise<void>', '[Symbol.asyncDispose](): Promise<void>;'],
      ['void', '[Symbol.dispose](): void;'],
    ]) {
      for (const parameters of ['', '$f?: boolean']) {
        const text = declarations([['class', undefined, 'A'],
          ['function', 'A', `close(${parameters}): ${result}`]], 'x');
        assert.ok(text.includes(`  close(${parameters}): ${result};\n  ${dispose}\n}`), text);
      }
    }
    for (const [form, signature] of [['getter', 'close: boolean'], ['generator',
      'close(): Generator<number>'], ['function', 'close(how: string): void']]) {
      const text = declarations([['class', undefined, 'A'], [form, 'A', signature],
        ['function', undefined, 'dispose(): void']], 'x');
      assert.ok(!/ispose\]|reference types/.test(text), text);
    }
  });

  it('declares classes, generators, and members in their class', () => {
    assert.strictEqual(declarations([
      ['class', undefined, 'A'], ['constructor', 'A',
        '/** Opens. */ (host: string, port: int32 = 5432)'],
      ['function', 'A', 'close(options?: {force?: boolean}): Promise<void>'],
        ['getter', 'A', '/** The process. */ pid: int32'],
      ['asyncGenerator', 'A', 'rows(sql: string): AsyncGenerator<object>'],
        ['class', undefined, 'B'],
      ['generator', undefined, 'count(to: int32): Generator<int32, path>'],
    ], 'a.node'), `// Written by \`fibril dts\` from the signatures of a.node.
/// <reference types="node" />

export class A {
  /** Opens. */
  constructor(host: string, port?: number);
  close(options?: {force?: boolean}): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  /** The process. */
  readonly pid: number;
  rows(sql: string): AsyncGenerator<object>;
}
export class B {
  constructor();
}
export function count(to: number): Generator<number, string>;
export {};
`);
  });

  it('prints what compiles, and declares what an addon has', () => {
    const files = {};
    for (const name of ['natives', 'classes', 'callbacks', 'iterators', 'parser', 'pressure',
      'synchronous', 'instances', 'references', 'environments']) {
      const file = path.join(addons, `${name}.node`);
      const text = files[`${name}.d.ts`] = print(file);
      const found = [...text.matchAll(/^export (?:function|class|const) (\w+)/gm)].map(([, each]) => each)
        .sort();
      assert.deepStrictEqual(found, Object.keys(require(file)).filter((key) => key !== 'runtime')
        .sort());
    }
    files['use.ts'] = `
      import natives = require('./natives');
      import { Counter } from './classes';
      import { check } from './parser';
      import { add, colours, limits, root, Tally, VERSION } from './synchronous';
      const bytes: Promise<Buffer> = natives.bytes(new Float64Array(1));
      const big: Promise<bigint> = natives.twice();
      natives.encoding({ encoding: 'latin1' });
      natives.tail(1, 2, 3);
      natives.path(new URL('file:///tmp'));
      // @ts-expect-error no such encoding
      natives.encoding({ encoding: 'hex' });
      // @ts-expect-error a number
      natives.tail(1, '2');
      // @ts-expect-error not optional
      natives.text();
      const counter = new Counter(1, { name: 'a' });
      const value: number = counter.value;
      // @ts-expect-error read only
      counter.value = 1;
      const sum: number = add(1, root(4, {}));
      const version: string = VERSION;
      const depth: number = limits.depth;
      const red: 'red' | 'green' = colours[0];
      // @ts-expect-error a constant
      VERSION = '2';
      // @ts-expect-error two of them
      add(1);
      {
        using tally = new Tally();
        tally.add(1).toFixed();
      }
      check([]).then(([first]) => first?.position.toFixed());
      export { bytes, big, value, sum, version, depth, red };
    `;
    assert.strictEqual(compile(files), '');
    assert.match(files['parser.d.ts'],
      /^\/\*\* What is wrong with each; null for nothing\. \*\/\nexport function check/m);
  });

  it('declares accessors, members of the class itself, symbols and aliases', () => {
    const text = declarations([
      ['class', undefined, 'A', undefined],
      ['getter', 'A', '/** Read. */ step: int32', undefined],
      ['setter', 'A', 'step: int32', undefined],
      ['setter', 'A', '/** Written. */ range: { from: number, by?: int32 = 2 }', undefined],
      ['getter', 'A', '[Symbol.toStringTag]: string', undefined],
      ['static', 'A', '/** Opens. */ open(path: path, mode: int32 = 0): Promise<A>', undefined],
      ['constant', 'A', '/** Most. */ MAX: number', undefined],
      ['generator', 'A', '/** All. */ values(): Generator<int32>', undefined],
      ['alias', 'A', '[Symbol.iterator] = values', undefined],
      ['alias', 'A', '/** The same. */ width = step', undefined],
      ['function', 'A', 'close(): void', undefined],
      ['function', 'A', '[Symbol.dispose](): void', undefined],
      ['function', undefined, 'delete(a: A[]): A', undefined],
      ['alias', undefined, 'remove = delete', undefined],
    ], 'a.node');
    assert.strictEqual(text, `// Written by \`fibril dts\` from the signatures of a.node.
/// <reference types="node" />

export class A {
  constructor();
  /** Read. */
  get step(): number;
  set step(value: number);
  /** Written. */
  set range(value: { from: number, by?: number });
  readonly [Symbol.toStringTag]: string;
  /** Opens. */
  static open(path: string | Buffer | URL, mode?: number): Promise<A>;
  /** Most. */
  static readonly MAX: number;
  /** All. */
  values(): Generator<number>;
  /** All. */
  [Symbol.iterator](): Generator<number>;
  /** The same. */
  get width(): number;
  /** The same. */
  set width(value: number);
  close(): void;
  [Symbol.dispose](): void;
}
declare function delete_(a: A[]): A;
export { delete_ as delete, delete_ as remove };
export {};
`);
    assert.strictEqual(compile({ 'a.d.ts': text }), '');
  });

  it('declares enums, namespaces and a default, which TypeScript uses as they are', () => {
    const files = {
      'names.d.ts': print(path.join(addons, 'names.node')),
      'instances.d.ts': print(path.join(addons, 'instances.node')),
      'use.ts': `
        import plusOne = require('./names');
        import { Mode, limits, VERSION } from './names';
        import { Point, valueOf } from './instances';
        const mode: Mode = Mode.APPEND;
        const soft: limits.Mode = 'soft';
        const sum: number = plusOne(1) + plusOne.increment(2) + limits.MAX + plusOne.default(1);
        const point = new limits.points.Point(3);
        const removed: boolean = limits.points.delete;
        plusOne.read(point, mode);
        plusOne.read(point, soft);
        // @ts-expect-error none of the values
        const other: Mode = 3;
        // @ts-expect-error frozen
        Mode.READ = 0;
        // @ts-expect-error of the namespace
        limits.points.read(point, 4);
        const at = Point.at(Point.ORIGIN);
        at.step = at.step + 1;
        at.any = at;
        at.any = null;
        // @ts-expect-error of a type
        at.step = '1';
        // @ts-expect-error an object of the class
        valueOf({});
        const tag: string = at[Symbol.toStringTag];
        const all: number[] = [...at];
        const self: Point = at.self();
        const odd = new plusOne.OddestError('x', { cause: 1 });
        const told: [number, string | undefined, string] = [odd.by, odd.why, odd.code];
        const asRange: RangeError = odd;
        export = { mode, soft, sum, removed, other, tag, all, self, VERSION, told, asRange };
      `,
    };
    assert.strictEqual(compile(files), '');
    const [first, ...rest] = files['names.d.ts'].split('\n\n')[1].split('\n');
    assert.strictEqual(first, '/** The function itself. */');
    assert.deepStrictEqual(rest.filter((line) => line.startsWith('export')), ['export = plusOne;']);
    assert.match(files['names.d.ts'], /readonly READ: 0;\n {2}\/\*\* and \*\/\n {2}readonly WRITE: 4;/);
  });

  it('writes them into a file, unless it says so already', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-dts-'));
    try {
      const addon = path.join(addons, 'parser.node');
      const file = path.join(folder, 'index.d.ts');
      const long = new Date(1e12);
      for (const before of [undefined, 'something else', print(addon)]) {
        if (before !== undefined) fs.writeFileSync(file, before);
        if (before !== undefined) fs.utimesSync(file, long, long);
        assert.strictEqual(print(addon, file), '');
        assert.strictEqual(fs.readFileSync(file, 'utf8'), print(addon));
        assert.strictEqual(fs.statSync(file).mtimeMs === 1e12, before === print(addon));
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it('fits what lib/index.d.ts says of fibril\'s own functions', () => {
    const native = print(path.join(root, 'build/Release/fibril.node'));
    const index = JSON.stringify(path.join(root, 'lib/index.js'));
    assert.strictEqual(compile({
      'native.d.ts': native,
      'use.ts': `
        import native = require('./native');
        import co = require(${index});
        const du: typeof native.du = co.fs.du;
        const publicDu: (path: string, options?: { concurrency?: number, signal?: AbortSignal }) => ReturnType<typeof co.fs.du> = native.du;
        const sleep: (ms: number) => Promise<undefined> = native.sleep;
        export { du, publicDu, sleep };
      `,
    }), '');
  });

  it('says what is wrong with its argument', () => {
    for (const [args, message] of [
      [[], 'dts takes the path of one addon'],
      [['a', 'b', 'c'], 'dts takes the path of one addon, and of one file to write'],
      [['--all'], 'dts takes the path of one addon'],
      [['/none.node'], '/none.node does not load: '],
      [[path.join(addons, 'foreign.node')],
        `${path.join(addons, 'foreign.node')} is no addon that was built with fibril`],
    ]) {
      const { status, stdout, stderr } = spawnSync(process.execPath,
        [path.join(root, 'bin/fibril.js'), 'dts', ...args], { encoding: 'utf8' });
      assert.deepStrictEqual([status, stdout], [2, '']);
      assert.ok(stderr.startsWith(`fibril: ${message}`), stderr);
    }
  });
});

describe('the parser of signatures', function () {
  this.timeout(600_000);

  const PARAMETERS = [
    'a: string', 'a?: number, b?: boolean',
    'path: path, options?: {flag?: boolean = true, signal?: AbortSignal}',
      'a: int32 = -5, b: uint32 = 1e3',
    'a: string = \'it\\\'s\', b: string | null = "x"', 'data: bytes | string',
      'rows: {id: int32; tags: Array<\'a\' | "b">, at: {x: number}}[]',
    'a: readonly (string | null)[][]', 'a: bigint = 5n, b: 1 | 2 | -1.5 = 2',
      'a: Float64Array | ArrayBuffer | DataView', 'a: any, ...rest: unknown[]',
    'a: Function | object', 'a: ReadonlyArray<boolean | undefined>', 'signal: AbortSignal', '',
      'a: any, b: any, c: any, d: any, e: any, f: any, g: any',
    'a: | true | false = true', 'a: (x: number) => string',
      'a: Record<string, [int32, b?: symbol][]>, b: Map<string, Date> | Set<bytes>', 'a: [x: any, y?: path,]',
    'a: ((x: string, y: () => void) => string | null) | null = null', '{}',
  ];
  const WORDS = ['string', 'number', 'int32', 'bytes', 'path', 'null', 'true', 'Array<',
    'readonly ', 'class', 'this', 'await', '...', '?', ':', '=', '= 5', '|', '[]',
    '[', ']', '(', ')', '{', '}', '<', '>', ',', ';', '\'', '"', '\\', '-', '1', '0.5', 'n', ' ',
    '\n', '\u00e9', '/**', '*/', '=>', 'Promise<', '$', '_', 'undefined',
    'Record<string, ', 'Map<', 'Set<any>', 'Date', 'a?: ', 'AbortSignal', 'Buffer[]', '{a?: string}', '(a: any) => any', 'Infinity'];

  /** Numbers from 0 to `below`, the same each time. */
  function random(seed) {
    return (below) => {
      seed = seed + 0x6d2b79f5 | 0;
      let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
      t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
      return Math.floor(((t ^ t >>> 14) >>> 0) / 2 ** 32 * below);
    };
  }

  function mutated(text, next) {
    for (let i = next(3); i >= 0; i--) {
      const at = next(text.length + 1);
      const end = Math.min(text.length, at + next(8));
      const word = WORDS[next(WORDS.length)];
      switch (next(5)) {
        case 0: text = text.slice(0, at) + text.slice(end); break;
        case 1: text = text.slice(0, at) + word + text.slice(at); break;
        case 2: text = text.slice(0, at) + word + text.slice(end); break;
        case 3: text = text.slice(0, end) + text.slice(at, end) + text.slice(end); break;
        default: text = text.slice(0, at) + String.fromCodePoint(32 + next(95)) +
          text.slice(at + 1);
      }
    }
    return text;
  }

  const mutants = (seeds, count, seed) => {
    const next = random(seed);
    return Array.from({ length: count }, () => mutated(seeds[next(seeds.length)], next));
  };

  function assertPosition(text, result) {
    if (result === null) return;
    assert.ok(result.expected.length > 0 && result.position >= 0 &&
      result.position <= Buffer.byteLength(text), JSON.stringify([text, result]));
  }

  it('says where it stopped, whatever it reads', async () => {
    const whole = PARAMETERS.map((parameters) =>
      `/** A. */ f(${parameters}): Promise<Map<string, {n: number[]}>>`);
    const forms = [whole, ['Name'],
      PARAMETERS.filter((each) => !each.includes('...')).map((each) => `(${each})`),
      ['pid: Map<1, () => void>'],
      whole.map((each) => each.replace('Promise', 'Generator')),
      whole.map((each) => each.replace('Promise', 'AsyncGenerator'))];
    for (const [form, seeds] of forms.entries()) {
      for (const result of await check(seeds.filter((each) => !each.includes('({})')), form)) {
        assert.strictEqual(result, null);
      }
      const texts = mutants(seeds, form === 0 ? 30000 : 5000, form + 1);
      const results = await check(texts, form);
      texts.forEach((text, i) => assertPosition(text, results[i]));
      if (form !== 1) {assert.ok(results.some((each) => each === null) &&
        results.some((each) => each !== null));}
    }
  });

  it('says the same of what ends too early', async () => {
    for (const parameters of PARAMETERS.filter((each) => each !== '{}')) {
      const text = `f(${parameters}): Promise<void>`;
      const texts = Array.from({ length: text.length }, (_, i) => text.slice(0, i));
      const results = await check(texts);
      texts.forEach((each, i) => {
        // A name that is not the whole word is another type, of a synchronous function.
        const whole = /: P[romis]*$/.test(each) && !each.includes('AbortSignal');
        assert.strictEqual(results[i] === null, whole, each);
        assertPosition(each, results[i]);
      });
    }
  });

  // What is inside of function types is only TypeScript's business, and what a mutant makes of it
  // may be no TypeScript.
  it('takes nothing that does not compile', async () => {
    const texts = mutants(PARAMETERS.filter((each) => !each.includes('=>')), 40000, 99)
      .filter((each) => !each.includes('=>'));
    const results = await check(texts.map((each) => `f(${each}): Promise<void>`));
    const taken = [...new Set(texts.filter((_, i) => results[i] === null))];
    assert.ok(taken.length > 1000);
    const signatures = taken.map((each, i) =>
      ['function', undefined, `f${i}(${each}): Promise<void>`]);
    assert.strictEqual(compile({ 'taken.d.ts': declarations(signatures, 'mutants') }), '');
  });
});
