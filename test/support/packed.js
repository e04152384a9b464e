'use strict';

// What tests of the packed package share: the tarball, made once in a process, and a registry that
// has it.

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
  assert.strictEqual(child.status, 0,
    `${command} ${args.join(' ')}\n${child.stdout}\n${child.stderr}`);
  return child.stdout;
}

/** The same while the event loop goes on, for what talks to a server in this process. */
async function runAsync(command, args, cwd, env = process.env) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  }
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

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks));
}

/** What a registry says of fibril: the manifest as npm publishes it, and where the tarball is. */
function fibrilIn(origin) {
  const dist = { tarball: `${origin}/fibril/-/fibril-${manifest.version}.tgz` };
  const published = { ...manifest, scripts: {}, devDependencies: {}, dist };
  return { name: 'fibril', 'dist-tags': { latest: manifest.version },
    versions: { [manifest.version]: published } };
}

/**
 * A registry that has fibril's tarball as its only version, takes packages of one more name, and
 * sends npm to the real one for everything else.
 * @param {string} folder where npm's configuration for it may be written
 * @param {string} [own] the name that can be published
 * @returns {Promise<{env: object, close: function}>} `env`: what makes npm use it
 */
async function openRegistry(folder, own) {
  const config = (name) => run('npm', ['config', 'get', name], root).trim();
  const real = config('registry');
  const tarballs = new Map();
  let packument;

  async function answer(request, response) {
    const { host } = request.headers;
    const name = path.basename(request.url);
    const say = (status, json) => response.writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(json));
    if (request.url === '/fibril') return say(200, fibrilIn(`http://${host}`));
    if (request.url.startsWith('/fibril/-/')) return fs.createReadStream(tarball()).pipe(response);
    if (tarballs.has(name)) return response.end(tarballs.get(name));
    if (request.url === `/${own}` && request.method === 'PUT') {
      const { _attachments: attachments, ...rest } = await bodyOf(request);
      for (const [file, { data }] of Object.entries(attachments)) {
        tarballs.set(file, Buffer.from(data, 'base64'));
      }
      packument = rest;
      return say(201, { ok: true });
    }
    if (request.url === `/${own}`) {
      return packument === undefined ? say(404, { error: 'not found' }) : say(200, packument);
    }
    return response.writeHead(302, { location: new URL(request.url.slice(1), real).href }).end();
  }

  const server = http.createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `//127.0.0.1:${server.address().port}/`;
  const user = config('userconfig');
  const settings = fs.existsSync(user) ? fs.readFileSync(user, 'utf8') : '';
  const userconfig = path.join(folder, 'npmrc');
  fs.writeFileSync(userconfig, `${settings}\n${host}:_authToken=any\n`);
  return {
    env: {
      npm_config_registry: `http:${host}`,
      npm_config_userconfig: userconfig,
      npm_config_yes: 'true',
      // npm 12 takes no tarball from another host than the registry's.
      npm_config_replace_registry_host: 'always',
    },
    close: () => server.close(),
  };
}

/**
 * npm and npx of a version, with the Node that runs them as `node` on the PATH; skips the test
 * where npm's registry may not be used.
 * @param {Mocha.Context} test
 * @param {11|12} major
 * @param {string} bin an empty folder, for the PATH
 * @returns {object} the environment
 */
function environmentWithNpm(test, major, bin) {
  const npm = fetchOrSkip(test, `npm@${major}`);
  const node = major === 12 ? fetchOrSkip(test, `node-linux-${process.arch}@24`) : undefined;
  fs.symlinkSync(node === undefined ? process.execPath : path.join(node, 'bin', 'node'),
    path.join(bin, 'node'));
  for (const name of ['npm', 'npx']) {
    const file = path.join(bin, name);
    fs.writeFileSync(file,
      `#!/bin/sh\nexec node '${path.join(npm, 'bin', `${name}-cli.js`)}' "$@"\n`, { mode: 0o755 });
  }
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}`,
    npm_config_audit: 'false', npm_config_fund: 'false' };
  if (node !== undefined) env.npm_config_nodedir = node;
  return env;
}

/** Writes an addon of one C file into a folder that has fibril installed. */
function writeAddon(folder, source) {
  fs.writeFileSync(path.join(folder, 'addon.c'), source);
  fs.writeFileSync(path.join(folder, 'binding.gyp'), `{
    "targets": [{
      "target_name": "addon",
      "sources": ["addon.c"],
      "dependencies": ["<!(node -p \\"require('fibril/gyp').target\\")"]
    }]
  }`);
}

module.exports = { root, newFolder, run, runAsync, tarball, openRegistry, environmentWithNpm,
  writeAddon };
