/* Writers: what is collected goes out together, and nothing goes silently. */
#include "pairs.h"

#include "../../src/core/switch/macros.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static char received[70000];

/* What is there to be read, without waiting, as a string. */
static const char *arrived(fibril_stream *stream) {
  int64_t count = fibril_stream_tryread(stream, received, sizeof received - 1);
  received[count > 0 ? count : 0] = '\0';
  return received;
}

/* ---- Collecting ---- */

MEMORY_TEST(writer_collects_until_it_is_flushed) {
  fibril_writer writer;
  CHECK_INT(fibril_writer_init(&writer, a, 0), 0);
  CHECK_INT(fibril_writer_flush(&writer), 0);
  CHECK_INT(fibril_writer_write(&writer, NULL, 0), 0);
  CHECK_INT(fibril_writer_write(&writer, "one ", 4), 0);
  CHECK_INT(fibril_writer_printf(&writer, "%d %s", 2, "three"), 0);
  CHECK_INT(fibril_writer_printf(&writer, "%s", ""), 0);
  CHECK_STR(arrived(b), "");
  CHECK_INT(fibril_writer_flush(&writer), 0);
  CHECK_STR(arrived(b), "one 2 three");
  CHECK_INT(fibril_writer_flush(&writer), 0);
  CHECK_INT(fibril_writer_write(&writer, "four", 4), 0);
  CHECK_INT(fibril_writer_flush(&writer), 0);
  CHECK_STR(arrived(b), "four");
  fibril_writer_free(&writer);
}

MEMORY_TEST(writer_writes_what_does_not_fit) {
  fibril_writer writer;
  CHECK_INT(fibril_writer_init(&writer, a, 8), 0);
  CHECK_INT(fibril_writer_write(&writer, "123456789", 9), 0); /* more than all of it */
  CHECK_STR(arrived(b), "123456789");
  CHECK_INT(fibril_writer_write(&writer, "12345678", 8), 0);
  CHECK_STR(arrived(b), "");
  CHECK_INT(fibril_writer_write(&writer, "9", 1), 0);
  CHECK_STR(arrived(b), "123456789");
  CHECK_INT(fibril_writer_printf(&writer, "%s", "12345678"), 0); /* its NUL needs no room */
  CHECK_STR(arrived(b), "");
  CHECK_INT(fibril_writer_printf(&writer, "%d", 9), 0);
  CHECK_STR(arrived(b), "123456789");
  CHECK_INT(fibril_writer_printf(&writer, "%s-%d", "a longer text", 1), 0);
  CHECK_STR(arrived(b), "a longer text-1");
}

PAIR_TEST(writer_writes_all_in_its_order) {
  enum { NUMBERS = 2000 };
  fibril_writer writer;
  fibril_reader reader;
  const char *line;
  int wrong = 0;
  fibril_writer_init(&writer, a, 0);
  fibril_reader_init(&reader, b, 0);
  for (int i = 0; i < NUMBERS; i++) CHECK_INT(fibril_writer_printf(&writer, "%d\n", i), 0);
  CHECK_INT(fibril_writer_flush(&writer), 0);
  for (int i = 0; i < NUMBERS; i++)
    wrong += fibril_reader_line(&reader, &line) <= 0 || atoi(line) != i;
  CHECK_INT(wrong, 0);
}

/* ---- Errors ---- */

typedef struct {
  fibril_writer *writer;
  fibril_stream *stream;
  size_t length;
} writing;

static fibril_value write_much(void *arg) {
  writing self = *(writing *)arg;
  char *data = calloc(1, self.length);
  int err = fibril_writer_write(self.writer, data, self.length);
  free(data);
  return fibril_number(err);
}

static void fail_on_log(const char *message, fibril_value error, void *arg) {
  (void)arg;
  FAIL("%s: %s", message, fibril_error_message(error));
}

/* What it had is told by the error, and not once more by the log. */
MEMORY_TEST(writer_whose_stream_breaks_has_nothing_left) {
  fibril_writer writer;
  writing much = {&writer, a, 100 * 1000};
  fibril_writer_init(&writer, a, 0);
  fibril_loop_set_log(fibril_loop_current(), fail_on_log, NULL);
  CHECK_INT(fibril_writer_write(&writer, "first", 5), 0);
  fibril_future *future = fibril_spawn(write_much, &much, NULL);
  fibril_moment();
  fibril_cancel(future);
  CHECK_INT(outcome_of(future), UV_ECANCELED);
  CHECK_INT(fibril_writer_write(&writer, "x", 1), UV_EPIPE);
  CHECK_INT(fibril_writer_printf(&writer, "x"), UV_EPIPE);
  CHECK_INT(fibril_writer_flush(&writer), UV_EPIPE);
  fibril_writer_free(&writer);
}

MEMORY_TEST(writer_whose_peer_has_gone) {
  fibril_writer writer;
  fibril_writer_init(&writer, a, 0);
  fibril_loop_set_log(fibril_loop_current(), fail_on_log, NULL);
  fibril_stream_close(b);
  CHECK_INT(fibril_writer_write(&writer, "unread", 6), 0);
  CHECK_INT(fibril_writer_flush(&writer), UV_EPIPE);
  CHECK_INT(fibril_writer_write(&writer, "x", 1), UV_EPIPE);
}

typedef struct {
  fibril_writer *writer;
  fibril_future *self;
} cancelling;

static fibril_value flush_when_cancelled(void *arg) {
  const cancelling *self = arg;
  fibril_moment();
  fibril_cancel(self->self);
  CHECK_INT(fibril_writer_write(self->writer, "x", 1), UV_ECANCELED);
  return fibril_number(fibril_writer_flush(self->writer));
}

/* Of an error that comes before the writing, nothing is lost. */
MEMORY_TEST(writer_that_may_not_write_keeps_what_it_has) {
  fibril_writer writer;
  writing much = {&writer, a, 100 * 1000}, direct = much;
  cancelling one = {&writer, NULL};
  fibril_writer_init(&writer, a, 0);
  CHECK_INT(fibril_writer_write(&writer, "kept", 4), 0);
  one.self = fibril_spawn(flush_when_cancelled, &one, NULL);
  CHECK_INT(outcome_of(one.self), UV_ECANCELED);
  fibril_deadline_push(0);
  CHECK_INT(fibril_writer_flush(&writer), UV_ETIMEDOUT);
  fibril_deadline_pop();
  fibril_writer other;
  fibril_writer_init(&other, a, 0);
  direct.writer = &other;
  fibril_future *future = fibril_spawn(write_much, &direct, NULL); /* past the writer */
  fibril_moment();
  CHECK_INT(fibril_writer_flush(&writer), UV_EBUSY);
  for (size_t left = direct.length; left > 0;)
    left -= (size_t)fibril_stream_read(b, received, left < 50000 ? left : 50000);
  CHECK_INT(outcome_of(future), 0);
  CHECK_INT(fibril_writer_flush(&writer), 0);
  CHECK_STR(arrived(b), "kept");
}

MEMORY_TEST(writer_is_for_one_at_a_time) {
  fibril_writer writer;
  writing much = {&writer, a, 100 * 1000};
  fibril_writer_init(&writer, a, 0);
  CHECK_INT(fibril_writer_write(&writer, "first", 5), 0);
  fibril_future *future = fibril_spawn(write_much, &much, NULL);
  fibril_moment();
  CHECK_INT(fibril_writer_write(&writer, "x", 1), UV_EBUSY);
  CHECK_INT(fibril_writer_printf(&writer, "x"), UV_EBUSY);
  CHECK_INT(fibril_writer_flush(&writer), UV_EBUSY);
  fibril_stream_close(b);
  CHECK_INT(outcome_of(future), UV_EPIPE);
}

MEMORY_TEST(writer_of_a_stream_that_is_shut_or_closed) {
  fibril_writer writer;
  fibril_writer_init(&writer, a, 0);
  fibril_stream_shutdown(a);
  CHECK_INT(fibril_writer_write(&writer, "x", 1), UV_EPIPE);
  fibril_stream_ref(a);
  fibril_stream_close(a);
  CHECK_INT(fibril_writer_write(&writer, "x", 1), UV_EBADF);
  CHECK_INT(fibril_writer_printf(&writer, "x"), UV_EBADF);
  CHECK_INT(fibril_writer_flush(&writer), UV_EBADF);
  fibril_writer_free(&writer);
  fibril_stream_unref(a);
}

MEMORY_TEST(writer_refuses_bad_arguments) {
  fibril_writer writer;
  static const wchar_t unspeakable[] = {0x110000, 0};
  CHECK_INT(fibril_writer_init(NULL, a, 0), UV_EINVAL);
  CHECK_INT(fibril_writer_init(&writer, NULL, 0), UV_EINVAL);
  fibril_writer_init(&writer, a, 0);
  CHECK_INT(fibril_writer_write(&writer, NULL, 1), UV_EINVAL);
  CHECK_INT(fibril_writer_write(NULL, "x", 1), UV_EINVAL);
  CHECK_INT(fibril_writer_flush(NULL), UV_EINVAL);
  CHECK_INT(fibril_writer_printf(NULL, "x"), UV_EINVAL);
  CHECK_INT(fibril_writer_printf(&writer, "%ls", unspeakable), UV_EINVAL);
  CHECK_INT(fibril_writer_flush(&writer), 0);
  CHECK_STR(arrived(b), "");
}

/* ---- Whose it is ---- */

typedef struct {
  char text[200];
  int lines;
} heard;

static void note(const char *message, fibril_value error, void *arg) {
  heard *log = arg;
  log->lines++;
  snprintf(log->text, sizeof log->text, "%s: %s", message, fibril_error_message(error));
  CHECK_INT(fibril_error_code(error), UV_ECANCELED);
}

static fibril_value leave_unflushed(void *stream) {
  fibril_writer writer;
  fibril_writer_init(&writer, stream, 0);
  CHECK_INT(fibril_writer_write(&writer, "lost", 4), 0);
  return fibril_undefined();
}

MEMORY_TEST(writer_that_goes_unflushed_is_told_to_the_log) {
  heard log = {.lines = 0};
  fibril_writer writer;
  fibril_loop_set_log(fibril_loop_current(), note, &log);
  CHECK_INT(outcome_of(fibril_spawn(leave_unflushed, a, NULL)), 0);
  CHECK_STR(log.text, "a writer has gone that was not flushed: 4 bytes dropped");
  CHECK_INT(log.lines, 1);
  fibril_writer_init(&writer, a, 0);
  fibril_writer_write(&writer, "lost, too", 9);
  fibril_writer_free(&writer);
  fibril_writer_free(&writer);
  CHECK_INT(log.lines, 2);
  CHECK_STR(log.text, "a writer has gone that was not flushed: 9 bytes dropped");
  CHECK_STR(arrived(b), "");
  fibril_loop_set_log(fibril_loop_current(), NULL, NULL);
}

MEMORY_TEST(writer_that_is_freed_while_somebody_waits) {
  fibril_writer writer;
  writing much = {&writer, a, 100 * 1000};
  fibril_loop_set_log(fibril_loop_current(), fail_on_log, NULL);
  fibril_writer_init(&writer, a, 0);
  CHECK_INT(fibril_writer_write(&writer, "first", 5), 0);
  fibril_future *future = fibril_spawn(write_much, &much, NULL);
  fibril_moment();
  fibril_writer_free(&writer);
  memset(&writer, 0x5a, sizeof writer);
  for (size_t left = much.length + 5; left > 0;)
    left -= (size_t)fibril_stream_read(b, received, left < 50000 ? left : 50000);
  CHECK_INT(outcome_of(future), UV_EBADF);
}

static fibril_value begin_and_detach(void *arg) {
  const writing *self = arg;
  fibril_writer_init(self->writer, self->stream, 0);
  int err = fibril_writer_write(self->writer, "kept ", 5);
  fibril_writer_detach(self->writer);
  return fibril_number(err);
}

MEMORY_TEST(writer_that_is_detached_outlives_its_coroutine) {
  fibril_writer writer;
  writing one = {&writer, a, 0};
  CHECK_INT(outcome_of(fibril_spawn(begin_and_detach, &one, NULL)), 0);
  CHECK_INT(fibril_writer_printf(&writer, "on"), 0);
  CHECK_INT(fibril_writer_flush(&writer), 0);
  CHECK_STR(arrived(b), "kept on");
  fibril_writer_free(&writer);
}

static fibril_value begin_writer(void *arg) {
  writing *self = arg;
  fibril_stream *ends[2];
  if (!CHECK_INT(fibril_memory_pair(0, ends), 0)) return fibril_undefined();
  fibril_stream_detach(ends[0]);
  self->stream = ends[0];
  fibril_writer_init(self->writer, ends[0], 0);
  fibril_writer_write(self->writer, "x", 1);
  fibril_writer_detach(self->writer);
  return fibril_undefined();
}

/* Where no loop runs that could be told, the bytes go without a word. */
LOOP_TEST(writer_outside_of_coroutines) {
  fibril_writer writer = {{0}};
  writing one = {&writer, NULL, 0};
  fibril_writer_free(&writer);
  CHECK_INT(fibril_loop_run_sync(loop, begin_writer, &one, 0, NULL), 0);
  CHECK_INT(fibril_writer_write(&writer, "x", 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_writer_printf(&writer, "x"), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_writer_flush(&writer), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_writer_init(&writer, one.stream, 0), FIBRIL_ENOTCOROUTINE);
  fibril_writer_free(&writer);
  fibril_stream_close(one.stream);
}

/* ---- Structs that are none ---- */

static fibril_value write_with_a_reader(void *arg) {
  fibril_stream *ends[2];
  union {
    fibril_reader reader;
    fibril_writer writer;
  } both;
  (void)arg;
  fibril_memory_pair(0, ends);
  fibril_reader_init(&both.reader, ends[0], 0);
  return fibril_number(fibril_writer_write(&both.writer, "x", 1));
}

#if FIBRIL_DEBUG

CRASH_TEST(writer_that_is_a_reader, "SIGABRT",
           "fibril_writer_write was called on a writer that was not initialised here") {
  fibril_loop_run_sync(loop, write_with_a_reader, NULL, 0, NULL);
}

#else

LOOP_TEST(writer_that_is_none_is_refused) {
  fibril_value result = fibril_undefined();
  fibril_loop_run_sync(loop, write_with_a_reader, NULL, 0, &result);
  CHECK_INT(fibril_value_number(result), UV_EINVAL);
}

#endif
