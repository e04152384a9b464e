'use strict';

const { walk } = require('./build/Release/walk.node');

module.exports = walk;

async function main(folder, limit) {
  let left = limit;
  for await (const { path, directory } of walk(folder)) {
    console.log(directory ? `${path}/` : path);
    if (--left === 0) break; // the C function ends here, too
  }
}

if (require.main === module) {
  main(process.argv[2] ?? '.', Number(process.argv[3] ?? Infinity)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
