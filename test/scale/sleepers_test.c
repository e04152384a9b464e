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

static void turns_until_left(fibril_loop *loop, size_t left) {
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

/* Starts coroutines of which those that survive wait until the second of two moments, all others
 * until the first. */
typedef struct {
  void (*start)(fibril_loop *loop, bool survives);
  void (*end)(fibril_loop *loop, bool survivors);
} crowd;

/* The memory that a peak leaves, when all but a hundredth chosen at random have ended, next to what
 * as many need that are alone. */
static void check_peak(fibril_loop *loop, const char *what, const crowd *crowd) {
  uint64_t random = 7;
  int survivors = 0;
  double before = resident();
  for (int i = 0; i < SURVIVORS; i++) crowd->start(loop, true);
  double needed = resident() - before;
  crowd->end(loop, true);
  turns_until_left(loop, 0);

  for (int i = 0; i < PEAK; i++) {
    bool survives = random_next(&random) % (PEAK / SURVIVORS) == 0;
    survivors += survives;
    crowd->start(loop, survives);
  }
  double peak = resident() - before;
  crowd->end(loop, false);
  turns_until_left(loop, (size_t)survivors);
  turn_for(loop, 5000);
  double left = resident() - before;
  needed *= (double)survivors / SURVIVORS;
  note("%d %s: %.1f MB; five seconds after all but %d had ended: %.2f MB, of which they need %.2f",
       PEAK, what, peak / 1e6, survivors, left / 1e6, needed / 1e6);
  CHECK(left <= needed * 1.1);
  crowd->end(loop, true);
  turns_until_left(loop, 0);
}

/* Bare coroutines that wait for a future. */

static fibril_future *until[2];

static fibril_value wait_for(void *arg) {
  return fibril_await(arg);
}

static void start_bare(fibril_loop *loop, bool survives) {
  fibril_coroutine *coroutine;
  fibril_future **moment = &until[survives];
  if (*moment == NULL) *moment = fibril_future_new(loop);
  if (!CHECK_INT(fibril_coroutine_create(loop, wait_for, *moment, &small, &coroutine), 0)) exit(1);
  fibril_coroutine_resume(coroutine);
}

static void end_bare(fibril_loop *loop, bool survivors) {
  (void)loop;
  fibril_future_set_result(until[survivors], fibril_undefined());
  fibril_future_unref(until[survivors]);
  until[survivors] = NULL;
}

LOOP_TEST(memory_of_a_peak_comes_back) {
  check_peak(loop, "coroutines", &(crowd){start_bare, end_bare});
}

/* Coroutines that sleep over and over, spawned, and of which nobody wants the result. */

static bool over[2];

static fibril_value sleep_long(void *arg) {
  const bool *is_over = arg;
  while (!*is_over)
    if (fibril_sleep(500) != 0) break;
  return fibril_undefined();
}

static void start_asleep(fibril_loop *loop, bool survives) {
  over[survives] = false;
  fibril_future_unref(fibril_loop_spawn(loop, sleep_long, &over[survives], &small));
}

static void end_asleep(fibril_loop *loop, bool survivors) {
  (void)loop;
  over[survivors] = true;
}

LOOP_TEST(memory_of_a_peak_of_sleepers_comes_back) {
  check_peak(loop, "sleepers, spawned", &(crowd){start_asleep, end_asleep});
}
