'use strict';

/**
 * Whether a C test went as it should: '' or what is wrong. `outcome.ended` is the signal or exit
 * code of its process ('0' when it went on), `outcome.failures` the harness's messages.
 */
function judge(test, outcome) {
  const pattern = new RegExp(test.pattern || '', 'm');
  switch (test.kind) {
    case 'crash':
      if (outcome.ended !== test.ending) {
        return `ended with ${outcome.ended}, not ${test.ending}\n${outcome.failures}\n${outcome.stderr}`.trim();
      }
      return pattern.test(outcome.stderr)
        ? '' : `stderr does not match ${pattern}:\n${outcome.stderr}`;
    case 'failing':
      return outcome.failures && pattern.test(outcome.failures)
        ? ''
        : `should have failed with ${pattern}:\n${outcome.failures || 'it passed'}`;
    default:
      if (outcome.failures) return outcome.failures;
      return outcome.ended === '0' ? '' : `ended with ${outcome.ended}\n${outcome.stderr}`.trim();
  }
}

module.exports = { judge };
