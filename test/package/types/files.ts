// Compiled, never run: the native file functions take what @types/node has for those of fs.promises, and give the same.

import { fs, gen, Future } from 'fibril';
import * as node from 'node:fs/promises';
import { is, same } from './is';

declare const handle: node.FileHandle;
declare const flag: boolean;
const { signal } = new AbortController();
const url = new URL('file:///a');

same(node.readFile('a'), fs.readFile('a'));
same(node.readFile(handle, null), fs.readFile(handle, null));
same(node.readFile(url, { flag: undefined, signal: undefined }), fs.readFile(url, { flag: undefined, signal: undefined }));
same(node.readFile('a', { encoding: null, flag: 'r' }), fs.readFile('a', { encoding: null, flag: 'r' }));
same(node.readFile(Buffer.from('a'), 'utf8'), fs.readFile(Buffer.from('a'), 'utf8'));
same(node.readFile('a', { encoding: 'utf8', flag: 0, signal }), fs.readFile('a', { encoding: 'utf8', flag: 0, signal }));
same(node.readFile('a', flag ? 'utf8' : null), fs.readFile('a', flag ? 'utf8' : null));
same(node.readFile('a', {} as { encoding?: BufferEncoding | null }), fs.readFile('a', {} as { encoding?: BufferEncoding | null }));

same(node.writeFile('a', 'data'), fs.writeFile('a', 'data'));
same(node.writeFile(handle, new Uint8Array(1), { mode: '600', flag: 'a' }), fs.writeFile(handle, new Uint8Array(1), { mode: '600', flag: 'a' }));
same(node.writeFile('a', new DataView(new ArrayBuffer(1)), 'latin1'), fs.writeFile('a', new DataView(new ArrayBuffer(1)), 'latin1'));
same(node.writeFile('a', '', { encoding: undefined, mode: undefined, flag: undefined, signal: undefined }),
  fs.writeFile('a', '', { encoding: undefined, mode: undefined, flag: undefined, signal: undefined }));

same(node.stat('a'), fs.stat('a'));
same(node.stat('a', undefined), fs.stat('a', undefined));
same(node.stat('a', { bigint: undefined }), fs.stat('a', { bigint: undefined }));
same(node.stat('a', { bigint: true }), fs.stat('a', { bigint: true }));
same(node.stat('a', { bigint: flag }), fs.stat('a', { bigint: flag }));
same(node.lstat(url, { bigint: true }), fs.lstat(url, { bigint: true }));
same(node.lstat('a', { bigint: flag }), fs.lstat('a', { bigint: flag }));

same(node.realpath('a'), fs.realpath('a'));
same(node.realpath(url, 'buffer'), fs.realpath(url, 'buffer'));
same(node.realpath('a', { encoding: 'latin1' }), fs.realpath('a', { encoding: 'latin1' }));
same(node.realpath('a', flag ? 'hex' : null), fs.realpath('a', flag ? 'hex' : null));

same(node.readdir('a'), fs.readdir('a'));
same(node.readdir('a', null), fs.readdir('a', null));
same(node.readdir('a', 'latin1'), fs.readdir('a', 'latin1'));
same(node.readdir('a', 'buffer'), fs.readdir('a', 'buffer'));
same(node.readdir('a', { encoding: 'buffer', recursive: true }), fs.readdir('a', { encoding: 'buffer', recursive: true }));
same(node.readdir('a', { encoding: 'utf8', withFileTypes: true }), fs.readdir('a', { encoding: 'utf8', withFileTypes: true }));
same(node.readdir('a', { withFileTypes: undefined, recursive: flag }), fs.readdir('a', { withFileTypes: undefined, recursive: flag }));

// A descriptor, which fs.promises does not take
same(node.readFile('a'), fs.readFile(5));
same(node.readFile('a', 'utf8'), fs.readFile(5, { encoding: 'utf8', signal }));
is<Promise<void>>()(fs.writeFile(5, 'data', { flush: true }));
// @ts-expect-error
fs.stat(5);
// @ts-expect-error
fs.realpath(5);
// @ts-expect-error
fs.readdir(5);

is<Promise<number>>()(fs.du(url, { concurrency: 1, signal }).then(({ bytes, files, directories }) => bytes + files + directories));
fs.du('a', { concurrency: undefined, signal: undefined });

// @ts-expect-error there is no such encoding
fs.readFile('a', 'klingon');
// @ts-expect-error there is no such encoding
fs.readdir('a', { encoding: 'klingon' });
// @ts-expect-error nothing to write
fs.writeFile('a');

// gen.future keeps every form
const [readFile, writeFile, stat, lstat] = [gen.future(fs.readFile), gen.future(fs.writeFile), gen.future(fs.stat), gen.future(fs.lstat)];
const [readdir, du] = [gen.future(fs.readdir), gen.future(fs.du)];
const realpath = gen.future(fs.realpath);
const awaited = <T>(promise: Promise<T>): Future<T> => promise as unknown as Future<T>;
same(awaited(node.readFile('a')), readFile('a'));
same(awaited(node.readFile('a')), readFile(5, null));
same(awaited(node.readFile('a', 'utf8')), readFile('a', 'utf8'));
same(awaited(node.readFile('a', 'utf8')), readFile(5, 'utf8'));
same(awaited(node.readFile('a', flag ? 'utf8' : null)), readFile('a', flag ? 'utf8' : null));
is<Future<void>>()(writeFile('a', 'data', 'utf8'));
same(awaited(node.stat('a')), stat('a'));
same(awaited(node.stat('a', { bigint: true })), stat('a', { bigint: true }));
same(awaited(node.lstat('a', { bigint: flag })), lstat('a', { bigint: flag }));
same(awaited(node.realpath('a')), realpath('a'));
same(awaited(node.realpath('a', 'buffer')), realpath('a', 'buffer'));
same(awaited(node.readdir('a')), readdir('a'));
same(awaited(node.readdir('a', 'buffer')), readdir('a', 'buffer'));
same(awaited(node.readdir('a', { withFileTypes: true })), readdir('a', { withFileTypes: true }));
is<Future<number>>()(gen.future(async () => (await du('a', { signal })).bytes)());
// @ts-expect-error there is no such encoding
readFile('a', 'klingon');
