/* A generator that never ends by itself, and a plain loop that takes what it wants from it. */
#include "programs.h"

#include <stdio.h>

static fibril_value generate(fibril_generator *generator, void *arg) {
  double a = 0, b = 1;
  (void)arg;
  while (!fibril_is_error(fibril_yield(generator, fibril_number(b)))) {
    double next = a + b;
    a = b;
    b = next;
  }
  printf("closed\n"); /* the yield gave an error: nobody wants more */
  return fibril_undefined();
}

fibril_value fibonacci(fibril_args *args) {
  fibril_generator *numbers = fibril_generator_new(fibril_loop_current(), generate, NULL, NULL);
  fibril_value value;
  (void)args;
  if (numbers == NULL) return fibril_error(UV_ENOMEM, NULL);
  while (fibril_generator_next(numbers, &value) == FIBRIL_YIELDED) {
    double number = fibril_value_number(value);
    printf("%g\n", number);
    if (number >= 55) break;
  }
  fibril_generator_unref(numbers); /* closes it, and its stack is free again */
  return fibril_undefined();
}
