/* What the files of src/io share: the gate to libuv's thread pool and the jobs that pass it. */
#ifndef FIBRIL_IO_IO_H
#define FIBRIL_IO_IO_H

#include "../core/core.h"

/* A request in the thread pool and the wait for it, on the waiting coroutine's stack. */
typedef struct fibril__job {
  fibril__wait wait;
  uv_req_t *req;
  bool cancelled; /* while it ran: its result is not wanted any more */
} fibril__job;

/* Gets a job that uses `req` through the gate; `what` is for reports. Then submit the request, with
 * a callback that calls fibril__job_done, and call fibril__job_wait. 0, UV_ECANCELED or
 * FIBRIL_ENOTCOROUTINE. Suspends. */
int fibril__job_begin(fibril__job *job, const char *what, uv_req_t *req);

/* Waits for fibril__job_done; `submitted` is what libuv said to the request. 0, `submitted` when it
 * is an error, or UV_ECANCELED. In each case libuv is done with the request. */
int fibril__job_wait(fibril__job *job, int submitted);

/* The request's callback: libuv is done with it. */
void fibril__job_done(fibril__job *job);

#endif /* FIBRIL_IO_IO_H */
