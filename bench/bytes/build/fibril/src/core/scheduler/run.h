/* Running coroutines in a frame of the loop's stack: inline, because whoever returns from a call in
 * which a coroutine was left waiting pays for a mispredicted return. */
#ifndef FIBRIL_CORE_SCHEDULER_RUN_H
#define FIBRIL_CORE_SCHEDULER_RUN_H

#include "coroutine.h"

/* Runs a coroutine that is fresh or suspended, nested on the loop's stack, until it waits or ends.
 */
void fibril__enter(fibril_loop *loop, fibril_coroutine *coroutine);
/* The same in a frame of the caller's, however deep they nest. */
void fibril__enter_in(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine);
/* Starts a fresh one at once, from wherever the caller is; its spawner goes on when it waits. */
void fibril__start(fibril_loop *loop, fibril_coroutine *coroutine);
/* Runs up to `most` tasks of the ready queue; `turn`: stops at the first callback or moment. How
 * many ran. */
size_t fibril__drain(fibril_loop *loop, size_t most, bool turn);

/* Makes a frame the innermost one; what fibril__frame_pop has to restore. */
static inline fibril_loop *fibril__frame_push(fibril_loop *loop, fibril__frame *frame) {
  fibril_loop *here = fibril__loop_here;
  frame->after = FIBRIL__NOTHING;
  frame->parents = NULL;
  frame->prev = loop->frame;
  frame->depth = loop->frame == NULL ? 1 : loop->frame->depth + 1;
  loop->frame = frame;
  fibril__loop_here = loop;
  return here;
}

static inline void fibril__frame_pop(fibril_loop *loop, fibril__frame *frame, fibril_loop *here) {
  loop->frame = frame->prev;
  fibril__loop_here = here;
}

/* What a coroutine that came back asked for: spawned children, hops, its end. */
void fibril__run_rest(fibril_loop *loop, fibril__frame *frame);
/* fibril__run where another frame is on the stack. */
void fibril__run_nested(fibril_loop *loop, fibril_coroutine *coroutine);

/* The switch of fibril__run_once, where there is something to look after. */
void fibril__run_watched(fibril_loop *loop, fibril__frame *frame, fibril_coroutine *coroutine);

/* One switch there and back. */
FIBRIL__INLINE bool fibril__run_once(fibril_loop *loop, fibril__frame *frame,
                                     fibril_coroutine *coroutine) {
  loop->current = coroutine;
  if (FIBRIL__LIKELY(atomic_load_explicit(&fibril__watch, memory_order_relaxed) == 0))
    fibril__switch(&frame->context, &coroutine->context);
  else
    fibril__run_watched(loop, frame, coroutine);
  return frame->after == FIBRIL__NOTHING;
}

/* Runs a coroutine in a frame until it waits or ends, and whatever that makes run at once. Leaves
 * `current` as it is. */
FIBRIL__INLINE void fibril__run_in(fibril_loop *loop, fibril__frame *frame,
                                   fibril_coroutine *coroutine) {
  if (FIBRIL__UNLIKELY(!fibril__run_once(loop, frame, coroutine))) fibril__run_rest(loop, frame);
}

/* Runs one that is fresh or suspended, nested on the loop's stack, until it waits or ends. `here`
 * is fibril__here(), which is looked up again afterwards: the coroutine may have made a loop. */
FIBRIL__INLINE void fibril__run_here(fibril_loop *loop, fibril_coroutine *coroutine,
                                     fibril_loop **here) {
  coroutine->state = FIBRIL__ACTIVE;
  if (FIBRIL__UNLIKELY(loop->frame != NULL)) {
    fibril__run_nested(loop, coroutine);
    return;
  }
  fibril_loop *before = *here;
  *here = loop;
  loop->frame = &loop->base;
  fibril__run_in(loop, &loop->base, coroutine);
  loop->current = NULL;
  loop->frame = NULL;
  fibril__loop_here = before;
}

FIBRIL__INLINE void fibril__run(fibril_loop *loop, fibril_coroutine *coroutine) {
  fibril__run_here(loop, coroutine, fibril__here());
}

/* The same up to its next wait, at once, however deep frames nest. */
FIBRIL__INLINE void fibril__run_now(fibril_loop *loop, fibril_coroutine *coroutine) {
  fibril__frame frame;
  coroutine->state = FIBRIL__ACTIVE;
  if (loop->frame == NULL)
    fibril__run(loop, coroutine);
  else
    fibril__enter_in(loop, &frame, coroutine);
}

#endif /* FIBRIL_CORE_SCHEDULER_RUN_H */
