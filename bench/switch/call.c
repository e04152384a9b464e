/* No coroutine: an indirect call, the least that "run somebody else's code and come back" can cost.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static void nothing(void *context) {
  (void)context;
  NO_TAIL_CALL();
}

DEFINE_DEEP(void *, nothing)

static double number(void) {
  return 1;
}

static void (*volatile call_nothing)(void *context) = nothing;
static void (*volatile call_deep)(void *context) = deep;
static double (*volatile call_number)(void) = number;

static void *start(const struct row *row) {
  (void)row;
  return malloc(1);
}

static void run_nothing(void *state, uint64_t rounds) {
  for (uint64_t i = 0; i < rounds; i++) call_nothing(state);
}

static void run_deep(void *state, uint64_t rounds) {
  for (uint64_t i = 0; i < rounds; i++) call_deep(state);
}

static void run_number(void *state, uint64_t rounds) {
  (void)state;
  double sum = 0;
  for (uint64_t i = 0; i < rounds; i++) sum += call_number();
  if (sum != (double)rounds) exit(1);
}

const struct contender call_contender = {
    .name = "call",
    .start = {[YIELD] = start, [DEEP] = start, [GENERATOR] = start},
    .run = {[YIELD] = run_nothing, [DEEP] = run_deep, [GENERATOR] = run_number},
    .stop = free,
};
