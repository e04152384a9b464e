'use strict';

/*
 * `stepOnce` is the one definition of the yield rules. It advances a run by exactly one `next` or
 * `throw`, looks at what came out and says how to go on. Who calls it is a matter of speed only:
 * see lib/co/runner.js.
 */

const { alreadyRunning } = require('../errors.js');
const {
  GeneratorFunction, generatorNext, generatorThrow, isGenerator, isIterator, isThenable,
  kindOfFunction,
} = require('../kinds.js');
const { ArrayIsArray, Object, promiseThen } = require('../primordials.js');
const { keepCode } = require('../shapes.js');
const { Call } = require('./call.js');
const { conversionOf } = require('./conversion.js');
const { Group } = require('./group.js');
const { claim, isDriven } = require('./marks.js');
const { NEXT, THROW, STORED, FAIL, RETURN, DONE } = require('./modes.js');
const { adopt } = require('./promises.js');
const traces = require('./traces.js');
const { waitForResult, waitForThenable } = require('./waits.js');

/**
 * Advances `run` by one `next` or `throw` and classifies what was yielded. Never throws: whatever
 * goes wrong while a yielded value is converted is thrown into the generator at its yield.
 * @returns {number} WAIT, READY or DONE
 */
function stepOnce(run, mode, value) {
  if (run.waiting !== null) return run.control.step(run, mode, value);
  if (mode > THROW) {
    if (mode === STORED) {
      mode = run.mode;
      value = run.value;
      run.value = undefined;
    } else if (mode !== RETURN) {
      return stepAsync(run, mode, value);
    }
  }
  let result;
  let done;
  let yielded;
  try {
    if (mode !== NEXT) {
      if (mode === THROW) {
        const { gen } = run; // its name is in the error when it has no `throw`
        if (traces.on) traces.add(value, gen);
        result = run.next === generatorNext ? generatorThrow.call(gen, value) : gen.throw(value);
      } else {
        result = makeReturn(run.gen);
      }
    } else if (run.next === generatorNext) result = generatorNext.call(run.gen, value);
    else result = run.gen.next(value);
    done = result.done;
    yielded = result.value;
  } catch (error) {
    return leave(run, THROW, error);
  }
  if (done) return leave(run, NEXT, yielded);
  try {
    if (run.unclaimed) {
      run.unclaimed = false;
      claim(run.gen, run);
    }
    if (typeof yielded === 'object' && yielded !== null) {
      const { then } = yielded;
      if (then === promiseThen) return run.waitForPromise(yielded);
      if (typeof then === 'function') return waitForThenable(run, yielded, then);
      return stepObject(run, yielded);
    }
    if (typeof yielded === 'function') return stepFunction(run, yielded);
    if (yielded === undefined && typeof result.then === 'function') {
      return waitForResult(run, result);
    }
    return enter(run, conversionOf(run, yielded), false);
  } catch (error) {
    return run.ready(THROW, error);
  }
}

/** Ends a suspended generator; one that cannot be ended is over. */
function makeReturn(generator) {
  if (typeof generator.return === 'function') return generator.return();
  return { done: true, value: undefined };
}

function stepObject(run, yielded) {
  if (isGenerator(yielded)) {
    if (isDriven(yielded)) throw alreadyRunning();
    return enter(run, yielded, true);
  }
  if (ArrayIsArray(yielded) || yielded.constructor === Object) {
    return new Group(run, yielded).begin(yielded);
  }
  return enter(run, conversionOf(run, yielded), false);
}

function stepFunction(run, yielded) {
  const { then } = yielded;
  if (typeof then === 'function') return waitForThenable(run, yielded, then);
  const kind = kindOfFunction(yielded);
  if (kind === GeneratorFunction) {
    const made = yielded.call(run.ctx);
    return isIterator(made) ? enter(run, made, false) : proceed(run, made);
  }
  const call = new Call(run.ctx, yielded, kind);
  if (call.mode === STORED) return run.waitForPromise(call.promise());
  return call.mode === NEXT ? proceed(run, call.take()) : run.ready(THROW, call.take());
}

/** Runs a yielded generator on top of the one that yielded it. */
function enter(run, generator, shared) {
  const { next } = generator;
  if (run.parents === null) run.parents = [];
  run.parents.push(run.gen, run.next);
  run.gen = generator;
  run.next = next;
  run.unclaimed = shared;
  return run.ready(NEXT, undefined);
}

/** How many entries the stack of generators has below the one that is running. */
function depthOf(run) {
  return run.parents === null ? 0 : run.parents.length;
}

/**
 * The run's topmost generator has returned or thrown: go on with the one that yielded it, or end
 * the run.
 */
function leave(run, mode, value) {
  const { parents } = run;
  if (run.unwinding >= 0 && run.unwinding === depthOf(run)) {
    return run.control.left(run, mode, value);
  }
  if (parents === null || parents.length === 0) {
    finish(run, mode, value);
    return DONE;
  }
  goBack(run);
  return mode === NEXT ? proceed(run, value) : run.ready(THROW, value);
}

/** Takes the topmost generator off the stack. */
function goBack(run) {
  run.next = run.parents.pop();
  run.gen = run.parents.pop();
  run.unclaimed = false;
}

/**
 * Goes on with a result that a promise would adopt: what a child returned, what a thunk called back
 * with.
 */
function proceed(run, value) {
  try {
    if (isThenable(value)) return run.waitForPromise(adopt(value));
  } catch (error) {
    return run.ready(THROW, error);
  }
  return run.ready(NEXT, value);
}

function finish(run, mode, value) {
  const { resolve, reject, slot, onFulfilled } = run;
  if (onFulfilled !== null && run.control === null) keepCode(onFulfilled, run.onRejected);
  run.finished = true;
  run.gen = run.next = run.parents = run.ctx = null;
  run.resolve = run.reject = run.slot = run.onFulfilled = run.onRejected = null;
  if (slot !== null) slot.settle(mode, value);
  else if (resolve === null) run.ready(mode, value);
  else if (mode === NEXT) resolve(value);
  else reject(value);
}

/**
 * An async generator awaits for itself: what it yields is given back as it is, what it returns is
 * its result.
 */
function stepAsync(run, mode, result) {
  if (mode === FAIL) return leave(run, THROW, result);
  let done;
  let value;
  try {
    ({ done, value } = result);
  } catch (error) {
    return leave(run, THROW, error);
  }
  return done ? leave(run, NEXT, value) : run.ready(NEXT, value);
}

module.exports = { stepOnce, goBack, depthOf, finish };
