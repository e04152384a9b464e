/* Who waits for the end of a process. */
#include "process.h"

#include "../../core/value/list.h"

/* On the stack of the coroutine that waits. */
typedef struct fibril__process_waiter waiter;
struct fibril__process_waiter {
  fibril__request request;
  fibril_process *process;
  waiter *next, *prev;
};

void fibril__process_end_waits(fibril_process *self, int result) {
  waiter *one = self->waiters.first;
  self->waiters.first = self->waiters.last = NULL;
  for (; one != NULL; one = one->next) fibril__request_end(&one->request, result);
}

void fibril__process_ended(fibril_process *self, int error, int64_t status, int signal) {
  self->ended = true;
  self->error = error;
  self->status = status;
  self->signal = signal;
  fibril__process_end_waits(self, 0);
}

static bool leave_wait(fibril__request *request) {
  waiter *self = FIBRIL__CONTAINER(waiter, request, request);
  FIBRIL__LIST_REMOVE(&self->process->waiters, self);
  return true;
}

static void describe_process(const fibril__wait *wait, fibril__wait_report *report) {
  report->unheld = FIBRIL__CONTAINER(const waiter, request.wait, wait)->request.unheld;
}

static const fibril__wait_kind process_kind = {.name = "process", .describe = describe_process};

static int wait_for_end(fibril_process *self) {
  waiter one = {.process = self};
  int err = fibril__request_begin(&one.request, &process_kind, leave_wait);
  if (err != 0) return err;
  if (self->way->expect != NULL) self->way->expect(self);
  if (self->handle.unheld) fibril__request_hold(&one.request, false);
  FIBRIL__LIST_ADD(&self->waiters, &one);
  return fibril__request_wait(&one.request, 0);
}

int fibril_process_wait(fibril_process *self, int64_t *status, int *signal) {
  int err = fibril__handle_check(&self->handle);
  if (err != 0) return err;
  fibril__handle_ref(&self->handle);
  if (!self->ended) err = wait_for_end(self);
  if (err == 0) err = self->error;
  if (err == 0 && status != NULL) *status = self->status;
  if (err == 0 && signal != NULL) *signal = self->signal;
  fibril__handle_unref(&self->handle);
  return err;
}

void fibril__process_hold_waits(fibril__handle *handle, bool held) {
  fibril_process *self = FIBRIL__CONTAINER(fibril_process, handle, handle);
  for (waiter *one = self->waiters.first; one != NULL; one = one->next)
    fibril__request_hold(&one->request, held);
}
