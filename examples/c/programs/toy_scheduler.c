/* Two generators and a loop that carries work from one to the other: what a scheduler is, before
 * there is any waiting in it. */
#include "programs.h"

#include <stdio.h>

typedef struct {
  double (*run)(const double numbers[2]);
  double numbers[2];
} task;

static double sum(const double numbers[2]) {
  return numbers[0] + numbers[1];
}

/* Yields tasks and is sent their results. */
static fibril_value loop1(fibril_generator *generator, void *arg) {
  double a = -1, ret = 1; /* the two Fibonacci numbers before 0 */
  (void)arg;
  for (;;) {
    task next = {sum, {a, ret}};
    fibril_value result = fibril_yield(generator, fibril_pointer(&next));
    if (fibril_is_error(result)) return result;
    a = ret;
    ret = fibril_value_number(result);
    printf("Loop1 ret %g\n", ret);
  }
}

/* Is sent tasks and yields their results. */
static fibril_value loop2(fibril_generator *generator, void *arg) {
  (void)arg;
  for (;;) {
    fibril_value sent = fibril_yield(generator, fibril_undefined());
    if (fibril_is_error(sent)) return sent;
    task *next = fibril_value_pointer(sent);
    sent = fibril_yield(generator, fibril_number(next->run(next->numbers)));
    if (fibril_is_error(sent)) return sent;
    printf("Loop2\n");
  }
}

fibril_value toy_scheduler(fibril_args *args) {
  fibril_generator *first = fibril_generator_new(fibril_loop_current(), loop1, NULL, NULL);
  fibril_generator *second = fibril_generator_new(fibril_loop_current(), loop2, NULL, NULL);
  fibril_value error = fibril_undefined();
  (void)args;
  if (first != NULL && second != NULL) {
    fibril_value next, result;
    fibril_generator_next(first, &next);
    for (int i = 0; i < 10; i++) {
      fibril_generator_next(second, NULL);
      fibril_generator_send(second, next, &result);
      fibril_generator_send(first, result, &next);
    }
  } else {
    error = fibril_error(UV_ENOMEM, NULL);
  }
  if (first != NULL) fibril_generator_unref(first);
  if (second != NULL) fibril_generator_unref(second);
  return error;
}
