// Compiled, never run: the types of gen, IOLoop, locks and queues.

import { Handler, IOLoop, PeriodicCallback, gen, locks, queues, Future } from 'fibril';
import { is } from './is';

async function check() {
  const add = gen.coroutine(function* (a: number, b: number) {
    yield gen.sleep(1);
    return a + b;
  });
  const sum: number = await add(1, 2);
  is<any>()(await gen.coroutine(function* (name, n) {
    const [a, b] = yield [add(n, 1), name.anything];
    return a + b;
  })('any', 1));
  // @ts-expect-error an argument is missing
  add(1);
  const [first, second]: [number, string] = await gen.multi([add(1, 2), gen.sleep(1, 'x')]);
  const limited: number = await gen.withTimeout(50, add(1, 2), { quietExceptions: TypeError });
  gen.multi([add(1, 2)], { quietExceptions: undefined });
  is<Future<number>>()(gen.coroutine(async function* () {
    yield 'a';
    return 1;
  })());
  is<Future<string>>()(gen.coroutine(async () => 'text')());
  is<Future<string>>()(gen.convertYielded((async function* () {
    yield 1;
    return 'text';
  })()));
  is<Future<{ readonly a: number; readonly b: [string, undefined] }>>()(
    gen.withTimeout(5, {} as { readonly a: Promise<number>; readonly b: [Future<string>, null] }));
  is<Future<never>>()(gen.convertYielded(() => 1));
  is<undefined>()(await gen.moment);
  is<Future<number>>()(gen.chainFuture(Promise.resolve(1), new Future<number>()));
  const future = new Future<number>();
  future.addDoneCallback((done) => done.result().toFixed());
  // @ts-expect-error a result of another type
  future.setResult('one');
  for await (const value of new gen.WaitIterator(add(1, 2))) value.toFixed();
  for await (const value of new gen.WaitIterator(add(1, 2), Promise.resolve('a'))) is<string | number>()(value);
  for await (const value of new gen.WaitIterator({ sum: add(1, 2), text: Promise.resolve('a') })) is<string | number>()(value);

  const loop = IOLoop.current();
  loop.callLater(1, (text: string) => text, 'text').remove();
  loop.callAt(1, () => {}).unref().ref().remove();
  // @ts-expect-error the callback's argument has another type
  loop.addCallback((text: string) => text, 5);
  new PeriodicCallback(() => {}, 10, { jitter: 0.1 }).stop();
  new PeriodicCallback(() => {}, 10, { jitter: undefined }).start();
  new PeriodicCallback(() => {}, 10).unref().ref().start();
  is<Future<number>>()(loop.runSync(() => add(1, 2), { timeout: undefined }));
  is<Future<any>>()(loop.runSync(function* () {
    const a = yield add(1, 2);
    return a;
  }));
  is<Future<number>>()(loop.runInExecutor(async (n: number) => n, 1));
  loop.addFuture(add(1, 2), (done) => is<number>()(done.result()));
  loop.addHandler({ fd: 0 }, (file, events) => [file.fd, events], IOLoop.READ | IOLoop.WRITE);
  is<Handler>()(loop.addHandler(0, () => {}, IOLoop.READ).unref().ref());
  is<Promise<void>>()(loop.start());

  const lock = new locks.Lock();
  const permit = await lock.acquire(50);
  permit.release();
  permit[Symbol.dispose]();
  const result: number = await lock.run(add, 1, 2);

  is<Future<boolean>>()(new locks.Condition().wait(null));
  is<Future<undefined>>()(new locks.Event().wait(undefined));
  is<Future<string>>()(new locks.Semaphore(2).run(function* (text: string) {
    const a = yield gen.moment;
    return a === undefined ? text : 'text';
  }, 'text'));

  const queue = new queues.PriorityQueue<number>(0, { compare: (a, b) => b - a });
  await queue.put(1);
  // @ts-expect-error an item of another type
  queue.putNowait('one');
  for await (const item of queue) item.toFixed();
  return [sum, first, second, limited, result];
}

void check;
