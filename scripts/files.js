'use strict';

const fs = require('fs');
const path = require('path');

const OTHERS = ['build', 'node_modules'];

/**
 * The files below `folder` whose names end so, without what is built or installed. Node 22's
 * recursive readdir follows links, without end.
 */
function filesBelow(folder, extensions) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) return OTHERS.includes(entry.name) ? [] : filesBelow(name, extensions);
    return entry.isFile() && extensions.includes(path.extname(entry.name)) ? [name] : [];
  });
}

module.exports = { filesBelow };
