'use strict';

/*
 * Which run is in the middle of a generator that others may hold, so that a second one is refused.
 */

// A property, because a WeakMap costs several times as much; without an "ended" mark, because the
// run knows.
const RUN = Symbol('fibril.run');

/**
 * The run that a generator is marked with. One that refuses to be asked, as a proxy may, is as one
 * that cannot be marked.
 */
function markOf(generator) {
  try {
    return generator[RUN];
  } catch {
    return undefined;
  }
}

function isMarked(generator, run) {
  return markOf(generator) === run;
}

/** Whether some run is in the middle of the generator. */
function isDriven(generator) {
  const run = markOf(generator);
  if (run === undefined) return false;
  return run.gen === generator || (run.parents !== null && run.parents.includes(generator));
}

/** Marks a generator as being run by `run`. Throws when it is frozen. */
function mark(generator, run) {
  generator[RUN] = run;
}

/**
 * The same for one that others can meet while it is suspended. A frozen one cannot be marked, and
 * is run all the same.
 */
function claim(generator, run) {
  try {
    mark(generator, run);
  } catch {
    // as said
  }
}

// Shapes that users' generators have with the mark are none that keepShape can keep. V8 compiles
// nothing for shapes at a place that has seen many of them, so this one has, from the beginning; it
// takes some hundred calls before V8 notes what a function sees.
for (let i = 0; i < 200; i++) mark({ [`shape${i % 8}`]: i }, null);

module.exports = { isMarked, isDriven, claim };
