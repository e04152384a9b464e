/* Futures: settling, callbacks, chains, and errors that nobody reads. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

/* ---- What happened, in order ---- */

typedef struct {
  char text[256];
  size_t length;
} record;

static void note(record *r, char what) {
  if (r->length < sizeof r->text - 1) r->text[r->length++] = what;
}

typedef struct {
  record *record;
  char name;
} noter;

static void note_future(fibril_future *future, void *arg) {
  noter *n = arg;
  CHECK(fibril_future_done(future));
  note(n->record, n->name);
}

/* ---- One future ---- */

LOOP_TEST(future_is_pending_then_done) {
  fibril_future *future = fibril_future_new(loop);
  CHECK(!fibril_future_done(future));
  CHECK_INT(fibril_error_code(fibril_future_result(future)), FIBRIL_EPENDING);
  CHECK_INT(fibril_future_set_result(future, fibril_number(42)), 0);
  CHECK(fibril_future_done(future));
  CHECK(fibril_value_number(fibril_future_result(future)) == 42);
  fibril_future_unref(future);
}

LOOP_TEST(future_stays_settled) {
  fibril_future *future = fibril_future_new(loop);
  CHECK_INT(fibril_future_set_result(future, fibril_string("first", FIBRIL_AUTO_LENGTH)), 0);
  CHECK_INT(fibril_future_set_result(future, fibril_string("second", FIBRIL_AUTO_LENGTH)),
            FIBRIL_EALREADY);
  CHECK_INT(fibril_future_set_error(future, UV_EIO), FIBRIL_EALREADY);
  CHECK_INT(fibril_cancel(future), FIBRIL_EALREADY);
  CHECK_STR(fibril_value_string(fibril_future_result(future), NULL), "first");
  fibril_future_unref(future);
}

LOOP_TEST(future_fails_with_its_error) {
  fibril_future *future = fibril_future_new(loop);
  CHECK_INT(fibril_future_set_result(future, fibril_error(UV_EIO, "disk %d", 7)), 0);
  CHECK_INT(fibril_error_code(fibril_future_result(future)), UV_EIO);
  CHECK_STR(fibril_error_message(fibril_future_result(future)), "disk 7");
  fibril_future_unref(future);
}

LOOP_TEST(future_that_nobody_computes_is_cancelled_at_once) {
  fibril_future *future = fibril_future_new(loop);
  CHECK_INT(fibril_cancel(future), 0);
  CHECK_INT(fibril_error_code(fibril_future_result(future)), UV_ECANCELED);
  fibril_future_unref(future);
}

LOOP_TEST(future_lives_as_long_as_its_last_reference) {
  fibril_future *future = fibril_future_new(loop);
  CHECK(fibril_future_ref(future) == future);
  fibril_future_unref(future);
  CHECK_INT(fibril_future_set_result(future, fibril_undefined()), 0);
  fibril_future_unref(future);
}

/* ---- Done callbacks ---- */

LOOP_TEST(callbacks_run_inside_set_result_in_order) {
  record r = {0};
  noter a = {&r, 'a'}, b = {&r, 'b'}, c = {&r, 'c'};
  fibril_future *future = fibril_future_new(loop);
  uint64_t id_b = 0;
  fibril_future_add_done_callback(future, note_future, &a, NULL);
  fibril_future_add_done_callback(future, note_future, &b, &id_b);
  fibril_future_add_done_callback(future, note_future, &c, NULL);
  CHECK_STR(r.text, "");
  fibril_future_set_result(future, fibril_undefined());
  CHECK_STR(r.text, "abc");
  CHECK_INT(fibril_future_remove_done_callback(future, id_b), UV_ENOENT);
  fibril_future_unref(future);
}

LOOP_TEST(callback_of_a_done_future_runs_at_once) {
  record r = {0};
  noter a = {&r, 'a'};
  uint64_t id = 1;
  fibril_future *future = fibril_future_new(loop);
  fibril_future_set_result(future, fibril_undefined());
  CHECK_INT(fibril_future_add_done_callback(future, note_future, &a, &id), 0);
  CHECK_STR(r.text, "a");
  CHECK_INT(id, 0);
  CHECK_INT(fibril_future_remove_done_callback(future, id), UV_ENOENT);
  fibril_future_unref(future);
}

LOOP_TEST(removed_callbacks_do_not_run) {
  record r = {0};
  noter a = {&r, 'a'}, b = {&r, 'b'}, c = {&r, 'c'};
  uint64_t ids[3];
  fibril_future *future = fibril_future_new(loop);
  fibril_future_add_done_callback(future, note_future, &a, &ids[0]);
  fibril_future_add_done_callback(future, note_future, &b, &ids[1]);
  fibril_future_add_done_callback(future, note_future, &c, &ids[2]);
  CHECK_INT(fibril_future_remove_done_callback(future, ids[1]), 0);
  CHECK_INT(fibril_future_remove_done_callback(future, ids[1]), UV_ENOENT);
  fibril_future_set_result(future, fibril_undefined());
  CHECK_STR(r.text, "ac");
  fibril_future_unref(future);
}

typedef struct {
  noter own;
  fibril_future *future;
  uint64_t victim;
  noter late;
} meddler;

static void remove_and_add(fibril_future *future, void *arg) {
  meddler *m = arg;
  note_future(future, &m->own);
  CHECK_INT(fibril_future_remove_done_callback(future, m->victim), 0);
  fibril_future_add_done_callback(future, note_future, &m->late, NULL);
}

/* A callback added by a callback comes after those that were there before. */
LOOP_TEST(callbacks_may_remove_and_add_callbacks) {
  record r = {0};
  meddler m = {.own = {&r, 'm'}, .late = {&r, 'l'}};
  noter b = {&r, 'b'}, c = {&r, 'c'};
  fibril_future *future = fibril_future_new(loop);
  fibril_future_add_done_callback(future, remove_and_add, &m, NULL);
  fibril_future_add_done_callback(future, note_future, &b, &m.victim);
  fibril_future_add_done_callback(future, note_future, &c, NULL);
  fibril_future_set_result(future, fibril_undefined());
  CHECK_STR(r.text, "mcl");
  fibril_future_unref(future);
}

typedef struct {
  noter own;
  fibril_future *next;
} settler;

static void settle_next(fibril_future *future, void *arg) {
  settler *s = arg;
  note_future(future, &s->own);
  CHECK_INT(fibril_future_set_result(s->next, fibril_undefined()), 0);
}

/* As recursion would have it: what a callback settles comes before the callbacks that are left. */
LOOP_TEST(callbacks_of_nested_settling_run_depth_first) {
  record r = {0};
  fibril_future *a = fibril_future_new(loop), *b = fibril_future_new(loop);
  settler s = {{&r, '1'}, b};
  noter inner = {&r, '2'}, outer = {&r, '3'};
  fibril_future_add_done_callback(a, settle_next, &s, NULL);
  fibril_future_add_done_callback(a, note_future, &outer, NULL);
  fibril_future_add_done_callback(b, note_future, &inner, NULL);
  fibril_future_set_result(a, fibril_undefined());
  CHECK_STR(r.text, "123");
  fibril_future_unref(a);
  fibril_future_unref(b);
}

static void drop(fibril_future *future, void *arg) {
  (void)arg;
  fibril_future_unref(future);
}

LOOP_TEST(callback_may_drop_the_last_reference) {
  record r = {0};
  noter a = {&r, 'a'};
  fibril_future *future = fibril_future_new(loop);
  fibril_future_add_done_callback(future, drop, NULL, NULL);
  fibril_future_add_done_callback(future, note_future, &a, NULL);
  fibril_future_set_result(future, fibril_string("gone", FIBRIL_AUTO_LENGTH));
  CHECK_STR(r.text, "a");
}

static void note_code(fibril_future *future, void *arg) {
  *(int *)arg = fibril_error_code(fibril_future_result(future));
}

LOOP_TEST(callbacks_of_a_future_dropped_while_pending_hear_of_it) {
  int first = 0, second = 0;
  fibril_future *future = fibril_future_new(loop);
  fibril_future_add_done_callback(future, note_code, &first, NULL);
  fibril_loop_add_future(loop, future, note_code, &second);
  fibril_future_unref(future);
  CHECK_INT(first, UV_ECANCELED);
  CHECK_INT(second, 0); /* in an iteration, never inside the call */
  uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
  CHECK_INT(second, UV_ECANCELED);
}

LOOP_TEST(what_a_future_dropped_while_pending_was_chained_to_fails) {
  fibril_future *links[1000];
  for (int i = 0; i < 1000; i++) links[i] = fibril_future_new(loop);
  for (int i = 0; i < 999; i++) fibril_future_chain(links[i], links[i + 1]);
  for (int i = 1; i < 999; i++) fibril_future_unref(links[i]);
  fibril_future_unref(links[0]);
  CHECK(fibril_future_done(links[999]));
  CHECK_INT(fibril_error_code(fibril_future_result(links[999])), UV_ECANCELED);
  fibril_future_unref(links[999]);
}

/* Nothing is called for a loop that is gone, and nothing is kept for it. */
TEST(futures_may_outlive_the_loop_that_was_to_hear_of_them) {
  uv_loop_t uv;
  fibril_loop *heard, *own;
  int codes[2] = {0};
  if (!CHECK_INT(uv_loop_init(&uv), 0)) return;
  CHECK_INT(fibril_loop_new(&uv, &heard), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  fibril_future *settled = fibril_future_new(own), *dropped = fibril_future_new(own);
  fibril_loop_add_future(heard, settled, note_code, &codes[0]);
  fibril_loop_add_future(heard, dropped, note_code, &codes[1]);
  fibril_loop_close(heard, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  fibril_future_set_result(settled, fibril_undefined());
  fibril_future_unref(settled);
  fibril_loop_close(own, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  fibril_future_unref(dropped);
  CHECK_INT(codes[0], 0);
  CHECK_INT(codes[1], 0);
  CHECK_INT(uv_loop_close(&uv), 0);
}

static void check_on_loop_stack(fibril_future *future, void *arg) {
  (void)future;
  CHECK(fibril_coroutine_self() == NULL);
  CHECK_INT(fibril_sleep(0), FIBRIL_ENOTCOROUTINE);
  *(bool *)arg = true;
}

static fibril_value settle_from_coroutine(void *arg) {
  bool first = false, second = false;
  fibril_future *future = arg;
  fibril_future_add_done_callback(future, check_on_loop_stack, &first, NULL);
  CHECK_INT(fibril_future_set_result(future, fibril_undefined()), 0);
  CHECK(first);
  fibril_future_add_done_callback(future, check_on_loop_stack, &second, NULL);
  CHECK(second);
  CHECK(fibril_coroutine_self() != NULL);
  return fibril_undefined();
}

LOOP_TEST(callbacks_run_on_the_stack_of_the_loop) {
  fibril_future *future = fibril_future_new(loop);
  CHECK_INT(fibril_loop_run_sync(loop, settle_from_coroutine, future, 0, NULL), 0);
  fibril_future_unref(future);
}

/* ---- Chains ---- */

LOOP_TEST(chain_copies_a_result) {
  fibril_future *a = fibril_future_new(loop), *b = fibril_future_new(loop);
  CHECK_INT(fibril_future_chain(a, b), 0);
  CHECK(!fibril_future_done(b));
  fibril_future_set_result(a, fibril_string("x", 1));
  CHECK_STR(fibril_value_string(fibril_future_result(b), NULL), "x");
  fibril_future_unref(a);
  CHECK_STR(fibril_value_string(fibril_future_result(b), NULL), "x");
  fibril_future_unref(b);
}

LOOP_TEST(chain_copies_an_error_and_from_a_done_future_at_once) {
  fibril_future *a = fibril_future_new(loop), *b = fibril_future_new(loop);
  fibril_future_set_error(a, UV_EIO);
  CHECK_INT(fibril_future_chain(a, b), 0);
  CHECK_INT(fibril_error_code(fibril_future_result(b)), UV_EIO);
  fibril_future_unref(a);
  fibril_future_unref(b);
}

LOOP_TEST(chain_leaves_a_done_future_alone) {
  fibril_future *a = fibril_future_new(loop), *b = fibril_future_new(loop);
  CHECK_INT(fibril_future_chain(a, b), 0);
  fibril_future_set_result(b, fibril_number(1));
  fibril_future_set_result(a, fibril_number(2));
  CHECK_INT(fibril_value_integer(fibril_future_result(b)), 1);
  fibril_future_unref(a);
  fibril_future_unref(b);
}

#define CHAIN_LENGTH 100000

/* In a coroutine with the smallest stack: recursion would end it. */
static fibril_value settle_long_chain(void *arg) {
  fibril_future **chain = arg;
  CHECK_INT(fibril_future_set_result(chain[0], fibril_number(7)), 0);
  return fibril_undefined();
}

LOOP_TEST(chain_of_100000_does_not_recurse) {
  fibril_future **chain = malloc((CHAIN_LENGTH + 1) * sizeof *chain);
  if (!CHECK(chain != NULL)) return;
  chain[0] = fibril_future_new(loop);
  for (int i = 0; i < CHAIN_LENGTH; i++) {
    chain[i + 1] = fibril_future_new(loop);
    fibril_future_chain(chain[i], chain[i + 1]);
  }
  CHECK_INT(fibril_loop_run_sync(loop, settle_long_chain, chain, 0, NULL), 0);
  CHECK_INT(fibril_value_integer(fibril_future_result(chain[CHAIN_LENGTH])), 7);
  for (int i = 0; i <= CHAIN_LENGTH; i++) fibril_future_unref(chain[i]);
  free(chain);
}

/* ---- Errors that nobody reads ---- */

typedef struct {
  int count;
  int code;
} log_record;

static void hear(const char *message, fibril_value error, void *arg) {
  log_record *l = arg;
  CHECK(message != NULL && message[0] != '\0');
  l->count++;
  l->code = fibril_error_code(error);
}

LOOP_TEST(log_hears_of_an_error_never_read) {
  log_record l = {0};
  fibril_loop_set_log(loop, hear, &l);
  fibril_future *future = fibril_future_new(loop);
  fibril_future_set_result(future, fibril_error(UV_EPIPE, "lost"));
  fibril_future_unref(future);
  CHECK_INT(l.count, 1);
  CHECK_INT(l.code, UV_EPIPE);
}

LOOP_TEST(log_hears_nothing_of_what_was_cancelled) {
  log_record l = {0};
  fibril_loop_set_log(loop, hear, &l);
  fibril_future *future = fibril_future_new(loop);
  fibril_cancel(future);
  fibril_future_unref(future);
  CHECK_INT(l.count, 0);
}

LOOP_TEST(future_hold_keeps_the_loop_alive_until_it_is_settled) {
  fibril_future *future = fibril_future_new(loop);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  CHECK(!uv_loop_alive(fibril_loop_uv(loop)));
  CHECK_INT(fibril_future_hold(future), 0);
  CHECK_INT(fibril_future_hold(future), 0);
  CHECK(uv_loop_alive(fibril_loop_uv(loop)));
  fibril_future_set_result(future, fibril_undefined());
  CHECK(!uv_loop_alive(fibril_loop_uv(loop)));
  CHECK_INT(fibril_future_hold(future), FIBRIL_EALREADY);
  fibril_future_unref(future);
  future = fibril_future_new(loop);
  fibril_future_hold(future);
  fibril_future_unref(future);
  CHECK(!uv_loop_alive(fibril_loop_uv(loop)));
}

LOOP_TEST(log_hears_nothing_of_errors_that_were_read) {
  log_record l = {0};
  fibril_loop_set_log(loop, hear, &l);
  fibril_future *read = fibril_future_new(loop), *good = fibril_future_new(loop),
                *chained = fibril_future_new(loop);
  fibril_future *end = fibril_future_new(loop);
  fibril_future_set_error(read, UV_EIO);
  fibril_future_result(read);
  fibril_future_set_result(good, fibril_undefined());
  fibril_future_chain(chained, end);
  fibril_future_set_error(chained, UV_EIO);
  fibril_future_unref(read);
  fibril_future_unref(good);
  fibril_future_unref(chained);
  CHECK_INT(l.count, 0);
  fibril_future_unref(end); /* but who got the error through the chain did not read it either */
  CHECK_INT(l.count, 1);
}

static fibril_value fail(void *arg) {
  return fibril_error(UV_EIO, "%s", (const char *)arg);
}

LOOP_TEST(log_hears_of_a_coroutine_that_fails_unseen) {
  log_record l = {0};
  fibril_loop_set_log(loop, hear, &l);
  fibril_future_unref(fibril_loop_spawn(loop, fail, "unseen", NULL));
  CHECK_INT(l.count, 1);
  CHECK_INT(l.code, UV_EIO);
}

static fibril_value fail_later(void *arg) {
  fibril_moment();
  return fail(arg);
}

/* Whether it has ended, waits with others that nobody asks for, or is kept for a report of leaks.
 */
LOOP_TEST(log_hears_nothing_of_what_is_ignored) {
  log_record l = {0};
  fibril_loop_set_log(loop, hear, &l);
  fibril_future *settled = fibril_future_new(loop), *kept = fibril_future_new(loop);
  fibril_future_set_error(settled, UV_EIO);
  fibril_future_ignore(settled);
  fibril_future_ignore(fibril_loop_spawn(loop, fail, "at once", NULL));
  fibril_future_ignore(fibril_loop_spawn(loop, fail_later, "later", NULL));
  fibril_future_ignore(fibril_future_ref(kept));
  fibril_future_ignore(NULL);
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  CHECK_INT(l.count, 0);
  fibril_future_unref(fibril_loop_spawn(loop, fail_later, "later, unseen", NULL));
  uv_run(fibril_loop_uv(loop), UV_RUN_DEFAULT);
  CHECK_INT(l.count, 1);
  fibril_future_set_error(kept, UV_EIO);
  fibril_future_unref(kept);
  CHECK_INT(l.count, 1);
}

/* ---- add_future ---- */

static void stop_loop(void *arg) {
  fibril_loop_stop(arg);
}

LOOP_TEST(add_future_never_calls_inside_set_result) {
  record r = {0};
  noter a = {&r, 'a'}, b = {&r, 'b'};
  fibril_future *pending = fibril_future_new(loop), *done = fibril_future_new(loop);
  fibril_future_set_result(done, fibril_undefined());
  CHECK_INT(fibril_loop_add_future(loop, pending, note_future, &a), 0);
  CHECK_INT(fibril_loop_add_future(loop, done, note_future, &b), 0);
  fibril_future_set_result(pending, fibril_undefined());
  CHECK_STR(r.text, "");
  fibril_future_unref(pending);
  fibril_future_unref(done);
  fibril_loop_add_callback(loop, stop_loop, loop);
  fibril_loop_run(loop);
  CHECK_STR(r.text, "ba");
}

LOOP_TEST(spawn_options_that_are_wrong_give_a_failed_future) {
  const fibril_spawn_options wrong[] = {
      {.size = sizeof wrong[0], .stack_size = 1},
      {.size = sizeof wrong[0], .stack_size = 65 * 1024 * 1024},
      {.size = sizeof wrong[0], .stack_size = SIZE_MAX},
      {.size = 3},
  };
  for (int i = 0; i < 4; i++) {
    fibril_future *future = fibril_loop_spawn(loop, fail, "never", &wrong[i]);
    CHECK_INT(fibril_error_code(fibril_future_result(future)), UV_EINVAL);
    fibril_future_unref(future);
  }
}
