#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif

#include "buffer.h"

#include <string.h>

#define LIMIT (64 * 1024)

/* So much goes straight to the caller, where there is nothing before it. */
#define LARGE 4096

static const char kind[] = "reader";

static fibril__buffered *of(fibril_reader *reader) {
  return (fibril__buffered *)reader;
}

#define CHECK_READER(reader) fibril__buffered_check(of(reader), kind, __func__)

int fibril_reader_init(fibril_reader *reader, fibril_stream *stream, size_t limit) {
  return fibril__buffered_init(of(reader), kind, stream, limit == 0 ? LIMIT : limit);
}

void fibril_reader_detach(fibril_reader *reader) {
  fibril__buffered_detach(of(reader), kind, __func__);
}

void fibril_reader_free(fibril_reader *reader) {
  fibril__buffered_free(of(reader), kind, __func__);
}

/* ---- Bytes ---- */

/* Reads once, behind what there is, of which there is to be room for `least` bytes: how many. After
 * an error but UV_EOF the user's struct may be gone. */
static int64_t fill(fibril__buffered *self, size_t least) {
  int err = fibril__buffered_reserve(self, least);
  if (err != 0) return err;
  fibril_stream *stream = self->stream;
  fibril__buffer *buffer = fibril__buffered_enter(self);
  size_t end = buffer->at + buffer->length, room = buffer->capacity - end;
  int64_t count = fibril_stream_read(stream, buffer->data + end, room);
  if (count > 0) buffer->length += (size_t)count;
  buffer->filled = count > 0 && (size_t)count == room;
  return fibril__buffer_leave(buffer, stream, count);
}

/* 0 when there are so many; UV_EOF when there never will be. */
static int await_bytes(fibril__buffered *self, size_t length) {
  while (fibril__buffered_length(self) < length) {
    int64_t count = fill(self, length);
    if (count <= 0) return count == 0 ? UV_EOF : (int)count;
  }
  return 0;
}

static size_t take_up_to(fibril__buffered *self, void *buffer, size_t length) {
  size_t count = fibril__buffered_length(self);
  if (count > length) count = length;
  if (count > 0) memcpy(buffer, fibril__buffered_data(self), count);
  fibril__buffered_take(self, count);
  return count;
}

int64_t fibril_reader_read(fibril_reader *reader, void *buffer, size_t length) {
  fibril__buffered *self = of(reader);
  if (buffer == NULL || length == 0) return UV_EINVAL;
  int err = CHECK_READER(reader);
  if (err != 0) return err;
  if (fibril__buffered_length(self) == 0) {
    if (length >= LARGE) return fibril_stream_read(self->stream, buffer, length);
    int64_t count = fill(self, 1);
    if (count <= 0) return count;
  }
  return (int64_t)take_up_to(self, buffer, length);
}

/* What has come is put back where it does not suffice; so there has to be room for that. */
static int read_large(fibril__buffered *self, char *to, size_t length) {
  int err = fibril__buffered_reserve(self, length);
  if (err != 0) return err;
  fibril_stream *stream = self->stream;
  fibril__buffer *buffer = fibril__buffered_enter(self);
  size_t had = buffer->length, got = had;
  int64_t count = 1;
  memcpy(to, buffer->data + buffer->at, had);
  while (got < length && count > 0) {
    count = fibril_stream_read(stream, to + got, length - got);
    if (count > 0) got += (size_t)count;
  }
  if (got < length) {
    memcpy(buffer->data + buffer->at + had, to + had, got - had);
    buffer->length = got;
    err = count == 0 ? UV_EOF : (int)count;
  } else {
    buffer->at = buffer->length = 0;
  }
  return (int)fibril__buffer_leave(buffer, stream, err);
}

int fibril_reader_exact(fibril_reader *reader, void *buffer, size_t length) {
  fibril__buffered *self = of(reader);
  if (buffer == NULL && length > 0) return UV_EINVAL;
  int err = CHECK_READER(reader);
  if (err != 0) return err;
  if (length > self->limit) return UV_EMSGSIZE;
  size_t buffered = fibril__buffered_length(self);
  if (buffered < length && length - buffered >= LARGE) return read_large(self, buffer, length);
  err = await_bytes(self, length);
  if (err == 0) take_up_to(self, buffer, length);
  return err;
}

int64_t fibril_reader_peek(fibril_reader *reader, size_t least, const char **out) {
  fibril__buffered *self = of(reader);
  if (out == NULL) return UV_EINVAL;
  int err = CHECK_READER(reader);
  if (err != 0) return err;
  if (least > self->limit) return UV_EMSGSIZE;
  err = await_bytes(self, least);
  if (err != 0 && (err != UV_EOF || fibril__buffered_length(self) > 0)) return err;
  *out = fibril__buffered_data(self);
  return (int64_t)fibril__buffered_length(self);
}

int fibril_reader_consume(fibril_reader *reader, size_t length) {
  int err = fibril__buffered_begun(of(reader), kind, __func__);
  if (err == 0 && length > fibril__buffered_length(of(reader))) err = UV_EINVAL;
  if (err == 0) fibril__buffered_take(of(reader), length);
  return err;
}

/* ---- Pieces ---- */

typedef struct {
  const char *bytes;
  size_t length;
  bool line; /* "\n", with the "\r" that may be before it */
} mark;

#define NOWHERE SIZE_MAX

/* Where the mark begins, in what has not been looked at. */
static size_t find(const char *data, size_t from, size_t length, const mark *end) {
  const char *found = end->length == 1
                          ? memchr(data + from, *end->bytes, length - from)
                          : memmem(data + from, length - from, end->bytes, end->length);
  return found == NULL ? NOWHERE : (size_t)(found - data);
}

static int64_t take_piece(fibril__buffered *self, size_t at, const mark *end, const char **out) {
  char *data = self->buffer->data + self->buffer->at;
  size_t length = at;
  if (end->line && at > 0 && data[at - 1] == '\r') length--;
  if (length > self->limit) return UV_EMSGSIZE;
  data[length] = '\0';
  *out = data;
  fibril__buffered_take(self, at + end->length);
  return (int64_t)length;
}

static size_t sum(size_t a, size_t b) {
  return a < SIZE_MAX - b ? a + b : SIZE_MAX;
}

/* No mark is in the first `length` bytes. Of a line a "\r" does not count until more is there. */
static bool is_too_long(const fibril__buffered *self, size_t length, size_t most, const mark *end) {
  if (length >= most) return true;
  if (!end->line || length <= self->limit) return false;
  return fibril__buffered_data(self)[self->limit] != '\r';
}

static int64_t read_piece(fibril__buffered *self, const mark *end, const char **out) {
  size_t most = sum(self->limit, end->length + (end->line ? 1 : 0));
  size_t looked = 0;
  for (;;) {
    size_t length = fibril__buffered_length(self);
    if (length > most) length = most;
    size_t at = find(fibril__buffered_data(self), looked, length, end);
    if (at != NOWHERE) return take_piece(self, at, end, out);
    if (is_too_long(self, length, most, end)) return UV_EMSGSIZE;
    looked = length < end->length ? 0 : length - end->length + 1;
    int64_t count = fill(self, length + 1);
    if (count <= 0) return count == 0 ? UV_EOF : count;
  }
}

int64_t fibril_reader_until(fibril_reader *reader, const void *end, size_t length,
                            const char **out) {
  if (end == NULL || length == 0 || out == NULL) return UV_EINVAL;
  int err = CHECK_READER(reader);
  if (err != 0) return err;
  mark ends = {end, length, false};
  return read_piece(of(reader), &ends, out);
}

int64_t fibril_reader_line(fibril_reader *reader, const char **out) {
  static const mark ends = {"\n", 1, true};
  if (out == NULL) return UV_EINVAL;
  int err = CHECK_READER(reader);
  return err != 0 ? err : read_piece(of(reader), &ends, out);
}

int fibril_reader_all(fibril_reader *reader, fibril_value *out) {
  fibril__buffered *self = of(reader);
  if (out == NULL) return UV_EINVAL;
  int err = CHECK_READER(reader);
  while (err == 0) {
    size_t length = fibril__buffered_length(self);
    err = length > self->limit ? UV_EMSGSIZE : await_bytes(self, length + 1);
  }
  if (err != UV_EOF) return err;
  size_t length = fibril__buffered_length(self);
  fibril_value all = fibril_buffer(fibril__buffered_data(self), length);
  if (fibril_is_error(all)) return fibril_error_code(all);
  fibril__buffered_take(self, length);
  *out = all;
  return 0;
}
