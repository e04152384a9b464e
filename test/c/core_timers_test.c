/* What a crowd of timeouts leaves behind: memory is given back, and handles stay good. */
#include "test.h"

#include "../../src/core/core.h"

#include <stdlib.h>
#include <string.h>

#define CROWD 6000
#define STAY 100 /* one of so many */

static void count(void *arg) {
  ++*(int *)arg;
}

/* One turn, in which nothing is due. */
static void turn(fibril_loop *loop) {
  int called = 0;
  CHECK_INT(fibril_loop_call_later(loop, 0, count, &called, NULL), 0);
  while (called == 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
}

LOOP_TEST(timers_that_were_removed_stay_removed_when_memory_is_given_back) {
  fibril_timeout *old = malloc(CROWD * sizeof *old);
  int late = 0, fired = 0;
  if (!CHECK(old != NULL)) return;
  for (int i = 0; i < CROWD; i++)
    CHECK_INT(fibril_loop_call_later(loop, 1e6, count, &late, &old[i]), 0);
  for (int i = 0; i < CROWD; i++) fibril_loop_remove_timeout(loop, old[i]);
  CHECK(loop->timers.capacity >= CROWD);
  turn(loop);
  CHECK(loop->timers.capacity < CROWD / 4);
  for (int i = 0; i < CROWD; i++)
    CHECK_INT(fibril_loop_call_later(loop, 1, count, &fired, NULL), 0);
  for (int i = 0; i < CROWD; i++) fibril_loop_remove_timeout(loop, old[i]);
  while (fired < CROWD) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(late, 0);
  free(old);
}

LOOP_TEST(timers_that_stay_keep_their_handles_when_memory_is_given_back) {
  fibril_timeout *handles = malloc(CROWD * sizeof *handles);
  int late = 0;
  if (!CHECK(handles != NULL)) return;
  for (int i = 0; i < CROWD; i++)
    CHECK_INT(fibril_loop_call_later(loop, 1e6, count, &late, &handles[i]), 0);
  for (int i = 0; i < CROWD; i++)
    if (i % STAY != 0) fibril_loop_remove_timeout(loop, handles[i]);
  turn(loop);
  CHECK_INT(loop->timers.length, CROWD / STAY);
  for (int i = 0; i < CROWD; i += STAY) fibril_loop_remove_timeout(loop, handles[i]);
  CHECK_INT(loop->timers.length, 0);
  turn(loop);
  CHECK(loop->timers.capacity < CROWD / 4);
  CHECK_INT(late, 0);
  free(handles);
}

/* When a coroutine may wake: its deadline lies between two readings of the clock. */
typedef struct {
  double ms, earliest, latest;
} dream;

static struct {
  double last;
  int woken, cancelled, disorder;
} dreams;

static fibril_value sleep_for(void *arg) {
  dream *one = arg;
  one->earliest = fibril_loop_now(NULL) + one->ms;
  int err = fibril_sleep(one->ms);
  dreams.cancelled += err == UV_ECANCELED;
  if (err != 0) return fibril_undefined();
  dreams.woken++;
  dreams.disorder += one->latest < dreams.last;
  if (one->earliest > dreams.last) dreams.last = one->earliest;
  return fibril_undefined();
}

static bool wakes(int i) {
  return i % STAY == 1 && i > CROWD / 2;
}

/* Of a crowd that sleeps long, some that stay are cancelled later, and others wake, the last one
 * first, when memory has been given back in between: their timeouts have moved. */
LOOP_TEST(timers_of_sleepers_move_when_memory_is_given_back) {
  const fibril_spawn_options small = {.size = sizeof small, .stack_size = 16384};
  fibril_future **futures = malloc(CROWD * sizeof(fibril_future *));
  dream *list = calloc(CROWD, sizeof *list);
  if (!CHECK(futures != NULL) || !CHECK(list != NULL)) return;
  memset(&dreams, 0, sizeof dreams);
  for (int i = 0; i < CROWD; i++) {
    list[i].ms = wakes(i) ? 1000 + (CROWD - i) / 10.0 : 1e6;
    futures[i] = fibril_loop_spawn(loop, sleep_for, &list[i], &small);
    list[i].latest = fibril_loop_now(loop) + list[i].ms;
  }
  for (int i = 0; i < CROWD; i++)
    if (i % STAY != 0 && !wakes(i)) fibril_cancel(futures[i]);
  turn(loop);
  CHECK(loop->timers.capacity < CROWD / 4);
  while (dreams.woken < CROWD / STAY / 2) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(dreams.disorder, 0);
  for (int i = 0; i < CROWD; i += STAY) fibril_cancel(futures[i]);
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(dreams.cancelled, CROWD - CROWD / STAY / 2);
  CHECK_INT(loop->timers.length, 0);
  for (int i = 0; i < CROWD; i++) fibril_future_unref(futures[i]);
  free(futures);
  free(list);
}

/* ---- Coroutines whose future nobody has ---- */

static fibril_value fail_later(void *arg) {
  int err = fibril_sleep(1);
  return err != 0 ? fibril_error(err, NULL) : fibril_error(*(int *)arg, "it failed");
}

static void note_log(const char *message, fibril_value error, void *arg) {
  (void)message;
  CHECK_STR(fibril_error_message(error), "it failed");
  ++*(int *)arg;
}

LOOP_TEST(future_that_nobody_has_is_freed_while_its_coroutine_waits) {
  int logged = 0, code = UV_EIO;
  fibril_loop_set_log(loop, note_log, &logged);
  for (int i = 0; i < 100; i++) {
    fibril_future_unref(fibril_loop_spawn(loop, fail_later, &code, NULL));
    CHECK_INT(loop->free_future_count, 1);
  }
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(logged, 100);
}
