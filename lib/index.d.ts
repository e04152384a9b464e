// co, callable, with all that the folders here declare as its members.

import {
  CoroutineInspection, MemberResult, Outcome, Result, RunInspection, RunOptions, Steps, Thunk,
  Wrapped, inspect, register, reportLeaks, run, traces, typed, wrap,
} from './co/index';
import { Future, Usage, bytes, fs, sleep } from './native/index';
import {
  Handler, IOLoop, PeriodicCallback, QuietOptions, Timeout, Yielded, gen, locks, queues,
} from './tornado/index';
import { Signal } from './types';

/*
 * Of the forms of co, co.wrap and co.run the first gives the `yield`s of a function expression
 * their type; TypeScript takes what it finds out about an expression there for all the others. The
 * last is what `co.call`, `Parameters` and the like see: that of @types/co.
 */

/** Runs a generator to its end; what it yields is waited for. A drop-in for co 4.6.0. */
declare function co<F extends (this: any, ...args: any[]) => Steps>(
  fn: F, ...args: Parameters<F>): Promise<Outcome<ReturnType<F>>>;
declare function co<F extends (this: any, ...args: any[]) => any>(
  fn: F, ...args: Parameters<F>): Promise<Outcome<ReturnType<F>>>;
declare function co<I extends Steps>(generator: I): Promise<Outcome<I>>;
declare function co<T>(value: T extends (...args: any[]) => any ? never : T): Promise<Awaited<T>>;
declare function co<F extends (this: any, ...args: any[]) => Iterator<any, any, any>>(
  fn: F, ...args: Parameters<F>): Promise<Outcome<ReturnType<F>>>;

declare namespace co {
  export { co as default, co };

  // Of ./co
  export {
    CoroutineInspection, MemberResult, Outcome, Result, RunInspection, RunOptions, Steps, Thunk,
    Wrapped, inspect, register, reportLeaks, run, traces, typed, wrap,
  };

  // Of ./native
  export { Future, Signal, Usage, bytes, fs, sleep };

  // Of ./tornado
  export { Handler, IOLoop, PeriodicCallback, QuietOptions, Timeout, Yielded, gen, locks, queues };
}

export = co;
