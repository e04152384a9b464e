'use strict';

// Three hundred workers, one after the other, each ended in the middle of everything that an addon can have under way.

const assert = require('node:assert');
const path = require('node:path');
const { nativesPath, runScript } = require('./support/natives');

const addon = (name) => JSON.stringify(path.join(path.dirname(nativesPath), `${name}.node`));

const IN_WORKER = `
  'use strict';
  const natives = require(${addon('natives')});
  const { Counter } = require(${addon('classes')});
  const { Notifier, flood, produce } = require(${addon('callbacks')});
  const { parentPort } = require('node:worker_threads');
  const quiet = () => {};
  globalThis.counters = Array.from({ length: 5 }, (_, i) => new Counter(i));
  for (const counter of counters) {
    counter.change().catch(quiet);
    counter.tickLater(1e6).catch(quiet);
  }
  globalThis.notifier = new Notifier(() => new Promise(quiet), { limit: 2 });
  notifier.call(1).catch(quiet);
  notifier.start(2).catch(quiet);
  natives.forever().catch(quiet);
  natives.work(1).catch(quiet);
  natives.call(() => new Promise(quiet), 1, true).catch(quiet);
  flood(() => new Promise(quiet)).catch(quiet);
  produce((_, i) => i, { threads: 1, count: 10, hear: true }).then(() => parentPort.postMessage('ready'));
`;

describe('three hundred workers, one after the other', function () {
  this.timeout(300000);

  it('leave no memory, descriptor, struct or mapping behind', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { once } = require('node:events');
      const fs = require('node:fs');
      const { Worker } = require('node:worker_threads');
      const { countLive } = require(${addon('classes')});

      async function measure() {
        for (let i = 0; i < 5; i++) { gc(); await new Promise(setImmediate); }
        return {
          megabytes: process.memoryUsage.rss() / 2 ** 20,
          descriptors: fs.readdirSync('/proc/self/fd').length,
          threads: fs.readdirSync('/proc/self/task').length,
          mappings: fs.readFileSync('/proc/self/maps', 'utf8').split('\\n').length,
          structs: await countLive() + await natives.countLive(),
        };
      }

      async function main() {
        const measures = [];
        for (let i = 1; i <= 300; i++) {
          const worker = new Worker(${JSON.stringify(IN_WORKER)}, { eval: true });
          await once(worker, 'message');
          await worker.terminate();
          if (i % 100 === 0) measures.push(await measure());
        }
        console.log(JSON.stringify(measures));
      }

      main();`, { flags: ['--expose-gc'] });
    assert.deepStrictEqual([stderr, code], ['', 0]);
    const [first, , last] = JSON.parse(stdout);
    assert.deepStrictEqual([last.descriptors, last.threads, last.structs], [first.descriptors, first.threads, 0], stdout);
    assert.ok(last.mappings < first.mappings + 20, stdout);
    assert.ok(last.megabytes < first.megabytes + 12, stdout);
  });
});
