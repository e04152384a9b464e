/* Whole streams: copied one way, both ways, read to their end. */
#include "pairs.h"

#include "../../src/core/scheduler/coroutine.h"

#include <stdlib.h>
#include <string.h>

static void put(fibril_stream *stream, const char *text) {
  CHECK_INT(fibril_stream_write(stream, text, strlen(text)), 0);
}

static void check_text(fibril_stream *stream, const char *expected) {
  char text[32] = "";
  fibril_reader reader;
  fibril_reader_init(&reader, stream, 0);
  CHECK_INT(fibril_reader_exact(&reader, text, strlen(expected)), 0);
  CHECK_STR(text, expected);
  fibril_reader_free(&reader);
}

static void check_end(fibril_stream *stream) {
  char byte;
  CHECK_INT(fibril_stream_read(stream, &byte, 1), 0);
}

typedef struct {
  fibril_stream *from, *to;
} copying;

static fibril_value copy(void *arg) {
  const copying *self = arg;
  return fibril_number((double)fibril_stream_copy(self->from, self->to));
}

static fibril_value copy_both(void *arg) {
  const copying *self = arg;
  int err = fibril_stream_copy_both(self->from, self->to);
  CHECK(fibril__self()->deferred == NULL); /* it keeps nothing until the coroutine's end */
  return fibril_number(err);
}

static fibril_value write_much(void *arg) {
  char *data = calloc(1, 1000 * 1000);
  int err = fibril_stream_write(arg, data, 1000 * 1000);
  free(data);
  return fibril_number(err == 0 ? fibril_stream_shutdown(arg) : err);
}

/* Every test has a second pair: what is written to `a` goes through `b` and `c` to `d`. */
static bool make_second(const pair_kind *kind, fibril_stream **c, fibril_stream **d) {
  fibril_stream *ends[2];
  if (!CHECK_INT(kind->make(ends), 0)) return false;
  *c = ends[0];
  *d = ends[1];
  return true;
}

/* ---- One way ---- */

PAIR_TEST(copy_takes_all_up_to_the_end) {
  fibril_stream *c, *d;
  if (!make_second(kind, &c, &d)) return;
  copying all = {b, c};
  fibril_future *future = fibril_spawn(copy, &all, NULL);
  put(a, "one ");
  check_text(d, "one ");
  put(a, "two");
  fibril_stream_shutdown(a);
  CHECK_INT(outcome_of(future), 7);
  check_text(d, "two");
  CHECK_INT(fibril_stream_write(c, "more", 4), 0); /* it is still open */
}

PAIR_TEST(copy_takes_much) {
  fibril_stream *c, *d;
  if (!make_second(kind, &c, &d)) return;
  copying there = {b, c};
  fibril_future *writer = fibril_spawn(write_much, a, NULL);
  fibril_future *copier = fibril_spawn(copy, &there, NULL);
  char *buffer = malloc(10007);
  size_t left = 1000 * 1000;
  while (left > 0) {
    int64_t count = fibril_stream_read(d, buffer, 10007);
    if (!CHECK(count > 0)) break;
    left -= (size_t)count;
  }
  free(buffer);
  CHECK_INT(outcome_of(writer), 0);
  CHECK_INT(outcome_of(copier), 1000 * 1000);
}

MEMORY_TEST(copy_ends_with_the_error_of_either_side) {
  fibril_stream *c, *d;
  if (!make_second(kind, &c, &d)) return;
  put(a, "unwritten");
  fibril_stream_close(d);
  CHECK_INT(fibril_stream_copy(b, c), UV_EPIPE);
  fibril_stream_abort(a);
  CHECK_INT(fibril_stream_copy(b, c), UV_ECONNRESET);
  fibril_stream_ref(c);
  fibril_stream_close(c);
  CHECK_INT(fibril_stream_copy(b, c), UV_EBADF);
  CHECK_INT(fibril_stream_copy(c, b), UV_EBADF);
  fibril_stream_unref(c);
}

MEMORY_TEST(copy_is_cancelled) {
  fibril_stream *c, *d;
  if (!make_second(kind, &c, &d)) return;
  copying both = {b, c};
  fibril_future *future = fibril_spawn(copy, &both, NULL);
  fibril_moment();
  CHECK_INT(fibril_stream_copy(b, c), UV_EBUSY);
  fibril_cancel(future);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  put(a, "kept");
  check_text(b, "kept");
}

/* ---- Both ways ---- */

PAIR_TEST(copy_both_hands_half_closes_on) {
  fibril_stream *c, *d;
  if (!make_second(kind, &c, &d)) return;
  copying both = {b, c};
  fibril_future *future = fibril_spawn(copy_both, &both, NULL);
  put(a, "question");
  fibril_stream_shutdown(a);
  check_text(d, "question");
  check_end(d);
  for (int i = 0; i < 20; i++) fibril_moment();
  CHECK(!fibril_future_done(future));
  put(d, "answer");
  check_text(a, "answer");
  fibril_stream_shutdown(d);
  check_end(a);
  CHECK_INT(outcome_of(future), 0);
}

MEMORY_TEST(copy_both_ends_at_once_with_an_error) {
  for (int side = 0; side < 2; side++) {
    fibril_stream *ends[2], *c, *d;
    if (!CHECK_INT(kind->make(ends), 0) || !make_second(kind, &c, &d)) return;
    copying both = {ends[1], c};
    fibril_future *future = fibril_spawn(copy_both, &both, NULL);
    fibril_moment();
    fibril_stream_abort(side == 0 ? ends[0] : d);
    CHECK_INT(outcome_of(future), UV_ECONNRESET);
  }
}

/* A side that only reads must not be waited for. */
MEMORY_TEST(copy_both_ends_when_the_writing_fails) {
  fibril_stream *c, *d;
  if (!make_second(kind, &c, &d)) return;
  copying both = {b, c};
  fibril_future *future = fibril_spawn(copy_both, &both, NULL);
  fibril_stream_shutdown(d);
  for (int i = 0; i < 5; i++) fibril_moment();
  CHECK(!fibril_future_done(future));
  fibril_stream_close(d);
  put(a, "for nobody");
  CHECK_INT(outcome_of(future), UV_EPIPE);
}

MEMORY_TEST(copy_both_is_cancelled) {
  fibril_stream *c, *d;
  if (!make_second(kind, &c, &d)) return;
  copying both = {b, c};
  fibril_future *future = fibril_spawn(copy_both, &both, NULL);
  fibril_moment();
  fibril_moment();
  CHECK_INT(fibril_stream_copy_both(b, c), UV_EBUSY);
  fibril_cancel(future);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  fibril_deadline_push(1);
  CHECK_INT(fibril_stream_copy_both(b, c), UV_ETIMEDOUT);
  CHECK_INT(fibril_stream_copy(b, c), UV_ETIMEDOUT);
  fibril_deadline_pop();
  put(a, "kept");
  check_text(b, "kept");
  put(d, "as well");
  check_text(c, "as well");
}

MEMORY_TEST(copy_both_hears_that_a_side_is_closed) {
  fibril_stream *c, *d;
  if (!make_second(kind, &c, &d)) return;
  copying both = {b, c};
  fibril_future *future = fibril_spawn(copy_both, &both, NULL);
  fibril_moment();
  fibril_moment();
  fibril_stream_close(c);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  fibril_stream_ref(d);
  fibril_stream_close(d);
  CHECK_INT(fibril_stream_copy_both(b, d), UV_EBADF);
  fibril_stream_unref(d);
}

/* ---- To nowhere ---- */

static fibril_value linger(void *stream) {
  return fibril_number(fibril_stream_linger(stream));
}

PAIR_TEST(linger_ends_when_the_peer_has_ended) {
  fibril_future *future = fibril_spawn(linger, b, NULL);
  check_end(a);
  put(a, "nobody reads this");
  for (int i = 0; i < 20; i++) fibril_moment();
  CHECK(!fibril_future_done(future));
  fibril_stream_shutdown(a);
  CHECK_INT(outcome_of(future), 0);
  CHECK_INT(fibril_stream_linger(b), 0);
}

/* Input that nobody has read would make the close a reset, which overtakes the answer. */
PAIR_TEST(linger_keeps_the_close_from_being_a_reset) {
  put(a, "much that nobody reads");
  put(b, "answer");
  fibril_future *future = fibril_spawn(linger, b, NULL);
  fibril_moment();
  fibril_stream_shutdown(a);
  CHECK_INT(outcome_of(future), 0);
  fibril_stream_close(b);
  check_text(a, "answer");
  check_end(a);
}

PAIR_TEST(linger_has_its_limits) {
  CHECK_INT(fibril_stream_shutdown(b), 0);
  fibril_deadline_push(1);
  CHECK_INT(fibril_stream_linger(b), UV_ETIMEDOUT);
  fibril_deadline_pop();
  fibril_future *future = fibril_spawn(linger, b, NULL);
  fibril_moment();
  CHECK_INT(fibril_stream_linger(b), UV_EBUSY);
  fibril_cancel(future);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  fibril_stream_ref(b);
  fibril_stream_close(b);
  CHECK_INT(fibril_stream_linger(b), UV_EBADF);
  fibril_stream_unref(b);
}

MEMORY_TEST(linger_hears_of_a_reset) {
  fibril_future *future = fibril_spawn(linger, b, NULL);
  fibril_moment();
  fibril_stream_abort(a);
  CHECK_INT(outcome_of(future), UV_ECONNRESET);
}

static fibril_value keep_stream(void *arg) {
  fibril_stream *ends[2];
  if (!CHECK_INT(fibril_memory_pair(0, ends), 0)) return fibril_undefined();
  fibril_stream_detach(ends[0]);
  *(fibril_stream **)arg = ends[0];
  return fibril_undefined();
}

LOOP_TEST(copying_outside_of_coroutines) {
  fibril_stream *stream = NULL;
  fibril_loop_run_sync(loop, keep_stream, &stream, 0, NULL);
  CHECK_INT(fibril_stream_copy(stream, stream), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_stream_copy_both(stream, stream), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_stream_linger(stream), FIBRIL_ENOTCOROUTINE);
  fibril_stream_close(stream);
}
