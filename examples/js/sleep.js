'use strict';

// sleep starts the clock when it is called, not when it is yielded. So a loop can keep its beat,
// however long its work takes.

const co = require('fibril');

const PERIOD = 60;

co(function* () {
  const start = performance.now();
  for (let beat = 1; beat <= 3; beat++) {
    const next = co.sleep(PERIOD); // starts the clock
    console.log(`beat ${beat}`);
    yield co.sleep(PERIOD / 2); // the work: the clock ticks on
    yield next; // the rest of the time
  }
  console.log(`3 beats took ${Math.round(performance.now() - start)} ms`);
});
