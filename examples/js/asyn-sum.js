'use strict';

// A function that answers later, and a coroutine that waits for the answer: the order of the four
// lines shows who runs when.

const co = require('fibril');

function asynSum(a, b) {
  console.log(`begin calculate:sum ${a}+${b}`);
  return new Promise((resolve) => {
    setImmediate(() => {
      console.log(`calculating the sum of ${a}+${b}:`);
      resolve(a + b);
    });
  });
}

co(function* () {
  const sum = yield asynSum(2, 3);
  console.log('after yielded');
  console.log(`the 2+3=${sum}`);
});
