'use strict';

// Whose functions libcurl and its libraries call, as the dynamic linker tells it.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const binding = path.join(__dirname, '..', 'lib', 'binding.js');
const addon = path.join(__dirname, '..', 'build', 'Release', 'curl.node');

// Loaded before the addon is, with Node itself: the C and C++ libraries. They have one copy in the
// process.
const SHARED =
  /^(linux-vdso|ld-linux|libc|libm|libdl|libpthread|libstdc\+\+|libgcc_s|libatomic)[.-]/;

/** What is bound to Node's executable by libraries that came with the addon: [library, symbol]. */
function boundToNode(program) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fibril-curl-'));
  try {
    const env = { ...process.env, LD_DEBUG: 'bindings', LD_DEBUG_OUTPUT: path.join(folder, 'log'),
      LD_BIND_NOW: '1' };
    const { status, stderr } = spawnSync(process.execPath, ['-e', program],
      { env, encoding: 'utf8' });
    assert.strictEqual(status, 0, stderr);
    const log = fs.readdirSync(folder)
      .map((name) => fs.readFileSync(path.join(folder, name), 'utf8')).join('');
    const lines = [...log.matchAll(
      /binding file (\S+) \[\d+\] to (\S+) \[\d+\]: \w+ symbol `(\S+)'/g)];
    const base = (file) => path.basename(file);
    const node = [process.execPath, process.argv0].map(base);
    assert.ok(lines.some(([, from]) => base(from) === 'libcurl-gnutls.so.4'), 'nothing was bound');
    return lines
      .filter(([, from, to]) => node.includes(base(to)) && !node.includes(base(from)) &&
        !SHARED.test(base(from)))
      .map(([, from, , symbol]) => [base(from), symbol]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

describe('symbols', () => {
  it('of Node are used by nothing but the addon, and there for Node-API and libuv', () => {
    const bound = boundToNode(`require(${JSON.stringify(binding)})`);
    assert.ok(bound.length > 0);
    assert.deepStrictEqual(bound.filter(([from, symbol]) => from !== 'curl.node' ||
      !/^(napi|uv)_/.test(symbol)), []);
  });

  it('of Node would be used for HTTP/2, compression and cryptography without RTLD_DEEPBIND', () => {
    const bound = boundToNode(`process.dlopen({ exports: {} }, ${JSON.stringify(addon)})`);
    const has = (from, symbol) => bound.some((pair) => pair[0].startsWith(from) &&
      symbol.test(pair[1]));
    assert.ok(has('libcurl-gnutls', /^nghttp2_/) && has('libcurl-gnutls', /^inflate/) &&
      has('libcrypto', /^EVP_/));
  });

  it('of OpenSSL are not used by libcurl itself', () => {
    const { stdout } = spawnSync('ldd', [addon], { encoding: 'utf8' });
    assert.match(stdout, /libcurl-gnutls\.so/);
    assert.match(stdout, /libgnutls\.so/);
    assert.doesNotMatch(stdout, /libssl\.so|libcurl\.so/);
  });
});
