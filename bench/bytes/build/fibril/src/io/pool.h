/* Jobs of libuv's thread pool. */
#ifndef FIBRIL_IO_POOL_H
#define FIBRIL_IO_POOL_H

#include "request.h"

/* A blocking function in the thread pool: with a coroutine that waits for it, on whose stack it is
 * then, or by itself, in memory of its own. */
typedef struct fibril__job fibril__job;
struct fibril__job {
  void (*run)(fibril__job *job); /* in a thread of the pool */
  /* On the loop's thread: 0 it has run, or an error, when no thread could be had; then it may be
   * freed. */
  void (*done)(fibril__job *job, int status);
  fibril__job *next, *prev;
  bool queued;
  bool ran;
  /* Of one that is waited for. */
  fibril__wait_kind kind;
  fibril__request request;
  void (*interrupt)(fibril__job *job); /* cancelled while it runs; NULL: it is waited for */
};

/* Queues one whose `run` and `done` are set. 0, UV_ENOMEM; `done` may have been called when it
 * returns. The loop does not end before it, so whoever has no more use for it when all coroutines
 * have ended takes it back. */
int fibril__job_start(fibril_loop *loop, fibril__job *job);
/* Whether it was still queued: then it is not run, nor is `done` called. */
bool fibril__job_take_back(fibril_loop *loop, fibril__job *job);

/* Runs `run(job)` in the thread pool; `what` is for reports. 0 when it ran, also for a caller that
 * was cancelled meanwhile; UV_ECANCELED, UV_ETIMEDOUT, UV_ENOMEM or FIBRIL_ENOTCOROUTINE when it
 * did not (job->ran is false). Suspends. */
int fibril__job_run(fibril__job *job, const char *what, void (*run)(fibril__job *job));
/* The same of one that can be asked to return early. */
int fibril__job_run_with(fibril__job *job, const char *what, void (*run)(fibril__job *job),
                         void (*interrupt)(fibril__job *job));

#endif /* FIBRIL_IO_POOL_H */
