'use strict';

// Puts the addon that is built here where the loader of an installed package finds it: prebuilds/PLATFORM/fibril.node. Other
// platforms' folders stay, so that a release can collect the binaries of several machines.

const fs = require('fs');
const path = require('path');
const { platformName } = require('../lib/platform.js');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'prebuilds', platformName());

fs.mkdirSync(folder, { recursive: true });
fs.copyFileSync(path.join(root, 'build', 'Release', 'fibril.node'), path.join(folder, 'fibril.node'));
