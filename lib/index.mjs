import co from '#co';

export const {
  sleep, bytes, fs, gen, Future, IOLoop, PeriodicCallback, locks, queues, wrap, run, register,
  typed, traces, inspect, reportLeaks,
} = co;
export { co, co as default };
