/* One place decides whether a coroutine may wait: every wait where none is possible, and where none
 * is wanted any more. */
#include "test.h"

#include "../../src/core/future/generator.h"
#include "every_wait.h"

#include <string.h>
#include <unistd.h>

/* What a wait gave at first, and once its generator was closed. */
typedef struct {
  const every_wait *kind;
  wait_scene scene;
  int open, closed;
} trial;

static bool begin(trial *t, const every_wait *kind) {
  static int fds[2];
  if (fds[1] == 0 && !CHECK(pipe(fds) == 0)) return false;
  *t = (trial){.kind = kind, .scene = {.fd = fds[0], .childless = true}};
  t->scene.channel = fibril_channel_new(0);
  return CHECK(t->scene.channel != NULL);
}

static void end(trial *t) {
  fibril_channel_free(t->scene.channel);
}

static fibril_value wait_in_generator(fibril_generator *generator, void *arg) {
  trial *t = arg;
  t->open = t->kind->run(&t->scene);
  fibril_yield(generator, fibril_undefined());
  t->closed = t->kind->run(&t->scene);
  return fibril_undefined();
}

/* Helpers that a wait has started end in later turns. */
static void run_dry(fibril_loop *loop) {
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
}

static void check_generators(fibril_loop *loop, bool synchronous, int expected) {
  for (size_t i = 0; i < every_wait_count; i++) {
    trial t;
    if (!begin(&t, &every_waits[i])) return;
    fibril_generator *generator = fibril_generator_new(loop, wait_in_generator, &t, NULL);
    if (synchronous) generator->coroutine->generating |= FIBRIL__SYNCHRONOUS;
    CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
    CHECK_INT(fibril_generator_close(generator), 0);
    CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_DONE);
    if (t.open != expected || t.closed != UV_ECANCELED)
      FAIL("%s: %s, closed: %s", t.kind->name, fibril_err_name(t.open), fibril_err_name(t.closed));
    fibril_generator_unref(generator);
    run_dry(loop);
    end(&t);
  }
}

LOOP_TEST(no_wait_suspends_a_generator_that_the_loops_stack_runs) {
  check_generators(loop, false, FIBRIL_ENOTCOROUTINE);
}

LOOP_TEST(no_wait_suspends_a_generator_of_a_synchronous_iterator) {
  check_generators(loop, true, FIBRIL_ESYNC);
}

static fibril_value wait_while_closing(void *arg) {
  trial *trials = arg;
  CHECK_INT(fibril_sleep(1e9), UV_ECANCELED);
  for (size_t i = 0; i < every_wait_count; i++)
    trials[i].closed = trials[i].kind->run(&trials[i].scene);
  return fibril_undefined();
}

TEST(every_wait_in_a_closing_loop_is_refused) {
  trial trials[128];
  uv_loop_t uv;
  fibril_loop *own;
  if (!CHECK(every_wait_count <= 128) || !CHECK_INT(uv_loop_init(&uv), 0)) return;
  if (!CHECK_INT(fibril_loop_new(&uv, &own), 0)) return;
  for (size_t i = 0; i < every_wait_count; i++)
    if (!begin(&trials[i], &every_waits[i])) return;
  fibril_future_unref(fibril_loop_spawn(own, wait_while_closing, trials, NULL));
  fibril_loop_close(own, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(uv_loop_close(&uv), 0);
  for (size_t i = 0; i < every_wait_count; i++) {
    if (trials[i].closed != UV_ECANCELED)
      FAIL("%s: %s", trials[i].kind->name, fibril_err_name(trials[i].closed));
    end(&trials[i]);
  }
}

/* ---- What waits for children and mutexes, whoever is cancelled ---- */

static fibril_value sleep_masked(void *arg) {
  (void)arg;
  fibril_mask();
  fibril_sleep(5);
  return fibril_undefined();
}

static fibril_value leave_child(fibril_generator *generator, void *arg) {
  fibril_group *group = fibril_group_new();
  CHECK_INT(fibril_group_spawn(group, sleep_masked, NULL, NULL), 0);
  fibril_yield(generator, fibril_undefined());
  *(int *)arg = fibril_error_code(fibril_group_wait(group));
  fibril_yield(generator, fibril_undefined());
  return fibril_undefined();
}

CRASH_TEST(
    generator_closed_on_the_loops_stack_has_a_child_left, "SIGABRT",
    "^fibril: generator \"parent\" has ended on the loop's stack, where it can't wait for the "
    "children of its group: a coroutine has to close it") {
  int code = 0;
  fibril_spawn_options options = {.size = sizeof options, .name = "parent"};
  fibril_generator *generator = fibril_generator_new(loop, leave_child, &code, &options);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
  fibril_generator_close(generator);
}

static fibril_value close_from_coroutine(void *arg) {
  int code = 0;
  fibril_generator *generator = fibril_generator_new(arg, leave_child, &code, NULL);
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_YIELDED);
  CHECK_INT(fibril_generator_close(generator), 0);
  CHECK_INT(code, UV_ECANCELED);
  CHECK_INT(fibril_loop_coroutines(arg), 1);
  fibril_generator_unref(generator);
  return fibril_undefined();
}

LOOP_TEST(generator_with_a_child_is_closed_by_a_coroutine) {
  CHECK_INT(fibril_loop_run_sync(loop, close_from_coroutine, loop, 0, NULL), 0);
}

static void ignore(void *arg) {
  (void)arg;
}

static fibril_value turn_the_loop(void *arg) {
  fibril_loop_add_callback(arg, ignore, NULL); /* an idle loop does not turn */
  uv_run(fibril_loop_uv(arg), UV_RUN_NOWAIT);
  return fibril_undefined();
}

CRASH_TEST(coroutine_that_turns_the_loop_itself, "SIGABRT",
           "^fibril: coroutine \"turner\" has called uv_run") {
  fibril_spawn_options options = {.size = sizeof options, .name = "turner"};
  fibril_loop_spawn(loop, turn_the_loop, loop, &options);
}
