/* Readers: pieces of a stream, whatever pieces it comes in. */
#include "pairs.h"

#include "../../src/core/switch/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes a text a byte at a time, then shuts the stream down. */
typedef struct {
  fibril_stream *stream;
  const char *text;
  size_t length;
} dripping;

static fibril_value drip(void *arg) {
  dripping self = *(dripping *)arg;
  int err = 0;
  for (size_t i = 0; i < self.length && err == 0; i++) {
    err = fibril_stream_write(self.stream, self.text + i, 1);
    if (err == 0) err = fibril_moment();
  }
  return fibril_number(err == 0 ? fibril_stream_shutdown(self.stream) : err);
}

#define DRIP(stream, text)                           \
  dripping drops = {stream, text, sizeof(text) - 1}; \
  fibril_future *dripper = fibril_spawn(drip, &drops, NULL)

static void put(fibril_stream *stream, const char *text) {
  CHECK_INT(fibril_stream_write(stream, text, strlen(text)), 0);
}

#define CHECK_LINE(reader, text)                                    \
  do {                                                              \
    const char *line = NULL;                                        \
    CHECK_INT(fibril_reader_line(reader, &line), sizeof(text) - 1); \
    CHECK_STR(line, text);                                          \
  } while (0)

#define CHECK_LINE_FAILS(reader, code)                  \
  do {                                                  \
    const char *line;                                   \
    CHECK_INT(fibril_reader_line(reader, &line), code); \
  } while (0)

/* What is left, up to the end. */
#define CHECK_REST(reader, text)                                                  \
  do {                                                                            \
    fibril_value rest = fibril_undefined();                                       \
    size_t length = 0;                                                            \
    CHECK_INT(fibril_reader_all(reader, &rest), 0);                               \
    const char *bytes = fibril_value_buffer(rest, &length);                       \
    if (CHECK_INT(length, sizeof(text) - 1)) CHECK(!memcmp(bytes, text, length)); \
  } while (0)

/* ---- Lines and pieces ---- */

static const char lines[] = "one\n\r\n\ntwo\r\nthree\rthree\nno end";

static void check_lines(fibril_stream *stream) {
  fibril_reader reader;
  const char *left;
  fibril_reader_init(&reader, stream, 0);
  CHECK_LINE(&reader, "one");
  CHECK_LINE(&reader, "");
  CHECK_LINE(&reader, "");
  CHECK_LINE(&reader, "two");
  CHECK_LINE(&reader, "three\rthree");
  CHECK_LINE_FAILS(&reader, UV_EOF);
  CHECK_LINE_FAILS(&reader, UV_EOF);
  CHECK_INT(fibril_reader_peek(&reader, 1, &left), 6);
  CHECK_REST(&reader, "no end");
  CHECK_REST(&reader, "");
  CHECK_LINE_FAILS(&reader, UV_EOF);
  fibril_reader_free(&reader);
}

PAIR_TEST(reader_gives_lines) {
  put(a, lines);
  fibril_stream_shutdown(a);
  check_lines(b);
}

PAIR_TEST(reader_gives_lines_that_come_a_byte_at_a_time) {
  DRIP(a, lines);
  check_lines(b);
  CHECK_INT(outcome_of(dripper), 0);
}

MEMORY_TEST(reader_gives_pieces_up_to_a_mark) {
  static const char text[] = "\0bin\0ary\0ENDENENDEND\n";
  fibril_reader reader;
  const char *piece;
  DRIP(a, text);
  fibril_reader_init(&reader, b, 0);
  CHECK_INT(fibril_reader_until(&reader, "END", 3, &piece), 9);
  CHECK(!memcmp(piece, "\0bin\0ary\0", 10)); /* with the NUL that ends it */
  CHECK_INT(fibril_reader_until(&reader, "END", 3, &piece), 2);
  CHECK_STR(piece, "EN");
  CHECK_INT(fibril_reader_until(&reader, "END", 3, &piece), 0);
  CHECK_INT(fibril_reader_until(&reader, "END", 3, &piece), UV_EOF);
  CHECK_LINE(&reader, "");
  CHECK_INT(outcome_of(dripper), 0);
}

MEMORY_TEST(reader_finds_a_mark_of_zeros) {
  fibril_reader reader;
  const char *piece;
  DRIP(a, "a\0b\0\0c");
  fibril_reader_init(&reader, b, 0);
  CHECK_INT(fibril_reader_until(&reader, "\0", 2, &piece), 3);
  CHECK(!memcmp(piece, "a\0b", 4));
  CHECK_REST(&reader, "c");
  CHECK_INT(outcome_of(dripper), 0);
}

/* ---- Limits ---- */

MEMORY_TEST(reader_takes_a_line_as_long_as_the_limit) {
  fibril_reader reader;
  fibril_reader_init(&reader, b, 4);
  put(a, "1234\n1234\r\n12\r\n");
  CHECK_LINE(&reader, "1234");
  CHECK_LINE(&reader, "1234");
  CHECK_LINE(&reader, "12");
}

MEMORY_TEST(reader_refuses_a_longer_one_and_keeps_it) {
  static const char *const ways[] = {"12345\n", "12345\r\n", "12345", "1234\rx\n"};
  for (size_t i = 0; i < 4; i++) {
    fibril_reader reader;
    char bytes[8] = "";
    fibril_reader_init(&reader, b, 4);
    put(a, ways[i]);
    for (int times = 0; times < 2; times++) CHECK_LINE_FAILS(&reader, UV_EMSGSIZE);
    CHECK_INT(fibril_reader_read(&reader, bytes, sizeof bytes), strlen(ways[i]));
    CHECK(!memcmp(bytes, ways[i], strlen(ways[i])));
    put(a, "next\n");
    CHECK_LINE(&reader, "next");
    fibril_reader_free(&reader);
  }
}

/* One byte more than the limit is enough to know; a "\r" may still be followed by "\n". */
MEMORY_TEST(reader_waits_for_no_more_than_it_takes_to_know) {
  fibril_reader reader;
  char bytes[8];
  const char *piece;
  fibril_reader_init(&reader, b, 4);
  put(a, "1234\r");
  fibril_deadline_push(1);
  CHECK_LINE_FAILS(&reader, UV_ETIMEDOUT);
  fibril_deadline_pop();
  put(a, "\n12345");
  CHECK_LINE(&reader, "1234");
  CHECK_LINE_FAILS(&reader, UV_EMSGSIZE);
  CHECK_INT(fibril_reader_until(&reader, "5", 1, &piece), 4);
  put(a, "1234E123456E");
  CHECK_INT(fibril_reader_until(&reader, "E1", 2, &piece), 4);
  CHECK_INT(fibril_reader_until(&reader, "E1", 2, &piece), UV_EMSGSIZE);
  CHECK_INT(fibril_reader_consume(&reader, 6), 0);
  CHECK_INT(fibril_reader_exact(&reader, bytes, 5), UV_EMSGSIZE);
  CHECK_INT(fibril_reader_peek(&reader, 5, &piece), UV_EMSGSIZE);
}

MEMORY_TEST(reader_of_all_has_a_limit) {
  fibril_value all;
  fibril_reader reader;
  fibril_reader_init(&reader, b, 4);
  put(a, "12345");
  CHECK_INT(fibril_reader_all(&reader, &all), UV_EMSGSIZE);
  CHECK_INT(fibril_reader_consume(&reader, 1), 0);
  fibril_stream_shutdown(a);
  CHECK_REST(&reader, "2345");
}

/* ---- Bytes ---- */

MEMORY_TEST(reader_reads_exactly) {
  char bytes[8] = "";
  fibril_reader reader;
  DRIP(a, "123456789ab");
  fibril_reader_init(&reader, b, 0);
  CHECK_INT(fibril_reader_exact(&reader, NULL, 0), 0);
  CHECK_INT(fibril_reader_exact(&reader, bytes, 4), 0);
  CHECK_STR(bytes, "1234");
  CHECK_INT(fibril_reader_exact(&reader, bytes, 5), 0);
  CHECK_STR(bytes, "56789");
  CHECK_INT(fibril_reader_exact(&reader, bytes, 3), UV_EOF);
  CHECK_INT(fibril_reader_exact(&reader, bytes, 2), 0);
  CHECK_STR(bytes, "ab789");
  CHECK_INT(fibril_reader_exact(&reader, bytes, 1), UV_EOF);
  CHECK_INT(outcome_of(dripper), 0);
}

static char pattern(size_t at) {
  return (char)(at * 31 >> 2);
}

/* Writes much, some at a time. */
typedef struct {
  fibril_stream *stream;
  size_t length, at_once;
  const char *text; /* NULL: the pattern */
} flood;

static fibril_value pour(void *arg) {
  flood self = *(flood *)arg;
  char *data = malloc(self.length);
  int err = 0;
  for (size_t i = 0; i < self.length; i++) data[i] = self.text ? self.text[i] : pattern(i);
  for (size_t at = 0; at < self.length && err == 0; at += self.at_once) {
    size_t left = self.length - at;
    err = fibril_stream_write(self.stream, data + at, left < self.at_once ? left : self.at_once);
  }
  free(data);
  return fibril_number(err);
}

static bool is_pattern(const char *data, size_t at, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (data[i] != pattern(at + i)) return false;
  return true;
}

/* Large ones go straight to their place, whatever is buffered before them. */
PAIR_TEST(reader_reads_exactly_what_is_large) {
  static const size_t sizes[] = {1, 5000, 4096, 4095, 7, 100000, 1, 65536, 4097, 300000};
  size_t length = 0, at = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) length += sizes[i];
  flood flood = {a, length, 3333, NULL};
  fibril_future *future = fibril_spawn(pour, &flood, NULL);
  char *data = malloc(300000);
  fibril_reader reader;
  fibril_reader_init(&reader, b, 300000);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    CHECK_INT(fibril_reader_exact(&reader, data, sizes[i]), 0);
    CHECK(is_pattern(data, at, sizes[i]));
    at += sizes[i];
  }
  CHECK_INT(outcome_of(future), 0);
  free(data);
}

/* What came before an error can be read again, in whatever way. */
MEMORY_TEST(reader_keeps_what_came_before_a_deadline) {
  flood flood = {a, 10000, 10000, NULL};
  char *data = malloc(20000);
  const char *left;
  fibril_reader reader;
  fibril_reader_init(&reader, b, 20000);
  put(a, "abc");
  CHECK_INT(fibril_reader_peek(&reader, 1, &left), 3);
  fibril_deadline_push(1);
  CHECK_LINE_FAILS(&reader, UV_ETIMEDOUT);
  CHECK_INT(fibril_reader_peek(&reader, 0, &left), UV_ETIMEDOUT);
  fibril_deadline_pop();
  CHECK_INT(fibril_reader_peek(&reader, 0, &left), 3);
  CHECK_INT(fibril_reader_exact(&reader, data, 1), 0);
  CHECK_INT(outcome_of(fibril_spawn(pour, &flood, NULL)), 0);
  fibril_deadline_push(1);
  CHECK_INT(fibril_reader_exact(&reader, data, 20000), UV_ETIMEDOUT);
  fibril_deadline_pop();
  CHECK_INT(fibril_reader_exact(&reader, data, 2), 0);
  CHECK(data[0] == 'b' && data[1] == 'c');
  CHECK_INT(fibril_reader_exact(&reader, data, 10000), 0);
  CHECK(is_pattern(data, 0, 10000));
  put(a, "last\n");
  CHECK_LINE(&reader, "last");
  free(data);
}

PAIR_TEST(reader_reads_what_there_is) {
  char small[3], *large = malloc(8192);
  fibril_reader reader;
  fibril_reader_init(&reader, b, 0);
  put(a, "12345");
  CHECK_INT(fibril_reader_read(&reader, small, 3), 3);
  CHECK_INT(fibril_reader_read(&reader, large, 8192), 2);
  put(a, "67");
  CHECK_INT(fibril_reader_read(&reader, large, 8192), 2); /* without the buffer */
  fibril_stream_shutdown(a);
  CHECK_INT(fibril_reader_read(&reader, small, 3), 0);
  CHECK_INT(fibril_reader_read(&reader, large, 8192), 0);
  free(large);
}

PAIR_TEST(reader_shows_what_there_is_to_parsers) {
  const char *data;
  fibril_reader reader;
  fibril_reader_init(&reader, b, 0);
  CHECK_INT(fibril_reader_peek(&reader, 0, &data), 0);
  CHECK_INT(fibril_reader_consume(&reader, 0), 0);
  CHECK_INT(fibril_reader_consume(&reader, 1), UV_EINVAL);
  DRIP(a, "12345");
  CHECK_INT(fibril_reader_peek(&reader, 3, &data), 3);
  CHECK(!memcmp(data, "123", 3));
  CHECK_INT(fibril_reader_consume(&reader, 4), UV_EINVAL);
  CHECK_INT(fibril_reader_consume(&reader, 2), 0);
  CHECK_INT(fibril_reader_peek(&reader, 4, &data), UV_EOF);
  CHECK_INT(fibril_reader_peek(&reader, 1, &data), 3);
  CHECK(!memcmp(data, "345", 3));
  CHECK_INT(fibril_reader_consume(&reader, 3), 0);
  CHECK_INT(fibril_reader_peek(&reader, 4, &data), 0);
  CHECK_INT(outcome_of(dripper), 0);
}

/* More than the buffer has room for, in pieces that end anywhere in it. */
PAIR_TEST(reader_goes_on_however_much_comes) {
  enum { LINES = 20000 };
  char *text = malloc(LINES * 24), *end = text;
  for (int i = 0; i < LINES; i++) end += sprintf(end, "%d%.*s\n", i, i % 13, "................");
  flood flood = {a, (size_t)(end - text), 3001, text};
  fibril_future *future = fibril_spawn(pour, &flood, NULL);
  fibril_reader reader;
  const char *line;
  int wrong = 0;
  fibril_reader_init(&reader, b, 0);
  for (int i = 0; i < LINES; i++) {
    int64_t length = fibril_reader_line(&reader, &line);
    if (!CHECK(length > 0)) break;
    wrong += atoi(line) != i || line[length] != '\0';
  }
  CHECK_INT(wrong, 0);
  CHECK_INT(outcome_of(future), 0);
  free(text);
}

/* ---- Whose it is ---- */

typedef struct {
  fibril_reader *reader;
  fibril_stream *stream;
  fibril_future *self;
} shared;

static fibril_value read_line(void *arg) {
  const char *line;
  return fibril_number((double)fibril_reader_line(((shared *)arg)->reader, &line));
}

MEMORY_TEST(reader_is_for_one_at_a_time) {
  fibril_reader reader;
  char byte;
  const char *out;
  fibril_value all;
  shared both = {&reader, b, NULL};
  fibril_reader_init(&reader, b, 0);
  put(a, "begun");
  fibril_future *future = fibril_spawn(read_line, &both, NULL);
  fibril_moment();
  fibril_moment();
  CHECK_INT(fibril_reader_read(&reader, &byte, 1), UV_EBUSY);
  CHECK_INT(fibril_reader_exact(&reader, &byte, 1), UV_EBUSY);
  CHECK_INT(fibril_reader_until(&reader, "x", 1, &out), UV_EBUSY);
  CHECK_INT(fibril_reader_line(&reader, &out), UV_EBUSY);
  CHECK_INT(fibril_reader_peek(&reader, 0, &out), UV_EBUSY);
  CHECK_INT(fibril_reader_consume(&reader, 1), UV_EBUSY);
  CHECK_INT(fibril_reader_all(&reader, &all), UV_EBUSY);
  put(a, "\n");
  CHECK_INT(outcome_of(future), 5);
}

/* Its memory stays until who waits with it has left. */
MEMORY_TEST(reader_that_is_freed_while_somebody_waits) {
  fibril_reader reader;
  shared both = {&reader, b, NULL};
  for (int closes = 0; closes < 2; closes++) {
    fibril_reader_init(&reader, b, 0);
    fibril_future *future = fibril_spawn(read_line, &both, NULL);
    fibril_moment();
    fibril_reader_free(&reader);
    memset(&reader, 0x5a, sizeof reader);
    if (closes)
      fibril_stream_close(b);
    else
      put(a, "much too late");
    CHECK_INT(outcome_of(future), closes ? UV_ECANCELED : UV_EBADF);
  }
}

static fibril_value wait_in_a_reader_of_ones_own(void *arg) {
  fibril_reader reader;
  shared both = {&reader, ((shared *)arg)->stream, NULL};
  fibril_reader_init(&reader, both.stream, 0);
  fibril_future *future = fibril_spawn(read_line, &both, NULL);
  fibril_moment();
  return fibril_pointer(future); /* and so the reader goes */
}

MEMORY_TEST(reader_goes_with_its_coroutine) {
  shared both = {NULL, b, NULL};
  fibril_future *future = fibril_spawn(wait_in_a_reader_of_ones_own, &both, NULL);
  fibril_future *reading = fibril_value_pointer(fibril_await(future));
  put(a, "nobody's\n");
  CHECK_INT(outcome_of(reading), UV_EBADF);
  fibril_future_unref(future);
}

static fibril_value begin_line(void *arg) {
  shared *both = arg;
  const char *line;
  fibril_reader_init(both->reader, both->stream, 0);
  fibril_reader_detach(both->reader);
  return fibril_number((double)fibril_reader_line(both->reader, &line));
}

static fibril_value begin_line_and_detach(void *arg) {
  shared *both = arg;
  const char *line;
  fibril_reader_init(both->reader, both->stream, 0);
  fibril_value result = fibril_number((double)fibril_reader_line(both->reader, &line));
  fibril_reader_detach(both->reader);
  fibril_reader_detach(both->reader);
  return result;
}

/* For a class's methods, each a coroutine. */
MEMORY_TEST(reader_that_is_detached_outlives_its_coroutine) {
  fibril_reader *reader = malloc(sizeof *reader);
  shared both = {reader, b, NULL};
  put(a, "first\nsecond\nthird\n");
  CHECK_INT(outcome_of(fibril_spawn(begin_line, &both, NULL)), 5);
  CHECK_INT(outcome_of(fibril_spawn(read_line, &both, NULL)), 6);
  fibril_reader_free(reader);
  put(a, "fourth\n2\n");
  CHECK_INT(outcome_of(fibril_spawn(begin_line_and_detach, &both, NULL)), 6);
  CHECK_LINE(reader, "2");
  fibril_reader_free(reader);
  fibril_reader_free(reader);
  free(reader);
}

static fibril_value cancel_and_read(void *arg) {
  shared *both = arg;
  const char *line;
  fibril_reader reader;
  fibril_reader_init(&reader, both->stream, 0);
  fibril_moment();
  CHECK_LINE(&reader, "one");
  fibril_cancel(both->self);
  CHECK_LINE_FAILS(&reader, UV_ECANCELED);
  CHECK_INT(fibril_reader_consume(&reader, 2), 0); /* it can't wait */
  fibril_mask();
  int64_t length = fibril_reader_line(&reader, &line);
  fibril_unmask();
  return fibril_number((double)length);
}

MEMORY_TEST(reader_looks_at_cancellations_where_it_does_not_wait) {
  shared both = {NULL, b, NULL};
  put(a, "one\n//three\n");
  both.self = fibril_spawn(cancel_and_read, &both, NULL);
  CHECK_INT(outcome_of(both.self), 5);
}

/* ---- Errors ---- */

MEMORY_TEST(reader_of_a_stream_that_fails) {
  fibril_reader reader;
  fibril_value all;
  char byte;
  const char *left;
  fibril_reader_init(&reader, b, 0);
  put(a, "ab");
  fibril_stream_abort(a);
  CHECK_LINE_FAILS(&reader, UV_ECONNRESET);
  CHECK_INT(fibril_reader_all(&reader, &all), UV_ECONNRESET);
  CHECK_INT(fibril_reader_exact(&reader, &byte, 1), 0);
  CHECK_INT(fibril_reader_peek(&reader, 2, &left), UV_ECONNRESET);
  CHECK_INT(fibril_reader_read(&reader, &byte, 1), 1);
  CHECK_INT(fibril_reader_read(&reader, &byte, 1), UV_ECONNRESET);
  fibril_stream_ref(b);
  fibril_stream_close(b);
  CHECK_INT(fibril_reader_read(&reader, &byte, 1), UV_EBADF);
  CHECK_INT(fibril_reader_exact(&reader, &byte, 1), UV_EBADF);
  CHECK_INT(fibril_reader_peek(&reader, 0, &left), UV_EBADF);
  CHECK_INT(fibril_reader_until(&reader, "x", 1, &left), UV_EBADF);
  CHECK_LINE_FAILS(&reader, UV_EBADF);
  CHECK_INT(fibril_reader_all(&reader, &all), UV_EBADF);
  fibril_reader_free(&reader);
  fibril_stream_unref(b);
}

MEMORY_TEST(reader_refuses_bad_arguments) {
  fibril_reader reader;
  char byte;
  const char *out;
  CHECK_INT(fibril_reader_init(NULL, b, 0), UV_EINVAL);
  CHECK_INT(fibril_reader_init(&reader, NULL, 0), UV_EINVAL);
  fibril_reader_init(&reader, b, 0);
  CHECK_INT(fibril_reader_read(NULL, &byte, 1), UV_EINVAL);
  CHECK_INT(fibril_reader_read(&reader, NULL, 1), UV_EINVAL);
  CHECK_INT(fibril_reader_read(&reader, &byte, 0), UV_EINVAL);
  CHECK_INT(fibril_reader_exact(&reader, NULL, 1), UV_EINVAL);
  CHECK_INT(fibril_reader_until(&reader, NULL, 1, &out), UV_EINVAL);
  CHECK_INT(fibril_reader_until(&reader, "x", 0, &out), UV_EINVAL);
  CHECK_INT(fibril_reader_until(&reader, "x", 1, NULL), UV_EINVAL);
  CHECK_INT(fibril_reader_line(&reader, NULL), UV_EINVAL);
  CHECK_INT(fibril_reader_peek(&reader, 1, NULL), UV_EINVAL);
  CHECK_INT(fibril_reader_all(&reader, NULL), UV_EINVAL);
}

static fibril_value begin_reader(void *arg) {
  shared *both = arg;
  fibril_stream *ends[2];
  if (!CHECK_INT(fibril_memory_pair(0, ends), 0)) return fibril_undefined();
  fibril_stream_detach(ends[0]);
  both->stream = ends[0];
  fibril_reader_init(both->reader, ends[0], 0);
  fibril_reader_detach(both->reader);
  return fibril_undefined();
}

LOOP_TEST(reader_outside_of_coroutines) {
  fibril_reader reader = {{0}};
  shared both = {&reader, NULL, NULL};
  char byte;
  const char *out;
  fibril_value all;
  CHECK_INT(fibril_loop_run_sync(loop, begin_reader, &both, 0, NULL), 0);
  CHECK_INT(fibril_reader_read(&reader, &byte, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_reader_exact(&reader, &byte, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_reader_until(&reader, "x", 1, &out), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_reader_line(&reader, &out), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_reader_peek(&reader, 0, &out), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_reader_consume(&reader, 0), 0);
  CHECK_INT(fibril_reader_all(&reader, &all), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_reader_init(&reader, both.stream, 0), FIBRIL_ENOTCOROUTINE);
  fibril_reader_free(&reader);
  fibril_stream_close(both.stream);
}

MEMORY_TEST(reader_has_no_memory_for_what_a_peer_may_say) {
  fibril_reader reader;
  const char *piece;
  char byte;
  fibril_reader_init(&reader, b, SIZE_MAX);
  for (size_t most = 0; most < 64; most += 8) {
    CHECK_INT(fibril_reader_peek(&reader, SIZE_MAX - most, &piece), UV_ENOMEM);
    CHECK_INT(fibril_reader_exact(&reader, &byte, SIZE_MAX - most), UV_ENOMEM);
  }
  put(a, "line\n");
  CHECK_LINE(&reader, "line");
}

/* ---- Structs that are none ---- */

static fibril_value read_with_none(void *arg) {
  char byte;
  return fibril_number((double)fibril_reader_read(arg, &byte, 1));
}

static fibril_value read_with_a_copy(void *arg) {
  fibril_stream *ends[2];
  fibril_reader reader, copy;
  char byte;
  (void)arg;
  fibril_memory_pair(0, ends);
  fibril_reader_init(&reader, ends[0], 0);
  copy = reader;
  return fibril_number((double)fibril_reader_read(&copy, &byte, 1));
}

static fibril_value read_with_a_freed_one(void *arg) {
  fibril_stream *ends[2];
  fibril_reader reader;
  const char *line;
  (void)arg;
  fibril_memory_pair(0, ends);
  fibril_reader_init(&reader, ends[0], 0);
  fibril_reader_free(&reader);
  return fibril_number((double)fibril_reader_line(&reader, &line));
}

#if FIBRIL_DEBUG

CRASH_TEST(reader_that_was_never_initialised, "SIGABRT",
           "fibril_reader_read was called on a reader that was not initialised here") {
  fibril_reader reader;
  memset(&reader, 0x5a, sizeof reader);
  fibril_loop_run_sync(loop, read_with_none, &reader, 0, NULL);
}

CRASH_TEST(reader_that_was_copied, "SIGABRT",
           "fibril_reader_read was called on a reader that was not initialised here") {
  fibril_loop_run_sync(loop, read_with_a_copy, NULL, 0, NULL);
}

CRASH_TEST(reader_that_was_freed, "SIGABRT",
           "fibril_reader_line was called on a reader that was not initialised here") {
  fibril_loop_run_sync(loop, read_with_a_freed_one, NULL, 0, NULL);
}

#else

LOOP_TEST(reader_that_is_none_is_refused) {
  fibril_reader reader = {{0}};
  fibril_value result = fibril_undefined();
  fibril_loop_run_sync(loop, read_with_none, &reader, 0, &result);
  CHECK_INT(fibril_value_number(result), UV_EINVAL);
  fibril_loop_run_sync(loop, read_with_a_copy, NULL, 0, &result);
  CHECK_INT(fibril_value_number(result), UV_EINVAL);
  fibril_loop_run_sync(loop, read_with_a_freed_one, NULL, 0, &result);
  CHECK_INT(fibril_value_number(result), UV_EINVAL);
}

#endif
