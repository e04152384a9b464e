'use strict';

const fs = require('fs');
const path = require('path');

/**
 * The environment in which node-gyp takes the headers that came with the Node at hand and need not
 * download any.
 */
function ownHeaders() {
  const prefix = path.resolve(process.execPath, '../..');
  const here = fs.existsSync(path.join(prefix, 'include', 'node', 'node_api.h'));
  return here && !process.env.npm_config_nodedir ? { npm_config_nodedir: prefix } : {};
}

module.exports = { ownHeaders };
