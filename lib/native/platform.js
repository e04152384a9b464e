'use strict';

const { Buffer } = require('buffer');
const fs = require('fs');
const { process } = require('../primordials.js');

// The C library of a Linux process stands in its executable, near the start, as the path of the
// program interpreter.
function isMusl() {
  if (process.platform !== 'linux') return false;
  let fd;
  try {
    fd = fs.openSync(process.execPath, 'r');
    const start = Buffer.alloc(4096);
    fs.readSync(fd, start, 0, start.length, 0);
    return start.includes('/ld-musl-');
  } catch {
    // Not readable under the permission model. The report takes milliseconds, so that it is not
    // asked first.
    return process.report.getReport().header.glibcVersionRuntime === undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** The name of this platform's folder in prebuilds/: 'linux-x64', 'linux-x64-musl'. */
function platformName() {
  return `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
}

module.exports = { platformName };
