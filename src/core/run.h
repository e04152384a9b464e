/* Running a coroutine in a frame of the loop's stack: inline, because whoever returns from a call
 * in which a coroutine was left waiting pays for a mispredicted return. */
#ifndef FIBRIL_CORE_RUN_H
#define FIBRIL_CORE_RUN_H

#include "core.h"

/* What a coroutine that came back asked for: spawned children, hops, its end. */
void fibril__run_rest(fibril_loop *loop, fibril__frame *frame);
/* fibril__run where another frame is on the stack. */
void fibril__run_nested(fibril_loop *loop, fibril_coroutine *coroutine);

/* The switch of fibril__run_once, where there is something to look after. */
void fibril__run_watched(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine);

/* One switch there and back. */
__attribute__((always_inline)) static inline bool
fibril__run_once(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine) {
  loop->current = coroutine;
  if (FIBRIL__LIKELY(atomic_load_explicit(&fibril__watch, memory_order_relaxed) == 0))
    fibril__switch(&frame->context, &coroutine->context);
  else
    fibril__run_watched(loop, frame, coroutine);
  return frame->after == FIBRIL__NOTHING;
}

/* Runs a coroutine in a frame until it waits or ends, and whatever that makes run at once. Leaves
 * `current` as it is. */
__attribute__((always_inline)) static inline void
fibril__run_in(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine) {
  if (FIBRIL__UNLIKELY(!fibril__run_once(loop, frame, coroutine))) fibril__run_rest(loop, frame);
}

/* Runs one that is fresh or suspended, nested on the loop's stack, until it waits or ends. */
__attribute__((always_inline)) static inline void fibril__run(fibril_loop *loop,
                                                              fibril_coroutine *coroutine) {
  coroutine->state = FIBRIL__ACTIVE;
  if (FIBRIL__UNLIKELY(loop->frame != NULL)) {
    fibril__run_nested(loop, coroutine);
    return;
  }
  fibril_loop *here = fibril__loop_here;
  fibril__loop_here = loop;
  loop->frame = &loop->base;
  fibril__run_in(loop, &loop->base, coroutine);
  loop->current = NULL;
  loop->frame = NULL;
  fibril__loop_here = here;
}

#endif /* FIBRIL_CORE_RUN_H */
