/* PROGRAM SEED SECONDS: plays games from SEED on, one at least, for so many seconds. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int fuzz_fails_in;
static uint64_t state;

/* xorshift64* */
uint64_t fuzz_bits(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1du;
}

int fuzz_below(int below) {
  return (int)((fuzz_bits() >> 32) % (uint32_t)below);
}

bool fuzz_once_in(int n) {
  return fuzz_below(n) == 0;
}

void fuzz_fail(const char *what, const char *file, int line) {
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  abort();
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s SEED SECONDS\n", argv[0]);
    return 2;
  }
  uint64_t seed = strtoull(argv[1], NULL, 10);
  double end = seconds_now() + strtod(argv[2], NULL);
  do {
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    state = (seed++ + 1) * 0x9e3779b97f4a7c15u;
    if (state == 0) state = 1;
    fuzz_play();
  } while (seconds_now() < end);
  return 0;
}
