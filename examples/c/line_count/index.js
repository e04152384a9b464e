'use strict';

const { lineCount } = require('./build/Release/line_count.node');

module.exports = lineCount;

if (require.main === module) {
  for (const file of process.argv.slice(2)) {
    lineCount(file).then((lines) => console.log(`${file}: ${lines}`), (error) => {
      console.error(error.message);
      process.exitCode = 1;
    });
  }
}
