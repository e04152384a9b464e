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

static void init(fibril__job *job, const char *what, uv_req_t *req) {
  job->wait = (fibril__wait){.what = what, .coroutine = fibril__self()};
  job->req = req;
  job->req->data = job;
  job->cancelled = false;
  job->token = true;
}

int fibril__job_begin(fibril__job *job, const char *what, uv_req_t *req) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  init(job, what, req);
  job->wait.cancel = cancel;
  return fibril__gate_enter(self, what);
}

int fibril__job_begin_release(fibril__job *job, const char *what, uv_req_t *req) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  bool on_loop = self == NULL || (self->generator != NULL && self->root == self);
  if (on_loop) return FIBRIL_ENOTCOROUTINE;
  init(job, what, req);
  /* Cancelled, it doesn't wait for a token, which may be in the hands of another loop for long:
   * teardown must not. */
  job->token = err == 0 && fibril__gate_enter(self, what) == 0;
  return 0;
}

int fibril__job_wait(fibril__job *job, int submitted) {
  fibril_coroutine *self = job->wait.coroutine;
  if (submitted < 0) {
    if (job->token) fibril__gate_leave(self->loop);
    return submitted;
  }
  int err = fibril__wait_until_woken(self, &job->wait);
  return job->cancelled ? UV_ECANCELED : err;
}

void fibril__job_done(fibril__job *job) {
  if (job->token) fibril__gate_leave(job->wait.coroutine->loop);
  fibril__wake(&job->wait, 0);
}
