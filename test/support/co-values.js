'use strict';

/*
 * Values that a generator may yield, good and bad, and the places where it may yield them. Each
 * value is made anew for each observation, by a function that gets `note`, which adds to the log of
 * what happens, and `co`, whoever that is. All of them settle within a few turns of the event loop.
 * `paced` are the groups for which docs/co.md promises the microtask turns of co when they are
 * yielded alone.
 */

const vm = require('node:vm');
const { EventEmitter } = require('node:events');
const Bluebird = require('bluebird');

const turn = () => new Promise((resolve) => setImmediate(resolve));
const fail = (message) => {
  throw new Error(message);
};
const foreign = (source) => vm.runInNewContext(source);

class Thing {
  constructor() {
    this.promise = Promise.resolve('inside');
  }
}
class List extends Array {}
class SubPromise extends Promise {}
/** What a transpiler makes of a generator. */
class Steps {
  constructor(...values) {
    this.values = values;
  }

  next() {
    return { done: this.values.length === 1, value: this.values.shift() };
  }

  throw(error) {
    throw error;
  }
}

const promises = {
  'a promise': () => Promise.resolve('value'),
  'a promise of nothing': () => Promise.resolve(),
  'a promise of a thunk': () => Promise.resolve((done) => done(null, 'called')),
  'a promise of an array of promises': () => Promise.resolve([Promise.resolve(1)]),
  'a later promise': () => turn().then(() => 'later'),
  'a rejected promise': () => Promise.reject(new Error('rejected')),
  'a promise rejected with a string': () => Promise.reject('string'),
  'a promise rejected with undefined': () => Promise.reject(undefined),
  'a promise rejected with null': () => Promise.reject(null),
  'a promise rejected with 0': () => Promise.reject(0),
  'a promise rejected with an object': () => Promise.reject({ code: 1 }),
  'a promise rejected later': () => turn().then(() => fail('later')),
  'a promise of a subclass': () => SubPromise.resolve('sub'),
  'a rejected promise of a subclass': () => SubPromise.reject(new Error('sub')),
  'a promise of another realm': () => foreign('Promise.resolve("foreign")'),
  'a rejected promise of another realm': () => foreign('Promise.reject(new Error("foreign"))'),
  "a promise of bluebird's": () => Bluebird.resolve('blue'),
  "a rejected promise of bluebird's": () => {
    const promise = Bluebird.reject(new Error('blue'));
    promise.suppressUnhandledRejections(); // it would tell some time later
    return promise;
  },
  'what co returns': ({ co }) => co(function* () { return 'co'; }), // prettier-ignore
  'what co returns for a failure': ({ co }) =>
    co(function* () { throw new Error('co'); }), // prettier-ignore
  'what a wrapped function returns': ({ co }) =>
    co.wrap(function* (arg) { return arg; })('arg'), // prettier-ignore
  'a promise with its own then': ({ note }) => {
    const promise = Promise.resolve('own');
    promise.then = function (...args) {
      note('then of', this === promise, args.map((arg) => typeof arg));
      return Promise.prototype.then.apply(this, args);
    };
    return promise;
  },
};

const thenables = {
  'a thenable that fulfils at once': ({ note }) => ({
    then(...args) {
      note('then', args.map((arg) => typeof arg));
      args[0]('value');
    },
  }),
  'a thenable that fulfils in a microtask': () => (
    { then: (resolve) => Promise.resolve().then(() => resolve('micro')) }),
  'a thenable that fulfils later': () => ({ then: (resolve) => setImmediate(resolve, 'later') }),
  'a thenable that rejects at once': () => ({ then: (_resolve, reject) =>
    reject(new Error('no')) }),
  'a thenable that rejects later with a string': () => (
    { then: (_resolve, reject) => setImmediate(() => reject('no')) }),
  'a thenable that returns a promise': () => (
    { then: (resolve) => Promise.resolve('returned').then(resolve) }),
  'a thenable that fulfils with nothing': () => ({ then: (resolve) => Promise.resolve(resolve()) }),
  'a thenable that fulfils with three values': () => (
    { then: (resolve) => Promise.resolve(resolve(1, 2, 3)) }),
  'a thenable that fulfils with a promise': () => (
    { then: (resolve) => resolve(Promise.resolve('promise')) }),
  'a thenable that fulfils with a thenable': () => (
    { then: (resolve) => resolve({ then: (inner) => inner('inner') }) }),
  'a thenable that throws': () => ({ then: () => fail('then') }),
  'a thenable whose then is a getter that throws': () => (
    { get then() { return fail('getter'); } }), // prettier-ignore
  'a thenable that fulfils twice': () => ({ then: (resolve) => [1, 2]
    .forEach((value) => resolve(value)) }),
  'a thenable that does both': () => ({
    then(resolve, reject) {
      resolve(1);
      reject(new Error('both'));
    },
  }),
  'a function with a then': () => Object.assign(() => {},
    { then: (resolve) => Promise.resolve(resolve('function')) }),
  'a thenable that inherits its then': () =>
    Object.create({ then: (resolve) => Promise.resolve(resolve('inherited')) }),
  'an array with a then': () =>
    Object.assign([1], { then: (resolve) => Promise.resolve(resolve('array')) }),
};

const thunks = {
  'a thunk': () => (done) => done(null, 'value'),
  'a thunk without a value': () => (done) => done(),
  'a thunk with several values': () => (done) => done(null, 1, 2),
  'a thunk with two values undefined': () => (done) => done(null, undefined, undefined),
  'a thunk with an error': () => (done) => done(new Error('error')),
  'a thunk with a string as its error': () => (done) => done('string'),
  'a thunk with a promise as its error': () => (done) => done(Promise.resolve(1)),
  'a thunk with 0 as its error': () => (done) => done(0, 'value'),
  'a thunk with false as its error': () => (done) => done(false, 'value'),
  'a thunk that throws': () => () => fail('thrown'),
  'a thunk that throws undefined': () => () => { throw undefined; }, // prettier-ignore
  'a thunk that throws after it has called back': () => (done) => { done(null, 'value');
    fail('after'); }, // prettier-ignore
  'a thunk that calls back twice': () => (done) => { done(null, 1); done(null, 2);
    }, // prettier-ignore
  'a thunk that calls back both ways': () => (done) => { done(null, 1); done(new Error('both'));
    }, // prettier-ignore
  'a thunk that fails, then calls back': () => (done) => { done(new Error('first')); done(null, 1);
    }, // prettier-ignore
  'a thunk with a promise': () => (done) => done(null, Promise.resolve('promise')),
  'a thunk with a rejected promise': () => (done) =>
    done(null, Promise.reject(new Error('promise'))),
  'a thunk with two promises': () => (done) => done(null, Promise.resolve(1), 2),
  'a thunk with a thenable': () => (done) => done(null, { then: (resolve) => resolve('thenable') }),
  'a thunk with a generator': () => (done) => done(null, (function* () {})()),
  'a thunk with a thunk': () => (done) => done(null, (inner) => inner(null, 1)),
  'a thunk that never calls back': () => () => {},
  'a thunk that looks at this': ({ note }) => function (done) {
    note('this', this === globalThis ? 'globalThis' : this, arguments.length);
    done();
  },
  'a thunk without a parameter': () =>
    function () { arguments[0](null, 'value'); }, // prettier-ignore
  'a bound thunk': () => function (value, done) { done(null, value); }.bind(null,
    'bound'), // prettier-ignore
  'a proxy of a thunk': () => new Proxy((done) => done(null, 'proxy'), {}),
  'a thunk of another realm': () => foreign('(function (done) { done(null, 9); })'),
  'a thunk without a prototype': () => Object.setPrototypeOf((done) => done(null, 'bare'), null),
  'a thunk with a property next': () => Object.assign((done) => done(null, 'next'), { next() {} }),
  'a thunk with next and throw': () => Object.assign(
    function (done) {
      if (done) done(null, 'called back');
      return 'returned';
    },
    { next: () => ({ done: true, value: 'stepped' }), throw: fail },
  ),
  'a class': () => class {},
  'a function made by wrap': ({ co }) => co.wrap(function* (done) {
    if (done) done(null, 'called back');
    return 'returned';
  }),
};

const lateThunks = {
  'a thunk that calls back in a microtask': () => (done) => Promise.resolve()
    .then(() => done(null, 'micro')),
  'a thunk that calls back later': () => (done) => setImmediate(done, null, 'later'),
  'a thunk with an error later': () => (done) => setImmediate(done, new Error('later')),
  'a thunk with several values later': () => (done) => setImmediate(done, null, 1, 2, 3),
  'a thunk with a promise later': () => (done) =>
    setImmediate(done, null, turn().then(() => 'promise')),
  'a thunk that returns a promise and calls back later': () => (done) => {
    setImmediate(done, null, 'called back');
    return Promise.resolve('returned');
  },
};

const generators = {
  'a generator': () => (function* () { return 'value'; })(), // prettier-ignore
  'a generator that waits': () => (function*
    () { return yield Promise.resolve('waited'); })(), // prettier-ignore
  'a generator that throws': () => (function*
    () { throw new Error('thrown'); })(), // prettier-ignore
  'a generator that throws later': () => (function*
    () { yield turn(); throw new Error('later'); })(), // prettier-ignore
  'a generator that returns a promise': () => (function*
    () { return Promise.resolve('promise'); })(), // prettier-ignore
  'a generator that returns a rejected promise': () => (function*
    () { return Promise.reject(new Error('promise')); })(), // prettier-ignore
  'a generator that returns a thenable': () => (function*
    () { return { then: (resolve) => resolve('thenable') }; })(), // prettier-ignore
  'a generator that returns an array of promises': () => (function*
    () { return [Promise.resolve(1)]; })(), // prettier-ignore
  'a generator that returns a thunk': () => (function*
    () { return (done) => done(null, 1); })(), // prettier-ignore
  'a generator that has ended': () => {
    const generator = (function* () {})();
    generator.next();
    return generator;
  },
  'a generator that has been started': () => {
    const generator = (function*
      () { yield 'first'; return yield Promise.resolve('second'); })(); // prettier-ignore
    generator.next();
    return generator;
  },
  'a generator of another realm': () =>
    foreign('(function* () { return yield Promise.resolve(3); })()'),
  'steps of a transpiler': () => new Steps(Promise.resolve(1), 'end'),
  'an iterator whose throw brings a result': () => ({
    next: () => ({ done: false, value: Promise.reject(new Error('thrown')) }),
    throw: (error) => ({ done: true, value: error.message }),
  }),
  'an iterator that replaces its next': () => ({
    next() {
      if (Object.hasOwn(this, 'replaced')) fail('the first one again');
      this.replaced = true;
      this.next = (value) => ({ done: true, value });
      return { done: false, value: Promise.resolve('replaced') };
    },
    throw: fail,
  }),
  'an iterator of numbers': () => [1, 2][Symbol.iterator](),
  'an iterator without throw': () => ({
    values: [Promise.resolve(1), 'end'],
    next() {
      return { done: this.values.length === 1, value: this.values.shift() };
    },
  }),
  'an iterator whose results are numbers': () => (
    { next: () => 5, throw: (error) => { throw error; } }), // prettier-ignore
};

const generatorFunctions = {
  'a generator function': ({ note }) => function* (...args) {
    note('this', this === globalThis ? 'globalThis' : this, args.length);
    return yield Promise.resolve('value');
  },
  'an empty generator function': () => function* () {},
  'a generator method': () => ({ *method() { return 'method'; } }).method, // prettier-ignore
  'a generator function whose parameter throws': () => function*
    (_x = fail('parameter')) {}, // prettier-ignore
  'a generator function that yields a number': () => function* () { yield 5; }, // prettier-ignore
  'a generator function that catches its bad yield': () => function*
    () { try { yield 5; } catch { return 'caught'; } }, // prettier-ignore
  'a generator function that waits in finally': ({ note }) => function* () {
    try {
      yield Promise.reject(new Error('first'));
    } finally {
      note('finally', yield Promise.resolve('waited'));
    }
  },
  'a generator function that returns from finally': () => function* () {
    try {
      yield Promise.reject(new Error('first'));
    } finally {
      return 'overruled'; // eslint-disable-line no-unsafe-finally
    }
  },
  'a generator function with yield*': () => function*
    () { return yield* (function* () { return yield [Promise.resolve(1)]; })();
      }, // prettier-ignore
  'a generator function with yield* of an array': () => function*
    () { yield* [Promise.resolve(1), Promise.resolve(2)]; return 'end'; }, // prettier-ignore
  'a generator function that returns a generator': () => function*
    () { return (function* () {})(); }, // prettier-ignore
  'a generator function of another realm': () =>
    foreign('(function* () { return yield Promise.resolve(3); })'),
  'a proxy of a generator function': () =>
    new Proxy(function* () { return yield Promise.resolve('proxy'); }, {}), // prettier-ignore
  'a function marked by a transpiler': () => Object.assign(() => new Steps('marked'),
    { constructor: { displayName: 'GeneratorFunction' } }),
  "a function of a transpiler's GeneratorFunction": () =>
    Object.assign(() => new Steps(Promise.resolve(), 'made'), {
    constructor: Object.assign(function Made() {}, { prototype: { next() {}, throw() {} } }),
  }),
};

const arrays = {
  'an empty array': () => [],
  'an array with holes': () => [1, , Promise.resolve(3), ,], // eslint-disable-line no-sparse-arrays
  'an array of nothing but holes': () => new Array(3),
  'an array with properties': () => Object.assign([1, Promise.resolve(2)], { extra: 1 }),
  'an array of a subclass': () => List.of(1, Promise.resolve(2)),
  'a frozen array': () => Object.freeze([Promise.resolve(1), { two: 2 }]),
  'a proxy of an array': () => new Proxy([Promise.resolve(1), 2], {}),
  'an array of another realm': () =>
    foreign('(promise) => [promise, 1, , { two: 2 }]')(Promise.resolve(0)),
  'an array with next and throw': () => Object.assign([Promise.resolve(1)],
    { next: () => ({ done: true, value: 'stepped' }), throw: fail }),
  'arrays in arrays': () => [[[{ list: [{ promise: Promise.resolve(1) }] }]]],
  'an array with a promise twice': () => Array(2).fill(Promise.resolve({})),
  'an array with an object twice': () => Array(2).fill({ promise: Promise.resolve(1) }),
  'a long array': () =>
    Array.from({ length: 50 }, (_, i) => (i % 2 ? Promise.resolve(i) : (done) => done(null, i))),
  'an array whose members tell their order': ({ note }) => [
    (done) => { note('1'); done(); }, // prettier-ignore
    function* () { note('2'); yield turn(); note('last'); }, // prettier-ignore
    { a: (done) => { note('3'); done(); },
      b: [(function* () { note('4'); })()] }, // prettier-ignore
    (done) => { note('5'); setImmediate(done); }, // prettier-ignore
  ],
  'a rejected promise before a failing thunk': () =>
    [Promise.reject(new Error('promise')), (done) => done(new Error('thunk'))],
  'a failing thunk before a rejected promise': () =>
    [(done) => done(new Error('thunk')), Promise.reject(new Error('promise'))],
  'a promise rejected soon before a failing thunk': () =>
    [Promise.resolve().then(() => fail('promise')), (done) => done(new Error('thunk'))],
  'a rejected promise before a generator that throws': () =>
    [Promise.reject(new Error('promise')),
      (function* () { throw new Error('generator'); })()], // prettier-ignore
  'a generator that throws soon before one that throws at once': () => [
    function* () { yield Promise.resolve(); throw new Error('soon'); }, // prettier-ignore
    function* () { throw new Error('at once'); }, // prettier-ignore
  ],
  'a failing thenable before a rejected promise': () =>
    [{ then: (_resolve, reject) => reject(new Error('thenable')) },
      Promise.reject(new Error('promise'))],
  'an array with a rejected promise before a failing thunk': () =>
    [[Promise.reject(new Error('promise'))], (done) => done(new Error('thunk'))],
};

const objects = {
  'an empty object': () => ({}),
  'an iterator of a map': () => new Map([[1, 2]]).values(),
  'an iterable': () => ({ *[Symbol.iterator]() {} }),
  'arguments': () => (function () { return arguments; })(Promise.resolve(1), 2), // prettier-ignore
  'an object of nothing to wait for': () => (
    { a: undefined, b: null, c: 0, d: '', e: new Date(0), f: new Thing(), g: new Map() }),
  'an object with symbols': () => ({ [Symbol.for('s')]: Promise.resolve(1), a: 2 }),
  'an object with keys out of order': () => ({ x: turn(), 2: 'two', 1: Promise.resolve('one') }),
  'an object that inherits a promise': () => Object.create({ a: Promise.resolve(1) }),
  'an object with a hidden promise': () => Object.defineProperty({ a: 1 }, 'hidden',
    { value: Promise.resolve(1) }),
  'an object with a getter': () => ({ get a() { return Promise.resolve(2); } }), // prettier-ignore
  'an object with a getter that throws': () => (
    { a: 1, get b() { return fail('getter'); } }), // prettier-ignore
  'an object with a constructor Object': () => ({ constructor: Object, a: Promise.resolve(1) }),
  'an object with a constructor undefined': () => (
    { constructor: undefined, a: Promise.resolve(1) }),
  'an object with a promise as its constructor': () => ({ constructor: Promise.resolve(1), a: 1 }),
  'an object with a then that is no function': () => ({ then: 5, a: Promise.resolve(1) }),
  'an object with a thunk as throw': () => ({ throw: (done) => done(null, 'thrown') }),
  'a frozen object': () => Object.freeze({ a: Promise.resolve(1) }),
  'a proxy of an object': () => new Proxy({ a: Promise.resolve(1) }, {}),
  'objects and arrays in an object': () => (
    { a: [(done) => done(null, 1), function* () { return 2; }],
      b: { c: Promise.resolve(3), d: new Date(0) } }), // prettier-ignore
  'an object with a key __proto__': () => JSON.parse('{"__proto__": {"x": 1}, "a": 2}'),
  'an object with a rejected promise before a failing thunk': () => (
    { a: Promise.reject(new Error('promise')), b: (done) => done(new Error('thunk')) }),
};

const others = {
  undefined: () => undefined,
  null: () => null,
  0: () => 0,
  1: () => 1,
  NaN: () => NaN,
  'an empty string': () => '',
  'a string': () => 'string',
  true: () => true,
  false: () => false,
  'a symbol': () => Symbol.for('symbol'),
  'a bigint': () => 5n,
  'a date': () => new Date(0),
  'a regular expression': () => /x/g,
  'an error': () => new Error('value'),
  'a buffer': () => Buffer.from('b'),
  'a map': () => new Map([[1, Promise.resolve()]]),
  'a set': () => new Set([Promise.resolve()]),
  'a typed array': () => new Uint8Array(2),
  'a boxed number': () => Object(5),
  'an instance of a class': () => new Thing(),
  'an emitter': () => new EventEmitter(),
  'an object of another realm': () => foreign('({ a: 1 })'),
  'an object without a prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'an object without a prototype that has a toString': () =>
    Object.assign(Object.create(null), { toString: () => 'text' }),
  'an instance whose toString throws': () =>
    new (class Odd { toString() { return fail('toString'); } })(), // prettier-ignore
};

const unforeseen = {
  'an async function': () => async () => 'async',
  'an async generator function': () => async function* () { return 'async'; }, // prettier-ignore
  'an async generator': () => (async function* () { return 'async'; })(), // prettier-ignore
  'an array that contains itself': () => {
    const array = [];
    array.push(array);
    return array;
  },
  'an object that contains itself': () => {
    const object = {};
    object.self = object;
    return object;
  },
  'an array with a generator twice': () => Array(2)
    .fill((function* () { yield turn(); })()), // prettier-ignore
  'a generator that is running': ({ co }) => {
    const generator = (function*
      () { yield turn().then(turn).then(turn).then(turn); return 'running'; })(); // prettier-ignore
    co(generator);
    return generator;
  },
};

const groups = { promises, thenables, thunks, lateThunks, generators, generatorFunctions, arrays,
  objects, others, unforeseen };
const paced = ['promises', 'thenables', 'lateThunks', 'others'];

/**
 * Where the value goes; `alone` are those in which nothing else than the value itself is yielded.
 */
const alone = {
  'alone': (value) => function* () { return yield value; }, // prettier-ignore
  'after a promise': (value) => function*
    () { yield Promise.resolve(); return yield value; }, // prettier-ignore
  'after a turn of the loop': (value) => function*
    () { yield turn(); return yield value; }, // prettier-ignore
  'twice': (value) => function* () { return [yield value, yield value]; }, // prettier-ignore
  'in finally': (value) => function* () {
    try {
      yield Promise.reject(new Error('first'));
    } finally {
      yield value;
    }
  },
  'through yield*': (value) => function*
    () { return yield* (function* () { return yield value; })(); }, // prettier-ignore
};
const places = {
  ...alone,
  'in an array': (value) => function* () { return yield [value]; }, // prettier-ignore
  'between others in an array': (value) => function*
    () { return yield [Promise.resolve(0), value, 'last']; }, // prettier-ignore
  'in an object': (value) => function* () { return yield { key: value }; }, // prettier-ignore
  'in an array in an object': (value) => function*
    () { return yield { key: [value] }; }, // prettier-ignore
  'in a child': (value) => function*
    () { return yield (function* () { return yield value; })(); }, // prettier-ignore
  'in a child that is a member': (value) => function*
    () { return yield [function* () { return yield value; }]; }, // prettier-ignore
  'as the result': (value) => function* () { return value; }, // prettier-ignore
  'as the result of a child': (value) => function*
    () { return yield function* () { return value; }; }, // prettier-ignore
  'as the result of a child that is a member': (value) => function*
    () { return yield { *key () { return value; } }; }, // prettier-ignore
  'as what a thunk calls back with': (value) => function*
    () { return yield (done) => done(null, value); }, // prettier-ignore
  'as what a thunk calls back with later': (value) => function*
    () { return yield (done) => setImmediate(done, null, value); }, // prettier-ignore
  'as the error of a thunk': (value) => function*
    () { return yield (done) => done(value, 'value'); }, // prettier-ignore
  'thrown': (value) => function* () { throw value; }, // prettier-ignore
  'in place of a generator function': (value) => value,
  'as what the function returns': (value) => () => value,
};

module.exports = { groups, paced, alone, places, turn };
