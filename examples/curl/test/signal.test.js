'use strict';

const assert = require('node:assert');
const { getEventListeners, once } = require('node:events');
const { fetch } = require('..');
const { collect } = require('./support/collect.js');
const { serve } = require('./support/server.js');

describe('an AbortSignal', () => {
  let site;
  let requests = 0;
  before(async () => {
    site = await serve((request, response) => {
      requests++;
      if (request.url === '/part') response.write('part');
      if (request.url === '/whole') response.end('whole');
    });
  });
  after(() => site.close());

  const aborted = (reason) => (error) => {
    assert.deepStrictEqual([error.name, error.code, error.cause],
      ['AbortError', 'ABORT_ERR', reason]);
    return true;
  };

  it('that is aborted already sends nothing', async () => {
    const before = requests;
    await assert.rejects(fetch(site.url, { signal: AbortSignal.abort('why') }), aborted('why'));
    assert.strictEqual(requests, before);
  });

  it('ends the wait for the head', async () => {
    const controller = new AbortController();
    const promise = fetch(`${site.url}/silent`, { signal: controller.signal });
    const [, response] = await once(site.server, 'request');
    const closed = once(response, 'close');
    controller.abort('why');
    await assert.rejects(promise, aborted('why'));
    await closed;
  });

  it('ends the body', async () => {
    const controller = new AbortController();
    const { body } = await fetch(`${site.url}/part`, { signal: controller.signal });
    assert.strictEqual((await body.next()).value.toString(), 'part');
    const next = body.next();
    controller.abort('why');
    await assert.rejects(next, aborted('why'));
    assert.deepStrictEqual(await body.next(), { value: undefined, done: true });
  });

  it('ends a body that nobody reads yet', async () => {
    const controller = new AbortController();
    const received = once(site.server, 'request');
    const response = await fetch(`${site.url}/part`, { signal: controller.signal });
    const closed = once((await received)[1], 'close');
    controller.abort('why');
    await closed;
    await assert.rejects(response.text(), aborted('why'));
  });

  it('keeps no body that nobody can read any more', async () => {
    const { signal } = new AbortController();
    const received = once(site.server, 'request');
    await (async () => void (await fetch(`${site.url}/part`, { signal })))();
    let closed = false;
    (await received)[1].once('close', () => {
      closed = true;
    });
    await collect(() => closed);
    assert.strictEqual(signal.aborted, false);
  });

  it('has no listener left at the end', async () => {
    const { signal } = new AbortController();
    const response = await fetch(`${site.url}/whole`, { signal });
    assert.strictEqual(getEventListeners(signal, 'abort').length, 1);
    await response.text();
    await new Promise(setImmediate);
    assert.strictEqual(getEventListeners(signal, 'abort').length, 0);
  });

  it('is refused where it is none', () => assert.rejects(fetch(site.url, { signal: {} }),
    { code: 'ERR_INVALID_ARG_TYPE' }));
});
