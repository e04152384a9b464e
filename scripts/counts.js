'use strict';

// Test runs that belong to one run of .ci/run add their numbers to the file that FIBRIL_COUNTS names, a line each.

const fs = require('fs');

/** Adds a test run's numbers; without FIBRIL_COUNTS nobody asked for them. */
function addCounts({ passed, failed }) {
  if (process.env.FIBRIL_COUNTS) fs.appendFileSync(process.env.FIBRIL_COUNTS, `${passed} ${failed}\n`);
}

module.exports = { addCounts };
