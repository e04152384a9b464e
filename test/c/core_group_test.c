/* Groups: children that end before their parent goes on. */
#include "test.h"

static int alive, cancelled;

static fibril_value sleep_long(void *arg) {
  (void)arg;
  alive++;
  if (fibril_sleep(1e9) == UV_ECANCELED) cancelled++;
  alive--;
  return fibril_undefined();
}

static fibril_value end_in_a_moment(void *arg) {
  (void)arg;
  alive++;
  CHECK_INT(fibril_moment(), 0);
  alive--;
  return fibril_undefined();
}

static fibril_value fail_in_a_moment(void *arg) {
  CHECK_INT(fibril_moment(), 0);
  return fibril_error(*(int *)arg, "the first");
}

static fibril_value fail_at_once(void *arg) {
  return fibril_error(*(int *)arg, "at once");
}

static fibril_value wait_for_all(void *arg) {
  (void)arg;
  fibril_group *group = fibril_group_new();
  CHECK_INT(fibril_value_kind(fibril_group_wait(group)), FIBRIL_UNDEFINED);
  for (int i = 0; i < 10; i++) CHECK_INT(fibril_group_spawn(group, end_in_a_moment, NULL, NULL), 0);
  CHECK_INT(alive, 10);
  CHECK_INT(fibril_value_kind(fibril_group_wait(group)), FIBRIL_UNDEFINED);
  CHECK_INT(alive, 0);
  CHECK_INT(fibril_group_spawn(group, end_in_a_moment, NULL, NULL), 0);
  CHECK_INT(fibril_value_kind(fibril_group_wait(group)), FIBRIL_UNDEFINED);
  fibril_spawn_options bad = {.size = 1};
  CHECK_INT(fibril_group_spawn(group, end_in_a_moment, NULL, &bad), UV_EINVAL);
  return fibril_undefined();
}

LOOP_TEST(group_waits_for_all) {
  alive = 0;
  CHECK_INT(fibril_loop_run_sync(loop, wait_for_all, NULL, 0, NULL), 0);
}

static fibril_value first_error_wins(void *arg) {
  int code = UV_EACCES, second = UV_EPERM;
  fibril_fn failing = *(fibril_fn *)arg;
  fibril_group *group = fibril_group_new();
  for (int i = 0; i < 3; i++) CHECK_INT(fibril_group_spawn(group, sleep_long, NULL, NULL), 0);
  CHECK_INT(fibril_group_spawn(group, failing, &code, NULL), 0);
  int refused = fibril_group_spawn(group, fail_in_a_moment, &second, NULL);
  CHECK_INT(refused, failing == fail_at_once ? UV_ECANCELED : 0);
  fibril_value error = fibril_group_wait(group);
  CHECK_INT(fibril_error_code(error), UV_EACCES);
  CHECK_INT(alive, 0);
  CHECK_INT(cancelled, 3);
  CHECK_INT(fibril_group_spawn(group, sleep_long, NULL, NULL), UV_ECANCELED);
  return fibril_undefined();
}

LOOP_TEST(group_is_cancelled_by_the_first_error) {
  fibril_fn failing[] = {fail_in_a_moment, fail_at_once};
  for (int i = 0; i < 2; i++) {
    alive = cancelled = 0;
    CHECK_INT(fibril_loop_run_sync(loop, first_error_wins, &failing[i], 0, NULL), 0);
  }
}

static fibril_value leave_children(void *arg) {
  fibril_group *group = fibril_group_new();
  for (int i = 0; i < 3; i++) CHECK_INT(fibril_group_spawn(group, sleep_long, NULL, NULL), 0);
  if (*(bool *)arg) CHECK_INT(fibril_error_code(fibril_group_wait(group)), UV_ECANCELED);
  if (*(bool *)arg) CHECK_INT(alive, 0);
  return fibril_undefined();
}

static fibril_value cancel_parent(void *arg) {
  fibril_future *parent = fibril_spawn(leave_children, arg, NULL);
  if (*(bool *)arg) {
    CHECK_INT(alive, 3);
    CHECK_INT(fibril_cancel(parent), 0);
  }
  fibril_await(parent);
  CHECK_INT(alive, 0);
  CHECK_INT(cancelled, 3);
  fibril_future_unref(parent);
  return fibril_undefined();
}

LOOP_TEST(group_ends_before_its_parent) {
  bool waits[] = {false, true};
  for (int i = 0; i < 2; i++) {
    alive = cancelled = 0;
    CHECK_INT(fibril_loop_run_sync(loop, cancel_parent, &waits[i], 0, NULL), 0);
  }
}

static fibril_value spawn_sibling(void *arg) {
  CHECK_INT(fibril_group_spawn(arg, end_in_a_moment, NULL, NULL), 0);
  fibril_group_cancel(arg);
  CHECK_INT(fibril_sleep(1e9), UV_ECANCELED);
  return fibril_undefined();
}

static fibril_value cancel_from_within(void *arg) {
  (void)arg;
  fibril_group *group = fibril_group_new();
  CHECK_INT(fibril_group_spawn(group, sleep_long, NULL, NULL), 0);
  CHECK_INT(fibril_group_spawn(group, spawn_sibling, group, NULL), 0);
  CHECK_INT(fibril_value_kind(fibril_group_wait(group)), FIBRIL_UNDEFINED);
  CHECK_INT(cancelled, 1);
  return fibril_undefined();
}

LOOP_TEST(group_is_cancelled_by_a_child) {
  alive = cancelled = 0;
  CHECK_INT(fibril_loop_run_sync(loop, cancel_from_within, NULL, 0, NULL), 0);
}

TEST(group_ends_with_its_loop) {
  bool waits = true;
  uv_loop_t uv;
  fibril_loop *own;
  alive = cancelled = 0;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  fibril_future_unref(fibril_loop_spawn(own, leave_children, &waits, NULL));
  CHECK_INT(alive, 3);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(cancelled, 3);
  CHECK_INT(alive, 0);
  CHECK_INT(uv_loop_close(&uv), 0);
}

/* ---- Who may wait ---- */

static fibril_value wait_for_siblings(void *arg) {
  CHECK_INT(fibril_error_code(fibril_group_wait(arg)), UV_EPERM);
  return fibril_undefined();
}

static fibril_value let_a_child_wait(void *arg) {
  (void)arg;
  fibril_group *group = fibril_group_new();
  CHECK_INT(fibril_group_spawn(group, sleep_long, NULL, NULL), 0);
  CHECK_INT(fibril_group_spawn(group, wait_for_siblings, group, NULL), 0);
  fibril_group_cancel(group);
  CHECK_INT(fibril_value_kind(fibril_group_wait(group)), FIBRIL_UNDEFINED);
  CHECK_INT(alive, 0);
  return fibril_undefined();
}

LOOP_TEST(group_is_waited_for_by_its_parent_only) {
  alive = 0;
  CHECK_INT(fibril_loop_run_sync(loop, let_a_child_wait, NULL, 0, NULL), 0);
}

/* On a yield its children go on; a coroutine that calls next, or closes it, waits for them. */
static fibril_value parent_generator(fibril_generator *generator, void *arg) {
  fibril_group *group = fibril_group_new();
  (void)arg;
  CHECK_INT(fibril_group_spawn(group, sleep_long, NULL, NULL), 0);
  if (fibril_is_error(fibril_yield(generator, fibril_number(1)))) return fibril_undefined();
  CHECK_INT(fibril_error_code(fibril_group_wait(group)), FIBRIL_ENOTCOROUTINE);
  fibril_group_cancel(group);
  fibril_yield(generator, fibril_number(2));
  return fibril_undefined();
}

static fibril_value close_parent_generator(void *arg) {
  (void)arg;
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), parent_generator, NULL, NULL);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
  CHECK_INT(alive, 1);
  fibril_generator_unref(generator);
  CHECK_INT(alive, 0);
  return fibril_undefined();
}

LOOP_TEST(group_of_a_generator_ends_with_it) {
  alive = 0;
  CHECK_INT(fibril_loop_run_sync(loop, close_parent_generator, NULL, 0, NULL), 0);
}

static fibril_value start_generator(void *arg) {
  CHECK_INT(fibril_generator_next(arg, NULL), FIBRIL_YIELDED);
  return fibril_undefined();
}

LOOP_TEST(group_of_a_generator_can_not_wait_on_the_loops_stack) {
  fibril_generator *generator = fibril_generator_new(loop, parent_generator, NULL, NULL);
  alive = 0;
  CHECK_INT(fibril_loop_run_sync(loop, start_generator, generator, 0, NULL), 0);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
  while (alive > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_generator_unref(generator);
}

CRASH_TEST(
    generator_with_a_group_closed_on_the_loops_stack, "SIGABRT",
    "generator \"\" has ended on the loop's stack, where it can't wait for the children of its "
    "group") {
  fibril_generator *generator = fibril_generator_new(loop, parent_generator, NULL, NULL);
  fibril_loop_run_sync(loop, start_generator, generator, 0, NULL);
  fibril_generator_unref(generator);
}

/* ---- However deep they nest ---- */

#define LEVELS 2000

static const fibril_spawn_options small = {sizeof small, "level", 16384};

static fibril_value nest_groups(void *arg) {
  int level = ++alive;
  fibril_group *group = fibril_group_new();
  if (level < LEVELS)
    fibril_group_spawn(group, nest_groups, arg, &small);
  else
    fibril_sleep(1e9);
  if (fibril_error_code(fibril_group_wait(group)) == UV_ECANCELED) cancelled++;
  alive--;
  return fibril_undefined();
}

static fibril_value cancel_nested(void *arg) {
  (void)arg;
  fibril_future *outermost = fibril_spawn(nest_groups, NULL, &small);
  CHECK_INT(alive, LEVELS);
  CHECK_INT(fibril_cancel(outermost), 0);
  fibril_await(outermost);
  fibril_future_unref(outermost);
  return fibril_undefined();
}

LOOP_TEST(groups_nested_deeply_are_cancelled_on_a_small_stack) {
  alive = cancelled = 0;
  fibril_future *future = fibril_loop_spawn(loop, cancel_nested, NULL, &small);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  fibril_future_unref(future);
  CHECK_INT(alive, 0);
  CHECK_INT(cancelled, LEVELS);
}

/* ---- What happens while it is cancelled ---- */

typedef struct {
  fibril_loop *loop;
  uv_sem_t started, stop;
} stoppable_job;

static void run_until_stopped(void *arg) {
  stoppable_job *job = arg;
  uv_sem_post(&job->started);
  uv_sem_wait(&job->stop);
}

static fibril_value use_a_group(void *arg) {
  fibril_group *group = fibril_group_new();
  CHECK_INT(fibril_group_spawn(group, end_in_a_moment, arg, NULL), 0);
  fibril_group_cancel(group);
  return fibril_undefined();
}

static fibril_value leave_an_empty_group(void *arg) {
  (void)arg;
  CHECK(fibril_group_new() != NULL);
  return fibril_undefined();
}

/* Begins and ends groups inside fibril_group_cancel of another one. */
static void stop_with_groups(void *arg) {
  stoppable_job *job = arg;
  uv_sem_post(&job->stop);
  fibril_future_unref(fibril_loop_spawn(job->loop, leave_an_empty_group, NULL, NULL));
  fibril_future_unref(fibril_loop_spawn(job->loop, use_a_group, NULL, NULL));
}

static fibril_value work(void *arg) {
  fibril_work_options options = {sizeof options, NULL, NULL, stop_with_groups};
  CHECK_INT(fibril_work_with(run_until_stopped, arg, &options), 0);
  return fibril_undefined();
}

static fibril_value cancel_work(void *arg) {
  stoppable_job *job = arg;
  fibril_group *group = fibril_group_new();
  CHECK_INT(fibril_group_spawn(group, sleep_long, NULL, NULL), 0);
  CHECK_INT(fibril_group_spawn(group, work, job, NULL), 0);
  CHECK_INT(fibril_group_spawn(group, sleep_long, NULL, NULL), 0);
  uv_sem_wait(&job->started);
  fibril_group_cancel(group);
  fibril_group_wait(group);
  return fibril_undefined();
}

LOOP_TEST(groups_may_begin_and_end_while_another_is_cancelled) {
  stoppable_job job = {.loop = loop};
  alive = cancelled = 0;
  uv_sem_init(&job.started, 0);
  uv_sem_init(&job.stop, 0);
  CHECK_INT(fibril_loop_run_sync(loop, cancel_work, &job, 0, NULL), 0);
  CHECK_INT(cancelled, 2);
  uv_sem_destroy(&job.started);
  uv_sem_destroy(&job.stop);
}

/* ---- Of a generator whose last caller has ended ---- */

static fibril_group *of_generator;
static int late;

static fibril_value spawn_late(void *arg) {
  (void)arg;
  for (int i = 0; i < 5; i++) fibril_moment();
  late = fibril_group_spawn(of_generator, end_in_a_moment, NULL, NULL);
  return fibril_undefined();
}

static fibril_value yield_with_group(fibril_generator *generator, void *arg) {
  (void)arg;
  of_generator = fibril_group_new();
  CHECK_INT(fibril_group_spawn(of_generator, spawn_late, NULL, NULL), 0);
  fibril_yield(generator, fibril_undefined());
  fibril_group_wait(of_generator);
  return fibril_undefined();
}

static fibril_value call_once(void *generator) {
  fibril_generator_next(generator, NULL);
  return fibril_undefined();
}

static fibril_value outlive_the_caller(void *arg) {
  fibril_generator *generator = fibril_generator_new(arg, yield_with_group, NULL, NULL);
  fibril_future *caller = fibril_spawn(call_once, generator, NULL);
  fibril_await(caller);
  fibril_future_unref(caller);
  late = 1;
  while (late == 1) fibril_moment();
  CHECK_INT(late, 0);
  fibril_generator_unref(generator);
  return fibril_undefined();
}

LOOP_TEST(group_of_a_suspended_generator_takes_children) {
  alive = 0;
  CHECK_INT(fibril_loop_run_sync(loop, outlive_the_caller, loop, 0, NULL), 0);
}
