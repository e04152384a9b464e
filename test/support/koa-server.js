'use strict';

/*
 * A Koa 1 application with koa-router 5 on 127.0.0.1, asked over HTTP by itself; prints what came
 * back. Every kind of middleware of that time is in it: generators with `yield next`, promises,
 * thunks, arrays, errors thrown to where they are caught.
 */

const fs = require('node:fs');
const { once } = require('node:events');

const koa = require('koa');
const Router = require('koa-router');

const app = koa();
const router = new Router();
const log = [];
const errors = [];

app.on('error', (error) => errors.push(error.message));

app.use(function* timing(next) {
  log.push(`> ${this.path}`);
  yield next;
  log.push(`< ${this.status}`);
  this.set('x-order', 'timing');
});

app.use(function* (next) {
  try {
    yield next;
  } catch (error) {
    if (!error.expose) throw error;
    this.status = error.status;
    this.body = `caught ${error.message}`;
  }
});

app.use(function* (next) {
  this.state.user = yield Promise.resolve('ada');
  yield* next;
});

router.param('id', function* (id, next) {
  this.item = yield { id: Promise.resolve(Number(id)),
    name: (done) => setImmediate(done, null, `item ${id}`) };
  if (Number.isNaN(this.item.id)) this.throw(400, 'no such id');
  yield next;
});
router.get('/items/:id', function* () {
  this.body = { user: this.state.user, item: this.item,
    both: yield [Promise.resolve(1), (done) => done(null, 2)] };
});
router.get('/file', function* () {
  this.type = 'text';
  this.body = fs.createReadStream(__filename);
});
router.post('/echo', function* () {
  const chunks = [];
  this.req.on('data', (chunk) => chunks.push(chunk));
  yield (done) => this.req.once('end', done);
  this.body = Buffer.concat(chunks);
});
router.get('/broken', function* () {
  yield Promise.reject(new Error('broken'));
});
router.get('/bad-yield', function* () {
  yield 5;
});

app.use(router.routes()).use(router.allowedMethods());

async function main() {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${server.address().port}`;
  const ask = async (path, options) => {
    const response = await fetch(base + path, { headers: { connection: 'close' }, ...options });
    return [response.status, await response.text(), response.headers.get('x-order')];
  };
  const answers = {
    item: await ask('/items/7'),
    badItem: await ask('/items/x'),
    file: (await ask('/file'))[1] === fs.readFileSync(__filename, 'utf8'),
    echo: await ask('/echo', { method: 'POST', body: 'hello', headers: { connection: 'close' } }),
    broken: await ask('/broken'),
    badYield: await ask('/bad-yield'),
    missing: await ask('/nowhere'),
    notAllowed: await ask('/items/7', { method: 'DELETE', headers: { connection: 'close' } }),
  };
  const many = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(`/items/${i}`)));
  answers.many = many.every(([status, body], i) => status === 200 &&
    JSON.parse(body).item.id === i);
  server.close();
  await once(server, 'close');
  process.stdout.write(
    JSON.stringify({ answers, log: log.slice(0, 4), errors, replaced: process.replacedCo ?? [] }));
}

main();
