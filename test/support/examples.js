'use strict';

// What the tests of examples and documentation share: child processes, addons that depend on this
// repository, blocks of Markdown.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');

/** Runs node to a good end, with nothing on stderr; what it has printed. */
function run(args, cwd = root) {
  const child = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (child.error) throw child.error;
  assert.strictEqual(child.status, 0, `node ${args.join(' ')}\n${child.stdout}\n${child.stderr}`);
  assert.strictEqual(child.stderr, '', `node ${args.join(' ')}`);
  return child.stdout;
}

/**
 * Builds an addon that depends on fibril, as npm install would in its folder; only what has
 * changed.
 */
function buildAddon(folder) {
  const modules = path.join(folder, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  if (!fs.existsSync(path.join(modules, 'fibril'))) {
    fs.symlinkSync(root, path.join(modules, 'fibril'), 'junction');
  }
  const child = spawnSync(process.execPath, [nodeGyp, 'configure', 'build', '--jobs', 'max'],
    { cwd: folder, encoding: 'utf8' });
  assert.strictEqual(child.status, 0, `${child.stdout}\n${child.stderr}`);
}

/**
 * The code blocks of a Markdown file.
 * @param {string} file relative to the repository
 * @returns {{language: string, code: string, line: number, lead: string, output: ?string}[]}
 *   `lead`: the paragraph above; `output`: the block of plain text directly below
 */
function codeBlocks(file) {
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  const blocks = [];
  let end = 0;
  for (const match of text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const [whole, language, code] = match;
    const between = text.slice(end, match.index).trim();
    const line = text.slice(0, match.index).split('\n').length;
    const lead = between.split(/\n\s*\n/).pop().replace(/\s+/g, ' ');
    if (language === 'text' && end > 0 && between === '') blocks.at(-1).output = code;
    else blocks.push({ language, code, line, lead, output: null });
    end = match.index + whole.length;
  }
  return blocks;
}

module.exports = { root, run, buildAddon, codeBlocks };
