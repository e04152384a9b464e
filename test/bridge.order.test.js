'use strict';

// When promises settle, and what else the loop does in between.

const assert = require('node:assert');
const { natives, runScript } = require('./support/natives');

/** How many microtask ticks pass before the reaction of a promise runs. */
async function ticksOf(start) {
  let ticks = 0;
  let over = false;
  const count = () => {
    if (over) return;
    ticks++;
    queueMicrotask(count);
  };
  const done = start().then(() => { over = true; }, () => { over = true; });
  queueMicrotask(count);
  await done;
  return ticks;
}

describe('the order of settling', () => {
  it('a call that finishes at once has its promise resolved on return: one tick, no turn of the loop', async () => {
    for (const start of [() => natives.add(1, 2), () => natives.echo('x'), () => natives.fail('x'),
      () => natives.add('x')]) {
      assert.strictEqual(await ticksOf(start), await ticksOf(() => Promise.resolve()));
    }
    const trace = [];
    natives.add(1, 2).then(() => trace.push('call'));
    Promise.resolve().then(() => trace.push('after'));
    process.nextTick(() => trace.push('nextTick'));
    await new Promise(setImmediate);
    assert.deepStrictEqual(trace, ['call', 'after', 'nextTick']);
  });

  it('what is ready again in the same turn settles in that turn, before setImmediate', async () => {
    await natives.echoMoment(0); // not from an immediate, where the next one is a whole turn away
    const trace = [];
    setImmediate(() => trace.push('immediate'));
    await natives.pass(1);
    trace.push('passed');
    await natives.pass(1);
    trace.push('passed again');
    await natives.echoMoment(1);
    trace.push('moment');
    assert.deepStrictEqual(trace, ['passed', 'passed again', 'immediate', 'moment']);
  });

  it('chains of such calls do not keep I/O and timers from happening', async () => {
    let over = false;
    const timer = new Promise((resolve) => { setTimeout(resolve, 5, 'timer'); })
      .finally(() => { over = true; });
    const spin = (async () => {
      while (!over) await natives.echoMoment(0);
    })();
    assert.strictEqual(await timer, 'timer');
    await spin;
  });

  it('10,000 calls settle in the order in which their coroutines ended', async () => {
    const count = 10000;
    const order = [];
    const ends = Array.from({ length: count }, (_, i) => (i * 7919) % 97);
    await Promise.all(ends.map((ms, i) => natives.echoLater(i, ms)
      .then((value) => order.push(value))));
    assert.strictEqual(order.length, count);
    const groups = new Map();
    for (const i of order) groups.set(ends[i], [...(groups.get(ends[i]) ?? []), i].slice(-2));
    for (const [, pair] of groups) assert.ok(pair.length < 2 || pair[0] < pair[1]);
    const same = await settledOrder(Array.from({ length: count }, (_, i) => i),
      (i) => natives.echoMoment(i));
    assert.deepStrictEqual(same, Array.from({ length: count }, (_, i) => i));
  });

  it('JavaScript decides the order in which they end', async () => {
    const count = 10000;
    const resolves = [];
    const calls = Array.from({ length: count },
      (_, i) => natives.call(() => new Promise((resolve) => { resolves[i] = resolve; }), i));
    const order = [];
    calls.forEach((call) => call.then((i) => order.push(i)));
    const shuffled = Array.from({ length: count }, (_, i) => (i * 7919) % count);
    for (const i of shuffled) resolves[i](i);
    await Promise.all(calls);
    assert.deepStrictEqual(order, shuffled);
  });

  it('successes and failures of one batch keep their order', async () => {
    const order = [];
    const calls = [];
    for (let i = 0; i < 100; i++) {
      calls.push(natives.echoMoment(i).then((value) => order.push(value)));
    }
    for (let i = 0; i < 5; i++) {
      calls.push(natives.fail(`e${i}`, true).catch((error) => order.push(error.message)));
    }
    await Promise.all(calls);
    assert.deepStrictEqual(order, [...Array.from({ length: 100 }, (_, i) => i), 'e0', 'e1', 'e2',
      'e3', 'e4']);
  });

  it('reactions to a batch run after all of it is settled, and what they start is another batch',
    async () => {
    const trace = [];
    await Promise.all([1, 2, 3].map(async (i) => {
      await natives.echoMoment(i);
      trace.push(`first ${i}`);
      await natives.echoMoment(i);
      trace.push(`second ${i}`);
    }));
    assert.deepStrictEqual(trace, ['first 1', 'first 2', 'first 3', 'second 1', 'second 2',
      'second 3']);
  });

  it('process.nextTick callbacks run between a batch and the next phase', async () => {
    const trace = [];
    await natives.echoMoment(1);
    process.nextTick(() => trace.push('tick'));
    Promise.resolve().then(() => trace.push('job'));
    setImmediate(() => trace.push('immediate'));
    await natives.echoMoment(1);
    assert.deepStrictEqual(trace.slice(0, 2).sort(), ['job', 'tick']);
    assert.ok(trace.indexOf('immediate') !== 0);
  });

  it('what settles in a microtask leaves process.nextTick where it is: behind all microtasks',
    async () => {
    const trace = [];
    await null;
    process.nextTick(() => trace.push('tick'));
    natives.pass(1).then(() => trace.push('passed'));
    let jobs = Promise.resolve();
    for (let i = 0; i < 20; i++) jobs = jobs.then(() => {});
    jobs.then(() => trace.push('jobs'));
    await new Promise(setImmediate);
    assert.deepStrictEqual(trace, ['passed', 'jobs', 'tick']);
  });

  async function settledOrder(items, start) {
    const order = [];
    await Promise.all(items.map((item) => start(item).then((value) => order.push(value))));
    return order;
  }

  it('a callback that turns the loop has another batch settled meanwhile, and its own goes on',
    async () => {
    const { code, stdout, stderr } = await runScript(`
      const { future } = natives.runtime;
      const start = (list) => list.map((value) => future(natives.echoMoment)(value));
      const turner = new natives.Turner();
      const outer = start([1, 2, 'three', 4]);
      let inner;
      outer[0].addDoneCallback(() => {
        inner = start([10, 'eleven', 12, 13, 14]);
        for (let turns = 0; turns < 100 && !inner.every((each) => each.done()); turns++) void turner.turned;
      });
      const results = (list) => list.map((each) => each.result()).join();
      Promise.all(outer).then(() => console.log(results(outer), results(inner)));`);
    assert.deepStrictEqual([stdout, stderr, code], ['1,2,three,4 10,eleven,12,13,14\n', '', 0]);
  });

  it('slots are used again, and never by two at the same time', async () => {
    let running = 0;
    const rounds = Array.from({ length: 200 }, async (_, lane) => {
      for (let i = 0; i < 20; i++) {
        running++;
        const token = { lane, i };
        const value = await ((lane + i) % 3 === 0
          ? natives.echo(token) : natives.echoLater(token, (lane * i) % 4));
        assert.strictEqual(value, token);
        running--;
      }
    });
    await Promise.all(rounds);
    assert.strictEqual(running, 0);
  });
});

describe('the process', () => {
  it('stays alive for a sleeping coroutine', async () => {
    const { code, stdout } = await runScript('natives.echoLater("awake", 50).then(console.log);');
    assert.deepStrictEqual([stdout, code], ['awake\n', 0]);
  });

  it('stays alive for a job of the thread pool, and for a coroutine that has a turn of the loop to go', async () => {
    const { stdout } = await runScript(
      'natives.work(21).then(console.log); natives.echoMoment("moment").then(console.log);');
    assert.deepStrictEqual(stdout.trim().split('\n').sort(), ['42', 'moment']);
  });

  it('does not stay alive for a bare suspended coroutine, nor for a promise that nothing settles',
    async () => {
    const { code, stdout } = await runScript(`
      natives.forever().then(() => console.log('never'));
      natives.call(() => new Promise(() => {}), 0).then(() => console.log('never'));
      process.on('exit', () => console.log('exit'));`);
    assert.deepStrictEqual([stdout, code], ['exit\n', 0]);
  });

  it('stays alive while a Future is waited for that a timer will settle', async () => {
    const { stdout } = await runScript(
      'natives.runtime.future(natives.echoLater)("future", 20).addDoneCallback((f) => console.log(f.result()));');
    assert.strictEqual(stdout, 'future\n');
  });

  it('exits with its code from the middle of everything', async () => {
    const { code, signal, stderr } = await runScript(`
      for (let i = 0; i < 100; i++) {
        natives.echoLater(i, 1000);
        natives.forever();
        natives.work(i);
        natives.call(() => new Promise(() => {}), i);
      }
      natives.call(() => process.exit(7), 0, true);`);
    assert.deepStrictEqual([code, signal, stderr], [7, null, '']);
  });

  it('exits from a function that C called at once', async () => {
    const { code, signal, stderr } = await runScript('natives.call(() => process.exit(8), 0);');
    assert.deepStrictEqual([code, signal, stderr], [8, null, '']);
  });
});

describe('misuse in C', () => {
  it('settling a future twice changes nothing the second time', async () => {
    assert.deepStrictEqual(await natives.doubleSettle(), ['FIBRIL_EALREADY', 1]);
  });

  it('awaiting outside a coroutine is refused', async () => {
    assert.strictEqual(await natives.awaitOnLoop(), 'FIBRIL_ENOTCOROUTINE');
  });

  it('running Node\'s loop is refused', async () => {
    assert.deepStrictEqual(await natives.runLoop(), [-5006, -5006]);
  });

  it('a bad stack size is refused', async () => {
    for (const size of [1, 100, 16383, 67108865, 2 ** 40, -1]) {
      assert.strictEqual(await natives.badStack(size), 'EINVAL', size);
    }
  });

  it('an overflow ends the process with a sentence that names the function', async () => {
    const { code, signal, stdout, stderr } = await runScript(
      'natives.overflow().then(() => console.log("survived"));', { env: { FIBRIL_GUARD: '' } });
    assert.deepStrictEqual([code, signal, stdout], [null, 'SIGSEGV', '']);
    const lines = stderr.trim().split('\n');
    assert.match(lines[0], /^fibril: .*"?overflow"?.* (256|262144)/);
    assert.strictEqual(lines.length, 1, stderr);
  });

  it('waits behind one promise', async () => {
    assert.strictEqual(await natives.sumChildren(), 120);
  });
});
