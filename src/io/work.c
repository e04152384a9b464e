/* Blocking functions in the thread pool. Answers to Tornado's IOLoop.run_in_executor. */
#include "io.h"

typedef struct {
  fibril__job job;
  uv_work_t req;
  void (*fn)(void *arg);
  void *arg;
} work;

static void run(uv_work_t *req) {
  work *self = FIBRIL__CONTAINER(work, req, req);
  self->fn(self->arg);
}

static void on_done(uv_work_t *req, int status) {
  (void)status; /* UV_ECANCELED only when the job's own `cancel` asked for it */
  fibril__job_done(req->data);
}

int fibril_work(void (*fn)(void *arg), void *arg) {
  work self;
  self.fn = fn;
  self.arg = arg;
  int err = fibril__job_begin(&self.job, "work", (uv_req_t *)&self.req);
  if (err != 0) return err;
  uv_loop_t *uv = fibril_loop_uv(self.job.wait.coroutine->loop);
  return fibril__job_wait(&self.job, uv_queue_work(uv, &self.req, run, on_done));
}
