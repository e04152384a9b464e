'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const { test } = require('node:test');
const { countLines } = require('..');

test('counts lines', async () => {
  const lines = fs.readFileSync(__filename, 'utf8').split('\n').length - 1;
  assert.deepStrictEqual(await Promise.all([countLines(__filename), countLines(__filename)]),
    [lines, lines]);
});

test('rejects as Node does', async () => {
  await assert.rejects(countLines('/no/such/file'),
    { code: 'ENOENT', syscall: 'open', path: '/no/such/file' });
  await assert.rejects(countLines(42), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
});

test('can be aborted', async () => {
  const controller = new AbortController();
  const counting = countLines(__filename, { signal: controller.signal });
  controller.abort();
  await assert.rejects(counting, { name: 'AbortError' });
});
