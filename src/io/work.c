/* Blocking functions in the thread pool. Answers to Tornado's IOLoop.run_in_executor. */
#include "io.h"

typedef struct {
  fibril__job job;
  void (*fn)(void *arg);
  void *arg;
} work;

static void run(fibril__job *job) {
  work *self = FIBRIL__CONTAINER(work, job, job);
  self->fn(self->arg);
}

int fibril_work(void (*fn)(void *arg), void *arg) {
  work self;
  self.fn = fn;
  self.arg = arg;
  return fibril__job_run(&self.job, "work", run);
}
