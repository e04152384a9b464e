'use strict';

const { Database } = require('../..');

const opened = [];

/** A database in memory, closed after the test, with a table of so many rows. */
function memory(rows = 0) {
  const db = new Database(':memory:');
  opened.push(db);
  db.exec('create table t (id integer primary key, name text)');
  const insert = db.prepare('insert into t values (?, ?)');
  db.transaction(() => {
    for (let i = 1; i <= rows; i++) insert.run(i, `name ${i}`);
  })();
  return db;
}

// An endless query, and one of so many rows.
const ENDLESS = 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c';
const COUNTED = 'with recursive c(x) as (select 1 union all select x + 1 from c where x < ?) select x from c';

afterEach(async () => {
  for (const db of opened.splice(0)) await db.closeAsync().catch(() => {});
});

module.exports = { memory, ENDLESS, COUNTED };
