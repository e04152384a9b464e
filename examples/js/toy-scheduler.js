'use strict';

// Two generators and a loop that carries work from one to the other: what a scheduler is, before
// there is any waiting in it.

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Yields tasks, [function, arguments], and is sent their results. */
function* loop1() {
  let [a, ret] = [-1, 1]; // the two Fibonacci numbers before 0
  while (true) {
    [a, ret] = [ret, yield [sum, [a, ret]]];
    console.log(`Loop1 ret ${ret}`);
  }
}

/** Is sent tasks and yields their results. */
function* loop2() {
  while (true) {
    const [fn, args] = yield;
    yield fn(args);
    console.log('Loop2');
  }
}

const first = loop1();
const second = loop2();
let task = first.next().value;
for (let i = 0; i < 10; i++) {
  second.next();
  const result = second.next(task).value;
  task = first.next(result).value;
}
