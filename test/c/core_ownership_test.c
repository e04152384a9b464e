/* Whose a value is when it leaves: what is borrowed is taken over before its owner is cleaned up,
 * and what is somebody else's stays that one's. Freed memory shows under ASan and valgrind. */
#include "test.h"

#include <string.h>

#define TEXT "a text that is too long for any value to hold by itself"

static fibril_value make(void) {
  return fibril_string(TEXT, FIBRIL_AUTO_LENGTH);
}

static fibril_value make_error(void *arg) {
  (void)arg;
  fibril_moment();
  return fibril_error(UV_EACCES, "%s", TEXT);
}

static fibril_value make_later(void *arg) {
  (void)arg;
  fibril_moment();
  return make();
}

/* ---- Returned while its owner is cleaned up ---- */

static fibril_value return_group_error(void *arg) {
  (void)arg;
  fibril_group *group = fibril_group_new();
  fibril_group_spawn(group, make_error, NULL, NULL);
  return fibril_group_wait(group);
}

static void unref(void *future) {
  fibril_future_unref(future);
}

static fibril_value return_awaited(void *arg) {
  (void)arg;
  fibril_future *future = fibril_spawn(make_error, NULL, NULL);
  fibril_defer(unref, future);
  return fibril_await(future);
}

static fibril_value return_first_error(void *arg) {
  fibril_future *futures[2];
  (void)arg;
  for (int i = 0; i < 2; i++) {
    futures[i] = fibril_spawn(make_error, NULL, NULL);
    fibril_defer(unref, futures[i]);
  }
  return fibril_await_all(futures, 2);
}

static fibril_value fail_as_generator(fibril_generator *generator, void *arg) {
  fibril_yield(generator, fibril_undefined());
  return make_error(arg);
}

static void drop_generator(void *generator) {
  fibril_generator_unref(generator);
}

static fibril_value return_generated(void *arg) {
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(arg, fail_as_generator, NULL, NULL);
  fibril_defer(drop_generator, generator);
  while (fibril_generator_next(generator, &value) == FIBRIL_YIELDED) continue;
  return value;
}

static void free_local(void *value) {
  fibril_value_free(*(fibril_value *)value);
}

/* From a value that the coroutine keeps in its local storage. */
static fibril_value return_local(void *arg) {
  static const int key;
  static fibril_value kept;
  kept = fibril_value_take(make_error(arg));
  fibril_local_set(&key, &kept, free_local);
  return fibril_value_dup(kept);
}

static fibril_value return_inner(void *arg) {
  fibril_value array = fibril_array(1), object = fibril_object();
  fibril_object_set(object, "error", make_error(arg));
  fibril_array_push(array, object);
  return fibril_object_get(fibril_array_get(array, 0), "error");
}

LOOP_TEST(what_is_returned_is_taken_over_before_anything_is_cleaned_up) {
  const fibril_fn fns[] = {return_group_error, return_awaited, return_first_error,
                           return_generated,   return_local,   return_inner};
  for (size_t i = 0; i < sizeof fns / sizeof fns[0]; i++) {
    fibril_value out;
    CHECK_INT(fibril_loop_run_sync(loop, fns[i], loop, 0, &out), 0);
    CHECK_INT(fibril_error_code(out), UV_EACCES);
    CHECK_STR(fibril_error_message(out), TEXT);
    fibril_value_free(out);
  }
}

/* A clean-up that waits runs with the result in hand. */
static void sleep_a_little(void *arg) {
  (void)arg;
  fibril_moment();
  fibril_sleep(1);
}

static fibril_value return_through_waits(void *arg) {
  (void)arg;
  fibril_defer(sleep_a_little, NULL);
  return make();
}

LOOP_TEST(clean_up_that_waits_keeps_the_result) {
  fibril_value out;
  CHECK_INT(fibril_loop_run_sync(loop, return_through_waits, NULL, 0, &out), 0);
  CHECK_STR(fibril_value_string(out, NULL), TEXT);
  fibril_value_free(out);
}

/* ---- Awaited, and nobody has the future any more ---- */

static fibril_future *shared;

static fibril_value await_shared(void *arg) {
  (void)arg;
  fibril_value value = fibril_await(shared);
  fibril_moment();
  CHECK_STR(fibril_value_string(value, NULL), TEXT);
  return value;
}

static fibril_value drop_while_awaited(void *arg) {
  (void)arg;
  shared = fibril_spawn(make_later, NULL, NULL);
  fibril_future *waiting = fibril_spawn(await_shared, NULL, NULL);
  fibril_future_unref(shared);
  CHECK_STR(fibril_value_string(fibril_await(waiting), NULL), TEXT);
  fibril_future_unref(waiting);
  return fibril_undefined();
}

LOOP_TEST(awaited_value_stays_though_its_future_was_dropped_meanwhile) {
  CHECK_INT(fibril_loop_run_sync(loop, drop_while_awaited, NULL, 0, NULL), 0);
}

/* ---- Another coroutine's ---- */

typedef struct {
  fibril_value value; /* of the parent's arena */
  fibril_value into;
  fibril_channel *channel;
  fibril_future *future;
} gift;

static fibril_value hand_on(void *arg) {
  gift *g = arg;
  CHECK_INT(fibril_array_push(g->into, g->value), 0);
  CHECK_INT(fibril_channel_send(g->channel, g->value, -1), 0);
  CHECK_INT(fibril_future_set_result(g->future, g->value), 0);
  fibril_value_free(fibril_value_take(g->value));
  fibril_value_free(fibril_value_dup(g->value));
  return g->value;
}

static fibril_value yield_anothers(fibril_generator *generator, void *arg) {
  gift *g = arg;
  fibril_value sent = fibril_yield(generator, g->value);
  CHECK_STR(fibril_value_string(sent, NULL), TEXT);
  fibril_yield(generator, sent);
  return sent;
}

static fibril_value lend(void *arg) {
  gift g = {.value = make(), .into = fibril_array(0)};
  fibril_value received, yielded;
  g.channel = fibril_channel_new(1);
  g.future = fibril_future_new(arg);
  fibril_future *child = fibril_spawn(hand_on, &g, NULL);
  fibril_await(child);
  fibril_future_unref(child);
  fibril_future_unref(g.future);
  CHECK_INT(fibril_channel_receive(g.channel, &received, -1), 0);
  fibril_value_free(received);
  fibril_channel_free(g.channel);
  fibril_generator *generator = fibril_generator_new(arg, yield_anothers, &g, NULL);
  fibril_generator_next(generator, &yielded);
  fibril_generator_send(generator, yielded, &yielded);
  CHECK_STR(fibril_value_string(yielded, NULL), TEXT);
  fibril_generator_next(generator, &yielded);
  fibril_generator_unref(generator);
  CHECK_STR(fibril_value_string(g.value, NULL), TEXT);
  return g.into;
}

LOOP_TEST(value_of_another_coroutine_stays_that_ones) {
  fibril_value out;
  CHECK_INT(fibril_loop_run_sync(loop, lend, loop, 0, &out), 0);
  CHECK_STR(fibril_value_string(fibril_array_get(out, 0), NULL), TEXT);
  fibril_value_free(out);
}

/* On the loop's stack nobody's arena is one's own. */
static void take_on_loop(void *arg) {
  fibril_value_free(fibril_value_take(*(fibril_value *)arg));
}

static fibril_value lend_to_loop(void *arg) {
  fibril_value value = make();
  (void)arg;
  fibril_on_loop(take_on_loop, &value);
  CHECK_STR(fibril_value_string(value, NULL), TEXT);
  return value;
}

LOOP_TEST(callback_that_takes_a_value_leaves_the_coroutine_its_own) {
  fibril_value out;
  CHECK_INT(fibril_loop_run_sync(loop, lend_to_loop, NULL, 0, &out), 0);
  CHECK_STR(fibril_value_string(out, NULL), TEXT);
  fibril_value_free(out);
}

/* ---- Done, and cancelled at the same time ---- */

typedef struct {
  fibril_future *first, *second;
  int codes[4];
  int next;
} race;

static fibril_value await_one(void *arg) {
  race *r = arg;
  CHECK_STR(fibril_value_string(fibril_await(r->first), NULL), TEXT);
  r->next = fibril_sleep(1);
  return fibril_undefined();
}

static fibril_value await_with_timeout(void *arg) {
  race *r = arg;
  CHECK_STR(fibril_value_string(fibril_await_timeout(r->first, 1e9), NULL), TEXT);
  r->next = fibril_sleep(1);
  return fibril_undefined();
}

static fibril_value await_both(void *arg) {
  race *r = arg;
  CHECK_INT(fibril_value_kind(fibril_await_all((fibril_future *[]){r->first, r->second}, 2)),
            FIBRIL_UNDEFINED);
  r->next = fibril_sleep(1);
  return fibril_undefined();
}

static fibril_value await_either(void *arg) {
  race *r = arg;
  CHECK_INT(fibril_await_any((fibril_future *[]){r->second, r->first}, 2), 1);
  r->next = fibril_sleep(1);
  return fibril_undefined();
}

/* In either order, before the one that waits runs again. */
static void decide(race *r, fibril_future *waiting, bool cancel_first) {
  if (cancel_first) CHECK_INT(fibril_cancel(waiting), 0);
  CHECK_INT(fibril_future_set_result(r->first, make()), 0);
  if (!cancel_first) CHECK_INT(fibril_cancel(waiting), 0);
}

LOOP_TEST(what_is_done_counts_and_cancellation_shows_at_the_next_wait) {
  const fibril_fn fns[] = {await_one, await_with_timeout, await_either, await_both};
  for (int i = 0; i < 8; i++) {
    race r = {.first = fibril_future_new(loop), .second = fibril_future_new(loop)};
    if (fns[i / 2] == await_both) fibril_future_set_result(r.second, fibril_undefined());
    fibril_future *waiting = fibril_loop_spawn(loop, fns[i / 2], &r, NULL);
    decide(&r, waiting, i % 2 == 0);
    while (!fibril_future_done(waiting)) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
    CHECK_INT(r.next, UV_ECANCELED);
    fibril_future_unref(waiting);
    fibril_future_unref(r.first);
    fibril_future_unref(r.second);
  }
}

static fibril_value end_in_a_moment(void *arg) {
  (void)arg;
  fibril_moment();
  return fibril_undefined();
}

static fibril_value wait_for_group(void *arg) {
  race *r = arg;
  fibril_group *group = fibril_group_new();
  fibril_group_spawn(group, end_in_a_moment, NULL, NULL);
  r->codes[0] = fibril_error_code(fibril_group_wait(group));
  r->next = fibril_sleep(1);
  return fibril_undefined();
}

static void cancel_future(void *arg) {
  CHECK_INT(fibril_cancel(arg), 0);
}

static fibril_value cancel_at_the_end(void *arg) {
  race *r = arg;
  r->first = fibril_spawn(wait_for_group, r, NULL);
  fibril_moment(); /* the child has ended, and its parent has not run yet */
  cancel_future(r->first);
  fibril_await(r->first);
  fibril_future_unref(r->first);
  return fibril_undefined();
}

LOOP_TEST(group_that_has_ended_gives_its_result_though_cancelled) {
  race r = {.codes = {1}};
  CHECK_INT(fibril_loop_run_sync(loop, cancel_at_the_end, &r, 0, NULL), 0);
  CHECK_INT(r.codes[0], 0);
  CHECK_INT(r.next, UV_ECANCELED);
}

static int logged;

static void count_logged(const char *message, fibril_value error, void *arg) {
  (void)message;
  (void)arg;
  logged += fibril_error_code(error) == UV_EIO;
}

static fibril_value await_any_of_two(void *arg) {
  race *r = arg;
  CHECK_INT(fibril_await_any((fibril_future *[]){r->first, r->second}, 2), 0);
  return fibril_undefined();
}

/* It was given the first one: of the other it was told nothing. */
LOOP_TEST(cancelled_wait_that_has_a_result_leaves_the_others_unread) {
  race r = {.first = fibril_future_new(loop), .second = fibril_future_new(loop)};
  logged = 0;
  fibril_loop_set_log(loop, count_logged, NULL);
  fibril_future *waiting = fibril_loop_spawn(loop, await_any_of_two, &r, NULL);
  decide(&r, waiting, true);
  while (!fibril_future_done(waiting)) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  fibril_future_set_error(r.second, UV_EIO);
  fibril_future_unref(r.second);
  fibril_future_unref(r.first);
  fibril_future_unref(waiting);
  CHECK_INT(logged, 1);
}

/* Neither wait tells anything but that it is cancelled. */
static fibril_value await_both_in_turn(void *arg) {
  race *r = arg;
  CHECK_INT(fibril_error_code(fibril_await(r->first)), UV_ECANCELED);
  CHECK_INT(fibril_error_code(fibril_await(r->second)), UV_ECANCELED);
  return fibril_undefined();
}

LOOP_TEST(what_fails_after_a_refused_wait_is_not_unread) {
  race r = {.first = fibril_future_new(loop), .second = fibril_future_new(loop)};
  logged = 0;
  fibril_loop_set_log(loop, count_logged, NULL);
  fibril_future *waiting = fibril_loop_spawn(loop, await_both_in_turn, &r, NULL);
  fibril_cancel(waiting);
  while (!fibril_future_done(waiting)) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  fibril_future_set_error(r.first, UV_EIO);
  fibril_future_set_error(r.second, UV_EIO);
  fibril_future_unref(r.first);
  fibril_future_unref(r.second);
  fibril_future_unref(waiting);
  CHECK_INT(logged, 0);
}
