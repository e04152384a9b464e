/* A query: a blocking question to the system's resolver, which may take long and can't be stopped.
 * It is a job of the pool in memory of its own, counted, that any number of coroutines wait for:
 * each may leave at any time, and it ends alone. One that is still queued when the last has left is
 * taken back. */
#ifndef FIBRIL_IO_NET_QUERY_H
#define FIBRIL_IO_NET_QUERY_H

#include "../pool.h"

typedef struct fibril__query fibril__query;
struct fibril__query {
  fibril__job job; /* its `run` writes `status`, and what it has found into the struct around it */
  fibril_loop *loop;
  struct {
    struct fibril__query_waiter *first, *last;
  } waiters;
  unsigned refs; /* of those who wait or look at it, and of the pool */
  bool started;
  int status;
  void (*over)(fibril__query *query); /* nobody else may wait for it; NULL: nobody else can */
  void (*free)(fibril__query *query);
};

/* Begins one in zeroed memory, with the caller's reference. */
void fibril__query_init(fibril__query *query, fibril_loop *loop, void (*run)(fibril__job *job),
                        void (*free)(fibril__query *query));
/* Waits for it, and starts it if it is new: its status, or what a wait gives, or UV_ENOMEM. The
 * caller keeps its reference. */
int fibril__query_wait(fibril__query *query, const fibril__wait_kind *kind);
/* What is waited for. */
const fibril__query *fibril__query_of(const fibril__wait *wait);

static inline void fibril__query_ref(fibril__query *query) {
  query->refs++;
}
static inline void fibril__query_unref(fibril__query *query) {
  if (--query->refs == 0) query->free(query);
}

#endif /* FIBRIL_IO_NET_QUERY_H */
