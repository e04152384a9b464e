'use strict';

// Three hundred workers, one after the other, each ended in the middle of everything that an addon
// can have under way.

const assert = require('node:assert');
const { runScript } = require('../support/natives');
const { ADDONS, GENERATORS, OBJECTS, addonPath } = require('../support/under-way');

const IN_WORKER = `
  'use strict';
  const { parentPort } = require('node:worker_threads');
  ${ADDONS}
  ${OBJECTS}
  ${GENERATORS}
  natives.forever().catch(quiet);
  natives.work(1).catch(quiet);
  natives.call(() => new Promise(quiet), 1, true).catch(quiet);
  produce((_, i) => i, { threads: 1, count: 10, hear: true }).then(() => parentPort.postMessage('ready'));
`;

describe('three hundred workers, one after the other', function () {
  this.timeout(300000);

  it('leave no memory, descriptor, struct, generator, thread or mapping behind', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { once } = require('node:events');
      const fs = require('node:fs');
      const { Worker } = require('node:worker_threads');
      const [classes, iterators, ends] = ${JSON.stringify(['classes', 'iterators', 'ends']
        .map(addonPath))}.map((file) => require(file));

      async function living() {
        const { threads, callsTaken, callsTold } = await ends.counts();
        return await classes.countLive() + await natives.countLive() + (await iterators.counts()).live + threads + callsTaken - callsTold;
      }

      const countThreads = () => fs.readdirSync('/proc/self/task').length;

      async function measure(most) {
        for (let i = 0; i < 5; i++) { gc(); await new Promise(setImmediate); }
        while (await living() > 0) await new Promise(setImmediate); // threads need a moment to end, and are counted for another
        for (let i = 0; i < 10000 && countThreads() > most; i++) await new Promise(setImmediate);
        return {
          megabytes: process.memoryUsage.rss() / 2 ** 20,
          descriptors: fs.readdirSync('/proc/self/fd').length,
          threads: countThreads(),
          mappings: fs.readFileSync('/proc/self/maps', 'utf8').split('\\n').length,
        };
      }

      async function main() {
        const measures = [];
        for (let i = 1; i <= 300; i++) {
          const worker = new Worker(${JSON.stringify(IN_WORKER)}, { eval: true });
          await once(worker, 'message');
          await worker.terminate();
          if (i % 100 === 0) measures.push(await measure(measures[0]?.threads ?? Infinity));
        }
        console.log(JSON.stringify(measures));
      }

      main();`, { flags: ['--expose-gc'] });
    assert.deepStrictEqual([stderr, code], ['', 0]);
    const [first, , last] = JSON.parse(stdout);
    assert.strictEqual(last.descriptors, first.descriptors, stdout);
    assert.ok(last.threads <= first.threads, stdout);
    // it keeps freed memory aside, and finds what is lost by itself
    if (process.env.LD_PRELOAD?.includes('asan')) {
      return;
    }
    assert.ok(last.mappings < first.mappings + 20, stdout);
    assert.ok(last.megabytes < first.megabytes + 12, stdout);
  });
});
