'use strict';

/*
 * What `require('fibril')` gives: co, callable, with everything else as its properties. Where no binary loads, co works all the same and
 * the native functions throw.
 */

const co = require('./co.js');
const native = require('./native.js');

/**
 * Waits at least `ms` milliseconds in a C coroutine.
 * @param {number} ms
 * @param {*} [value] what the promise resolves to
 * @returns {Promise<*>}
 */
co.sleep = native.sleep;

/** Files: readFile, writeFile, stat, lstat, readdir as in Node's fs.promises, and du. */
co.fs = native.fs;

/** Futures, for those who come from Tornado and for speed: `gen.future(fn)`, `gen.sleep`. */
co.gen = native.gen;

/** The result of a native function without a promise: yield it, await it, or add a done callback. */
co.Future = native.Future;

module.exports = co;
