/* A million coroutines asleep at the same time. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "scale.h"

#include <stdlib.h>

#define MILLION 1000000
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
