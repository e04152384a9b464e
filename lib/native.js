'use strict';

// The native functions and the C Runner; without a binary, functions that throw why there is none.

const runner = require('./runner.js');

const NO_BINARY = ['ERR_FIBRIL_NO_BINARY', 'ERR_FIBRIL_UNSUPPORTED_RUNTIME'];

function load() {
  const binding = require('./binding.js');
  const { Future, future, attachRunner, createRunner } = binding.runtime;
  runner.attachFuture(Future);
  if (process.env.FIBRIL_RUNNER === 'native') runner.attachNative(createRunner(runner.stepOnce));
  attachRunner(runner.resumeRun);
  const { sleep } = binding;
  return { sleep, fs: require('./fs.js'), gen: { future, sleep: future(sleep) }, Future };
}

function missing(error) {
  process.emitWarning(`${error.message} Only co works.`, { code: error.code });
  const unavailable = () => {
    throw error;
  };
  const names = ['readFile', 'writeFile', 'stat', 'lstat', 'readdir', 'du'];
  return {
    sleep: unavailable,
    fs: Object.fromEntries(names.map((name) => [name, unavailable])),
    gen: { future: unavailable, sleep: unavailable },
    Future: class Future {
      constructor() {
        throw error;
      }
    },
  };
}

function loadOrExplain() {
  try {
    return load();
  } catch (error) {
    if (!NO_BINARY.includes(error.code)) throw error;
    return missing(error);
  }
}

module.exports = loadOrExplain();
