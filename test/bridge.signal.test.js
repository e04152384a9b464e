'use strict';

// AbortSignal: { signal } in a signature, wired by the runtime.

const assert = require('node:assert');
const { getEventListeners } = require('node:events');
const fs = require('node:fs');
const { natives, collectUntil, errorOf, runScript } = require('./support/natives');

const listeners = (signal) => getEventListeners(signal, 'abort').length;

/** An AbortError as Node's own functions reject with. */
async function assertAborted(promise, signal) {
  const error = await errorOf(promise);
  const theirs = await errorOf(fs.promises.readFile(__filename, { signal }));
  assert.strictEqual(error.name, theirs.name);
  assert.strictEqual(error.code, theirs.code);
  assert.strictEqual(error.message, theirs.message);
  assert.strictEqual(error.cause, signal.reason);
  assert.strictEqual(error.name, 'AbortError');
  assert.strictEqual(error.code, 'ABORT_ERR');
  assert.ok(error instanceof Error);
  return error;
}

describe('AbortSignal', () => {
  it('that is aborted already keeps C from starting', async () => {
    const signal = AbortSignal.abort(new Error('before'));
    const promise = natives.forever({ signal });
    assert.strictEqual(await natives.countLive(), 0);
    await assertAborted(promise, signal);
    await assertAborted(natives.forever({ signal, swallow: true }), signal);
    assert.strictEqual(listeners(signal), 0);
  });

  it('aborted later ends the function, and the promise rejects after that', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const promise = natives.forever({ signal });
    assert.strictEqual(await natives.countLive(), 1);
    assert.strictEqual(listeners(signal), 1);
    controller.abort(new Error('later'));
    await assertAborted(promise, signal);
    assert.strictEqual(await natives.countLive(), 0);
    assert.strictEqual(listeners(signal), 0);
  });

  it('has a reason of any kind as the cause', async () => {
    for (const reason of [undefined, 'text', 0, null, { own: 1 }]) {
      const controller = new AbortController();
      const promise = natives.forever({ signal: controller.signal });
      controller.abort(reason);
      await assertAborted(promise, controller.signal);
    }
  });

  it('of a timeout and of AbortSignal.any work like any other', async () => {
    const timeout = AbortSignal.timeout(1);
    await assertAborted(natives.forever({ signal: timeout }), timeout);
    assert.strictEqual(timeout.reason.name, 'TimeoutError');
    const controller = new AbortController();
    const any = AbortSignal.any([controller.signal, AbortSignal.timeout(1e6)]);
    const promise = natives.forever({ signal: any });
    controller.abort('one of them');
    await assertAborted(promise, any);
  });

  it('aborts many at once, and only those that listen to it, with one listener', async () => {
    const controller = new AbortController();
    const other = new AbortController();
    const promises = Array.from({ length: 100 },
      () => natives.forever({ signal: controller.signal }));
    const kept = natives.forever({ signal: other.signal });
    assert.strictEqual(listeners(controller.signal), 1);
    controller.abort();
    for (const promise of promises) await assertAborted(promise, controller.signal);
    assert.strictEqual(await natives.countLive(), 1);
    other.abort();
    await assertAborted(kept, other.signal);
    assert.strictEqual(await natives.countLive(), 0);
  });

  it('does not keep a function from completing anyway', async () => {
    const controller = new AbortController();
    const promise = natives.forever({ signal: controller.signal, swallow: true });
    controller.abort();
    assert.strictEqual(await promise, 42);
    assert.strictEqual(listeners(controller.signal), 0);
  });

  it('does not touch other errors, nor a call that has ended', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const failing = natives.failWith({ signal, code: -5 });
    controller.abort();
    assert.strictEqual((await errorOf(failing)).code, 'EIO');
    const next = new AbortController();
    assert.strictEqual((await errorOf(natives.failWith({ signal: next.signal, code: -5 }))).code,
      'EIO');
    assert.strictEqual(listeners(next.signal), 0);
    const sleeper = natives.echoLater('slot taken again', 20);
    next.abort();
    assert.strictEqual(await sleeper, 'slot taken again');
  });

  it('is let go, and its listener with it, however the call ends', async () => {
    const { signal } = new AbortController();
    await errorOf(natives.failWith({ signal, code: -5 }));
    await errorOf(natives.failWith({ signal, code: -5, later: true }));
    await errorOf(natives.failWith({ signal, code: 'x' }));
    assert.strictEqual(listeners(signal), 0);
    let weak;
    await (async () => {
      const controller = new AbortController();
      weak = new WeakRef(controller.signal);
      const promise = natives.forever({ signal: controller.signal });
      controller.abort();
      await errorOf(promise);
    })();
    await collectUntil(() => weak.deref() === undefined);
  });

  it('aborted inside a function that C calls ends the call afterwards', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const promise = natives.callSignal(() => {
      controller.abort('inside');
      return 'done';
    }, { signal });
    assert.strictEqual(await promise, 'done', 'nothing waited after that');
    const waiting = new AbortController();
    let settle;
    const slow = natives.callSignal(() => new Promise((resolve) => { settle = resolve; }),
      { signal: waiting.signal });
    waiting.abort('while it waits for JavaScript');
    await assertAborted(slow, waiting.signal);
    const settleFirst = settle;
    const next = natives.call(() => new Promise((resolve) => { settle = resolve; }), 0);
    settleFirst('too late, and not for the one that waits in its place now');
    await new Promise(setImmediate);
    settle('its own');
    assert.strictEqual(await next, 'its own');
  });

  it('and nothing else is taken for one', async () => {
    for (const [signal, text] of [[null, 'null'], [5, 'type number (5)'],
      ['x', "type string ('x')"], [{}, 'an instance of Object'],
      [{ aborted: false }, 'an instance of Object'],
      [new EventTarget(), 'an instance of EventTarget'], [() => {}, 'function ']]) {
      const error = await errorOf(natives.forever({ signal }));
      assert.strictEqual(error.message,
        `The "options.signal" property must be an instance of AbortSignal. Received ${text}`);
      assert.strictEqual(error.code, 'ERR_INVALID_ARG_TYPE');
      assert.ok(error instanceof TypeError);
    }
    assert.strictEqual(await natives.countLive(), 0);
  });

  it('that a getter throws instead of rejects the call', async () => {
    const reason = new Error('getter');
    assert.strictEqual(await errorOf(natives.forever({ get signal() { throw reason; } })), reason);
    assert.strictEqual(await natives.countLive(), 0);
  });

  it('is read before the other arguments are checked, as in Node', async () => {
    const controller = new AbortController();
    const promise = natives.forever({ signal: controller.signal, swallow: 5 });
    assert.strictEqual((await errorOf(promise)).message,
      'The "options.swallow" property must be of type boolean. Received type number (5)');
    assert.strictEqual(listeners(controller.signal), 0);
  });

  it('without removeEventListener is none', async () => {
    const error = await errorOf(
      natives.forever({ signal: { aborted: false, addEventListener() {} } }));
    assert.strictEqual(error.message,
      'The "options.signal" property must be an instance of AbortSignal. Received an instance of Object');
  });

  it('whose own code throws rejects its call, and no other', async () => {
    const reason = new Error('mine');
    const thrower = { get() { throw reason; } };
    const signal = () => ({ aborted: false, addEventListener() {}, removeEventListener() {} });
    for (const key of ['aborted', 'addEventListener', 'removeEventListener']) {
      assert.strictEqual(await errorOf(
        natives.forever({ signal: Object.defineProperty(signal(), key, thrower) })), reason);
    }
    const refuses = { ...signal(), addEventListener() { throw reason; } };
    assert.strictEqual(await errorOf(natives.forever({ signal: refuses })), reason);
    assert.strictEqual(await errorOf(natives.forever({ signal: refuses })), reason);
    await natives.echoMoment(0);
    assert.strictEqual(await natives.countLive(), 0);
  });

  it('that cannot be listened to gives its call one outcome', async () => {
    const { code, stdout, stderr } = await runScript(`
      process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
      const signal = { aborted: false, addEventListener() { throw new Error('mine'); }, removeEventListener() {} };
      natives.forever({ signal }).catch((error) => console.log('rejected', error.message));
      natives.runtime.future(natives.forever)({ signal }).catch((error) => console.log('failed', error.message));`);
    assert.deepStrictEqual([stdout, stderr, code], ['failed mine\nrejected mine\n', '', 0]);
  });

  it('that throws when it is let go costs its neighbours in the batch nothing', async () => {
    const { code, stdout, stderr } = await runScript(`
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      const signal = { aborted: false, addEventListener() {}, removeEventListener() { throw new Error('mine'); } };
      const all = [natives.echoMoment(1), natives.failWith({ signal, code: -5, later: true }), natives.echoMoment(2), natives.echoMoment('3')];
      Promise.allSettled(all).then((results) => console.log(results.map(({ value, reason }) => value ?? reason.code).join()));`);
    assert.deepStrictEqual([stdout, stderr, code], ['uncaught mine\n1,EIO,2,3\n', '', 0]);
  });

  it('aborted together with the result of a JavaScript function leaves the result to C',
    async () => {
    const controller = new AbortController();
    let settle;
    const promise = natives.callSignal(() => new Promise((resolve) => { settle = resolve; }),
      { signal: controller.signal });
    controller.abort();
    settle('completed');
    assert.strictEqual(await promise, 'completed');
  });

  it('aborted inside a call that ends at once with ECANCELED makes that an AbortError',
    async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const promise = natives.failWith(
      { signal, get code() { controller.abort('inside'); return -125; } });
    await assertAborted(promise, signal);
    assert.strictEqual((await errorOf(natives.failWith({ code: -125 }))).code, 'ECANCELED');
  });
});
