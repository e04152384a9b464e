'use strict';

/*
 * Random programs for gen: coroutines, Futures that are settled by hand, done callbacks, callbacks
 * and timeouts of the loop, all of which start, settle and wait for each other. A program is made
 * from a seed as plain data; it runs under fibril and under the model of tornado.js, and writes
 * down what happens, iteration by iteration.
 */

const { randomFrom } = require('./programs');

const ITERATIONS = 16;

class Author {
  #random;
  #size = 70; // how many more nodes it may have
  #ids = 0;

  constructor(seed) {
    this.#random = randomFrom(seed);
  }

  #pick(kinds) {
    return kinds[this.#random(kinds.length)];
  }

  #node(kind, more) {
    this.#size--;
    return { kind, id: this.#ids++, a: this.#random(100), b: this.#random(100),
      past: 10_000 * (1 + this.#random(4)), ...more };
  }

  program() {
    return Array.from({ length: 6 }, () => this.#action(0));
  }

  #actions(depth, most = 3) {
    const list = [];
    for (let n = 1 + this.#random(most); n > 0 && this.#size > 0; n--) {
      list.push(this.#action(depth));
    }
    return list;
  }

  #action(depth) {
    const flat = ['settle', 'settle', 'fail', 'chain', 'make', 'remove'];
    const nested = ['whenDone', 'whenDone', 'callback', 'timeout', 'addFuture'];
    const kind = this.#random(10);
    if (depth < 4 && kind < 4) return this.#node('start', { body: this.#body(depth + 1) });
    if (depth < 4 && kind < 7) {
      return this.#node(this.#pick(nested), { actions: this.#actions(depth + 1) });
    }
    return this.#node(this.#pick(flat));
  }

  #body(depth) {
    const list = [];
    for (let n = 1 + this.#random(4); n > 0 && this.#size > 0; n--) {
      if (this.#random(3) === 0) list.push(this.#action(depth));
      else {list.push(this.#node('yield', { what: this.#yieldable(depth),
        caught: this.#random(3) > 0 }));}
    }
    if (this.#random(6) === 0) {
      list.push(this.#node(this.#pick(['throw', 'return', 'raise Return'])));
    }
    return list;
  }

  #yieldable(depth) {
    const kind = this.#random(6);
    if (this.#size > 0 && depth < 4) {
      if (kind === 0) return this.#node('child', { body: this.#body(depth + 1) });
      if (kind === 1) {
        const members = [];
        for (let n = this.#random(4); n > 0; n--) members.push(this.#yieldable(depth + 1));
        return this.#node(this.#pick(['list', 'object', 'multi']), { members });
      }
    }
    return this.#node(this.#pick([
      'future', 'future', 'future', 'moment', 'nothing', 'done', 'failed', 'bad', 'sleep',
      'limited', 'iterator', 'iterator', 'chained',
    ]));
  }
}

/** Runs a program under fibril or the model. */
class World {
  lines = [];
  #t;
  #futures; // all that there are, in the order of their making
  #byHand = new Set(); // those that a program may settle
  #timeouts = [];

  constructor(t) {
    this.#t = t;
    this.#futures = [];
    for (let n = 0; n < 3; n++) this.#make();
  }

  #note(...what) {
    this.lines.push(what.join(' '));
  }

  #make() {
    const future = new this.#t.Future();
    this.#futures.push(future);
    this.#byHand.add(future);
    return future;
  }

  #future(n) {
    return this.#futures[n % this.#futures.length];
  }

  /** Calls `end` in the last iteration that counts. */
  run(program, end) {
    const { loop } = this.#t;
    let iteration = 0;
    const count = () => {
      this.#note('iteration', iteration);
      if (++iteration < ITERATIONS) loop.addCallback(count);
      else end();
    };
    loop.addCallback(count);
    loop.addCallback(() => this.#actions(program));
  }

  #actions(list) {
    for (const each of list) this.#action(each);
  }

  #action(node) {
    const { loop, gen } = this.#t;
    const { kind, id, a, b, past, actions } = node;
    const future = this.#future(a);
    const act = () => {
      this.#note(id, kind, 'runs');
      this.#actions(actions);
    };
    this.#note(id, kind);
    switch (kind) {
      case 'start':
        this.#start(node);
        break;
      case 'settle':
        if (this.#byHand.has(future) && !future.done()) future.setResult(`value ${id}`);
        break;
      case 'fail':
        if (this.#byHand.has(future) && !future.done()) {
          future.setException(new Error(`error ${id}`));
        }
        break;
      case 'chain':
        if (this.#byHand.has(future)) gen.chainFuture(this.#future(b), future);
        break;
      case 'make':
        this.#make();
        break;
      case 'remove':
        if (this.#timeouts.length > 0) {
          loop.removeTimeout(this.#timeouts[a % this.#timeouts.length]);
        }
        break;
      case 'whenDone':
        future.addDoneCallback(act);
        break;
      case 'callback':
        loop.addCallback(act);
        break;
      case 'timeout':
        this.#timeouts.push(loop.callLater(-past, act));
        break;
      case 'addFuture':
        loop.addFuture(future, act);
        break;
    }
    this.#note(id, 'over');
  }

  #start({ id, body }) {
    const world = this;
    const future = this.#t.gen.coroutine(function* () {
      world.#note(id, 'begins');
      for (const each of body) {
        const end = yield* world.#statement(each);
        if (end !== undefined) return end.value;
      }
      world.#note(id, 'ends');
      return `end of ${id}`;
    })();
    this.#futures.push(future);
    return future;
  }

  *#statement(node) {
    const { kind, id } = node;
    switch (kind) {
      case 'throw':
        throw new Error(`error ${id}`);
      case 'return':
        return { value: `value ${id}` };
      case 'raise Return':
        throw new this.#t.gen.Return(`value ${id}`);
      case 'yield':
        break;
      default:
        this.#action(node);
        return undefined;
    }
    try {
      if (node.what.kind === 'iterator') yield* this.#iterate(node.what);
      else this.#note(id, 'got', JSON.stringify(yield this.#yieldable(node.what)));
    } catch (error) {
      if (error instanceof this.#t.gen.Return) throw error;
      this.#note(id, 'caught', error.name, error.name === 'Error' ? error.message : '');
      if (!node.caught) throw error;
    }
    return undefined;
  }

  *#iterate({ id, a, b }) {
    const futures = new Set([this.#future(a), this.#future(b), this.#future(a + b)]);
    const iterator = new this.#t.gen.WaitIterator(...futures);
    while (!iterator.done()) {
      const value = yield iterator.next();
      this.#note(id, 'next', iterator.currentIndex, value);
    }
  }

  #yieldable(node) {
    const { gen, loop } = this.#t;
    const { kind, id, a, past, members } = node;
    switch (kind) {
      case 'child':
        return this.#start(node);
      case 'list':
        return members.map((each) => this.#yieldable(each));
      case 'multi':
        return this.#caught(() => gen.multi(members.map((each) => this.#yieldable(each))));
      case 'object':
        return Object.fromEntries(members.map((each) => [`key${each.id}`, this.#yieldable(each)]));
      case 'iterator':
      case 'future':
        return this.#future(a);
      case 'moment':
        return gen.moment;
      case 'nothing':
        return undefined;
      case 'bad':
        return id;
      case 'limited':
        return gen.withTimeout(-past, this.#future(a));
    }
    const future = this.#make();
    this.#byHand.delete(future);
    if (kind === 'done') future.setResult(`value ${id}`);
    else if (kind === 'failed') future.setException(new Error(`error ${id}`));
    else if (kind === 'sleep') loop.callLater(-past, () => future.setResult(`slept ${id}`));
    else gen.chainFuture(this.#future(a), future);
    return future;
  }

  /** A list with a bad member is refused in the call. */
  #caught(make) {
    try {
      return make();
    } catch (error) {
      return error.name;
    }
  }
}

/** What happens in the program of a seed, line by line. */
async function trace(t, seed) {
  const world = new World(t);
  await new Promise((resolve) => {
    world.run(new Author(seed).program(), resolve);
    t.loop.run?.();
  });
  return world.lines.slice(0, world.lines.indexOf(`iteration ${ITERATIONS - 1}`));
}

module.exports = { trace };
