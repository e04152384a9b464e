'use strict';

// node . NAME [ARGUMENT...] runs one of the programs. They print to the standard output themselves.

const programs = require('./build/Release/programs.node');

module.exports = programs;

if (require.main === module) {
  const [name, ...args] = process.argv.slice(2);
  if (Object.hasOwn(programs, name ?? '')) {
    programs[name](...args);
  } else {
    console.error(`Usage: node . NAME\nNAME is one of ${Object.keys(programs).join(', ')}`);
    process.exitCode = 1;
  }
}
