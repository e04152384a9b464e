'use strict';

const assert = require('node:assert');
const { connect } = require('..');
const { server } = require('./support/server.js');

describe('transaction', () => {
  let db, count;

  before(async () => {
    db = await connect((await server()).url);
    await db.query('create temp table entries (n int)');
    count = async (from = db) => Number((await from.query('select count(*) as count from entries'))
      .rows[0].count);
  });
  beforeEach(() => db.query('truncate entries'));
  after(() => db.close());

  it('commits, and gives what its function gave', async () => {
    const value = { own: true };
    assert.strictEqual(await db.transaction(async (tx) => {
      await tx.query('insert into entries values (1)');
      await tx.query('insert into entries values (2)');
      return value;
    }), value);
    assert.strictEqual(await count(), 2);
  });

  it('rolls back when its function throws or rejects, and passes on what it threw', async () => {
    const reason = new Error('changed my mind');
    await assert.rejects(db.transaction(async (tx) => {
      await tx.query('insert into entries values (1)');
      throw reason;
    }), (error) => error === reason);
    await assert.rejects(db.transaction(() => { throw reason; }), (error) => error === reason);
    assert.strictEqual(await count(), 0);
  });

  it('rejects when a statement failed that its function caught', async () => {
    await assert.rejects(db.transaction(async (tx) => {
      await tx.query('insert into entries values (1)');
      await tx.query('select 1/0').catch(() => {});
    }), { code: '25P02' });
    assert.strictEqual(await count(), 0);
  });

  it('has the connection to itself', async () => {
    const order = [];
    let outside;
    await db.transaction(async (tx) => {
      outside = count().then((n) => order.push(`outside sees ${n}`));
      await tx.query('insert into entries values (1)');
      await tx.query('select pg_sleep(0.01)');
      order.push('inside');
    });
    await outside;
    assert.deepStrictEqual(order, ['inside', 'outside sees 1']);
  });

  it('ends with its function: later queries of it are refused', async () => {
    let kept;
    await db.transaction(async (tx) => (kept = tx));
    await assert.rejects(kept.query('select 1'),
      { code: '25P01', message: 'The transaction has ended' });
    await db.transaction(() => assert.rejects(kept.query('select 1'), { code: '25P01' }));
  });

  it('takes modes', async () => {
    await db.transaction(async (tx) => {
      assert.strictEqual((await tx.query('show transaction_isolation')).rows[0]
        .transaction_isolation, 'serializable');
    }, { isolation: 'serializable' });
    await assert.rejects(db.transaction((tx) => tx.query('create table t ()'), { readOnly: true }),
      { code: '25006' });
    await assert.rejects(db.transaction(() => assert.fail('begun'), { isolation: 'none' }),
      { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('is rolled back by its signal while its function goes on', async () => {
    const controller = new AbortController();
    let inside;
    await assert.rejects(db.transaction((tx) => (inside = (async () => {
      await tx.query('insert into entries values (1)');
      controller.abort();
      await assert.rejects(tx.query('select pg_sleep(0.01)').then(() => tx.query('select 1')),
        { code: '25P01' });
    })()), { signal: controller.signal }), { name: 'AbortError' });
    await inside;
    assert.strictEqual(await count(), 0);
  });
});
