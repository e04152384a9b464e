'use strict';

/*
 * node observe-values.js co|fibril: what becomes of every value of co-values.js in every place, as
 * JSON. A run that has not ended after as many turns of the event loop as none of these values
 * takes is one that hangs.
 */

const { groups, places, turn } = require('./co-values');

const TURNS = 20;
const co = process.argv[2] === 'co' ? require('co') : require('../../lib');

/**
 * A value as text: what it is, what is in it, and whether it is the very value that was yielded.
 */
function text(value, yielded, depth = 0) {
  const same = typeof value === 'object' && value !== null &&
  value === yielded ? ' (the same)' : '';
  const inner = (each) => text(each, yielded, depth + 1);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return value === yielded ? 'the function' : 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > 5) return '...';
  if (Object.prototype.toString.call(value) === '[object Error]') {
    return `${value.name}: ${value.message}${same}`;
  }
  const prototype = Object.getPrototypeOf(value);
  const name = prototype === null ? 'null' : Object.hasOwn(prototype, 'constructor')
    ? prototype.constructor.name : '?';
  if (name !== 'Array' && name !== 'Object') return `${name}${same}`;
  const entries = Reflect.ownKeys(value).filter((key) => key !== 'length')
    .map((key) => `${String(key)}: ${inner(value[key])}`);
  return `${name} {${entries.join(', ')}}${same}`;
}

/**
 * Counts microtask turns until it is stopped or at its end; counting for ever would keep the event
 * loop from turning.
 */
class Turns {
  count = 0;
  #stopped = false;

  constructor() {
    const next = () => {
      if (this.#stopped || this.count === 30) return;
      this.count++;
      Promise.resolve().then(next);
    };
    Promise.resolve().then(next);
  }

  stop() {
    this.#stopped = true;
  }
}

async function observe(make, place, ctx) {
  const log = [];
  const unhandled = new Set();
  let outcome = 'hangs';
  const note = (...args) => log.push(args.map((arg) => text(arg, value)).join(' '));
  const value = make({ note, co });
  const onUnhandled = (error) => unhandled.add(text(error, value));
  process.on('unhandledRejection', onUnhandled);
  process.on('uncaughtException', onUnhandled);
  const given = place(value);
  const promise = ctx === undefined ? co(given) : co.call(ctx, given);
  note(promise instanceof Promise ? 'returned' : 'returned something else');
  const turns = new Turns();
  const end = (how) => (result) => {
    turns.stop();
    outcome = `${how} ${text(result, value)}`;
  };
  promise.then(end('resolved'), end('rejected'));
  for (let n = 0; n < TURNS && outcome === 'hangs'; n++) await turn();
  for (let n = 0; n < 3; n++) await turn(); // what goes on, or is reported, after the end
  process.off('unhandledRejection', onUnhandled);
  process.off('uncaughtException', onUnhandled);
  return { outcome, log, unhandled: [...unhandled], turns: turns.count };
}

async function main() {
  const observations = {};
  for (const values of Object.values(groups)) {
    for (const [name, make] of Object.entries(values)) {
      for (const [where, place] of Object.entries(places)) {
        observations[`${name}, ${where}`] = await observe(make, place);
        observations[`${name}, ${where}, with a this`] = await observe(make, place,
          { name: 'this' });
      }
    }
  }
  process.stdout.write(JSON.stringify(observations));
}

main();
