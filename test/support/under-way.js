'use strict';

// What tests of ends have under way when they end: scripts for a worker or a process of its own,
// the addons first.

const path = require('node:path');
const { nativesPath } = require('./natives.js');

const addonPath = (name) => path.join(path.dirname(nativesPath), `${name}.node`);

const ADDONS = `
  const addonPaths = ${JSON.stringify(['natives', 'ends', 'waits', 'classes', 'callbacks',
    'iterators'].map(addonPath))};
  const [natives, ends, waits, { Counter }, { Notifier, flood, produce }, iterators] = addonPaths.map((file) => require(file));
  const quiet = () => {};
`;

// Objects with a C struct and their methods; functions that C keeps, called from coroutines,
// callbacks of the loop and threads.
const OBJECTS = `
  for (let i = 0; i < 5; i++) {
    const counter = new Counter(i, { name: 'counter' });
    counter.change().catch(quiet);
    counter.change({ signal: AbortSignal.timeout(i) }).catch(quiet);
    counter.keep({ counter }).catch(quiet);
    for (const ms of [-1, i, 1e6]) counter.tickLater(ms).catch(quiet);
    for (let k = 0; k < 3; k++) counter.addLater(1).catch(quiet);
    new Counter(i).close().catch(quiet);
    try { new Counter(-1); } catch {}
    const notifier = new Notifier(() => [new Promise(quiet), natives.echoMoment(i), i][i % 3], { limit: 2, unref: i % 2 === 0 });
    for (const method of ['call', 'start', 'forget', 'drop']) notifier[method](i).catch(quiet);
    new Notifier(quiet).close().catch(quiet);
  }
  flood(() => natives.echoMoment(1)).catch(quiet);
  ends.callForEver(() => new Promise(quiet), 1).catch(quiet);
  ends.callForEver((text, bytes) => natives.echoLater(bytes, 1), 2).catch(quiet);
`;

// Generators of C: not begun, in a yield, in a wait, ahead, in their clean-up, taken to their end,
// of an object; some have no owner.
const GENERATORS = `
  const collect = () => { require('node:v8').setFlagsFromString('--expose-gc'); require('node:vm').runInNewContext('gc')(); };
  async function consume(iterator, most) { for await (const value of iterator) if (most-- === 0) break; }
  globalThis.kept = [];
  for (let i = 0; i < 5; i++) {
    const { stream, countAhead, countLater, countLaterAhead, hang, careful, mapped } = iterators;
    const climb = () => new iterators.Ladder(1).climb(1e9);
    for (const make of [() => stream(1e9), () => countAhead(1e9), () => countLater(1e9), () => countLaterAhead(1e9), hang, () => careful(0),
      () => mapped(() => natives.echoMoment(i)), () => mapped(() => new Promise(quiet)), climb]) {
      const iterator = make();
      if (i % 2 === 0) kept.push(iterator);
      for (let k = 0; k < i; k++) iterator.next().catch(quiet);
      if (i === 3) iterator.return().catch(quiet);
      if (i === 4) iterator.throw(new Error('thrown')).catch(quiet);
      consume(make(), 10 * i).catch(quiet);
    }
    consume(countLater(1e9), Infinity).catch(quiet);
    hang(AbortSignal.timeout(i)).next().catch(quiet);
    iterators.count(5);
    iterators.count(5).next();
    kept.push([...iterators.count(5)], iterators.count(5), new iterators.Ladder(1).rungs(5));
    kept.at(-1).next();
  }
  setImmediate(collect);
`;

module.exports = { ADDONS, GENERATORS, OBJECTS, addonPath };
