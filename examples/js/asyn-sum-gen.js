'use strict';

// asyn-sum.js as one writes it with Tornado: a Future, a callback of the loop that settles it, and
// a coroutine that yields it.

const { gen, Future, IOLoop } = require('fibril');

const asynSum = gen.coroutine(function* (a, b) {
  console.log(`begin calculate:sum ${a}+${b}`);
  const future = new Future();

  function callback(first, second) {
    console.log(`calculating the sum of ${first}+${second}:`);
    future.setResult(first + second);
  }
  IOLoop.instance().addCallback(callback, a, b);

  const result = yield future;

  console.log('after yielded');
  console.log(`the ${a}+${b}=${result}`);
});

function main() {
  asynSum(2, 3);
  // Tornado's IOLoop.instance().start() comes here; Node's loop needs none, and ends when nothing
  // is left to do.
}

main();
