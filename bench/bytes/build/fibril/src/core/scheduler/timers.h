/* Timeouts: a 4-ary heap ordered by deadline, then by creation. The heap holds what is compared and
 * a slot number; slots hold the callback, so that nothing on a sleeping coroutine's stack is
 * touched while the heap moves. */
#ifndef FIBRIL_CORE_TIMERS_H
#define FIBRIL_CORE_TIMERS_H

#include "fibril.h"

typedef struct {
  uint64_t deadline;
  uint64_t order;
  uint32_t slot;
  uint32_t unheld; /* 1: it does not keep the loop alive */
} fibril__timer;

typedef struct {
  fibril_cb callback;
  void *arg;
  fibril_timeout *home; /* where the one handle of it is, or NULL: then it can't move */
  uint32_t generation;
  uint32_t position; /* in the heap; FIBRIL__TIMER_DUE when chosen to fire; in a free slot the next
                        free one */
} fibril__timer_slot;

#define FIBRIL__TIMER_DUE UINT32_MAX

typedef struct {
  fibril__timer *heap;
  fibril__timer_slot *slots;
  fibril_timeout *due;           /* as large as the heap: choosing can't fail */
  uint32_t due_first, due_count; /* of those chosen, which have not been taken yet */
  uint32_t length, capacity, used, free;
  uint32_t unheld;     /* of those in the heap */
  uint32_t sparse;     /* how many there were when memory was last given back */
  uint32_t generation; /* that new slots begin with: of dropped ones handles may be left */
  uint64_t order;
} fibril__timers;

void fibril__timers_init(fibril__timers *timers);
void fibril__timers_destroy(fibril__timers *timers);
/* The handle, never 0; 0 without memory. `home`: where the caller keeps it for as long as it is
 * good, or NULL. */
fibril_timeout fibril__timers_add(fibril__timers *timers, uint64_t deadline, fibril_cb callback,
                                  void *arg, fibril_timeout *home);
/* Whether it was there. Handles of timeouts that fired or were removed are fine. */
bool fibril__timers_remove(fibril__timers *timers, fibril_timeout timeout);
/* Whether it keeps the loop alive; it does at first. */
void fibril__timers_hold(fibril__timers *timers, fibril_timeout timeout, bool held);
/* Whether any does. */
static inline bool fibril__timers_are_held(const fibril__timers *timers) {
  return timers->length > timers->unheld;
}
/* The next deadline, or 0 when there is none. */
uint64_t fibril__timers_next(const fibril__timers *timers);
/* Chooses all that are due at `now`, in order, after those chosen before. */
void fibril__timers_choose(fibril__timers *timers, uint64_t now);
/* Takes the next chosen one that has not been removed meanwhile: false when there is none left. */
bool fibril__timers_take(fibril__timers *timers, fibril_cb *callback, void **arg);
/* Whether there are chosen ones that have not been taken. */
static inline bool fibril__timers_left(const fibril__timers *timers) {
  return timers->due_first < timers->due_count;
}
/* Gives memory back when most of it is unused, and no chosen ones wait to be taken. */
void fibril__timers_shrink(fibril__timers *timers);

#endif /* FIBRIL_CORE_TIMERS_H */
