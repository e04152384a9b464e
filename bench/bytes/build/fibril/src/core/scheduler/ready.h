/* The ready queue: what runs next, first in, first out. A ring with a place for every coroutine and
 * every callback that may come into it, so that nothing that makes one ready can fail. */
#ifndef FIBRIL_CORE_SCHEDULER_READY_H
#define FIBRIL_CORE_SCHEDULER_READY_H

#include "../switch/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* How many tasks ahead memory is fetched: as long as a switch with everything cached, times this, a
 * line takes to come. */
#define FIBRIL__AHEAD 4

/* What waits in it: a coroutine (run == NULL) or a callback. */
typedef struct fibril__task fibril__task;
struct fibril__task {
  fibril__task *next;
  void (*run)(fibril__task *task);
};

typedef struct fibril__ready {
  fibril__task **ring; /* `enqueued` counts what went in, `dequeued` what came out */
  size_t mask;         /* places - 1: a power of two, and never fewer than there are tasks */
  uint64_t enqueued, dequeued;
  bool awake;                   /* the host knows that there is something in it */
  size_t coroutines, callbacks; /* that may come into it */
} fibril__ready;

void fibril__ready_free(fibril__ready *ready);
/* Makes room for one more. 0 or UV_ENOMEM. */
int fibril__ready_grow(fibril__ready *ready);
/* Gives back what a peak has left of it, if that is much. */
void fibril__ready_shrink(fibril__ready *ready);

static inline bool fibril__ready_has_room(const fibril__ready *ready) {
  return ready->coroutines + ready->callbacks <= ready->mask;
}

/* Makes sure that one more coroutine or callback has a place. 0 or UV_ENOMEM. */
static inline int fibril__ready_reserve(fibril__ready *ready) {
  return FIBRIL__LIKELY(fibril__ready_has_room(ready)) ? 0 : fibril__ready_grow(ready);
}

/* A callback that has a place will come into it; or won't, after all. */
static inline void fibril__ready_expect(fibril__ready *ready) {
  ready->callbacks++;
}

static inline void fibril__ready_forget(fibril__ready *ready) {
  ready->callbacks--;
}

/* How many tasks are ready. */
static inline size_t fibril__ready_count(const fibril__ready *ready) {
  return (size_t)(ready->enqueued - ready->dequeued);
}

static inline void fibril__ready_add(fibril__ready *ready, fibril__task *task) {
  ready->ring[ready->enqueued++ & ready->mask] = task;
}

static inline fibril__task *fibril__ready_at(const fibril__ready *ready, uint64_t number) {
  return ready->ring[number & ready->mask];
}

/* A moment: as long as it is the same, nothing has been queued or has run. */
typedef struct {
  uint64_t enqueued, dequeued;
} fibril__ready_moment;

static inline fibril__ready_moment fibril__ready_now(const fibril__ready *ready) {
  return (fibril__ready_moment){ready->enqueued, ready->dequeued};
}

static inline bool fibril__ready_is_now(const fibril__ready *ready, fibril__ready_moment moment) {
  return ready->enqueued == moment.enqueued && ready->dequeued == moment.dequeued;
}

#endif /* FIBRIL_CORE_SCHEDULER_READY_H */
