/* A million coroutines asleep at the same time; what is left of a peak. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "scale.h"

#include <stdlib.h>

#define MILLION 1000000
#define PEAK 100000
#define SURVIVORS 1000
#define KIB 1024

static const fibril_spawn_options small = {
    .size = sizeof small, .name = "sleeper", .stack_size = 16 * KIB};

/* When the coroutine may wake: its deadline lies between two readings of the clock. */
typedef struct {
  double ms, earliest, latest;
} dream;

static struct {
  double last;
  int awake, failed, disorder;
} nights;

static fibril_value sleep_and_compare(void *arg) {
  dream *d = arg;
  d->earliest = fibril_loop_now(NULL) + d->ms;
  nights.failed += fibril_sleep(d->ms) != 0;
  nights.disorder += d->latest < nights.last;
  if (d->earliest > nights.last) nights.last = d->earliest;
  nights.awake++;
  return fibril_undefined();
}

LOOP_TEST(million_sleepers_wake_in_order_of_their_deadlines) {
  int count = as_memory_allows(MILLION, MILLION / 10, 8e9);
  dream *dreams = malloc((size_t)count * sizeof *dreams);
  uint64_t random = 1;
  if (!CHECK(dreams != NULL)) return;
  memset(dreams, 0, (size_t)count * sizeof *dreams);
  memset(&nights, 0, sizeof nights);
  double resident_before = resident(), tables_before = page_tables();
  double start = fibril_loop_now(loop);
  for (int i = 0; i < count; i++) {
    dreams[i].ms = (double)(random_next(&random) % 1000000) / 1000;
    fibril_future_unref(fibril_loop_spawn(loop, sleep_and_compare, &dreams[i], &small));
    dreams[i].latest = fibril_loop_now(loop) + dreams[i].ms;
  }
  double asleep = fibril_loop_now(loop);
  double memory = (resident() - resident_before) / count;
  double tables = (page_tables() - tables_before) / count;
  CHECK_INT(fibril_loop_coroutines(loop), count);
  CHECK(memory <= 4.5 * KIB);
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  note("%d coroutines asleep: %.0f bytes resident and %.0f of page tables each; %.1f s to start "
       "them, %.1f s until the last had woken",
       count, memory, tables, (asleep - start) / 1000, (fibril_loop_now(loop) - asleep) / 1000);
  CHECK_INT(nights.awake, count);
  CHECK_INT(nights.failed, 0);
  CHECK_INT(nights.disorder, 0);
  free(dreams);
}

/* ---- A peak ---- */

static fibril_value wait_for(void *arg) {
  return fibril_await(arg);
}

/* `count` coroutines that wait until `until` is settled. Bare ones: a future for each would lie in
 * the C library's heap, which gives pages back only when all that was in them is freed. */
static void start_waiting(fibril_loop *loop, fibril_future *until, int count) {
  for (int i = 0; i < count; i++) {
    fibril_coroutine *coroutine;
    if (!CHECK_INT(fibril_coroutine_create(loop, wait_for, until, &small, &coroutine), 0)) exit(1);
    fibril_coroutine_resume(coroutine);
  }
}

static void settle(fibril_loop *loop, fibril_future *until, size_t left) {
  fibril_future_set_result(until, fibril_undefined());
  fibril_future_unref(until);
  while (fibril_loop_coroutines(loop) > left) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
}

static void set_true(void *arg) {
  *(bool *)arg = true;
}

static void turn_for(fibril_loop *loop, double ms) {
  bool over = false;
  CHECK_INT(fibril_loop_call_later(loop, ms, set_true, &over, NULL), 0);
  while (!over) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
}

LOOP_TEST(memory_of_a_peak_comes_back) {
  uint64_t random = 7;
  fibril_future *short_wait = fibril_future_new(loop), *long_wait = fibril_future_new(loop);
  double before = resident();
  start_waiting(loop, long_wait, SURVIVORS);
  double needed = resident() - before;
  settle(loop, long_wait, 0);

  long_wait = fibril_future_new(loop);
  int survivors = 0;
  for (int i = 0; i < PEAK; i++) {
    bool survives = random_next(&random) % (PEAK / SURVIVORS) == 0;
    survivors += survives;
    start_waiting(loop, survives ? long_wait : short_wait, 1);
  }
  double peak = resident() - before;
  settle(loop, short_wait, (size_t)survivors);
  turn_for(loop, 5000);
  double left = resident() - before;
  needed *= (double)survivors / SURVIVORS;
  note("%d coroutines: %.1f MB; five seconds after all but %d had ended: %.2f MB, of which they "
       "need %.2f",
       PEAK, peak / 1e6, survivors, left / 1e6, needed / 1e6);
  CHECK(left <= needed * 1.1);
  settle(loop, long_wait, 0);
}
