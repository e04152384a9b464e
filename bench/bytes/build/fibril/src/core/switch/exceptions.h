/* C++ exceptions. What a thread has caught and not yet left the catch block of is a list that the
 * C++ library keeps for the thread; so each coroutine has one of its own, which is exchanged at
 * every switch. All of that only in an addon whose C++ includes fibril.h: see its end. */
#ifndef FIBRIL_CORE_SWITCH_EXCEPTIONS_H
#define FIBRIL_CORE_SWITCH_EXCEPTIONS_H

#include "fibril.h"

/* What a C++ library keeps for a thread: the exceptions that are in catch blocks, the innermost one
 * first, and how many are on their way to one. The layout is of the Itanium C++ ABI. */
typedef struct fibril__exceptions {
  void *caught;
  unsigned uncaught;
} fibril__exceptions;

/* Calls fn(arg) and makes an error value of what it throws; NULL where nothing throws. */
typedef fibril_value (*fibril__catcher)(fibril_fn fn, void *arg);
extern fibril__catcher fibril__catch;

static inline bool fibril__exceptions_watched(void) {
  return fibril__catch != NULL;
}

/* The thread's, where they are watched. */
fibril__exceptions *fibril__exceptions_here(void);

/* The body of a coroutine where something may throw. */
fibril_value fibril__exceptions_begin(fibril_fn fn, void *arg);

#endif /* FIBRIL_CORE_SWITCH_EXCEPTIONS_H */
