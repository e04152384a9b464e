'use strict';

// What test runs tell the run of .ci/run that they belong to, each through a file that it names.

const fs = require('fs');

/** Adds a test run's numbers to the file that FIBRIL_COUNTS names; without it nobody asked. */
function addCounts({ passed, failed }) {
  const file = process.env.FIBRIL_COUNTS;
  if (file) fs.appendFileSync(file, `${passed} ${failed}\n`);
}

/** Adds figures, { name: text or number }, to the file that FIBRIL_FIGURES names. */
function addFigures(figures) {
  const file = process.env.FIBRIL_FIGURES;
  if (file) fs.appendFileSync(file, `${JSON.stringify(figures)}\n`);
}

module.exports = { addCounts, addFigures };
