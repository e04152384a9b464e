/* What the fuzzers in C share. A fuzzer plays games. What happens in one follows from its seed, but
 * for what threads and the clock decide. Each seed is printed before its game: the last line names
 * the one that failed. */
#ifndef FIBRIL_TEST_FUZZ_H
#define FIBRIL_TEST_FUZZ_H

#include <stdbool.h>
#include <stdint.h>

/* The fuzzer's own: one game. */
void fuzz_play(void);

/* The game's randomness: all bits, a number below `below`, true once in `n` times. */
uint64_t fuzz_bits(void);
int fuzz_below(int below);
bool fuzz_once_in(int n);

/* Where memory.c is there, too: one allocation in so many fails; 0: none. */
extern int fuzz_fails_in;

/* Ends the process with the sentence when the condition doesn't hold. */
#define REQUIRE(condition)                                       \
  do {                                                           \
    if (!(condition)) fuzz_fail(#condition, __FILE__, __LINE__); \
  } while (0)
__attribute__((noreturn)) void fuzz_fail(const char *what, const char *file, int line);

#endif /* FIBRIL_TEST_FUZZ_H */
