'use strict';

// What programs do to the world that fibril was loaded into: none of it changes what comes of
// anything.

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const { before: beforeLoading, after: afterLoading } = require('./support/surroundings');

const script = path.join(__dirname, 'support', 'surroundings.js');
const lib = JSON.stringify(path.join(__dirname, '..', 'lib'));

async function observe(name, env = {}) {
  const { stdout } = await promisify(execFile)(process.execPath, [script, name],
    { env: { ...process.env, ...env }, timeout: 60_000 });
  return JSON.parse(stdout);
}

describe('surroundings', function () {
  this.timeout(120_000);
  let usual;
  before(async () => {
    usual = await observe('none');
  });

  it('as usual: everything is tried', () => {
    const { outcomes } = usual;
    assert.deepEqual(outcomes.yields, [1, 2, 3, 4, [null, 5], { six: 6, seven: [7] }, 8, 9, 10, 11,
      [12], 'foreign', 'TypeError', 'number']);
    assert.equal(outcomes.aborted, 'AbortError ABORT_ERR');
    assert.equal(outcomes.timeout, 'TimeoutError ETIMEDOUT');
  });

  for (const name of [...beforeLoading, ...afterLoading.filter((each) => each !== 'none')]) {
    it(name, async () => {
      const { outcomes, named } = await observe(name);
      assert.deepEqual({ outcomes, named }, { outcomes: usual.outcomes, named: usual.named });
    });
  }

  it('another Promise, with the runner in C', async () => {
    assert.deepEqual((await observe('another Promise', { FIBRIL_RUNNER: 'native' })).outcomes,
      usual.outcomes);
  });

  it('no global is read when something is called, but the Promise of which co makes its own',
    async () => {
    const { reads } = await observe('watched globals');
    assert.deepEqual(reads, ['Promise in /lib/co/promises.js']);
  });

  // Of what programs do to Array.prototype, this is all that is promised.
  it('promises of native calls hold against setters for elements of arrays', () => {
    const program = `
      const { sleep } = require(${lib});
      const heard = [];
      const setter = { set: () => (heard.length = 1), configurable: true };
      for (let i = 0; i < 4; i++) Object.defineProperty(Array.prototype, i, setter);
      const first = sleep(1, 'a');
      const second = sleep(1, 'b');
      first.then(async (a) => {
        const b = await second;
        const c = await sleep(1, 'c');
        for (let i = 0; i < 4; i++) delete Array.prototype[i];
        console.log(a + b + c, heard.length);
      });`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
    assert.deepEqual([stderr, stdout], ['', 'abc 0\n']);
  });

  it('a domain hears the errors of callbacks, timeouts, handlers and done callbacks that were handed over in it', () => {
    const program = `
      const { IOLoop, gen } = require(${lib});
      const loop = IOLoop.current();
      const domain = require('node:domain').create();
      const heard = [];
      domain.on('error', (error) => {
        if (heard.push(error.message) === 4) console.log(heard.sort().join());
      });
      const fail = (message) => () => { throw new Error(message); };
      domain.run(() => {
        loop.addCallback(fail('callback'));
        loop.callLater(0, fail('timeout'));
        gen.sleep(1).addDoneCallback(fail('done'));
        loop.addHandler(1, () => {
          loop.removeHandler(1);
          throw new Error('handler');
        }, IOLoop.WRITE);
      });`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program],
      { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.equal(stdout, 'callback,done,handler,timeout\n');
  });
});
