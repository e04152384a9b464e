'use strict';

// Work goes on while a result is on its way: the next chunk is being read while the last one is
// being written.

const { mkdtemp, open, rm } = require('node:fs/promises');
const os = require('node:os');
const path = require('node:path');
const co = require('fibril');

const CHUNK = 16384;

/** Starts to read; what comes is a Buffer, empty at the end of the file. */
async function fetchNextChunk(file, number) {
  console.log(`fetch ${number}`);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK);
  return buffer.subarray(0, bytesRead);
}

function* copy(from, to) {
  let total = 0;
  let fetching = fetchNextChunk(from, 0);
  for (let number = 0; ; number++) {
    const chunk = yield fetching;
    if (chunk.length === 0) return total;
    console.log(`write ${number}`);
    const flushed = co.fs.writeFile(to, chunk);
    fetching = fetchNextChunk(from, number + 1);
    yield flushed;
    console.log(`flushed ${number}`);
    total += chunk.length;
  }
}

co(function* () {
  const folder = yield mkdtemp(path.join(os.tmpdir(), 'fibril-'));
  try {
    const source = path.join(folder, 'source');
    yield co.fs.writeFile(source, Buffer.alloc(40000, 'fibril'));
    const [from, to] = yield [open(source), open(path.join(folder, 'copy'), 'w')];
    console.log(`${yield copy(from, to)} bytes`);
    yield [from.close(), to.close()];
    const [original, copied] = yield [co.fs.readFile(source),
      co.fs.readFile(path.join(folder, 'copy'))];
    console.log(original.equals(copied) ? 'the copy is equal' : 'the copy differs');
  } finally {
    yield rm(folder, { recursive: true });
  }
});
