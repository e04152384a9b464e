/* A timer starts when it is made, not when it is waited for. So a loop can keep its beat, however
 * long its work takes. */
#include "programs.h"

#include <stdio.h>

#define PERIOD 60

static fibril_value tick(void *arg) {
  (void)arg;
  int err = fibril_sleep(PERIOD);
  return err != 0 ? fibril_error(err, NULL) : fibril_undefined();
}

fibril_value sleep_program(fibril_args *args) {
  const fibril_loop *loop = fibril_loop_current();
  double start = fibril_loop_now(loop);
  (void)args;
  for (int beat = 1; beat <= 3; beat++) {
    fibril_future *next = fibril_spawn(tick, NULL, NULL); /* starts the clock */
    printf("beat %d\n", beat);
    fibril_sleep(PERIOD / 2.0);                                /* the work: the clock ticks on */
    fibril_value error = fibril_value_dup(fibril_await(next)); /* the rest of the time */
    fibril_future_unref(next);
    if (fibril_is_error(error)) return error;
  }
  printf("3 beats took %.0f ms\n", fibril_loop_now(loop) - start);
  return fibril_undefined();
}
