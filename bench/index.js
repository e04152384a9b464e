'use strict';

/* npm run bench -- NAME [--quick] [--json FILE] [part of a row's name ...] */

const fs = require('node:fs');
const path = require('node:path');

const helpers = new Set(['index', 'harness', 'partner', 'programs']);
const known = fs
  .readdirSync(__dirname)
  .filter((file) => file.endsWith('.js'))
  .map((file) => path.basename(file, '.js'))
  .filter((name) => !helpers.has(name));

const [name, ...rest] = process.argv.slice(2);
if (!known.includes(name)) {
  console.error(`usage: npm run bench -- ${known.join(
    '|')} [--quick] [--json FILE] [part of a row's name ...]`);
  process.exit(2);
}

const { parseOptions } = require('./harness');

async function main() {
  await require(`./${name}`).run(parseOptions(rest));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
