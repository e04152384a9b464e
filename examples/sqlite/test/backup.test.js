'use strict';

const assert = require('node:assert');
const { Database } = require('..');
const { memory } = require('./support/databases.js');
const { temporaryFile } = require('./support/temporary.js');

describe('backup', () => {
  let db, file;
  beforeEach(() => {
    db = memory(5000);
    file = temporaryFile();
  });

  const count = () => {
    const copy = new Database(file, { readonly: true });
    const rows = copy.prepare('select count(*) from t').pluck().get();
    copy.close();
    return rows;
  };

  it('copies a database into a file', async () => {
    const { totalPages, remainingPages } = await db.backup(file);
    assert.ok(totalPages > 10);
    assert.strictEqual(remainingPages, 0);
    assert.strictEqual(count(), 5000);
  });

  it('tells how far it is, and is told how far to go', async () => {
    const told = [];
    let rests = 3;
    await db.backup(file, {
      progress({ totalPages, remainingPages }) {
        told.push([totalPages, remainingPages]);
        return told.length > 2 && rests-- > 0 ? 0 : 5;
      },
    });
    const [first, second, third, fourth] = told.map(([, remaining]) => remaining);
    assert.ok(told.every(([total]) => total === told[0][0]));
    assert.ok(first - second === 5 && second - third === 5 && third === fourth, told.join(' '));
    assert.strictEqual(count(), 5000);
  });

  it('has what the same connection writes meanwhile', async () => {
    let written = false;
    await db.backup(file, {
      progress() {
        if (!written) db.exec('insert into t values (6000, null)');
        written = true;
        return 5;
      },
    });
    assert.strictEqual(count(), 5001);
  });

  it('ends with what its function throws, or with its signal', async () => {
    const thrown = new Error('mine');
    const progress = () => { throw thrown; };
    await assert.rejects(db.backup(file, { progress }), (error) => error === thrown);
    const controller = new AbortController();
    await assert.rejects(db.backup(file, {
      signal: controller.signal,
      progress() {
        controller.abort();
        return 1;
      },
    }), { name: 'AbortError' });
    assert.strictEqual(db.prepare('select count(*) from t').pluck().get(), 5000);
    await db.backup(file);
  });

  it('ends when the database is closed', async () => {
    db.function('f', () => 1);
    await assert.rejects(db.backup(file, {
      progress() {
        db.close();
        return 1;
      },
    }), { code: 'ERR_SQLITE_CLOSED' });
  });

  it('is waited for by closeAsync, which takes nothing that comes later', async () => {
    const order = [];
    let closing;
    const running = db.backup(file, {
      async progress() {
        closing ??= db.closeAsync().then(() => order.push('closed'));
        await new Promise(setImmediate);
        await assert.rejects(db.backup(temporaryFile()), { code: 'ERR_SQLITE_CLOSED' });
        await assert.rejects(db.execAsync('select 1'), { code: 'ERR_SQLITE_CLOSED' });
        return 1;
      },
    }).then(() => order.push('copied'));
    await running;
    await closing;
    assert.deepStrictEqual([order, db.open, count()], [['copied', 'closed'], false, 5000]);
  });

  it('that fails lets closeAsync go on', async () => {
    const failing = db.backup('/nowhere/at/all'), aborted = new AbortController();
    const resting = db.backup(file, { signal: aborted.signal, progress: () => 0 });
    const closing = db.closeAsync();
    await assert.rejects(failing, { code: 'SQLITE_CANTOPEN' });
    aborted.abort();
    await assert.rejects(resting, { name: 'AbortError' });
    await closing;
    assert.strictEqual(db.open, false);
  });

  it('is refused by a loop that begins meanwhile, and leaves it alone', async () => {
    const rows = db.prepare('select id from t order by id').pluck().iterate();
    let first;
    await assert.rejects(db.backup(file, {
      progress() {
        first ??= rows.next().value;
        return 1;
      },
    }), { code: 'ERR_SQLITE_BUSY' });
    assert.deepStrictEqual([first, rows.next().value], [1, 2]);
    rows.return();
    assert.strictEqual(db.busy, false);
    await db.backup(file);
    assert.strictEqual(count(), 5000);
  });

  it('copies what is attached', async () => {
    db.exec('attach \':memory:\' as other; create table other.t (a); insert into other.t values (1)');
    await db.backup(file, { attached: 'other' });
    assert.strictEqual(count(), 1);
  });

  it('gives the errors of the file, and of the name', async () => {
    await assert.rejects(db.backup('/nowhere/at/all'), { name: 'SqliteError', code: 'SQLITE_CANTOPEN' });
    await assert.rejects(db.backup(file, { attached: 'nobody' }), { name: 'SqliteError', code: 'SQLITE_ERROR' });
    await assert.rejects(db.backup(5), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
