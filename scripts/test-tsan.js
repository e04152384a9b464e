'use strict';

// npm run test:tsan -- [MOCHA'S ARGUMENTS]: builds the addon and those of the tests with TSan, in a
// copy of the repository, and runs the tests in which other threads have a part, or what the
// arguments name. A report counts when one of the two accesses was made by an addon.

const fs = require('fs');
const path = require('path');
const { addCounts } = require('./counts.js');
const { inSanitizedCopy, runMocha, tsanEnvironment } = require('./sanitized-node.js');

const FILES = ['test/callbacks.test.js', 'test/waits.test.js', 'test/fs.test.js',
  'test/signals.test.js'];

// Paragraphs of a report that are about where memory, locks and threads come from, not about what
// was done.
const ORIGIN = /^ *(Location|Mutex|Thread|As if|Hint|SUMMARY)/;

/** The innermost call of a stack that is not TSan's own. */
function innermost(paragraph) {
  const frames = paragraph.split('\n').filter((line) => /^ +#\d/.test(line));
  return frames.find((line) => !line.includes('(libtsan.so')) || '';
}

/**
 * V8 and libuv are not instrumented: their atomics are not seen, and what these keep apart is
 * reported. That is Node's.
 */
function isOfAddon(report) {
  const stacks = report.split(/\n\s*\n/).filter((paragraph) => !ORIGIN.test(paragraph));
  return stacks.some((stack) => innermost(stack).includes('.node+0x'));
}

function readReports(folder) {
  const files = fs.readdirSync(folder).filter((name) => name.startsWith('report.'));
  const texts = files.map((name) => fs.readFileSync(path.join(folder, name), 'utf8'));
  return texts.flatMap((text) => text.split(/^=+$/m))
    .filter((text) => text.includes('WARNING: ThreadSanitizer'));
}

function main(args) {
  return inSanitizedCopy('thread', (folder) => {
    const reports = path.join(folder, 'build');
    const passed = runMocha(folder, args.length > 0 ? args : FILES, tsanEnvironment(reports));
    const all = readReports(reports);
    const own = all.filter(isOfAddon);
    for (const report of own) console.log(report);
    console.log(`TSan: ${own.length} reports of addons, ${all.length - own.length} of Node`);
    addCounts({ passed: 0, failed: own.length });
    return passed && own.length === 0;
  });
}

try {
  process.exitCode = main(process.argv.slice(2)) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
