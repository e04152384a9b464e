'use strict';

// npm run prebuilds: puts what was built here where index.js looks for the binary of this platform.

const fs = require('node:fs');
const path = require('node:path');
const { platform } = require('../platform.js');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'prebuilds', platform);

fs.mkdirSync(folder, { recursive: true });
fs.copyFileSync(path.join(root, 'build', 'Release', '{{target}}.node'),
  path.join(folder, '{{target}}.node'));
console.log(`prebuilds/${platform}/{{target}}.node`);
