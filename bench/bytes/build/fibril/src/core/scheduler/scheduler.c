#include "scheduler.h"

#include "crowd.h"
#include "run.h"
#include "scope.h"

#include <stdlib.h>

#define GRACE_MS 5000

int fibril__scheduler_init(fibril_loop *loop, uv_loop_t *uv, const fibril__host *host) {
  loop->uv = uv;
  loop->host = host;
  loop->base.depth = 1;
  loop->refs = 1;
  loop->state = FIBRIL__OPEN;
  loop->grace.ms = GRACE_MS;
  fibril__stacks_init(&loop->stacks);
  fibril__timers_init(&loop->timers);
  return fibril__ready_grow(&loop->ready);
}

/* ---- A turn ---- */

void fibril__scheduler_choose(fibril_loop *loop) {
  uint64_t next = fibril__timers_next(&loop->timers);
  if (next == 0) return;
  uint64_t now = uv_hrtime();
  if (next <= now) fibril__timers_choose(&loop->timers, now);
}

void fibril__scheduler_run_due(fibril_loop *loop) {
  fibril__visit visit = fibril__visit_begin(loop);
  fibril_cb callback;
  void *arg;
  while (fibril__timers_take(&loop->timers, &callback, &arg)) {
    if (fibril__timers_left(&loop->timers)) fibril__loop_activate(loop);
    callback(arg);
  }
  fibril__visit_end(loop, visit);
}

/* ---- The end ---- */

static void cancel_each(fibril_coroutine *coroutine, void *arg) {
  (void)arg;
  if (fibril__is_called(coroutine)) return;
  fibril__coroutine_cancel(coroutine);
  if (coroutine->state == FIBRIL__FRESH) fibril_coroutine_ready(coroutine);
}

void fibril__scheduler_close(fibril_loop *loop) {
  loop->state = FIBRIL__CLOSING;
  fibril__coroutines_each(loop, cancel_each, NULL);
  fibril__loop_activate(loop);
}

void fibril__scheduler_destroy(fibril_loop *loop) {
  fibril__timers_destroy(&loop->timers);
  fibril__stacks_destroy(&loop->stacks);
  loop->state = FIBRIL__CLOSED;
}
