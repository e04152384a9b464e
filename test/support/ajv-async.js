'use strict';

/* ajv 4's asynchronous schemas, compiled to generators that co runs; prints what they find. */

const Ajv = require('ajv-async');

const ajv = new Ajv({ async: 'co*', allErrors: true });
const known = new Set([1, 2, 3]);
ajv.addKeyword('knownId', {
  async: true,
  validate: (_schema, id) => new Promise((resolve) => setImmediate(resolve, known.has(id))),
});
ajv.addSchema({ $async: true, id: 'user', type: 'object', properties: { id: { knownId: true } },
  required: ['id'] });
const validate = ajv.compile({
  $async: true,
  properties: { owner: { $ref: 'user#' }, members: { type: 'array', items: { $ref: 'user#' } } },
});

async function check(data) {
  try {
    return await validate(data);
  } catch (error) {
    return { name: error.constructor.name,
      errors: error.errors?.map(({ dataPath, keyword }) => `${dataPath} ${keyword}`) ??
      error.stack };
  }
}

async function main() {
  const found = {
    valid: await check({ owner: { id: 1 }, members: [{ id: 2 }, { id: 3 }] }),
    invalid: await check({ owner: { id: 9 }, members: [{ id: 2 }, {}, { id: 8 }] }),
  };
  process.stdout.write(JSON.stringify({ found, replaced: process.replacedCo ?? [] }));
}

main();
