'use strict';

// fibril's file functions against Node's, and du against the program.

const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const { getEventListeners } = require('node:events');
const nodeFs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { errorOf } = require('./support/natives');
const { fs } = require('../lib');

const theirs = nodeFs.promises;
const root = path.join(__dirname, '..');
const modules = path.join(root, 'node_modules');

const work = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'fibril-fs-'));
const at = (...names) => path.join(work, ...names);
const descriptors = () => nodeFs.readdirSync('/proc/self/fd').length;

/** The own files of the repository. */
const repository = ['lib', 'src', 'include', 'test', 'gyp', 'bench']
  .flatMap((folder) => nodeFs.readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.parentPath, entry.name))
  .filter((file) => !file.includes(`${path.sep}build${path.sep}`));

const inModules = nodeFs.readdirSync(modules, { recursive: true, withFileTypes: true });
const sample = inModules.filter((entry) => entry.isFile()).filter((_, i, all) => i % Math.ceil(all.length / 400) === 0)
  .map((entry) => path.join(entry.parentPath, entry.name));
const directories = [modules, ...inModules.filter((entry) => entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name))];

/** What an error says about itself, as Node's own does. */
function portrait(error) {
  const { stack, ...properties } = Object.getOwnPropertyDescriptors(error);
  return { prototype: Object.getPrototypeOf(error), properties, text: String(error), stack: typeof stack };
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
  nodeFs.writeFileSync(at('large'), Buffer.from(Uint8Array.from({ length: 5e6 }, (_, i) => (i * 31) >> 3)));
  nodeFs.writeFileSync(at('text'), 'caf\u00e9 \u{1f600}\n'.repeat(1000));
  nodeFs.mkdirSync(at('folder', 'sub', 'deep'), { recursive: true });
  nodeFs.writeFileSync(at('folder', 'sub', 'file'), 'x');
  nodeFs.symlinkSync('text', at('link'));
  nodeFs.symlinkSync('nowhere', at('dangling'));
  nodeFs.symlinkSync('loop', at('loop'));
  nodeFs.writeFileSync(Buffer.concat([Buffer.from(work), Buffer.from('/folder/\xff\xfe', 'latin1')]), 'no UTF-8');
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
    await Promise.all(sample.map(async (file) => assert.ok((await fs.readFile(file)).equals(nodeFs.readFileSync(file)), file)));
    assert.strictEqual(descriptors(), open);
  });

  it('reads an empty file, a large one, and those whose size is not known', async () => {
    assert.deepStrictEqual(await fs.readFile(at('empty')), Buffer.alloc(0));
    assert.strictEqual(await fs.readFile(at('empty'), 'utf8'), '');
    assert.ok((await fs.readFile(at('large'))).equals(await theirs.readFile(at('large'))));
    const name = (text) => /^Name:.*\nUmask:.*\nState:/.exec(text)?.[0];
    assert.strictEqual(name(await fs.readFile('/proc/self/status', 'utf8')), name(await theirs.readFile('/proc/self/status', 'utf8')));
    for (const file of ['/proc/cpuinfo', '/proc/self/mountinfo', '/proc/filesystems']) {
      assert.strictEqual((await fs.readFile(file)).length > 0, true, file);
    }
    assert.ok((await fs.readFile('/proc/filesystems')).equals(await theirs.readFile('/proc/filesystems')));
    assert.strictEqual((await fs.readFile('/dev/null')).length, 0);
  });

  it('decodes as every encoding of Node', async () => {
    for (const encoding of ['utf8', 'utf-8', 'UTF8', 'latin1', 'ascii', 'hex', 'base64', 'base64url', 'utf16le', 'ucs2', 'binary']) {
      assert.strictEqual(await fs.readFile(at('text'), encoding), await theirs.readFile(at('text'), encoding));
      assert.strictEqual(await fs.readFile(at('text'), { encoding }), await theirs.readFile(at('text'), { encoding }));
    }
    for (const options of [undefined, null, {}, { encoding: null }, { encoding: 'buffer' }, 'buffer']) {
      assert.deepStrictEqual(await fs.readFile(at('text'), options), nodeFs.readFileSync(at('text')));
    }
    for (const encoding of ['nonsense', 'utf-7']) {
      await assertSameCode(fs.readFile(at('text'), encoding), theirs.readFile(at('text'), encoding));
      await assertSameCode(fs.readFile(at('text'), { encoding }), theirs.readFile(at('text'), { encoding }));
    }
  });

  it('takes paths as strings, buffers and URLs', async () => {
    const expected = await theirs.readFile(__filename);
    for (const file of [__filename, Buffer.from(__filename), pathToFileURL(__filename), path.relative('.', __filename)]) {
      assert.ok((await fs.readFile(file)).equals(expected));
    }
    const raw = Buffer.concat([Buffer.from(work), Buffer.from('/folder/\xff\xfe', 'latin1')]);
    assert.strictEqual(await fs.readFile(raw, 'utf8'), 'no UTF-8');
  });

  it('opens with flags', async () => {
    for (const flag of ['r', 'rs', 'r+', 'a+', nodeFs.constants.O_RDONLY]) {
      assert.ok((await fs.readFile(at('text'), { flag })).equals(await theirs.readFile(at('text'), { flag })));
    }
    assert.strictEqual((await fs.readFile(at('made'), { flag: 'a+' })).length, 0);
    assert.ok(nodeFs.existsSync(at('made')));
    await assertSameError(fs.readFile(at('text'), { flag: 'wx+' }), theirs.readFile(at('text'), { flag: 'wx+' }));
    await assertSameError(fs.readFile(at('text'), { flag: 'ax' }), theirs.readFile(at('text'), { flag: 'ax' }));
    await assertSameCode(fs.readFile(at('text'), { flag: 'q' }), theirs.readFile(at('text'), { flag: 'q' }));
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

  it('refuses a closed descriptor', async () => {
    const fd = nodeFs.openSync(at('text'));
    nodeFs.closeSync(fd);
    const ours = await errorOf(fs.readFile(fd));
    const other = await errorOf((async () => nodeFs.readFileSync(fd))());
    assert.deepStrictEqual([ours.code, ours.errno, ours.syscall, ours.message, ours.path], [other.code, other.errno, other.syscall, other.message, other.path]);
    assert.strictEqual(ours.code, 'EBADF');
    const handle = await theirs.open(at('text'));
    await handle.close();
    assert.strictEqual((await errorOf(fs.readFile(handle))).message, 'EBADF: bad file descriptor, read');
    assert.strictEqual((await errorOf(fs.writeFile(handle, 'x'))).message, 'EBADF: bad file descriptor, write');
    for (const bad of [-1, 1.5, 2 ** 31, NaN, { fd: 0 }]) await assertSameCode(fs.readFile(bad), theirs.readFile(bad));
  });

  it('fails as Node\'s does', async () => {
    const open = descriptors();
    for (const file of [at('missing'), at('dangling'), at('loop'), at('text', 'not', 'a', 'folder'), '', 'x'.repeat(300), at('missing \u00e9')]) {
      await assertSameError(fs.readFile(file), theirs.readFile(file));
      await assertSameError(fs.readFile(Buffer.from(file)), theirs.readFile(Buffer.from(file)));
    }
    assert.strictEqual(descriptors(), open);
  });

  it('names the file that it cannot read, as Node does from 26 on', async () => {
    const folder = at('folder');
    const [ours, other] = [await errorOf(fs.readFile(folder)), await errorOf(theirs.readFile(folder))];
    const withPath = { ...other, path: folder };
    assert.deepStrictEqual({ ...ours }, withPath);
    assert.strictEqual(ours.message, `EISDIR: illegal operation on a directory, read '${folder}'`);
    if (other.path !== undefined) await assertSameError(fs.readFile(folder), theirs.readFile(folder));
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
    for (const value of [undefined, null, true, {}, [], () => {}, 'a\0b', Buffer.from('a\0'), new URL('http://x/')]) {
      await assertSameCode(fs.readFile(value), theirs.readFile(value));
    }
    for (const options of [5, true, 5n]) await assertSameCode(fs.readFile(at('text'), options), theirs.readFile(at('text'), options));
  });

  it('ends when its signal is aborted, before and while it reads, and closes the file', async () => {
    const open = descriptors();
    const aborted = AbortSignal.abort('before');
    const before = await errorOf(fs.readFile(at('large'), { signal: aborted }));
    assert.deepStrictEqual([before.name, before.code, before.cause], ['AbortError', 'ABORT_ERR', 'before']);
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const promise = fs.readFile(at('large'), { signal: controller.signal });
      for (let turn = 0; turn < i % 5; turn++) await new Promise(setImmediate);
      controller.abort(i);
      const [{ status, reason }] = await Promise.allSettled([promise]);
      if (status === 'rejected') assert.deepStrictEqual([reason.name, reason.code, reason.cause], ['AbortError', 'ABORT_ERR', i]);
      assert.strictEqual(getEventListeners(controller.signal, 'abort').length, 0);
    }
    assert.strictEqual(descriptors(), open);
    await assertSameCode(fs.readFile(at('text'), { signal: {} }), theirs.readFile(at('text'), { signal: {} }));
  });

  it('ends the wait for a FIFO that nobody writes to', async function () {
    try {
      execFileSync('mkfifo', [at('fifo')]);
    } catch {
      this.skip();
    }
    const controller = new AbortController();
    const promise = fs.readFile(at('fifo'), { signal: controller.signal, flag: nodeFs.constants.O_RDONLY | nodeFs.constants.O_NONBLOCK });
    await new Promise(setImmediate);
    controller.abort();
    await promise.catch((error) => assert.strictEqual(error.code, 'ABORT_ERR'));
  });
});

describe('fs.writeFile', () => {
  const file = at('written');
  const read = () => nodeFs.readFileSync(file);

  it('writes strings in their encoding, and bytes of every kind', async () => {
    const memory = Uint8Array.from({ length: 64 }, (_, i) => i).buffer;
    for (const [data, options] of [
      ['caf\u00e9 \u{1f600}', undefined], ['caf\u00e9', 'latin1'], ['ffee00', 'hex'], ['aGk=', { encoding: 'base64' }], ['', undefined],
      [Buffer.from('bytes'), undefined], [Buffer.alloc(0), undefined], [new Uint8Array(memory, 3, 5), null], [new Uint16Array(memory, 2, 3), 'hex'],
      [new Float64Array(memory, 8, 2), {}], [new DataView(memory, 1, 7), undefined], [nodeFs.readFileSync(at('large')), undefined], ['x'.repeat(3e6), 'ascii'],
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
    await assertSameError(fs.writeFile(file, 'x', { flag: 'wx' }), theirs.writeFile(file, 'x', { flag: 'wx' }));
    await assertSameError(fs.writeFile(file, 'x', { flag: 'r' }), theirs.writeFile(file, 'x', { flag: 'r' }));
    for (const mode of [0o600, 0o640, '600', '0644', 0o777, 0, 0o100755]) {
      const [ours, other] = [at(`ours-${mode}`), at(`theirs-${mode}`)];
      await fs.writeFile(ours, 'x', { mode });
      await theirs.writeFile(other, 'x', { mode });
      assert.strictEqual(nodeFs.statSync(ours).mode, nodeFs.statSync(other).mode, String(mode));
    }
    for (const mode of ['rw', '', -1, 1.5, 2 ** 33, {}, true]) await assertSameCode(fs.writeFile(file, 'x', { mode }), theirs.writeFile(file, 'x', { mode }));
    for (const flush of [null, undefined, false]) await fs.writeFile(file, 'not flushed', { flush });
    await fs.writeFile(file, 'flushed', { flush: true });
    assert.strictEqual(read().toString(), 'flushed');
    await assertSameCode(fs.writeFile(file, 'x', { flush: 5 }), theirs.writeFile(file, 'x', { flush: 5 }));
  });

  it('writes to a descriptor and a FileHandle at their position, and leaves them open', async () => {
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
    for (const name of [at('missing', 'file'), at('folder'), at('text', 'file'), '', 'x'.repeat(300)]) {
      await assertSameError(fs.writeFile(name, 'x'), theirs.writeFile(name, 'x'));
    }
    const [ours, other] = [await errorOf(fs.writeFile('/dev/full', 'x')), await errorOf(theirs.writeFile('/dev/full', 'x'))];
    assert.deepStrictEqual([ours.code, ours.errno, ours.syscall, ours.message], [other.code, other.errno, other.syscall, other.message]);
    assert.strictEqual(descriptors(), open);
    for (const data of [undefined, null, 5, true, {}, Symbol('s')]) {
      const error = await errorOf(fs.writeFile(file, data));
      assert.deepStrictEqual([error.name, error.code], ['TypeError', 'ERR_INVALID_ARG_TYPE']);
      assert.match(error.message, /^The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView\. Received /);
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
    const copy = Object.create(Object.getPrototypeOf(stats), Object.getOwnPropertyDescriptors(stats));
    for (const key of Reflect.ownKeys(copy)) {
      if (/atime/i.test(String(key))) delete copy[key];
    }
    return copy;
  };

  const targets = () => [...repository, ...sample.slice(0, 100), ...directories.slice(0, 100), at('empty'), at('large'), at('folder'), at('link'),
    '/', '.', '/dev/null', '/tmp', '/proc/self/fd/0', '/dev/stdin', Buffer.from(__filename), pathToFileURL(__dirname)];

  for (const name of ['stat', 'lstat']) {
    for (const options of [undefined, { bigint: false }, { bigint: true }]) {
      it(`${name}(${options ? JSON.stringify(options) : ''}) is what Node's is, field by field`, async () => {
        for (const target of targets()) {
          const [ours, other] = [await fs[name](target, options), await theirs[name](target, options)];
          assert.deepStrictEqual(withoutAtime(ours), withoutAtime(other));
          assert.deepStrictEqual(Object.keys(ours), Object.keys(other));
          assert.strictEqual(ours.constructor, other.constructor);
          assert.ok(ours instanceof nodeFs.Stats || options?.bigint);
          assert.ok(ours.atime instanceof Date && Math.abs(ours.atime - other.atime) < 60000);
          for (const test of ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket', 'isCharacterDevice', 'isBlockDevice']) {
            assert.strictEqual(ours[test](), other[test](), test);
          }
        }
      });
    }

    it(`${name} fails as Node's does`, async () => {
      for (const target of [at('missing'), at('text', 'x'), '', 'x'.repeat(300), at('loop', 'x'), Buffer.from(at('missing'))]) {
        await assertSameError(fs[name](target), theirs[name](target));
      }
      for (const target of [undefined, null, 5, {}, 'a\0b', new URL('http://x/')]) await assertSameCode(fs[name](target), theirs[name](target));
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
        assert.deepStrictEqual(await fs.stat(at('empty'), options), await theirs.stat(at('empty'), options));
      }
    }
  });
});

describe('fs.readdir', () => {
  it('lists every directory of node_modules as Node does, in the same order', async () => {
    assert.ok(directories.length > 100);
    for (const directory of directories) {
      assert.deepStrictEqual(await fs.readdir(directory), await theirs.readdir(directory));
      assert.deepStrictEqual(await fs.readdir(directory, { withFileTypes: true }), await theirs.readdir(directory, { withFileTypes: true }));
    }
  });

  it('knows the kinds of entries', async () => {
    for (const directory of [work, '/dev', '/', '/proc/self', os.tmpdir()]) {
      const key = ({ name }) => name;
      const [ours, other] = [await fs.readdir(directory, { withFileTypes: true }), await theirs.readdir(directory, { withFileTypes: true })];
      if (directory === work) assert.deepStrictEqual(ours, other);
      const both = new Set(other.map(key));
      for (const entry of ours.filter((one) => both.has(one.name))) {
        const twin = other.find((one) => one.name === entry.name);
        for (const test of ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket', 'isCharacterDevice', 'isBlockDevice']) {
          assert.strictEqual(entry[test](), twin[test](), `${directory} ${entry.name} ${test}`);
        }
      }
    }
  });

  it('decodes names as every encoding, and gives them as they are', async () => {
    const folder = at('folder');
    for (const options of ['utf8', 'latin1', 'hex', 'base64', 'buffer', { encoding: 'buffer' }, { encoding: 'buffer', withFileTypes: true }, null, {}, { encoding: null }]) {
      assert.deepStrictEqual(await fs.readdir(folder, options), await theirs.readdir(folder, options));
    }
    const [raw] = (await fs.readdir(folder, 'buffer')).filter((name) => name[0] === 0xff);
    assert.strictEqual(raw.toString('hex'), 'fffe');
    for (const options of ['nonsense', 5, { encoding: 'nonsense' }]) await assertSameCode(fs.readdir(folder, options), theirs.readdir(folder, options));
  });

  it('goes down recursively', async () => {
    for (const directory of [work, path.join(root, 'src'), path.join(modules, 'mocha')]) {
      for (const options of [{ recursive: true }, { recursive: true, withFileTypes: true }]) {
        assert.deepStrictEqual(await fs.readdir(directory, options), nodeFs.readdirSync(directory, options));
      }
    }
    for (const target of [pathToFileURL(`${work}/`), path.relative('.', work)]) {
      assert.deepStrictEqual(await fs.readdir(target, { recursive: true }), nodeFs.readdirSync(work, { recursive: true }));
    }
  });

  it('lists an empty directory and a very full one', async () => {
    assert.deepStrictEqual(await fs.readdir(at('folder', 'sub', 'deep')), []);
    nodeFs.mkdirSync(at('full'));
    for (let i = 0; i < 5000; i++) nodeFs.writeFileSync(at('full', `file ${i} with a name of some length`), '');
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
      await assertSameError(fs.readdir(target, { withFileTypes: true }), theirs.readdir(target, { withFileTypes: true }));
      await assertSameError(fs.readdir(target, { recursive: true }), theirs.readdir(target, { recursive: true }));
    }
    for (const target of [undefined, null, 5, {}, 'a\0b', new URL('http://x/')]) await assertSameCode(fs.readdir(target), theirs.readdir(target));
  });
});

describe('fs.du', () => {
  const program = (target) => Number(execFileSync('du', ['-sb', target], { encoding: 'utf8' }).split('\t')[0]);

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
        for (const name of nodeFs.readdirSync(file, 'buffer')) visit(Buffer.concat([Buffer.from(file), Buffer.from('/'), name]));
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
    for (let i = 0; i < 20; i++) nodeFs.linkSync(at('tree', 'a', 'file'), at('tree', 'wide', `d${i}`, 'hard link'));
    nodeFs.symlinkSync('.', at('tree', 'a', 'itself'));
    nodeFs.symlinkSync('../..', at('tree', 'a', 'b', 'up'));
    nodeFs.symlinkSync('loop', at('tree', 'loop'));
    nodeFs.symlinkSync('/', at('tree', 'everything'));
    nodeFs.symlinkSync('gone', at('tree', 'dangling'));
    nodeFs.writeFileSync(Buffer.concat([Buffer.from(tree), Buffer.from('/\xff', 'latin1')]), 'no UTF-8');
  });

  for (const concurrency of [undefined, 1, 2, 64, 4294967295]) {
    it(`counts node_modules and a tree with links, loops and nothing as du -sb, concurrency ${concurrency}`, async () => {
      await assertCounted(modules, { concurrency });
      await assertCounted(tree, { concurrency });
    });
  }

  it('counts a single file, a link and an empty directory', async () => {
    for (const target of [at('large'), at('empty'), at('link'), at('dangling'), at('folder', 'sub', 'deep')]) await assertCounted(target);
    assert.deepStrictEqual(await fs.du(at('large')), { bytes: 5e6, files: 1, directories: 0 });
  });

  it('takes paths with a slash at the end, relative ones, buffers and URLs', async () => {
    const expected = counted(tree);
    for (const target of [`${tree}/`, path.relative('.', tree), Buffer.from(tree), pathToFileURL(tree)]) {
      assert.deepStrictEqual(await fs.du(target), expected);
    }
  });

  it('many at the same time', async () => {
    const expected = counted(tree);
    for (const result of await Promise.all(Array.from({ length: 20 }, () => fs.du(tree)))) assert.deepStrictEqual(result, expected);
  });

  it('fails with the file and the system call where it fails', async () => {
    const error = await errorOf(fs.du(at('missing')));
    assert.deepStrictEqual([error.code, error.errno, error.syscall, error.path, error.message],
      ['ENOENT', -2, 'lstat', at('missing'), `ENOENT: no such file or directory, lstat '${at('missing')}'`]);
    assert.strictEqual((await errorOf(fs.du(''))).code, 'ENOENT');
  });

  it('fails on a directory that cannot be read', async function () {
    if (process.getuid() === 0) this.skip(); // root reads everything
    nodeFs.mkdirSync(at('locked', 'inside'), { recursive: true });
    nodeFs.chmodSync(at('locked', 'inside'), 0);
    try {
      const error = await errorOf(fs.du(at('locked')));
      assert.deepStrictEqual([error.code, error.syscall, error.path], ['EACCES', 'scandir', at('locked', 'inside')]);
    } finally {
      nodeFs.chmodSync(at('locked', 'inside'), 0o700);
    }
  });

  it('refuses what makes no sense', async () => {
    for (const [options, code] of [[{ concurrency: 0 }, 'ERR_OUT_OF_RANGE'], [{ concurrency: -1 }, 'ERR_OUT_OF_RANGE'], [{ concurrency: 1.5 }, 'ERR_OUT_OF_RANGE'],
      [{ concurrency: NaN }, 'ERR_OUT_OF_RANGE'], [{ concurrency: 2 ** 32 }, 'ERR_OUT_OF_RANGE'], [{ concurrency: '8' }, 'ERR_INVALID_ARG_TYPE'],
      [{ concurrency: null }, 'ERR_INVALID_ARG_TYPE'], [{ signal: 5 }, 'ERR_INVALID_ARG_TYPE'], [5, 'ERR_INVALID_ARG_TYPE'], [null, 'ERR_INVALID_ARG_TYPE']]) {
      const error = await errorOf(fs.du(tree, options));
      assert.strictEqual(error.code, code, JSON.stringify(options));
      if (code === 'ERR_OUT_OF_RANGE') assert.match(error.message, /^The value of "options\.concurrency" is out of range\. It must be /);
    }
    for (const target of [undefined, null, 5, {}, 'a\0b', new URL('http://x/')]) await assertSameCode(fs.du(target), theirs.lstat(target));
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
    assert.strictEqual(descriptors(), open);
  });
});
