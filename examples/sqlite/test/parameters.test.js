'use strict';

const assert = require('node:assert');
const { memory } = require('./support/databases.js');

describe('parameters', () => {
  let db;
  beforeEach(() => { db = memory(); });
  const get = (sql, ...values) => db.prepare(sql).raw().get(...values);

  it('come one by one, and in arrays', () => {
    for (const values of [[1, 2, 3], [[1, 2, 3]], [[1], [2, 3]], [1, [2], [], 3]]) {
      assert.deepStrictEqual(get('select ?, ?, ?', ...values), [1, 2, 3]);
    }
  });

  it('come by many, more than a call has in registers', () => {
    const values = Array.from({ length: 100 }, (_, i) => i);
    const sql = `select ${values.map(() => '?').join()}`;
    assert.deepStrictEqual(get(sql, ...values), values);
    assert.deepStrictEqual(get(sql, values), values);
  });

  it('come by their names, with whatever is in front', () => {
    assert.deepStrictEqual(get('select @a, :b, $c, @a', { a: 1, b: 'x', c: null }), [1, 'x', null, 1]);
    assert.deepStrictEqual(get('select @a', Object.assign(Object.create(null), { a: Buffer.from('b') })),
      [Buffer.from('b')]);
  });

  it('with numbers count as names', () => {
    assert.deepStrictEqual(get('select ?2, ?1', { 1: 'a', 2: 'b' }), ['b', 'a']);
    assert.throws(() => get('select ?1', 'a'), { name: 'RangeError', message: /Too many/ });
  });

  it('come mixed', () => {
    assert.deepStrictEqual(get('select @a, ?, @a, ?', 1, { a: 2 }, 3), [2, 1, 2, 3]);
    assert.deepStrictEqual(get('select ?', { unused: 1 }, 1), [1]);
  });

  it('have to be as many as there are', () => {
    assert.throws(() => get('select ?, ?', 1), { name: 'RangeError', message: /Too few/ });
    assert.throws(() => get('select ?', 1, 2), { name: 'RangeError', message: /Too many/ });
    assert.throws(() => get('select 1', 2), { name: 'RangeError', message: /Too many/ });
    assert.throws(() => get('select @a'), { name: 'TypeError', message: /Missing named/ });
    assert.throws(() => get('select @a', {}), { name: 'RangeError', message: 'Missing named parameter "a"' });
    assert.throws(() => get('select @a', { a: 1 }, { a: 2 }), { name: 'TypeError' });
    assert.throws(() => get('select @toString', {}), { name: 'RangeError' });
  });

  it('whose getters throw or misbehave are told of', async () => {
    const thrown = new Error('mine');
    const statement = db.prepare('select @a').pluck();
    assert.throws(() => statement.get({ get a() { throw thrown; } }), (error) => error === thrown);
    assert.throws(() => statement.get({ get a() { return db.exec('select 1'); } }), { code: 'ERR_SQLITE_BUSY' });
    assert.throws(() => statement.get({ get a() { return db.close(); } }), { code: 'ERR_SQLITE_BUSY' });
    for (const a of [{}, Promise.resolve(1), [1], new Date()]) {
      assert.throws(() => statement.get({ a }), { name: 'TypeError' });
    }
    assert.throws(() => statement.get({ a: undefined }), { name: 'TypeError' });
    await assert.rejects(statement.getAsync({ a: Promise.resolve(1) }), { name: 'TypeError' });
    assert.strictEqual(statement.get({ a: 1 }), 1);
  });

  it('are not there after the call', () => {
    const statement = db.prepare('select ?').pluck();
    assert.strictEqual(statement.get('x'), 'x');
    assert.throws(() => statement.get(), { name: 'RangeError' });
  });

  it('that are bound stay', () => {
    const statement = db.prepare('select ?, @b').raw();
    assert.strictEqual(statement.bind('x'.repeat(5), { b: Buffer.from('y') }), statement);
    assert.deepStrictEqual(statement.get(), ['xxxxx', Buffer.from('y')]);
    assert.deepStrictEqual(statement.all(), [['xxxxx', Buffer.from('y')]]);
    assert.throws(() => statement.get(1), { name: 'TypeError', code: 'ERR_SQLITE_BOUND' });
    assert.throws(() => statement.bind(1), { code: 'ERR_SQLITE_BOUND' });
    assert.strictEqual(`${statement}`, 'select \'xxxxx\', x\'79\'');
    assert.strictEqual(`${db.prepare('select ?')}`, 'select ?');
  });

  it('that could not be bound leave it free', () => {
    const statement = db.prepare('select ?').pluck();
    assert.throws(() => statement.bind(), { name: 'RangeError' });
    assert.strictEqual(statement.bind(5).get(), 5);
  });
});
