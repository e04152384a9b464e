/* Closing a loop with everything under way. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  uv_loop_t uv;
  fibril_loop *loop;
  int closed, released, statuses[16], count;
  int fds[2];
  fibril_future *pending;
  uv_sem_t started, go;
} closing;

static bool begin(closing *c) {
  memset(c, 0, sizeof *c);
  return CHECK_INT(uv_loop_init(&c->uv), 0) && CHECK_INT(fibril_loop_new(&c->uv, &c->loop), 0);
}

static void on_closed(void *arg) {
  ((closing *)arg)->closed++;
}

static void end(closing *c) {
  CHECK_INT(fibril_loop_close(c->loop, on_closed, c), 0);
  CHECK_INT(c->closed, 0); /* never inside the call */
  CHECK_INT(fibril_loop_close(c->loop, on_closed, c), FIBRIL_ECLOSED);
  uv_run(&c->uv, UV_RUN_DEFAULT);
  CHECK_INT(c->closed, 1);
  CHECK_INT(uv_loop_close(&c->uv), 0);
}

static void count_release(void *arg) {
  ((closing *)arg)->released++;
}

/* ---- Every kind of wait ---- */

static void block(void *arg) {
  closing *c = arg;
  uv_sem_post(&c->started);
  uv_sem_wait(&c->go);
}

#define WAITER(name, wait)              \
  static fibril_value name(void *arg) { \
    closing *c = arg;                   \
    fibril_defer(count_release, c);     \
    int status = wait;                  \
    c->statuses[c->count++] = status;   \
    return fibril_undefined();          \
  }

WAITER(wait_sleep, fibril_sleep(1e9))
WAITER(wait_suspend, fibril_suspend())
WAITER(wait_future, fibril_error_code(fibril_await(c->pending)))
WAITER(wait_timeout, fibril_error_code(fibril_await_timeout(c->pending, 1e9)))
WAITER(wait_any, fibril_await_any(&c->pending, 1))
WAITER(wait_all, fibril_error_code(fibril_await_all(&c->pending, 1)))
WAITER(wait_poll, fibril_poll_fd(c->fds[0], UV_READABLE, -1))
WAITER(wait_work, fibril_work(block, c))
WAITER(wait_moment, (fibril_moment(), fibril_moment()))

static fibril_value sleeping_generator(fibril_generator *generator, void *arg) {
  int status = fibril_sleep(1e9);
  fibril_yield(generator, fibril_undefined());
  return fibril_number(*(int *)arg = status);
}

static int wait_through_a_generator(void) {
  int status = 0;
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), sleeping_generator, &status, NULL);
  fibril_generator_next(generator, NULL);
  fibril_generator_unref(generator);
  return status;
}

WAITER(wait_generator, wait_through_a_generator())

/* Lets the jobs in the pool go when the loop is closing. */
static void let_go(uv_timer_t *timer) {
  closing *c = timer->data;
  for (int i = 0; i < 8; i++) uv_sem_post(&c->go);
  uv_close((uv_handle_t *)timer, NULL);
}

TEST(close_unwinds_every_wait) {
  const fibril_fn fns[] = {wait_sleep, wait_suspend, wait_future,    wait_timeout, wait_any,
                           wait_all,   wait_poll,    wait_work,      wait_work,    wait_work,
                           wait_work,  wait_work,    wait_generator, wait_moment};
  const int count = sizeof fns / sizeof fns[0];
  closing c;
  uv_timer_t timer;
  if (!begin(&c) || !CHECK(pipe(c.fds) == 0)) return;
  uv_sem_init(&c.started, 0);
  uv_sem_init(&c.go, 0);
  c.pending = fibril_future_new(c.loop);
  for (int i = 0; i < count; i++) {
    fibril_future *future = fibril_loop_spawn(c.loop, fns[i], &c, NULL);
    CHECK(!fibril_future_done(future));
    fibril_future_unref(future);
  }
  uv_sem_wait(&c.started); /* one job runs for sure */
  uv_timer_init(&c.uv, &timer);
  timer.data = &c;
  uv_timer_start(&timer, let_go, 5, 0);
  end(&c);
  CHECK_INT(c.count, count);
  CHECK_INT(c.released, count);
  for (int i = 0, ran = 0; i < count; i++) { /* a job that ran gives its result */
    ran += c.statuses[i] == 0;
    CHECK(c.statuses[i] == UV_ECANCELED || (c.statuses[i] == 0 && ran <= 4));
  }
  fibril_future_unref(c.pending); /* outlives the loop */
  uv_sem_destroy(&c.started);
  uv_sem_destroy(&c.go);
  close(c.fds[0]);
  close(c.fds[1]);
}

TEST(close_of_an_idle_loop) {
  closing c;
  if (begin(&c)) end(&c);
}

/* ---- What happens on the way out ---- */

static void never(void *arg) {
  (void)arg;
  FAIL("called after the close");
}

static void ignore_future(fibril_future *future, void *arg) {
  (void)future;
  never(arg);
}

static void ignore_handler(int fd, int events, void *arg) {
  (void)fd;
  (void)events;
  never(arg);
}

static fibril_value not_started(void *arg) {
  never(arg);
  return fibril_undefined();
}

static fibril_value start_more(void *arg) {
  closing *c = arg;
  fibril_coroutine *coroutine;
  fibril_sleep(1e9);
  fibril_future *child = fibril_spawn(not_started, NULL, NULL);
  CHECK_INT(fibril_error_code(fibril_future_result(child)), FIBRIL_ECLOSED);
  fibril_future_unref(child);
  CHECK_INT(fibril_coroutine_create(c->loop, not_started, NULL, NULL, &coroutine), FIBRIL_ECLOSED);
  CHECK(fibril_generator_new(c->loop, sleeping_generator, NULL, NULL) == NULL);
  CHECK_INT(fibril_loop_add_callback(c->loop, never, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_loop_add_future(c->loop, c->pending, ignore_future, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_loop_call_later(c->loop, 0, never, NULL, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_loop_call_at(c->loop, 0, never, NULL, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_loop_add_handler(c->loop, c->fds[0], UV_READABLE, ignore_handler, NULL),
            FIBRIL_ECLOSED);
  CHECK(fibril_loop_poster(c->loop) == NULL);
  c->count++;
  return fibril_undefined();
}

TEST(closing_loop_takes_nothing_new) {
  closing c;
  if (!begin(&c)) return;
  c.pending = fibril_future_new(c.loop);
  fibril_future_unref(fibril_loop_spawn(c.loop, start_more, &c, NULL));
  CHECK_INT(fibril_loop_call_later(c.loop, 1e6, never, NULL, NULL), 0);
  end(&c);
  CHECK_INT(c.count, 1);
  fibril_future_unref(c.pending);
}

static fibril_value hold_a_file(void *arg) {
  closing *c = arg;
  int fd = fibril_fs_open("/dev/null", O_RDONLY, 0);
  CHECK(fd >= 0);
  c->fds[0] = fd;
  c->statuses[0] = fibril_sleep(1e9);
  char byte;
  c->statuses[1] = (int)fibril_fs_read(fd, &byte, 1, -1);
  c->statuses[2] = fibril_fs_close(fd);
  c->count++;
  return fibril_undefined();
}

TEST(close_of_a_file_acts_while_the_loop_closes) {
  closing c;
  if (!begin(&c)) return;
  fibril_future *future = fibril_loop_spawn(c.loop, hold_a_file, &c, NULL);
  while (c.fds[0] == 0) uv_run(&c.uv, UV_RUN_ONCE);
  fibril_future_unref(future);
  end(&c);
  CHECK_INT(c.count, 1);
  CHECK_INT(c.statuses[0], UV_ECANCELED);
  CHECK_INT(c.statuses[1], UV_ECANCELED);
  CHECK_INT(c.statuses[2], 0);
  CHECK_INT(fcntl(c.fds[0], F_GETFD), -1);
}

static fibril_value release_in_a_generator(fibril_generator *generator, void *arg) {
  closing *c = arg;
  int fd = open("/dev/null", O_RDONLY);
  fibril_yield(generator, fibril_undefined());
  c->statuses[0] = fibril_fs_close(fd);
  c->fds[0] = fd;
  return fibril_undefined();
}

TEST(close_of_a_file_acts_in_a_generator_that_the_loop_ends) {
  closing c;
  if (!begin(&c)) return;
  c.statuses[0] = 1;
  fibril_generator *generator = fibril_generator_new(c.loop, release_in_a_generator, &c, NULL);
  fibril_generator_next(generator, NULL);
  end(&c);
  CHECK_INT(c.statuses[0], 0);
  CHECK_INT(fcntl(c.fds[0], F_GETFD), -1);
  fibril_generator_unref(generator);
}

static fibril_value wait_for_ever(void *arg) {
  (void)arg;
  for (int i = 0; i < 1000000; i++) fibril_sleep(1000);
  return fibril_undefined();
}

CRASH_TEST(coroutine_that_refuses_to_end, "SIGABRT",
           "^fibril: coroutine \"stubborn\" goes on waiting although its loop is closing") {
  fibril_spawn_options options = {.size = sizeof options, .name = "stubborn"};
  fibril_future_unref(fibril_loop_spawn(loop, wait_for_ever, NULL, &options));
}

/* ---- Futures that outlive their loop ---- */

static void note_done(fibril_future *future, void *arg) {
  CHECK(fibril_future_done(future));
  ++*(int *)arg;
}

TEST(future_outlives_its_loop) {
  closing c;
  int called = 0;
  if (!begin(&c)) return;
  fibril_future *future = fibril_future_new(c.loop), *other = fibril_future_new(c.loop);
  fibril_future_chain(future, other);
  fibril_future_add_done_callback(other, note_done, &called, NULL);
  end(&c);
  CHECK_INT(fibril_future_set_result(future, fibril_string("late", FIBRIL_AUTO_LENGTH)), 0);
  CHECK_STR(fibril_value_string(fibril_future_result(other), NULL), "late");
  CHECK_INT(called, 1);
  fibril_future_unref(future);
  fibril_future_unref(other);
}

/* ---- From inside ---- */

static void settle_pending(void *arg) {
  fibril_future_set_result(((closing *)arg)->pending, fibril_undefined());
}

typedef enum { BY_TIMER, BY_CALLBACK, BY_DONE_CALLBACK, BY_COROUTINE, BEFORE, TWICE, WAYS } way;

static void close_it(void *arg) {
  closing *c = arg;
  CHECK_INT(fibril_loop_close(c->loop, on_closed, c), 0);
}

static void close_when_done(fibril_future *future, void *arg) {
  (void)future;
  close_it(arg);
}

static fibril_value close_in_coroutine(void *arg) {
  closing *c = arg;
  CHECK_INT(fibril_moment(), 0);
  close_it(arg);
  c->statuses[0] = fibril_sleep(1e9);
  return fibril_string("the result", FIBRIL_AUTO_LENGTH);
}

static void close_in_a_way(closing *c, way how) {
  if (how == BY_TIMER) CHECK_INT(fibril_loop_call_later(c->loop, 1, close_it, c, NULL), 0);
  if (how == BY_CALLBACK) CHECK_INT(fibril_loop_add_callback(c->loop, close_it, c), 0);
  if (how == BY_COROUTINE)
    fibril_future_unref(fibril_loop_spawn(c->loop, close_in_coroutine, c, NULL));
  if (how == BEFORE || how == TWICE) close_it(c);
  if (how == TWICE) CHECK_INT(fibril_loop_close(c->loop, on_closed, c), FIBRIL_ECLOSED);
  if (how != BY_DONE_CALLBACK) return;
  c->pending = fibril_future_new(c->loop);
  fibril_future_add_done_callback(c->pending, close_when_done, c, NULL);
  CHECK_INT(fibril_loop_call_later(c->loop, 1, settle_pending, c, NULL), 0);
}

TEST(loop_closed_inside_its_run_ends_it) {
  for (int how = 0; how < WAYS; how++) {
    closing c;
    if (!begin(&c)) return;
    close_in_a_way(&c, (way)how);
    CHECK_INT(fibril_loop_run(c.loop), FIBRIL_ECLOSED);
    CHECK_INT(c.closed, 1);
    if (c.pending != NULL) fibril_future_unref(c.pending);
    CHECK_INT(uv_loop_close(&c.uv), 0);
  }
}

TEST(loop_closed_inside_run_sync_gives_the_result) {
  for (int timeout = 0; timeout <= 10000; timeout += 10000) {
    closing c;
    fibril_value out;
    if (!begin(&c)) return;
    CHECK_INT(fibril_loop_run_sync(c.loop, close_in_coroutine, &c, timeout, &out), FIBRIL_ECLOSED);
    CHECK_INT(c.closed, 1);
    CHECK_INT(c.statuses[0], UV_ECANCELED);
    CHECK_STR(fibril_value_string(out, NULL), "the result");
    fibril_value_free(out);
    CHECK_INT(uv_loop_close(&c.uv), 0);
  }
}

/* ---- Clean-up that needs others ---- */

static fibril_value count_masked(fibril_generator *generator, void *arg) {
  CHECK_INT(fibril_mask(), 0);
  for (int i = 0; i < 5; i++)
    if (fibril_is_error(fibril_yield(generator, fibril_number(i)))) return fibril_number(-1);
  *(int *)arg = fibril_sleep(1);
  return fibril_undefined();
}

static fibril_value draw_behind_a_mask(void *arg) {
  closing *c = arg;
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(c->loop, count_masked, &c->statuses[1], NULL);
  fibril_generator_next(generator, &value);
  c->statuses[0] = fibril_sleep(1e9);
  fibril_mask();
  while (fibril_sleep(1) == 0 && fibril_generator_next(generator, &value) == FIBRIL_YIELDED)
    c->count += (int)fibril_value_number(value);
  fibril_generator_unref(generator);
  return fibril_undefined();
}

TEST(masked_clean_up_goes_on_using_its_generators) {
  closing c;
  if (!begin(&c)) return;
  fibril_future_unref(fibril_loop_spawn(c.loop, draw_behind_a_mask, &c, NULL));
  uv_run(&c.uv, UV_RUN_NOWAIT);
  c.statuses[1] = 1;
  end(&c);
  CHECK_INT(c.statuses[0], UV_ECANCELED);
  CHECK_INT(c.count, 1 + 2 + 3 + 4);
  CHECK_INT(c.statuses[1], 0);
}

static void stop_it(void *arg) {
  fibril_loop_stop(((closing *)arg)->loop);
}

/* A loop that is closed is gone when its run returns, whatever else was asked. */
TEST(run_of_a_closing_loop_is_not_stopped) {
  closing c;
  if (!begin(&c)) return;
  fibril_future_unref(fibril_loop_spawn(c.loop, draw_behind_a_mask, &c, NULL));
  CHECK_INT(fibril_loop_add_callback(c.loop, stop_it, &c), 0);
  CHECK_INT(fibril_loop_add_callback(c.loop, close_it, &c), 0);
  CHECK_INT(fibril_loop_run(c.loop), FIBRIL_ECLOSED);
  CHECK_INT(c.closed, 1);
  CHECK_INT(uv_loop_close(&c.uv), 0);
}

static fibril_mutex stuck_mutex;
static fibril_cond stuck_cond;

static fibril_value wait_for_signal(void *arg) {
  (void)arg;
  fibril_mutex_lock(&stuck_mutex);
  fibril_cond_wait(&stuck_cond, &stuck_mutex, -1);
  return fibril_undefined();
}

static fibril_value hold_and_wait_for_child(void *arg) {
  fibril_spawn_options options = {.size = sizeof options, .name = "child"};
  (void)arg;
  fibril_group *group = fibril_group_new();
  fibril_group_spawn(group, wait_for_signal, NULL, &options);
  fibril_mutex_lock(&stuck_mutex);
  return fibril_group_wait(group);
}

CRASH_TEST(
    loop_that_closes_while_its_coroutines_wait_for_each_other, "SIGABRT",
    "^fibril: the loop can't be closed: coroutine \"child\" waits for its mutex, which \"parent\" has; "
    "coroutine \"parent\" waits for its group, in which \"child\" has not ended\n") {
  fibril_spawn_options options = {.size = sizeof options, .name = "parent"};
  fibril_future_unref(fibril_loop_spawn(loop, hold_and_wait_for_child, NULL, &options));
}

static fibril_value close_and_clean_up(void *arg) {
  fibril_spawn_options options = {.size = sizeof options, .name = "cleaner"};
  closing *c = arg;
  fibril_future_unref(fibril_spawn(draw_behind_a_mask, c, &options));
  close_it(c);
  return fibril_string("the result", FIBRIL_AUTO_LENGTH);
}

/* The time runs out while others clean up: the result was there before. */
TEST(run_sync_of_a_closed_loop_has_the_result_though_late) {
  closing c;
  fibril_value out;
  if (!begin(&c)) return;
  CHECK_INT(fibril_loop_run_sync(c.loop, close_and_clean_up, &c, 1, &out), FIBRIL_ECLOSED);
  CHECK_INT(c.closed, 1);
  CHECK_STR(fibril_value_string(out, NULL), "the result");
  fibril_value_free(out);
  CHECK_INT(uv_loop_close(&c.uv), 0);
}

static void settle_posted(void *arg) {
  closing *c = arg;
  fibril_future_set_result(c->pending, fibril_string("late", FIBRIL_AUTO_LENGTH));
  fibril_future_unref(c->pending);
}

static void note_settled(fibril_future *future, void *arg) {
  CHECK_STR(fibril_value_string(fibril_future_result(future), NULL), "late");
  ((closing *)arg)->count++;
}

static fibril_value post_at_the_end(void *arg) {
  closing *c = arg;
  fibril_poster *poster = fibril_loop_poster(c->loop);
  fibril_sleep(1e9);
  CHECK_INT(fibril_post(poster, settle_posted, c), 0);
  fibril_poster_unref(poster);
  return fibril_undefined();
}

TEST(what_is_posted_last_is_run_with_all_that_follows) {
  closing c;
  if (!begin(&c)) return;
  c.pending = fibril_future_new(c.loop);
  CHECK_INT(fibril_loop_add_future(c.loop, c.pending, note_settled, &c), 0);
  fibril_future_unref(fibril_loop_spawn(c.loop, post_at_the_end, &c, NULL));
  end(&c);
  CHECK_INT(c.count, 1);
}

/* ---- A suspended generator has what others wait for ---- */

static fibril_value hold_until_closed(fibril_generator *generator, void *arg) {
  (void)arg;
  CHECK_INT(fibril_mutex_trylock(&stuck_mutex), 0);
  fibril_yield(generator, fibril_undefined());
  CHECK_INT(fibril_mutex_unlock(&stuck_mutex), 0);
  return fibril_undefined();
}

static fibril_value wait_and_unlock(void *arg) {
  closing *c = arg;
  fibril_mutex_lock(&stuck_mutex);
  c->statuses[0] = fibril_cond_wait(&stuck_cond, &stuck_mutex, -1);
  fibril_mutex_unlock(&stuck_mutex);
  return fibril_undefined();
}

TEST(generator_that_has_a_mutex_is_closed_for_who_needs_it) {
  closing c;
  if (!begin(&c)) return;
  fibril_future_unref(fibril_loop_spawn(c.loop, wait_and_unlock, &c, NULL));
  fibril_generator *generator = fibril_generator_new(c.loop, hold_until_closed, NULL, NULL);
  fibril_generator_next(generator, NULL);
  end(&c);
  CHECK_INT(c.statuses[0], UV_ECANCELED);
  fibril_generator_unref(generator);
}
