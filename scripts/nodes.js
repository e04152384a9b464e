'use strict';

// The Nodes that tests run under besides the one at hand: the newest of each major version that is
// supported, from npm.

const path = require('path');
const { fetchPackage } = require('./fetch-package.js');

const MAJORS = ['20', '22', '24', '26'];

module.exports = {
  otherMajors: MAJORS.filter((major) => major !== process.versions.node.split('.')[0]),
  nodeOf: (major) => path.join(fetchPackage(`node-linux-${process.arch}@${major}`), 'bin', 'node'),
};
