// Compiled, never run: what a package exports without writing the type down can be named in its declarations.

import co = require('fibril');

export const { fs, gen } = co;
export const wrapped = co.wrap(function* (a: number) {
  const b = yield a;
  return b;
});
export const coroutine = gen.coroutine(async function* (a: number) {
  const b = yield a;
  return b;
});
export const stat = gen.future(fs.stat);
export const usage = () => fs.du('.');
export const typed = (signal: AbortSignal) => co.typed(fs.du('.', { signal }));
export const inspected = () => co.inspect();
export const acquired = () => new co.locks.Lock().acquire();
export const timeout = co.IOLoop.current().callLater(1, () => {});
export const run = co.run;
export const { convertYielded, withTimeout } = gen;
