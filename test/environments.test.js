'use strict';

// What an environment has of its own: data, and code at load and at the end that may wait.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { inspect, run } = require('../lib');
const { collectUntil, errorOf, runScript, thrownBy } = require('./support/natives');

const release = path.join(__dirname, 'addon', 'build', 'Release');
const addonPath = path.join(release, 'environments.node');
const classesPath = path.join(release, 'classes.node');

// The first one has no init; it plans for others, and tells what they did.
const control = require(addonPath);

/** The addon again, with an environment of its own. */
function load(plan) {
  const module = { exports: {} };
  control.plan(plan);
  try {
    process.dlopen(module, addonPath);
  } catch (error) {
    throw Object.assign(error, { leaked: module.exports });
  } finally {
    control.plan('');
  }
  return module.exports;
}

const turn = () => new Promise(setImmediate);

/** What has been noted, the numbers of environments as letters in their order. */
function told(lines = control.log()) {
  const letters = new Map();
  return lines.map((line) => line.replace(/^\d+/, (number) => {
    if (!letters.has(number)) letters.set(number, String.fromCharCode(97 + letters.size));
    return letters.get(number);
  }));
}

/** A worker that has loaded the addon as planned; `said` has what it says, one after the other. */
async function start(plan, code = '') {
  control.plan(plan);
  const worker = new Worker(`'use strict';
    const { parentPort } = require('node:worker_threads');
    const addon = require(${JSON.stringify(addonPath)});
    const quiet = () => {};
    const say = (text) => parentPort.postMessage(text);
    ${code}
    say('loaded');`, { eval: true, execArgv: ['--no-warnings'] });
  const exit = new Promise((resolve) => { worker.once('exit', resolve); });
  const failed = new Promise((_, reject) => { worker.once('error', reject); });
  failed.catch(() => {});
  const until = (text) => Promise.race([failed, new Promise((resolve) => {
    worker.on('message', (message) => message === text && resolve());
  })]);
  try {
    await until('loaded');
  } finally {
    control.plan('');
  }
  return { worker, exit, until };
}

async function noted(pattern) {
  const lines = [];
  while (!lines.some((line) => pattern.test(line))) {
    lines.push(...control.log());
    await turn();
  }
  return lines;
}

describe('data of a loop', () => {
  beforeEach(() => { control.log(); });

  it('is each environment\'s, also on the same thread', async () => {
    const one = load('');
    const two = load('');
    assert.notStrictEqual(one.id(), two.id());
    const ids = [new one.Thing().id, new two.Thing().id];
    assert.deepStrictEqual(ids, [one.id(), two.id()]);
    await Promise.all([one.plain('a'), two.plain('b'), one.plain('c')]);
    assert.deepStrictEqual(control.log(),
      [`${ids[0]} call a`, `${ids[1]} call b`, `${ids[0]} call c`]);
  });

  it('is each worker\'s, and released when that has ended', async () => {
    const held = 'parentPort.on("message", quiet);';
    const [one, two] = await Promise.all([start('', held), start('', held)]);
    await one.worker.terminate();
    assert.strictEqual(control.log().length, 1);
    await two.worker.terminate();
    assert.match(control.log().join(), /^\d+ data$/);
  });

  it('is released after instances of classes', async () => {
    const { worker, exit } = await start('', `
      globalThis.things = [new addon.Thing(true), new addon.Thing(true)];
      addon.waits().catch(quiet);`);
    await worker.terminate();
    await exit;
    assert.deepStrictEqual(told(),
      ['a waits', 'a waited ECANCELED', 'a thing', 'a thing', 'a data']);
  });

  it('is there when an instance is released', async () => {
    (() => new control.Thing(true))();
    const lines = [];
    await collectUntil(() => {
      lines.push(...control.log());
      return lines.length > 0;
    });
    assert.deepStrictEqual(lines, [`${control.id()} thing`]);
  });

  it('is released when the load fails', async () => {
    const { worker, exit } = await start('bad signature; init=now;').catch(() => ({}));
    assert.strictEqual(worker, undefined);
    await exit;
    assert.deepStrictEqual(told(await noted(/data/)), ['a after -22 -22', 'a data']);
  });

  it('is found wherever the loop\'s stack is an environment\'s', async () => {
    const letters = await control.lookAround(() => {});
    assert.strictEqual([...letters].sort().join(''), 'cdjlpt');
  });
});

describe('code at load', () => {
  beforeEach(() => { control.log(); });

  it('that never waits has ended when the addon is loaded', () => {
    const addon = load('init=now;');
    assert.deepStrictEqual(told(), ['a init', 'a init ends', 'a left by init']);
    assert.strictEqual(addon.id(), new addon.Thing().id);
    assert.deepStrictEqual([...addon.counts(2)], [0, 1]);
  });

  it('runs in the order of loads, up to its first wait', async () => {
    const addons = [load('init=pass;'), load('init=pass;')];
    assert.deepStrictEqual(told(), ['a init', 'b init']);
    await Promise.all(addons.map((addon) => addon.plain('x')));
    assert.deepStrictEqual(told().slice(0, 4),
      ['a init ends', 'a left by init', 'b init ends', 'b left by init']);
  });

  it('has asynchronous functions wait, in the order of their calls', async () => {
    const addon = load('init=gate;');
    assert.deepStrictEqual(told(), ['a init']);
    const results = [addon.call('first'), addon.plain('second'), addon.countsLater(1).next(),
      addon.call('third', { signal: new AbortController().signal })];
    await turn();
    assert.deepStrictEqual(told(), []);
    control.letGo();
    assert.deepStrictEqual(await Promise.all(results),
      ['first', 'second', { value: 0, done: false }, 'third']);
    assert.deepStrictEqual(told(),
      ['a init ends', 'a left by init', 'a call first', 'a call second', 'a counts',
        'a call third']);
    assert.strictEqual(addon.id(), new addon.Thing().id);
  });

  it('has who comes while they begin queue up behind them', async () => {
    const addon = load('init=gate;');
    const order = [];
    const note = (text) => addon.plain(text).then(() => order.push(text));
    const later = note('first').then(() => Promise.all([note('fourth'), note('fifth')]));
    const results = [note('second'), note('third'), later];
    control.letGo();
    await Promise.all(results);
    assert.deepStrictEqual(order, ['first', 'second', 'third', 'fourth', 'fifth']);
  });

  // Node's immediates come behind the turn of the loop that ends init, and before the next one.
  it('has who comes before they begin queue up behind them, but what is synchronous', async () => {
    const addon = load('init=gate;');
    const results = [addon.plain('first'), addon.plain('second')];
    control.log();
    control.letGo();
    let items;
    while (items === undefined) {
      await turn();
      try {
        items = [...addon.counts(1)];
      } catch ({ code }) {
        assert.strictEqual(code, 'ERR_FIBRIL_NOT_READY');
      }
    }
    assert.strictEqual(new addon.Thing().now('at once'), 'at once');
    results.push(addon.plain('third'), addon.countsLater(1).next());
    assert.deepStrictEqual(items, [0]);
    await Promise.all(results);
    results.push(await addon.plain('fourth'));
    assert.deepStrictEqual(told(), ['a init ends', 'a left by init', 'a counts', 'a call at once',
      'a call first', 'a call second', 'a call third', 'a counts', 'a call fourth']);
  });

  it('has bad arguments refused at once', async () => {
    const addon = load('init=gate;');
    const refused = addon.plain(1);
    assert.strictEqual((await errorOf(refused)).code, 'ERR_INVALID_ARG_TYPE');
    assert.throws(() => addon.countsLater('x'), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => addon.id(), { code: 'ERR_FIBRIL_NOT_READY' });
    control.letGo();
    assert.strictEqual(await addon.plain('x'), 'x');
  });

  it('has what is synchronous refused by name', async () => {
    const addon = load('init=gate;');
    for (const [name, fn] of [['id', () => addon.id()], ['counts', () => addon.counts(1)],
      ['Thing', () => new addon.Thing()]]) {
      const error = thrownBy(fn);
      assert.ok(error instanceof Error);
      assert.strictEqual(error.name, 'Error');
      assert.strictEqual(error.code, 'ERR_FIBRIL_NOT_READY');
      assert.match(error.message, new RegExp(`^"${name}" was called before its addon is ready: `));
      assert.notStrictEqual(thrownBy(fn), error);
    }
    assert.strictEqual(addon.ANSWER, 42);
    control.letGo();
    await addon.plain('x');
    assert.strictEqual(new addon.Thing().now('y'), 'y');
  });

  it('has a getter refused on what is no object of the class', async () => {
    const addon = load('init=gate;');
    const getter = Object.getOwnPropertyDescriptor(addon.Thing.prototype, 'id').get;
    const { now } = addon.Thing.prototype;
    assert.strictEqual(thrownBy(() => getter.call({})).code, 'ERR_FIBRIL_NOT_READY');
    assert.strictEqual(thrownBy(() => now.call({}, 'x')).code, 'ERR_INVALID_THIS');
    control.letGo();
    await addon.plain('x');
    assert.strictEqual(thrownBy(() => getter.call({})).code, 'ERR_INVALID_THIS');
  });

  it('has synchronous functions called while others that waited begin', async () => {
    const addon = load('init=gate;');
    const results = [addon.plain('x').then(() => addon.id()), addon.plain('y')];
    control.letGo();
    assert.strictEqual((await Promise.all(results))[1], 'y');
  });

  it('can be waited for with a signal, a deadline, a Future', async () => {
    const addon = load('init=gate;');
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = errorOf(addon.call('aborted', { signal }));
    const late = errorOf(run(function* () { yield addon.plain('late'); }, { timeout: 5 }));
    const future = addon.plain('goes on');
    const iterator = addon.countsLater(2, signal);
    const next = errorOf(iterator.next());
    const left = addon.countsLater(2);
    const first = left.next();
    const returned = left.return('returned');
    await turn();
    controller.abort();
    assert.strictEqual((await aborted).name, 'AbortError');
    assert.strictEqual((await next).name, 'AbortError');
    await late;
    control.letGo();
    assert.strictEqual(await future, 'goes on');
    assert.deepStrictEqual(await first, { value: 0, done: false });
    assert.deepStrictEqual(await returned, { value: 'returned', done: true });
    assert.deepStrictEqual(told().filter((line) => /call|counts/.test(line)),
      ['a call goes on', 'a counts']);
  });

  for (const [when, plan] of [['at once', 'init=fails;'], ['later', 'init=failing;']]) {
    it(`that fails ${when} fails every call with its error, each with one of its own`, async () => {
      const addon = load(plan);
      const calls = () => [addon.plain('x'), addon.call('y'), addon.countsLater(1).next()];
      const errors = [];
      for (let i = 0; i < 2; i++) errors.push(...await Promise.all(calls().map(errorOf)));
      for (const fn of [() => addon.id(), () => new addon.Thing(), () => addon.counts(1)]) {
        errors.push(thrownBy(fn), thrownBy(fn));
      }
      for (const { message, code } of errors) {
        assert.deepStrictEqual([message, code], ['no database', 'EIO']);
      }
      assert.strictEqual(new Set(errors).size, errors.length);
      assert.deepStrictEqual(told(), ['a init', 'a init EIO', 'a left by init']);
      assert.strictEqual(addon.ANSWER, 42);
    });
  }

  it('that waits for ever shows in what is inspected', async () => {
    const addon = load('init=gate;');
    const result = addon.plain('x');
    const shown = inspect().filter(({ name }) => name === 'plain')
      .map(({ waitsFor, on }) => [waitsFor, on]);
    control.letGo();
    await result;
    assert.deepStrictEqual(shown, [['future', 'fibril_module_init']]);
  });

  for (const which of ['init', 'end']) {
    it(`of which there are two (${which}) fails the load`, () => {
      for (const plan of [`${which}=now; second ${which}`, `null ${which}`]) {
        const error = thrownBy(() => load(plan));
        assert.strictEqual(error.code, 'ERR_FIBRIL_MODULE');
        assert.strictEqual(error.message, `fibril_module_${which}: expected one function, once`);
        assert.match(control.log().join(), /^\d+ (second|null) -22$/);
      }
    });
  }

  it('never begins where the load has failed, nor does any call', async () => {
    const { leaked, code } = thrownBy(() => load('init=now; bad signature'));
    assert.strictEqual(code, 'ERR_FIBRIL_SIGNATURE');
    assert.deepStrictEqual(told(), ['a after -22 -22']);
    assert.strictEqual((await errorOf(leaked.plain('x'))).code, 'ERR_FIBRIL_NOT_READY');
    assert.strictEqual(thrownBy(() => leaked.id()).code, 'ERR_FIBRIL_NOT_READY');
    assert.deepStrictEqual(control.log(), []);
  });

  it('is cancelled when its worker ends, and so is who waits for it', async () => {
    for (const init of ['gate', 'never']) {
      const { worker, exit } = await start(`init=${init};`, `
        for (let i = 0; i < 3; i++) addon.plain('never').catch(quiet);
        addon.countsLater(1).next().catch(quiet);
        require(${JSON.stringify(classesPath)});`);
      await worker.terminate();
      await exit;
      assert.deepStrictEqual(told(), ['a init', 'a init ECANCELED', 'a left by init', 'a data']);
    }
  });

  it('does not keep a worker that has nothing else to do, unless it waits for something',
    async () => {
    const { exit } = await start('init=never;', 'addon.plain("never").catch(quiet);');
    assert.strictEqual(await exit, 0);
    const other = await start('init=sleep;', 'addon.plain("x").then(say);');
    await other.until('x');
    assert.strictEqual(await other.exit, 0);
    assert.match(control.log().join(), /init ECANCELED.*call x/);
  });

  it('keeps a process that has nothing else to do, but not `fibril dts`', async () => {
    const env = { ENVIRONMENTS_PLAN: 'init=hour;', ENVIRONMENTS_TOLD: '1' };
    const { signal } = await runScript(`
      require(${JSON.stringify(addonPath)});
      process.on('beforeExit', () => console.log('it has ended'));
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 50);`, { env });
    assert.strictEqual(signal, 'SIGTERM');
    const fibril = path.join(__dirname, '..', 'bin', 'fibril.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [fibril, 'dts', addonPath],
      { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 20000 });
    assert.strictEqual(status, 0, stderr);
    assert.match(stdout, /^export function plain\(text: string\): Promise<string>;$/m);
    assert.match(stderr, /^\d+ init\n$/);
  }).timeout(30000);

  it('that has failed and that no call has heard of is told at the end', async () => {
    const code = `require(${JSON.stringify(addonPath)})`;
    for (const [then, heard] of [['', false], ['.plain("x").catch(() => {})', true]]) {
      const { stderr } = await runScript(code + then,
        { env: { ENVIRONMENTS_PLAN: 'init=failing;' } });
      assert.strictEqual(/a future failed and nobody read its error: no database/.test(stderr),
        !heard, stderr);
    }
  });
});

describe('code at the end', () => {
  beforeEach(() => { control.log(); });

  const script = (code, plan) => runScript(
    `const addon = require(${JSON.stringify(addonPath)}); const quiet = () => {}; ${code}`,
    { env: { ENVIRONMENTS_PLAN: plan, ENVIRONMENTS_TOLD: '1' }, flags: ['--no-warnings'] });
  const lines = ({ stderr }) => told(stderr.trim().split('\n'));

  it('waits between the end of calls and that of instances, in the process', async () => {
    const result = await script(`
      globalThis.thing = new addon.Thing(true);
      addon.waits().catch(quiet);
      addon.waits(true).catch(quiet);
      const iterator = addon.countsLater(5); iterator.next();`, 'init=now; end=sleep;');
    assert.deepStrictEqual([result.code, result.stdout], [0, '']);
    assert.deepStrictEqual(lines(result).filter((line) => !/init/.test(line)),
      ['a waits', 'a waits', 'a counts', 'a waited ECANCELED', 'a waited on', 'a end', 'a end ends',
        'a thing', 'a data']);
  });

  for (const [how, code, status] of [
    ['has nothing left to do', 'parentPort.unref();', 0],
    ['calls process.exit', 'setImmediate(() => process.exit(3));', 3],
    ['is terminated', 'parentPort.on("message", () => {});', 1],
  ]) {
    it(`waits in a worker that ${how}`, async () => {
      const { worker, exit } = await start('end=sleep;',
        `globalThis.thing = new addon.Thing(true); addon.waits().catch(quiet); ${code}`);
      if (status === 1) await worker.terminate();
      assert.strictEqual(await exit, status);
      assert.deepStrictEqual(told(),
        ['a waits', 'a waited ECANCELED', 'a end', 'a end ends', 'a thing', 'a data']);
    });
  }

  it('waits in a worker that ends by an uncaught exception', async () => {
    const { worker, exit } = await start('end=sleep;', `
      parentPort.on('message', () => { throw new Error('uncaught'); });`);
    worker.postMessage('go');
    assert.strictEqual(await exit, 1);
    assert.deepStrictEqual(told(), ['a end', 'a end ends', 'a data']);
  });

  it('does not run when the main thread calls process.exit, or has an uncaught exception',
    async () => {
    for (const [code, status] of [['process.exit(3);', 3], ['throw new Error("uncaught");', 1]]) {
      const result = await script(`addon.waits(); setImmediate(() => { ${code} });`, 'end=sleep;');
      assert.strictEqual(result.code, status);
      assert.doesNotMatch(result.stderr, /\d+ (end|data)/);
    }
  });

  it('is waited for by who terminates a worker', async () => {
    const { worker, exit } = await start('end=gate;', 'addon.waits().catch(quiet);');
    let ended = false;
    const terminated = worker.terminate().then(() => { ended = true; });
    const before = await noted(/end$/);
    for (let i = 0; i < 10; i++) await turn();
    assert.strictEqual(ended, false);
    control.letGo();
    await terminated;
    await exit;
    assert.deepStrictEqual(told([...before, ...control.log()]),
      ['a waits', 'a waited ECANCELED', 'a end', 'a end ends', 'a data']);
  });

  it('of several addons and environments runs at the same time', async () => {
    const { worker, exit } = await start('end=gate;', `
      const again = { exports: {} };
      process.dlopen(again, ${JSON.stringify(addonPath)});
      require(${JSON.stringify(classesPath)});`);
    const terminated = worker.terminate();
    const before = [...await noted(/end$/)];
    if (before.filter((line) => line.endsWith('end')).length < 2) {
      before.push(...await noted(/end$/));
    }
    control.letGo();
    control.letGo();
    await terminated;
    await exit;
    assert.deepStrictEqual(told([...before, ...control.log()]).sort(),
      ['a data', 'a end', 'a end ends', 'b data', 'b end', 'b end ends']);
  });

  it('may use what masked clean-up may, and calls no JavaScript', async () => {
    const { worker, exit, until } = await start('end=tries;', `
      addon.keep(() => say('called')).then(() => say('kept'));`);
    await until('kept');
    await worker.terminate();
    await exit;
    const ECLOSED = -5004;
    const ECANCELED = -125;
    assert.deepStrictEqual(told(), ['a end',
      `a ${[0, 0, ECLOSED, 0, ECLOSED, ECLOSED, ECLOSED, ECLOSED, ECANCELED, 0, 0].join(' ')}`,
      'a end ends', 'a data']);
  });

  it('that fails is logged', async () => {
    const result = await script('', 'end=failing;');
    assert.strictEqual(result.code, 0);
    assert.deepStrictEqual(lines(result), ['a end', 'a end EIO',
      'fibril: fibril_module_end failed: not flushed', 'a data']);
  });

  it('runs where init has failed, and where it has not ended', async () => {
    for (const init of ['fails', 'never']) {
      const { worker, exit } = await start(`init=${init}; end=now;`,
        'addon.plain("x").catch(quiet);');
      await worker.terminate();
      await exit;
      assert.match(control.log().join(),
        /init E\w+,\d+ left by init,\d+ end,\d+ end ends,\d+ data$/);
    }
  });

  it('does not run where the load has failed', async () => {
    const { stderr } = await runScript(`try { require(${JSON.stringify(addonPath)}); } catch {}`,
      { env: { ENVIRONMENTS_PLAN: 'bad signature; end=now;', ENVIRONMENTS_TOLD: '1' } });
    assert.deepStrictEqual(told(stderr.trim().split('\n')), ['a after -22 -22', 'a data']);
  });

  it('has five seconds, then its waits give UV_ECANCELED', async () => {
    const result = await script('', 'end=never;');
    assert.strictEqual(result.code, 0);
    assert.deepStrictEqual(lines(result), ['a end', 'a end ECANCELED',
      'fibril: fibril_module_end failed: not flushed', 'a data']);
  }).timeout(20000);

  it('runs in fifty workers that are terminated at any moment', async () => {
    for (let i = 0; i < 50; i++) {
      const init = ['now', 'pass', 'sleep', 'never', 'fails'][i % 5];
      const end = ['now', 'pass', 'sleep'][i % 3];
      const { worker, exit } = await start(`init=${init}; end=${end};`, `
        globalThis.things = [addon.plain('x').then(() => new addon.Thing(), quiet)];
        addon.waits().catch(quiet); addon.countsLater(9).next().catch(quiet);`);
      for (let turns = 0; turns < i % 7; turns++) await turn();
      await worker.terminate();
      await exit;
      const log = control.log();
      assert.match(log.at(-1), /data$/);
      assert.strictEqual(log.filter((line) => /^\d+ end/.test(line)).length, 2);
    }
  }).timeout(60000);
});
