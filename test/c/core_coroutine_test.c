/* Coroutines: spawning, awaiting, cancelling, what belongs to one. */
#include "../../src/core/scheduler/coroutine.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char text[256];
  size_t length;
} record;

static void note(record *r, char what) {
  if (r->length < sizeof r->text - 1) r->text[r->length++] = what;
}

static void run(fibril_loop *loop, fibril_fn fn, void *arg) {
  CHECK_INT(fibril_loop_run_sync(loop, fn, arg, 0, NULL), 0);
}

/* ---- Order ---- */

static fibril_value child(void *arg) {
  note(arg, 'c');
  fibril_sleep(0);
  note(arg, 'd');
  return fibril_number(1);
}

static fibril_value parent(void *arg) {
  note(arg, 'p');
  fibril_future *future = fibril_spawn(child, arg, NULL);
  note(arg, 'q');
  CHECK(!fibril_future_done(future));
  fibril_await(future);
  note(arg, 'r');
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(spawned_coroutine_runs_to_its_first_wait_before_the_parent_goes_on) {
  record r = {0};
  run(loop, parent, &r);
  CHECK_STR(r.text, "pcqdr");
}

static fibril_value never_waits(void *arg) {
  note(arg, 'n');
  return fibril_string("done", FIBRIL_AUTO_LENGTH);
}

LOOP_TEST(coroutine_that_never_waits_is_done_at_once) {
  record r = {0};
  fibril_future *future = fibril_loop_spawn(loop, never_waits, &r, NULL);
  CHECK(fibril_future_done(future));
  CHECK_STR(fibril_value_string(fibril_future_result(future), NULL), "done");
  fibril_future_unref(future);
}

static fibril_value spawn_two(void *arg) {
  note(arg, '(');
  for (int i = 0; i < 2; i++) fibril_future_unref(fibril_spawn(never_waits, arg, NULL));
  note(arg, ')');
  return fibril_undefined();
}

static fibril_value spawn_three(void *arg) {
  note(arg, '[');
  for (int i = 0; i < 3; i++) fibril_future_unref(fibril_spawn(spawn_two, arg, NULL));
  note(arg, ']');
  return fibril_undefined();
}

LOOP_TEST(nested_spawns_run_depth_first) {
  record r = {0};
  run(loop, spawn_three, &r);
  CHECK_STR(r.text, "[(nn)(nn)(nn)]");
}

typedef struct {
  record *record;
  char name;
  fibril_future *done;
} looper;

static fibril_value moments(void *arg) {
  looper *l = arg;
  for (int i = 0; i < 5; i++) {
    note(l->record, l->name);
    fibril_moment();
  }
  return fibril_undefined();
}

static fibril_value done_futures(void *arg) {
  looper *l = arg;
  for (int i = 0; i < 5; i++) {
    note(l->record, l->name);
    fibril_await(l->done);
  }
  return fibril_undefined();
}

static fibril_value passes(void *arg) {
  looper *l = arg;
  for (int i = 0; i < 5; i++) {
    note(l->record, l->name);
    fibril_pass();
  }
  return fibril_undefined();
}

typedef struct {
  record record;
  fibril_fn a, b;
} race;

static fibril_value run_race(void *arg) {
  race *r = arg;
  fibril_future *done = fibril_future_new(fibril_loop_current());
  fibril_future_set_result(done, fibril_undefined());
  looper loopers[2] = {{&r->record, 'a', done}, {&r->record, 'b', done}};
  fibril_future *both[2] = {fibril_spawn(r->a, &loopers[0], NULL),
                            fibril_spawn(r->b, &loopers[1], NULL)};
  fibril_await_all(both, 2);
  fibril_future_unref(both[0]);
  fibril_future_unref(both[1]);
  fibril_future_unref(done);
  return fibril_undefined();
}

static void check_race(fibril_loop *loop, fibril_fn a, fibril_fn b, const char *expected) {
  race r = {.a = a, .b = b};
  run(loop, run_race, &r);
  CHECK_STR(r.record.text, expected);
}

LOOP_TEST(moment_lets_others_run_and_a_done_future_does_not) {
  check_race(loop, moments, moments, "ababababab");
  check_race(loop, done_futures, done_futures, "aaaaabbbbb");
  check_race(loop, moments, done_futures, "abbbbbaaaa");
  check_race(loop, passes, passes, "ababababab");
}

static fibril_value await_100000_done(void *arg) {
  fibril_future *done = arg;
  for (int i = 0; i < 100000; i++)
    if (fibril_value_integer(fibril_await(done)) != 5) FAIL("await %d", i);
  return fibril_undefined();
}

LOOP_TEST(done_futures_take_no_iteration_and_no_recursion) {
  fibril_future *done = fibril_future_new(loop);
  fibril_future_set_result(done, fibril_number(5));
  fibril_future *future = fibril_loop_spawn(loop, await_100000_done, done, NULL);
  CHECK(fibril_future_done(future));
  fibril_future_unref(future);
  fibril_future_unref(done);
}

/* ---- Awaiting ---- */

typedef struct {
  double ms;
  int result;
} sleeper;

static fibril_value sleep_then(void *arg) {
  sleeper *s = arg;
  int err = fibril_sleep(s->ms);
  if (err != 0) return fibril_error(err, NULL);
  return s->result < 0 ? fibril_error(s->result, NULL) : fibril_number(s->result);
}

static fibril_value await_all_of(void *arg) {
  (void)arg;
  sleeper s[4] = {{4, 1}, {8, UV_EIO}, {2, UV_EPIPE}, {12, 4}};
  fibril_future *futures[4];
  for (int i = 0; i < 4; i++) futures[i] = fibril_spawn(sleep_then, &s[i], NULL);
  fibril_value error = fibril_await_all(futures, 4);
  CHECK_INT(fibril_error_code(error), UV_EIO); /* the first of the array, not of time */
  CHECK(fibril_future_done(futures[3]));       /* whatever failed, all are waited for */
  CHECK_INT(fibril_value_integer(fibril_future_result(futures[0])), 1);
  CHECK_INT(fibril_value_integer(fibril_future_result(futures[3])), 4);
  fibril_future *twice[3] = {futures[0], futures[3], futures[0]};
  CHECK_INT(fibril_value_kind(fibril_await_all(twice, 3)), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_value_kind(fibril_await_all(NULL, 0)), FIBRIL_UNDEFINED);
  fibril_future *null[2] = {futures[0], NULL};
  CHECK_INT(fibril_error_code(fibril_await_all(null, 2)), FIBRIL_EBADYIELD);
  for (int i = 0; i < 4; i++) {
    fibril_future_result(futures[i]);
    fibril_future_unref(futures[i]);
  }
  return fibril_undefined();
}

LOOP_TEST(await_all_waits_for_all_and_gives_the_first_error_of_the_array) {
  run(loop, await_all_of, NULL);
}

static fibril_value settle_later(void *arg) {
  fibril_moment();
  fibril_future_set_result(arg, fibril_number(7));
  return fibril_undefined();
}

static fibril_value await_any_of(void *arg) {
  (void)arg;
  fibril_future *futures[40];
  for (int i = 0; i < 40; i++) futures[i] = fibril_future_new(fibril_loop_current());
  fibril_future_unref(fibril_spawn(settle_later, futures[20], NULL));
  CHECK_INT(fibril_await_any(futures, 40), 20);
  CHECK_INT(fibril_await_any(futures, 40), 20); /* done already: at once */
  fibril_future_unref(fibril_spawn(settle_later, futures[3], NULL));
  CHECK_INT(fibril_await_any(futures, 10), 3);
  CHECK_INT(fibril_await_any(futures, 40), 3); /* of several, the first of the array */
  fibril_future *twice[2] = {futures[39], futures[39]};
  fibril_future_unref(fibril_spawn(settle_later, futures[39], NULL));
  CHECK_INT(fibril_await_any(twice, 2), 0);
  CHECK_INT(fibril_await_any(futures, 0), UV_EINVAL);
  fibril_future *null[2] = {futures[0], NULL};
  CHECK_INT(fibril_await_any(null, 2), FIBRIL_EBADYIELD);
  for (int i = 0; i < 40; i++) fibril_future_unref(futures[i]);
  return fibril_undefined();
}

LOOP_TEST(await_any_gives_the_index_of_the_first) {
  run(loop, await_any_of, NULL);
}

static fibril_value await_for_a_while(void *arg) {
  (void)arg;
  fibril_future *future = fibril_future_new(fibril_loop_current());
  CHECK_INT(fibril_error_code(fibril_await_timeout(future, 1)), UV_ETIMEDOUT);
  CHECK_INT(fibril_error_code(fibril_await_timeout(future, 0)), UV_ETIMEDOUT);
  CHECK(!fibril_future_done(future)); /* it goes on */
  fibril_future_unref(fibril_spawn(settle_later, future, NULL));
  CHECK_INT(fibril_value_integer(fibril_await_timeout(future, 100000)), 7);
  CHECK_INT(fibril_value_integer(fibril_await_timeout(future, 0)), 7); /* a done one wins */
  CHECK_INT(fibril_error_code(fibril_await_timeout(future, -1)), UV_EINVAL);
  CHECK_INT(fibril_error_code(fibril_await_timeout(future, 0.0 / 0.0)), UV_EINVAL);
  CHECK_INT(fibril_error_code(fibril_await_timeout(NULL, 1)), FIBRIL_EBADYIELD);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(await_with_a_timeout_leaves_the_future_alone) {
  run(loop, await_for_a_while, NULL);
}

static fibril_value await_shared(void *arg) {
  fibril_value value = fibril_await(arg);
  return fibril_number(fibril_value_number(value) + 1);
}

LOOP_TEST(future_has_any_number_of_waiters) {
  fibril_future *shared = fibril_future_new(loop), *waiters[10];
  for (int i = 0; i < 10; i++) waiters[i] = fibril_loop_spawn(loop, await_shared, shared, NULL);
  fibril_future_set_result(shared, fibril_number(1));
  for (int i = 0; i < 10; i++)
    CHECK(!fibril_future_done(waiters[i])); /* no coroutine runs inside set_result */
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  for (int i = 0; i < 10; i++) {
    CHECK_INT(fibril_value_integer(fibril_future_result(waiters[i])), 2);
    fibril_future_unref(waiters[i]);
  }
  fibril_future_unref(shared);
}

LOOP_TEST(waits_outside_a_coroutine_are_refused) {
  fibril_future *future = fibril_future_new(loop);
  CHECK_INT(fibril_sleep(0), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_moment(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_pass(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_suspend(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_error_code(fibril_await(future)), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_error_code(fibril_await_timeout(future, 1)), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_error_code(fibril_await_all(&future, 1)), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_await_any(&future, 1), FIBRIL_ENOTCOROUTINE);
  fibril_future *child_future = fibril_spawn(never_waits, NULL, NULL);
  CHECK_INT(fibril_error_code(fibril_future_result(child_future)), FIBRIL_ENOTCOROUTINE);
  fibril_future_unref(child_future);
  CHECK_INT(fibril_defer(free, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_local_set("key", NULL, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK(fibril_local_get("key") == NULL);
  CHECK(!fibril_cancelled());
  CHECK_STR(fibril_name(), "");
  CHECK(fibril_coroutine_self() == NULL);
  fibril_future_unref(future);
}

static fibril_value sleep_wrongly(void *arg) {
  (void)arg;
  CHECK_INT(fibril_sleep(-1), UV_EINVAL);
  CHECK_INT(fibril_sleep(0.0 / 0.0), UV_EINVAL);
  CHECK_INT(fibril_sleep(1e300), UV_EINVAL);
  CHECK_INT(fibril_error_code(fibril_await(NULL)), FIBRIL_EBADYIELD);
  return fibril_undefined();
}

LOOP_TEST(sleep_needs_a_sensible_number) {
  run(loop, sleep_wrongly, NULL);
}

/* ---- Cancelling ---- */

typedef struct {
  fibril_future *pending;
  int status, later[8];
} waits;

static void try_every_wait(waits *w) {
  w->later[0] = fibril_sleep(0);
  w->later[1] = fibril_moment();
  w->later[2] = fibril_pass();
  w->later[3] = fibril_suspend();
  w->later[4] = fibril_error_code(fibril_await(w->pending));
  w->later[5] = fibril_error_code(fibril_await_timeout(w->pending, 1));
  w->later[6] = fibril_await_any(&w->pending, 1);
  w->later[7] = fibril_error_code(fibril_await_all(&w->pending, 1));
}

#define WAITER(name, wait)                                  \
  static fibril_value name(void *arg) {                     \
    waits *w = arg;                                         \
    w->status = wait;                                       \
    CHECK(fibril_cancelled());                              \
    try_every_wait(w);                                      \
    return fibril_string("cleaned up", FIBRIL_AUTO_LENGTH); \
  }

WAITER(wait_sleep, fibril_sleep(1e9))
WAITER(wait_suspend, fibril_suspend())
WAITER(wait_future, fibril_error_code(fibril_await(w->pending)))
WAITER(wait_timeout, fibril_error_code(fibril_await_timeout(w->pending, 1e9)))
WAITER(wait_all, fibril_error_code(fibril_await_all(&w->pending, 1)))
WAITER(wait_any, fibril_await_any(&w->pending, 1))

static fibril_value cancel_every_wait(void *arg) {
  (void)arg;
  const fibril_fn fns[] = {wait_sleep, wait_suspend, wait_future, wait_timeout, wait_all, wait_any};
  for (size_t i = 0; i < sizeof fns / sizeof fns[0]; i++) {
    waits w = {.pending = fibril_future_new(fibril_loop_current()), .status = 1};
    fibril_future *future = fibril_spawn(fns[i], &w, NULL);
    CHECK_INT(fibril_cancel(future), 0);
    CHECK_INT(w.status, 1); /* asked, not waited for */
    CHECK_INT(fibril_cancel(future), 0);
    CHECK_STR(fibril_value_string(fibril_await(future), NULL), "cleaned up");
    CHECK_INT(w.status, UV_ECANCELED);
    for (int k = 0; k < 8; k++) CHECK_INT(w.later[k], UV_ECANCELED);
    CHECK_INT(fibril_cancel(future), FIBRIL_EALREADY);
    CHECK(!fibril_future_done(w.pending));
    fibril_future_set_result(w.pending,
                             fibril_undefined()); /* nobody is registered with it any more */
    fibril_future_unref(w.pending);
    fibril_future_unref(future);
  }
  CHECK(!fibril_cancelled());
  return fibril_undefined();
}

LOOP_TEST(every_wait_of_a_cancelled_coroutine_gives_ecanceled) {
  run(loop, cancel_every_wait, NULL);
}

static fibril_value cancel_itself(void *arg) {
  fibril_future **own = arg;
  fibril_moment();
  CHECK_INT(fibril_cancel(*own), 0);
  CHECK(fibril_cancelled());
  CHECK_INT(fibril_sleep(0), UV_ECANCELED);
  return fibril_undefined();
}

LOOP_TEST(coroutine_may_cancel_itself) {
  fibril_future *future = NULL;
  future = fibril_loop_spawn(loop, cancel_itself, &future, NULL);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK(!fibril_is_error(fibril_future_result(future)));
  fibril_future_unref(future);
}

/* ---- What belongs to a coroutine ---- */

typedef struct {
  record *record;
  char name;
} noter;

static void note_release(void *arg) {
  noter *n = arg;
  CHECK(fibril_coroutine_self() != NULL);
  note(n->record, n->name);
}

static fibril_value defer_three(void *arg) {
  noter *n = arg;
  for (int i = 0; i < 3; i++) CHECK_INT(fibril_defer(note_release, &n[i]), 0);
  fibril_sleep(0);
  note(n->record, '.');
  return fibril_undefined();
}

LOOP_TEST(deferred_calls_run_last_one_first) {
  record r = {0};
  noter n[3] = {{&r, '1'}, {&r, '2'}, {&r, '3'}};
  run(loop, defer_three, n);
  CHECK_STR(r.text, ".321");
}

static void sleep_in_release(void *arg) {
  *(int *)arg = fibril_sleep(1);
}

static fibril_value defer_a_wait(void *arg) {
  fibril_defer(sleep_in_release, arg);
  return fibril_undefined();
}

LOOP_TEST(deferred_calls_may_wait) {
  int status = 1;
  run(loop, defer_a_wait, &status);
  CHECK_INT(status, 0);
}

static const char key_a, key_b;

static fibril_value use_locals(void *arg) {
  noter *n = arg;
  CHECK(fibril_local_get(&key_a) == NULL);
  CHECK_INT(fibril_local_set(&key_a, &n[0], note_release), 0);
  CHECK_INT(fibril_local_set(&key_b, &n[1], NULL), 0);
  fibril_sleep(0);
  CHECK(fibril_local_get(&key_a) == &n[0]);
  CHECK(fibril_local_get(&key_b) == &n[1]);
  CHECK_INT(fibril_local_set(&key_a, &n[2], note_release), 0);
  CHECK_STR(n->record->text, "1");
  CHECK(fibril_local_get(&key_a) == &n[2]);
  return fibril_undefined();
}

LOOP_TEST(locals_belong_to_one_coroutine) {
  record r = {0}, other = {0};
  noter n[3] = {{&r, '1'}, {&r, '2'}, {&r, '3'}},
        m[3] = {{&other, '1'}, {&other, '2'}, {&other, '3'}};
  fibril_future *a = fibril_loop_spawn(loop, use_locals, n, NULL),
                *b = fibril_loop_spawn(loop, use_locals, m, NULL);
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_STR(r.text, "13");
  CHECK_STR(other.text, "13");
  fibril_future_unref(a);
  fibril_future_unref(b);
}

static fibril_value check_name(void *arg) {
  CHECK_STR(fibril_name(), arg);
  fibril_set_name("other");
  fibril_moment();
  CHECK_STR(fibril_name(), "other");
  return fibril_undefined();
}

LOOP_TEST(coroutine_has_a_name) {
  fibril_spawn_options options = {.size = sizeof options, .name = "given"};
  fibril_future *future = fibril_loop_spawn(loop, check_name, "given", &options);
  while (!fibril_future_done(future)) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  fibril_future_unref(future);
  run(loop, check_name, ""); /* nothing is left of it on a stack that is used again */
}

static void check_loop_stack(void *data) {
  bool *ran = data;
  CHECK(fibril_coroutine_self() == NULL);
  CHECK_INT(fibril_sleep(0), FIBRIL_ENOTCOROUTINE);
  *ran = true;
}

static fibril_value hop(void *arg) {
  (void)arg;
  bool ran = false;
  fibril_coroutine *self = fibril_coroutine_self();
  fibril_on_loop(check_loop_stack, &ran);
  CHECK(ran);
  CHECK(fibril_coroutine_self() == self);
  return fibril_undefined();
}

LOOP_TEST(on_loop_runs_on_the_stack_of_the_loop) {
  bool ran = false;
  fibril_on_loop(check_loop_stack, &ran); /* a plain call */
  CHECK(ran);
  run(loop, hop, NULL);
}

/* ---- Bare coroutines ---- */

typedef struct {
  fibril_coroutine *coroutine;
  int resumed;
} bare;

static fibril_value count_resumes(void *arg) {
  bare *b = arg;
  while (fibril_suspend() == 0) b->resumed++;
  return fibril_undefined();
}

LOOP_TEST(bare_coroutine_is_resumed_at_once_or_in_its_turn) {
  bare b = {0};
  CHECK_INT(fibril_coroutine_create(loop, count_resumes, &b, NULL, &b.coroutine), 0);
  CHECK_INT(fibril_coroutine_resume(b.coroutine), 0); /* to its first wait */
  CHECK_INT(b.resumed, 0);
  CHECK_INT(fibril_coroutine_resume(b.coroutine), 0);
  CHECK_INT(b.resumed, 1);
  CHECK_INT(fibril_coroutine_ready(b.coroutine), 0);
  CHECK_INT(b.resumed, 1);
  CHECK_INT(fibril_coroutine_ready(b.coroutine), FIBRIL_ERUNNING); /* it is not waiting any more */
  CHECK_INT(fibril_coroutine_resume(b.coroutine), FIBRIL_ERUNNING);
  CHECK_INT(fibril_loop_run_ready(loop, SIZE_MAX), 1);
  CHECK_INT(b.resumed, 2);
} /* the loop's close ends it */

LOOP_TEST(bare_coroutine_that_never_started_ends_with_the_loop) {
  bare b = {0};
  CHECK_INT(fibril_coroutine_create(loop, count_resumes, &b, NULL, &b.coroutine), 0);
  fibril_spawn_options wrong = {.size = 1};
  CHECK_INT(fibril_coroutine_create(loop, count_resumes, &b, &wrong, &b.coroutine), UV_EINVAL);
}

/* ---- Very many ---- */

/* To sanitizers each stack is a matter of its own: LSan goes through a list of them, TSan takes at
 * most 8,128. */
#if FIBRIL__LSAN || FIBRIL__TSAN
#define SLEEPERS 5000
#else
#define SLEEPERS 100000
#endif

/* The deadline itself nobody sees: it lies between `earliest` and `latest`. */
typedef struct {
  uint32_t number;
  double ms, earliest, latest;
} dream;

static struct {
  double last;
  int awake, disorder, damaged;
} sleepers;

static uint32_t checksum(const volatile unsigned char *bytes) {
  uint32_t sum = 0;
  for (int i = 0; i < 512; i++) sum = sum * 31 + bytes[i];
  return sum;
}

static fibril_value sleep_with_a_local(void *arg) {
  dream *d = arg;
  volatile unsigned char local[512];
  for (uint32_t i = 0; i < sizeof local; i++)
    local[i] = (unsigned char)((d->number + i) * 2654435761u >> 24);
  uint32_t before = checksum(local);
  d->earliest = fibril_loop_now(fibril_loop_current()) + d->ms;
  int err = fibril_sleep(d->ms);
  sleepers.damaged += err != 0 || checksum(local) != before;
  sleepers.disorder += d->latest < sleepers.last;
  if (d->earliest > sleepers.last) sleepers.last = d->earliest;
  sleepers.awake++;
  return fibril_undefined();
}

static int count_mappings(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  int lines = 0;
  if (maps == NULL) return -1;
  for (int c; (c = getc(maps)) != EOF;) lines += c == '\n';
  fclose(maps);
  return lines;
}

static int mappings_limit(void) {
  FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
  int limit = 0;
  if (file == NULL || fscanf(file, "%d", &limit) != 1) limit = 65530;
  if (file != NULL) fclose(file);
  return limit;
}

LOOP_TEST(sleep_of_very_many_coroutines_ends_in_order_of_their_deadlines) {
  dream *dreams = malloc(SLEEPERS * sizeof *dreams);
  fibril_spawn_options options = {
      .size = sizeof options, .name = "sleeper", .stack_size = 16 * 1024};
  uint32_t random = 1;
  if (!CHECK(dreams != NULL)) return;
  sleepers.last = 0;
  sleepers.awake = sleepers.disorder = sleepers.damaged = 0;
  for (uint32_t i = 0; i < SLEEPERS; i++) {
    random = random * 1664525u + 1013904223u;
    dreams[i] = (dream){.number = i, .ms = (random >> 12) % 1000};
    fibril_future *future = fibril_loop_spawn(loop, sleep_with_a_local, &dreams[i], &options);
    dreams[i].latest = fibril_loop_now(loop) + dreams[i].ms;
    fibril_future_unref(future);
  }
  CHECK_INT(fibril_loop_coroutines(loop), SLEEPERS);
  CHECK(count_mappings() <
        mappings_limit() / 5 * 4); /* guards of the costly kind keep to a budget, too */
  while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_ONCE);
  CHECK_INT(sleepers.awake, SLEEPERS);
  CHECK_INT(sleepers.damaged, 0);
  CHECK_INT(sleepers.disorder, 0);
  free(dreams);
}

/* ---- The control block ---- */

#if FIBRIL_DEBUG || FIBRIL__FIBERS

static fibril_value leave_something(void *arg) {
  fibril_coroutine_self()->ended_arg = arg;
  return fibril_undefined();
}

CRASH_TEST(control_block_is_as_one_leaves_it, "SIGABRT",
           "control block is not as one leaves it: ended_arg of the last one is left") {
  fibril_coroutine *coroutine;
  for (int i = 0; i < 2; i++) {
    fibril_coroutine_create(loop, leave_something, loop, NULL, &coroutine);
    fibril_coroutine_resume(coroutine);
  }
}

#endif
