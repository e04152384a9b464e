'use strict';

// A loop over the answers of a query that come in batches: it waits where the next batch is still
// on its way, and nowhere else.

const { gen } = require('fibril');

const ROWS = ['ada', 'brian', 'dennis', 'grace', 'ken'];
const BATCH = 2;

class Cursor {
  constructor() {
    this.position = 0;
    this.batch = [];
  }

  /** A Future: whether there is another object. It is done already when the batch has one. */
  get fetchNext() {
    return this.fetch();
  }

  /** The object that fetchNext has told of. */
  nextObject() {
    return this.batch.shift();
  }
}

Cursor.prototype.fetch = gen.coroutine(function* () {
  if (this.batch.length > 0) return true;
  console.log(`fetch from ${this.position}`);
  yield gen.sleep(5); // the way to the database and back
  this.batch = ROWS.slice(this.position, this.position + BATCH);
  this.position += this.batch.length;
  return this.batch.length > 0;
});

const main = gen.coroutine(function* () {
  const cursor = new Cursor();
  while (yield cursor.fetchNext) console.log(cursor.nextObject());
});

main();
