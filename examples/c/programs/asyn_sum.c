/* A function that answers later, and a coroutine that waits for the answer: the order of the four
 * lines shows who runs when. */
#include "programs.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
  double a, b;
  fibril_future *future;
} addition;

static void calculate(void *arg) {
  addition *self = arg;
  printf("calculating the sum of %g+%g:\n", self->a, self->b);
  fibril_future_set_result(self->future, fibril_number(self->a + self->b));
  fibril_future_unref(self->future);
  free(self);
}

/* The future of the sum, which the loop calculates later. NULL without memory. */
static fibril_future *asyn_sum(double a, double b) {
  fibril_loop *loop = fibril_loop_current();
  fibril_future *future = fibril_future_new(loop);
  addition *self = malloc(sizeof *self);
  printf("begin calculate:sum %g+%g\n", a, b);
  if (future == NULL || self == NULL || fibril_loop_add_callback(loop, calculate, self) != 0) {
    if (future != NULL) fibril_future_unref(future);
    free(self);
    return NULL;
  }
  *self = (addition){a, b, fibril_future_ref(future)};
  return future;
}

fibril_value asyn_sum_program(fibril_args *args) {
  fibril_future *future = asyn_sum(2, 3);
  (void)args;
  if (future == NULL) return fibril_error(UV_ENOMEM, NULL);
  fibril_value sum = fibril_value_dup(fibril_await(future));
  fibril_future_unref(future);
  if (fibril_is_error(sum)) return sum;
  printf("after yielded\n");
  printf("the 2+3=%g\n", fibril_value_number(sum));
  return sum;
}
