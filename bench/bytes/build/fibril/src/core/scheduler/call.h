/* A coroutine that calls another one and gets a value back: two switches, without the queue. A wait
 * inside the called one suspends the whole chain. */
#ifndef FIBRIL_CORE_SCHEDULER_CALL_H
#define FIBRIL_CORE_SCHEDULER_CALL_H

#include "coroutine.h"

/* A switch from a coroutine, which ends what calls it: both return what is in `result` of the one
 * that `from` belongs to when it goes on. In tail position nothing is left on the return predictor
 * that another stack would trip over. */
#if FIBRIL__FIBERS
static inline fibril_value fibril__switch_result(fibril__context *from, fibril__context *to) {
  fibril__switch(from, to);
  return FIBRIL__CONTAINER(fibril_coroutine, context, from)->result;
}

static inline int fibril__switch_status(fibril__context *from, fibril__context *to) {
  return (int)fibril__switch_result(from, to).tag;
}
#else
fibril_value fibril__switch_result(fibril__context *from, fibril__context *to);
int fibril__switch_status(fibril__context *from, fibril__context *to);
#endif

/* Gets a called one ready to go on, which finds `sent` there. */
static inline void fibril__call_begin(fibril_coroutine *coroutine, fibril_value sent) {
  coroutine->state = FIBRIL__ACTIVE;
  coroutine->result = sent;
}

/* As `caller` wants it; the caller then switches. */
static inline void fibril__call_link(fibril_coroutine *caller, fibril_coroutine *coroutine) {
  coroutine->root = caller->root;
  coroutine->caller = caller;
  coroutine->loop->current = coroutine;
}

/* From the loop's stack, where the caller then enters it. */
static inline void fibril__call_unlink(fibril_coroutine *coroutine) {
  coroutine->root = coroutine;
  coroutine->caller = NULL;
}

/* What the caller's switch returns; of the loop's stack the frame does the rest. Where to go on. */
static inline fibril__context *fibril__call_return(fibril_coroutine *coroutine, int status) {
  fibril_coroutine *caller = coroutine->caller;
  if (caller == NULL) return &coroutine->loop->frame->context;
  caller->result.tag = (uint64_t)status;
  caller->loop->current = caller;
  return &caller->context;
}

/* The same, in the midst of it. */
static inline fibril__context *fibril__call_yield(fibril_coroutine *coroutine, int status) {
  coroutine->state = FIBRIL__YIELDED;
  return fibril__call_return(coroutine, status);
}

/* The switches there and back, with the C++ exceptions of both (watched.c). */
int fibril__call_watched(fibril_coroutine *caller, fibril_coroutine *called);
fibril_value fibril__yield_watched(fibril_coroutine *called, fibril__context *back);

#endif /* FIBRIL_CORE_SCHEDULER_CALL_H */
