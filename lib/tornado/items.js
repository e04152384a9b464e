'use strict';

/* What queues keep their items in. */

const { ArrayIsArray, Error } = require('../primordials.js');
const { keepShape } = require('../shapes.js');

/** First in, first out. */
class Fifo {
  #items = [];
  #first = 0;

  get length() {
    return this.#items.length - this.#first;
  }

  push(item) {
    this.#items.push(item);
  }

  take() {
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (this.#first > 32 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}

class Lifo {
  #items = [];

  get length() {
    return this.#items.length;
  }

  push(item) {
    this.#items.push(item);
  }

  take() {
    return this.#items.pop();
  }
}

/**
 * The lowest first: a binary heap. Users' code compares, and may throw or use the queue: nothing
 * moves before all comparisons are through.
 */
class Heap {
  #items = [];
  #changes = 0;
  #compare;

  constructor(compare) {
    this.#compare = compare;
  }

  get length() {
    return this.#items.length;
  }

  push(item) {
    const items = this.#items;
    const changes = this.#changes;
    let place = items.length;
    while (place > 0 && !(this.#compare(item, items[parentOf(place)]) >= 0)) {
      place = parentOf(place);
    }
    this.#change(changes);
    for (let i = items.length; i > place; i = parentOf(i)) items[i] = items[parentOf(i)];
    items[place] = item;
  }

  take() {
    const items = this.#items;
    const changes = this.#changes;
    let place = this.#placeOfLast();
    this.#change(changes);
    let item = items.pop();
    // Into its place, from which each goes to its parent's, up to the lowest, which goes.
    for (; place >= 0; place = parentOf(place)) [item, items[place]] = [items[place], item];
    return item;
  }

  /** Where the last item goes when the lowest is taken; -1 when it is that itself. */
  #placeOfLast() {
    const items = this.#items;
    const length = items.length - 1;
    const last = items[length];
    let place = length > 0 ? 0 : -1;
    for (let child = 1; child < length; child = 2 * place + 1) {
      if (child + 1 < length && this.#compare(items[child + 1], items[child]) < 0) child++;
      if (this.#compare(items[child], last) >= 0) break;
      place = child;
    }
    return place;
  }

  #change(changes) {
    if (this.#changes !== changes) throw new Error('A comparison has changed the queue');
    this.#changes++;
  }
}

function parentOf(place) {
  return (place - 1) >> 1;
}

/**
 * As Python compares: arrays by their first members that differ, then by length; everything else
 * with <.
 */
function compareItems(a, b) {
  if (!ArrayIsArray(a) || !ArrayIsArray(b)) {
    if (a < b) return -1;
    return a > b ? 1 : 0;
  }
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareItems(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

for (const Class of [Fifo, Lifo, Heap]) keepShape(Class, new Class());

module.exports = { Fifo, Lifo, Heap, compareItems };
