/* What a part of a coroutine is shielded from: cancellation, masks, and deadlines as far as waits
 * see them. */
#ifndef FIBRIL_CORE_SCHEDULER_SCOPE_H
#define FIBRIL_CORE_SCHEDULER_SCOPE_H

#include "coroutine.h"

/* What was refused this many waits while its loop closes, or yields after it was closed, is not
 * going to end. */
#define FIBRIL__REFUSALS_MAX 10000

/* One of a coroutine's deadlines, the innermost one first: see deadline.c. */
struct fibril__deadline {
  struct fibril__deadline *next; /* the one around it */
  fibril_coroutine *coroutine;
  uint64_t at; /* as uv_hrtime */
  fibril_timeout timer;
  uint8_t masks; /* inside which it was set: those don't shield from it */
};

/* What keeps a coroutine from waiting, as fibril__wait_check: nothing is counted. */
int fibril__hindrance(const fibril_coroutine *self);
/* Ends the wait that a coroutine, or one that it called, is in, if nothing masks it. */
void fibril__wait_interrupt(fibril_coroutine *coroutine);
void fibril__coroutine_cancel(fibril_coroutine *coroutine);
/* It is cancelled, and whoever says so resumes it. */
static inline void fibril__coroutine_set_cancelled(fibril_coroutine *coroutine) {
  coroutine->cancelled = true;
}
/* Something goes on behind a mask while the loop closes: not for ever. */
void fibril__grace_begin(fibril_loop *loop);

#endif /* FIBRIL_CORE_SCHEDULER_SCOPE_H */
