#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE (16 * 1024)

static const char kind[] = "writer";

static fibril__buffered *of(fibril_writer *writer) {
  return (fibril__buffered *)writer;
}

int fibril_writer_init(fibril_writer *writer, fibril_stream *stream, size_t size) {
  return fibril__buffered_init(of(writer), kind, stream, size == 0 ? SIZE : size);
}

void fibril_writer_detach(fibril_writer *writer) {
  fibril__buffered_detach(of(writer), kind, __func__);
}

void fibril_writer_free(fibril_writer *writer) {
  fibril__buffered_free(of(writer), kind, __func__);
}

/* What is collected would never be written where the stream can't. */
static int check_writer(fibril_writer *writer, const char *function) {
  int err = fibril__buffered_check(of(writer), kind, function);
  if (err != 0) return err;
  const fibril_stream *stream = of(writer)->stream;
  return stream->broken || stream->shut ? UV_EPIPE : 0;
}

/* Writes what is in the buffer, and what follows it. Of a write that has broken the stream nobody
 * knows how much of it came, and the error says so; after every other error it is all still here.
 */
static int write_out(fibril__buffered *self, const void *data, size_t length) {
  uv_buf_t both[2] = {{.base = NULL}, {.base = (char *)(uintptr_t)data, .len = length}};
  fibril_stream *stream = self->stream;
  if (self->buffer == NULL) return fibril_stream_writev(stream, &both[1], 1);
  fibril__buffer *buffer = fibril__buffered_enter(self);
  both[0] = (uv_buf_t){.base = buffer->data, .len = buffer->length};
  int err = fibril_stream_writev(stream, both, 2);
  if (err == 0 || stream->broken) buffer->length = 0;
  return (int)fibril__buffer_leave(buffer, stream, err);
}

/* Where so many bytes more go; NULL: there is no memory. */
static char *room_for(fibril__buffered *self, size_t length) {
  size_t used = fibril__buffered_length(self);
  if (fibril__buffered_reserve(self, used + length) != 0) return NULL;
  self->buffer->unflushed = true;
  return self->buffer->data + used;
}

static bool fits(const fibril__buffered *self, size_t length) {
  return length <= self->limit - fibril__buffered_length(self);
}

int fibril_writer_write(fibril_writer *writer, const void *data, size_t length) {
  fibril__buffered *self = of(writer);
  if (data == NULL && length > 0) return UV_EINVAL;
  int err = check_writer(writer, __func__);
  if (err != 0 || length == 0) return err;
  if (!fits(self, length)) return write_out(self, data, length);
  char *room = room_for(self, length);
  if (room == NULL) return UV_ENOMEM;
  memcpy(room, data, length);
  self->buffer->length += length;
  return 0;
}

/* Of a text that does not fit, whose NUL is not written. */
static int print_out(fibril__buffered *self, size_t length, const char *format, va_list args) {
  char *text = malloc(length + 1);
  if (text == NULL) return UV_ENOMEM;
  vsnprintf(text, length + 1, format, args);
  int err = write_out(self, text, length);
  free(text);
  return err;
}

static int print(fibril__buffered *self, size_t length, const char *format, va_list args) {
  if (!fits(self, length)) return print_out(self, length, format, args);
  char *room = room_for(self, length + 1);
  if (room == NULL) return UV_ENOMEM;
  vsnprintf(room, length + 1, format, args);
  self->buffer->length += length;
  return 0;
}

int fibril_writer_printf(fibril_writer *writer, const char *format, ...) {
  va_list args;
  if (format == NULL) return UV_EINVAL;
  int err = check_writer(writer, __func__);
  if (err != 0) return err;
  va_start(args, format);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length <= 0) return length < 0 ? UV_EINVAL : 0;
  va_start(args, format);
  err = print(of(writer), (size_t)length, format, args);
  va_end(args);
  return err;
}

int fibril_writer_flush(fibril_writer *writer) {
  int err = check_writer(writer, __func__);
  if (err != 0 || fibril__buffered_length(of(writer)) == 0) return err;
  return write_out(of(writer), NULL, 0);
}
