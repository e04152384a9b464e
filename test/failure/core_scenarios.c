/* src/core, with failing calls. */
#include "inject.h"
#include "scenario.h"

#include "../../src/core/loop/loop.h"
#include "../../src/core/switch/stack.h"

#include <fcntl.h>
#include <unistd.h>

#define FUTURES 20

static bool has_ended(void *arg) {
  return fibril_loop_coroutines(arg) == 0;
}

static fibril_value give_number(void *arg) {
  (void)arg;
  int err = fibril_moment();
  return err == 0 ? fibril_number(7) : fibril_error(err, NULL);
}

/* ---- Coroutines ---- */

static int released;

static void count_release(void *arg) {
  released++;
  *(int *)arg += 1;
}

static void count_hop(void *data) {
  *(int *)data += 1;
}

static fibril_value belongings(void *arg) {
  static const char first_key, second_key;
  int *count = arg;
  int expected = 0;
  if (OK(fibril_defer(count_release, count))) expected++;
  if (OK(fibril_local_set(&first_key, count, count_release))) expected++;
  if (OK(fibril_local_set(&first_key, count, count_release)) && fibril_local_get(&first_key))
    expected++;
  if (OK(fibril_local_set(&second_key, count, NULL))) MUST(fibril_local_get(&second_key) == count);
  int hopped = 0;
  fibril_on_loop(count_hop, &hopped);
  MUST(hopped == 1);
  OK(fibril_pass());
  OK(fibril_sleep(0));
  return fibril_number(expected);
}

SCENARIO(what_belongs_to_a_coroutine) {
  int count = 0;
  fibril_value result;
  if (!OK(fibril_loop_run_sync(loop, belongings, &count, 0, &result))) return;
  MUST(fibril_value_number(result) == count);
}

static fibril_value spawn_some(void *arg) {
  fibril_future *futures[FUTURES];
  fibril_spawn_options options = {.size = sizeof options, .name = "small", .stack_size = 16 * 1024};
  (void)arg;
  for (int i = 0; i < FUTURES; i++)
    futures[i] = fibril_spawn(give_number, NULL, i % 2 == 0 ? &options : NULL);
  int first = fibril_await_any(futures, FUTURES);
  if (OK(first)) OK_VALUE(fibril_future_result(futures[first]));
  OK_VALUE(fibril_await_all(futures, FUTURES));
  for (int i = 0; i < FUTURES; i++) {
    if (OK_VALUE(fibril_future_result(futures[i])))
      MUST(fibril_value_number(fibril_future_result(futures[i])) == 7);
    fibril_future_unref(futures[i]);
  }
  return fibril_undefined();
}

SCENARIO(children_and_those_who_wait_for_them) {
  scenario_run(loop, spawn_some, NULL);
}

/* More than the ready queue and the first stacks have room for. */
SCENARIO(many_coroutines) {
  enum { MANY = 70 };
  fibril_future *futures[MANY];
  for (int i = 0; i < MANY; i++) futures[i] = fibril_loop_spawn(loop, give_number, NULL, NULL);
  scenario_until(loop, has_ended, loop);
  for (int i = 0; i < MANY; i++) {
    OK_VALUE(fibril_future_result(futures[i]));
    fibril_future_unref(futures[i]);
  }
}

static fibril_value until_cancelled(void *arg) {
  OK(fibril_defer(count_release, arg));
  MUST(fibril_suspend() == UV_ECANCELED);
  return fibril_undefined();
}

SCENARIO(bare_coroutines_and_cancelled_ones) {
  int count = 0;
  fibril_coroutine *bare;
  if (OK(fibril_coroutine_create(loop, give_number, NULL, NULL, &bare)))
    MUST(fibril_coroutine_ready(bare) == 0);
  fibril_future *future = fibril_loop_spawn(loop, until_cancelled, &count, NULL);
  if (!fibril_future_done(future)) MUST(fibril_cancel(future) == 0);
  scenario_until(loop, has_ended, loop);
  OK_VALUE(fibril_future_result(future));
  fibril_future_unref(future);
}

static fibril_value nothing(void *arg) {
  (void)arg;
  return fibril_undefined();
}

static fibril_value spawn_one(void *arg) {
  (void)arg;
  OK(FAILED_FUTURE(fibril_spawn(nothing, NULL, NULL)));
  return fibril_undefined();
}

SCENARIO(coroutines_that_end_at_once) {
  OK(FAILED_FUTURE(fibril_loop_spawn(loop, nothing, NULL, NULL)));
  scenario_run(loop, spawn_one, NULL);
}

static void must_time_out(int err) {
  if (err != UV_ETIMEDOUT) OK(err);
  MUST(err != 0);
}

static fibril_value time_out(void *arg) {
  fibril_cond cond = {{NULL, NULL}};
  fibril_event event = {0};
  fibril_sem sem = {0};
  fibril_wait_group group = {.count = 1};
  fibril_channel *channel = fibril_channel_new(0);
  fibril_value value;
  (void)arg;
  must_time_out(fibril_cond_wait(&cond, NULL, 0));
  must_time_out(fibril_event_wait(&event, 0));
  must_time_out(fibril_sem_wait(&sem, 0));
  must_time_out(fibril_wait_group_wait(&group, 0));
  if (!OK_POINTER(channel)) return fibril_undefined();
  must_time_out(fibril_channel_receive(channel, &value, 0));
  must_time_out(fibril_channel_send(channel, fibril_undefined(), 0));
  fibril_channel_free(channel);
  return fibril_undefined();
}

SCENARIO(waits_with_a_timeout) {
  scenario_run(loop, time_out, NULL);
}

/* ---- run_sync ---- */

static void on_tick(uv_timer_t *timer) {
  (void)timer;
}

static bool both_closed(void *arg) {
  return *(int *)arg == 0;
}

static void count_closed(uv_handle_t *handle) {
  *(int *)handle->data -= 1;
}

static fibril_value too_long(void *arg) {
  (void)arg;
  int err = fibril_sleep(1e9);
  if (err != UV_ECANCELED) OK(err);
  return fibril_undefined();
}

/* Something else keeps the libuv loop running: it must end all the same. */
SCENARIO(run_sync_with_a_timeout) {
  uv_timer_t tick;
  int open = 1;
  uv_timer_init(fibril_loop_uv(loop), &tick);
  tick.data = &open;
  uv_timer_start(&tick, on_tick, 1, 1);
  int err = fibril_loop_run_sync(loop, too_long, NULL, 1, NULL);
  if (err != UV_ETIMEDOUT) OK(err);
  uv_close((uv_handle_t *)&tick, count_closed);
  scenario_until(loop, both_closed, &open);
}

/* ---- Futures ---- */

typedef struct {
  int called, expected;
  fibril_loop *loop;
} calls;

static void count_call(fibril_future *future, void *arg) {
  (void)future;
  ((calls *)arg)->called++;
}

static void count_plain_call(void *arg) {
  ((calls *)arg)->called++;
}

static bool all_called(void *arg) {
  const calls *all = arg;
  return all->called == all->expected;
}

SCENARIO(futures_and_their_callbacks) {
  calls all = {.loop = loop};
  uint64_t id;
  fibril_future *first = fibril_future_new(loop), *second = fibril_future_new(loop);
  if (OK_POINTER(first) && OK_POINTER(second)) {
    if (OK(fibril_future_add_done_callback(first, count_call, &all, &id)))
      MUST(fibril_future_remove_done_callback(first, id) == 0);
    all.expected += OK(fibril_future_add_done_callback(first, count_call, &all, NULL));
    bool chained = OK(fibril_future_chain(first, second));
    if (chained) all.expected += OK(fibril_loop_add_future(loop, second, count_call, &all));
    MUST(fibril_future_hold(first) == 0);
    MUST(fibril_future_set_result(first, fibril_number(1)) == 0);
    all.expected += OK(fibril_loop_add_future(loop, first, count_call, &all));
    MUST(fibril_future_done(second) == chained);
  }
  all.expected += OK(fibril_loop_add_callback(loop, count_plain_call, &all));
  scenario_until(loop, all_called, &all);
  MUST(all_called(&all));
  if (first != NULL) fibril_future_unref(first);
  if (second != NULL) fibril_future_unref(second);
}

static fibril_value impatient(void *arg) {
  fibril_future *future = fibril_future_new(arg);
  if (!OK_POINTER(future)) return fibril_undefined();
  fibril_value value = fibril_await_timeout(future, 1);
  if (fibril_error_code(value) != UV_ETIMEDOUT) OK_VALUE(value);
  fibril_future_unref(future);
  return fibril_undefined();
}

SCENARIO(a_future_that_takes_too_long) {
  scenario_run(loop, impatient, loop);
}

/* ---- Timeouts ---- */

SCENARIO(timeouts) {
  enum { TIMEOUTS = 40 };
  calls all = {.loop = loop};
  fibril_timeout later;
  if (OK(fibril_loop_call_later(loop, 1e9, count_plain_call, &all, &later)))
    fibril_loop_remove_timeout(loop, later);
  for (int i = 0; i < TIMEOUTS; i++)
    all.expected += OK(fibril_loop_call_later(loop, i % 3, count_plain_call, &all, NULL));
  all.expected += OK(fibril_loop_call_at(loop, 1, count_plain_call, &all, NULL));
  scenario_until(loop, all_called, &all);
  MUST(all_called(&all));
}

/* ---- From other threads ---- */

typedef struct {
  fibril_poster *poster;
  fibril_future *future;
  int err;
} errand;

static void settle(void *arg) {
  fibril_future_set_result(((errand *)arg)->future, fibril_number(3));
}

static void run_errand(void *arg) {
  errand *self = arg;
  self->err = fibril_post(self->poster, settle, self);
}

static fibril_value wait_for_errand(void *arg) {
  errand self = {.poster = fibril_loop_poster(arg), .future = fibril_future_new(arg)};
  uv_thread_t thread;
  if (OK_POINTER(self.future)) {
    MUST(fibril_future_hold(self.future) == 0);
    MUST(uv_thread_create(&thread, run_errand, &self) == 0);
    uv_thread_join(&thread);
    if (OK(self.err)) MUST(fibril_value_number(fibril_await(self.future)) == 3);
    fibril_future_unref(self.future);
  }
  fibril_poster_unref(self.poster);
  return fibril_undefined();
}

SCENARIO(posts_from_another_thread) {
  scenario_run(loop, wait_for_errand, loop);
}

/* ---- Handlers ---- */

static void read_byte(int fd, int events, void *arg) {
  char byte;
  /* Where the system says nothing of a descriptor any more, it counts as gone. */
  if (events >= 0) MUST(read(fd, &byte, 1) == 1);
  if (events < 0 && events != UV_EBADF) OK(events);
  ((calls *)arg)->called++;
}

SCENARIO(handlers_of_descriptors) {
  enum { FAR = 200 };
  calls all = {.loop = loop};
  int ends[2];
  MUST(pipe(ends) == 0 && dup2(ends[0], FAR) == FAR);
  if (OK(fibril_loop_add_handler(loop, ends[0], UV_READABLE, read_byte, &all))) {
    OK(fibril_loop_update_handler(loop, ends[0], UV_READABLE));
    all.expected = 1;
    MUST(write(ends[1], "x", 1) == 1);
    scenario_until(loop, all_called, &all);
    MUST(all_called(&all));
    MUST(fibril_loop_remove_handler(loop, ends[0]) == 0);
  }
  if (OK(fibril_loop_add_handler(loop, FAR, UV_READABLE, read_byte, &all)))
    MUST(fibril_loop_remove_handler(loop, FAR) == 0);
  close(FAR);
  close(ends[0]);
  close(ends[1]);
}

/* ---- Generators ---- */

static fibril_value count_to_three(fibril_generator *generator, void *arg) {
  (void)arg;
  for (int i = 1; i <= 3; i++)
    if (fibril_is_error(fibril_yield(generator, fibril_string("item", 4)))) return fibril_null();
  return fibril_string("end", 3);
}

static fibril_value consume(void *arg) {
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(arg, count_to_three, NULL, NULL);
  if (!OK_POINTER(generator)) return fibril_undefined();
  MUST(fibril_generator_next(generator, &value) == FIBRIL_YIELDED);
  OK_VALUE(value);
  fibril_value sent = fibril_string("sent", 4);
  if (OK_VALUE(sent)) {
    MUST(fibril_generator_send(generator, sent, &value) == FIBRIL_YIELDED);
    OK_VALUE(value);
  }
  fibril_generator_unref(generator);
  return fibril_undefined();
}

SCENARIO(generators) {
  fibril_value value;
  scenario_run(loop, consume, loop);
  fibril_generator *generator = fibril_generator_new(loop, count_to_three, NULL, NULL);
  if (!OK_POINTER(generator)) return;
  while (fibril_generator_next(generator, &value) == FIBRIL_YIELDED) OK_VALUE(value);
  OK_VALUE(value);
  fibril_generator_unref(generator);
}

/* ---- Loops ---- */

static void stop_loop(void *arg) {
  fibril_loop_stop(arg);
}

SCENARIO(two_loops_on_one) {
  fibril_loop *second;
  calls all = {.expected = 1};
  if (OK(fibril_loop_call_later(loop, 0, stop_loop, loop, NULL))) MUST(fibril_loop_run(loop) == 0);
  if (!OK(fibril_loop_new(fibril_loop_uv(loop), &second))) return;
  fibril_future *future = fibril_loop_spawn(second, give_number, NULL, NULL);
  fibril_loop_close(second, count_plain_call, &all);
  scenario_until(loop, all_called, &all);
  MUST(all_called(&all));
  fibril_value result = fibril_future_result(future);
  if (fibril_error_code(result) != UV_ECANCELED) OK_VALUE(result);
  fibril_future_unref(future);
}

/* Nothing that waits when the loop closes needs memory to end. */
SCENARIO(closing_what_waits) {
  static int count;
  for (int i = 0; i < 3; i++) {
    fibril_future *future = fibril_loop_spawn(loop, until_cancelled, &count, NULL);
    if (fibril_future_done(future)) OK_VALUE(fibril_future_result(future));
    fibril_future_unref(future);
  }
  OK(fibril_loop_call_later(loop, 1e9, count_plain_call, NULL, NULL));
  OK(fibril_loop_add_callback(loop, count_hop, &count));
}

/* ---- Groups and synchronisation ---- */

static fibril_value run_group(void *arg) {
  (void)arg;
  fibril_group *group = fibril_group_new();
  if (!OK_POINTER(group)) return fibril_undefined();
  for (int i = 0; i < 3; i++) OK(fibril_group_spawn(group, until_cancelled, arg, NULL));
  fibril_group_cancel(group);
  OK_VALUE(fibril_group_wait(group));
  return fibril_undefined();
}

SCENARIO(groups) {
  static int count;
  scenario_run(loop, run_group, &count);
}

static fibril_value use_channel(void *arg) {
  (void)arg;
  fibril_value value;
  fibril_event event = {0};
  fibril_channel *channel = fibril_channel_new(1);
  if (!OK_POINTER(channel)) return fibril_undefined();
  fibril_value first = fibril_string("in it", 5), second = fibril_string("too much", 8);
  OK_VALUE(first);
  OK_VALUE(second);
  OK(fibril_channel_send(channel, first, -1));
  int err = fibril_channel_send(channel, second, 1);
  MUST(err != 0);
  if (err != UV_ETIMEDOUT) OK(err);
  OK(fibril_channel_receive(channel, &value, -1));
  fibril_value_free(value);
  fibril_channel_free(channel);
  err = fibril_event_wait(&event, 1);
  MUST(err != 0);
  if (err != UV_ETIMEDOUT) OK(err);
  return fibril_undefined();
}

SCENARIO(channels) {
  scenario_run(loop, use_channel, NULL);
}

/* ---- Stacks ---- */

static void use_stacks(fibril__stacks *stacks, int cls) {
  enum { STACKS = 40 };
  fibril__stack *taken[STACKS];
  for (int i = 0; i < STACKS; i++) {
    taken[i] = fibril__stack_get(stacks, cls);
    if (OK_POINTER(taken[i])) *taken[i]->base = 1;
  }
  for (int i = 0; i < STACKS; i++)
    if (taken[i] != NULL) fibril__stack_put(stacks, taken[i]);
  while (fibril__stacks_trim(stacks)) continue;
}

static void use_all_stacks(void) {
  fibril__stacks stacks;
  fibril__stacks_init(&stacks);
  use_stacks(&stacks, 0);
  use_stacks(&stacks, fibril__stack_class(1024 * 1024));
  fibril__stacks_destroy(&stacks);
}

SCENARIO(stacks) {
  (void)loop;
  use_all_stacks();
}

GUARD_SCENARIO(stacks_with_mprotect, "mprotect") {
  (void)loop;
  use_all_stacks();
}

GUARD_SCENARIO(stacks_with_canaries, "canary") {
  (void)loop;
  use_all_stacks();
}

/* More slabs than the first part of the table that the fault handler looks into has room for. */
SCENARIO(many_slabs) {
  enum { SLABS = 66, COUNTED = 3 };
  static fibril__stacks stacks[SLABS];
  (void)loop;
  failure_pause();
  for (int i = 0; i < SLABS; i++) {
    if (i == SLABS - COUNTED) failure_resume();
    fibril__stacks_init(&stacks[i]);
    OK_POINTER(fibril__stack_get(&stacks[i], 0));
  }
  for (int i = 0; i < SLABS; i++) fibril__stacks_destroy(&stacks[i]);
}

/* ---- The last coroutine: where there is no timer for the grace, that is over at once ---- */

static int last_told; /* that it ran, or could not */

static void hear_of_last(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)arg;
  last_told++;
  OK_VALUE(error);
}

static fibril_value run_last(void *arg) {
  (void)arg;
  last_told++;
  fibril_moment();
  OK(fibril_loop_current()->timers.length == 1 ? 0 : UV_ENOMEM);
  MUST(fibril_suspend() == UV_ECANCELED);
  return fibril_undefined();
}

SCENARIO(the_last_coroutine_of_a_loop) {
  uv_loop_t uv;
  fibril_loop *own;
  last_told = 0;
  MUST(loop != NULL && uv_loop_init(&uv) == 0);
  if (OK(fibril_loop_new(&uv, &own))) {
    own->grace.ms = 1;
    fibril_loop_set_log(own, hear_of_last, NULL);
    fibril__loop_set_last(own, "last", run_last, NULL);
    MUST(fibril_loop_close(own, NULL, NULL) == 0);
    uv_run(&uv, UV_RUN_DEFAULT);
    MUST(last_told == 1);
  }
  uv_run(&uv, UV_RUN_DEFAULT);
  MUST(uv_loop_close(&uv) == 0);
}
