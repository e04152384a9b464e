'use strict';

// Signals that C waits for, beside those that Node and its workers listen for.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { nativesPath, runScript } = require('./support/natives');

const signalsPath = path.join(path.dirname(nativesPath), 'signals.node');
const { wait } = require(signalsPath);
const { SIGKILL, SIGPIPE, SIGPROF, SIGSEGV, SIGUSR1, SIGUSR2, SIGWINCH } = os.constants.signals;

const send = (signal) => process.kill(process.pid, signal);

function run(code) {
  return runScript(`const signals = require(${JSON.stringify(signalsPath)});
    const send = (signal) => process.kill(process.pid, signal); ${code}`);
}

describe('signals in C', () => {
  it('are waited for', async () => {
    const waiting = wait(SIGUSR2, 3);
    for (let i = 0; i < 3; i++) {
      send('SIGUSR2');
      await new Promise(setImmediate);
    }
    assert.equal(await waiting, 3);
  });

  it('are refused where nobody can wait for them, or Node does itself', async () => {
    for (const number of [SIGKILL, SIGSEGV, SIGPROF, SIGUSR1, 0, -1, 1000]) {
      await assert.rejects(wait(number, 1), { code: 'EINVAL' }, `of ${number}`);
    }
  });

  it('come to listeners of the process, too, which go on when C has done', async () => {
    const heard = [];
    const listener = (name) => heard.push(name);
    process.on('SIGUSR2', listener);
    try {
      const waiting = [wait(SIGUSR2, 1), wait(SIGWINCH, 1)];
      send('SIGUSR2');
      assert.equal(await waiting[0], 1);
      while (heard.length < 1) await new Promise(setImmediate);
      send('SIGUSR2');
      while (heard.length < 2) await new Promise(setImmediate);
      send('SIGWINCH');
      assert.equal(await waiting[1], 1);
      assert.deepEqual(heard, ['SIGUSR2', 'SIGUSR2']);
    } finally {
      process.off('SIGUSR2', listener);
    }
  });

  it('stay C\'s when the last listener goes', async () => {
    const waiting = wait(SIGUSR2, 1);
    process.once('SIGUSR2', assert.fail).off('SIGUSR2', assert.fail);
    send('SIGUSR2');
    assert.equal(await waiting, 1);
  });

  it('come to every thread that asked, and its end leaves those of others alone', async () => {
    const worker = new Worker(`
      const { parentPort } = require('node:worker_threads');
      const { wait } = require(${JSON.stringify(signalsPath)});
      wait(${SIGUSR2}, 1).then((count) => {
        wait(${SIGUSR2}, 2);
        parentPort.postMessage(count);
      });
      parentPort.postMessage('waits');`, { eval: true });
    assert.deepEqual(await once(worker, 'message'), ['waits']);
    const waiting = wait(SIGUSR2, 3);
    send('SIGUSR2');
    assert.deepEqual(await once(worker, 'message'), [1]);
    send('SIGUSR2');
    await worker.terminate();
    send('SIGUSR2');
    assert.equal(await waiting, 3);
  });

  it('keep the process alive while somebody waits', async () => {
    const { code, stdout } = await run(`
      signals.wait(${SIGUSR2}, 1).then((count) => console.log(count));
      setTimeout(send, 20, 'SIGUSR2').unref();`);
    assert.deepEqual([stdout, code], ['1\n', 0]);
  });

  it('or do not, when they are unheld', async () => {
    const { code, stdout, stderr } = await run(`
      signals.wait(${SIGUSR2}, 1, { unheld: true }).then((count) => console.log(count));
      setTimeout(send, 1e6, 'SIGUSR2').unref();`);
    assert.deepEqual([stdout, stderr, code], ['', '', 0]);
  });

  it('do what they did before when C has done', async () => {
    const { signal, stdout } = await run(`
      signals.wait(${SIGUSR2}, 1).then((count) => {
        console.log(count);
        send('SIGUSR2');
      });
      send('SIGUSR2');`);
    assert.deepEqual([stdout, signal], ['1\n', 'SIGUSR2']);
  });

  it('are ignored again when they were, whichever addon has done last', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-'));
    const copy = path.join(folder, 'copy.node');
    try {
      fs.copyFileSync(signalsPath, copy);
      for (const counts of [[1, 2], [2, 1]]) {
        const { stdout, signal } = await run(`
          const all = [signals, require(${JSON.stringify(copy)})];
          const waits = [${counts}].map((count, i) => all[i].wait(${SIGPIPE}, count));
          send('SIGPIPE');
          Promise.race(waits).then(() => send('SIGPIPE')).then(() => Promise.all(waits)).then((came) => {
            send('SIGPIPE');
            console.log(...came);
          });`);
        assert.deepEqual([stdout, signal], [`${counts.join(' ')}\n`, null]);
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
