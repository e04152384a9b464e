'use strict';

// What test/failure/node.js runs. `run` gives what `expected` says, as JSON, when nothing fails.

const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { NEXT, THROW, STORED, WAIT, READY, DONE } = require('../../lib/co/modes.js');

const MAKE_DEEP = `
  for (let i = 0; i < 18; i++) {
    fs.mkdirSync('x'.repeat(250));
    process.chdir('x'.repeat(250));
  }
`;
const WRITE = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_TRUNC;

module.exports = (control) => {
  const nothing = () => undefined;
  // The thread's table of memory that is lent, which the first copy of fibril makes.
  const forgetMemories = () => void delete process[Symbol.for('fibril.memories.1')];
  const scenario = (name, prepare, run, expected) => ({ name, prepare, run,
    expected: JSON.stringify(expected) });

  // With an addon that is loaded and was used before anything fails, or, with `fresh`, one that was
  // only loaded.
  let natives;
  const used = (name, run, expected) => scenario(name, () => natives ??= control.natives(), run,
    expected);
  const fresh = (name, run, expected) => scenario(name, control.natives, run, expected);

  // The same of another addon of control's.
  const addons = {};
  const withAddon = (addon, name, run, expected) =>
    scenario(name, () => addons[addon] ??= control[addon](), run, expected);

  // Of fibril's own functions, with a folder for them.
  let own;
  const withFolder = (name, run, expected) =>
    scenario(name, () => own ??= control.own(), async (functions) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-failure-'));
    try {
      return await run(functions, folder);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }, expected);

  // Its path is longer than the system takes at once.
  let deep;
  function makeDeepTree() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-failure-'));
    process.on('exit', () => execFileSync('rm', ['-rf', folder]));
    execFileSync(process.execPath, ['-e', MAKE_DEEP], { cwd: folder });
    own ??= control.own();
    return folder;
  }

  return [
    scenario('loading', forgetMemories, () => Object.keys(control.natives()).length > 10, true),
    scenario('loading own natives', nothing, () => Object.keys(control.own()).length > 5, true),
    scenario('loading classes', nothing, () => Object.keys(control.classes()).length > 4, true),
    scenario('loading callbacks', nothing, () => Object.keys(control.callbacks()).length > 4, true),
    scenario('loading iterators', nothing, () => Object.keys(control.iterators()).length > 4, true),
    scenario('loading synchronous functions', nothing,
      () => Object.keys(control.synchronous()).length > 20, true),
    scenario('loading classes with objects as values', nothing,
      () => Object.keys(control.instances()).length > 15, true),
    scenario('loading what has maps in signatures', nothing,
      () => Object.keys(control.containers()).length > 20, true),
    scenario('loading what works on JavaScript\'s objects', nothing,
      () => Object.keys(control.references()).length > 20, true),
    scenario('loading enums, namespaces and a default', nothing,
      () => Object.keys(control.names().limits.points).length > 2, true),
    withAddon('instances', 'objects as values', passed,
      [3, 3, 5, 6, [2, 3, 4], true, 'x', 7, 4, 'ERR_INVALID_ARG_TYPE', 'EINVAL', true]),
    withAddon('containers', 'maps, sets, tuples and dates', contained,
      [{ 'a\0': 1 }, [1, 'x'], 20, 10, 3, [20, 'x'], [new Date(5), new Date(5)], true,
        'ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 3]),
    withAddon('references', 'JavaScript\'s objects in C', worked, [
      [1, 'text', 'fn', true, ['a', 's', 'o', 'm', 'set'], 'set', false, true, true, 2, 'own', 'key',
        true, true, 2, false],
      ['thrown', 'ERR_INVALID_ARG_TYPE'], { sum: 3, texts: ['text', 'text'],
        waited: 'FIBRIL_ESYNC' }]),
    withAddon('bytes', 'bytes of every kind', bytesOfEveryKind,
      [[1, 0, 0], [3, 3, 3, 3, 3], [true, 9, 2], 4, 20]),
    withAddon('bytes', 'large bytes', largeBytes, [3 << 20, 'ERR_INVALID_ARG_VALUE', 'ABORT_ERR']),
    scenario('memory that is lent', () => {
      forgetMemories();
      return [control.own(), control.bytes()];
    }, lentMemory, [190, 20, 5]),
    withAddon('names', 'errors of a class', async (n) =>
      expect((await n.fail('OddestError').catch((error) => error)).code, 'ODD'), 'ODD'),
    withAddon('names', 'enums', (n) => [n(1), n.mode('a'), n.modes([4, null]),
      expect(codeOf(() => n.mode(3)), 'ERR_INVALID_ARG_VALUE')],
    [2, 'a', [4, null], 'ERR_INVALID_ARG_VALUE']),
    scenario('code at load and at the end', () => {
      const planner = addons.environments ??= control.environments();
      planner.plan('init=pass; end=pass;');
      return planner;
    }, beginning(control), ['x', ['ERR_FIBRIL_NOT_READY', 'ERR_FIBRIL_NOT_READY'], 0, 42]),
    withAddon('synchronous', 'synchronous calls', called,
      [3, 'a-b-c-d-e-f-g-h-i', 2, 'left to the arena', false, [1, 6], 'ERR_NEGATIVE', 'ERR_INVALID_ARG_TYPE',
        'ENOENT']),
    withAddon('iterators', 'synchronous iterators', iterated,
      [[0, 1], ['ready', 'sent', 'thrown', 'end'], 'EIO', [0, 2], 'x']),
    withAddon('iterators', 'asynchronous iterators', iteratedLater,
      [[0, 1], [0, 1, 2, 3, 4, 5], 'thrown', 'ABORT_ERR', [0, 2], 'ERR_INVALID_THIS']),
    withAddon('classes', 'objects', objects, ['name', 3, 6, 'kept', 0, 'EIO', 'ERR_INVALID_THIS',
      'ERR_TEST', 7]),
    withAddon('callbacks', 'functions that C keeps', kept, [2, 3, 'reason', 1, 'thrown']),
    withAddon('callbacks', 'functions that threads call', async (n) => {
      const values = [];
      const options = { threads: 2, count: 3, limit: 2, hear: true };
      for (const fn of [(_, i) => i, async (_, i) => i]) {
        values.push(await produced(n, fn, options));
      }
      const seen = await seenBy(n, { threads: 1, count: 2, text: true });
      return [...values, seen.length];
    }, [6, 6, 2]),
    withAddon('callbacks', 'functions with many arguments', async (n) => {
      const seen = [];
      await n.callEveryWay((...list) => { seen.push(list.length); });
      return seen;
    }, [10, 10, 10]),
    used('arguments', async (n) => [
      await n.echo({ a: 1 }), await n.echo('text'), await n.text('x'.repeat(500)),
      `${await n.bytes(Buffer.from('bytes'))}`,
      await n.truth(true), await n.digits(1, 2, 3, 4, 5, 6, 7, 8), await n.integers(1, 2),
      await n.options({ flag: false, name: 'name' }), await n.path('/tmp'),
        await n.path(Buffer.from('/tmp')),
      await n.path(new URL('file:///tmp')), await n.lengths('ab', Buffer.from('abc')),
    ], [{ a: 1 }, 'text', 'x'.repeat(500), 'bytes', true, 12345678, 8, [false, 3, 'name'], '/tmp',
      '/tmp', '/tmp', [2, 3]]),
    used('bad arguments', async (n) => {
      const codes = [];
      for (const call of [() => n.text(1), () => n.integers(0.5, 1), () => n.integers(2 ** 40, 1),
        () => n.path('a\0b'),
        () => n.options({ flag: 1 }), () => n.path({})]) {
        await call().catch((error) => {
          if (!/^ERR_(INVALID_ARG|OUT_OF_RANGE)/.test(error.code)) throw error;
          codes.push(error.code);
        });
      }
      return codes;
    }, ['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', 'ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE',
      'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_ARG_TYPE']),
    used('arguments of every type', async (n) => [
      await n.given('', null), await n.rows([{ id: 1, tags: ['a', 'b'] }, { id: 2 }]),
      await n.tail(1, 2, 3),
      await n.firstByte(new Uint8Array([7])), `${await n.twice(4n)}`,
        await n.encoding({ encoding: 'latin1' }),
    ], [[true, false, true, false, true], 203, 123, 7, '8', 'latin1']),
    used('bad arguments of every type', async (n) => {
      const codes = [];
      for (const call of [() => n.rows([{ id: 1 }, { id: 1.5 }]),
        () => n.rows([{ id: 1, tags: ['c'] }]), () => n.rows({}),
        () => n.tail(1, 2, '3'), () => n.firstByte(detached()),
        () => n.firstByte([]),
        () => n.twice(2n ** 63n), () => n.encoding({ encoding: 5 })]) {
        await call().catch((error) => {
          if (!/^ERR_(INVALID_ARG|OUT_OF_RANGE)/.test(error.code)) throw error;
          codes.push(error.code);
        });
      }
      return codes;
    }, ['ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE',
      'ERR_INVALID_ARG_VALUE',
      'ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE']),
    used('errors in results', async (n) => {
      const list = await n.errors(() => { throw new RangeError('thrown'); });
      const { error, thrown } = list[4];
      const failed = [...list.slice(1, 4), error, thrown].find(({ code }) => code === 'ENOMEM');
      if (failed !== undefined) throw failed;
      return [...list.slice(1, 4), error, thrown].map((each) => [each.name, each.code]);
    }, [['Error', 'EIO'], ['Error', 'ENOENT'], ['RangeError', 'ERR_TEST'], ['Error', 'EPERM'],
      ['RangeError', undefined]]),
    withAddon('classes', 'signatures',
      (n) => n[Symbol.for('fibril.signatures')].some(([, of]) => of === 'Counter'), true),
    used('values', async (n) => {
      const { list } = await n.kinds();
      return [list.length, `${list[4]}`, list[5], (await n.nest(2)).in[0].in[0],
        (await n.bigBuffer(100000)).length];
    }, [7, '-9223372036854775808', 'café', 'core', 100000]),
    // Enough of them for a function that makes them.
    fresh('many objects', async (n) => (await n.records(['id', 'name'], 70)).at(-1),
      { id: 138, name: 139 }),
    used('long and deep values',
      async (n) => [(await n.longArray(300)).length, (await n.nest(40)).in.length], [300, 1]),
    used('a call with many arguments', (n) => n.callWithMany((...list) => list.length), 16),
    used('a batch inside another', async (n) => {
      const start = (list) => list.map((value) => n.runtime.future(n.echoMoment)(value));
      const turner = new n.Turner();
      const outer = start([1, 2]);
      let inner = [];
      let failure;
      outer[0].addDoneCallback(() => {
        try {
          inner = start([3, 4]);
          for (let turns = 0; turns < 100 && !inner.every((each) => each.done()); turns++) {
            void turner.turned;
          }
        } catch (error) {
          failure = error;
        }
      });
      await Promise.all(outer);
      if (failure !== undefined) throw failure;
      return Promise.all(inner);
    }, [3, 4]),
    used('settled later', async (n) => {
      const values = await Promise.all([n.echoMoment('a'), n.echoMoment(1), n.echoLater('b', 0),
        n.pass(2)]);
      await n.failCall(-2, 'open', '/none', true).catch((error) => {
        if (error.syscall !== 'open') throw error;
        values.push(error.code);
      });
      await n.failType().catch((error) => {
        if (error.code !== 'ERR_TEST') throw error;
        values.push(error.name);
      });
      await n.failDetailed('gone', true).catch((error) => {
        if (error.code !== '42P01') throw error;
        values.push(error.detail);
      });
      return values;
    }, ['a', 1, 'b', 2, 'ENOENT', 'RangeError', 'gone']),
    used('many at once', async (n) => (
      await Promise.all(Array.from({ length: 200 }, (_, i) => n.echoMoment(i))))[199], 199),
    used('JavaScript called from C', async (n) => [
      await n.call((a, b) => a + b, 'x'), await n.call(async (a) => a, 'later', true),
      await n.sumCalls((i) => i, 3),
      await messageOf(n, () => {
        throw new Error('thrown');
      }),
      await n.callBoth(async () => 1, () => 'two'),
        await n.call(() => Promise.reject(new Error('rejected'))).catch((error) => {
        if (error.message !== 'rejected') throw error;
        return error.message;
      }),
      await n.call(() => 2n, 0).then(String), `${await n.call(() => Buffer.from('b'), 0)}`,
    ], ['x2', 'later', 3, 'thrown', [1, 'two'], 'rejected', '2', 'b']),
    used('signals', async (n) => {
      const controller = new AbortController();
      const promise = n.forever({ signal: controller.signal });
      controller.abort();
      return promise.catch((error) => {
        if (error.code !== 'ABORT_ERR') throw error;
        return error.code;
      });
    }, 'ABORT_ERR'),
    fresh('the first call', (n) => n.call(async () => 1, 0), 1),
    used('the list of who waits', async (n) => {
      const promise = n.echoMoment(1);
      let names;
      try {
        names = n.runtime.inspect().map(({ name }) => name);
      } finally {
        await promise;
      }
      if (!names.includes('echoMoment')) throw new Error(`only ${names}`);
      return promise;
    }, 1),
    used('a runner', (n) => new Promise((resolve, reject) => {
      // The value is there already, then the generator has ended.
      let steps = 0;
      const runner = n.runtime.createRunner((run, mode) => {
        steps++;
        if (mode === THROW) resolve(steps);
        return mode === NEXT ? READY : mode === STORED ? WAIT : DONE;
      }, READY, DONE, NEXT, STORED);
      const run = {};
      runner.start(run);
      runner.resume(run, THROW, undefined);
      if (steps !== 3) reject(new Error(`${steps} steps`));
    }), 3),
    used('a run that is resumed first', (n) => {
      const seen = [];
      const runner = n.runtime.createRunner((run, mode, value) => {
        seen.push(mode, value);
        return DONE;
      }, READY, DONE, NEXT, STORED);
      runner.resume({}, NEXT, 'value');
      return seen;
    }, [NEXT, 'value']),
    used('a loop', (n) => new Promise((resolve, reject) => {
      const seen = [];
      const note = (what) => () => {
        seen.push(what);
        if (seen.length === 2) resolve(seen.sort());
      };
      const loop = n.runtime.createLoop(note('callback'), note('timeout'), nothing);
      const check = (description) => {
        if (description !== undefined) reject(n.runtime.makeError(description));
      };
      check(loop.addCallback());
      check(loop.callAt(40, 0, true));
    }), ['callback', 'timeout']),
    withFolder('files', async (f, folder) => {
      const file = path.join(folder, 'file');
      await f.fsWriteFile(file, -1, Buffer.from('text'), WRITE, 0o644, true);
      fs.symlinkSync('file', path.join(folder, 'link'));
      const fd = fs.openSync(file);
      try {
        return [`${await f.fsReadFile(file, -1, 0)}`, `${await f.fsReadFile('', fd, 0)}`,
          (await f.fsReadFile('/proc/self/comm', -1, 0)).length > 0,
          (await f.fsStat(file, true)).length > 0,
          `${await f.fsRealpath(path.join(folder, 'link'))}` === fs.realpathSync(file),
          `${await f.fsReaddir(folder, 2)}`.includes('file')];
      } finally {
        fs.closeSync(fd);
      }
    }, ['text', 'text', true, true, true, true]),
    withFolder('large files', async (f, folder) => {
      const file = path.join(folder, 'file');
      const data = Buffer.alloc(3 * 1024 * 1024, 'x');
      await f.fsWriteFile(file, -1, data, WRITE, 0o644, true);
      return data.equals(await f.fsReadFile(file, -1, 0));
    }, true),
    withFolder('a tree', tree, [20, 21]),
    // An error's own path can't be copied either.
    { ...withFolder('a tree, two calls at a time', tree, [20, 21]), also: 1 },
    scenario('a deep tree', () => deep ??= makeDeepTree(),
      async (folder) => (await own.du(folder)).directories, 19),
  ];
};

function detached() {
  const view = new Uint8Array(1);
  structuredClone(view, { transfer: [view.buffer] });
  return view;
}

/** A result of each way, and what was shared is not looked at: a copy is as good. */
async function bytesOfEveryKind(n) {
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(3);
  const made = [0, 1, 2, 4, 11].map((view) => n.make(view, Buffer.alloc(24)).byteLength / 8);
  const large = [];
  for (const view of [0, 1, 2]) large.push((await n.large(1 << 16, view)).byteLength >> 16);
  n.hold(shared);
  const held = n.holding();
  n.hold(null);
  return [
    [...new Float32Array(await n.echoLater(new Float32Array([1, 0, 0])))],
    made,
    [large.every((one) => one === 1), n.sum(shared), (await n.pass((data) => data, Buffer.alloc(2)))
      .length],
    Number(await n.sumLater(new DataView(new Uint8Array([1, 3]).buffer))),
    held.length + n.sum(new Uint8Array(new ArrayBuffer(17, { maxByteLength: 20 })).fill(1)),
  ];
}

async function largeBytes(n) {
  const sum = await n.sumLater(Buffer.alloc(3 << 20, 1));
  const data = new Uint8Array(3 << 20);
  const taken = n.sumLater(data).catch((error) => error);
  structuredClone(data, { transfer: [data.buffer] });
  const controller = new AbortController();
  const aborted = n.sumLater(Buffer.alloc(6 << 20), controller.signal).catch((error) => error);
  controller.abort();
  return [sum, expect((await taken).code, 'ERR_INVALID_ARG_VALUE'),
    expect((await aborted).code, 'ABORT_ERR')];
}

async function lentMemory([own, n]) {
  const all = Array.from({ length: 20 }, (_, i) => own.runtime.bytes(i).fill(1));
  const sum = all.reduce((total, one) => total + n.sum(one), 0);
  await n.fill(all[5], 5);
  return [sum, all.length, all[5].length];
}

function codeOf(fn) {
  try {
    fn();
  } catch (error) {
    return error.code;
  }
  return 0;
}

// What a failed call was to give is an error of its own.
function expect(code, ...codes) {
  if (codes.includes(code)) return code;
  throw new Error(`${code} instead of ${codes}`);
}

async function objects({ Counter, Bare }) {
  const counter = new Counter(1, { name: 'name' });
  const { name } = counter;
  const values = [name, await counter.add(2), await counter.sum(1, 1, 1)];
  await counter.keep({ toJSON: () => 'kept' });
  values.push(counter.kept, await new Bare().value());
  values.push(expect(codeOf(() => counter.broken), 'EIO'));
  values.push(expect(await counter.add.call({}, 1).catch(({ code }) => code), 'ERR_INVALID_THIS'));
  values.push(expect(codeOf(() => new Counter(-1)), 'ERR_TEST'));
  await counter.tickLater(0);
  values.push(await counter.addLater(1));
  return values;
}

async function passed({ Point, line, pass, sameLater, sum, valueOf }) {
  const point = new Point(3);
  const around = [];
  for await (const each of point) around.push(each.value);
  point.keepPoint(Point.at(7));
  point.weigh(1000);
  const values = [valueOf(point), (await sameLater(point, 0)).value, (await Point.atLater(5)).value,
    sum(line(4).points), around, await point.selfLater(0) === point, point.label('x').text,
    point.kept().value];
  point.step = 4;
  values.push(point.step, expect(codeOf(() => valueOf({})), 'ERR_INVALID_ARG_TYPE'),
    expect(codeOf(() => new Point(-1)), 'EINVAL'), await pass((each) => each instanceof Point));
  return values;
}

async function contained({
  record, pair, make, mapLater, mapEntries, pass, pairs, symbol, yielded,
}) {
  const made = make(20, 5);
  const own = Symbol('s');
  return [record({ 'a\0': 1 }), mapEntries(new Map([[1, 'x']])), made.map.size,
    made.set.size, (await mapLater(new Map([[1, 2], [2, 3], [3, 4]]))).size, pair(['x', 20]).reverse(),
    [...yielded(new Date(5)), made.date],
    await pass((each) => symbol(own) === own && each.has(1), new Set([1])),
    expect(codeOf(() => record(new Map())), 'ERR_INVALID_ARG_TYPE'),
    expect(codeOf(() => pair(['x'])), 'ERR_INVALID_ARG_VALUE'), pairs(['a', [1]], ['b'], ['c', []]).length];
}

async function worked({ batchLater, byKey, byKeyLater, inBatchLaterNamed, inCallbackNamed,
  operateLaterNamed, operateNamed, symbol }) {
  const fail = () => { throw Object.assign(new Error('thrown'), { code: 'thrown' }); };
  const object = { a: 1, s: 'text', o: {}, async m() { return this.a + 1; } };
  const key = Symbol('s');
  operateNamed('set', object, 'set', 'set');
  const values = [operateNamed('get', object, 'a'), await operateLaterNamed('get', object, 's'),
    (await inBatchLaterNamed('get', { fn() {} }, 'fn')).name,
    await inCallbackNamed('has', object, 'a'), operateNamed('keys', object), object.set];
  operateNamed('del', object, 'set');
  values.push('set' in object, operateNamed('equal', object, '', object),
    operateNamed('get', { o: object }, 'o') === object,
    await operateLaterNamed('call', object, 'm'), byKey('get', { [key]: 'own' }, key),
    symbol('key').description, operateNamed('equal', key, '', key));
  byKey('set', object, key, 1);
  values.push(byKey('has', object, key), await byKeyLater('call', { [key]: () => 2 }, key));
  byKey('del', object, key);
  values.push(key in object);
  const codes = [
    expect((await operateLaterNamed('get', new Proxy({}, { get: fail }), 'x')
      .catch((error) => error)).code, 'thrown'),
    expect((await operateLaterNamed('call', {}, 'x').catch((error) => error)).code,
      'ERR_INVALID_ARG_TYPE')];
  return [values, codes, await batchLater(Object.assign([1, 2], { text: 'text' }), 2)];
}

/** Calls before init has ended, and after it. */
const beginning = (control) => async (planner) => {
  const addon = control.environments();
  planner.plan('');
  const codes = [() => addon.id(), () => new addon.Thing()].map((fn) => {
    try {
      return fn();
    } catch (error) {
      if (error.code !== 'ERR_FIBRIL_NOT_READY') throw error;
      return error.code;
    }
  });
  const [text, { value }] =
    await Promise.all([addon.plain('x'), addon.countsLater(1).next()]);
  if (!(addon.id() > 0)) throw new Error('no data');
  return [text, codes, value, addon.ANSWER];
};

function called({ add, callNow, failMissing, join, leavesValues, rootOf, spawns, Tally }) {
  const tally = new Tally();
  const started = spawns();
  return [add(1, 2), join('-', ...'abcdefghi'), callNow((n) => n + 1, 1), leavesValues(), started,
    [tally.add(1), tally.sum(2, 3)], expect(codeOf(() => rootOf(-1)), 'ERR_NEGATIVE'),
    expect(codeOf(() => add(1, '2')), 'ERR_INVALID_ARG_TYPE'),
    expect(codeOf(() => failMissing('name')), 'ENOENT')];
}

function iterated({ count, echo, Ladder, ofAllKinds }) {
  const echoed = echo();
  const values = [echoed.next(), echoed.next('sent'), echoed.throw(new Error('thrown')),
    echoed.next('.end')];
  // The error's message is what can't be made.
  if (values[2].value !== 'thrown') throw new Error(`${values[2].value} instead of thrown`);
  values[3].value = values[3].value.slice(1);
  const bad = echo();
  bad.next();
  const code = expect(codeOf(() => bad.next('!bad')), 'EIO');
  const [{ name }] = [...ofAllKinds(1)];
  if (name !== 'x') throw name;
  return [[...count(2)], values.map(({ value }) => value), code, [...new Ladder(2).rungs(4)], name];
}

async function collected(generator) {
  const values = [];
  for await (const value of generator) values.push(value);
  return values;
}

async function iteratedLater({ stream, countLaterAhead, echoAhead, hang, Ladder }) {
  const values = [await collected(stream(2)), await collected(countLaterAhead(6))];
  const echoed = echoAhead();
  await echoed.next();
  const { value } = await echoed.throw(new Error('thrown'));
  if (value !== 'thrown') throw new Error(`${value} instead of thrown`);
  await echoed.return();
  const controller = new AbortController();
  const hanging = hang(controller.signal);
  await hanging.next();
  const next = hanging.next();
  controller.abort();
  values.push(value, await next.catch((error) => {
    if (error.code !== 'ABORT_ERR') throw error;
    return error.code;
  }));
  values.push(await collected(new Ladder(2).climb(4)),
    expect(codeOf(() => Ladder.prototype.climb.call({}, 1)), 'ERR_INVALID_THIS'));
  return values;
}

async function kept({ Notifier }) {
  const reason = new Error('reason');
  const values = [];
  const notifier = new Notifier((n) => n + 1, { unref: true });
  values.push(await notifier.call(1), await notifier.start(2));
  const rejecting = new Notifier(() => Promise.reject(reason), { unref: true });
  values.push(await rejecting.start(1).catch((error) => {
    if (error !== reason) throw error;
    return error.message;
  }));
  let forgotten = 0;
  const counting = new Notifier(() => { forgotten++; }, { unref: true });
  const code = await counting.forget(1);
  if (code !== 0) throw new Error(`forget: ${code}`);
  values.push(forgotten);
  const throwing = new Notifier(() => { throw new Error('thrown'); }, { unref: true });
  values.push(await throwing.start(1).catch((error) => {
    if (error.message !== 'thrown') throw error;
    return error.message;
  }));
  for (const one of [notifier, rejecting, counting, throwing]) await one.close();
  return values;
}

async function produced(n, fn, options) {
  const { heard, failed, sum, message } = await n.produce(fn, options);
  if (failed > 0 || heard < options.threads * options.count) {
    throw new Error(`${failed} of ${heard} failed: ${message}`);
  }
  return sum;
}

async function seenBy(n, options) {
  const seen = [];
  await n.produce((_, value) => {
    seen.push(value);
  }, options);
  await new Promise(setImmediate);
  if (seen.length < options.threads * options.count) throw new Error(`${seen.length} calls`);
  for (const { list } of seen) {if (!Array.isArray(list) || list.length !== 2) {
    throw new Error('another value');
  }}
  return seen;
}

async function tree(f, folder) {
  for (let i = 0; i < 20; i++) {
    fs.mkdirSync(path.join(folder, `${i}`));
    fs.writeFileSync(path.join(folder, `${i}`, 'file'), 'text');
    fs.linkSync(path.join(folder, `${i}`, 'file'), path.join(folder, `${i}`, 'link'));
  }
  const { files, directories } = await f.du(folder);
  await f.du(path.join(folder, 'none')).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await f.sleep(0);
  return [files, directories];
}

// Without memory for it an error has no message in C.
async function messageOf(n, fn) {
  const message = await n.messageOfThrow(fn);
  if (message === '') throw new Error('the error has no message');
  return message;
}
