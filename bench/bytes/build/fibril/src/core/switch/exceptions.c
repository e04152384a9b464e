#include "exceptions.h"

#include "guard.h"

fibril__catcher fibril__catch;

static fibril__exceptions *(*thread_exceptions)(void);

/* Declared for C++ only, at the end of fibril.h. */
void fibril__exceptions_use(fibril__catcher catcher, void *(*of_thread)(void));

void fibril__exceptions_use(fibril__catcher catcher, void *(*of_thread)(void)) {
  fibril__catch = catcher;
  thread_exceptions = (fibril__exceptions * (*)(void)) of_thread;
  atomic_fetch_or(&fibril__watch, FIBRIL__WATCH_EXCEPTIONS);
}

fibril__exceptions *fibril__exceptions_here(void) {
  return thread_exceptions();
}

fibril_value fibril__exceptions_begin(fibril_fn fn, void *arg) {
  *thread_exceptions() = (fibril__exceptions){NULL, 0};
  return fibril__catch(fn, arg);
}
