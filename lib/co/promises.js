'use strict';

/* The promises that co makes: V8's own, but for what it returns. */

const { NativePromise, promiseReject, promiseResolve, promiseThen } = require('../primordials.js');

/** A promise of this realm that follows the thenable; the thenable itself if it is one. */
function adopt(thenable) {
  if (thenable.then === promiseThen) return thenable;
  return new NativePromise((resolve) => resolve(thenable));
}

let newResolve = null;
let newReject = null;

function keepResolvers(resolve, reject) {
  newResolve = resolve;
  newReject = reject;
}

/** A new promise whose resolvers become the properties `resolve` and `reject` of `holder`. */
function promiseFor(holder, Constructor) {
  const promise = new Constructor(keepResolvers);
  holder.resolve = newResolve;
  holder.reject = newReject;
  newResolve = newReject = null; // what is kept here would keep the promise
  return promise;
}

/**
 * The global Promise of this moment, of which co makes what it returns. Nothing else is made of it;
 * where it is broken, V8's own will do.
 */
function currentPromise() {
  try {
    // eslint-disable-next-line fibril/no-late-globals
    return typeof Promise === 'function' ? Promise : NativePromise;
  } catch {
    return NativePromise;
  }
}

/** A promise for an outcome that is still to come, as promiseFor. */
function outcomeFor(holder) {
  try {
    const promise = promiseFor(holder, currentPromise());
    if (typeof holder.resolve === 'function') return promise;
  } catch {
    // Somebody else's class that cannot be made is no reason to lose the outcome.
  }
  return promiseFor(holder, NativePromise);
}

/**
 * A promise that resolves with the value, as `new Promise((resolve) => resolve(value))`. Objects
 * are not asked whether they are promises.
 */
function resolved(value) {
  const isPlain = typeof value !== 'object' || value === null;
  if (isPlain && currentPromise() === NativePromise) return promiseResolve(value);
  const holder = { resolve: null, reject: null };
  const promise = outcomeFor(holder);
  holder.resolve(value);
  return promise;
}

function rejected(error) {
  if (currentPromise() === NativePromise) return promiseReject(error);
  const holder = { resolve: null, reject: null };
  const promise = outcomeFor(holder);
  holder.reject(error);
  return promise;
}

module.exports = { adopt, promiseFor, outcomeFor, resolved, rejected };
