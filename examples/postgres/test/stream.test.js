'use strict';

// Rows as they come: loops that end, are left, throw, are aborted or forgotten.

const assert = require('node:assert');
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { connect } = require('..');
const { server } = require('./support/server.js');

// In the list of columns: one in FROM would be computed to its end first.
const ENDLESS = 'select generate_series(1, 1000000000) as n, repeat(\'x\', 1000) as filler';

describe('stream', () => {
  let db, psql;

  before(async () => {
    const own = await server();
    psql = (sql) => own.psql(sql);
    db = await connect(own.url);
  });
  after(() => db.close());

  const isIdle = async () => {
    assert.deepStrictEqual((await db.query('select 1 as one')).rows, [{ one: 1 }]);
    assert.strictEqual(psql(`select state from pg_stat_activity where pid = ${db.pid}`), 'idle');
  };

  it('gives every row in order', async () => {
    let next = 1;
    for await (const row of db.stream(
      'select n, n::text as t from generate_series(1, $1::int) as n', [10000])) {
      assert.deepStrictEqual(row, { n: next, t: String(next) });
      next++;
    }
    assert.strictEqual(next, 10001);
    await isIdle();
  });

  it('gives no row where there is none', async () => {
    for (const sql of ['select 1 where false', 'create temp table of_a_stream (n int)', '']) {
      for await (const row of db.stream(sql)) assert.fail(String(row));
    }
  });

  it('hands out rows before the last one exists', async () => {
    const rows = db.stream(ENDLESS);
    assert.strictEqual((await rows.next()).value.n, 1);
    await rows.return();
    await isIdle();
  });

  it('cancels the query when its loop is left, and the connection goes on', async () => {
    for await (const { n } of db.stream(ENDLESS)) if (n === 1000) break;
    await isIdle();
    await assert.rejects((async () => {
      for await (const { n } of db.stream(ENDLESS)) if (n === 1000) throw new Error('enough');
    })(), { message: 'enough' });
    await isIdle();
  });

  it('rejects with the server\'s error after the rows before it', async () => {
    const seen = [];
    await assert.rejects((async () => {
      for await (const { q } of db.stream(
        'select 6 / (3 - n) as q from generate_series(1, 3) as n')) seen.push(q);
    })(), { code: '22012', severity: 'ERROR' });
    assert.deepStrictEqual(seen, [3, 6]);
    await assert.rejects(db.stream('nonsense').next(), { code: '42601', position: 1 });
    await isIdle();
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    await assert.rejects((async () => {
      for await (const { n } of db.stream(ENDLESS, [], { signal: controller.signal })) {
        if (n === 1000) controller.abort('enough');
      }
    })(), { name: 'AbortError', cause: 'enough' });
    await isIdle();
  });

  it('has the connection to itself', async () => {
    const rows = db.stream(ENDLESS);
    await rows.next();
    let ended = false;
    const waiting = db.query('select 2 as two')
      .then(({ rows: [row] }) => assert.deepStrictEqual([ended, row.two], [true, 2]));
    await turn();
    ended = true;
    await rows.return();
    await waiting;
  });

  it('that nobody has any more is ended', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc');
    await (async () => db.stream(ENDLESS).next())();
    let free = false;
    const waiting = db.query('select 1').then(() => (free = true));
    while (!free) {
      gc();
      await sleep(20); // what the server has sent by then wants to be read
    }
    await waiting;
    await isIdle();
  });

  it('in a transaction that is left takes back its statement only', async () => {
    await db.query('create temp table kept (n int)');
    await db.transaction(async (tx) => {
      await tx.query('insert into kept values (0)');
      for await (const { n } of tx.stream(
        'insert into kept select generate_series(1, 10000) returning n')) if (n === 5) break;
      for await (const { n } of tx.stream(ENDLESS)) if (n === 5) break;
      for await (const { n } of tx.stream('select 1 as n')) assert.strictEqual(n, 1);
      await tx.stream(ENDLESS).next(); // left open: the end of the transaction ends it
    });
    assert.deepStrictEqual((await db.query('select n from kept')).rows, [{ n: 0 }]);
  });
});
