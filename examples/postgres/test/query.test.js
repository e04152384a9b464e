'use strict';

// Queries: parameters, types, errors, signals, many at once, and the same results as psql's.

const assert = require('node:assert');
const { connect } = require('..');
const { server } = require('./support/server.js');

describe('query', () => {
  let db, psql;

  before(async () => {
    const own = await server();
    psql = (sql) => own.psql(sql);
    db = await connect(own.url);
  });
  after(() => db.close());

  const one = async (sql, params) => Object.values((await db.query(sql, params)).rows[0])[0];

  it('gives rows, fields, the command and its count', async () => {
    assert.deepStrictEqual(await db.query('select $1::int + 1 as n, \'x\' as t', [41]), {
      fields: [{ name: 'n', type: 23 }, { name: 't', type: 25 }], rows: [{ n: 42, t: 'x' }],
      command: 'SELECT', rowCount: 1,
    });
    assert.deepStrictEqual(await db.query(''), { fields: [], rows: [], command: '', rowCount: 0 });
    await db.query('create temp table numbers (n int)');
    const { command, rowCount } =
      await db.query('insert into numbers select generate_series(1, 3)');
    assert.deepStrictEqual([command, rowCount], ['INSERT', 3]);
    assert.strictEqual((await db.query('create temp table more ()')).command, 'CREATE TABLE');
  });

  const cases = [
    ['boolean', 'true', true], ['boolean', 'false', false], ['int2', '-32768', -32768],
    ['int4', '2147483647', 2147483647],
    ['int8', '9223372036854775807', 9223372036854775807n], ['int8', '-1', -1n],
      ['oid', '4294967295', 4294967295],
    ['float4', '0.1', 0.1], ['float8', '-0', -0], ['float8', 'NaN', NaN],
      ['float8', '-Infinity', -Infinity], ['float8', '1e308', 1e308],
    ['numeric', '0.10', '0.10'], ['text', 'é \u{1f418} \'"\\', 'é \u{1f418} \'"\\'],
      ['text', '', ''], ['varchar', 'a', 'a'],
    ['bytea', '\\x0001ff', Buffer.from([0, 1, 255])], ['bytea', '', Buffer.alloc(0)],
      ['date', '2024-02-29', '2024-02-29'],
    ['json', '{"a":[1,null]}', { a: [1, null] }], ['jsonb', '"x"', 'x'], ['jsonb', 'null', null],
      ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['int[]', '{}', []], ['int[]', '{1,NULL,3}', [1, null, 3]], ['int[]', '[0:1]={1,2}', [1, 2]],
      ['int8[]', '{{1,2},{3,4}}', [[1n, 2n], [3n, 4n]]],
    ['text[]', '{a,"b c","d\\"e\\\\","NULL",NULL,"{}",""}',
      ['a', 'b c', 'd"e\\', 'NULL', null, '{}', '']],
    ['json[]', '{"{\\"a\\":1}",NULL}', [{ a: 1 }, null]],
      ['bytea[]', '{"\\\\x00ff"}', [Buffer.from([0, 255])]], ['boolean[]', '{t,f}', [true, false]],
  ];
  for (const [type, text, value] of cases) {
    it(`reads ${type} ${text}`, async () => {
      const read = await one(`select $1::${type}`, [text]);
      assert.ok(Object.is(read, value) || typeof value === 'object');
      assert.deepStrictEqual(read, value);
    });
  }

  it('sends what JavaScript has', async () => {
    for (const [type, value, read = value] of [
      ['int', 7], ['int8', 2n ** 62n], ['float8', 1e-7], ['float8', -Infinity], ['boolean', true],
      ['text', 'é\n'], ['text', null], ['text', undefined, null],
      ['bytea', Buffer.from('a\0b')], ['bytea', Buffer.alloc(0)],
        ['bytea', new Uint8Array([1]), Buffer.from([1])], ['jsonb', { a: [1, 'x'] }],
      ['timestamptz', new Date(0), '1970-01-01 00:00:00+00'], ['int[]', [1, null, 3]],
        ['text[]', ['a"\\', '{,}', 'NULL', '', null]], ['int[]', [[1, 2], [3, 4]]],
      ['bytea[]', [Buffer.from([0, 255])]], ['jsonb[]', [{ a: '"' }]],
    ]) {
      assert.deepStrictEqual(await one(`select $1::${type}`, [value]), read, type);
    }
  });

  it('refuses what it can\'t send', async () => {
    await assert.rejects(db.query('select $1', ['a\0b']),
      { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    await assert.rejects(db.query('select 1\0'), { code: 'ERR_INVALID_ARG_VALUE' });
    await assert.rejects(db.query('select $1', [() => {}]), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(db.query('select $1', 'x'), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(db.query('select 1', new Array(65536).fill(1)),
      { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(db.query(1), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.strictEqual(await one('select 1'), 1);
  });

  it('rejects with the server\'s error', async () => {
    await assert.rejects(db.query('select * from nowhere'), {
      name: 'Error', code: '42P01', severity: 'ERROR', message: 'relation "nowhere" does not exist',
      position: 15,
    });
    await assert.rejects(db.query('select \'a\' || nothing from pg_class'),
      { code: '42703', position: 15 });
    await db.query('create temp table keys (k int primary key)');
    await assert.rejects(db.query('insert into keys values (1), (1)'), {
      code: '23505', detail: 'Key (k)=(1) already exists.', table: 'keys', constraint: 'keys_pkey',
    });
    await assert.rejects(db.query('select lower(1)'),
      { code: '42883', hint: /explicit type casts/ });
    await assert.rejects(db.query('select 1; select 2'), { code: '42601' });
  });

  it('refuses COPY from and to the client, and goes on', async () => {
    await db.query('create temp table copied (n int)');
    await assert.rejects(db.query('copy copied from stdin'),
      { code: '57014', message: /COPY FROM STDIN is not supported/ });
    await assert.rejects(db.query('copy (select generate_series(1, 100000)) to stdout'),
      { code: '0A000' });
    assert.strictEqual(await one('select 1'), 1);
  });

  it('runs one after another, in order', async () => {
    await db.query('create temp table turns (id serial, n int)');
    await Promise.all(Array.from({ length: 50 },
      (_, i) => db.query('insert into turns (n) values ($1)', [i])));
    assert.deepStrictEqual((await db.query('select n from turns order by id'))
      .rows.map(({ n }) => n), Array.from({ length: 50 }, (_, i) => i));
  });

  it('passes large texts both ways while the server talks', async () => {
    const big = 'x'.repeat(5e6);
    assert.strictEqual(await one('select $1 || \'y\'', [big]), `${big}y`);
  });

  it('gives what psql gives', async () => {
    const sql =
      'select n, n * 1.5 as half, md5(n::text), n % 3 = 0, array[n, -n] from generate_series(1, 200) as n order by md5(n::text)';
    const text = (value) => (Array.isArray(value) ? `{${value}}` : typeof value === 'boolean'
      ? String(value)[0] : String(value));
    const { rows } = await db.query(sql);
    assert.strictEqual(rows.map((row) => Object.values(row).map(text).join('|')).join('\n'),
      psql(sql.replace('n % 3', 'n % 3')));
  });

  it('has the columns\' names as they are', async () => {
    const row = (await db.query('select 1 as "__proto__", 2 as "constructor", 3 as "é"')).rows[0];
    assert.deepStrictEqual(Object.entries(row), [['__proto__', 1], ['constructor', 2], ['é', 3]]);
    assert.strictEqual(Object.getPrototypeOf(row), Object.prototype);
  });

  describe('with a signal', () => {
    it('is cancelled on the server, and the connection goes on', async () => {
      const controller = new AbortController();
      const cancelled = assert.rejects(db.query('select pg_sleep(3600)', [],
        { signal: controller.signal }), { name: 'AbortError', cause: 'enough' });
      while (
        psql(
          `select count(*) from pg_stat_activity where pid = ${db.pid} and state = 'active'`) === '0') continue;
      controller.abort('enough');
      await cancelled;
      assert.strictEqual(psql(`select state from pg_stat_activity where pid = ${db.pid}`), 'idle');
      assert.strictEqual(await one('select 2'), 2);
    });

    it('never begins while it waits, or when it was aborted before', async () => {
      const controller = new AbortController();
      await db.query('create temp table effects (n int)');
      const first = db.query('select pg_sleep(0.05)');
      const second = assert.rejects(db.query('insert into effects values (1)', [],
        { signal: controller.signal }), { name: 'AbortError' });
      controller.abort();
      await second;
      await first;
      await assert.rejects(db.query('insert into effects values (1)', [],
        { signal: AbortSignal.abort() }), { name: 'AbortError' });
      assert.strictEqual(await one('select count(*) from effects'), 0n);
    });

    it('that is aborted after the end changes nothing', async () => {
      const controller = new AbortController();
      await db.query('select 1', [], { signal: controller.signal });
      controller.abort();
      assert.strictEqual(await one('select 3'), 3);
    });
  });

  it('does a hundred at once over ten connections', async () => {
    const { url } = await server();
    const connections = await Promise.all(Array.from({ length: 10 }, () => connect(url)));
    const results = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      const { rows } = await connections[i % 10]
        .query('select $1::int * n as product from generate_series(1, 100) as n', [i]);
      return rows.reduce((sum, { product }) => sum + product, 0);
    }));
    assert.deepStrictEqual(results, Array.from({ length: 100 }, (_, i) => i * 5050));
    await Promise.all(connections.map((connection) => connection.close()));
  });
});
