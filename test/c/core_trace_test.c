/* FIBRIL_TRACE=1: what the scheduler writes. */
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#define LINE "fibril: [0-9]+\\.[0-9]{3} ms: "

static fibril_value trace_writer(void *arg) {
  fibril_set_name("writer");
  return fibril_number(fibril_sleep(1) + *(int *)arg);
}

static fibril_value trace_reader(void *arg) {
  fibril_future *future = fibril_spawn(trace_writer, arg, NULL);
  fibril_value value = fibril_await(future);
  fibril_future_unref(future);
  return fibril_is_error(value) ? value : fibril_error(UV_EIO, "it failed");
}

/* A loop that was made with the setting, in a process of its own. */
static void trace(fibril_fn fn, const char *name) {
  fibril_loop *own;
  uv_loop_t uv;
  int none = 0;
  const fibril_spawn_options options = {.size = sizeof options, .name = name};
  setenv("FIBRIL_TRACE", "1", 1);
  uv_loop_init(&uv);
  if (fibril_loop_new(&uv, &own) != 0) _exit(1);
  fibril_future *future = fibril_loop_spawn(own, fn, &none, &options);
  while (!fibril_future_done(future)) uv_run(&uv, UV_RUN_ONCE);
  fibril_future_result(future);
  _exit(7);
}

CRASH_TEST(trace_has_every_spawn_wait_wake_and_end, "7",
           "^fibril: 0\\.000 ms: spawn #(\\d+) \"reader\"\n" LINE "spawn #(\\d+) \"\"\n" LINE
           "wait #\\2 \"writer\": sleep\n" LINE
           "wait #\\1 \"reader\": future of #\\2 \"writer\"\n" LINE
           "wake #\\2 \"writer\": sleep\n" LINE "end #\\2 \"writer\"\n" LINE
           "wake #\\1 \"reader\": future\n" LINE "end #\\1 \"reader\": EIO\n$") {
  trace(trace_reader, "reader");
}

static fibril_value yield_after_sleep(fibril_generator *generator, void *arg) {
  (void)arg;
  fibril_set_name("numbers");
  fibril_sleep(1);
  return fibril_yield(generator, fibril_number(1));
}

static fibril_value lock_and_poll(void *arg) {
  (void)arg;
  fibril_mutex mutex = {0};
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), yield_after_sleep, NULL, NULL);
  fibril_generator_next(generator, NULL);
  fibril_generator_unref(generator);
  fibril_mutex_lock(&mutex);
  fibril_deadline_push(200); /* on a slow machine it is not to pass before the wait */
  int pair[2];
  if (pipe(pair) != 0) _exit(1);
  fibril_poll_fd(pair[0], UV_READABLE, -1);
  fibril_deadline_pop();
  fibril_mutex_unlock(&mutex);
  return fibril_undefined();
}

CRASH_TEST(trace_says_what_is_waited_for_and_how_it_ended, "7",
           "wait #(\\d+) \"numbers\": sleep\n" LINE "wake #\\1 \"numbers\": sleep\n" LINE
           "wait #(\\d+) \"poller\": poll of descriptor \\d+\n" LINE
           "wake #\\2 \"poller\": poll, ECANCELED\n" LINE "end #\\2 \"poller\"\n$") {
  trace(lock_and_poll, "poller");
}
