'use strict';

// The fuzzers, each with the sources of its program or its script, and the games that are played
// every time.

/*
 * A finding becomes a seed here, with what it found: `seeds: [[SEED, WHAT], ...]`. Of the parser of
 * signatures it becomes a line in signatures.txt. A change of a fuzzer makes other games of its
 * seeds; what the finding broke stays an invariant, and a test beside it.
 */
const FUZZERS = {
  programs: {
    c: ['programs/*', 'net/*', 'fuzz.c'],
    seeds: [
      [1, 'what a coroutine returned was freed by its clean-up before it was taken over'],
      [15, 'the bytes of a read that ended together with a cancellation were lost'],
      [17, 'a loop that was closed inside run_sync was used afterwards'],
      [21, 'a job that had run gave UV_ECANCELED'],
      [25, 'fibril_array_push stole a value of another coroutine\'s arena'],
      [29, 'a generator\'s return stole one'],
    ],
  },
  network: {
    c: ['net/*', 'network.c', 'memory.c', 'fuzz.c'],
    wrapped: ['malloc', 'calloc', 'realloc'],
    seeds: [[36, 'a lookup that was late before it began was freed where others could join it']],
  },
  stacks: { c: ['stacks.c', 'fuzz.c'], seeds: [] },
  timers: { c: ['timers.c', 'fuzz.c'], seeds: [] },
  signatures: { libFuzzer: ['signatures.c'], inputs: 'signatures.txt' },
  arguments: { script: 'arguments.js', seeds: [] },
  iterators: { script: 'iterators.js',
    seeds: [[1, 'fibril_group_wait waited in a generator for a synchronous iterator']] },
  workers: { script: 'workers.js', seeds: [] },
};

module.exports = { FUZZERS };
