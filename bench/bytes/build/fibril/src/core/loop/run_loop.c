/* A loop that nobody else turns. */
#include "../scheduler/timeouts.h"
#include "loop.h"

int fibril_loop_run(fibril_loop *loop) {
  if (fibril__whole_of(loop)->running.uv || fibril__loop_here == loop) return FIBRIL_ERUNNING;
  /* Tornado's loop waits for events for ever; this handle makes an idle libuv loop do so too. */
  uv_ref((uv_handle_t *)&fibril__whole_of(loop)->handles.check);
  fibril__loop_ref(loop);
  fibril__whole_of(loop)->running.uv = true;
  while (loop->state == FIBRIL__CLOSING ||
         (loop->state == FIBRIL__OPEN && !fibril__whole_of(loop)->running.stop))
    uv_run(loop->uv, UV_RUN_ONCE);
  fibril__whole_of(loop)->running.uv = false;
  fibril__whole_of(loop)->running.stop = false;
  uv_unref((uv_handle_t *)&fibril__whole_of(loop)->handles.check);
  int err = loop->state == FIBRIL__OPEN ? 0 : FIBRIL_ECLOSED;
  fibril__loop_unref(loop);
  return err;
}

void fibril_loop_stop(fibril_loop *loop) {
  fibril__whole_of(loop)->running.stop = true;
  if (loop->state == FIBRIL__OPEN) fibril__post_poke(loop);
}

typedef struct {
  fibril_loop *loop;
  bool timed_out;
  fibril_future *future;
} sync_run;

static void on_sync_timeout(void *arg) {
  sync_run *run = arg;
  run->timed_out = fibril_cancel(run->future) == 0;
}

/* Runs until the coroutine has ended, and a loop that it has closed is closed; false when nothing
 * can wake it any more. */
static bool finish_sync(sync_run *run) {
  const fibril_loop *loop = run->loop;
  while (loop->state == FIBRIL__CLOSING ||
         (!fibril_future_done(run->future) && !fibril__whole_of(loop)->running.stop))
    if (uv_run(loop->uv, UV_RUN_ONCE) == 0 && loop->state != FIBRIL__CLOSED)
      return fibril_future_done(run->future);
  return true;
}

static int sync_result(sync_run *run, fibril_value *out) {
  if (!fibril_future_done(run->future)) return FIBRIL_ESTOPPED;
  fibril_value result = fibril_future_result(run->future);
  bool open = run->loop->state == FIBRIL__OPEN;
  if (open && run->timed_out) return UV_ETIMEDOUT;
  if (out != NULL) *out = fibril_value_dup(result);
  return open ? 0 : FIBRIL_ECLOSED;
}

int fibril_loop_run_sync(fibril_loop *loop, fibril_fn fn, void *arg, double timeout,
                         fibril_value *out) {
  if (out != NULL) *out = fibril_undefined();
  if (fibril__whole_of(loop)->running.uv || fibril__loop_here == loop) return FIBRIL_ERUNNING;
  sync_run run = {.loop = loop};
  fibril_timeout timer = 0;
  int err = 0;
  run.future = fibril_loop_spawn(loop, fn, arg, NULL);
  if (run.future->loop == NULL) return fibril_error_code(run.future->value);
  if (timeout > 0 && !fibril_future_done(run.future))
    err = fibril__timeout_add(loop, fibril__deadline(timeout), on_sync_timeout, &run, &timer);
  if (err != 0) fibril_cancel(run.future);

  fibril__loop_ref(loop);
  fibril__whole_of(loop)->running.uv = true;
  if (!finish_sync(&run)) {
    fibril__loop_log(loop,
                     "run_sync: nothing is left that could wake the coroutine; it is cancelled",
                     fibril__error_code(FIBRIL_ESTOPPED));
    fibril_cancel(run.future);
    fibril__loop_activate(loop);
    finish_sync(&run);
    if (err == 0) err = FIBRIL_ESTOPPED;
  }
  fibril__whole_of(loop)->running.uv = false;
  fibril__whole_of(loop)->running.stop = false;
  if (timer != 0) fibril_loop_remove_timeout(loop, timer);
  if (err == 0) err = sync_result(&run, out);
  fibril_future_result(run.future);
  fibril_future_unref(run.future);
  fibril__loop_unref(loop);
  return err;
}
