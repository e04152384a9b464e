'use strict';

// Opening, closing and losing connections; what libpq is linked to.

const assert = require('node:assert');
const { execFileSync, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { connect, Connection } = require('..');
const { server, Server } = require('./support/server.js');

describe('connect', () => {
  let url;
  before(async () => ({ url } = await server()));

  it('opens a connection, which close ends', async () => {
    const db = await connect(url);
    assert.ok(db instanceof Connection);
    assert.ok(db.connected && db.pid > 0);
    assert.deepStrictEqual((await db.query('select pg_backend_pid() as pid')).rows,
      [{ pid: db.pid }]);
    await db.close();
    await db.close();
    assert.deepStrictEqual([db.connected, db.pid], [false, 0]);
    await assert.rejects(db.query('select 1'),
      { code: '08003', message: 'The connection has been closed' });
  });

  it('says what the server said', async () => {
    const { port } = await server();
    await assert.rejects(connect(`postgres://nobody@127.0.0.1:${port}/postgres`),
      { code: '08001', message: /FATAL: {2}role "nobody" does not exist$/ });
    await assert.rejects(connect('nonsense=1'),
      { code: '08001', message: 'invalid connection option "nonsense"' });
    await assert.rejects(connect(1), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('says that nobody is there', async () => {
    const nobody = net.createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address();
    nobody.close();
    await once(nobody, 'close');
    await assert.rejects(connect(`host=127.0.0.1 port=${port}`),
      { code: '08001', message: /Connection refused/ });
  });

  describe('to a server that says nothing', () => {
    let silent, mute;
    const sockets = new Set();

    before(async () => {
      mute = net.createServer((socket) => sockets.add(socket.on('error', () => {})))
        .listen(0, '127.0.0.1');
      await once(mute, 'listening');
      silent = `host=127.0.0.1 port=${mute.address().port} sslmode=disable`;
    });

    after(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });

    it('gives up after the timeout', async () => {
      await assert.rejects(connect(silent, { timeout: 50 }),
        { code: 'ETIMEDOUT', message: 'No connection within 50 ms' });
    });

    it('ends with its signal', async () => {
      const controller = new AbortController();
      mute.once('connection', () => controller.abort());
      await assert.rejects(connect(silent, { signal: controller.signal }),
        { name: 'AbortError', code: 'ABORT_ERR' });
    });
  });

  it('passes through the signals and the end of other connections', async () => {
    const [first, second] = await Promise.all([connect(url), connect(url)]);
    await first.close();
    assert.strictEqual((await second.query('select 1 as one')).rows[0].one, 1);
    await second.close();
  });
});

describe('close in the middle', () => {
  it('ends what runs and what waits, on the server too', async () => {
    const { url } = await server();
    const [db, watcher] = await Promise.all([connect(url), connect(url)]);
    const { pid } = db;
    const running = db.query('select pg_sleep(3600)');
    const waiting = db.query('select 1');
    const transaction = db.transaction(() => assert.fail('begun'));
    const errors = Promise.all([running, waiting, transaction]
      .map((promise) => promise.then(assert.fail, (error) => error.code)));
    while ((await watcher.query(
      'select 1 from pg_stat_activity where pid = $1 and state = \'active\'', [pid]))
      .rowCount === 0) continue;
    await db.close();
    assert.deepStrictEqual(await errors, ['08003', '08003', '08003']);
    while ((await watcher.query('select 1 from pg_stat_activity where pid = $1', [pid]))
      .rowCount > 0) continue;
    await watcher.close();
  });
});

describe('a connection that is lost', () => {
  it('in a query gives the server\'s words, and fails from then on', async () => {
    const { url } = await server();
    const [db, killer] = await Promise.all([connect(url), connect(url)]);
    const { pid } = db;
    const lost = assert.rejects(db.query('select pg_sleep(3600)'),
      { code: '57P01', severity: 'FATAL',
        message: /^terminating connection due to administrator command/ });
    const next = assert.rejects(db.query('select 1'), { code: '08006' });
    while ((await killer.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and state = \'active\'', [pid])).rowCount === 0) continue;
    await lost;
    await next;
    assert.strictEqual(db.connected, false);
    await db.close();
    await killer.close();
  });

  it('without a word says so', async () => {
    const own = await new Server().start();
    try {
      const db = await connect(own.url);
      const lost = assert.rejects(db.query('select pg_sleep(3600)'),
        { code: '08006', message: /^server closed the connection unexpectedly/ });
      const watcher = await connect(own.url);
      while ((await watcher.query(
        'select 1 from pg_stat_activity where pid = $1 and state = \'active\'', [db.pid]))
        .rowCount === 0) continue;
      process.kill(db.pid, 'SIGKILL');
      await lost;
      await assert.rejects(db.query('select 1'),
        { code: '08006', message: /^server closed the connection unexpectedly/ });
      await db.close();
      await watcher.close();
    } finally {
      await own.stop();
    }
  });
});

describe('TLS and passwords', () => {
  let own, secure;

  before(async () => {
    own = await new Server().start();
    const files = ['-keyout', path.join(own.data, 'server.key'), '-out',
      path.join(own.data, 'server.crt')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
      ...files, ...subject], { ...own.options, stdio: 'ignore' });
    own.psql('create role guest login password \'secret\'');
    fs.writeFileSync(path.join(own.data, 'pg_hba.conf'),
      'hostssl all guest 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n');
    own.psql('alter system set ssl = on');
    own.psql('select pg_reload_conf()');
    await own.logged('parameter "ssl" changed');
    secure =
      `host=127.0.0.1 port=${own.port} dbname=postgres user=guest sslmode=verify-full sslrootcert=${path.join(own.data, 'server.crt')}`;
  });

  after(() => own.stop());

  it('work', async () => {
    const db = await connect(`${secure} password=secret`);
    assert.deepStrictEqual(
      (await db.query('select ssl, length($1) from pg_stat_ssl where pid = pg_backend_pid()',
        ['x'.repeat(1e6)])).rows,
      [{ ssl: true, length: 1e6 }]);
    await db.close();
    await assert.rejects(connect(`${secure} password=wrong`),
      { code: '08001', message: /password authentication failed/ });
  });

  it('use the OpenSSL of libpq, never Node\'s', function () {
    const script = `require(${JSON.stringify(path.join(__dirname, '..'))}).connect(${JSON.stringify(
      `${secure} password=secret`)}).then((db) => db.close())`;
    const { stderr, status } = spawnSync(process.execPath, ['-e', script], {
      env: { ...process.env, LD_DEBUG: 'bindings' }, encoding: 'utf8', maxBuffer: 1 << 30,
    });
    assert.strictEqual(status, 0);
    const bindings = [...stderr.matchAll(
      /binding file (\S+) \[\d+\] to (\S+) \[\d+\]: normal symbol `(\w+)'/g)];
    const ofTls = bindings.filter(([, from, , name]) => /\/lib(pq|ssl|crypto)\.so/.test(from) &&
      /^(SSL|EVP|HMAC|X509|RAND|BIO)_/.test(name));
    assert.ok(ofTls.length > 100, String(ofTls.length));
    assert.deepStrictEqual(ofTls.filter(([, , to]) => !/\/lib(ssl|crypto)\.so/.test(to))
      .map(([line]) => line), []);
  });
});
