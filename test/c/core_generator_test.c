/* Asymmetric generators. */
#include "test.h"

#include <stdio.h>
#include <string.h>

/* ---- next ---- */

static fibril_value fib(fibril_generator *generator, void *arg) {
  double a = 0, b = 1;
  (void)arg;
  for (;;) {
    if (fibril_is_error(fibril_yield(generator, fibril_number(b)))) return fibril_undefined();
    double next = a + b;
    a = b;
    b = next;
  }
}

static void check_fib(fibril_generator *generator) {
  const int expected[] = {1, 1, 2, 3, 5, 8, 13, 21, 34, 55};
  fibril_value value;
  for (int i = 0; i < 10; i++) {
    CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_YIELDED);
    CHECK_INT(fibril_value_integer(value), expected[i]);
  }
}

LOOP_TEST(infinite_generator_is_freed_when_dropped) {
  fibril_generator *generator = fibril_generator_new(loop, fib, NULL, NULL);
  if (!CHECK(generator != NULL)) return;
  check_fib(generator);
  CHECK_INT(fibril_loop_coroutines(loop), 1);
  fibril_generator_unref(generator);
  CHECK_INT(fibril_loop_coroutines(loop), 0);
}

static fibril_value use_fib(void *arg) {
  fibril_generator *generator = fibril_generator_new(fibril_loop_current(), fib, arg, NULL);
  check_fib(generator);
  fibril_generator_unref(generator);
  return fibril_undefined();
}

LOOP_TEST(generator_runs_on_a_coroutine_too) {
  CHECK_INT(fibril_loop_run_sync(loop, use_fib, NULL, 0, NULL), 0);
}

static fibril_value two_words(fibril_generator *generator, void *arg) {
  *(int *)arg += 1;
  fibril_yield(generator, fibril_string("one", FIBRIL_AUTO_LENGTH));
  fibril_yield(generator, fibril_string("two", FIBRIL_AUTO_LENGTH));
  return fibril_string("end", FIBRIL_AUTO_LENGTH);
}

LOOP_TEST(generator_runs_nothing_before_the_first_next_and_ends_with_its_result) {
  int runs = 0;
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(loop, two_words, &runs, NULL);
  CHECK_INT(runs, 0);
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_YIELDED);
  CHECK_INT(runs, 1);
  CHECK_STR(fibril_value_string(value, NULL), "one");
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_DONE);
  CHECK_STR(fibril_value_string(value, NULL), "end");
  CHECK_INT(fibril_generator_next(generator, &value),
            FIBRIL_DONE); /* and stays so, without a value */
  CHECK_INT(fibril_value_kind(value), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_generator_close(generator), 0);
  fibril_generator_unref(generator);
}

LOOP_TEST(generator_with_bad_options_is_refused) {
  fibril_spawn_options wrong = {.size = sizeof wrong, .stack_size = 1};
  CHECK(fibril_generator_new(loop, fib, NULL, &wrong) == NULL);
}

/* ---- send ---- */

static fibril_value add_up(fibril_generator *generator, void *arg) {
  double sum = 0;
  (void)arg;
  for (;;) {
    fibril_value sent = fibril_yield(generator, fibril_number(sum));
    if (fibril_is_error(sent)) return fibril_number(-1);
    if (fibril_value_kind(sent) == FIBRIL_NUMBER) sum += fibril_value_number(sent);
  }
}

LOOP_TEST(send_makes_the_pending_yield_return_its_value) {
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(loop, add_up, NULL, NULL);
  CHECK_INT(fibril_generator_send(generator, fibril_number(1), &value), FIBRIL_ENOTSTARTED);
  CHECK_INT(fibril_value_kind(value), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_generator_send(generator, fibril_string("dropped", FIBRIL_AUTO_LENGTH), NULL),
            FIBRIL_ENOTSTARTED);
  CHECK_INT(fibril_generator_send(generator, fibril_undefined(), &value), FIBRIL_YIELDED);
  for (int i = 1; i <= 10; i++)
    CHECK_INT(fibril_generator_send(generator, fibril_number(i), &value), FIBRIL_YIELDED);
  CHECK_INT(fibril_value_integer(value), 55);
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_YIELDED);
  CHECK_INT(fibril_value_integer(value), 55);
  fibril_generator_unref(generator);
}

static fibril_value echo(fibril_generator *generator, void *arg) {
  fibril_value sent = fibril_undefined();
  (void)arg;
  for (;;) {
    char copy[64] = "";
    const char *text = fibril_value_string(sent, NULL);
    if (text != NULL) strncpy(copy, text, sizeof copy - 1);
    sent = fibril_yield(generator, fibril_string(copy, FIBRIL_AUTO_LENGTH));
    if (fibril_is_error(sent)) return fibril_undefined();
  }
}

LOOP_TEST(values_pass_both_ways_whole) {
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(loop, echo, NULL, NULL);
  fibril_generator_next(generator, NULL);
  for (int i = 0; i < 1000; i++) {
    char text[2] = {(char)('a' + i % 26), 0};
    fibril_generator_send(generator, fibril_string(text, 1), &value);
    if (strcmp(fibril_value_string(value, NULL), text) != 0)
      FAIL("%d came back as %s", i, fibril_value_string(value, NULL));
  }
  CHECK_STR(fibril_value_string(value, NULL), "l");
  fibril_generator_unref(generator);
}

#define OUTPUT_MAX 64

/* The toy scheduler of the tutorials: two generators and a loop between them. */
static fibril_value loop_one(fibril_generator *generator, void *arg) {
  double a = 0, sent = 1;
  char *out = arg;
  (void)generator;
  for (;;) {
    size_t length = strlen(out);
    snprintf(out + length, OUTPUT_MAX - length, "%g ", a);
    double next = fibril_value_number(fibril_yield(generator, fibril_number(a + sent)));
    if (next != next) return fibril_undefined();
    sent = a;
    a = next;
  }
}

static fibril_value loop_two(fibril_generator *generator, void *arg) {
  fibril_value task = fibril_yield(generator, fibril_undefined());
  (void)arg;
  while (!fibril_is_error(task))
    task = fibril_yield(generator, fibril_number(fibril_value_number(task)));
  return fibril_undefined();
}

LOOP_TEST(generators_drive_each_other_through_a_loop) {
  char out[OUTPUT_MAX] = "";
  fibril_value task, result;
  fibril_generator *one = fibril_generator_new(loop, loop_one, out, NULL);
  fibril_generator *two = fibril_generator_new(loop, loop_two, NULL, NULL);
  fibril_generator_next(one, &task);
  fibril_generator_next(two, NULL);
  for (int i = 0; i < 9; i++) {
    CHECK_INT(fibril_generator_send(two, fibril_number(fibril_value_number(task)), &result),
              FIBRIL_YIELDED);
    CHECK_INT(fibril_generator_send(one, fibril_number(fibril_value_number(result)), &task),
              FIBRIL_YIELDED);
  }
  CHECK_STR(out, "0 1 1 2 3 5 8 13 21 34 ");
  fibril_generator_unref(one);
  fibril_generator_unref(two);
}

/* ---- close ---- */

typedef struct {
  char text[64];
  int yields_after;
  int wait;
} unwound;

static void note_release(void *arg) {
  strcat(((unwound *)arg)->text, "released ");
}

static fibril_value clean_up(fibril_generator *generator, void *arg) {
  unwound *u = arg;
  fibril_defer(note_release, u);
  int code = fibril_error_code(fibril_yield(generator, fibril_number(1)));
  strcat(u->text, fibril_err_name(code));
  strcat(u->text, " ");
  while (fibril_is_error(fibril_yield(generator, fibril_number(2))) && u->yields_after < 10)
    u->yields_after++;
  u->wait = fibril_sleep(0);
  return fibril_string("dropped", FIBRIL_AUTO_LENGTH);
}

LOOP_TEST(close_unwinds_the_generator) {
  unwound u = {.wait = 1};
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(loop, clean_up, &u, NULL);
  fibril_generator_next(generator, NULL);
  CHECK_INT(fibril_generator_close(generator), 0);
  CHECK_STR(u.text, "ECANCELED released ");
  CHECK_INT(u.yields_after, 10);
  CHECK_INT(u.wait, UV_ECANCELED);
  CHECK_INT(fibril_loop_coroutines(loop), 0);
  CHECK_INT(fibril_generator_close(generator), 0);
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_DONE);
  fibril_generator_unref(generator);
}

LOOP_TEST(close_before_the_start_runs_nothing) {
  int runs = 0;
  fibril_generator *generator = fibril_generator_new(loop, two_words, &runs, NULL);
  CHECK_INT(fibril_generator_close(generator), 0);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_DONE);
  fibril_generator_unref(generator);
  fibril_generator_unref(fibril_generator_new(loop, two_words, &runs, NULL));
  CHECK_INT(runs, 0);
  CHECK_INT(fibril_loop_coroutines(loop), 0);
}

static fibril_value run_itself(fibril_generator *generator, void *arg) {
  (void)arg;
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_ERUNNING);
  CHECK_INT(fibril_generator_send(generator, fibril_string("x", 1), NULL), FIBRIL_ERUNNING);
  CHECK_INT(fibril_generator_close(generator), FIBRIL_ERUNNING);
  return fibril_undefined();
}

LOOP_TEST(running_generator_cannot_be_run) {
  fibril_generator *generator = fibril_generator_new(loop, run_itself, NULL, NULL);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_DONE);
  fibril_generator_unref(generator);
}

LOOP_TEST(yield_belongs_to_the_generator_that_runs) {
  fibril_generator *generator = fibril_generator_new(loop, fib, NULL, NULL);
  CHECK_INT(fibril_error_code(fibril_yield(generator, fibril_undefined())), FIBRIL_ENOTCOROUTINE);
  fibril_generator_unref(generator);
}

/* ---- Waits inside ---- */

static fibril_value sleepy(fibril_generator *generator, void *arg) {
  for (int i = 0; i < 3; i++) {
    *(int *)arg = fibril_sleep(1);
    if (fibril_is_error(fibril_yield(generator, fibril_number(i)))) break;
  }
  return fibril_undefined();
}

/* A generator that takes from another one. */
static fibril_value doubled(fibril_generator *generator, void *arg) {
  fibril_generator *inner = fibril_generator_new(fibril_loop_current(), sleepy, arg, NULL);
  fibril_value value;
  while (fibril_generator_next(inner, &value) == FIBRIL_YIELDED)
    if (fibril_is_error(fibril_yield(generator, fibril_number(fibril_value_number(value) * 2))))
      break;
  fibril_generator_unref(inner);
  return fibril_undefined();
}

typedef struct {
  double sum;
  int count, other_turns, status;
  bool over;
} consumer;

static fibril_value consume(void *arg) {
  consumer *c = arg;
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), doubled, &c->status, NULL);
  fibril_value value;
  while (fibril_generator_next(generator, &value) == FIBRIL_YIELDED) {
    c->sum += fibril_value_number(value);
    c->count++;
  }
  fibril_generator_unref(generator);
  c->over = true;
  return fibril_undefined();
}

static fibril_value work_meanwhile(void *arg) {
  consumer *c = arg;
  fibril_future *future = fibril_spawn(consume, c, NULL);
  while (!c->over) {
    c->other_turns++;
    fibril_moment();
  }
  fibril_await(future);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(wait_in_a_generator_suspends_the_whole_chain) {
  consumer c = {.status = 1};
  CHECK_INT(fibril_loop_run_sync(loop, work_meanwhile, &c, 0, NULL), 0);
  CHECK_INT(c.count, 3);
  CHECK_INT((int)c.sum, 6);
  CHECK_INT(c.status, 0);
  CHECK(c.other_turns > 3);
}

LOOP_TEST(wait_in_a_generator_without_a_coroutine_is_refused) {
  int status = 1;
  fibril_generator *generator = fibril_generator_new(loop, sleepy, &status, NULL);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
  CHECK_INT(status, FIBRIL_ENOTCOROUTINE);
  fibril_generator_unref(generator);
}

static fibril_value cancel_chain(void *arg) {
  consumer *c = arg;
  fibril_future *future = fibril_spawn(consume, c, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  fibril_await(future);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(cancelling_a_chain_reaches_the_generator_that_waits) {
  consumer c = {.status = 1};
  CHECK_INT(fibril_loop_run_sync(loop, cancel_chain, &c, 0, NULL), 0);
  CHECK_INT(c.status, UV_ECANCELED);
  CHECK(c.over);
  CHECK_INT(fibril_loop_coroutines(loop), 0);
}

/* ---- At the end of the loop ---- */

TEST(generators_left_over_unwind_with_the_loop) {
  uv_loop_t uv;
  fibril_loop *own;
  unwound u = {.wait = 1};
  int runs = 0;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  fibril_generator *started = fibril_generator_new(own, clean_up, &u, NULL);
  fibril_generator *fresh = fibril_generator_new(own, two_words, &runs, NULL);
  fibril_generator_next(started, NULL);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
  CHECK_STR(u.text, "ECANCELED released ");
  CHECK_INT(runs, 0);
  CHECK_INT(fibril_generator_next(started, NULL), FIBRIL_DONE);
  fibril_generator_unref(started);
  fibril_generator_unref(fresh);
}

static fibril_value yield_for_ever(fibril_generator *generator, void *arg) {
  (void)arg;
  while (generator != NULL) fibril_yield(generator, fibril_undefined());
  return fibril_undefined();
}

CRASH_TEST(generator_that_refuses_to_end, "SIGABRT",
           "^fibril: generator \"stubborn\" goes on yielding although it is closed") {
  fibril_spawn_options options = {.size = sizeof options, .name = "stubborn"};
  fibril_generator *generator = fibril_generator_new(loop, yield_for_ever, NULL, &options);
  fibril_generator_next(generator, NULL);
  fibril_generator_close(generator);
}

/* ---- What its end calls ---- */

static int released;

static void count_release(void *data) {
  CHECK(fibril_coroutine_self() == NULL);
  ++*(int *)data;
}

/* Hops, on a generator's own stack. */
static void hop_and_count(void *data) {
  fibril_on_loop(count_release, data);
}

static fibril_value leave_a_buffer(fibril_generator *generator, void *arg) {
  (void)arg;
  fibril_buffer_take(&released, 1, hop_and_count);
  fibril_yield(generator, fibril_undefined());
  return fibril_undefined();
}

static fibril_value exhaust(void *arg) {
  fibril_generator *generator = fibril_generator_new(arg, leave_a_buffer, NULL, NULL);
  while (fibril_generator_next(generator, NULL) == FIBRIL_YIELDED) continue;
  CHECK_INT(released, 1);
  CHECK_INT(fibril_moment(), 0);
  fibril_generator_unref(generator);
  return fibril_undefined();
}

LOOP_TEST(release_at_a_generators_end_may_go_to_the_loops_stack) {
  released = 0;
  CHECK_INT(fibril_loop_run_sync(loop, exhaust, loop, 0, NULL), 0);
}

/* ---- Of another loop ---- */

typedef struct {
  fibril_loop *own, *other;
  int spawned;
} two_loops;

static fibril_value yield_three(fibril_generator *generator, void *arg) {
  CHECK(fibril_loop_current() == ((two_loops *)arg)->other);
  CHECK_INT(fibril_sleep(0), FIBRIL_ENOTCOROUTINE);
  for (int i = 0; i < 3; i++) fibril_yield(generator, fibril_number(i));
  return fibril_undefined();
}

static fibril_value note_spawned(void *arg) {
  ((two_loops *)arg)->spawned++;
  return fibril_undefined();
}

static void spawn_in_own(void *arg) {
  fibril_future_unref(fibril_loop_spawn(((two_loops *)arg)->own, note_spawned, arg, NULL));
}

static void check_current(fibril_future *future, void *arg) {
  (void)future;
  CHECK(fibril_loop_current() == ((two_loops *)arg)->other);
}

static fibril_value sleep_a_little(void *arg) {
  (void)arg;
  fibril_sleep(1);
  return fibril_undefined();
}

static fibril_value use_another_loop(void *arg) {
  two_loops *two = arg;
  int count = 0;
  fibril_generator *generator = fibril_generator_new(two->other, yield_three, two, NULL);
  while (fibril_generator_next(generator, NULL) == FIBRIL_YIELDED) count++;
  CHECK_INT(count, 3);
  fibril_generator_unref(generator);
  fibril_future *future = fibril_future_new(two->other);
  fibril_future_add_done_callback(future, check_current, two, NULL);
  fibril_future_set_result(future, fibril_undefined());
  fibril_future_add_done_callback(future, check_current, two, NULL);
  fibril_future_unref(future);
  fibril_loop_add_callback(two->other, spawn_in_own, two);
  CHECK_INT(fibril_loop_run_sync(two->other, sleep_a_little, NULL, 0, NULL), 0);
  CHECK(fibril_loop_current() == two->own);
  CHECK_INT(fibril_sleep(1), 0);
  CHECK_INT(two->spawned, 1);
  return fibril_undefined();
}

LOOP_TEST(coroutine_may_use_another_loop) {
  uv_loop_t uv;
  two_loops two = {.own = loop};
  if (!CHECK_INT(uv_loop_init(&uv), 0) || !CHECK_INT(fibril_loop_new(&uv, &two.other), 0)) return;
  CHECK_INT(fibril_loop_run_sync(loop, use_another_loop, &two, 0, NULL), 0);
  fibril_loop_close(two.other, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* ---- What releases of its values leave is its own ---- */

static int deferred_runs;
static char released_key;

static void count_deferred(void *arg) {
  (void)arg;
  deferred_runs++;
}

static void leave_things(void *data) {
  (void)data;
  CHECK_INT(fibril_deadline_push(1), 0);
  CHECK_INT(fibril_defer(count_deferred, NULL), 0);
  CHECK_INT(fibril_local_set(&released_key, &released_key, count_deferred), 0);
}

static fibril_value keep_a_buffer(fibril_generator *generator, void *arg) {
  static char byte;
  (void)arg;
  fibril_buffer_take(&byte, 1, leave_things);
  fibril_yield(generator, fibril_number(1));
  return fibril_undefined();
}

static fibril_value sleep_on_its_stack(void *arg) {
  (void)arg;
  CHECK(fibril_local_get(&released_key) == NULL);
  return fibril_number(fibril_sleep(5));
}

LOOP_TEST(generator_takes_along_what_releases_of_its_values_leave) {
  deferred_runs = 0;
  fibril_generator *generator = fibril_generator_new(loop, keep_a_buffer, NULL, NULL);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_DONE);
  fibril_generator_unref(generator);
  CHECK_INT(deferred_runs, 2);
  fibril_future *future = fibril_loop_spawn(loop, sleep_on_its_stack, NULL, NULL);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(fibril_value_number(fibril_future_result(future)), 0);
  fibril_future_unref(future);
}
