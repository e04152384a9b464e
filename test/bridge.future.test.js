'use strict';

// The JavaScript face of a C future: future(fn), without a promise.

const assert = require('node:assert');
const { getEventListeners } = require('node:events');
const { natives, runScript, errorOf } = require('./support/natives');

const { Future, future } = natives.runtime;
/** Waits as a promise would not: the future itself comes back, not its result. */
const once = (f) => new Promise((resolve) => f.addDoneCallback((done) => resolve([done])));

describe('Future', () => {
  it('comes from a function wrapped by future, in place of the promise', async () => {
    const start = future(natives.echoMoment);
    assert.strictEqual(start.name, 'echoMoment');
    const f = start('value');
    assert.ok(f instanceof Future);
    assert.strictEqual(f.done(), false);
    assert.throws(() => f.result(), { code: 'FIBRIL_EPENDING', message: 'future is not done yet' });
    assert.throws(() => f.exception(), { code: 'FIBRIL_EPENDING' });
    assert.strictEqual((await once(f))[0], f);
    assert.strictEqual(f.done(), true);
    assert.strictEqual(f.result(), 'value');
    assert.strictEqual(f.exception(), undefined);
    assert.ok(natives.echoMoment(1) instanceof Promise, 'the function itself is as it was');
    await natives.echoMoment(2);
  });

  it('of a function that finishes at once is done at once', () => {
    for (const [fn, args, value] of [[natives.add, [1, 2], 3], [natives.echo, ['x'], 'x'],
      [natives.echo, [undefined], undefined]]) {
      const f = future(fn)(...args);
      assert.strictEqual(f.done(), true);
      assert.strictEqual(f.result(), value);
    }
  });

  it('of a function that fails throws its error', async () => {
    const soon = future(natives.failUv)(true);
    await once(soon);
    const now = future(natives.failUv)();
    for (const f of [now, soon]) {
      assert.throws(() => f.result(), { code: 'ENOENT', syscall: 'open', path: '/no/such' });
      assert.strictEqual(f.exception().errno, -2);
      assert.strictEqual(f.exception(), f.exception());
    }
    const refused = future(natives.add)('x');
    assert.strictEqual(refused.exception().code, 'ERR_INVALID_ARG_TYPE');
    const reason = new Error('js');
    const thrown = future(natives.call)(() => { throw reason; }, 0, true);
    await once(thrown);
    assert.strictEqual(thrown.exception(), reason);
  });

  it('can be awaited, with then, catch and finally', async () => {
    assert.strictEqual(await future(natives.echoMoment)(1), 1);
    assert.strictEqual(await future(natives.add)(1, 2), 3);
    assert.strictEqual((await errorOf(future(natives.fail)('later', true))).message, 'later');
    assert.strictEqual((await errorOf(future(natives.fail)('now'))).message, 'now');
    assert.strictEqual(await future(natives.fail)('x', true).catch((error) => error.message), 'x');
    let ran = 0;
    assert.strictEqual(await future(natives.echoMoment)(5).finally(() => { ran++; }), 5);
    assert.strictEqual(ran, 1);
    const f = future(natives.echoMoment)(6);
    assert.deepStrictEqual(await Promise.all([f, f, f.then((value) => value + 1)]), [6, 6, 7]);
  });

  it('calls done callbacks in order of registration, a late one at once', async () => {
    const f = future(natives.echoMoment)(1);
    const trace = [];
    for (const name of ['a', 'b', 'c']) {
      f.addDoneCallback((done) => trace.push([name, done === f]));
    }
    await f;
    f.addDoneCallback(() => trace.push(['late', true]));
    assert.deepStrictEqual(trace, [['a', true], ['b', true], ['c', true], ['late', true]]);
    for (const callback of [undefined, null, 5, {}]) {
      assert.throws(() => f.addDoneCallback(callback),
        { code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError' });
    }
  });

  it('cancels the coroutine behind it', async () => {
    const f = future(natives.forever)();
    assert.strictEqual(await natives.countLive(), 1);
    assert.strictEqual(f.cancel(), true);
    assert.strictEqual(f.done(), false, 'it asks, and the function unwinds');
    const error = await errorOf(f);
    assert.strictEqual(error.code, 'ECANCELED');
    assert.strictEqual(await natives.countLive(), 0);
    assert.strictEqual(f.cancel(), false);
    const swallowing = future(natives.forever)({ swallow: true });
    swallowing.cancel();
    assert.strictEqual(await swallowing, 42);
  });

  it('is not confused by a slot that was used again', async () => {
    const f = future(natives.echoMoment)(1);
    await f;
    const other = natives.echoLater('other', 10);
    assert.strictEqual(f.cancel(), false);
    assert.strictEqual(await other, 'other');
  });

  it('of many calls settle in one batch, in their order', async () => {
    const start = future(natives.echoMoment);
    const order = [];
    const futures = Array.from({ length: 5000 }, (_, i) => start(i));
    futures.forEach((f) => f.addDoneCallback(() => order.push(f.result())));
    await futures.at(-1);
    assert.deepStrictEqual(order, Array.from({ length: 5000 }, (_, i) => i));
  });

  it('wraps any function: what is no native call is a Future of its promise or value', async () => {
    assert.strictEqual(await future(async (x) => x + 1)(1), 2);
    assert.strictEqual((await errorOf(future(async () => { throw new Error('x'); })())).message,
      'x');
    assert.strictEqual(await future(() => 'plain')(), 'plain');
    assert.throws(() => future(() => { throw new Error('sync'); })(), /sync/);
    assert.ok(natives.echoMoment(1) instanceof Promise, 'an exception leaves nothing behind');
    assert.strictEqual(await future(function () { return this.field; }).call({ field: 7 }), 7);
    for (const fn of [undefined, null, 5, {}]) {
      assert.throws(() => future(fn), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('is for the first call only that the function makes', async () => {
    let inner;
    const f = future((x) => {
      const first = natives.echoMoment(x);
      inner = [first, natives.echoMoment(2)];
      return first;
    })(1);
    assert.ok(f instanceof Future);
    assert.strictEqual(await f, 1);
    assert.strictEqual(await inner[1], 2);
  });

  it('is not for the calls that a getter among its arguments makes', async () => {
    const inner = [];
    const f = future(natives.forever)({
      get signal() {
        inner.push(natives.echo(1));
        return AbortSignal.timeout(1);
      },
    });
    assert.ok(f instanceof Future);
    assert.ok(inner[0] instanceof Promise);
    assert.strictEqual((await errorOf(f)).name, 'AbortError');
  });

  it('is not what JavaScript called from C gets', async () => {
    const kinds = [];
    const f = future(natives.call)(
      () => { kinds.push(natives.echoMoment(1) instanceof Promise,
        natives.add(1, 2) instanceof Promise); return 1; }, 0);
    assert.strictEqual(await f, 1);
    assert.deepStrictEqual(kinds, [true, true]);
  });

  it('with a signal ends with it, is cancelled, and refuses, as a plain one', async () => {
    const start = future(natives.forever);
    const controller = new AbortController();
    const aborted = start({ signal: controller.signal });
    controller.abort('reason');
    assert.strictEqual((await errorOf(aborted)).cause, 'reason');
    assert.strictEqual(aborted.cancelled(), false);
    const { signal } = new AbortController();
    const canceled = start({ signal });
    assert.strictEqual(canceled.cancel(), true);
    assert.strictEqual(canceled.done(), false, 'C is asked');
    assert.strictEqual((await errorOf(canceled)).code, 'ECANCELED');
    assert.strictEqual(canceled.cancelled(), true);
    assert.strictEqual(await natives.countLive(), 0);
    assert.deepStrictEqual(getEventListeners(signal, 'abort'), []);
    assert.strictEqual((await errorOf(start({ signal: 5 }))).code, 'ERR_INVALID_ARG_TYPE');
  });

  it('is cancelled() once the call has ended of it, and not when that has completed all the same',
    async () => {
    const f = future(natives.forever)({});
    assert.strictEqual(f.cancelled(), false);
    assert.strictEqual(f.cancel(), true);
    assert.strictEqual(f.cancelled(), false, 'asked, not done');
    await once(f);
    assert.strictEqual(f.exception().code, 'ECANCELED');
    assert.strictEqual(f.cancelled(), true);
    assert.strictEqual(f.cancel(), false);
    const swallowed = future(natives.forever)({ swallow: true });
    swallowed.cancel();
    await once(swallowed);
    assert.deepStrictEqual([swallowed.exception(), swallowed.cancelled()], [undefined, false]);
  });

  it('that is cancelled has told whoever cancelled it: another error is reported', async () => {
    const { code, stdout, stderr } = await runScript(`
      process.on('unhandledRejection', (error) => console.log(error.message));
      const { future } = natives.runtime;
      future(natives.forever)({}).cancel();
      future(natives.forever)({ signal: new AbortController().signal }).cancel();
      future(natives.fail)('its own', true).cancel();`);
    assert.deepStrictEqual([code, stdout, stderr], [0, 'its own\n', '']);
  });

  it('with an error that nobody asks for is one unhandled rejection', async () => {
    const script = (body) => `
      const seen = [];
      process.on('unhandledRejection', (error) => seen.push(error.message));
      process.on('exit', () => console.log(JSON.stringify(seen)));
      const { future } = natives.runtime; ${body}`;
    for (const [body, expected] of [
      ['future(natives.fail)("later", true);', ['later']],
      ['future(natives.fail)("now");', ['now']],
      ['future(natives.fail)("x", true).addDoneCallback(() => {});', ['x']],
      ['future(natives.fail)("x", true).addDoneCallback((f) => f.exception());', []],
      ['const f = future(natives.fail)("x"); f.exception();', []],
      ['future(natives.fail)("x", true).catch(() => {});', []],
      ['future(natives.fail)("x", true).then(() => {});', ['x']],
    ]) {
      const { stdout } = await runScript(script(body));
      assert.deepStrictEqual(JSON.parse(stdout), expected, body);
    }
  });
});
