/* Blocking functions in the thread pool. Answers to Tornado's IOLoop.run_in_executor. */
#include "pool.h"

typedef struct {
  fibril__job job;
  void (*fn)(void *arg);
  void *arg;
  void (*interrupt)(void *arg);
} work_job;

static void run_work(fibril__job *job) {
  work_job *self = FIBRIL__CONTAINER(work_job, job, job);
  self->fn(self->arg);
}

static void interrupt_work(fibril__job *job) {
  work_job *self = FIBRIL__CONTAINER(work_job, job, job);
  if (self->interrupt != NULL) self->interrupt(self->arg);
}

int fibril_work_with(void (*fn)(void *arg), void *arg, const fibril_work_options *options) {
  static const fibril_work_options none = {sizeof none, NULL, NULL, NULL};
  if (options == NULL) options = &none;
  if (options->size != sizeof *options) return UV_EINVAL;
  work_job self;
  self.fn = fn;
  self.arg = arg;
  self.interrupt = options->interrupt;
  int err = options->limit == NULL ? 0 : fibril_sem_wait(options->limit, -1);
  if (err != 0) return err;
  err = fibril__job_run_with(&self.job, options->name == NULL ? "work" : options->name, run_work,
                             interrupt_work);
  if (options->limit != NULL) fibril_sem_post(options->limit);
  return err;
}

int fibril_work(void (*fn)(void *arg), void *arg) {
  return fibril_work_with(fn, arg, NULL);
}
