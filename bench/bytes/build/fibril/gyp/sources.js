'use strict';

// node sources.js DIR[:EXT,...] ... : the files of these folders, for gyp's <!@( ). DIR/, with a
// slash at its end, stands for the folders inside it, too. A path of the form !PATH leaves a file
// out. gyp splits the output as a shell does, so that each path is quoted. A folder that does not
// exist is empty: what uses it decides whether that is an error.

const fs = require('fs');
const path = require('path');

function list(folder, extensions) {
  const recursive = folder.endsWith('/');
  const base = recursive ? folder.slice(0, -1) : folder;
  let names;
  try {
    names = fs.readdirSync(base, { recursive });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return [];
  }
  return names
    .filter((name) => extensions.includes(path.extname(name)))
    .sort()
    .map((name) => `${base}/${name.split(path.sep).join('/')}`);
}

const left = [];
let files = [];
for (const argument of process.argv.slice(2)) {
  if (argument.startsWith('!')) {
    left.push(argument.slice(1));
  } else {
    const [folder, extensions] = argument.split(':');
    files = files.concat(list(folder, extensions.split(',')));
  }
}
for (const file of files) {
  if (!left.includes(file)) console.log(JSON.stringify(file));
}
