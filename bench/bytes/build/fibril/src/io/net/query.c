#include "query.h"

#include "../../core/value/list.h"

/* On the stack of the coroutine that waits. */
typedef struct fibril__query_waiter waiter;
struct fibril__query_waiter {
  fibril__request request;
  fibril__query *query;
  waiter *next, *prev;
};

/* The pool has it no more. */
static void end_query(fibril__query *self) {
  if (self->over != NULL) self->over(self);
  fibril__query_unref(self);
}

static void on_query_done(fibril__job *job, int status) {
  fibril__query *self = FIBRIL__CONTAINER(fibril__query, job, job);
  if (status != 0) self->status = status;
  for (waiter *one = self->waiters.first; one != NULL; one = one->next)
    fibril__request_end(&one->request, 0);
  self->waiters.first = self->waiters.last = NULL;
  end_query(self);
}

/* What runs goes on without anybody: who asks the same meanwhile waits for it. */
static bool leave_query(fibril__request *request) {
  waiter *self = FIBRIL__CONTAINER(waiter, request, request);
  fibril__query *query = self->query;
  FIBRIL__LIST_REMOVE(&query->waiters, self);
  if (query->waiters.first == NULL && fibril__job_take_back(query->loop, &query->job))
    end_query(query);
  return true;
}

void fibril__query_init(fibril__query *query, fibril_loop *loop, void (*run)(fibril__job *job),
                        void (*free)(fibril__query *query)) {
  query->job.run = run;
  query->job.done = on_query_done;
  query->loop = loop;
  query->refs = 1;
  query->free = free;
}

static int start_query(fibril__query *query) {
  query->started = true;
  fibril__query_ref(query);
  int err = fibril__job_start(query->loop, &query->job);
  if (err != 0) end_query(query);
  return err;
}

int fibril__query_wait(fibril__query *query, const fibril__wait_kind *kind) {
  waiter self = {.query = query};
  int err = fibril__request_begin(&self.request, kind, leave_query);
  /* The deadline may have passed since the query was made, which nobody starts then. */
  if (err != 0 && !query->started && query->over != NULL) query->over(query);
  if (err != 0) return err;
  FIBRIL__LIST_ADD(&query->waiters, &self);
  err = fibril__request_wait(&self.request, query->started ? 0 : start_query(query));
  return err != 0 ? err : query->status;
}

const fibril__query *fibril__query_of(const fibril__wait *wait) {
  return FIBRIL__CONTAINER(const waiter, request.wait, wait)->query;
}
