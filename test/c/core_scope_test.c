/* Masks and deadlines. */
#include "test.h"

#include "../../src/core/future/generator.h"

#include <math.h>

static int code_of(fibril_future *future) {
  int code = (int)fibril_value_number(fibril_await(future));
  fibril_future_unref(future);
  return code;
}

/* ---- Masks ---- */

static fibril_value clean_up_masked(void *arg) {
  fibril_event *event = arg;
  CHECK_INT(fibril_event_wait(event, -1), UV_ECANCELED);
  CHECK_INT(fibril_moment(), UV_ECANCELED);
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_mask(), 0);
  CHECK(fibril_cancelled());
  CHECK_INT(fibril_sleep(0), 0);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(fibril_pass(), 0);
  CHECK_INT(fibril_unmask(), 0); /* still inside the other */
  CHECK_INT(fibril_event_wait(event, -1), 0);
  CHECK_INT(fibril_unmask(), UV_ECANCELED);
  CHECK_INT(fibril_event_wait(event, -1), UV_ECANCELED);
  return fibril_number(1);
}

static fibril_value use_mask(void *arg) {
  (void)arg;
  fibril_event event = {0};
  fibril_future *future = fibril_spawn(clean_up_masked, &event, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  for (int i = 0; i < 5; i++) CHECK_INT(fibril_moment(), 0);
  CHECK(!fibril_future_done(future));
  CHECK_INT(fibril_cancel(future), 0); /* in a wait behind the mask: stays there */
  CHECK_INT(fibril_moment(), 0);
  CHECK(!fibril_future_done(future));
  fibril_event_set(&event);
  CHECK_INT(code_of(future), 1);
  return fibril_undefined();
}

LOOP_TEST(mask_shields_waits_from_cancellation) {
  CHECK_INT(fibril_loop_run_sync(loop, use_mask, NULL, 0, NULL), 0);
}

static fibril_value cancelled_behind_mask(void *arg) {
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_event_wait(arg, -1), 0);
  CHECK_INT(fibril_unmask(), UV_ECANCELED);
  return fibril_number(1);
}

static fibril_value deliver_at_unmask(void *arg) {
  (void)arg;
  fibril_event event = {0};
  fibril_future *future = fibril_spawn(cancelled_behind_mask, &event, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  fibril_event_set(&event);
  CHECK_INT(code_of(future), 1);
  return fibril_undefined();
}

LOOP_TEST(cancellation_is_delivered_when_unmasked) {
  CHECK_INT(fibril_loop_run_sync(loop, deliver_at_unmask, NULL, 0, NULL), 0);
}

TEST(masks_and_deadlines_outside_of_coroutines) {
  CHECK_INT(fibril_mask(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_unmask(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_deadline_push(1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_deadline_pop(), FIBRIL_ENOTCOROUTINE);
  CHECK(isinf(fibril_deadline_left()));
}

static fibril_value misuse(void *arg) {
  (void)arg;
  CHECK_INT(fibril_unmask(), UV_EINVAL);
  for (int i = 0; i < 255; i++) CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_mask(), UV_EOVERFLOW);
  CHECK_INT(fibril_deadline_pop(), UV_EINVAL);
  CHECK_INT(fibril_deadline_push(NAN), UV_EINVAL);
  return fibril_undefined();
}

static void wait_refused(void *arg) {
  *(int *)arg = fibril_moment();
}

static fibril_value leave_masked(void *arg) {
  CHECK_INT(fibril_defer(wait_refused, arg), 0);
  CHECK_INT(fibril_mask(), 0);
  return fibril_undefined();
}

static fibril_value end_masked(void *arg) {
  int refused = 1;
  (void)arg;
  fibril_future *future = fibril_spawn(leave_masked, &refused, NULL);
  fibril_await(future); /* its clean-up waits, which is not refused */
  CHECK_INT(refused, 0);
  fibril_future_unref(future);
  future = fibril_spawn(misuse, NULL, NULL); /* on the stack of that one */
  fibril_await(future);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(masks_are_counted_and_end_with_their_coroutine) {
  CHECK_INT(fibril_loop_run_sync(loop, end_masked, NULL, 0, NULL), 0);
}

/* ---- In generators ---- */

static fibril_value sleep_masked(fibril_generator *generator, void *arg) {
  (void)arg;
  CHECK_INT(fibril_moment(), UV_ECANCELED); /* its caller is cancelled */
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_moment(), 0);
  fibril_yield(generator, fibril_number(1));
  CHECK_INT(fibril_moment(), 0); /* though it has been closed */
  CHECK_INT(fibril_unmask(), UV_ECANCELED);
  CHECK(fibril_cancelled());
  return fibril_undefined();
}

static fibril_value call_generator(void *arg) {
  fibril_value value;
  CHECK_INT(fibril_event_wait(arg, -1), UV_ECANCELED);
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), sleep_masked, NULL, NULL);
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_YIELDED);
  CHECK_INT(fibril_moment(), UV_ECANCELED); /* the mask is the generator's */
  CHECK_INT(fibril_generator_close(generator), 0);
  fibril_generator_unref(generator);
  return fibril_number(1);
}

static fibril_value mask_in_generator(void *arg) {
  (void)arg;
  fibril_event event = {0};
  fibril_future *future = fibril_spawn(call_generator, &event, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  CHECK_INT(code_of(future), 1);
  return fibril_undefined();
}

LOOP_TEST(mask_of_a_generator_is_its_own) {
  CHECK_INT(fibril_loop_run_sync(loop, mask_in_generator, NULL, 0, NULL), 0);
}

static fibril_value wait_inside(fibril_generator *generator, void *arg) {
  (void)generator;
  (void)arg;
  return fibril_number(fibril_sleep(1e9));
}

static fibril_value call_masked(void *arg) {
  fibril_value value;
  CHECK_INT(fibril_event_wait(arg, -1), UV_ECANCELED);
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), wait_inside, NULL, NULL);
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_deadline_push(1), 0);
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_DONE);
  CHECK_INT(fibril_value_number(value), UV_ETIMEDOUT);
  CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  fibril_generator_unref(generator);
  return fibril_number(1);
}

static fibril_value caller_is_masked(void *arg) {
  (void)arg;
  fibril_event event = {0};
  fibril_future *future = fibril_spawn(call_masked, &event, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  CHECK_INT(code_of(future), 1);
  return fibril_undefined();
}

LOOP_TEST(mask_and_deadline_of_a_caller_hold_for_its_generators) {
  CHECK_INT(fibril_loop_run_sync(loop, caller_is_masked, NULL, 0, NULL), 0);
}

static fibril_value wait_in_inner(fibril_generator *generator, void *arg) {
  (void)generator;
  (void)arg;
  CHECK_INT(fibril_moment(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_sleep(1), FIBRIL_ENOTCOROUTINE);
  return fibril_undefined();
}

static fibril_value call_inner(fibril_generator *generator, void *arg) {
  fibril_generator *inner = fibril_generator_new(arg, wait_in_inner, NULL, NULL);
  (void)generator;
  CHECK_INT(fibril_generator_next(inner, NULL), FIBRIL_DONE);
  fibril_generator_unref(inner);
  return fibril_undefined();
}

LOOP_TEST(generator_in_a_generator_can_not_wait_on_the_loops_stack) {
  fibril_generator *outer = fibril_generator_new(loop, call_inner, loop, NULL);
  CHECK_INT(fibril_generator_next(outer, NULL), FIBRIL_DONE);
  fibril_generator_unref(outer);
}

/* ---- Masks at the end of the loop ---- */

static int outcome;

static fibril_value clean_up_slowly(void *arg) {
  (void)arg;
  CHECK_INT(fibril_sleep(1e9), UV_ECANCELED);
  CHECK_INT(fibril_mask(), 0);
  for (int i = 0; i < 3; i++) CHECK_INT(fibril_sleep(1), 0);
  CHECK_INT(fibril_unmask(), UV_ECANCELED);
  outcome = 1;
  return fibril_undefined();
}

TEST(masked_clean_up_is_finished_when_the_loop_closes) {
  uv_loop_t uv;
  fibril_loop *own;
  outcome = 0;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  fibril_future_unref(fibril_loop_spawn(own, clean_up_slowly, NULL, NULL));
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(outcome, 1);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* One that waits for what will never come, and one that sleeps on. */
static fibril_value wait_masked(void *arg) {
  bool suspends = arg != NULL;
  CHECK_INT(fibril_mask(), 0);
  int err = suspends ? fibril_suspend() : 0;
  while (err == 0) err = fibril_sleep(1);
  CHECK_INT(err, UV_ECANCELED);
  outcome++;
  return fibril_undefined();
}

TEST(masks_are_lifted_when_the_grace_is_over) {
  uv_loop_t uv;
  fibril_loop *own;
  outcome = 0;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  own->grace.ms = 20;
  fibril_future_unref(fibril_loop_spawn(own, wait_masked, &outcome, NULL));
  fibril_future_unref(fibril_loop_spawn(own, wait_masked, NULL, NULL));
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(outcome, 2);
  CHECK_INT(uv_loop_close(&uv), 0);
}

static fibril_value wait_for_ever_masked(void *arg) {
  (void)arg;
  fibril_set_name("stubborn");
  fibril_mask();
  while (outcome == 0) fibril_sleep(1);
  return fibril_undefined();
}

CRASH_TEST(masked_for_ever, "SIGABRT",
           "coroutine \"stubborn\" goes on waiting although its loop is closing") {
  outcome = 0;
  loop->grace.ms = 20;
  fibril_future_unref(fibril_loop_spawn(loop, wait_for_ever_masked, NULL, NULL));
  fibril_loop_close(loop, NULL, NULL);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
}

/* ---- Deadlines ---- */

static fibril_value use_deadlines(void *arg) {
  fibril_future *never = fibril_future_new(fibril_loop_current());
  fibril_mutex mutex = {0};
  fibril_sem sem = {0};
  (void)arg;
  CHECK(isinf(fibril_deadline_left()));
  CHECK_INT(fibril_deadline_push(1), 0);
  CHECK(fibril_deadline_left() <= 1);
  CHECK_INT(fibril_error_code(fibril_await(never)), UV_ETIMEDOUT);
  CHECK(fibril_deadline_left() == 0);
  CHECK_INT(fibril_sleep(0), UV_ETIMEDOUT);
  CHECK_INT(fibril_moment(), UV_ETIMEDOUT);
  CHECK_INT(fibril_pass(), UV_ETIMEDOUT);
  CHECK_INT(fibril_suspend(), UV_ETIMEDOUT);
  CHECK_INT(fibril_error_code(fibril_await_timeout(never, 1e9)), UV_ETIMEDOUT);
  CHECK_INT(fibril_error_code(fibril_await_all(&never, 1)), UV_ETIMEDOUT);
  CHECK_INT(fibril_await_any(&never, 1), UV_ETIMEDOUT);
  CHECK_INT(fibril_mutex_lock(&mutex), UV_ETIMEDOUT);
  CHECK_INT(fibril_sem_wait(&sem, -1), UV_ETIMEDOUT);
  CHECK_INT(fibril_work(NULL, NULL), UV_ETIMEDOUT);
  CHECK(!fibril_cancelled());
  CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(fibril_sem_wait(&sem, 1), UV_ETIMEDOUT);
  fibril_future_unref(never);
  return fibril_undefined();
}

LOOP_TEST(deadline_ends_the_wait_and_refuses_those_after_it) {
  CHECK_INT(fibril_loop_run_sync(loop, use_deadlines, NULL, 0, NULL), 0);
}

/* Waits of all kinds with timeouts of their own, which must not fire later. */
static fibril_value wait_with_timeouts(void *arg) {
  fibril_future *never = fibril_future_new(fibril_loop_current());
  fibril_sem sem = {0};
  (void)arg;
  for (int i = 0; i < 4; i++) {
    CHECK_INT(fibril_deadline_push(1), 0);
    if (i == 0) CHECK_INT(fibril_error_code(fibril_await_timeout(never, 3)), UV_ETIMEDOUT);
    if (i == 1) CHECK_INT(fibril_sem_wait(&sem, 3), UV_ETIMEDOUT);
    if (i == 2) CHECK_INT(fibril_sleep(3), UV_ETIMEDOUT);
    if (i == 3) CHECK_INT(fibril_await_any(&never, 1), UV_ETIMEDOUT);
    CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  }
  CHECK_INT(fibril_loop_current()->timers.length, 0);
  fibril_future_unref(never);
  return fibril_undefined();
}

LOOP_TEST(deadline_leaves_no_timer_behind) {
  CHECK_INT(fibril_loop_run_sync(loop, wait_with_timeouts, NULL, 0, NULL), 0);
}

static fibril_value nest_deadlines(void *arg) {
  (void)arg;
  CHECK_INT(fibril_deadline_push(1e9), 0);
  CHECK_INT(fibril_deadline_push(1), 0);
  CHECK_INT(fibril_deadline_push(1e6), 0);
  CHECK(fibril_deadline_left() <= 1);
  CHECK_INT(fibril_sleep(1e8), UV_ETIMEDOUT);
  CHECK_INT(fibril_deadline_pop(), 0);
  CHECK_INT(fibril_moment(), UV_ETIMEDOUT);
  CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  CHECK_INT(fibril_moment(), 0);
  CHECK(fibril_deadline_left() > 1e6);
  CHECK_INT(fibril_deadline_push(-1), 0);
  CHECK_INT(fibril_moment(), UV_ETIMEDOUT);
  CHECK_INT(fibril_mask(), 0); /* clean-up, with a deadline of its own */
  CHECK_INT(fibril_moment(), 0);
  CHECK(isinf(fibril_deadline_left()));
  CHECK_INT(fibril_deadline_push(1), 0);
  CHECK_INT(fibril_sleep(1e8), UV_ETIMEDOUT);
  CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(fibril_unmask(), UV_ETIMEDOUT);
  return fibril_undefined(); /* two are left */
}

static fibril_value end_with_deadlines(void *arg) {
  fibril_future *future = fibril_spawn(nest_deadlines, arg, NULL);
  fibril_await(future);
  fibril_future_unref(future);
  CHECK_INT(fibril_loop_current()->timers.length, 0);
  future = fibril_spawn(use_deadlines, NULL, NULL); /* on its stack */
  fibril_await(future);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(earliest_deadline_wins) {
  CHECK_INT(fibril_loop_run_sync(loop, end_with_deadlines, NULL, 0, NULL), 0);
}

static fibril_value cancelled_and_late(void *arg) {
  CHECK_INT(fibril_deadline_push(-1), 0);
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_event_wait(arg, -1), 0);
  CHECK_INT(fibril_unmask(), UV_ECANCELED);
  return fibril_number(1);
}

static fibril_value cancel_late_one(void *arg) {
  (void)arg;
  fibril_event event = {0};
  fibril_future *future = fibril_spawn(cancelled_and_late, &event, NULL);
  CHECK_INT(fibril_cancel(future), 0);
  fibril_event_set(&event);
  CHECK_INT(code_of(future), 1);
  return fibril_undefined();
}

LOOP_TEST(cancellation_comes_before_a_deadline) {
  CHECK_INT(fibril_loop_run_sync(loop, cancel_late_one, NULL, 0, NULL), 0);
}

static fibril_value sleep_until_cancelled(void *arg) {
  CHECK_INT(fibril_sleep(1e9), UV_ECANCELED);
  ++*(int *)arg;
  return fibril_undefined();
}

static fibril_value group_with_deadline(void *arg) {
  int cancelled = 0;
  (void)arg;
  fibril_group *group = fibril_group_new();
  for (int i = 0; i < 3; i++)
    CHECK_INT(fibril_group_spawn(group, sleep_until_cancelled, &cancelled, NULL), 0);
  CHECK_INT(fibril_deadline_push(1), 0);
  CHECK_INT(fibril_error_code(fibril_group_wait(group)), UV_ETIMEDOUT);
  CHECK_INT(cancelled, 3);
  CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  return fibril_undefined();
}

LOOP_TEST(deadline_of_a_parent_ends_its_group) {
  CHECK_INT(fibril_loop_run_sync(loop, group_with_deadline, NULL, 0, NULL), 0);
}

static fibril_value yield_behind_deadline(fibril_generator *generator, void *arg) {
  (void)arg;
  CHECK_INT(fibril_deadline_push(1), 0);
  fibril_yield(generator, fibril_undefined());
  CHECK_INT(fibril_moment(), UV_ETIMEDOUT);
  return fibril_undefined();
}

static fibril_value leave_generator(void *arg) {
  CHECK_INT(fibril_generator_next(arg, NULL), FIBRIL_YIELDED);
  return fibril_undefined();
}

/* The deadline passes while the generator is suspended and whoever called it has ended. */
static fibril_value outlive_deadline(void *arg) {
  fibril_loop *loop = fibril_loop_current();
  (void)arg;
  fibril_generator *generator = fibril_generator_new(loop, yield_behind_deadline, NULL, NULL);
  fibril_future_unref(fibril_spawn(leave_generator, generator, NULL));
  CHECK_INT(fibril_sleep(5), 0);
  CHECK_INT(loop->timers.length, 0);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_DONE);
  fibril_generator_unref(generator);
  return fibril_undefined();
}

LOOP_TEST(deadline_of_a_suspended_generator_passes) {
  CHECK_INT(fibril_loop_run_sync(loop, outlive_deadline, NULL, 0, NULL), 0);
}

/* ---- Masks where nothing can wait ---- */

static fibril_value mask_where_nothing_waits(fibril_generator *generator, void *arg) {
  (void)arg;
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_mask(), 0);
  CHECK_INT(fibril_deadline_push(0), 0);
  CHECK_INT(fibril_unmask(), 0); /* another one is left */
  CHECK_INT(fibril_unmask(), 0); /* no wait was ended */
  CHECK_INT(fibril_deadline_pop(), UV_ETIMEDOUT);
  return fibril_yield(generator, fibril_undefined());
}

LOOP_TEST(unmask_says_only_what_has_happened) {
  for (int synchronous = 0; synchronous < 2; synchronous++) {
    fibril_generator *generator = fibril_generator_new(loop, mask_where_nothing_waits, NULL, NULL);
    if (synchronous) generator->coroutine->generating |= FIBRIL__SYNCHRONOUS;
    CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
    fibril_generator_unref(generator);
  }
}
