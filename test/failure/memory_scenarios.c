/* Pairs in memory, and what is written over streams alone, with failing calls. */
#include "scenario.h"
#include "../c/nothing.h"

#include <stdlib.h>
#include <string.h>

static bool make_pair(fibril_stream *ends[2]) {
  return OK(fibril_memory_pair(64 * 1024, ends));
}

/* ---- Readers and writers ---- */

/* What a call that failed has taken is nothing: it can be made again. */
#define TWICE(call) (OK(call) || OK(call))

static void read_rest(fibril_reader *reader) {
  const char *data;
  char four[4];
  fibril_value all;
  int64_t length = 0;
  if (!TWICE(length = fibril_reader_peek(reader, 2000, &data))) return;
  MUST(length >= 2000 && data[1999] == 'x');
  MUST(fibril_reader_exact(reader, four, 4) == 0 && memcmp(four, "xxxx", 4) == 0);
  if (!TWICE(fibril_reader_all(reader, &all))) return;
  size_t left = 0;
  MUST(fibril_value_buffer(all, &left) != NULL && left == 5000 - 4);
}

static fibril_value read_all(void *stream) {
  static char large[5000];
  fibril_reader reader;
  const char *line;
  int64_t length = 0;
  fibril_reader_init(&reader, stream, 0);
  if (!TWICE(length = fibril_reader_line(&reader, &line))) return fibril_undefined();
  MUST(length == 5 && strcmp(line, "first") == 0);
  if (!TWICE(fibril_reader_exact(&reader, large, sizeof large))) return fibril_undefined();
  MUST(large[0] == 'x' && memcmp(large, large + 1, sizeof large - 1) == 0);
  read_rest(&reader);
  return fibril_undefined();
}

/* Some of it is collected, some does not fit. */
static bool write_all(fibril_stream *stream) {
  static char text[5001];
  fibril_writer writer;
  fibril_writer_init(&writer, stream, 4000);
  memset(text, 'x', sizeof text - 1);
  if (!TWICE(fibril_writer_write(&writer, "first", 5))) return false;
  bool written = TWICE(fibril_writer_printf(&writer, "%s", "\n")) &&
                 TWICE(fibril_writer_printf(&writer, "%s", text));
  for (int i = 0; i < 5 && written; i++) written = TWICE(fibril_writer_write(&writer, text, 1000));
  written = TWICE(fibril_writer_flush(&writer)) && written;
  fibril_writer_free(&writer);
  return written && OK(fibril_stream_shutdown(stream));
}

static fibril_value write_and_read(void *arg) {
  fibril_stream *ends[2];
  (void)arg;
  if (!make_pair(ends)) return fibril_undefined();
  return write_all(ends[0]) ? read_all(ends[1]) : fibril_undefined();
}

SCENARIO(readers_and_writers) {
  scenario_run(loop, write_and_read, NULL);
}

static void ignore(const char *message, fibril_value error, void *arg) {
  (void)message;
  OK_VALUE(fibril_error_code(error) == UV_ECANCELED ? fibril_undefined() : error);
  *(int *)arg += 1;
}

/* The log hears of it, at the least of the lack of memory for the words. */
static fibril_value leave_unflushed(void *arg) {
  fibril_stream *ends[2];
  fibril_writer writer;
  int told = 0;
  (void)arg;
  if (!make_pair(ends)) return fibril_undefined();
  fibril_writer_init(&writer, ends[0], 0);
  bool written = OK(fibril_writer_write(&writer, "lost", 4));
  fibril_loop_set_log(fibril_loop_current(), ignore, &told);
  fibril_writer_free(&writer);
  fibril_loop_set_log(fibril_loop_current(), NULL, NULL);
  MUST(told == written);
  return fibril_undefined();
}

SCENARIO(writer_that_is_not_flushed) {
  scenario_run(loop, leave_unflushed, NULL);
}

/* ---- Copying ---- */

static fibril_value copy_one_way(void *arg) {
  fibril_stream *a[2], *b[2];
  (void)arg;
  if (!make_pair(a) || !make_pair(b)) return fibril_undefined();
  OK(fibril_stream_write(a[0], "hello", 5));
  OK(fibril_stream_shutdown(a[0]));
  int64_t count = fibril_stream_copy(a[1], b[0]);
  if (OK(count)) MUST(count == 5);
  return fibril_undefined();
}

SCENARIO(copy_one_way) {
  scenario_run(loop, copy_one_way, NULL);
}

static fibril_value copy_both_ways(void *arg) {
  fibril_stream *a[2], *b[2];
  (void)arg;
  if (!make_pair(a) || !make_pair(b)) return fibril_undefined();
  OK(fibril_stream_shutdown(a[0]));
  OK(fibril_stream_shutdown(b[1]));
  OK(fibril_stream_copy_both(a[1], b[0]));
  OK(fibril_stream_linger(a[1]));
  return fibril_undefined();
}

SCENARIO(copy_both_ways) {
  scenario_run(loop, copy_both_ways, NULL);
}

/* ---- Streams of others ---- */

static int64_t read_zeros(void *self, void *buffer, size_t length) {
  (void)self;
  memset(buffer, 0, length);
  return (int64_t)length;
}

static const fibril_stream_type zeros = {.size = sizeof zeros,
                                         .name = "zeros",
                                         .read = read_zeros,
                                         .write = write_nothing,
                                         .shutdown = shut_nothing,
                                         .close = close_nothing};

static fibril_value wrap_nothing(void *arg) {
  fibril_stream *stream;
  char byte;
  (void)arg;
  if (OK(fibril_stream_wrap(&zeros, NULL, &stream))) OK(fibril_stream_read(stream, &byte, 1));
  return fibril_undefined();
}

SCENARIO(streams_of_others) {
  scenario_run(loop, wrap_nothing, NULL);
}
