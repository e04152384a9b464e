#include "last.h"

#include "../scheduler/run.h"
#include "../value/error.h"
#include "loop.h"

static void report(fibril_loop *loop, fibril_value result) {
  if (fibril__is_error(result))
    fibril__loop_log(loop, "what was to run at the end failed", fibril__value_borrow(result));
}

static bool last_ended(fibril_coroutine *coroutine, fibril_value result) {
  report(coroutine->loop, result);
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
    report(loop, fibril__error_code(err));
    return false;
  }
  fibril__stack_set_name(coroutine->stack, last.name);
  fibril__coroutine_on_end_with(coroutine, last_ended, NULL);
  fibril__enter(loop, coroutine);
  return true;
}
