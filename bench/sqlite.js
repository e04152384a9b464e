'use strict';

/*
 * examples/sqlite against better-sqlite3 12, which brings a newer SQLite of its own, built with
 * other options. So fibril's addon is measured twice: with that very library ("same SQLite", which
 * compares what is around it), and with Debian's, as the example is built. better-sqlite3 is
 * fetched from npm and, where it has no binary, built from source.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { installPackages } = require('../scripts/fetch-package');
const { compare, formatNs, save, summarize, table } = require('./harness');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build', 'bench-sqlite');
const example = path.join(root, 'examples', 'sqlite');
const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');

const ROWS = 20000;
const SAME = 'fibril, same SQLite';
const DEBIAN = 'fibril, Debian\'s';
const PEER = 'better-sqlite3';

/* How many times as fast as better-sqlite3 with the same SQLite is wanted. */
const AIMS = { 'a row by its id': 0.9, '20,000 rows': 1 };

// ---- Building

function command(file, args, options) {
  const stdio = ['ignore', 'pipe', 'pipe'];
  return execFileSync(file, args, { stdio, encoding: 'utf8', ...options });
}

function buildPeer() {
  const peer = path.join(installPackages(['better-sqlite3@12']), 'node_modules', 'better-sqlite3');
  if (!fs.existsSync(path.join(peer, 'build', 'Release', 'better_sqlite3.node'))) {
    command(process.execPath, [nodeGyp, 'rebuild', '--release'], { cwd: peer });
  }
  return peer;
}

function find(under, name) {
  const found = fs.readdirSync(under, { recursive: true })
    .find((each) => path.basename(each) === name);
  if (found === undefined) throw new Error(`${under} has no ${name}`);
  return path.join(under, found);
}

/** What pkg-config says of better-sqlite3's SQLite. It lacks the progress handler. */
function describeLibrary(peer) {
  const source = path.join(folder, 'progress.c'), object = path.join(folder, 'progress.o');
  const built = path.join(peer, 'build', 'Release');
  fs.writeFileSync(source, 'void sqlite3_progress_handler(void *db, int n, int (*fn)(void *), void *arg);\n' +
    'void sqlite3_progress_handler(void *db, int n, int (*fn)(void *), void *arg) {\n' +
    '  (void)db, (void)n, (void)fn, (void)arg;\n}\n');
  command('gcc', ['-O2', '-fPIC', '-c', source, '-o', object]);
  const header = path.dirname(find(built, 'sqlite3.h')), library = find(built, 'sqlite3.a');
  fs.writeFileSync(path.join(folder, 'sqlite3.pc'),
    `Name: SQLite\nDescription: of better-sqlite3\nVersion: 3\nCflags: -I${header}\nLibs: ${object} ${library} -lm\n`);
}

/** The example in a folder of its own, built with what pkg-config finds. */
function buildExample(name, env) {
  const copy = path.join(folder, name);
  fs.mkdirSync(copy, { recursive: true });
  for (const each of ['src', 'lib', 'index.js', 'binding.gyp', 'package.json']) {
    fs.cpSync(path.join(example, each), path.join(copy, each), { recursive: true });
  }
  fs.mkdirSync(path.join(copy, 'node_modules'), { recursive: true });
  fs.rmSync(path.join(copy, 'node_modules', 'fibril'), { recursive: true, force: true });
  fs.symlinkSync(root, path.join(copy, 'node_modules', 'fibril'));
  command(process.execPath, [nodeGyp, 'configure', 'build'], { cwd: copy, env: { ...process.env, ...env } });
  return require(copy);
}

// ---- What is measured

/** A database in memory, and the statements of the rows below. */
function open(Database) {
  const db = new Database(':memory:');
  db.exec('create table users (id integer primary key, name text, email text, age int, score real)');
  const insert = db.prepare('insert into users values (?, ?, ?, ?, ?)');
  db.transaction(() => {
    for (let i = 1; i <= ROWS; i++) insert.run(i, `name ${i}`, `user${i}@example.com`, i % 90, i / 7);
  })();
  return {
    db,
    insert,
    row: db.prepare('select * from users where id = ?'),
    named: db.prepare('select * from users where id = @id'),
    value: db.prepare('select name from users where id = ?').pluck(),
    all: db.prepare('select * from users'),
    raw: db.prepare('select * from users').raw(),
    write: db.prepare('update users set score = ? where id = ?'),
  };
}

const idOf = (i) => i % ROWS + 1;

const WORK = {
  'a row by its id': (at) => (n) => {
    for (let i = 0; i < n; i++) at.row.get(idOf(i));
  },
  'a value by its id': (at) => (n) => {
    for (let i = 0; i < n; i++) at.value.get(idOf(i));
  },
  'a row by a name': (at) => (n) => {
    for (let i = 0; i < n; i++) at.named.get({ id: idOf(i) });
  },
  'an update': (at) => (n) => {
    for (let i = 0; i < n; i++) at.write.run(i, idOf(i));
  },
  '20,000 rows': (at) => (n) => {
    for (let i = 0; i < n; i++) at.all.all();
  },
  '20,000 arrays': (at) => (n) => {
    for (let i = 0; i < n; i++) at.raw.all();
  },
  '20,000 rows in a loop': (at) => (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) for (const row of at.all.iterate()) sum += row.age;
    return sum > 0 ? undefined : 0;
  },
};

/** The longest time between two turns of the loop while `work` went on. */
async function delayOf(work) {
  let longest = 0, last = process.hrtime.bigint(), running = true;
  const turn = () => {
    const now = process.hrtime.bigint();
    longest = Math.max(longest, Number(now - last));
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await new Promise(setImmediate);
  await work();
  await new Promise(setImmediate);
  running = false;
  return longest;
}

async function delays(at, peer, rounds) {
  const forms = {
    [`${PEER} all()`]: async () => void peer.all.all(),
    'fibril all()': async () => void at.all.all(),
    'fibril allAsync()': () => at.all.allAsync(),
    'fibril iterateAsync()': async () => {
      for await (const row of at.all.iterateAsync()) if (row.id === 0) break;
    },
  };
  const samples = Object.fromEntries(Object.keys(forms).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(forms)) samples[name].push(await delayOf(work));
  }
  return Object.entries(samples).map(([name, each]) => ({ name, longest: summarize(each) }));
}

async function run(options) {
  fs.mkdirSync(folder, { recursive: true });
  const peer = buildPeer();
  describeLibrary(peer);
  const same = buildExample('same', { PKG_CONFIG_PATH: folder });
  const debian = buildExample('debian', {});
  const places = {
    [SAME]: open(same.Database), [DEBIAN]: open(debian.Database), [PEER]: open(require(peer)),
  };
  const version = ({ db }) => db.prepare('select sqlite_version()').pluck().get();
  console.log(Object.entries(places).map(([name, at]) => `${name}: ${version(at)}`).join('; '));
  const rows = [];
  for (const [name, make] of Object.entries(WORK)) {
    if (options.only.length > 0 && !options.only.some((part) => name.includes(part))) continue;
    const contenders = Object.fromEntries(Object.entries(places)
      .map(([label, at]) => [label, make(at)]));
    rows.push(await compare(name, contenders, { ...options, reference: PEER }));
  }
  console.log(table(rows));
  for (const row of rows) {
    const aim = AIMS[row.name], { ratio } = row.results[SAME];
    if (aim !== undefined) {
      console.log(`${row.name}: ${ratio.median.toFixed(2)} of ${aim} wanted: ${
        ratio.high >= aim ? 'met' : 'missed'}`);
    }
  }
  const late = await delays(places[SAME], places[PEER], options.quick ? 5 : 21);
  console.log('\nThe loop\'s longest delay while 20,000 rows are read');
  for (const { name, longest } of late) console.log(`  ${name.padEnd(24)} ${formatNs(longest.median)}`);
  if (options.json) save(options.json, 'sqlite', rows, { delays: late });
}

module.exports = { run };
