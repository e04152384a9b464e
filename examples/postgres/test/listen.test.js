'use strict';

const assert = require('node:assert');
const { connect } = require('..');
const { server } = require('./support/server.js');

describe('listen', () => {
  let db, other;

  beforeEach(async () => {
    const { url } = await server();
    [db, other] = await Promise.all([connect(url), connect(url)]);
  });
  afterEach(() => Promise.all([db.close(), other.close()]));

  const notify = (connection, channel, payload) =>
    connection.query('select pg_notify($1, $2)', [channel, payload]);

  it('gives what others notify, in order', async () => {
    const jobs = await db.listen('jobs');
    for (const payload of ['a', '', 'é']) await notify(other, 'jobs', payload);
    for (const payload of ['a', '', 'é']) {
      assert.deepStrictEqual(await jobs.next(),
        { value: { channel: 'jobs', payload, pid: other.pid }, done: false });
    }
    await jobs.return();
  });

  it('gives them while nothing else happens, between queries and during them', async () => {
    const jobs = await db.listen('jobs');
    const idle = jobs.next();
    await notify(other, 'jobs', 'idle');
    assert.strictEqual((await idle).value.payload, 'idle');
    await Promise.all([db.query('select pg_sleep(0.02)'), notify(other, 'jobs', 'busy'),
      notify(db, 'jobs', 'own')]);
    assert.deepStrictEqual([(await jobs.next()).value.payload, (await jobs.next()).value.payload]
      .sort(), ['busy', 'own']);
    await jobs.return();
  });

  it('has several listeners, each with its channel; names are taken as they are', async () => {
    const strange = 'Strange "name"; é';
    const [first, second, third] = await Promise.all([db.listen('jobs'), db.listen('jobs'),
      db.listen(strange)]);
    await notify(other, 'jobs', '1');
    await notify(other, strange, '2');
    assert.deepStrictEqual([(await first.next()).value.payload, (await second.next())
      .value.payload], ['1', '1']);
    assert.deepStrictEqual((await third.next()).value,
      { channel: strange, payload: '2', pid: other.pid });
    await first.return();
    await notify(other, 'jobs', '3');
    assert.strictEqual((await second.next()).value.payload, '3');
    await Promise.all([second.return(), third.return()]);
    assert.deepStrictEqual((await db.query('select * from pg_listening_channels()')).rows, []);
  });

  it('ends with its signal, with its connection, and with an error when that is lost', async () => {
    const controller = new AbortController();
    const jobs = await db.listen('jobs', { signal: controller.signal });
    const aborted = assert.rejects(jobs.next(), { name: 'AbortError' });
    controller.abort();
    await aborted;
    assert.strictEqual((await db.query('select 1 as one')).rows[0].one, 1);
    const closed = await other.listen('jobs');
    const end = closed.next();
    await other.close();
    assert.deepStrictEqual(await end, { value: undefined, done: true });
    const lost = await db.listen('jobs');
    const failed = assert.rejects(lost.next(), { code: '08006' });
    (await server()).psql(`select pg_terminate_backend(${db.pid})`);
    await failed;
  });
});
