'use strict';

/*
 * V8 keeps what it knows of a class's objects, their hidden class, only as long as there is such an
 * object. When a full collection finds none, the hidden class goes, and with it the optimized code
 * of every function that was compiled for it: all of that runs in the interpreter again until V8
 * has learnt it anew, after each such collection. A server whose runs are short has moments without
 * any. So every class whose objects come and go on a hot path keeps one for good.
 * docs/decisions/0004-runner.md has the measurements.
 */

const { ObjectDefineProperty } = require('./primordials.js');

const SHAPE = Symbol('fibril.shape');

/**
 * Keeps an instance alive as long as its class. It is one that nobody uses, made where the class
 * is, and holds nothing of a user's: with null or undefined in the fields that may hold anything,
 * so that later values widen its hidden class instead of replacing it.
 * @param {function} Class
 * @param {Object} instance of the class, with all the fields that its instances ever have
 */
function keepShape(Class, instance) {
  ObjectDefineProperty(Class, SHAPE, { value: instance });
}

const last = { fulfilled: null, rejected: null };

/**
 * For the two reactions of a run that has ended, which hold nothing but that run. A function that
 * is made anew for every run has its optimized code from the one before, and only as long as there
 * is one: so the last ones are kept. What is made for every value is bound instead, `fn.bind(...)`,
 * where the code is that of `fn`, which stays: a bound function holds on to the value, and calling
 * it costs a run's every step some nanoseconds.
 */
function keepCode(onFulfilled, onRejected) {
  last.fulfilled = onFulfilled;
  last.rejected = onRejected;
}

module.exports = { keepShape, keepCode };
