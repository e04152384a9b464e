/* The scheduler's log on stderr, for who looks for a wait that does not end: FIBRIL_TRACE=1.
 * Written where a frame runs a coroutine that something has to be looked after (watched.c), so that
 * nothing is left of it elsewhere. */
#ifndef FIBRIL_CORE_SCHEDULER_TRACE_H
#define FIBRIL_CORE_SCHEDULER_TRACE_H

#include "coroutine.h"

/* If the environment asks for it: from now on, in all loops. */
void fibril__trace_begin(void);

static inline bool fibril__trace_is_on(void) {
  return atomic_load_explicit(&fibril__watch, memory_order_relaxed) & FIBRIL__WATCH_TRACE;
}

/* A coroutine is about to run in a frame; and the loop's current one has come back to it. */
void fibril__trace_enters(fibril_coroutine *coroutine);
void fibril__trace_leaves(const fibril_loop *loop, const fibril__frame *frame);

#endif /* FIBRIL_CORE_SCHEDULER_TRACE_H */
