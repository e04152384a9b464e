'use strict';

/* What is let go, and when. */

const assert = require('node:assert/strict');

const { co, gc, turn, collectUntil } = require('./support/co');

/** Counts how many of the objects that it is given have been collected. */
class Watch {
  #registry = new FinalizationRegistry(() => this.collected++);
  collected = 0;

  over(object) {
    this.#registry.register(object);
    return object;
  }
}

describe('co: memory', () => {
  const never = {
    'a promise': () => new Promise(() => {}),
    'a thenable': () => ({ then() {} }),
    'a thunk': () => () => {},
    'an array': () => [new Promise(() => {}), Promise.resolve(), () => {}],
    'an array of generators': () => [
      (function* () {
        yield new Promise(() => {});
      })(),
    ],
    'a generator': () =>
      (function* () {
        yield new Promise(() => {});
      })(),
  };
  for (const [what, make] of Object.entries(never)) {
    it(`lets go of a run that waits for ${what} nobody can settle`, async () => {
      const watch = new Watch();
      const start = () => {
        co(function* () {
          const local = watch.over({});
          yield make();
          return local;
        });
      };
      for (let i = 0; i < 10; i++) start();
      assert.ok(await collectUntil(() => watch.collected === 10),
        `${watch.collected} of 10 were collected`);
    });
  }

  it('lets go of results, errors and locals as soon as a run ends, whoever still holds its callbacks', async () => {
    const watch = new Watch();
    const held = [];
    const start = () =>
      co(function* () {
        const local = watch.over({ name: 'local' });
        yield {
          then(resolve, reject) {
            held.push(resolve, reject);
            resolve(watch.over({ name: 'thenable value' }));
          },
        };
        yield (done) => {
          held.push(done);
          done(null, watch.over({ name: 'thunk value' }));
        };
        yield (done) => {
          held.push(done);
          setImmediate(done, null, watch.over({ name: 'late thunk value' }));
        };
        const group = [
          (done) => {
            held.push(done);
            setImmediate(done, null, watch.over({ name: 'member' }));
          },
        ];
        held.push(group);
        yield group;
        try {
          yield Promise.reject(watch.over(new Error('caught')));
        } catch {
          return { local };
        }
      }).then(() => {});
    await start();
    assert.ok(await collectUntil(() => watch.collected === 6),
      `${watch.collected} of 6 were collected`);
    assert.ok(held.length > 0);
  });

  it('lets go of the other members once an array has failed', async () => {
    const watch = new Watch();
    const pending = new Promise(() => {});
    await co(function* () {
      try {
        yield [pending, Promise.resolve(watch.over({})),
          turn().then(() => Promise.reject(watch.over(new Error('no'))))];
      } catch {
        // Only what is left behind counts.
      }
    });
    assert.ok(await collectUntil(() => watch.collected === 2),
      `${watch.collected} of 2 were collected`);
    assert.ok(pending instanceof Promise);
  });

  it('lets go of what members bring after an array has failed', async () => {
    const watch = new Watch();
    const pending = new Promise(() => {});
    const late = (depth) => (depth === 0 ? watch.over({}) : turn().then(() => late(depth - 1)));
    await co(function* () {
      try {
        yield [pending, { late: late(2) }, late(2), Promise.reject(new Error('no'))];
      } catch {
        // Only what is left behind counts.
      }
    });
    assert.ok(await collectUntil(() => watch.collected === 2),
      `${watch.collected} of 2 were collected`);
    assert.ok(pending instanceof Promise);
  });

  it('lets go of a value as soon as the generator does, while it waits for something else',
    async () => {
    const watch = new Watch();
    let resolve;
    const gate = new Promise((open) => {
      resolve = open;
    });
    const run = co(function* () {
      yield (done) => done(null, watch.over({}));
      yield gate;
      return 'end';
    });
    assert.ok(await collectUntil(() => watch.collected === 1));
    resolve();
    assert.equal(await run, 'end');
  });

  it('lets go of the result while somebody holds on to the generator', async () => {
    const watch = new Watch();
    const generator = (function* () {
      yield (done) => done();
      return watch.over({});
    })();
    co(generator);
    assert.ok(await collectUntil(() => watch.collected === 1));
    assert.deepEqual(generator.next(), { done: true, value: undefined });
  });

  it('keeps the heap flat over a million yields', async () => {
    const p = Promise.resolve(1);
    // prettier-ignore
    const yields = [() => p, () => [p], () => (done) => done(),
      () => (function* () { yield p; })()];
    const used = [];
    await co(function* () {
      for (let i = 0; i <= 1_000_000; i++) {
        if (i % 250_000 === 0) {
          // Finalizers run in a turn of the loop, and what they hold is collected after that.
          for (let round = 0; round < 3; round++) {
            gc();
            yield turn();
          }
          used.push(process.memoryUsage().heapUsed);
        }
        yield yields[i % yields.length]();
      }
    });
    const growth = used.at(-1) - used[1];
    assert.ok(growth < 512 * 1024, `grew by ${growth} bytes`);
  });
});
