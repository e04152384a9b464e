// Compiled, never run: the types of co, native functions and Futures.

import co = require('fibril');
import type { Stats } from 'node:fs';
import { is } from './is';

class Delay {
  constructor(readonly ms: number) {}
}
const { signal } = new AbortController();
const numbers = function* (a: number) {
  yield Promise.resolve();
  return a;
};

// co
is<Promise<number>>()(co(numbers, 1));
is<Promise<number>>()(co(numbers(1)));
is<Promise<string>>()(co(function* () {
  return Promise.resolve('adopted');
}));
is<Promise<number | boolean>>()(co(function* () {
  return Math.random() > 0.5 ? Promise.resolve(1) : Date.now() > 0;
}));
is<Promise<number>>()(co({} as () => Iterator<unknown, number, string>));
is<Promise<never>>()(co(function* () {
  throw new Error();
}));
is<Promise<number>>()(co(async (a: number) => a, 1));
is<Promise<boolean>>()(co(async function* (): AsyncGenerator<number, boolean> {
  yield 1;
  return true;
}));
is<Promise<number>>()(co(5));
co(function* (a: number, b = 2) {
  return a + b;
}, 1);
co(function* (a, b) {
  return a + b;
}, 1, 2);
is<Promise<any>>()(co.call(new Delay(1), function* () {
  return this.ms;
}));
is<Promise<any>>()(co.apply(new Delay(1), [numbers]));
is<Promise<number>>()(co.bind(new Delay(1))(numbers, 1));
co({} as GeneratorFunction);
co.wrap({} as GeneratorFunction)(1, 'any');
is<typeof co>()(co.co);
is<typeof co>()(co.default);
co(function* () {
  is<any>()(yield 1);
  const [a, b] = yield [co.sleep(1, 1), co.sleep(1, 2)];
  return a + b;
});
co(async function* () {
  const a = yield 1;
  return a;
});
is<Promise<any>>()(co.call(new Delay(1), function* () {
  const a = yield this.ms;
  return a;
}));
function around<T>(fn: () => Iterator<any, T, any>): Promise<T> {
  return co(fn);
}
is<Promise<number>>()(around(() => numbers(1)));
// @ts-expect-error an argument is missing
co(numbers);
// @ts-expect-error an argument has another type
co(numbers, 'one');

// co.wrap
const wrapped = co.wrap(numbers);
is<Promise<number>>()(wrapped(1));
is<typeof numbers>()(wrapped.__generatorFunction__);
const optional = co.wrap(function* (a: number, b: number = 2, ...rest: string[]) {
  return a + b + rest.length;
});
is<Promise<number>>()(optional(1));
is<Promise<number>>()(optional(1, 3, 'more'));
// @ts-expect-error an argument has another type
optional(1, 'two');
// @ts-expect-error an argument has another type
wrapped('one');
const method = co.wrap(function* (this: Delay) {
  return this.ms;
});
const sent = co.wrap(function* (a) {
  const b = yield a;
  return b;
});
is<Promise<any>>()(sent('any'));
is<Promise<string>>()(co.wrap(async (a: string) => a)('a'));
is<Promise<boolean>>()(co.wrap(async function* (): AsyncGenerator<number, boolean> {
  yield 1;
  return true;
})());
const called = method.call(new Delay(1));
is<Promise<number>>()(called);

// co.run
is<Promise<number>>()(co.run(numbers, { args: [1], signal, timeout: 50, name: 'numbers' }));
is<Promise<number>>()(co.run(() => numbers(1), { timeout: Infinity }));
is<Promise<number>>()(co.run(numbers(1)));
co.run(function* (a: number, b = 2) {
  return a + b;
}, { args: [1] });
is<Promise<any>>()(co.run(function* () {
  const [a, b] = yield [co.sleep(1, 1), co.sleep(1, 2)];
  return a + b;
}, { timeout: 1000, signal: undefined }));
co.run(function* (a: number) {
  const b = yield a;
  return b;
}, { args: [1] });
co.run.call(new Delay(1), function* () {
  const a = yield 1;
  return a;
});
is<Promise<boolean>>()(co.run(async function* (): AsyncGenerator<number, boolean> {
  yield 1;
  return true;
}, { signal }));
is<Promise<string>>()(co.run(async (a: string) => a, { args: ['a'] }));
co.run.call(new Delay(1), () => numbers(1), { signal });
// @ts-expect-error its arguments are missing
co.run(numbers, { signal });
// @ts-expect-error its arguments have other types
co.run(numbers, { args: ['one'] });
// @ts-expect-error there is no such option
co.run(numbers(1), { deadline: 5 });

// co.register
co.register(Delay, ({ ms }) => co.sleep(ms));
co.register(Delay, null);
// @ts-expect-error a converter gets instances of the class
co.register(Delay, (value: Date) => value);

// What yield gives
const later = (callback: (error: Error | null, value: string) => void) => callback(null, 'later');
is<[number, 'b']>()({} as co.Result<readonly [Promise<number>, 'b']>);
is<{ a: number; date: Date; list: string[] }>()({} as co.Result<{ a: Promise<number>; date: Date; list: Promise<string>[] }>);
is<string>()({} as co.Result<typeof later>);
is<number>()({} as co.Result<typeof numbers>);
is<number>()({} as co.Result<co.Future<number>>);
is<never>()({} as co.Result<5>);
co(function* () {
  is<string>()(yield* co.typed(co.fs.readFile('a', 'utf8')));
  is<number>()(yield* co.typed(numbers(1)));
  const [text, usage] = yield* co.typed([co.fs.readFile('a', 'utf8'), co.fs.du('.')]);
  is<string>()(text);
  is<number>()(usage.bytes);
  const { name } = yield* co.typed({ name: later });
  is<string>()(name);
});

// Native functions
is<Promise<undefined>>()(co.sleep(1));
is<Promise<string>>()(co.sleep(1, 'value'));
// @ts-expect-error milliseconds are a number
co.sleep('1');
is<Buffer>()(co.bytes(1));
// @ts-expect-error a size is a number
co.bytes('1');

// Futures
const stat = co.gen.future((path: string) => co.fs.stat(path));
is<co.Future<Stats>>()(stat('a'));
is<Promise<Stats>>()((async () => await stat('a'))());
is<boolean>()(stat('a').cancel());
const [sleep, pair] = [co.gen.future(co.sleep), co.gen.future(<T>(value: T) => co.sleep(1, [value, value] as const))];
is<co.Future<undefined>>()(sleep(1));
is<co.Future<string>>()(sleep(1, 'value'));
is<co.Future<readonly [number, number]>>()(pair(1));
// @ts-expect-error milliseconds are a number
sleep('1');
// @ts-expect-error it gives no promise
co.gen.future((a: number) => a);
