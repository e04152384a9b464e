// Compiled, never run: the types of gen, IOLoop, locks and queues.

import { IOLoop, PeriodicCallback, gen, locks, queues, Future } from 'fibril';
import { is } from './is';

async function check() {
  const add = gen.coroutine(function* (a: number, b: number) {
    yield gen.sleep(1);
    return a + b;
  });
  const sum: number = await add(1, 2);
  // @ts-expect-error an argument is missing
  add(1);
  const [first, second]: [number, string] = await gen.multi([add(1, 2), gen.sleep(1, 'x')]);
  const limited: number = await gen.withTimeout(50, add(1, 2), { quietExceptions: TypeError });
  const future = new Future<number>();
  future.addDoneCallback((done) => done.result().toFixed());
  // @ts-expect-error a result of another type
  future.setResult('one');
  for await (const value of new gen.WaitIterator(add(1, 2))) value.toFixed();
  for await (const value of new gen.WaitIterator(add(1, 2), Promise.resolve('a'))) is<string | number>()(value);
  for await (const value of new gen.WaitIterator({ sum: add(1, 2), text: Promise.resolve('a') })) is<string | number>()(value);

  const loop = IOLoop.current();
  loop.callLater(1, (text: string) => text, 'text').remove();
  // @ts-expect-error the callback's argument has another type
  loop.addCallback((text: string) => text, 5);
  new PeriodicCallback(() => {}, 10, { jitter: 0.1 }).stop();

  const lock = new locks.Lock();
  const permit = await lock.acquire(50);
  permit.release();
  permit[Symbol.dispose]();
  const result: number = await lock.run(add, 1, 2);

  const queue = new queues.PriorityQueue<number>(0, { compare: (a, b) => b - a });
  await queue.put(1);
  // @ts-expect-error an item of another type
  queue.putNowait('one');
  for await (const item of queue) item.toFixed();
  return [sum, first, second, limited, result];
}

void check;
