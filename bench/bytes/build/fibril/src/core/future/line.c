#include "line.h"

#include "../scheduler/timeouts.h"

#include <math.h>

static void join_line(fibril_line *line, fibril__waiter *waiter) {
  waiter->line = line;
  FIBRIL__LIST_ADD(line, waiter);
}

static void step_out(fibril__waiter *waiter) {
  FIBRIL__LIST_REMOVE(waiter->line, waiter);
  waiter->line = NULL;
}

static void give_up_early(fibril__waiter *waiter, int status) {
  if (waiter->line == NULL) return;
  step_out(waiter);
  fibril__wake(&waiter->wait, status);
}

static void on_line_timeout(void *arg) {
  give_up_early(arg, UV_ETIMEDOUT);
}

static void cancel_in_line(fibril__wait *wait) {
  give_up_early(FIBRIL__CONTAINER(fibril__waiter, wait, wait), UV_ECANCELED);
}

int fibril__line_wait(fibril_line *line, fibril__waiter *waiter, const fibril__wait_kind *kind,
                      double timeout) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  if (isnan(timeout)) return UV_EINVAL;
  fibril_timeout timer = 0;
  waiter->wait = (fibril__wait){.kind = kind, .cancel = cancel_in_line};
  if (timeout >= 0) {
    err =
        fibril__timeout_add(self->loop, fibril__deadline(timeout), on_line_timeout, waiter, &timer);
    if (err != 0) return err;
  }
  join_line(line, waiter);
  err = fibril__wait_until_woken(self, &waiter->wait);
  if (timer != 0) fibril_loop_remove_timeout(self->loop, timer);
  return err;
}

void fibril__line_insist(fibril_line *line, fibril__waiter *waiter, const fibril__wait_kind *kind) {
  waiter->wait = (fibril__wait){.kind = kind};
  join_line(line, waiter);
  fibril__wait_insist(fibril__self(), &waiter->wait);
}

fibril__waiter *fibril__line_next(fibril_line *line, int status) {
  fibril__waiter *waiter = line->first;
  if (waiter == NULL) return NULL;
  step_out(waiter);
  fibril__wake(&waiter->wait, status);
  return waiter;
}
