'use strict';

// Signatures: what of TypeScript they are, what their types take and refuse in Node's words, and
// what fails the load.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { natives, nativesPath, runScript, errorOf } = require('./support/natives');

const modulePath = path.join(path.dirname(nativesPath), 'signatures.node');

/**
 * Loads the addon anew, exporting a function with this signature, which gives back its first
 * argument.
 */
function load(signature, { stack, size } = {}) {
  delete require.cache[modulePath];
  for (const [name, value] of Object.entries({ SIGNATURE: signature, STACK: stack, SIZE: size })) {
    if (value === undefined) delete process.env[`FIBRIL_TEST_${name}`];
    else process.env[`FIBRIL_TEST_${name}`] = value;
  }
  return require(modulePath);
}

/** A function whose one parameter is of the type. */
const taking = (type) => load(`f(value: ${type}): Promise<any>`).f;

function assertRefused(signature, expected, position) {
  assert.throws(() => load(signature), {
    name: 'Error',
    code: 'ERR_FIBRIL_SIGNATURE',
    message: `fibril_export: "${signature}": expected ${expected} at position ${position}`,
  });
}

after(() => load());

describe('signatures', () => {
  const RESULT = ': Promise<void>';

  it('are TypeScript', async () => {
    for (const signature of [
      'f(value: any): Promise<any>',
      ' f ( value : any ) : Promise < any > ',
      'f(value:any):Promise<any>',
      'f(value: any,): Promise<any>',
      '/** What it does: {@link f}. */ f(value: any): Promise<any>',
      'f(value: any, options?: {a?: int64 = -5; b: string, c?: boolean = false,}): Promise<Map<string, {n: number[]}>>',
      'f(value: any, n?: number = 1e3, b?: boolean = null, s: AbortSignal = null): Promise<[a: number, b: () => Map<1, 2>]>',
      '$_1(value: any, a?: any, b?: any, c?: any, d?: any, e?: any, f?: any, g?: any): Promise<void>',
      'f(value: | string | number): Promise<{ a: \'}\', "b": 1 | -1 }>',
      'f(value: readonly (string | null)[][]): Promise<new () => any>',
      'f(value: unknown, fn: (a: (b: \')\') => void, ...c: string[]) => Map<string, () => void> | null = null): Promise<a.b.c>',
    ]) {
      const name = /([\w$]+)\s*\(/.exec(signature)[1];
      const loaded = load(signature);
      assert.strictEqual(loaded[name].name, name);
      if (/value\s*:\s*any/.test(signature) && !signature.includes('options')) {
        assert.strictEqual(await loaded[name]('x'), 'x', signature);
      }
    }
  });

  it('that cannot be parsed fail the load and say where', () => {
    const TYPE =
      'a type (string, number, int32, bytes, {...}, T[], [A, B], () => T, a class or an enum exported before, ' +
        'or another that docs/c-api.md has)';
    assertRefused('', 'a name', 0);
    assertRefused('1f()', 'a name', 0);
    assertRefused('f', '\'(\'', 1);
    assertRefused('f(', 'a name', 2);
    assertRefused(`f(a)${RESULT}`, '\':\'', 3);
    assertRefused(`f(a: )${RESULT}`, TYPE, 5);
    assertRefused(`f(a: strin)${RESULT}`, TYPE, 5);
    assertRefused(`f(a: String)${RESULT}`, TYPE, 5);
    assertRefused(`f(a: number[)${RESULT}`, '\']\'', 12);
    assertRefused(`f(a: Array)${RESULT}`, '\'<\'', 10);
    assertRefused(`f(a: Array<any)${RESULT}`, '\'>\'', 14);
    assertRefused(`f(a: (string;)${RESULT}`, '\')\'', 12);
    assertRefused(`f(a: () =>)${RESULT}`, 'a type', 10);
    assertRefused(`f(a: number b: number)${RESULT}`, '\',\' or \')\'', 12);
    assertRefused(`f(a: number, a: number)${RESULT}`, 'another name', 13);
    assertRefused(`f(o: {a: any, a: any})${RESULT}`, 'another name', 14);
    assertRefused(`f(a?: number, b: number)${RESULT}`,
      'no required parameter after an optional one', 14);
    assertRefused(`f(o: {a: number)${RESULT}`, '\',\' or \'}\'', 15);
    assertRefused('f()', '\':\' and the type of the result', 3);
    assertRefused('f(): Generator<number>',
      'Promise<...> or a type that is no generator\'s', 5);
    assertRefused('f(): Promise', '\'<\'', 12);
    assertRefused('f(): Promise<', 'a type', 13);
    assertRefused('f(): Promise<>', 'a type', 13);
    assertRefused('f(): Promise<%>', 'a type', 13);
    assertRefused('f(): Promise<Map<string, number>', '\'>\'', 32);
    assertRefused('f(): Promise<{a: [}>', '\']\'', 18);
    assertRefused('f(): Promise<\'a>', '"\'"', 16);
    assertRefused('f(): Promise<void> x', 'the end', 19);
    assertRefused('/** f(): Promise<void>', '\'*/\'', 22);
  });

  it('have defaults of the parameter\'s type, and no others', () => {
    for (const parameter of ['a: string = \'it\\\'s\'', 'a: string = "x"', 'a: number = -1.5e-3',
      'a: number = -Infinity', 'a: int32 = -2147483648',
      'a: boolean = true', 'a: bigint = -9223372036854775808n', 'a: \'x\' | \'y\' = \'y\'',
      'a: 1 | 2 = 2', 'a: any = 5', 'a: path = \'.\'',
      'a: string[] = null', 'a?: string = null', 'o: {a: {b: uint32 = 4294967295}}']) {
      assert.doesNotThrow(() => load(`f(${parameter})${RESULT}`), parameter);
    }
    const OTHER = 'a default of the parameter\'s type';
    assertRefused(`f(a: string = 5)${RESULT}`, OTHER, 14);
    assertRefused(`f(a: number = 'x')${RESULT}`, OTHER, 14);
    assertRefused(`f(a: number = 5n)${RESULT}`, OTHER, 14);
    assertRefused(`f(a: bigint = 5)${RESULT}`, OTHER, 14);
    assertRefused(`f(a: boolean = 0)${RESULT}`, OTHER, 15);
    assertRefused(`f(a: int32 = 2147483648)${RESULT}`, OTHER, 13);
    assertRefused(`f(a: int64 = 1.5)${RESULT}`, OTHER, 13);
    assertRefused(`f(a: uint32 = -1)${RESULT}`, OTHER, 14);
    assertRefused(`f(a: 'x' | 'y' = 'z')${RESULT}`, OTHER, 17);
    assertRefused(`f(a: string[] = true)${RESULT}`, OTHER, 16);
    assertRefused(`f(a: number = x)${RESULT}`, 'a string, number, bigint, true, false or null', 14);
    assertRefused(`f(a: number = - 1)${RESULT}`, 'a number', 14);
    assertRefused(`f(a: number = 1x)${RESULT}`, 'a number', 14);
    assertRefused(`f(a: bigint = 9223372036854775808n)${RESULT}`, 'a bigint of 64 bits', 14);
    assertRefused(`f(a: string = 'x)${RESULT}`, '"\'"', 32);
    assertRefused(`f(a: string = '\\x41')${RESULT}`, 'one of \\n \\t \\r \\\\ \\\' \\"', 15);
  });

  it('have unions of what can be told apart', () => {
    for (const type of ['string | number | boolean | bigint | null', 'string | string',
      'Buffer | ArrayBuffer', '{a: any} | any[] | bytes',
      '(() => void) | {a: any}', '\'a\' | \'b\' | 1 | true | undefined', 'path | null',
      '(string | number)[] | string']) {
      assert.doesNotThrow(() => taking(type), type);
    }
    for (const [type, position] of [['number | int32', 18], ['string[] | number[]', 20],
      ['{a: any} | {b: any}', 20], ['{a: any} | object', 20],
      ['path | string', 16], ['bytes | path', 17], ['[string] | any[]', 20],
      ['[] | [string]', 14], ['Map<any, any> | Map<string, any>', 25],
      ['Set<any> | ReadonlySet<any>', 20], ['Record<string, any> | {}', 31],
      ['object | Record<string, any>', 18]]) {
      assertRefused(`f(value: ${type}): Promise<any>`, 'types that can be told apart', position);
    }
  });

  it('have containers, with types in angle brackets or in places', () => {
    for (const type of ['Record<string, int32[]>', 'Map<string | null, { a?: Date }>',
      'ReadonlyMap< symbol , Set<bigint> >', 'ReadonlySet<[string, number?]>', '[]', '[a: any]',
      'readonly [a?: string, b?: int32,]', '[string, [number]][]', 'Set<any> | any[]',
      'Map<any, any> | Set<any> | [any] | Record<string, any> | Date | symbol',
      `Map<${"'>'"}, "]">`]) {
      assert.doesNotThrow(() => taking(type), type);
    }
    for (const [type, expected, position] of [
      ['Record<number, any>', 'string', 16], ['Record<string>', "','", 22],
      ['Record<string, any', "'>'", 27], ['Record', "'<'", 15], ['Map', "'<'", 12],
      ['Map<string>', "','", 19], ['Set<any, any>', "'>'", 16], ['Set<>', undefined, 13],
      ['[string number]', "',' or ']'", 17], ['[a?: string, number]', "'?', as in the place before", 28],
      ['readonly Set<any>', "'[]'", 26]]) {
      if (expected !== undefined) {
        assertRefused(`f(value: ${type}): Promise<any>`, expected, position);
      } else {
        assert.throws(() => load(`f(value: ${type}): Promise<any>`), { code: 'ERR_FIBRIL_SIGNATURE' });
      }
    }
  });

  it('have one AbortSignal, where the runtime finds it', () => {
    const ELSEWHERE = 'AbortSignal only as a parameter or an option';
    assertRefused(`f(a: AbortSignal, b: AbortSignal)${RESULT}`, 'one AbortSignal', 18);
    assertRefused(`f(a: AbortSignal, o: {b: AbortSignal})${RESULT}`, 'one AbortSignal', 18);
    assertRefused(`f(a: AbortSignal[])${RESULT}`, ELSEWHERE, 16);
    assertRefused(`f(a: {s: AbortSignal}[])${RESULT}`, ELSEWHERE, 21);
    for (const [type, position] of [['Record<string, AbortSignal>', 31], ['[AbortSignal]', 17],
      ['Set<{s: AbortSignal}>', 13], ['Map<string, AbortSignal>', 28]]) {
      assertRefused(`f(a: ${type})${RESULT}`, ELSEWHERE, position);
    }
    assertRefused(`f(a: {o: {s: AbortSignal}})${RESULT}`, ELSEWHERE, 13);
    assertRefused(`f(a: string | {s: AbortSignal})${RESULT}`, ELSEWHERE, 2);
    assertRefused(`f(a: AbortSignal | null)${RESULT}`, 'an AbortSignal and nothing else', 23);
    assert.doesNotThrow(() => load(`f(o?: {s?: AbortSignal | undefined} | null)${RESULT}`));
  });

  it('end in a rest of arguments, or in none', () => {
    assertRefused(`f(...a: number)${RESULT}`, 'an array of the arguments that are left', 2);
    assertRefused(`f(...a?: number[])${RESULT}`, 'an array of the arguments that are left', 2);
    assertRefused(`f(...a: number[], b: any)${RESULT}`, 'no parameter after the rest', 18);
    assert.strictEqual(load(`f(a?: any, ...b: number[])${RESULT}`).f.length, 0);
  });

  it('have their limits', () => {
    const list = (count, separator) => Array.from({ length: count }, (_, i) => `p${i}: any`)
      .join(separator);
    const nested = (depth) => `${'('.repeat(depth)}any${')'.repeat(depth)}`;
    assert.strictEqual(load(`f(${list(8, ', ')})${RESULT}`).f.length, 8);
    assertRefused(`f(${list(9, ', ')})${RESULT}`, 'at most 8 parameters', 74);
    assert.strictEqual(load(`f(o: {${list(64, ', ')}})${RESULT}`).f.length, 1);
    assertRefused(`f(o: {${list(65, ', ')}})${RESULT}`, 'at most 64 options', 2);
    assert.strictEqual(load(`f(o: {${list(65, ', ')}}[])${RESULT}`).f.length, 1);
    assert.doesNotThrow(() => taking(nested(15)));
    assertRefused(`f(value: ${nested(16)}): Promise<any>`, 'fewer types in types', 25);
    assert.doesNotThrow(() => taking(`any${'[]'.repeat(15)}`));
    assertRefused(`f(value: any${'[]'.repeat(16)}): Promise<any>`, 'fewer types in types', 42);
    assert.doesNotThrow(() => load(`f(): Promise<${'['.repeat(64)}${']'.repeat(64)}>`));
    assertRefused(`f(): Promise<${'['.repeat(65)}${']'.repeat(65)}>`, 'fewer brackets', 77);
  });

  it('names a function by all of its long name', async () => {
    const name = 'n'.repeat(200);
    const fn = load(`${name}(value: any): Promise<any>`)[name];
    assert.strictEqual(fn.name, name);
    assert.strictEqual(await fn(1), 1);
  });

  it('finds options by all of their long names', async () => {
    const name = 'n'.repeat(100);
    const { f } = load(`f(value: any, options?: {${name}?: number}): Promise<any>`);
    assert.strictEqual(await f(1, { [name.slice(0, 63)]: 'x', [name]: 1 }), 1);
    const { message } = await errorOf(f(1, { [name]: 'x' }));
    assert.strictEqual(message,
      `The "options.${name}" property must be of type number. Received type string ('x')`);
  });

  it('come with a stack size in its range and options of their size', async () => {
    for (const stack of ['16384', '100000', '67108864']) {
      assert.strictEqual(await load(undefined, { stack }).echo(stack), stack);
    }
    for (const options of [{ stack: '16383' }, { stack: '67108865' }, { size: '3' }]) {
      assert.throws(() => load(undefined, options), {
        code: 'ERR_FIBRIL_SIGNATURE',
        message: 'fibril_export: "echo(value: any): Promise<any>": invalid argument',
      });
    }
  });

  it('that were refused leave a process that goes on and ends', async () => {
    const { code, stderr } = await runScript(`
      process.env.FIBRIL_TEST_SIGNATURE = 'f(';
      for (let i = 0; i < 100; i++) {
        try { require(${JSON.stringify(
          modulePath)}); } catch (e) { if (e.code !== 'ERR_FIBRIL_SIGNATURE') throw e; }
      }
      natives.echoLater(1, 5);`);
    assert.deepStrictEqual([stderr, code], ['', 0]);
  });
});

describe('types of arguments', () => {
  /** What each value becomes. */
  async function assertTaken(type, ...values) {
    const f = taking(type);
    for (const value of values) assert.deepStrictEqual(await f(value), value, type);
  }

  async function assertWrong(type, value, Class, code, message) {
    const error = await errorOf(taking(type)(value));
    assert.strictEqual(error.message, message);
    assert.strictEqual(error.code, code);
    assert.ok(error instanceof Class);
  }

  const assertWrongType = (type, value, rest) =>
    assertWrong(type, value, TypeError, 'ERR_INVALID_ARG_TYPE',
      `The "value" argument must be ${rest}`);
  const assertInvalid = (type, value, rest) =>
    assertWrong(type, value, TypeError, 'ERR_INVALID_ARG_VALUE', `The ${rest}`);

  it('bigint: those of 64 bits', async () => {
    await assertTaken('bigint', 0n, -1n, 2n ** 63n - 1n, -(2n ** 63n));
    await assertWrongType('bigint', 5, 'of type bigint. Received type number (5)');
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n, 2n ** 200n]) {
      const theirs = await errorOf((async () => Buffer.alloc(8).writeBigInt64LE(value))());
      await assertWrong('bigint', value, RangeError, 'ERR_OUT_OF_RANGE', theirs.message);
    }
    assert.strictEqual(await natives.twice(4n), 8n);
  });

  it('arrays, also of arrays and unions', async () => {
    await assertTaken('string[]', [], ['a', '\u00e9'], new Array(5000).fill('x'));
    await assertTaken('Array<number | null>', [1, null]);
    await assertTaken('readonly int32[][]', [[1], [], [2, 3]]);
    await assertTaken('ReadonlyArray<boolean | undefined>', [true, undefined]);
    await assertTaken('any[]', [1, 'a', { b: [] }, null]);
    await assertWrongType('string[]', 'a', 'an instance of Array. Received type string (\'a\')');
    await assertWrongType('string[]', { length: 1, 0: 'a' },
      'an instance of Array. Received an instance of Object');
    for (const [type, value, name, rest] of [
      ['string[]', ['a', 5], 'value[1]', 'of type string. Received type number (5)'],
      // eslint-disable-next-line no-sparse-arrays -- a hole is what is tested
      ['string[]', ['a', , 'b'], 'value[1]', 'of type string. Received undefined'],
      ['int32[][]', [[1], [2, 'x']], 'value[1][1]', 'of type number. Received type string (\'x\')'],
      ['string[]', new Array(2 ** 32 - 1), 'value[0]', 'of type string. Received undefined'],
    ]) {
      await assertWrong(type, value, TypeError, 'ERR_INVALID_ARG_TYPE',
        `The "${name}" argument must be ${rest}`);
    }
    await assertWrong('uint32[]', [0, 1.5], RangeError, 'ERR_OUT_OF_RANGE',
      'The value of "value[1]" is out of range. It must be an integer. Received 1.5');
  });

  it('arrays whose getters throw, or make them shorter, or are proxies', async () => {
    const reason = new Error('getter');
    assert.strictEqual(await errorOf(
      taking('any[]')(Object.defineProperty([1], 0, { get() { throw reason; } }))), reason);
    assert.strictEqual(await errorOf(taking('any[]')(new Proxy([1], { get() { throw reason; } }))),
      reason);
    const shrinking = [0, 1, 2];
    Object.defineProperty(shrinking, 0, { get() { shrinking.length = 1; return 0; } });
    assert.deepStrictEqual(await taking('any[]')(shrinking), [0, undefined, undefined]);
  });

  it('objects in arrays and objects, with their defaults', async () => {
    const rows = taking('{id: int32, name?: string = \'none\', at?: {x: number, y?: number}}[]');
    assert.deepStrictEqual(await rows([{ id: 1 }, { id: 2, name: 'b', at: { x: 1, z: 2 } }]),
      [{ id: 1, name: 'none', at: undefined }, { id: 2, name: 'b', at: { x: 1, y: undefined } }]);
    for (const [value, message] of [
      [[{}], 'The "value[0].id" property must be of type number. Received undefined'],
      [[{ id: 1, at: { x: '1' } }],
        'The "value[0].at.x" property must be of type number. Received type string (\'1\')'],
      [[{ id: 1, at: null }], 'The "value[0].at" property must be of type object. Received null'],
    ]) assert.strictEqual((await errorOf(rows(value))).message, message);
    assert.strictEqual(await natives.rows([{ id: 1, tags: ['a', 'b'] }, { id: 2 }]), 203);
  });

  it('options that may be null or something else', async () => {
    assert.deepStrictEqual(await natives.given(), [false, false, true, false, true]);
    assert.deepStrictEqual(await natives.given('', null, 0, Buffer.alloc(0), null),
      [true, false, true, true, false]);
    assert.deepStrictEqual(await natives.given(undefined, {}), [false, true, true, false, true]);
    assert.strictEqual(await natives.encoding('x'), 'x');
    assert.strictEqual(await natives.encoding({}), 'utf8');
    assert.strictEqual(await natives.encoding({ encoding: 'latin1' }), 'latin1');
    assert.strictEqual((await errorOf(natives.encoding(5))).message,
      'The "options" argument must be one of type string or object. Received type number (5)');
    assert.strictEqual((await errorOf(natives.encoding({ encoding: 'hex' }))).message,
      'The property \'options.encoding\' must be one of: \'utf8\', \'latin1\'. Received \'hex\'');
    assert.strictEqual((await errorOf(natives.given('', { n: 1.5 }))).code, 'ERR_OUT_OF_RANGE');
    assert.strictEqual((await errorOf(natives.given('', 5))).message,
      'The "options" argument must be of type object or null. Received type number (5)');
  });

  it('functions and objects, which come back as themselves', async () => {
    const fn = () => 5;
    const object = { fn };
    assert.strictEqual(await taking('(x: number) => string')(fn), fn);
    assert.strictEqual(await taking('{fn: () => void}[]')([object]).then(([{ fn: back }]) => back),
      fn);
    assert.strictEqual(await taking('object')(object), object);
    assert.strictEqual(await taking('object')(fn), fn);
    await assertWrongType('() => void', object, 'of type function. Received an instance of Object');
    await assertWrongType('object', null, 'of type object. Received null');
  });

  it('literals', async () => {
    await assertTaken('\'a\' | "it\'s" | 1.5 | -1 | true | null | undefined', 'a', 'it\'s', 1.5, -1,
      true, null, undefined);
    for (const [value, text] of [['b', '\'b\''], [5, '5'], [null, 'null'], [{}, '{}'],
      [() => {}, '[Function (anonymous)]']]) {
      await assertInvalid('\'a\' | 1', value,
        `argument 'value' must be one of: 'a', 1. Received ${text}`);
    }
    await assertInvalid('\'a\' | null', false,
      'argument \'value\' must be one of: \'a\', null. Received false');
    await assertTaken('\'auto\' | int32', 'auto', 5);
    await assertInvalid('\'auto\' | int32', 'car',
      'argument \'value\' must be one of: \'auto\', or of type number. Received \'car\'');
    await assertInvalid('\'a\' | \'b\' | {n: number} | null', 'c',
      'argument \'value\' must be one of: \'a\', \'b\', or of type object or null. Received \'c\'');
    await assertInvalid('1 | string', 2,
      'argument \'value\' must be one of: 1, or of type string. Received 2');
    await assertWrongType('\'auto\' | int32', true,
      'one of type string or number. Received type boolean (true)');
  });

  it('unions, and what they say is expected, as Node says it', async () => {
    await assertTaken('string | number | boolean[] | bigint | null', 'a', 1, [true], 1n, null);
    for (const [type, expected] of [
      ['string | null', 'of type string or null'],
      ['string | number', 'one of type string or number'],
      ['string | number | boolean', 'one of type string, number, or boolean'],
      ['bigint[] | string', 'of type string or an instance of Array'],
      ['{a: any} | Uint8Array', 'an instance of Uint8Array or Object'],
      ['path | null', 'of type string or an instance of Buffer or URL or null'],
      ['number | null | undefined', 'of type number or one of null or undefined'],
    ]) {
      await assertWrongType(type, Symbol.iterator,
        `${expected}. Received type symbol (Symbol(Symbol.iterator))`);
    }
  });

  const VIEWS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array,
    Uint32Array, Float32Array, Float64Array,
    BigInt64Array, BigUint64Array, DataView];

  it('typed arrays and other bytes: each its own class, and copied', async () => {
    const bytes = (view) => Buffer.from(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
    for (const Class of VIEWS) {
      const buffer = Uint8Array.from({ length: 24 }, (_, i) => i).buffer;
      const view = Class === DataView ? new DataView(buffer, 8, 8) : new Class(buffer, 8, 1);
      for (const type of [Class.name, 'bytes', 'ArrayBufferView']) {
        const result = await taking(type)(view);
        assert.strictEqual(result.constructor, Class === Uint8Array ? Buffer : Class);
        assert.deepStrictEqual(bytes(result), bytes(view));
      }
      for (const Other of VIEWS.filter((each) => each !== Class)) {
        await assertWrongType(Other.name, view,
          `an instance of ${Other.name}. Received an instance of ${Class.name}`);
      }
      await assertWrongType('ArrayBuffer', view,
        `an instance of ArrayBuffer. Received an instance of ${Class.name}`);
      const promise = taking(Class.name)(view);
      bytes(view).fill(255);
      assert.strictEqual(bytes(await promise)[0], 8);
    }
    const { buffer } = Uint8Array.of(1, 2, 3);
    for (const type of ['ArrayBuffer', 'bytes', 'string | ArrayBuffer']) {
      assert.deepStrictEqual(await taking(type)(buffer), buffer);
    }
    await assertWrongType('ArrayBufferView', buffer,
      'an instance of Buffer, TypedArray, or DataView. Received an instance of ArrayBuffer');
    assert.deepStrictEqual(await taking('Uint8Array')(Buffer.from('a')), Buffer.from('a'));
    assert.deepStrictEqual(await taking('Buffer')(Uint8Array.of(97)), Buffer.from('a'));
    await assertWrongType('Buffer', new Int8Array(1),
      'an instance of Buffer or Uint8Array. Received an instance of Int8Array');
    assert.strictEqual(await natives.firstByte(), -1);
    assert.strictEqual(await natives.firstByte(Buffer.alloc(0)), -2);
    assert.strictEqual(await natives.firstByte(Buffer.of(9)), 9);
  });

  it('bytes that are gone are refused by name', async () => {
    const detached = new Uint8Array(4);
    structuredClone(detached, { transfer: [detached.buffer] });
    const gone = new ArrayBuffer(4);
    structuredClone(gone, { transfer: [gone] });
    const shared = new SharedArrayBuffer(8);
    for (const value of [detached, gone]) {
      const error = await errorOf(taking('bytes')(value));
      assert.strictEqual(error.code, 'ERR_INVALID_ARG_VALUE');
      assert.ok(error.message.startsWith(
        "The argument 'value' must not be backed by a detached ArrayBuffer. Received "),
      error.message);
    }
    await assertWrongType('bytes', shared,
      'an instance of Buffer, TypedArray, DataView, or ArrayBuffer. Received an instance of SharedArrayBuffer');
  });

  it('the arguments that are left', async () => {
    assert.strictEqual(await natives.tail(1), 1);
    assert.strictEqual(await natives.tail(1, 2, 3), 123);
    assert.strictEqual(await natives.tail(1, ...new Array(20).fill(0)), 1e20);
    assert.strictEqual(natives.tail.length, 1);
    assert.match((await errorOf(natives.tail(1, 2, '3'))).message,
      /^The "rest\[1\]" argument must be of type number\. Received/);
    assert.match((await errorOf(natives.tail())).message, /^The "first" argument/);
    const { f } = load('f(value?: any, ...rest: string[]): Promise<any>');
    assert.strictEqual(await f(), undefined);
  });

  it('defaults of every kind', async () => {
    for (const [type, text, value] of [['string', '\'a\\n\\\'"\\\\\'', 'a\n\'"\\'],
      ['string', '"\u00e9"', '\u00e9'], ['number', '-1.5e-3', -1.5e-3],
      ['number', 'Infinity', Infinity], ['int64', '-9007199254740991', -9007199254740991],
      ['boolean', 'true', true], ['bigint', '-9223372036854775808n', -(2n ** 63n)],
      ['string', 'null', null], ['any', '\'x\'', 'x']]) {
      for (const given of [[], [undefined]]) {
        assert.deepStrictEqual(await load(`f(value: ${type} = ${text}): Promise<any>`).f(...given),
          value);
        assert.deepStrictEqual((await taking(`{a: ${type} = ${text}}[]`)([{ a: given[0] }]))[0].a,
          value);
      }
    }
  });

  it('defaults are the same in a locale that writes a comma', async function () {
    const LOCPATH = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-locale-'));
    try {
      const made = spawnSync('localedef', ['-i', 'de_DE', '-f', 'UTF-8',
        path.join(LOCPATH, 'de_DE.UTF-8')]);
      if (made.status !== 0) {
        console.log('      skipped: localedef, or what it makes locales from, is not installed');
        this.skip();
      }
      const { stdout, stderr } =
        await runScript(`require(${JSON.stringify(modulePath)}).f().then(console.log);`, {
        env: { LOCPATH, LC_ALL: 'de_DE.UTF-8', FIBRIL_TEST_LOCALE: '1',
          FIBRIL_TEST_SIGNATURE: 'f(value: number = 1.5): Promise<any>' },
      });
      assert.deepStrictEqual([stdout, stderr], ['1.5\n', '']);
    } finally {
      fs.rmSync(LOCPATH, { recursive: true });
    }
  });

  it('leave nothing behind, taken or refused', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { memoryUsage } = process;
      (async () => {
        const row = { id: 1, tags: new Array(100).fill('a') };
        const big = new Array(100).fill(row);
        const round = async () => {
          for (let i = 0; i < 20; i++) {
            await natives.rows(big);
            await natives.rows([...big, { id: 1, tags: ['a', 'c'] }]).catch(() => {});
            await natives.given('x'.repeat(1000), { n: 1.5 }).catch(() => {});
          }
          gc();
          await new Promise(setImmediate);
          return memoryUsage.rss();
        };
        for (let i = 0; i < 3; i++) await round();
        const before = await round();
        for (let i = 0; i < 5; i++) await round();
        const grown = await round() - before;
        console.log(grown < 16e6 ? 'flat' : grown);
      })();`, { flags: ['--expose-gc'] });
    assert.deepStrictEqual([stdout, stderr, code], ['flat\n', '', 0]);
  });
});

describe('errors among the members of a result', () => {
  it('are Errors', async () => {
    const thrown = new RangeError('thrown');
    const [nothing, io, uv, typed, object] = await natives.errors(() => { throw thrown; });
    assert.strictEqual(nothing, undefined);
    for (const [error, name, code, message] of [
      [io, 'Error', 'EIO', 'of the array'],
      [uv, 'Error', 'ENOENT', 'ENOENT: no such file or directory, open \'/none\''],
      [typed, 'RangeError', 'ERR_TEST', 'of a class'],
      [object.error, 'Error', 'EPERM', 'operation not permitted'],
    ]) {
      assert.ok(error instanceof globalThis[name]);
      assert.deepStrictEqual([error.name, error.code, error.message], [name, code, message]);
      assert.doesNotMatch(error.stack, /makeError|nestedError/);
    }
    assert.deepStrictEqual([uv.errno, uv.syscall, uv.path], [-2, 'open', '/none']);
    assert.strictEqual(object.thrown, thrown);
  });
});
