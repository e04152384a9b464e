/* What is said of coroutines, and of what they leave behind. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMED(text) (&(fibril_spawn_options){.size = sizeof(fibril_spawn_options), .name = text})

/* ---- One of each ---- */

typedef struct {
  fibril_mutex mutex;
  fibril_cond cond;
  fibril_event event;
  fibril_sem sem;
  fibril_wait_group group;
  fibril_channel *channel;
  fibril_future *sleeper;
  int pipe[2];
} world;

static fibril_value sleep_long(void *arg) {
  (void)arg;
  fibril_sleep(1e9);
  return fibril_undefined();
}

static fibril_value hold_mutex(void *arg) {
  world *w = arg;
  fibril_mutex_lock(&w->mutex);
  fibril_suspend();
  fibril_mutex_unlock(&w->mutex);
  return fibril_undefined();
}

static fibril_value lock_mutex(void *arg) {
  world *w = arg;
  if (fibril_mutex_lock(&w->mutex) == 0) fibril_mutex_unlock(&w->mutex);
  return fibril_undefined();
}

static fibril_value await_sleeper(void *arg) {
  fibril_await(((world *)arg)->sleeper);
  return fibril_undefined();
}

static fibril_value await_any_sleeper(void *arg) {
  fibril_await_any(&((world *)arg)->sleeper, 1);
  return fibril_undefined();
}

static fibril_value poll_pipe(void *arg) {
  fibril_poll_fd(((world *)arg)->pipe[0], UV_READABLE, -1);
  return fibril_undefined();
}

static fibril_value wait_cond(void *arg) {
  fibril_cond_wait(&((world *)arg)->cond, NULL, -1);
  return fibril_undefined();
}

static fibril_value wait_event(void *arg) {
  fibril_event_wait(&((world *)arg)->event, -1);
  return fibril_undefined();
}

static fibril_value wait_sem(void *arg) {
  fibril_sem_wait(&((world *)arg)->sem, -1);
  return fibril_undefined();
}

static fibril_value wait_wait_group(void *arg) {
  fibril_wait_group_wait(&((world *)arg)->group, -1);
  return fibril_undefined();
}

static fibril_value receive(void *arg) {
  fibril_value value;
  fibril_channel_receive(((world *)arg)->channel, &value, -1);
  return fibril_undefined();
}

static fibril_value wait_for_child(void *arg) {
  fibril_group *group = fibril_group_new();
  fibril_group_spawn(group, sleep_long, arg, NAMED("child"));
  fibril_mask();
  fibril_group_wait(group);
  return fibril_undefined();
}

static fibril_value pass_once(void *arg) {
  (void)arg;
  fibril_pass();
  return fibril_undefined();
}

static fibril_value yield_one(fibril_generator *generator, void *arg) {
  (void)arg;
  fibril_yield(generator, fibril_number(1));
  return fibril_undefined();
}

static fibril_value nothing(void *arg) {
  (void)arg;
  return fibril_undefined();
}

/* What each should be: name, state, what it waits for, and who that depends on. */
static const struct {
  const char *name, *state, *waits_for, *on;
} expected[] = {
    {"sleeper", "waiting", "sleep", NULL},      {"owner", "waiting", "resume", NULL},
    {"locker", "waiting", "mutex", "owner"},    {"awaiter", "waiting", "future", "sleeper"},
    {"chooser", "waiting", "any future", NULL}, {"poller", "waiting", "poll", NULL},
    {"cond", "waiting", "condition", NULL},     {"event", "waiting", "event", NULL},
    {"sem", "waiting", "semaphore", NULL},      {"wait group", "waiting", "wait group", NULL},
    {"receiver", "waiting", "channel", NULL},   {"parent", "waiting", "group", NULL},
    {"child", "waiting", "sleep", NULL},        {"passer", "ready", NULL, NULL},
    {"generator", "suspended", NULL, NULL},     {"unborn", "fresh", NULL, NULL},
    {"observer", "running", NULL, NULL},
};
#define EXPECTED ((int)(sizeof expected / sizeof expected[0]))

typedef struct {
  int seen[sizeof expected / sizeof expected[0]], all;
  world *world;
} survey;

static void look(const fibril_inspection *about, void *arg) {
  survey *s = arg;
  s->all++;
  CHECK_INT(about->size, sizeof *about);
  for (int i = 0; i < EXPECTED; i++) {
    if (strcmp(about->name, expected[i].name) != 0) continue;
    s->seen[i]++;
    CHECK_STR(about->state, expected[i].state);
    CHECK_STR(about->waits_for, expected[i].waits_for);
    CHECK_STR(about->on, expected[i].on);
  }
  bool polls = strcmp(about->name, "poller") == 0;
  CHECK_INT(about->fd, polls ? s->world->pipe[0] : -1);
  CHECK_INT(about->masked, strcmp(about->name, "parent") == 0);
  CHECK(!about->cancelled);
  CHECK(about->waits_for == NULL ? about->waited == 0 : about->waited >= 0);
  CHECK_INT(about->stack_size, 256 * 1024);
  CHECK(about->stack_used > 0 && about->stack_used < 16 * 1024);
}

static fibril_value observe(void *arg) {
  survey s = {.world = arg};
  fibril_loop_inspect(fibril_loop_current(), look, &s);
  for (int i = 0; i < EXPECTED; i++)
    if (s.seen[i] != 1) FAIL("%s was seen %d times", expected[i].name, s.seen[i]);
  CHECK_INT(s.all, EXPECTED);
  return fibril_undefined();
}

static fibril_future *start(world *w, fibril_fn fn, const char *name) {
  fibril_spawn_options options = {sizeof options, name, 0};
  return fibril_spawn(fn, w, &options);
}

static const struct {
  fibril_fn fn;
  const char *name;
} cast[] = {
    {hold_mutex, "owner"},           {lock_mutex, "locker"}, {await_sleeper, "awaiter"},
    {await_any_sleeper, "chooser"},  {poll_pipe, "poller"},  {wait_cond, "cond"},
    {wait_event, "event"},           {wait_sem, "sem"},      {receive, "receiver"},
    {wait_wait_group, "wait group"}, {pass_once, "passer"},
};
#define CAST ((int)(sizeof cast / sizeof cast[0]))

static fibril_value stage(void *arg) {
  world w = {.group = {.count = 1}};
  fibril_future *futures[CAST];
  fibril_loop *loop = fibril_loop_current();
  (void)arg;
  fibril_set_name("observer");
  CHECK_INT(pipe(w.pipe), 0);
  w.channel = fibril_channel_new(0);
  w.sleeper = start(&w, sleep_long, "sleeper");
  fibril_future *parent = start(&w, wait_for_child, "parent");
  fibril_generator *generator = fibril_generator_new(loop, yield_one, NULL, NAMED("generator"));
  fibril_generator_next(generator, NULL);
  fibril_coroutine *unborn;
  CHECK_INT(fibril_coroutine_create(loop, nothing, NULL, NAMED("unborn"), &unborn), 0);
  for (int i = 0; i < CAST; i++) futures[i] = start(&w, cast[i].fn, cast[i].name);
  observe(&w);

  fibril_coroutine_ready(unborn);
  fibril_generator_unref(generator);
  fibril_cancel(w.sleeper);
  for (int i = 0; i < CAST; i++) fibril_cancel(futures[i]);
  fibril_await_all(futures, CAST);
  for (int i = 0; i < CAST; i++) fibril_future_unref(futures[i]);
  fibril_cancel(parent); /* masked: it is its child that has to end */
  fibril_future_unref(parent);
  fibril_future_unref(w.sleeper);
  fibril_channel_free(w.channel);
  close(w.pipe[0]);
  close(w.pipe[1]);
  return fibril_undefined();
}

LOOP_TEST(inspect_says_what_each_one_waits_for) {
  CHECK_INT(fibril_loop_run_sync(loop, stage, NULL, 0, NULL), 0);
}

/* ---- Since when, and how deep ---- */

static void keep_last(const fibril_inspection *about, void *arg) {
  *(fibril_inspection *)arg = *about;
}

/* Neither a tail call nor a loop. */
__attribute__((noinline)) static int deep(int depth) {
  char frame[1024];
  __asm__ volatile("" : : "r"(frame) : "memory"); /* or clang would keep one byte of it */
  int err = depth == 0 ? fibril_sleep(1e9) : deep(depth - 1);
  __asm__ volatile("" : "+r"(err) : "r"(frame) : "memory");
  return err;
}

static fibril_value sleep_deep(void *arg) {
  deep(*(int *)arg);
  return fibril_undefined();
}

static void note_true(void *arg) {
  *(bool *)arg = true;
}

LOOP_TEST(inspect_says_since_when_and_how_deep) {
  int depth = 100;
  bool over = false;
  fibril_inspection about;
  fibril_loop_inspect(loop, keep_last, &about);
  fibril_future *future = fibril_loop_spawn(loop, sleep_deep, &depth, NAMED("deep"));
  CHECK_INT(fibril_loop_call_later(loop, 20, note_true, &over, NULL), 0);
  while (!over) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_loop_inspect(loop, keep_last, &about);
  CHECK(about.waited >= 20);
  CHECK(about.stack_used > 4 * 1024); /* ASan may keep the arrays elsewhere */
  CHECK_INT(fibril_cancel(future), 0);
  fibril_loop_inspect(loop, keep_last, &about);
  CHECK(about.cancelled);
  CHECK_STR(about.state, "ready");
  fibril_future_unref(future);
}

/* ---- Generators ---- */

static fibril_value sleep_in_generator(fibril_generator *generator, void *arg) {
  (void)generator;
  (void)arg;
  fibril_sleep(1e9);
  return fibril_undefined();
}

static fibril_value call_generator(void *arg) {
  (void)arg;
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), sleep_in_generator, NULL, NAMED("both"));
  fibril_generator_next(generator, NULL);
  fibril_generator_unref(generator);
  return fibril_undefined();
}

static void both_sleep(const fibril_inspection *about, void *arg) {
  CHECK_STR(about->name, "both");
  CHECK_STR(about->waits_for, "sleep");
  ++*(int *)arg;
}

LOOP_TEST(inspect_shows_a_generators_wait_on_its_caller_too) {
  int seen = 0;
  fibril_future *future = fibril_loop_spawn(loop, call_generator, NULL, NAMED("both"));
  fibril_loop_inspect(loop, both_sleep, &seen);
  CHECK_INT(seen, 2);
  fibril_cancel(future);
  fibril_future_unref(future);
}

/* ---- The report of leaks ---- */

static fibril_value fail_as(void *arg) {
  return fibril_error(UV_EIO, "%s", (const char *)arg);
}

static fibril_future *kept[5]; /* leak checkers need not hear of them */

/* Keeps futures that failed: only those that nobody reads are named. */
static void leave_failures(fibril_loop *loop) {
  kept[0] = fibril_future_new(loop);
  kept[1] = fibril_future_new(loop);
  kept[2] = fibril_loop_spawn(loop, fail_as, "disk on fire", NAMED("writer"));
  kept[3] = fibril_loop_spawn(loop, fail_as, "was read", NAMED("reader"));
  kept[4] = fibril_future_new(loop);
  fibril_future_result(kept[3]);
  fibril_future_chain(kept[0], kept[1]);
  fibril_future_set_error(kept[0], UV_EPIPE);
  fibril_cancel(kept[4]);
}

static void end_with_report(fibril_loop *loop) {
  fibril_loop_spawn(loop, sleep_long, NULL, NAMED("sleeper"));
  leave_failures(loop);
  fibril_loop_close(loop, NULL, NULL);
  _exit(7);
}

CRASH_TEST(leaks_are_reported_on_demand, "7",
           "^fibril: never finished: coroutine \"sleeper\", waiting \\d+ ms for sleep\n"
           "fibril: never read: a future failed: broken pipe\n"
           "fibril: never read: a future of coroutine \"writer\" failed: disk on fire\n$") {
  CHECK_INT(fibril_loop_report_leaks(loop), 0);
  CHECK_INT(fibril_loop_report_leaks(loop), 0);
  end_with_report(loop);
}

CRASH_TEST(leaks_are_not_reported_to_who_did_not_ask, "7", "^$") {
  end_with_report(loop);
}

CRASH_TEST(leaks_are_reported_when_the_environment_asks, "7",
           "^fibril: never finished: coroutine \"sleeper\", [^\n]*\n"
           "fibril: never finished: coroutine \"waiter\", waiting \\d+ ms for future of "
           "\"sleeper\"\n$") {
  uv_loop_t uv;
  fibril_loop *own;
  world w = {.sleeper = NULL};
  (void)loop;
  setenv("FIBRIL_LEAKS", "1", 1);
  uv_loop_init(&uv);
  fibril_loop_new(&uv, &own);
  w.sleeper = fibril_loop_spawn(own, sleep_long, NULL, NAMED("sleeper"));
  fibril_loop_spawn(own, await_sleeper, &w, NAMED("waiter"));
  fibril_loop_close(own, NULL, NULL);
  _exit(7);
}

LOOP_TEST(leaks_of_what_was_freed_are_forgotten) {
  CHECK_INT(fibril_loop_report_leaks(loop), 0);
  for (int i = 0; i < 3; i++) {
    fibril_future *future = fibril_loop_spawn(loop, fail_as, "x", NAMED("writer"));
    CHECK_INT(fibril_error_code(fibril_future_result(future)), UV_EIO);
    fibril_future_unref(future);
  }
}
