'use strict';

// Linux has two C libraries, and a binary is for one of them.
function isMusl() {
  if (process.platform !== 'linux') return false;
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

/** The folder in prebuilds/ of the platform that this runs on: 'linux-x64', 'linux-x64-musl'. */
exports.platform = `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
