'use strict';

/*
 * Random generator programs. A program is made from a seed, runs under any co, and writes down what
 * each of its generators sees. In every turn of the event loop exactly one of its waits ends, and
 * nothing fails but right after a wait: so "the first error in time" is the same everywhere,
 * however many microtask turns an implementation takes.
 */

const vm = require('node:vm');

class SubPromise extends Promise {}
const foreignPromise = vm.runInNewContext('Promise');

/**
 * What a transpiler makes of a generator, with neither `return` nor a prototype of V8's; an error
 * thrown into it is its result.
 */
function steps(values) {
  return {
    next: () => ({ done: values.length < 2, value: values.shift() }),
    throw: (error) => ({ done: true, value: `stepped over ${error}` }),
  };
}

/** A small seeded generator of integers below a bound (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Writes a program: plain data, so that what it does cannot depend on who runs it. */
class Author {
  #random;
  #ids = 0;
  #size;

  constructor(seed) {
    this.#random = randomFrom(seed);
    this.#size = 60; // how many more nodes it may have
  }

  #pick(kinds) {
    return kinds[this.#random(kinds.length)];
  }

  #node(kind, more) {
    this.#size--;
    const id = this.#ids++;
    return { kind, id, order: this.#random(1000) * 1000 + id, ...more };
  }

  generator(depth = 0) {
    const body = [];
    for (let n = 1 + this.#random(4); n > 0; n--) body.push(this.#statement(depth));
    return this.#node(this.#pick(['generator', 'function']), { body });
  }

  #statement(depth) {
    const kind = this.#random(14);
    if (kind === 0) return this.#node('throw');
    if (kind === 2) {return this.#node('finally',
      { body: [this.#statement(depth), this.#statement(depth)], last: this.#yieldable(depth) });}
    if (kind === 3 && depth < 6) return this.#node('delegate', { to: this.generator(depth + 1) });
    if (kind === 1) {return this.#node('return',
      { what: this.#node(this.#pick(['value', 'resolved', 'later'])) });}
    const caught = this.#random(3) > 0;
    const failing = ['rejected', 'failing thunk', 'bad'];
    const what = caught &&
      this.#random(4) === 0 ? this.#node(this.#pick(failing)) : this.#yieldable(depth);
    return this.#node('yield', { caught, what });
  }

  #yieldable(depth) {
    const kind = this.#random(10);
    if (this.#size > 0 && depth < 6) {
      if (kind < 2) return this.generator(depth + 1);
      if (kind < 5) return this.#container(depth + 1);
    }
    const leaves = ['resolved', 'later', 'failing later', 'thunk', 'thunk later',
      'failing thunk later'];
    const foreign = ['subclass', 'other realm', 'wrapped', 'co', 'promise thunk later', 'steps',
      'throwing steps', 'proxy'];
    return this.#node(this.#pick([...leaves, ...foreign, 'values thunk', 'thenable',
      'thenable later']));
  }

  #container(depth) {
    const members = [];
    for (let n = this.#random(4); n > 0; n--) {
      members.push(this.#random(4) === 0
        ? this.#node(this.#pick(['value', 'hole', 'date', 'map', 'null'])) : this.#yieldable(
          depth));
    }
    return this.#node(this.#pick(['array', 'object']), { members });
  }
}

/** Runs a program under one co. */
class World {
  #waits = [];
  #co = null;
  #note;

  constructor(note) {
    this.#note = note;
  }

  async run(co, program) {
    this.#co = co;
    let ended = false;
    const end = (what) => (value) => {
      ended = true;
      this.#note(program.id, what, value);
    };
    co(this.#make(program)).then(end('resolved'), end('rejected'));
    // Whatever an error has left behind goes on: only when a turn brings nothing new is everything
    // over.
    for (let idle = false; !idle; ) {
      await new Promise((resolve) => setImmediate(resolve));
      idle = ended && this.#waits.length === 0;
      const next = Math.min(...this.#waits.map((wait) => wait.order));
      const index = this.#waits.findIndex((wait) => wait.order === next);
      if (index >= 0) this.#waits.splice(index, 1)[0].end();
    }
  }

  #later({ order }, end) {
    this.#waits.push({ order, end });
  }

  #wait(node) {
    return new Promise((resolve) => this.#later(node, resolve));
  }

  *#body({ id, body }) {
    this.#note(id, 'begins');
    for (const statement of body) {
      const end = yield* this.#statement(id, statement);
      if (end !== undefined) return end.value;
    }
    return `end of ${id}`;
  }

  /** Returns `{value}` for what ends the generator. */
  *#statement(id, statement) {
    switch (statement.kind) {
      case 'throw':
        yield this.#wait(statement);
        throw `error ${statement.id}`;
      case 'return':
        return { value: this.#make(statement.what) };
      case 'delegate':
        this.#note(id, 'delegated', yield* this.#body(statement.to));
        return undefined;
      case 'finally':
        try {
          return (yield* this.#statement(id, statement.body[0])) ??
          (yield* this.#statement(id, statement.body[1]));
        } finally {
          this.#note(id, 'finally', yield this.#make(statement.last));
        }
    }
    try {
      this.#note(id, 'got', yield this.#make(statement.what));
    } catch (error) {
      this.#note(id, 'caught', error instanceof Error ? error.message.slice(0, 60) : error);
      if (!statement.caught) throw error;
    }
    return undefined;
  }

  /** Holes are left out, so that the array has some. */
  #array({ members }) {
    const array = new Array(members.length);
    members.forEach((member, i) => {
      if (member.kind !== 'hole') array[i] = this.#make(member);
    });
    return array;
  }

  #make(node) {
    const { kind, id } = node;
    const value = `value ${id}`;
    const error = `error ${id}`;
    switch (kind) {
      case 'generator':
        return this.#body(node);
      case 'function': {
        const world = this;
        return function* () {
          return yield* world.#body(node);
        };
      }
      case 'array':
        return this.#array(node);
      case 'object':
        return Object.fromEntries(
          node.members.map((member) => [`key${member.id}`, this.#make(member)]));
      case 'value':
        return value;
      case 'date':
        return new Date(id);
      case 'map':
        return new Map([[id, Promise.resolve()]]);
      case 'hole':
        return undefined;
      case 'null':
        return null;
      case 'bad':
        return id;
      case 'resolved':
        return Promise.resolve(value);
      case 'rejected':
        return Promise.reject(error);
      case 'later':
        return this.#wait(node).then(() => value);
      case 'failing later':
        return this.#wait(node).then(() => Promise.reject(error));
      case 'subclass':
        return SubPromise.resolve(value);
      case 'other realm':
        return foreignPromise.resolve(value);
      case 'wrapped':
        return this.#co.wrap(function* (first) {
          return [yield Promise.resolve(first), this === globalThis];
        }).call(null, value);
      case 'co':
        return this.#co(function* (first) {
          return { first: yield Promise.resolve(first) };
        }, value);
      case 'promise thunk later':
        return (done) => this.#later(node, () => done(null, Promise.resolve(value)));
      case 'steps':
        return steps([Promise.resolve(value), value]);
      case 'throwing steps':
        return steps([this.#wait(node).then(() => Promise.reject(error))]);
      case 'proxy':
        return new Proxy({ value: this.#wait(node).then(() => value) }, {});
      case 'thunk':
        return (done) => done(null, value);
      case 'values thunk':
        return (done) => done(null, value, value);
      case 'failing thunk':
        return (done) => done(error);
      case 'thunk later':
        return (done) => this.#later(node, () => done(null, value));
      case 'failing thunk later':
        return (done) => this.#later(node, () => done(error));
      case 'thenable':
        return { then: (resolve) => Promise.resolve(resolve(value)) };
      case 'thenable later':
        return { then: (resolve) =>
          new Promise((over) => this.#later(node, () => over(resolve(value)))) };
    }
    throw new Error(`unknown kind ${kind}`);
  }
}

/**
 * Runs the program of a seed.
 * @returns {Promise<string[]>} one line for each thing that any generator saw, in order
 */
async function trace(co, seed) {
  const lines = [];
  const world = new World((id, what, value) =>
    lines.push(`${id} ${what} ${JSON.stringify(value)}`));
  await world.run(co, new Author(seed).generator());
  return lines;
}

/** The lines of each generator apart: what they saw, whatever their order among each other. */
function perGenerator(lines) {
  return [...lines].sort((a, b) => parseInt(a, 10) - parseInt(b, 10));
}

module.exports = { randomFrom, trace, perGenerator };
