#include "line.h"

#include <math.h>

static void push(fibril_line *line, fibril__waiter *waiter) {
  waiter->line = line;
  waiter->next = NULL;
  waiter->prev = line->last;
  *(line->last == NULL ? &line->first : &line->last->next) = waiter;
  line->last = waiter;
}

static void take_off(fibril__waiter *waiter) {
  fibril_line *line = waiter->line;
  *(waiter->prev == NULL ? &line->first : &waiter->prev->next) = waiter->next;
  *(waiter->next == NULL ? &line->last : &waiter->next->prev) = waiter->prev;
  waiter->line = NULL;
}

static void give_up(fibril__waiter *waiter, int status) {
  if (waiter->line == NULL) return;
  take_off(waiter);
  fibril__wake(&waiter->wait, status);
}

static void on_timeout(void *arg) {
  give_up(arg, UV_ETIMEDOUT);
}

static void on_cancel(fibril__wait *wait) {
  give_up(FIBRIL__CONTAINER(fibril__waiter, wait, wait), UV_ECANCELED);
}

int fibril__line_wait(fibril_line *line, fibril__waiter *waiter, const char *what, double timeout) {
  fibril_coroutine *self = fibril__self();
  int err = fibril__wait_check(self);
  if (err != 0) return err;
  if (isnan(timeout)) return UV_EINVAL;
  fibril_timeout timer = 0;
  waiter->wait = (fibril__wait){.what = what, .cancel = on_cancel};
  if (timeout >= 0) {
    err = fibril__timeout_add(self->loop, fibril__deadline(timeout), on_timeout, waiter, &timer);
    if (err != 0) return err;
  }
  push(line, waiter);
  err = fibril__wait_until_woken(self, &waiter->wait);
  if (timer != 0) fibril_loop_remove_timeout(self->loop, timer);
  return err;
}

void fibril__line_insist(fibril_line *line, fibril__waiter *waiter, const char *what) {
  waiter->wait = (fibril__wait){.what = what};
  push(line, waiter);
  fibril__wait_until_woken(fibril__self(), &waiter->wait);
}

fibril__waiter *fibril__line_next(fibril_line *line, int status) {
  fibril__waiter *waiter = line->first;
  if (waiter == NULL) return NULL;
  take_off(waiter);
  fibril__wake(&waiter->wait, status);
  return waiter;
}
