/* Jobs of the thread pool: through the gate, submitted, waited for. */
#include "gate.h"
#include "io.h"

/* libuv takes back what is queued and then calls back with UV_ECANCELED; what runs is waited for,
 * since it uses the coroutine's memory. */
static void cancel(fibril__wait *wait) {
  fibril__job *job = FIBRIL__CONTAINER(fibril__job, wait, wait);
  job->cancelled = true;
  uv_cancel(job->req);
}

int fibril__job_begin(fibril__job *job, const char *what, uv_req_t *req) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  *job = (fibril__job){.wait = {.what = what, .cancel = cancel, .coroutine = self}, .req = req};
  req->data = job;
  return fibril__gate_enter(self, what);
}

int fibril__job_wait(fibril__job *job, int submitted) {
  fibril_coroutine *self = job->wait.coroutine;
  if (submitted < 0) {
    fibril__gate_leave(self->loop);
    return submitted;
  }
  int err = fibril__wait_until_woken(self, &job->wait);
  return job->cancelled ? UV_ECANCELED : err;
}

void fibril__job_done(fibril__job *job) {
  fibril__gate_leave(job->wait.coroutine->loop);
  fibril__wake(&job->wait, 0);
}
