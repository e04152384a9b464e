/* Jobs of libuv's thread pool. */
#ifndef FIBRIL_IO_POOL_H
#define FIBRIL_IO_POOL_H

#include "request.h"

/* A blocking function in the thread pool and the wait for it, on the waiting coroutine's stack. */
typedef struct fibril__job fibril__job;
struct fibril__job {
  fibril__wait_kind kind;
  fibril__request request;
  void (*run)(fibril__job *job);       /* in a thread of the pool */
  void (*interrupt)(fibril__job *job); /* cancelled while it runs; NULL: it is waited for */
  fibril__job *next, *prev;
  bool queued;
  bool ran;
};

/* Runs `run(job)` in the thread pool; `what` is for reports. 0 when it ran, also for a caller that
 * was cancelled meanwhile; UV_ECANCELED, UV_ETIMEDOUT, UV_ENOMEM or FIBRIL_ENOTCOROUTINE when it
 * did not (job->ran is false). Suspends. */
int fibril__job_run(fibril__job *job, const char *what, void (*run)(fibril__job *job));
/* The same of one that can be asked to return early. */
int fibril__job_run_with(fibril__job *job, const char *what, void (*run)(fibril__job *job),
                         void (*interrupt)(fibril__job *job));

#endif /* FIBRIL_IO_POOL_H */
