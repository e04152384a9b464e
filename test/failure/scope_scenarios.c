/* Masks, deadlines and the book that is kept of leaks, with failing calls. */
#include "inject.h"
#include "scenario.h"

#include "../../src/core/scheduler/scheduler.h"

static fibril_value wait_behind_deadlines(void *arg) {
  (void)arg;
  if (OK(fibril_deadline_push(1e9))) {
    int err = OK(fibril_deadline_push(-1)) ? fibril_moment() : UV_ETIMEDOUT;
    MUST(err == UV_ETIMEDOUT);
  }
  MUST(fibril_mask() == 0);
  OK(fibril_sleep(0));
  return fibril_undefined();
}

SCENARIO(deadlines) {
  scenario_run(loop, wait_behind_deadlines, NULL);
}

static fibril_value wait_masked(void *arg) {
  (void)arg;
  MUST(fibril_mask() == 0);
  MUST(fibril_suspend() == UV_ECANCELED);
  return fibril_undefined();
}

static void note_closed(void *arg) {
  *(bool *)arg = true;
}

static bool is_set(void *arg) {
  return *(bool *)arg;
}

/* Where there is no timer for it, the mask is lifted at once. */
SCENARIO(masks_at_the_end) {
  fibril_loop *second;
  bool closed = false;
  if (!OK(fibril_loop_new(fibril_loop_uv(loop), &second))) return;
  second->grace.ms = 1;
  fibril_future *future = fibril_loop_spawn(second, wait_masked, NULL, NULL);
  bool started = !fibril_future_done(future);
  if (!started) OK_VALUE(fibril_future_result(future));
  fibril_future_unref(future);
  MUST(fibril_loop_close(second, note_closed, &closed) == 0);
  if (started) OK(second->timers.length == 1 ? 0 : UV_ENOMEM);
  scenario_until(loop, is_set, &closed);
  MUST(closed);
}

static fibril_value fail(void *arg) {
  return fibril_error(UV_EIO, "%s", (const char *)arg);
}

/* A line of the report may be missing, nothing else. */
SCENARIO(book_of_leaks) {
  if (!OK(fibril_loop_report_leaks(loop))) return;
  fibril_future *future = fibril_loop_spawn(loop, fail, NULL, NULL);
  MUST(fibril_is_error(fibril_future_result(future)));
  if (fibril_error_code(fibril_future_result(future)) != UV_EIO)
    OK_VALUE(fibril_future_result(future));
  fibril_future_unref(future);
}
