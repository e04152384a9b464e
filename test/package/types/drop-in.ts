// Compiled, never run: programs for co with @types/co, which compile with fibril in its place as they are. Nothing here is fibril's own.

import co = require('co');
import again, { co as named, default as byDefault, wrap as wrapNamed } from 'co';

declare const anything: any;
declare const nothingKnown: unknown;

function* one() {
  yield Promise.resolve(1);
  return 1;
}

// A plain yield
co(function* () {
  const user = yield Promise.resolve({ name: 'a' });
  return user.name.length;
});
co(function* () {
  const [a, b] = yield [Promise.resolve(1), (done: (error: null, value: string) => void) => done(null, 'b')];
  const { c: { d } } = yield { c: Promise.resolve({ d: 1 }) };
  let later;
  later = yield one;
  return a + b + d + later;
});
co(function* () {
  try {
    return { text: yield Promise.resolve('a'), one: yield* one() };
  } finally {
    yield one();
  }
}).then(({ text, one }) => text.anything + one.toFixed());
co(function* (callback, n) {
  callback(n);
  return yield n;
}, nothingKnown, 2).then((result) => result.anything);
const sizeOf = co.wrap(function* (path: string, depth = 1) {
  const stat = yield Promise.resolve(path);
  return depth > 1 ? stat.size : 0;
});
sizeOf('a');
sizeOf('a', 2).then((size) => size.anything);
named(function* () {
  const a = yield 1;
  return a;
});
byDefault.co.default(function* () {
  return (yield 1).anything;
});
wrapNamed(again.wrap.length > 0 ? one : function* () {
  const a = yield 1;
  return a;
})();

// What comes back
co(one).then((n: number) => n);
co(() => one()).then((n: number) => n);
co(function* () {}).then((nothing: void) => nothing);
co(function* () {
  return Math.random() > 0.5 ? null : [1, 'a'] as const;
}).then((list: readonly [1, 'a'] | null) => list);
co(function* (): Generator<any, string, any> {
  return yield 1;
}).then((text: string) => text);
co(function* (): IterableIterator<any> {
  const a = yield 1;
  return a;
}).then((text: string) => text);
co(anything).then((text: string) => text);
co(anything, 1, 2);
co.wrap(anything)(1, 2).then((text: string) => text);
declare const generatorFunction: GeneratorFunction;
co(generatorFunction, 1, 'a').then((result) => result.anything);
co.wrap(generatorFunction)(1, 'a').then((result) => result.anything);
declare const either: (() => Generator<any, number>) | (() => Generator<any, string>);
co(either).then((result: number | string) => result);
declare const overloaded: { (a: number): Generator<any, number>; (a: string): Generator<any, string> };
co(overloaded, 'a').then((text: string) => text);
co(function* () {
  const all: number[] = yield [1, 2].map((n) => co(one).then((m) => n + m));
  return all;
}).then((all: number[]) => all.length);
async function inAsync(): Promise<number> {
  return await co(one);
}

// Arguments
const many = co.wrap(function* (a: number, b?: string, ...rest: boolean[]) {
  yield a;
  return b;
});
many(1).then((b: string | undefined) => b);
many(1, 'b', true, false);
const generic = co.wrap(function* <T>(value: T) {
  return value;
});
generic(1);
// @ts-expect-error an argument is missing
many();
// @ts-expect-error an argument has another type
many('a');
// @ts-expect-error an argument has another type
co(many, 'a');

// Type parameters
co<typeof one>(one).then((n: number) => n);
co.wrap<typeof one>(one)().then((n: number) => n);
co<() => Generator<any, string, any>>(function* () {
  const a = yield 1;
  return a;
}).then((text: string) => text);

// Functions around it
function run<T>(fn: () => Generator<any, T, any>): Promise<T> {
  return co(fn);
}
async function runLater<T>(fn: () => Generator<any, T, any>): Promise<T> {
  return await co(fn);
}
function wrapTyped<T>(fn: (text: string) => Generator<any, T, any>): (text: string) => Promise<T> {
  return co.wrap(fn);
}
function runWith<F extends (...args: any[]) => Iterator<any, any, any>>(fn: F, ...args: Parameters<F>) {
  return co(fn, ...args);
}
function wrapAny<F extends (...args: any[]) => Iterator<any, any, any>>(fn: F) {
  return co.wrap(fn);
}
run(one).then((n: number) => n);
runWith(one).then((n: number) => n);
wrapAny(one)().then((n: number) => n);

// `this`
class Model {
  size = 1;
  load() {
    const self = this;
    return co(function* () {
      const extra = yield 1;
      return self.size + extra;
    });
  }
  bound() {
    return co(function* (this: Model) {
      return this.size;
    }.bind(this));
  }
  grow = co.wrap(function* (this: Model, by: number) {
    return this.size + by;
  });
}
new Model().grow(1).then((n: number) => n);
const grow = co.wrap(function* (this: Model, by: number) {
  return this.size + by;
});
grow(1).then((n: number) => n);
grow.call(new Model(), 1).then((n: number) => n);
grow.call(undefined, 1);
grow.apply(null, [1]);
grow.bind(anything, 1)().then((n: number) => n);
co.call(anything, function* (a: number) {
  const b = yield a;
  return b;
}, 1);
co.bind(anything)(one);

// As values
const wrap: typeof co.wrap = co.wrap;
const runner: typeof co = co;
const asWrap: (fn: (...args: any[]) => Iterator<any, any, any>) => (...args: any[]) => Promise<any> = co.wrap;
const table: { [name: string]: (...args: any[]) => Promise<any> } = { one: co.wrap(one), many };
const { wrap: taken, co: also } = co;
taken(function* () {
  const a = yield 1;
  return a;
})();
also(function* () {
  const a = yield 1;
  return a;
});
[one, one].map(co.wrap)[0]!().then((n: number) => n);
Promise.resolve(one).then(co);
Promise.resolve(one).then(co.wrap).then((fn) => fn());
const parameters: Parameters<typeof co> = [one, 1, 2];
const first: Parameters<typeof co.wrap>[0] = one;

export { inAsync, runLater, wrapTyped, wrap, runner, asWrap, table, parameters, first, sizeOf, Model, grow };
