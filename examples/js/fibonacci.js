'use strict';

// A generator that never ends by itself, and a plain loop that takes what it wants from it.

function* fibonacci() {
  let [a, b] = [0, 1];
  try {
    while (true) {
      yield b;
      [a, b] = [b, a + b];
    }
  } finally {
    console.log('closed'); // leaving the loop ends the generator
  }
}

for (const number of fibonacci()) {
  console.log(number);
  if (number >= 55) break;
}
