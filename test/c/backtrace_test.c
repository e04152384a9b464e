/* backtrace() inside coroutines that the scheduler runs: it ends where the coroutine began. What
 * crash reporters, sanitizers and C++ exceptions do is the same. test/arch has the switch alone. */
#include "test.h"

#include <stdint.h>

#if defined(__GLIBC__)

#include "../../src/core/switch/arch/switch.h"

#include <execinfo.h>

#define FRAMES 64
#define ENTRY_BYTES 64 /* more than fibril__entry has */

__attribute__((noinline)) static void check_backtrace(unsigned depth) {
  if (depth > 0) {
    check_backtrace(depth - 1);
    __asm__ volatile(""); /* no tail call */
    return;
  }
  void *frames[FRAMES];
  int count = backtrace(frames, FRAMES);
  uintptr_t last = count > 0 ? (uintptr_t)frames[count - 1] : 0;
  uintptr_t entry = (uintptr_t)fibril__entry;
  CHECK(count >= 5 && count < 20);
  CHECK(last > entry && last < entry + ENTRY_BYTES);
}

/* On the loop's stack it goes on to what called the loop. */
static void check_on_loop(void *data) {
  void *frames[FRAMES];
  (void)data;
  int count = backtrace(frames, FRAMES);
  CHECK(count >= 3);
  for (int i = 0; i < count; i++)
    CHECK((uintptr_t)frames[i] - (uintptr_t)fibril__entry >= ENTRY_BYTES);
}

static fibril_value child(void *arg) {
  check_backtrace(3);
  fibril_moment();
  check_backtrace(3);
  return fibril_number(*(int *)arg);
}

static fibril_value count_up(fibril_generator *generator, void *arg) {
  (void)arg;
  for (int i = 0; i < 3; i++) {
    check_backtrace(3);
    fibril_sleep(0);
    check_backtrace(3);
    fibril_yield(generator, fibril_number(i));
  }
  return fibril_undefined();
}

static void job(void *arg) {
  *(int *)arg = 1;
}

static fibril_value parent(void *arg) {
  int number = 7, done = 0;
  (void)arg;
  check_backtrace(3);
  fibril_future *future = fibril_spawn(child, &number, NULL);
  check_backtrace(3);
  CHECK_INT(fibril_value_integer(fibril_await(future)), 7);
  fibril_future_unref(future);
  check_backtrace(3);
  fibril_sleep(1);
  check_backtrace(3);
  CHECK_INT(fibril_work(job, &done), 0);
  check_backtrace(3);
  fibril_on_loop(check_on_loop, NULL);
  check_backtrace(3);
  fibril_generator *generator = fibril_generator_new(fibril_loop_current(), count_up, NULL, NULL);
  fibril_value value;
  while (fibril_generator_next(generator, &value) == FIBRIL_YIELDED) check_backtrace(3);
  fibril_generator_unref(generator);
  return fibril_undefined();
}

static void stop(void *arg) {
  (void)arg;
  check_backtrace(3);
}

static fibril_value cancelled(void *arg) {
  (void)arg;
  CHECK_INT(fibril_defer(stop, NULL), 0);
  CHECK_INT(fibril_sleep(1e6), UV_ECANCELED);
  check_backtrace(3);
  return fibril_undefined();
}

LOOP_TEST(backtrace_ends_at_the_entry_of_a_coroutine) {
  fibril_future *future = fibril_loop_spawn(loop, parent, NULL, NULL);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_future_unref(future);
}

LOOP_TEST(backtrace_ends_at_the_entry_of_a_cancelled_coroutine) {
  fibril_future *future = fibril_loop_spawn(loop, cancelled, NULL, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_future_unref(future);
}

#endif
