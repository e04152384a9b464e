#include "last.h"

#include "../scheduler/run.h"
#include "../value/error.h"
#include "loop.h"

#include <stdio.h>

/* Nobody is left who could be told. */
static void report(fibril_loop *loop, const char *name, fibril_value result) {
  char message[64];
  if (!fibril__is_error(result)) return;
  snprintf(message, sizeof message, "%s failed", name);
  fibril__loop_log(loop, message, fibril__value_borrow(result));
}

static bool last_ended(fibril_coroutine *coroutine, fibril_value result) {
  report(coroutine->loop, fibril__name(coroutine), result);
  fibril_value_free(result);
  return false;
}

void fibril__loop_set_last(fibril_loop *loop, const char *name, fibril_fn fn, void *arg) {
  fibril__whole_of(loop)->last = (fibril__last){name, fn, arg};
}

bool fibril__last_begin(fibril_loop *loop) {
  fibril__last *place = &fibril__whole_of(loop)->last, last = *place;
  fibril_coroutine *coroutine;
  *place = (fibril__last){NULL, NULL, NULL};
  if (last.fn == NULL) return false;
  int err = fibril__coroutine_new_last(loop, last.fn, last.arg, &coroutine);
  if (err != 0) {
    report(loop, last.name, fibril__error_code(err));
    return false;
  }
  fibril__stack_set_name(coroutine->stack, last.name);
  fibril__coroutine_on_end_with(coroutine, last_ended, NULL);
  fibril__enter(loop, coroutine);
  return true;
}
