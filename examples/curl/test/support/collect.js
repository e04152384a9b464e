'use strict';

const v8 = require('node:v8');
const vm = require('node:vm');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Collects garbage, and lets finalizers run, until done() is true. */
exports.collect = async (done) => {
  do {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  } while (!done());
};
