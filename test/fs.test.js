'use strict';

// fibril's file functions against Node's, and du against the program.

const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const { getEventListeners } = require('node:events');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { errorOf, runScript } = require('./support/natives');
const { Future, fs, gen, inspect, run, sleep } = require('../lib');

const theirs = nodeFs.promises;
const root = path.join(__dirname, '..');
const modules = path.join(root, 'node_modules');

const work = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'fibril-fs-'));
const at = (...names) => path.join(work, ...names);
const descriptors = () => nodeFs.readdirSync('/proc/self/fd').length;

/** The own files of the repository. */
const repository = ['lib', 'src', 'include', 'test', 'gyp', 'bench']
  .flatMap((folder) => nodeFs.readdirSync(path.join(root, folder),
    { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath, entry.name))
  .filter((file) => !file.includes(`${path.sep}build${path.sep}`));

const inModules = nodeFs.readdirSync(modules, { recursive: true, withFileTypes: true });
const sample = inModules.filter((entry) => entry.isFile())
  .filter((_, i, all) => i % Math.ceil(all.length / 400) === 0)
  .map((entry) => path.join(entry.parentPath, entry.name));
const directories = [modules,
  ...inModules.filter((entry) => entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name))];

/** What an error says about itself, as Node's own does. */
function portrait(error) {
  const { stack, ...properties } = Object.getOwnPropertyDescriptors(error);
  return { prototype: Object.getPrototypeOf(error), properties, text: String(error),
    stack: typeof stack };
}

async function assertSameError(...promises) {
  const [ours, other] = await Promise.all(promises.map(errorOf));
  assert.deepStrictEqual(portrait(ours), portrait(other));
}

async function assertSameCode(...promises) {
  const [a, b] = await Promise.all(promises.map(errorOf));
  assert.deepStrictEqual([a.name, a.code, a.message], [b.name, b.code, b.message]);
}

before(() => {
  nodeFs.writeFileSync(at('empty'), '');
  nodeFs.writeFileSync(at('large'),
    Buffer.from(Uint8Array.from({ length: 5e6 }, (_, i) => (i * 31) >> 3)));
  nodeFs.writeFileSync(at('text'), 'caf\u00e9 \u{1f600}\n'.repeat(1000));
  nodeFs.mkdirSync(at('folder', 'sub', 'deep'), { recursive: true });
  nodeFs.writeFileSync(at('folder', 'sub', 'file'), 'x');
  nodeFs.symlinkSync('text', at('link'));
  nodeFs.symlinkSync('nowhere', at('dangling'));
  nodeFs.symlinkSync('loop', at('loop'));
  nodeFs.writeFileSync(
    Buffer.concat([Buffer.from(work), Buffer.from('/folder/\xff\xfe', 'latin1')]), 'no UTF-8');
});

after(() => {
  nodeFs.rmSync(work, { recursive: true, force: true });
});

describe('fs.readFile', () => {
  it('reads what fs.promises reads: this repository and a sample of node_modules', async () => {
    assert.ok(repository.length > 30 && sample.length > 200);
    const open = descriptors();
    for (const file of [...repository, ...sample]) {
      assert.ok((await fs.readFile(file)).equals(await theirs.readFile(file)), file);
    }
    await Promise.all(sample.map(async (file) =>
      assert.ok((await fs.readFile(file)).equals(nodeFs.readFileSync(file)), file)));
    assert.strictEqual(descriptors(), open);
  });

  it('reads an empty file, a large one, and those whose size is not known', async () => {
    assert.deepStrictEqual(await fs.readFile(at('empty')), Buffer.alloc(0));
    assert.strictEqual(await fs.readFile(at('empty'), 'utf8'), '');
    assert.ok((await fs.readFile(at('large'))).equals(await theirs.readFile(at('large'))));
    const name = (text) => /^Name:.*\nUmask:.*\nState:/.exec(text)?.[0];
    assert.strictEqual(name(await fs.readFile('/proc/self/status', 'utf8')),
      name(await theirs.readFile('/proc/self/status', 'utf8')));
    for (const file of ['/proc/cpuinfo', '/proc/self/mountinfo', '/proc/filesystems']) {
      assert.strictEqual((await fs.readFile(file)).length > 0, true, file);
    }
    assert.ok((await fs.readFile('/proc/filesystems'))
      .equals(await theirs.readFile('/proc/filesystems')));
    assert.strictEqual((await fs.readFile('/dev/null')).length, 0);
  });

  it('decodes as every encoding of Node', async () => {
    for (const encoding of ['utf8', 'utf-8', 'UTF8', 'latin1', 'ascii', 'hex', 'base64',
      'base64url', 'utf16le', 'ucs2', 'binary']) {
      assert.strictEqual(await fs.readFile(at('text'), encoding),
        await theirs.readFile(at('text'), encoding));
      assert.strictEqual(await fs.readFile(at('text'), { encoding }),
        await theirs.readFile(at('text'), { encoding }));
    }
    for (const options of [undefined, null, {}, { encoding: null }, { encoding: 'buffer' },
      'buffer']) {
      assert.deepStrictEqual(await fs.readFile(at('text'), options),
        nodeFs.readFileSync(at('text')));
    }
    for (const encoding of ['nonsense', 'utf-7']) {
      await assertSameCode(fs.readFile(at('text'), encoding),
        theirs.readFile(at('text'), encoding));
      await assertSameCode(fs.readFile(at('text'), { encoding }),
        theirs.readFile(at('text'), { encoding }));
    }
  });

  it('takes paths as strings, buffers and URLs', async () => {
    const expected = await theirs.readFile(__filename);
    for (const file of [__filename, Buffer.from(__filename), pathToFileURL(__filename),
      path.relative('.', __filename)]) {
      assert.ok((await fs.readFile(file)).equals(expected));
    }
    const raw = Buffer.concat([Buffer.from(work), Buffer.from('/folder/\xff\xfe', 'latin1')]);
    assert.strictEqual(await fs.readFile(raw, 'utf8'), 'no UTF-8');
  });

  it('opens with flags', async () => {
    for (const flag of ['r', 'rs', 'r+', 'a+', nodeFs.constants.O_RDONLY]) {
      assert.ok((await fs.readFile(at('text'), { flag }))
        .equals(await theirs.readFile(at('text'), { flag })));
    }
    assert.strictEqual((await fs.readFile(at('made'), { flag: 'a+' })).length, 0);
    assert.ok(nodeFs.existsSync(at('made')));
    await assertSameError(fs.readFile(at('text'), { flag: 'wx+' }),
      theirs.readFile(at('text'), { flag: 'wx+' }));
    await assertSameError(fs.readFile(at('text'), { flag: 'ax' }),
      theirs.readFile(at('text'), { flag: 'ax' }));
    await assertSameCode(fs.readFile(at('text'), { flag: 'q' }),
      theirs.readFile(at('text'), { flag: 'q' }));
  });

  it('reads a descriptor from its position on and leaves it open', async () => {
    const fd = nodeFs.openSync(at('text'));
    assert.strictEqual((await fs.readFile(fd)).length, nodeFs.statSync(at('text')).size);
    assert.strictEqual((await fs.readFile(fd)).length, 0, 'it is at the end now');
    nodeFs.closeSync(fd);
    const again = nodeFs.openSync(at('text'));
    nodeFs.readSync(again, Buffer.alloc(10));
    assert.ok((await fs.readFile(again)).equals(nodeFs.readFileSync(at('text')).subarray(10)));
    nodeFs.closeSync(again);
  });

  it('reads a FileHandle, as it would itself', async () => {
    const [ours, other] = await Promise.all([theirs.open(at('text')), theirs.open(at('text'))]);
    await Promise.all([ours.read(Buffer.alloc(6), 0, 6), other.read(Buffer.alloc(6), 0, 6)]);
    assert.strictEqual(await fs.readFile(ours, 'utf8'), await theirs.readFile(other, 'utf8'));
    await Promise.all([ours.close(), other.close()]);
  });

  it('keeps a FileHandle until it has read the file', async () => {
    const { stdout, stderr } = await runScript(`
      const { fs } = require(${JSON.stringify(root)});
      const open = () => require('node:fs').promises.open(${JSON.stringify(at('large'))});
      const end = (result) => process._rawDebug(result) || process.exit();
      (async () => [fs.readFile(await open()).then(({ length }) => end(length), ({ code }) => end(code))])();
      setInterval(gc);`, { flags: ['--expose-gc', '--no-warnings'] });
    assert.deepStrictEqual([stdout, stderr], ['', '5000000\n']);
  });

  it('refuses a closed descriptor', async () => {
    const fd = nodeFs.openSync(at('text'));
    nodeFs.closeSync(fd);
    const ours = await errorOf(fs.readFile(fd));
    const other = await errorOf((async () => nodeFs.readFileSync(fd))());
    assert.deepStrictEqual([ours.code, ours.errno, ours.syscall, ours.message, ours.path],
      [other.code, other.errno, other.syscall, other.message, other.path]);
    assert.strictEqual(ours.code, 'EBADF');
    const handle = await theirs.open(at('text'));
    await handle.close();
    assert.strictEqual((await errorOf(fs.readFile(handle))).message,
      'EBADF: bad file descriptor, read');
    assert.strictEqual((await errorOf(fs.writeFile(handle, 'x'))).message,
      'EBADF: bad file descriptor, write');
    for (const bad of [-1, 1.5, 2 ** 31, NaN, { fd: 0 }]) {
      await assertSameCode(fs.readFile(bad), theirs.readFile(bad));
    }
  });

  it('fails as Node\'s does', async () => {
    const open = descriptors();
    for (const file of [at('missing'), at('dangling'), at('loop'), at('text', 'not', 'a', 'folder'),
      '', 'x'.repeat(300), at('missing \u00e9')]) {
      await assertSameError(fs.readFile(file), theirs.readFile(file));
      await assertSameError(fs.readFile(Buffer.from(file)), theirs.readFile(Buffer.from(file)));
    }
    assert.strictEqual(descriptors(), open);
  });

  it('names the file that it cannot read, as Node does from 26 on', async () => {
    const folder = at('folder');
    const [ours, other] = [await errorOf(fs.readFile(folder)),
      await errorOf(theirs.readFile(folder))];
    const withPath = { ...other, path: folder };
    assert.deepStrictEqual({ ...ours }, withPath);
    assert.strictEqual(ours.message, `EISDIR: illegal operation on a directory, read '${folder}'`);
    if (other.path !== undefined) {
      await assertSameError(fs.readFile(folder), theirs.readFile(folder));
    }
    const handle = await theirs.open(folder);
    await assertSameError(fs.readFile(handle), theirs.readFile(handle));
    await handle.close();
  });

  it('has the callers that await it in the stack', async () => {
    async function whoReads() {
      await fs.readFile(at('missing'));
    }
    assert.match((await errorOf(whoReads())).stack, /\n {4}at async whoReads .*fs\.test\.js/);
  });

  it('refuses what is no path or no options in Node\'s words', async () => {
    for (const value of [undefined, null, true, {}, [], () => {}, 'a\0b', Buffer.from('a\0'),
      new URL('http://x/')]) {
      await assertSameCode(fs.readFile(value), theirs.readFile(value));
    }
    for (const options of [5, true, 5n]) {
      await assertSameCode(fs.readFile(at('text'), options), theirs.readFile(at('text'), options));
    }
  });

  it('reads options as properties, inherited ones and those of getters, too', async () => {
    class Options {
      get encoding() {
        return 'hex';
      }
    }
    for (const options of [new Options(), Object.create({ encoding: 'hex' }),
      Object.create(new Options())]) {
      assert.strictEqual(await fs.readFile(at('text'), options),
        nodeFs.readFileSync(at('text'), 'hex'));
    }
    for (const nothing of [undefined, null, 0, '', false]) {
      assert.ok((await fs.readFile(at('text'), { encoding: nothing, flag: nothing }))
        .equals(nodeFs.readFileSync(at('text'))));
    }
    const failing = { get flag() { throw new RangeError('a getter'); } };
    assert.strictEqual((await errorOf(fs.readFile(at('text'), failing))).message, 'a getter');
  });

  it('takes paths of another realm, and needs nothing of the global object', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { fs } = require(${JSON.stringify(root)});
      const { pathToFileURL } = require('node:url');
      const file = ${JSON.stringify(at('text'))};
      const paths = [file, Buffer.from(file), pathToFileURL(file), require('node:vm').runInNewContext('Uint8Array.from(bytes)', { bytes: [...Buffer.from(file)] })];
      const { log } = console;
      const names = Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z][a-z]/.test(name) && !/^(Infinity|NaN|Error|Promise)$/.test(name)).concat('URL');
      process.on('exit', () => log(results.join()));
      const results = [];
      for (const name of names) globalThis[name] = function () { throw 'replaced'; };
      for (const name of names) delete globalThis[name];
      (async () => {
        for (const path of paths) results.push((await fs.readFile(path)).length, (await fs.stat(path)).size, (await fs.lstat(path, { bigint: true })).size);
        await fs.writeFile(file + '-copy', 'text');
        results.push(await fs.readFile(file + '-copy', 'utf8'), (await fs.readdir(${JSON.stringify(
          at('folder'))}, { recursive: true })).length);
        results.push((await fs.readdir(${JSON.stringify(
          at('folder'))}, { withFileTypes: true })).length, (await fs.du(${JSON.stringify(
            at('folder'))})).files);
        await fs.readFile('/no/such/file').catch(({ code }) => results.push(code));
      })();`);
    const size = nodeFs.statSync(at('text')).size;
    assert.deepStrictEqual([stderr, stdout.trim(), code],
      ['', [...Array(12).fill(size), 'text', 4, 2, 2, 'ENOENT'].join(), 0]);
  });

  it('ends when its signal is aborted, before and while it reads, and closes the file',
    async () => {
    const open = descriptors();
    const aborted = AbortSignal.abort('before');
    const before = await errorOf(fs.readFile(at('large'), { signal: aborted }));
    assert.deepStrictEqual([before.name, before.code, before.cause],
      ['AbortError', 'ABORT_ERR', 'before']);
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const promise = fs.readFile(at('large'), { signal: controller.signal });
      for (let turn = 0; turn < i % 5; turn++) await new Promise(setImmediate);
      controller.abort(i);
      const [{ status, reason }] = await Promise.allSettled([promise]);
      if (status === 'rejected') {
        assert.deepStrictEqual([reason.name, reason.code, reason.cause],
          ['AbortError', 'ABORT_ERR', i]);
      }
      assert.strictEqual(getEventListeners(controller.signal, 'abort').length, 0);
    }
    assert.strictEqual(descriptors(), open);
    await assertSameCode(fs.readFile(at('text'), { signal: {} }),
      theirs.readFile(at('text'), { signal: {} }));
    for (const methods of [{}, { addEventListener() {} }, { removeEventListener() {} }]) {
      const signal = { aborted: false, ...methods };
      assert.strictEqual(String(await fs.readFile(at('text'), { signal })),
        String(await theirs.readFile(at('text'), { signal })));
      await fs.writeFile(at('signalled'), 'x', { signal });
    }
  });

  it('ends the wait for a FIFO that nobody writes to', async function () {
    try {
      execFileSync('mkfifo', [at('fifo')]);
    } catch {
      this.skip();
    }
    const controller = new AbortController();
    const promise = fs.readFile(at('fifo'), { signal: controller.signal,
      flag: nodeFs.constants.O_RDONLY | nodeFs.constants.O_NONBLOCK });
    await new Promise(setImmediate);
    controller.abort();
    await promise.catch((error) => assert.strictEqual(error.code, 'ABORT_ERR'));
  });
});

describe('gen.future of a file function', () => {
  const begin = {
    'readFile with an encoding': (name) =>
      gen.future(fs.readFile)(name,
        { encoding: 'utf8', flag: nodeFs.constants.O_RDWR | nodeFs.constants.O_NONBLOCK }),
    'readFile with a signal': (name) => gen.future(fs.readFile)(name, {
      signal: new AbortController().signal,
      flag: nodeFs.constants.O_RDWR | nodeFs.constants.O_NONBLOCK,
    }),
  };
  const waiting = () => inspect().filter(({ name }) => name === 'fsReadFile').length;

  before(function () {
    try {
      execFileSync('mkfifo', [at('silent')]);
    } catch {
      this.skip();
    }
  });

  for (const [what, start] of Object.entries(begin)) {
    it(`cancels the native call: ${what}`, async () => {
      const future = start(at('silent'));
      await new Promise(setImmediate);
      assert.strictEqual(waiting(), 1);
      assert.ok(future.cancel());
      assert.strictEqual(future.done(), false);
      assert.strictEqual((await errorOf(future)).code, 'ECANCELED');
      assert.ok(future.cancelled());
      assert.strictEqual(waiting(), 0);
    });

    it(`is ended with the run that waits for it: ${what}`, async () => {
      const controller = new AbortController();
      const ended = errorOf(run(function* () {
        yield start(at('silent'));
      }, { signal: controller.signal }));
      await new Promise(setImmediate);
      assert.strictEqual(waiting(), 1);
      controller.abort();
      assert.strictEqual((await ended).name, 'AbortError');
      assert.strictEqual(waiting(), 0);
    });
  }

  it('gives what the function gives', async () => {
    assert.strictEqual(await gen.future(fs.readFile)(at('text'), 'utf8'),
      nodeFs.readFileSync(at('text'), 'utf8'));
    assert.strictEqual((await gen.future(fs.stat)(at('text'))).size,
      nodeFs.statSync(at('text')).size);
    for (const options of [undefined, { withFileTypes: true }, { recursive: true }]) {
      assert.deepStrictEqual((await gen.future(fs.readdir)(at('folder'), options)).sort(),
        (await fs.readdir(at('folder'), options)).sort());
    }
    assert.strictEqual((await errorOf(gen.future(fs.stat)(at('nothing')))).code, 'ENOENT');
    assert.strictEqual((await errorOf(gen.future(fs.stat)(5))).code, 'ERR_INVALID_ARG_TYPE');
  });

  it('is for that call, not for those of getters among its arguments', async () => {
    const inner = [];
    const look = () => {
      inner.push(sleep(0));
    };
    const futures = [
      gen.future(fs.stat)(at('text'), { get bigint() { return look(); } }),
      gen.future(fs.readFile)(at('text'), { get encoding() { return look(); } }),
      gen.future(fs.readdir)(at('folder'), { get withFileTypes() { return look(); } }),
    ];
    assert.ok(inner.length >= 3 && inner.every((each) => each instanceof Promise));
    assert.ok(futures.every((each) => each instanceof Future));
    await Promise.all(futures);
  });
});

describe('fs.writeFile', () => {
  const file = at('written');
  const read = () => nodeFs.readFileSync(file);

  it('writes strings in their encoding, and bytes of every kind', async () => {
    const memory = Uint8Array.from({ length: 64 }, (_, i) => i).buffer;
    for (const [data, options] of [
      ['caf\u00e9 \u{1f600}', undefined], ['caf\u00e9', 'latin1'], ['ffee00', 'hex'],
      ['aGk=', { encoding: 'base64' }], ['', undefined],
      [Buffer.from('bytes'), undefined], [Buffer.alloc(0), undefined],
        [new Uint8Array(memory, 3, 5), null], [new Uint16Array(memory, 2, 3), 'hex'],
      [new Float64Array(memory, 8, 2), {}], [new DataView(memory, 1, 7), undefined],
        [nodeFs.readFileSync(at('large')), undefined], ['x'.repeat(3e6), 'ascii'],
    ]) {
      assert.strictEqual(await fs.writeFile(file, data, options), undefined);
      const ours = read();
      await theirs.writeFile(file, data, options);
      assert.ok(ours.equals(read()));
    }
  });

  it('copies the data before it returns', async () => {
    const data = Buffer.from('before');
    const promise = fs.writeFile(file, data);
    data.fill('x');
    await promise;
    assert.strictEqual(read().toString(), 'before');
  });

  it('opens with flags and mode', async () => {
    await fs.writeFile(file, 'one');
    await fs.writeFile(file, ' two', { flag: 'a' });
    assert.strictEqual(read().toString(), 'one two');
    await fs.writeFile(file, 'ONE', { flag: 'r+' });
    assert.strictEqual(read().toString(), 'ONE two');
    await assertSameError(fs.writeFile(file, 'x', { flag: 'wx' }),
      theirs.writeFile(file, 'x', { flag: 'wx' }));
    await assertSameError(fs.writeFile(file, 'x', { flag: 'r' }),
      theirs.writeFile(file, 'x', { flag: 'r' }));
    for (const mode of [0o600, 0o640, '600', '0644', 0o777, 0, 0o100755]) {
      const [ours, other] = [at(`ours-${mode}`), at(`theirs-${mode}`)];
      await fs.writeFile(ours, 'x', { mode });
      await theirs.writeFile(other, 'x', { mode });
      assert.strictEqual(nodeFs.statSync(ours).mode, nodeFs.statSync(other).mode, String(mode));
    }
    for (const mode of ['rw', '', -1, 1.5, 2 ** 33, {}, true]) {
      await assertSameCode(fs.writeFile(file, 'x', { mode }),
        theirs.writeFile(file, 'x', { mode }));
    }
    for (const flush of [null, undefined, false]) {
      await fs.writeFile(file, 'not flushed', { flush });
    }
    await fs.writeFile(file, 'flushed', { flush: true });
    assert.strictEqual(read().toString(), 'flushed');
    await assertSameCode(fs.writeFile(file, 'x', { flush: 5 }),
      theirs.writeFile(file, 'x', { flush: 5 }));
  });

  it('truncates unless it is told otherwise: what is undefined or falsy is the default',
    async () => {
    for (const nothing of [undefined, null, 0, '', false, NaN]) {
      await fs.writeFile(file, 'old text');
      await fs.writeFile(file, '', { flag: nothing, encoding: nothing });
      assert.strictEqual(read().length, 0, String(nothing));
      nodeFs.rmSync(file);
      await fs.writeFile(file, 'new', { flag: nothing, mode: undefined });
      assert.strictEqual(read().toString(), 'new', String(nothing));
    }
    await fs.writeFile(file, 'er', Object.create({ flag: 'a' }));
    assert.strictEqual(read().toString(), 'newer');
  });

  it('writes to nothing but the file of a FileHandle or descriptor, whoever gets its number after it was closed', async () => {
    const data = Buffer.alloc(1.6e7, 'A');
    for (const kept of [true, false]) {
      const handle = await theirs.open(file, 'w');
      const { fd } = handle;
      const writing = fs.writeFile(kept ? handle : fd, data)
        .then(() => 'written', (error) => error.code);
      await handle.close();
      const other = nodeFs.openSync(at('other'), 'w');
      assert.strictEqual(other, fd, 'the number is another file\'s now');
      assert.strictEqual(await writing, kept ? 'EBADF' : 'written');
      assert.strictEqual(nodeFs.fstatSync(other).size, 0);
      nodeFs.closeSync(other);
      if (!kept) assert.ok(read().equals(data));
    }
  });

  it('says that it was aborted only when it has not written everything', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const controller = new AbortController();
    const outcome = fs.writeFile(at('pipe'), 'hello', { signal: controller.signal })
      .then(() => 'written', (error) => error.code);
    await fs.stat(work); // the pool takes jobs in order: the first has begun
    controller.abort();
    const reader = await theirs.open(at('pipe'),
      nodeFs.constants.O_RDONLY | nodeFs.constants.O_NONBLOCK);
    const result = await outcome;
    const text = await reader.readFile('utf8').catch((error) => error.code);
    await reader.close();
    assert.ok(result === 'written' ? text === 'hello' : result === 'ABORT_ERR' && text === '',
      `${result}, ${text}`);
  });

  it('writes to a descriptor and a FileHandle at their position, and leaves them open',
    async () => {
    const fd = nodeFs.openSync(file, 'w');
    await fs.writeFile(fd, 'one ');
    await fs.writeFile(fd, 'two');
    nodeFs.closeSync(fd);
    assert.strictEqual(read().toString(), 'one two');
    assert.strictEqual((await errorOf(fs.writeFile(fd, 'x'))).code, 'EBADF');
    const handle = await theirs.open(file, 'w');
    await fs.writeFile(handle, 'three ');
    await handle.writeFile('four');
    await handle.close();
    assert.strictEqual(read().toString(), 'three four');
  });

  it('fails as Node\'s does', async () => {
    const open = descriptors();
    for (const name of [at('missing', 'file'), at('folder'), at('text', 'file'), '',
      'x'.repeat(300)]) {
      await assertSameError(fs.writeFile(name, 'x'), theirs.writeFile(name, 'x'));
    }
    const [ours, other] = [await errorOf(fs.writeFile('/dev/full', 'x')),
      await errorOf(theirs.writeFile('/dev/full', 'x'))];
    assert.deepStrictEqual([ours.code, ours.errno, ours.syscall, ours.message],
      [other.code, other.errno, other.syscall, other.message]);
    assert.strictEqual(descriptors(), open);
    for (const data of [undefined, null, 5, true, {}, Symbol('s')]) {
      const error = await errorOf(fs.writeFile(file, data));
      assert.deepStrictEqual([error.name, error.code], ['TypeError', 'ERR_INVALID_ARG_TYPE']);
      assert.match(error.message,
        /^The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView\. Received /);
    }
  });

  it('does nothing when its signal is aborted already, and ends when it is later', async () => {
    nodeFs.writeFileSync(file, 'kept');
    const error = await errorOf(fs.writeFile(file, 'x', { signal: AbortSignal.abort() }));
    assert.strictEqual(error.code, 'ABORT_ERR');
    assert.strictEqual(read().toString(), 'kept');
    const open = descriptors();
    const large = Buffer.alloc(1e7);
    for (let i = 0; i < 10; i++) {
      const controller = new AbortController();
      const promise = fs.writeFile(file, large, { signal: controller.signal });
      for (let turn = 0; turn < i % 4; turn++) await new Promise(setImmediate);
      controller.abort();
      await promise.catch((reason) => assert.strictEqual(reason.code, 'ABORT_ERR'));
    }
    assert.strictEqual(descriptors(), open);
  });
});

describe('fs.stat and fs.lstat', () => {
  const withoutAtime = (stats) => {
    const copy = Object.create(Object.getPrototypeOf(stats),
      Object.getOwnPropertyDescriptors(stats));
    for (const key of Reflect.ownKeys(copy)) {
      if (/atime/i.test(String(key))) delete copy[key];
    }
    return copy;
  };

  const targets = () => [...repository, ...sample.slice(0, 100), ...directories.slice(0, 100),
    at('empty'), at('large'), at('folder'), at('link'),
    '/', '.', '/dev/null', '/var/tmp', '/proc/self/fd/0', '/dev/stdin', Buffer.from(__filename),
    pathToFileURL(__dirname)];

  for (const name of ['stat', 'lstat']) {
    for (const options of [undefined, { bigint: false }, { bigint: true }]) {
      it(`${name}(${options ? JSON.stringify(options) : ''}) is what Node's is, field by field`,
        async () => {
        for (const target of targets()) {
          const [ours, other] = [await fs[name](target, options),
            await theirs[name](target, options)];
          assert.deepStrictEqual(withoutAtime(ours), withoutAtime(other));
          assert.deepStrictEqual(Object.keys(ours), Object.keys(other));
          assert.strictEqual(ours.constructor, other.constructor);
          assert.ok(ours instanceof nodeFs.Stats || options?.bigint);
          assert.ok(ours.atime instanceof Date && Math.abs(ours.atime - other.atime) < 60000);
          for (const test of ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket',
            'isCharacterDevice', 'isBlockDevice']) {
            assert.strictEqual(ours[test](), other[test](), test);
          }
        }
      });
    }

    it(`${name} fails as Node's does`, async () => {
      for (const target of [at('missing'), at('text', 'x'), '', 'x'.repeat(300), at('loop', 'x'),
        Buffer.from(at('missing'))]) {
        await assertSameError(fs[name](target), theirs[name](target));
      }
      for (const target of [undefined, null, 5, {}, 'a\0b', new URL('http://x/')]) {
        await assertSameCode(fs[name](target), theirs[name](target));
      }
    });
  }

  it('follow a link, or not', async () => {
    assert.ok((await fs.lstat(at('link'))).isSymbolicLink());
    assert.ok((await fs.stat(at('link'))).isFile());
    assert.ok((await fs.lstat(at('dangling'))).isSymbolicLink());
    await assertSameError(fs.stat(at('dangling')), theirs.stat(at('dangling')));
    await assertSameError(fs.stat(at('loop')), theirs.stat(at('loop')));
  });

  it('have times before 1970 and far ahead', async () => {
    for (const seconds of [-1.5, -86400, 0, 4e9, 1e10]) {
      nodeFs.utimesSync(at('empty'), seconds, seconds);
      for (const options of [undefined, { bigint: true }]) {
        assert.deepStrictEqual(await fs.stat(at('empty'), options),
          await theirs.stat(at('empty'), options));
      }
    }
  });
});

describe('fs.realpath', () => {
  const deep = at('real', ...Array.from({ length: 30 }, () => 'd'.repeat(200)));

  it('is what Node\'s is: of links, dots, buffers and URLs', async () => {
    const targets = [
      at('link'), at('folder', '..', 'folder', '.', 'sub'), `${work}//folder/`, '.', '/',
      '/proc/self/cwd', path.relative('.', at('link')), Buffer.from(at('link')),
      pathToFileURL(at('link')),
    ];
    for (const target of targets) {
      assert.strictEqual(await fs.realpath(target), await theirs.realpath(target));
    }
    assert.strictEqual(await fs.realpath(at('link')), path.join(nodeFs.realpathSync(work), 'text'));
  });

  it('gives it in every encoding, and its bytes', async () => {
    const raw = Buffer.concat([Buffer.from(at('folder/')), Buffer.from([0xff, 0xfe])]);
    const encodings = ['utf8', 'latin1', 'hex', 'base64', 'buffer', '', null];
    for (const target of [at('link'), raw]) {
      for (const options of [...encodings, ...encodings.map((encoding) => ({ encoding })), {}]) {
        const other = await theirs.realpath(target, options);
        assert.deepStrictEqual(await fs.realpath(target, options), other);
      }
    }
    for (const options of ['nonsense', 5, { encoding: 'nonsense' }]) {
      await assertSameCode(fs.realpath(work, options), theirs.realpath(work, options));
    }
  });

  it('gives one that is longer than a path may be', async () => {
    const here = process.cwd();
    nodeFs.mkdirSync(at('real'));
    try {
      process.chdir(at('real'));
      for (const name of path.relative(at('real'), deep).split(path.sep)) {
        nodeFs.mkdirSync(name);
        process.chdir(name);
      }
      const [ours, other] = await Promise.allSettled([fs.realpath('.'), theirs.realpath('.')]);
      assert.strictEqual(ours.value, other.value);
      if (other.reason) assert.deepStrictEqual(portrait(ours.reason), portrait(other.reason));
    } finally {
      process.chdir(here);
      execFileSync('rm', ['-r', at('real')]);
    }
  });

  it('fails as Node\'s does', async () => {
    const paths = [at('missing'), at('text', 'x'), '', 'x'.repeat(300), at('loop'), at('dangling')];
    for (const target of [...paths, Buffer.from(at('missing'))]) {
      await assertSameError(fs.realpath(target), theirs.realpath(target));
    }
    for (const target of [undefined, null, 5, {}, 'a\0b', new URL('http://x/')]) {
      await assertSameCode(fs.realpath(target), theirs.realpath(target));
    }
  });
});

describe('fs.readdir', () => {
  it('lists every directory of node_modules as Node does, in the same order', async () => {
    assert.ok(directories.length > 100);
    for (const directory of directories) {
      assert.deepStrictEqual(await fs.readdir(directory), await theirs.readdir(directory));
      assert.deepStrictEqual(await fs.readdir(directory, { withFileTypes: true }),
        await theirs.readdir(directory, { withFileTypes: true }));
    }
  });

  it('knows the kinds of entries', async () => {
    for (const directory of [work, '/dev', '/', '/proc/self', os.tmpdir()]) {
      const key = ({ name }) => name;
      const [ours, other] = [await fs.readdir(directory, { withFileTypes: true }),
        await theirs.readdir(directory, { withFileTypes: true })];
      if (directory === work) assert.deepStrictEqual(ours, other);
      const both = new Set(other.map(key));
      for (const entry of ours.filter((one) => both.has(one.name))) {
        const twin = other.find((one) => one.name === entry.name);
        for (const test of ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket',
          'isCharacterDevice', 'isBlockDevice']) {
          assert.strictEqual(entry[test](), twin[test](), `${directory} ${entry.name} ${test}`);
        }
      }
    }
  });

  it('decodes names as every encoding, and gives them as they are', async () => {
    const folder = at('folder');
    for (const options of ['utf8', 'latin1', 'hex', 'base64', 'buffer', { encoding: 'buffer' },
      { encoding: 'buffer', withFileTypes: true }, null, {}, { encoding: null }]) {
      assert.deepStrictEqual(await fs.readdir(folder, options),
        await theirs.readdir(folder, options));
    }
    const [raw] = (await fs.readdir(folder, 'buffer')).filter((name) => name[0] === 0xff);
    assert.strictEqual(raw.toString('hex'), 'fffe');
    for (const options of ['nonsense', 5, { encoding: 'nonsense' }]) {
      await assertSameCode(fs.readdir(folder, options), theirs.readdir(folder, options));
    }
  });

  it('goes down recursively', async () => {
    for (const directory of [work, path.join(root, 'src'), path.join(modules, 'mocha')]) {
      for (const options of [{ recursive: true }, { recursive: true, withFileTypes: true }]) {
        assert.deepStrictEqual(await fs.readdir(directory, options),
          nodeFs.readdirSync(directory, options));
      }
    }
    for (const target of [pathToFileURL(`${work}/`), path.relative('.', work)]) {
      assert.deepStrictEqual(await fs.readdir(target, { recursive: true }),
        nodeFs.readdirSync(work, { recursive: true }));
    }
  });

  it('goes down into links to directories where Node does', async () => {
    const folder = at('linked');
    nodeFs.mkdirSync(path.join(folder, 'a', 'b'), { recursive: true });
    nodeFs.symlinkSync('a', path.join(folder, 'link'));
    nodeFs.symlinkSync('.', path.join(folder, 'a', 'itself'));
    nodeFs.symlinkSync('nowhere', path.join(folder, 'dangling'));
    const key = (entry) => (typeof entry === 'string'
      ? entry : path.join(entry.parentPath, entry.name));
    for (const options of [{ recursive: true }, { recursive: true, withFileTypes: true }]) {
      const [ours, other] = [await fs.readdir(folder, options),
        await theirs.readdir(folder, options)];
      assert.deepStrictEqual(ours.map(key).sort(), other.map(key).sort());
    }
  });

  it('goes down into directories whose names are not UTF-8, and gives them as they are',
    async () => {
    const raw = Buffer.concat([Buffer.from(at('raw/')), Buffer.from([0xff, 0xfe])]);
    nodeFs.mkdirSync(raw, { recursive: true });
    nodeFs.writeFileSync(Buffer.concat([raw, Buffer.from('/f')]), '');
    const names = [Buffer.from([0xff, 0xfe]), Buffer.from([0xff, 0xfe, 0x2f, 0x66])];
    for (const folder of [at('raw'), Buffer.from(at('raw'))]) {
      assert.deepStrictEqual(await fs.readdir(folder, { recursive: true, encoding: 'buffer' }),
        names);
      assert.deepStrictEqual(await fs.readdir(folder, { recursive: true, encoding: 'hex' }),
        ['fffe', 'fffe2f66']);
      assert.deepStrictEqual(await fs.readdir(folder, { recursive: true }), names.map(String));
      const [, dirent] = await fs.readdir(folder,
        { recursive: true, encoding: 'buffer', withFileTypes: true });
      assert.deepStrictEqual([dirent.name, dirent.parentPath], [Buffer.from('f'), raw]);
    }
  });

  it('fails when a directory vanishes under way, and reads on when the process goes elsewhere',
    async () => {
    const folder = at('vanishing');
    const here = process.cwd();
    nodeFs.mkdirSync(path.join(folder, 'a', 'b'), { recursive: true });
    const listing = fs.readdir(folder, { recursive: true });
    nodeFs.renameSync(path.join(folder, 'a'), at('renamed'));
    const error = await listing.catch((reason) => reason);
    if (!Array.isArray(error)) {
      assert.deepStrictEqual([error.code, error.syscall, error.path],
        ['ENOENT', 'scandir', path.join(folder, 'a')]);
    }
    nodeFs.renameSync(at('renamed'), path.join(folder, 'a'));
    process.chdir(work);
    try {
      const relative = fs.readdir('vanishing', { recursive: true });
      process.chdir('/');
      assert.deepStrictEqual(await relative, ['a', 'a/b']);
    } finally {
      process.chdir(here);
    }
  });

  it('lists an empty directory and a very full one', async () => {
    assert.deepStrictEqual(await fs.readdir(at('folder', 'sub', 'deep')), []);
    nodeFs.mkdirSync(at('full'));
    for (let i = 0; i < 5000; i++) {
      nodeFs.writeFileSync(at('full', `file ${i} with a name of some length`), '');
    }
    assert.deepStrictEqual(await fs.readdir(at('full')), await theirs.readdir(at('full')));
    nodeFs.rmSync(at('full'), { recursive: true });
  });

  it('takes paths as buffers and URLs', async () => {
    const expected = await theirs.readdir(work);
    assert.deepStrictEqual(await fs.readdir(Buffer.from(work)), expected);
    assert.deepStrictEqual(await fs.readdir(pathToFileURL(work)), expected);
  });

  it('fails as Node\'s does', async () => {
    for (const target of [at('missing'), at('text'), at('dangling'), '', 'x'.repeat(300)]) {
      await assertSameError(fs.readdir(target), theirs.readdir(target));
      await assertSameError(fs.readdir(target, { withFileTypes: true }),
        theirs.readdir(target, { withFileTypes: true }));
      await assertSameError(fs.readdir(target, { recursive: true }),
        theirs.readdir(target, { recursive: true }));
    }
    for (const target of [undefined, null, 5, {}, 'a\0b', new URL('http://x/')]) {
      await assertSameCode(fs.readdir(target), theirs.readdir(target));
    }
  });
});

describe('fs.du', () => {
  const program = (target) => Number(execFileSync('du', ['-sb', target], { encoding: 'utf8' })
    .split('\t')[0]);

  /** The same in a few lines of JavaScript. */
  function counted(target) {
    const linked = new Set();
    const sum = { bytes: 0, files: 0, directories: 0 };
    const visit = (file) => {
      const stats = nodeFs.lstatSync(file, { bigint: true });
      if (!stats.isDirectory()) {
        if (stats.nlink > 1n) {
          const inode = `${stats.dev}:${stats.ino}`;
          if (linked.has(inode)) return;
          linked.add(inode);
        }
        sum.files++;
      } else {
        sum.directories++;
        for (const name of nodeFs.readdirSync(file, 'buffer')) {
          visit(Buffer.concat([Buffer.from(file), Buffer.from('/'), name]));
        }
      }
      sum.bytes += Number(stats.size);
    };
    visit(target);
    return sum;
  }

  async function assertCounted(target, options) {
    const result = await fs.du(target, options);
    assert.deepStrictEqual(result, counted(target));
    assert.strictEqual(result.bytes, program(target));
  }

  const tree = at('tree');

  before(() => {
    nodeFs.mkdirSync(at('tree', 'a', 'b', 'c'), { recursive: true });
    nodeFs.mkdirSync(at('tree', 'nothing', 'in', 'here'), { recursive: true });
    for (let i = 0; i < 300; i++) {
      nodeFs.mkdirSync(at('tree', 'wide', `d${i}`), { recursive: true });
      nodeFs.writeFileSync(at('tree', 'wide', `d${i}`, 'file'), 'x'.repeat(i));
    }
    let deep = at('tree', 'deep');
    for (let i = 0; i < 100; i++) deep = path.join(deep, 'd');
    nodeFs.mkdirSync(deep, { recursive: true });
    nodeFs.writeFileSync(at('tree', 'a', 'file'), 'x'.repeat(1234));
    for (let i = 0; i < 20; i++) {
      nodeFs.linkSync(at('tree', 'a', 'file'), at('tree', 'wide', `d${i}`, 'hard link'));
    }
    nodeFs.symlinkSync('.', at('tree', 'a', 'itself'));
    nodeFs.symlinkSync('../..', at('tree', 'a', 'b', 'up'));
    nodeFs.symlinkSync('loop', at('tree', 'loop'));
    nodeFs.symlinkSync('/', at('tree', 'everything'));
    nodeFs.symlinkSync('gone', at('tree', 'dangling'));
    nodeFs.writeFileSync(Buffer.concat([Buffer.from(tree), Buffer.from('/\xff', 'latin1')]),
      'no UTF-8');
  });

  for (const concurrency of [undefined, 1, 2, 64, 4294967295]) {
    it(`counts node_modules and a tree with links, loops and nothing as du -sb, concurrency ${concurrency}`, async () => {
      await assertCounted(modules, { concurrency });
      await assertCounted(tree, { concurrency });
    });
  }

  it('counts a single file, a link and an empty directory', async () => {
    for (const target of [at('large'), at('empty'), at('link'), at('dangling'),
      at('folder', 'sub', 'deep')]) await assertCounted(target);
    assert.deepStrictEqual(await fs.du(at('large')), { bytes: 5e6, files: 1, directories: 0 });
  });

  it('takes paths with a slash at the end, relative ones, buffers and URLs', async () => {
    const expected = counted(tree);
    for (const target of [`${tree}/`, path.relative('.', tree), Buffer.from(tree),
      pathToFileURL(tree)]) {
      assert.deepStrictEqual(await fs.du(target), expected);
    }
  });

  it('gives the whole, wherever the process goes and whatever the tree is called meanwhile',
    async () => {
    const here = process.cwd();
    const expected = counted(tree);
    process.chdir(work);
    try {
      for (let i = 0; i < 10; i++) {
        process.chdir(work);
        const counting = fs.du('tree', { concurrency: 1 + (i % 3) });
        for (let turn = 0; turn < 1 + (i % 4); turn++) await new Promise(setImmediate);
        process.chdir('/');
        nodeFs.renameSync(tree, at('called otherwise'));
        const outcome = await counting.catch((error) => error.code);
        nodeFs.renameSync(at('called otherwise'), tree);
        assert.deepStrictEqual(outcome, outcome === 'ENOENT'
          ? 'ENOENT' : expected); // ENOENT: it had not begun
      }
    } finally {
      process.chdir(here);
    }
  });

  it('gives the whole or an error when a directory in the tree is renamed', async () => {
    const expected = counted(tree);
    for (let i = 0; i < 20; i++) {
      const counting = fs.du(tree, { concurrency: 2 });
      for (let turn = 0; turn < i % 5; turn++) await new Promise(setImmediate);
      nodeFs.renameSync(at('tree', 'deep'), at('elsewhere'));
      const outcome = await counting.catch((error) => [error.code, error.path.startsWith(tree)]);
      nodeFs.renameSync(at('elsewhere'), at('tree', 'deep'));
      if (outcome.directories === expected.directories) assert.deepStrictEqual(outcome, expected);
      else if (Array.isArray(outcome)) assert.deepStrictEqual(outcome, ['ENOENT', true]);
      else {assert.strictEqual(outcome.directories, expected.directories - 101,
        'it was gone before the tree was listed');}
    }
  });

  it('counts a tree that is wide and deep, whose path is longer than a path may be', async () => {
    const depth = 400;
    const here = process.cwd();
    nodeFs.mkdirSync(at('comb'));
    process.chdir(at('comb'));
    for (let i = 0; i < depth; i++) {
      nodeFs.mkdirSync('tooth');
      nodeFs.writeFileSync('tooth/file', 'x'.repeat(i));
      nodeFs.mkdirSync('the way down');
      process.chdir('the way down');
    }
    process.chdir(here);
    const open = descriptors();
    for (const concurrency of [1, 8]) {
      const result = await fs.du(at('comb'), { concurrency });
      assert.deepStrictEqual([result.files, result.directories], [depth, 2 * depth + 1]);
      assert.strictEqual(descriptors(), open);
    }
    execFileSync('rm', ['-r', at('comb')]);
  });

  it('many at the same time', async () => {
    const expected = counted(tree);
    for (const result of await Promise.all(Array.from({ length: 20 }, () => fs.du(tree)))) {
      assert.deepStrictEqual(result, expected);
    }
  });

  it('fails with the file and the system call where it fails', async () => {
    const error = await errorOf(fs.du(at('missing')));
    assert.deepStrictEqual([error.code, error.errno, error.syscall, error.path, error.message],
      ['ENOENT', -2, 'lstat', at('missing'),
        `ENOENT: no such file or directory, lstat '${at('missing')}'`]);
    assert.strictEqual((await errorOf(fs.du(''))).code, 'ENOENT');
  });

  it('fails on a directory that cannot be read', async function () {
    if (process.getuid() === 0) this.skip(); // root reads everything
    nodeFs.mkdirSync(at('locked', 'inside'), { recursive: true });
    nodeFs.chmodSync(at('locked', 'inside'), 0);
    try {
      const error = await errorOf(fs.du(at('locked')));
      assert.deepStrictEqual([error.code, error.syscall, error.path],
        ['EACCES', 'scandir', at('locked', 'inside')]);
    } finally {
      nodeFs.chmodSync(at('locked', 'inside'), 0o700);
    }
  });

  it('refuses what makes no sense', async () => {
    for (const [options, code] of [[{ concurrency: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ concurrency: -1 }, 'ERR_OUT_OF_RANGE'], [{ concurrency: 1.5 }, 'ERR_OUT_OF_RANGE'],
      [{ concurrency: NaN }, 'ERR_OUT_OF_RANGE'], [{ concurrency: 2 ** 32 }, 'ERR_OUT_OF_RANGE'],
      [{ concurrency: '8' }, 'ERR_INVALID_ARG_TYPE'],
      [{ concurrency: null }, 'ERR_INVALID_ARG_TYPE'], [{ signal: 5 }, 'ERR_INVALID_ARG_TYPE'],
        [5, 'ERR_INVALID_ARG_TYPE'], [null, 'ERR_INVALID_ARG_TYPE']]) {
      const error = await errorOf(fs.du(tree, options));
      assert.strictEqual(error.code, code, JSON.stringify(options));
      if (code === 'ERR_OUT_OF_RANGE') {
        assert.match(error.message,
          /^The value of "options\.concurrency" is out of range\. It must be /);
      }
    }
    for (const target of [undefined, null, 5, {}, 'a\0b', new URL('http://x/')]) {
      await assertSameCode(fs.du(target), theirs.lstat(target));
    }
  });

  it('ends when it is aborted, at any moment, and lets go of everything', async () => {
    const open = descriptors();
    const before = await errorOf(fs.du(tree, { signal: AbortSignal.abort('before') }));
    assert.deepStrictEqual([before.code, before.cause], ['ABORT_ERR', 'before']);
    let aborted = 0;
    for (let i = 0; i < 30; i++) {
      const controller = new AbortController();
      const promise = fs.du(tree, { signal: controller.signal, concurrency: 1 + (i % 4) });
      for (let turn = 0; turn < i % 8; turn++) await new Promise(setImmediate);
      controller.abort();
      const [{ status, value, reason }] = await Promise.allSettled([promise]);
      if (status === 'fulfilled') assert.deepStrictEqual(value, counted(tree));
      else assert.strictEqual(reason.code, 'ABORT_ERR');
      aborted += status === 'rejected';
      assert.strictEqual(getEventListeners(controller.signal, 'abort').length, 0);
    }
    assert.ok(aborted > 0);
    assert.deepStrictEqual(await fs.du(tree), counted(tree), 'it goes on working');
    while (descriptors() > open) await sleep(1); // what was left in the pool ends by itself
    assert.strictEqual(descriptors(), open);
  });
});
