'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const made = [];

/** The path of a file that is not there yet, in a folder that goes with the tests. */
function temporaryFile(name = 'test.db') {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-sqlite-'));
  made.push(folder);
  return path.join(folder, name);
}

after(() => {
  for (const folder of made.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

module.exports = { temporaryFile };
