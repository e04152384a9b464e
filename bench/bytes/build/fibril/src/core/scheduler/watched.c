/* Switches with the C++ exceptions of both sides, after which a canary is looked at, and which are
 * logged. */
#include "call.h"
#include "run.h"

#include "../switch/exceptions.h"
#include "trace.h"

static inline fibril__exceptions exceptions_of(const fibril_coroutine *coroutine) {
  return (fibril__exceptions){coroutine->caught, coroutine->uncaught};
}

static inline void keep_exceptions(fibril_coroutine *coroutine, const fibril__exceptions *here) {
  coroutine->caught = here->caught;
  coroutine->uncaught = here->uncaught;
}

void fibril__run_watched(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine) {
  fibril__exceptions *here = fibril__exceptions_watched() ? fibril__exceptions_here() : NULL, loops;
  bool traced = fibril__trace_is_on();
  if (traced) fibril__trace_enters(coroutine);
  if (here != NULL) {
    loops = *here;
    *here = exceptions_of(coroutine);
  }
  fibril__switch(&frame->context, &coroutine->context);
  if (here != NULL) {
    keep_exceptions(loop->current, here);
    *here = loops;
  }
  fibril__stack_check(loop->current->stack);
  if (traced) fibril__trace_leaves(loop, frame);
}

int fibril__call_watched(fibril_coroutine *caller, fibril_coroutine *called) {
  fibril__exceptions *here = fibril__exceptions_here(), callers = *here;
  *here = exceptions_of(called);
  int status = fibril__switch_status(&caller->context, &called->context);
  *here = callers;
  return status;
}

fibril_value fibril__yield_watched(fibril_coroutine *called, fibril__context *back) {
  keep_exceptions(called, fibril__exceptions_here());
  return fibril__switch_result(&called->context, back);
}
