/* Pairs in memory: what they have of their own, and what every kind of stream has, beside the
 * system's. */
#include "pairs.h"

#include "../../src/core/future/generator.h"
#include "../../src/core/scheduler/coroutine.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  fibril_stream *stream;
  size_t length;
} doing;

static fibril_value read_one(void *arg) {
  char byte;
  return fibril_number((double)fibril_stream_read(((doing *)arg)->stream, &byte, 1));
}

static char pattern(size_t at) {
  return (char)(at * 7 >> 3);
}

static fibril_value write_pattern(void *arg) {
  doing self = *(doing *)arg;
  char *data = malloc(self.length);
  for (size_t i = 0; i < self.length; i++) data[i] = pattern(i);
  int err = fibril_stream_write(self.stream, data, self.length);
  free(data);
  return fibril_number(err);
}

static void drain(fibril_stream *stream, size_t length, size_t at_once) {
  char buffer[5000];
  size_t at = 0, wrong = 0;
  while (at < length) {
    int64_t count = fibril_stream_read(stream, buffer, at_once);
    if (!CHECK(count > 0)) break;
    for (int64_t i = 0; i < count; i++) wrong += buffer[i] != pattern(at + (size_t)i);
    at += (size_t)count;
  }
  CHECK_INT(wrong, 0);
  CHECK_INT(at, length);
}

/* ---- What holds for all ---- */

PAIR_TEST(pair_gives_what_was_written_then_the_end) {
  char text[16] = "";
  CHECK_INT(fibril_stream_write(a, "hello", 5), 0);
  CHECK_INT(fibril_stream_written(a), 5);
  CHECK_INT(fibril_stream_shutdown(a), 0);
  CHECK_INT(fibril_stream_shutdown(a), 0);
  CHECK_INT(fibril_stream_write(a, "x", 1), UV_EPIPE);
  CHECK_INT(fibril_stream_read(b, text, 3), 3);
  CHECK_INT(fibril_stream_read(b, text + 3, 13), 2);
  CHECK_STR(text, "hello");
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 0);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 0);
  CHECK_INT(fibril_stream_write(b, "back", 4), 0); /* the other way is open */
  CHECK_INT(fibril_stream_read(a, text, sizeof text), 4);
}

PAIR_TEST(pair_holds_writers_back) {
  doing writing = {a, 5 * 1000 * 1000 + 3};
  fibril_future *future = fibril_spawn(write_pattern, &writing, NULL);
  for (int i = 0; i < 20; i++) fibril_moment();
  CHECK(!fibril_future_done(future));
  CHECK(fibril_stream_written(a) < writing.length);
  drain(b, writing.length, 4999);
  CHECK_INT(outcome_of(future), 0);
  CHECK_INT(fibril_stream_written(a), writing.length);
}

PAIR_TEST(pair_gives_a_cancelled_reader_nothing) {
  doing reading = {a, 0};
  char text[4] = "";
  fibril_future *future = fibril_spawn(read_one, &reading, NULL);
  fibril_moment();
  fibril_cancel(future);
  CHECK_INT(fibril_stream_write(b, "abc", 3), 0);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  CHECK_INT(fibril_stream_read(a, text, 3), 3);
  CHECK_STR(text, "abc");
  fibril_deadline_push(1);
  CHECK_INT(fibril_stream_read(a, text, 3), UV_ETIMEDOUT);
  fibril_deadline_pop();
}

PAIR_TEST(pair_is_broken_by_a_write_that_is_cancelled) {
  doing writing = {a, 20 * 1000 * 1000};
  char byte;
  fibril_future *future = fibril_spawn(write_pattern, &writing, NULL);
  for (int i = 0; i < 5; i++) fibril_moment();
  fibril_cancel(future);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  CHECK(fibril_stream_written(a) > 0);
  CHECK_INT(fibril_stream_write(a, "x", 1), UV_EPIPE);
  CHECK_INT(fibril_stream_shutdown(a), UV_EPIPE);
  CHECK_INT(fibril_stream_write(b, "y", 1), 0);
  CHECK_INT(fibril_stream_read(a, &byte, 1), 1);
  CHECK(byte == 'y');
}

PAIR_TEST(pair_has_one_reader_and_one_writer) {
  doing reading = {a, 0}, writing = {a, 5 * 1000 * 1000};
  char byte;
  fibril_future *reader = fibril_spawn(read_one, &reading, NULL);
  fibril_future *writer = fibril_spawn(write_pattern, &writing, NULL);
  fibril_moment();
  CHECK_INT(fibril_stream_read(a, &byte, 1), UV_EBUSY);
  CHECK_INT(fibril_stream_tryread(a, &byte, 1), UV_EBUSY);
  CHECK_INT(fibril_stream_write(a, "x", 1), UV_EBUSY);
  CHECK_INT(fibril_stream_shutdown(a), UV_EBUSY);
  fibril_stream_ref(a);
  fibril_stream_close(a);
  CHECK_INT(outcome_of(reader), UV_ECANCELED);
  CHECK_INT(outcome_of(writer), UV_ECANCELED);
  CHECK_INT(fibril_stream_read(a, &byte, 1), UV_EBADF);
  CHECK_INT(fibril_stream_write(a, "x", 1), UV_EBADF);
  fibril_stream_unref(a);
}

PAIR_TEST(pair_whose_one_end_is_closed) {
  char text[8];
  CHECK_INT(fibril_stream_write(a, "last", 4), 0);
  fibril_stream_close(a);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 4);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 0);
  int err = 0;
  while (err == 0) {
    err = fibril_stream_write(b, "x", 1);
    if (err == 0) err = fibril_moment();
  }
  CHECK(err == UV_EPIPE || err == UV_ECONNRESET);
}

PAIR_TEST(pair_whose_one_end_is_aborted) {
  char text[8];
  if (!kind->resets) return;
  fibril_stream_abort(a);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), UV_ECONNRESET);
}

PAIR_TEST(pair_reads_what_there_is_without_waiting) {
  char text[8];
  CHECK_INT(fibril_stream_tryread(b, text, sizeof text), UV_EAGAIN);
  CHECK_INT(fibril_stream_write(a, "now", 3), 0);
  int64_t count;
  while ((count = fibril_stream_tryread(b, text, sizeof text)) == UV_EAGAIN) fibril_moment();
  CHECK_INT(count, 3);
  CHECK_INT(fibril_stream_read(b, NULL, 1), UV_EINVAL);
  CHECK_INT(fibril_stream_read(b, text, 0), UV_EINVAL);
  CHECK_INT(fibril_stream_write(b, NULL, 1), UV_EINVAL);
}

/* ---- In memory alone ---- */

static fibril_value use_small_pair(void *arg) {
  fibril_stream *ends[2];
  (void)arg;
  if (!CHECK_INT(fibril_memory_pair(7, ends), 0)) return fibril_undefined();
  for (size_t at_once = 1; at_once < 10; at_once++) {
    doing writing = {ends[0], 100};
    fibril_future *future = fibril_spawn(write_pattern, &writing, NULL);
    fibril_moment();
    CHECK_INT(fibril_stream_written(ends[0]), (at_once - 1) * 100 + 7);
    drain(ends[1], 100, at_once);
    CHECK_INT(outcome_of(future), 0);
  }
  return fibril_undefined();
}

LOOP_TEST(memory_pair_has_the_room_that_was_asked_for) {
  CHECK_INT(fibril_loop_run_sync(loop, use_small_pair, NULL, 0, NULL), 0);
}

/* What has come is given, though the reader was cancelled before it went on. */
MEMORY_TEST(memory_gives_what_came_before_a_cancellation) {
  doing reading = {a, 0};
  fibril_future *future = fibril_spawn(read_one, &reading, NULL);
  fibril_moment();
  CHECK_INT(fibril_stream_write(b, "a", 1), 0);
  fibril_cancel(future);
  CHECK_INT(outcome_of(future), 1);
}

MEMORY_TEST(memory_writer_hears_that_the_reader_has_gone) {
  doing writing = {a, 100 * 1000};
  fibril_future *future = fibril_spawn(write_pattern, &writing, NULL);
  fibril_moment();
  fibril_stream_close(b);
  CHECK_INT(outcome_of(future), UV_EPIPE);
  CHECK_INT(fibril_stream_written(a), 64 * 1024);
}

MEMORY_TEST(memory_writer_hears_of_a_reset) {
  doing writing = {a, 100 * 1000};
  char byte;
  fibril_future *future = fibril_spawn(write_pattern, &writing, NULL);
  fibril_moment();
  fibril_stream_abort(b);
  CHECK_INT(outcome_of(future), UV_ECONNRESET);
  CHECK_INT(fibril_stream_read(a, &byte, 1), UV_ECONNRESET);
}

MEMORY_TEST(memory_reset_comes_after_the_bytes_before_it) {
  char text[8];
  fibril_stream_write(a, "last", 4);
  fibril_stream_abort(a);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), 4);
  CHECK_INT(fibril_stream_read(b, text, sizeof text), UV_ECONNRESET);
  CHECK_INT(fibril_stream_tryread(b, text, sizeof text), UV_ECONNRESET);
}

/* Room has come, but the writer closes its end before it goes on. */
MEMORY_TEST(memory_end_that_is_closed_writes_no_more) {
  doing writing = {a, 100 * 1000};
  char text[100];
  fibril_future *future = fibril_spawn(write_pattern, &writing, NULL);
  fibril_moment();
  fibril_stream_read(b, text, sizeof text);
  fibril_stream_close(a);
  CHECK_INT(outcome_of(future), UV_EBADF);
  size_t left = 0;
  int64_t count;
  while ((count = fibril_stream_read(b, text, sizeof text)) > 0) left += (size_t)count;
  CHECK_INT(count, 0);
  CHECK_INT(left, 64 * 1024 - sizeof text);
}

MEMORY_TEST(memory_has_no_address_and_no_descriptor) {
  char text[8];
  fibril_socket fd;
  fibril_value rest;
  CHECK_INT(fibril_stream_peer(a, text, sizeof text), UV_ENOTSUP);
  CHECK_INT(fibril_stream_address(a, text, sizeof text), UV_ENOTSUP);
  CHECK_INT(fibril_stream_release(a, &fd, &rest), UV_ENOTSUP);
}

static fibril_value end_with_pair(void *arg) {
  (void)arg;
  fibril_stream *ends[2];
  return fibril_number(fibril_memory_pair(0, ends));
}

/* One end is its own, the other one was detached by who got it. */
MEMORY_TEST(memory_ends_have_owners_of_their_own) {
  char byte;
  CHECK_INT(outcome_of(fibril_spawn(end_with_pair, NULL, NULL)), 0);
  fibril_stream_detach(a);
  fibril_stream_ref(a);
  fibril_stream_close(b);
  CHECK_INT(fibril_stream_read(a, &byte, 1), 0);
  fibril_stream_close(a);
  fibril_stream_unref(a);
}

/* ---- Where nothing can wait ---- */

static fibril_value tryread_cancelled(void *arg) {
  doing *self = arg;
  char byte;
  fibril_suspend();
  return fibril_number((double)fibril_stream_tryread(self->stream, &byte, 1));
}

static fibril_value tryread_in_generator(fibril_generator *generator, void *stream) {
  char byte;
  (void)generator;
  CHECK_INT(fibril_stream_tryread(stream, &byte, 1), FIBRIL_ESYNC);
  return fibril_undefined();
}

MEMORY_TEST(memory_tryread_is_refused_like_a_wait) {
  doing reading = {a, 0};
  fibril_future *future = fibril_spawn(tryread_cancelled, &reading, NULL);
  fibril_cancel(future);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
}

static fibril_value keep_stream(void *out) {
  fibril_stream *ends[2];
  if (!CHECK_INT(fibril_memory_pair(0, ends), 0)) return fibril_undefined();
  fibril_stream_detach(ends[0]);
  *(fibril_stream **)out = ends[0];
  return fibril_undefined();
}

LOOP_TEST(memory_tryread_outside_of_coroutines) {
  fibril_stream *stream = NULL;
  char byte;
  fibril_loop_run_sync(loop, keep_stream, &stream, 0, NULL);
  CHECK_INT(fibril_stream_tryread(stream, &byte, 1), FIBRIL_ENOTCOROUTINE);
  fibril_generator *generator = fibril_generator_new(loop, tryread_in_generator, stream, NULL);
  generator->coroutine->generating |= FIBRIL__SYNCHRONOUS;
  CHECK_INT(fibril_generator_next(generator, NULL), FIBRIL_DONE);
  fibril_generator_unref(generator);
  fibril_stream_close(stream);
}

LOOP_TEST(memory_pair_outside_of_coroutines) {
  fibril_stream *ends[2];
  (void)loop;
  CHECK_INT(fibril_memory_pair(0, NULL), UV_EINVAL);
  CHECK_INT(fibril_memory_pair(0, ends), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_memory_pair(SIZE_MAX, ends), UV_ENOMEM);
}
