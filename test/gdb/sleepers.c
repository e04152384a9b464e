/* For debuggers: two coroutines that wait at known places, and an end to stop at. With an argument,
 * for profilers: one that is busy for so many rounds. */
#include <fibril.h>

#include <stdlib.h>

__attribute__((noinline)) static int nap_inside(double ms) {
  int err = fibril_sleep(ms);
  __asm__ volatile("");
  return err;
}

static fibril_value nap(void *arg) {
  (void)arg;
  return fibril_number(nap_inside(1e6));
}

static fibril_value wait_for_other(void *arg) {
  fibril_value value = fibril_await(arg);
  __asm__ volatile("");
  return value;
}

__attribute__((noinline)) static void spin(long rounds) {
  for (long i = 0; i < rounds; i++) __asm__ volatile("");
}

static fibril_value busy(void *arg) {
  spin(atol(arg));
  __asm__ volatile("");
  return fibril_undefined();
}

int main(int argc, char **argv) {
  fibril_loop *loop;
  fibril_spawn_options sleeper = {sizeof sleeper, "sleeper", 0},
                       waiter = {sizeof waiter, "waiter", 0};
  if (fibril_loop_new(uv_default_loop(), &loop) != 0) return 1;
  if (argc > 1) {
    fibril_future_unref(fibril_loop_spawn(loop, busy, argv[1], NULL));
    return 0;
  }
  fibril_future *slept = fibril_loop_spawn(loop, nap, NULL, &sleeper);
  fibril_loop_spawn(loop, wait_for_other, slept, &waiter);
  abort();
}
