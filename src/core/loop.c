/* The loop: a scheduler on a libuv loop. One iteration runs from the check phase, after libuv has
 * polled: the timeouts that are due are chosen, then the ready queue runs, a snapshot, then those
 * timeouts. Answers to Tornado's IOLoop. */
#include "core.h"

#include "overflow.h"

#include <stdio.h>
#include <stdlib.h>

/* How long clean-up behind masks may take when a loop closes. */
#define GRACE_MS 5000

/* Free stacks are given back this long after there were too many of them. */
#define TRIM_DELAY_MS 1000

/* ---- Life ---- */

static void on_check(uv_check_t *check) {
  fibril__loop_iterate(check->data);
}

/* Being active is all its work: poll then returns at once. */
static void on_idle(uv_idle_t *idle) {
  (void)idle;
}

static void on_trim(uv_timer_t *timer) {
  fibril_loop *loop = timer->data;
  if (fibril__stacks_trim(&loop->stacks))
    uv_timer_start(timer, on_trim, 1, 0);
  else
    fibril__ring_shrink(loop);
}

static void start_handles(fibril_loop *loop) {
  uv_check_init(loop->uv, &loop->check);
  uv_idle_init(loop->uv, &loop->idle);
  uv_timer_init(loop->uv, &loop->timer);
  uv_timer_init(loop->uv, &loop->trim);
  loop->check.data = loop->idle.data = loop->timer.data = loop->trim.data = loop->async.data = loop;
  uv_check_start(&loop->check, on_check);
  uv_unref((uv_handle_t *)&loop->check);
  uv_unref((uv_handle_t *)&loop->trim);
  loop->open_handles = 5;
}

int fibril_loop_new(uv_loop_t *uv, fibril_loop **out) {
  fibril_loop *loop = calloc(1, sizeof *loop);
  if (loop == NULL) return UV_ENOMEM;
  loop->uv = uv;
  loop->base.depth = 1;
  loop->settled_tail = &loop->settled;
  loop->refs = 1;
  loop->state = FIBRIL__OPEN;
  fibril__stacks_init(&loop->stacks);
  fibril__timers_init(&loop->timers);
  int err = fibril__ring_grow(loop);
  if (err == 0) err = fibril__post_init(loop);
  if (err != 0) {
    free(loop->ring);
    free(loop);
    return err;
  }
  start_handles(loop);
  loop->grace = GRACE_MS;
  fibril__leaks_begin(loop);
  fibril__overflow_attach();
  *out = loop;
  return 0;
}

void fibril__loop_unref(fibril_loop *loop) {
  if (--loop->refs > 0) return;
  free(loop->leaks);
  free(loop->ring);
  free(loop);
}

void fibril__loop_handle_closed(fibril_loop *loop) {
  if (--loop->open_handles > 0) return;
  while (loop->free_futures != NULL) {
    fibril_future *future = loop->free_futures;
    loop->free_futures = future->next;
    free(future);
  }
  free(loop->pool);
  fibril__timers_destroy(&loop->timers);
  fibril__stacks_destroy(&loop->stacks);
  fibril__overflow_detach();
  loop->state = FIBRIL__CLOSED;
  if (loop->closed != NULL) loop->closed(loop->closed_arg);
  fibril__loop_unref(loop);
}

static void on_handle_closed(uv_handle_t *handle) {
  fibril__loop_handle_closed(handle->data);
}

/* Every coroutine has ended: closes the handles. */
static void close_handles(fibril_loop *loop) {
  if (loop->unwound != NULL) loop->unwound(loop->flush_arg);
  fibril__post_close(loop);
  fibril__handlers_close(loop);
  uv_close((uv_handle_t *)&loop->check, on_handle_closed);
  uv_close((uv_handle_t *)&loop->idle, on_handle_closed);
  uv_close((uv_handle_t *)&loop->timer, on_handle_closed);
  uv_close((uv_handle_t *)&loop->trim, on_handle_closed);
  uv_close((uv_handle_t *)&loop->async, on_handle_closed);
}

static void cancel_each(fibril_coroutine *coroutine, void *arg) {
  (void)arg;
  if (coroutine->generator != NULL) return;
  fibril__coroutine_cancel(coroutine);
  if (coroutine->state == FIBRIL__FRESH) fibril_coroutine_ready(coroutine);
}

int fibril_loop_close(fibril_loop *loop, void (*closed)(void *arg), void *arg) {
  if (loop->state != FIBRIL__OPEN) return FIBRIL_ECLOSED;
  fibril__leaks_report(loop);
  loop->state = FIBRIL__CLOSING;
  loop->closed = closed;
  loop->closed_arg = arg;
  fibril__coroutines_each(loop, cancel_each, NULL);
  fibril__loop_activate(loop);
  return 0;
}

/* ---- An iteration ---- */

void fibril__loop_activate(fibril_loop *loop) {
  if (loop->idle_active || loop->state == FIBRIL__CLOSED ||
      uv_is_closing((uv_handle_t *)&loop->idle))
    return;
  loop->idle_active = true;
  uv_idle_start(&loop->idle, on_idle);
}

static void run_due(fibril_loop *loop, uint32_t count) {
  fibril_loop *here = fibril__loop_here;
  fibril__loop_here = loop;
  for (uint32_t i = 0; i < count; i++) {
    fibril_cb callback;
    void *arg;
    if (fibril__timers_take(&loop->timers, loop->timers.due[i], &callback, &arg)) callback(arg);
  }
  fibril__loop_here = here;
}

void fibril__loop_iterate(fibril_loop *loop) {
  uint64_t next = fibril__timers_next(&loop->timers);
  uint64_t now = next == 0 ? 0 : uv_hrtime();
  uint32_t due = next == 0 || next > now ? 0 : fibril__timers_choose(&loop->timers, now);
  if (fibril__queued(loop) > 0) fibril__drain(loop, fibril__queued(loop), false);
  if (due > 0) run_due(loop, due);
  if (loop->flush_wanted) {
    loop->flush_wanted = false;
    loop->flush(loop->flush_arg);
  }
  fibril__timers_shrink(&loop->timers);
  fibril__loop_arm(loop);
  if (fibril__stacks_want_trim(&loop->stacks) && !uv_is_active((uv_handle_t *)&loop->trim))
    uv_timer_start(&loop->trim, on_trim, TRIM_DELAY_MS, 0);
  if (fibril__queued(loop) == 0 && !loop->flush_wanted) {
    loop->idle_active = false;
    uv_idle_stop(&loop->idle);
    if (loop->state == FIBRIL__CLOSING) {
      fibril__generators_close(loop);
      if (loop->coroutines == 0 && fibril__queued(loop) == 0) close_handles(loop);
      if (loop->coroutines > 0 && fibril__queued(loop) == 0) fibril__mutexes_check(loop);
    }
  }
}

size_t fibril_loop_run_ready(fibril_loop *loop, size_t most) {
  return fibril__drain(loop, most, false);
}

size_t fibril__loop_run_turn(fibril_loop *loop) {
  return fibril__queued(loop) == 0 ? 0 : fibril__drain(loop, fibril__queued(loop), true);
}

/* ---- Stand-alone ---- */

int fibril_loop_run(fibril_loop *loop) {
  if (loop->uv_running || fibril__loop_here == loop) return FIBRIL_ERUNNING;
  /* Tornado's loop waits for events for ever; this handle makes an idle libuv loop do so too. */
  uv_ref((uv_handle_t *)&loop->check);
  loop->uv_running = true;
  while (!loop->stop) uv_run(loop->uv, UV_RUN_ONCE);
  loop->uv_running = false;
  uv_unref((uv_handle_t *)&loop->check);
  loop->stop = false;
  return 0;
}

void fibril_loop_stop(fibril_loop *loop) {
  loop->stop = true;
  if (loop->state == FIBRIL__OPEN)
    uv_async_send(&loop->async); /* a poll that is under way returns */
}

typedef struct {
  fibril_loop *loop;
  bool timed_out;
  fibril_future *future;
} sync_run;

static void on_sync_timeout(void *arg) {
  sync_run *run = arg;
  run->timed_out = true;
  fibril_cancel(run->future);
}

/* Runs until the coroutine has ended; false when nothing can wake it any more. */
static bool finish_sync(sync_run *run) {
  while (!fibril_future_done(run->future) && !run->loop->stop)
    if (uv_run(run->loop->uv, UV_RUN_ONCE) == 0 && !fibril_future_done(run->future)) return false;
  return true;
}

static int sync_result(sync_run *run, fibril_value *out) {
  if (!fibril_future_done(run->future)) return FIBRIL_ESTOPPED;
  fibril_value result = fibril_future_result(run->future);
  if (run->timed_out) return UV_ETIMEDOUT;
  if (out != NULL) *out = fibril_value_dup(result);
  return 0;
}

int fibril_loop_run_sync(fibril_loop *loop, fibril_fn fn, void *arg, double timeout,
                         fibril_value *out) {
  if (out != NULL) *out = fibril_undefined();
  if (loop->uv_running || fibril__loop_here == loop) return FIBRIL_ERUNNING;
  sync_run run = {.loop = loop};
  fibril_timeout timer = 0;
  int err = 0;
  run.future = fibril_loop_spawn(loop, fn, arg, NULL);
  if (run.future->loop == NULL) return fibril_error_code(run.future->value);
  if (timeout > 0 && !fibril_future_done(run.future))
    err = fibril_loop_call_later(loop, timeout, on_sync_timeout, &run, &timer);
  if (err != 0) fibril_cancel(run.future);

  loop->uv_running = true;
  if (!finish_sync(&run)) {
    fibril__loop_log(loop,
                     "run_sync: nothing is left that could wake the coroutine; it is cancelled",
                     fibril__error_code(FIBRIL_ESTOPPED));
    fibril_cancel(run.future);
    fibril__loop_activate(loop);
    finish_sync(&run);
    if (err == 0) err = FIBRIL_ESTOPPED;
  }
  loop->uv_running = false;
  loop->stop = false;
  if (timer != 0) fibril_loop_remove_timeout(loop, timer);
  if (err == 0) err = sync_result(&run, out);
  fibril_future_result(run.future);
  fibril_future_unref(run.future);
  return err;
}

/* ---- Small things ---- */

uv_loop_t *fibril_loop_uv(const fibril_loop *loop) {
  return loop->uv;
}

fibril_loop *fibril_loop_current(void) {
  return fibril__loop_here;
}

size_t fibril_loop_coroutines(const fibril_loop *loop) {
  return loop->coroutines;
}

void fibril_loop_set_log(fibril_loop *loop, fibril_log_cb log, void *arg) {
  loop->log = log;
  loop->log_arg = arg;
}

void fibril__loop_log(fibril_loop *loop, const char *message, fibril_value error) {
  if (loop->log != NULL)
    loop->log(message, error, loop->log_arg);
  else
    fprintf(stderr, "fibril: %s: %s\n", message, fibril_error_message(error));
}
