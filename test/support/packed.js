'use strict';

// What tests of the packed package share: the tarball, made once in a process, and a registry that has it.

const assert = require('node:assert');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { fetchOrSkip } = require('./fetched.js');

const root = path.join(__dirname, '..', '..');
const manifest = require('../../package.json');

function newFolder(name) {
  return fs.mkdtempSync(path.join(os.tmpdir(), `fibril-${name}-`));
}

/** Runs a command to a good end; what it has printed. */
function run(command, args, cwd, env = process.env) {
  const child = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (child.error) throw child.error;
  assert.strictEqual(child.status, 0, `${command} ${args.join(' ')}\n${child.stdout}\n${child.stderr}`);
  return child.stdout;
}

/** The same while the event loop goes on, for what talks to a server in this process. */
async function runAsync(command, args, cwd, env = process.env) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  const [status] = await once(child, 'close');
  assert.strictEqual(status, 0, `${command} ${args.join(' ')}\n${output.stdout}\n${output.stderr}`);
  return output.stdout;
}

let packed;

/** The path of fibril's tarball, as npm pack makes it. */
function tarball() {
  if (packed === undefined) {
    const folder = newFolder('packed');
    process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
    run('npm', ['pack', '--silent', '--pack-destination', folder], root);
    packed = path.join(folder, `fibril-${manifest.version}.tgz`);
  }
  return packed;
}

/**
 * A registry that has fibril's tarball as its only version, and sends npm to the real one for everything else.
 * @returns {Promise<{env: object, close: function}>} `env`: what makes npm use it
 */
async function openRegistry() {
  const real = run('npm', ['config', 'get', 'registry'], root).trim();
  const server = http.createServer((request, response) => {
    const { origin } = new URL(`http://${request.headers.host}`);
    if (request.url === '/fibril') {
      const dist = { tarball: `${origin}/fibril/-/fibril-${manifest.version}.tgz` };
      const published = { ...manifest, scripts: {}, devDependencies: {} };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({
        name: 'fibril',
        'dist-tags': { latest: manifest.version },
        versions: { [manifest.version]: { ...published, dist } },
      }));
    } else if (request.url.startsWith('/fibril/-/')) {
      fs.createReadStream(tarball()).pipe(response);
    } else {
      response.writeHead(302, { location: new URL(request.url.slice(1), real).href }).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    env: {
      npm_config_registry: `http://127.0.0.1:${server.address().port}/`,
      // npm 12 takes no tarball from another host than the registry's.
      npm_config_replace_registry_host: 'always',
    },
    close: () => server.close(),
  };
}

/**
 * npm and npx of a version, with the Node that runs them as `node` on the PATH; skips the test where npm's registry may not be used.
 * @param {Mocha.Context} test
 * @param {11|12} major
 * @param {string} bin an empty folder, for the PATH
 * @returns {object} the environment
 */
function environmentWithNpm(test, major, bin) {
  const npm = fetchOrSkip(test, `npm@${major}`);
  const node = major === 12 ? fetchOrSkip(test, `node-linux-${process.arch}@24`) : undefined;
  fs.symlinkSync(node === undefined ? process.execPath : path.join(node, 'bin', 'node'), path.join(bin, 'node'));
  for (const name of ['npm', 'npx']) {
    const file = path.join(bin, name);
    fs.writeFileSync(file, `#!/bin/sh\nexec node '${path.join(npm, 'bin', `${name}-cli.js`)}' "$@"\n`, { mode: 0o755 });
  }
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}`, npm_config_audit: 'false', npm_config_fund: 'false' };
  if (node !== undefined) env.npm_config_nodedir = node;
  return env;
}

module.exports = { root, newFolder, run, runAsync, tarball, openRegistry, environmentWithNpm };
