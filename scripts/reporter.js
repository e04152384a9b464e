'use strict';

// Mocha's spec reporter, and the numbers for .ci/run.

const { reporters, Runner } = require('mocha');
const { addCounts } = require('./counts.js');

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      addCounts({ passed: this.stats.passes, failed: this.stats.failures });
    });
  }
};
