/* Futures: a result that is or will be there, and who wants to know. */
#ifndef FIBRIL_CORE_FUTURE_FUTURE_H
#define FIBRIL_CORE_FUTURE_FUTURE_H

#include "../scheduler/coroutine.h"
#include "../value/list.h"

typedef struct fibril__callback fibril__callback;
struct fibril__callback {
  fibril__callback *next, *prev;
  fibril_future_cb fn;
  void *arg;
  bool watched;
  uint64_t id; /* 0: embedded in a wait, only queues a coroutine, runs on any stack */
};

enum { FIBRIL__PENDING, FIBRIL__SETTLED };

struct fibril_future {
  fibril_loop *loop; /* NULL: one of the shared failed futures, immortal and immutable */
  uint32_t refs;
  uint8_t state;
  bool read;   /* somebody looked at the outcome */
  bool held;   /* keeps the loop alive while it is pending */
  bool queued; /* in the loop's list of futures whose callbacks are to run */
  fibril_value value;
  fibril__callback *first, *last;
  fibril_coroutine *coroutine; /* whose result it is, while that runs */
  fibril_future *next;         /* in a free list or the list of `queued` */
};

/* A loop's: those that are free, and those whose callbacks are to run. */
typedef struct fibril__futures {
  fibril_future *free;
  size_t free_count;
  fibril_future *settling;
  FIBRIL__FIFO(fibril_future) settled; /* by a callback that runs now: they come before the rest */
  bool running_callbacks;
  uint64_t next_callback_id;
  struct fibril__failures *failures; /* NULL: nobody wants to hear of them */
} fibril__futures;

void fibril__futures_init(fibril_loop *loop);
/* Frees those that are kept for later; others keep the loop. */
void fibril__futures_close(fibril_loop *loop);

fibril_future *fibril__future_failed(int code);
/* A future in the caller's memory, one reference; its end, when no other is left. */
void fibril__future_init(fibril_loop *loop, fibril_future *future);
void fibril__future_destroy(fibril_future *future);
void fibril__future_settle(fibril_future *future, fibril_value owned);
/* Somebody has been told, in another way, what became of it. */
static inline void fibril__future_set_read(fibril_future *future) {
  future->read = true;
}
/* In a turn of the loop inside a done callback: the callbacks that are left. */
void fibril__loop_run_callbacks(fibril_loop *loop);
void fibril__future_watch(fibril_future *future, fibril__callback *callback);
/* Does nothing for one that has been called or removed. */
void fibril__future_unwatch(fibril_future *future, fibril__callback *callback);

#endif /* FIBRIL_CORE_FUTURE_FUTURE_H */
