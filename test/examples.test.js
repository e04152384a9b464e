'use strict';

// The programs under examples/, each in a process of its own, and what they print.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { root, run, buildAddon } = require('./support/examples.js');

const examples = path.join(root, 'examples');

const lines = (...list) => list.map((line) => `${line}\n`).join('');

// ---- Tornado's programs
// ---------------------------------------------------------------------------------------------

const fibonacciTask = [0, 1, 1, 2, 3, 5, 8, 13, 21, 34].map((number) => `Loop1 ret ${number}\n`)
  .join('Loop2\n');

const OUTPUTS = {
  toyScheduler: fibonacciTask,
  fibonacci: lines(1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 'closed'),
  simplifiedRunner: lines(
    'the runner has returned', 'the generator got one', 'the generator got two',
    'the generator got three',
  ),
  asynSum: lines('begin calculate:sum 2+3', 'calculating the sum of 2+3:', 'after yielded',
    'the 2+3=5'),
  copied: lines(
    'fetch 0',
    'write 0', 'fetch 1', 'flushed 0',
    'write 1', 'fetch 2', 'flushed 1',
    'write 2', 'fetch 3', 'flushed 2',
    '40000 bytes',
  ),
};

/**
 * In the order of finishing, the results in the order of starting, and the whole took as long as
 * the slowest.
 */
function checkGetURL(output) {
  const times = [...output.matchAll(/(\d+\.\d\d)s/g)].map((match) => Number(match[1]));
  assert.strictEqual(output.replace(/\d+\.\d\d/g, 'N'), lines(
    'URL URL3 took Ns to get!', 'URL URL1 took Ns to get!', 'URL URL2 took Ns to get!',
    'got URL1, URL2, URL3', 'total Ns',
  ));
  const [third, first, second, total] = times;
  assert.ok(third >= 0.1 && first >= 0.2 && second >= 0.4, output);
  assert.ok(total >= second, output);
}

/** Three periods of 60 ms, never less; the work inside is 30 ms of each. */
function checkBeats(output) {
  const [, took] = output.match(/took (\d+) ms/);
  assert.strictEqual(output.replace(took, 'N'),
    lines('beat 1', 'beat 2', 'beat 3', '3 beats took N ms'));
  assert.ok(Number(took) >= 180, output);
}

describe('examples in JavaScript', () => {
  const runExample = (name) => run([path.join(examples, 'js', `${name}.js`)]);

  for (const [name, output] of [
    ['toy-scheduler', OUTPUTS.toyScheduler],
    ['fibonacci', OUTPUTS.fibonacci],
    ['simplified-runner', OUTPUTS.simplifiedRunner],
    ['asyn-sum', OUTPUTS.asynSum],
    ['asyn-sum-gen', OUTPUTS.asynSum],
    ['cursor', lines('fetch from 0', 'ada', 'brian', 'fetch from 2', 'dennis', 'grace',
      'fetch from 4', 'ken', 'fetch from 5')],
    ['interleaving', `${OUTPUTS.copied}the copy is equal\n`],
    ['parallel', lines(
      'second is there', 'third is there', 'first is there', '["FIRST","SECOND","THIRD"]',
      'quick is there', 'slow is there', '{"slow":"SLOW","quick":"QUICK"}',
      'right is there', 'left is there', '{"pair":["LEFT","RIGHT"],"none":[],"no":{}}',
    )],
  ]) {
    it(name, () => assert.strictEqual(runExample(name), output));
  }

  it('get-url', () => checkGetURL(runExample('get-url')));

  it('get-url-gen', () => checkGetURL(runExample('get-url-gen')));

  it('sleep', () => checkBeats(runExample('sleep')));

  it('web', () => assert.deepStrictEqual(runExample('web').split('\n').sort(), [
    '', '/action gives slow and 123', '/failing fails: HTTP 500: Internal Server Error',
    '/nowhere fails: HTTP 404: Not Found',
    '/slow gives slow',
  ]));

  it('main, which is npm start', () => {
    const output = run([path.join(examples, 'main.js')]);
    const order = ['/third took', '/first took', '/second took', '/first, /second, /third: total',
      'bytes in', 'lines in'];
    const places = order.map((text) => output.indexOf(text));
    assert.ok(places.every((place, i) => place > (places[i - 1] ?? -1)), output);
    const [bytes, files] = output.match(/([\d,]+) bytes in ([\d,]+) files/).slice(1);
    assert.ok(Number(bytes.replaceAll(',', '')) > 1e6 && Number(files.replaceAll(',', '')) > 100,
      output);
  });
});

describe('examples in C', function () {
  this.timeout(300000);

  const folder = path.join(examples, 'c', 'programs');
  const runProgram = (name, ...args) => run([folder, name, ...args]);

  before(() => buildAddon(folder));

  for (const [name, output] of [
    ['toyScheduler', OUTPUTS.toyScheduler],
    ['fibonacci', OUTPUTS.fibonacci],
    ['simplifiedRunner', OUTPUTS.simplifiedRunner],
    ['asynSum', OUTPUTS.asynSum],
    ['parallel', lines(
      'second is there', 'third is there', 'first is there', '0: FIRST', '1: SECOND', '2: THIRD',
      'quick is there', 'slow is there', 'slow: SLOW', 'quick: QUICK',
    )],
  ]) {
    it(name, () => assert.strictEqual(runProgram(name), output));
  }

  it('getURL', () => checkGetURL(runProgram('getURL')));

  it('getURL gives the list in the order of starting', () => {
    const code = `require(${JSON.stringify(
      folder)}).getURL().then((urls) => console.log(urls.join()))`;
    assert.match(run(['-e', code]), /^URL1,URL2,URL3$/m);
  });

  it('sleep', () => checkBeats(runProgram('sleep')));

  it('interleaving copies a file', () => {
    const work = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-examples-'));
    try {
      const source = path.join(work, 'source');
      fs.writeFileSync(source, Buffer.alloc(40000, 'fibril'));
      assert.strictEqual(runProgram('interleaving', source, path.join(work, 'copy')),
        OUTPUTS.copied);
      assert.ok(fs.readFileSync(source).equals(fs.readFileSync(path.join(work, 'copy'))));
    } finally {
      fs.rmSync(work, { recursive: true });
    }
  });
});

describe('examples/c/line_count', function () {
  this.timeout(300000);

  const folder = path.join(examples, 'c', 'line_count');
  let lineCount;

  before(() => {
    buildAddon(folder);
    lineCount = require(folder);
  });

  it('counts the lines of a file', async () => {
    const file = path.join(root, 'include', 'fibril.h');
    assert.strictEqual(await lineCount(file), fs.readFileSync(file, 'utf8').split('\n').length - 1);
  });

  it('rejects as Node does', async () => {
    await assert.rejects(lineCount('/no/such'),
      { code: 'ENOENT', syscall: 'open', path: '/no/such' });
    await assert.rejects(lineCount(folder), { code: 'EISDIR', syscall: 'read' });
    await assert.rejects(lineCount(1), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('can be aborted before and while it runs', async () => {
    const file = path.join(folder, 'line_count.c');
    await assert.rejects(lineCount(file, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    const controller = new AbortController();
    const pending = lineCount(file, { signal: controller.signal });
    controller.abort();
    await assert.rejects(pending, { name: 'AbortError', code: 'ABORT_ERR' });
  });

  it('is a program, too', () => {
    const file = path.join(folder, 'line_count.c');
    assert.strictEqual(run([folder, file]),
      `${file}: ${fs.readFileSync(file, 'utf8').split('\n').length - 1}\n`);
  });
});

describe('examples/c/walk', function () {
  this.timeout(300000);

  const folder = path.join(examples, 'c', 'walk');
  let walk;
  let work;

  before(() => {
    work = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-walk-'));
    for (const name of ['a/b/c', 'a/d', 'e']) {
      fs.mkdirSync(path.join(work, name), { recursive: true });
    }
    for (const name of ['a/b/c/file', 'a/b/file', 'file']) {
      fs.writeFileSync(path.join(work, name), '');
    }
    fs.symlinkSync('a', path.join(work, 'link'));
    buildAddon(folder);
    walk = require(folder);
  });
  after(() => fs.rmSync(work, { recursive: true }));

  it('streams every entry of a tree', async () => {
    const found = [];
    for await (const entry of walk(work)) {
      found.push([path.relative(work, entry.path), entry.directory]);
    }
    const folders = ['a', 'a/b', 'a/b/c', 'a/d', 'e'].map((name) => [name, true]);
    const others = ['a/b/c/file', 'a/b/file', 'file', 'link'].map((name) => [name, false]);
    const expected = [...folders, ...others];
    assert.deepStrictEqual(found.sort(), expected.sort());
  });

  it('rejects as Node does, and can be aborted', async () => {
    await assert.rejects(walk('/no/such').next(),
      { code: 'ENOENT', syscall: 'scandir', path: '/no/such' });
    assert.throws(() => walk(1), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(walk(work, { signal: AbortSignal.abort() }).next(),
      { name: 'AbortError' });
  });

  it('is a program, too', () => {
    assert.strictEqual(run([folder, path.join(work, 'a', 'b'), '1']).trim().split('\n').length, 1);
  });
});

describe('examples/c/adapting', function () {
  this.timeout(300000);

  const folder = path.join(examples, 'c', 'adapting');
  let adapting;
  let work;

  before(() => {
    work = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-adapting-'));
    buildAddon(folder);
    adapting = require(folder);
  });
  after(() => fs.rmSync(work, { recursive: true }));

  it('a callback: random bytes', async () => {
    const [a, b] = await Promise.all([adapting.randomBytes(200), adapting.randomBytes(200)]);
    assert.deepStrictEqual([a.length, b.length, a.equals(b)], [200, 200, false]);
    assert.strictEqual((await adapting.randomBytes(0)).length, 0);
    await assert.rejects(adapting.randomBytes(257),
      { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
  });

  it('a descriptor: the next change in a folder', async () => {
    const change = adapting.nextChange(work);
    fs.writeFileSync(path.join(work, 'changed.txt'), 'now');
    assert.strictEqual(await change, 'changed.txt');
    await assert.rejects(adapting.nextChange('/no/such'),
      { code: 'ENOENT', syscall: 'inotify_add_watch', path: '/no/such' });
    const controller = new AbortController();
    const never = adapting.nextChange(work, { signal: controller.signal });
    const descriptors = fs.readdirSync('/proc/self/fd').length;
    controller.abort();
    await assert.rejects(never, { name: 'AbortError' });
    assert.strictEqual(fs.readdirSync('/proc/self/fd').length, descriptors - 1);
  });

  it('a function that blocks: glob', async () => {
    for (const name of ['a.c', 'b.c', 'c.h']) fs.writeFileSync(path.join(work, name), '');
    assert.deepStrictEqual(await adapting.find(path.join(work, '*.c')),
      ['a.c', 'b.c'].map((name) => path.join(work, name)));
    assert.deepStrictEqual(await adapting.find(path.join(work, '*.none')), []);
    const aborted = Array.from({ length: 100 }, () => {
      const controller = new AbortController();
      const finding = adapting.find(path.join(work, '*.c'), { signal: controller.signal });
      controller.abort();
      return finding;
    });
    for (const { status, value, reason } of await Promise.allSettled(aborted)) {
      if (status === 'fulfilled') assert.strictEqual(value.length, 2);
      else assert.strictEqual(reason.name, 'AbortError');
    }
  });
});

describe('examples/c/rate_limiter', function () {
  this.timeout(120000);

  const folder = path.join(examples, 'c', 'rate_limiter');
  let RateLimiter;

  before(() => {
    buildAddon(folder);
    ({ RateLimiter } = require(folder));
  });

  it('lets two through, then one every 50 ms', () => {
    const output = run(['index.js'], folder);
    const [, took] = output.match(/took (\d+) ms/);
    assert.strictEqual(output.replace(took, 'N'), lines(
      'request 1', 'request 2', 'request 3', 'request 4', 'request 5', 'took N ms',
      'The rate limiter is closed',
    ));
    assert.ok(Number(took) >= 150, output);
  });

  it('serves those who wait in the order in which they came', async () => {
    const limiter = new RateLimiter(500, 5);
    const order = [];
    await Promise.all([5, 3, 1, 0, 2].map((tokens) => limiter.take(tokens)
      .then(() => order.push(tokens))));
    assert.deepStrictEqual(order, [5, 3, 1, 0, 2]);
    assert.strictEqual(limiter.waiting, 0);
  });

  it('takes nothing for who has given up', async () => {
    const limiter = new RateLimiter(1e-6, 10);
    await limiter.take(9);
    const controller = new AbortController();
    const waits = [limiter.take(2, { signal: controller.signal }), limiter.take(1)];
    assert.strictEqual(limiter.waiting, 2);
    controller.abort();
    await assert.rejects(waits[0], { name: 'AbortError' });
    await waits[1];
    assert.ok(limiter.tokens < 1);
    assert.strictEqual(limiter.waiting, 0);
  });

  it('refuses what it never could give', async () => {
    assert.throws(() => new RateLimiter(0), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => new RateLimiter(NaN), { code: 'ERR_OUT_OF_RANGE' });
    const limiter = new RateLimiter(1, 5);
    for (const tokens of [6, -1, NaN]) {
      await assert.rejects(limiter.take(tokens), { code: 'ERR_OUT_OF_RANGE' });
    }
    assert.ok(limiter.tokens >= 5);
  });

  it('ends all waits when it is closed', async () => {
    const limiter = new RateLimiter(1e-6, 1);
    await limiter.take();
    const waits = [limiter.take(), limiter.take(), limiter.take()];
    await limiter[Symbol.asyncDispose]();
    for (const wait of waits) {
      await assert.rejects(wait, { code: 'EPIPE', message: 'The rate limiter is closed' });
    }
    await assert.rejects(limiter.take(0), { code: 'EPIPE' });
  });
});
