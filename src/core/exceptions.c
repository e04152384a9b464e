/* C++ exceptions. What a thread has caught and not yet left the catch block of is a list that the
 * C++ library keeps for the thread; so each coroutine has one of its own, which is exchanged at
 * every switch. All of that only in an addon whose C++ includes fibril.h: see its end. */
#include "run.h"

fibril__catcher fibril__catch;

static fibril__exceptions *(*thread_exceptions)(void);

/* Declared for C++ only, at the end of fibril.h. */
void fibril__exceptions_use(fibril__catcher catcher, void *(*of_thread)(void));

void fibril__exceptions_use(fibril__catcher catcher, void *(*of_thread)(void)) {
  fibril__catch = catcher;
  thread_exceptions = (fibril__exceptions * (*)(void)) of_thread;
  atomic_fetch_or(&fibril__watch, FIBRIL__WATCH_EXCEPTIONS);
}

static inline fibril__exceptions exceptions_of(const fibril_coroutine *coroutine) {
  return (fibril__exceptions){coroutine->caught, coroutine->uncaught};
}

static inline void keep_exceptions(fibril_coroutine *coroutine, const fibril__exceptions *here) {
  coroutine->caught = here->caught;
  coroutine->uncaught = here->uncaught;
}

fibril_value fibril__exceptions_begin(fibril_fn fn, void *arg) {
  *thread_exceptions() = (fibril__exceptions){NULL, 0};
  return fibril__catch(fn, arg);
}

void fibril__run_watched(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine) {
  fibril__exceptions *here = fibril__exceptions_watched() ? thread_exceptions() : NULL, loops;
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
}

int fibril__exceptions_next(fibril_coroutine *caller, fibril_coroutine *generator) {
  fibril__exceptions *here = thread_exceptions(), callers = *here;
  *here = exceptions_of(generator);
  int status = fibril__switch_status(&caller->context, &generator->context);
  *here = callers;
  return status;
}

fibril_value fibril__exceptions_yield(fibril_coroutine *generator, fibril__context *back) {
  keep_exceptions(generator, thread_exceptions());
  return fibril__switch_result(&generator->context, back);
}
