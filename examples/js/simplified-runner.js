'use strict';

// How a coroutine is driven, reduced to its idea: every future that the generator yields gets a
// callback that sends the result back in. The real one, co(), does not recurse, knows errors and
// knows more than futures.

const { gen } = require('fibril');

class Runner {
  constructor(generator) {
    this.generator = generator;
    this.next = undefined;
  }

  run() {
    const { done, value: future } = this.generator.next(this.next);
    if (done) return;
    future.addDoneCallback(() => {
      this.next = future.result();
      this.run();
    });
  }
}

function* program() {
  for (const word of ['one', 'two', 'three']) {
    const answer = yield gen.sleep(5, word);
    console.log(`the generator got ${answer}`);
  }
}

new Runner(program()).run();
console.log('the runner has returned');
