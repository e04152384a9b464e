/* For debuggers: two coroutines that wait at known places, others in every state, what fibril
 * itself says of them, and an end to stop at. With an argument, for profilers: one that is busy for
 * so many rounds. */
#include <fibril.h>

#include "../../c/nothing.h"

#include <stdio.h>
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

static fibril_value pass(void *arg) {
  (void)arg;
  fibril_pass();
  return fibril_undefined();
}

static fibril_value count(fibril_generator *generator, void *arg) {
  (void)arg;
  fibril_yield(generator, fibril_number(1));
  fibril_sleep(1e6);
  return fibril_undefined();
}

static fibril_value call_twice(void *arg) {
  fibril_generator_next(arg, NULL);
  fibril_generator_next(arg, NULL);
  return fibril_undefined();
}

static int64_t read_slowly(void *self, void *buffer, size_t length) {
  (void)self;
  (void)buffer;
  (void)length;
  return fibril_sleep(1e6);
}

/* Its wait has the name of a stream's type. */
static fibril_value read_layer(void *arg) {
  static const fibril_stream_type type = {.size = sizeof type,
                                          .name = "layer",
                                          .read = read_slowly,
                                          .write = write_nothing,
                                          .shutdown = shut_nothing,
                                          .close = close_nothing};
  fibril_stream *stream;
  char byte;
  (void)arg;
  if (fibril_stream_wrap(&type, NULL, &stream) == 0) fibril_stream_read(stream, &byte, 1);
  return fibril_undefined();
}

static void print(const fibril_inspection *about, void *arg) {
  char doing[64];
  bool waits = about->waits_for != NULL;
  snprintf(doing, sizeof doing, "%s%s%s", about->state, waits ? " for " : "",
           waits ? about->waits_for : "");
  printf("%5d  %-28s %s\n", ++*(int *)arg, doing, about->name[0] == 0 ? "unnamed" : about->name);
}

/* Runs as the process ends. */
static fibril_value observe(void *arg) {
  int number = 0;
  fibril_loop_inspect(arg, print, &number);
  fflush(stdout);
  abort();
}

static void start_others(fibril_loop *loop) {
  fibril_coroutine *fresh;
  fibril_generator *suspended = fibril_generator_new(loop, count, NULL, NULL),
                   *waiting = fibril_generator_new(loop, count, NULL, NULL);
  fibril_generator_next(suspended, NULL);
  fibril_generator_new(loop, count, NULL, NULL);
  fibril_loop_spawn(loop, call_twice, waiting, NULL);
  fibril_coroutine_create(loop, pass, NULL, NULL, &fresh);
  fibril_loop_spawn(loop, pass, NULL, NULL);
  fibril_loop_spawn(loop, read_layer, NULL, NULL);
  fibril_loop_spawn(loop, observe, loop, NULL);
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
  start_others(loop);
  return 1;
}
