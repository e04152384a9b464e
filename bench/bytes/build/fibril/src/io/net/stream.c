#include "stream.h"

#include "../../core/scheduler/local.h"
#include "../../core/value/error.h"

#include <limits.h>
#include <stdlib.h>

int fibril__stream_init(fibril_stream *stream, const fibril__handle_type *handle_type,
                        const fibril_stream_type *type, const fibril__stream_extras *extras,
                        void *self) {
  int err = fibril__handle_init(&stream->handle, handle_type);
  if (err != 0) return err;
  stream->type = type;
  stream->extras = extras;
  stream->self = self;
  return 0;
}

FIBRIL__HANDLE_FUNCTIONS(stream, fibril_stream)

/* What waits in a type of others' is called by its name; fibril's own say it themselves. */
static bool enter(const fibril_stream *stream) {
  return stream->extras == NULL && fibril__within_begin(stream->type->name);
}

static void leave(bool entered) {
  if (entered) fibril__within_end();
}

/* What would be somebody's bytes is not gone on with. */
static void wrong_result(const fibril_stream *stream, const char *what, int64_t result) {
  const char *name = stream->type->name;
  fibril__fatal("%s of a stream of type \"%s\" gave %lld, which is no error, nor what it may give",
                what, name == NULL ? "" : name, (long long)result);
}

/* ---- Reading ---- */

static int begin_reading(fibril_stream *stream, const void *buffer, size_t length) {
  int err = fibril__handle_check(&stream->handle);
  if (err != 0) return err;
  if (buffer == NULL || length == 0) return UV_EINVAL;
  return stream->reading ? UV_EBUSY : 0;
}

/* The stream may be closed meanwhile; its memory stays. */
static int64_t call_read(fibril_stream *stream,
                         int64_t (*read)(void *self, void *buffer, size_t length), void *buffer,
                         size_t length) {
  fibril__handle_ref(&stream->handle);
  stream->reading = true;
  bool entered = enter(stream);
  int64_t count = read(stream->self, buffer, length);
  leave(entered);
  if (count > (int64_t)length || count < INT_MIN) wrong_result(stream, "reading", count);
  stream->reading = false;
  if (count > 0) fibril__handle_moved(&stream->handle, (size_t)count);
  fibril__handle_unref(&stream->handle);
  return count;
}

int64_t fibril_stream_read(fibril_stream *stream, void *buffer, size_t length) {
  int err = begin_reading(stream, buffer, length);
  return err != 0 ? err : call_read(stream, stream->type->read, buffer, length);
}

int64_t fibril_stream_tryread(fibril_stream *stream, void *buffer, size_t length) {
  int err = begin_reading(stream, buffer, length);
  if (err != 0) return err;
  if (stream->type->tryread == NULL) return UV_ENOTSUP;
  return call_read(stream, stream->type->tryread, buffer, length);
}

/* ---- Writing ---- */

static size_t length_of(const uv_buf_t *buffers, unsigned count) {
  size_t length = 0;
  for (unsigned i = 0; i < count; i++) length += buffers[i].len;
  return length;
}

static bool valid_buffers(const uv_buf_t *buffers, unsigned count) {
  if (buffers == NULL && count > 0) return false;
  for (unsigned i = 0; i < count; i++)
    if (buffers[i].base == NULL && buffers[i].len > 0) return false;
  return true;
}

static int begin_writing(fibril_stream *stream) {
  int err = fibril__handle_check(&stream->handle);
  if (err != 0) return err;
  if (stream->writing) return UV_EBUSY;
  return stream->broken ? UV_EPIPE : 0;
}

int fibril_stream_writev(fibril_stream *stream, const uv_buf_t *buffers, unsigned count) {
  int err = begin_writing(stream);
  if (err != 0) return err;
  if (!valid_buffers(buffers, count)) return UV_EINVAL;
  if (stream->shut) return UV_EPIPE;
  size_t length = length_of(buffers, count);
  if (length == 0) return 0;
  fibril__handle_ref(&stream->handle);
  stream->writing = true;
  bool entered = enter(stream);
  err = stream->type->write(stream->self, buffers, count);
  leave(entered);
  if (err > 0) wrong_result(stream, "writing", err);
  stream->writing = false;
  if (err == 0)
    stream->written += length;
  else
    stream->broken = true;
  if (err == 0) fibril__handle_moved(&stream->handle, length);
  fibril__handle_unref(&stream->handle);
  return err;
}

int fibril_stream_write(fibril_stream *stream, const void *data, size_t length) {
  uv_buf_t buffer = {.base = (char *)(uintptr_t)data, .len = length};
  return fibril_stream_writev(stream, &buffer, 1);
}

uint64_t fibril_stream_written(const fibril_stream *stream) {
  const fibril__stream_extras *extras = stream->extras;
  if (extras != NULL && extras->written != NULL) return extras->written(stream);
  return stream->written;
}

int fibril_stream_shutdown(fibril_stream *stream) {
  int err = begin_writing(stream);
  if (err != 0 || stream->shut) return err;
  fibril__handle_ref(&stream->handle);
  stream->shut = stream->writing = true;
  bool entered = enter(stream);
  err = stream->type->shutdown(stream->self);
  leave(entered);
  if (err > 0) wrong_result(stream, "the shutdown", err);
  stream->writing = false;
  if (err != 0 && stream->shut) stream->broken = true;
  fibril__handle_unref(&stream->handle);
  return err;
}

/* ---- The end ---- */

void fibril_stream_abort(fibril_stream *stream) {
  if (stream->handle.closed) return;
  fibril_stream_ref(stream); /* the type may close it */
  if (stream->type->abort != NULL) stream->type->abort(stream->self);
  fibril_stream_close(stream);
  fibril_stream_unref(stream);
}

int fibril_stream_release(fibril_stream *stream, fibril_socket *fd, fibril_value *rest) {
  if (stream->handle.closed) return UV_EBADF;
  if (fd == NULL || rest == NULL) return UV_EINVAL;
  if (stream->extras == NULL || stream->extras->release == NULL) return UV_ENOTSUP;
  if (stream->reading || stream->writing) return UV_EBUSY;
  int err = stream->extras->release(stream, fd, rest);
  if (err == 0) fibril_stream_close(stream);
  return err;
}

/* ---- Where it is ---- */

static int address_of(const fibril_stream *stream, bool peer, char *buffer, size_t length) {
  if (stream->handle.closed) return UV_EBADF;
  if (buffer == NULL || length == 0) return UV_EINVAL;
  if (stream->extras == NULL || stream->extras->address == NULL) return UV_ENOTSUP;
  return stream->extras->address(stream, peer, buffer, length);
}

int fibril_stream_peer(const fibril_stream *stream, char *buffer, size_t length) {
  return address_of(stream, true, buffer, length);
}

int fibril_stream_address(const fibril_stream *stream, char *buffer, size_t length) {
  return address_of(stream, false, buffer, length);
}

/* ---- Types of others ---- */

static void close_wrapped(fibril__handle *handle) {
  fibril_stream *stream = FIBRIL__CONTAINER(fibril_stream, handle, handle);
  stream->type->close(stream->self);
}

static void free_wrapped(fibril__handle *handle) {
  fibril_stream *stream = FIBRIL__CONTAINER(fibril_stream, handle, handle);
  if (stream->type->release != NULL) stream->type->release(stream->self);
  free(stream);
}

static const fibril__handle_type wrapped_type = {.close = close_wrapped, .free = free_wrapped};

/* Later versions of the table have more at its end. */
static bool valid_type(const fibril_stream_type *type) {
  return type != NULL && type->size == sizeof *type && type->read != NULL && type->write != NULL &&
         type->shutdown != NULL && type->close != NULL;
}

int fibril_stream_wrap(const fibril_stream_type *type, void *self, fibril_stream **out) {
  if (!valid_type(type) || out == NULL) return UV_EINVAL;
  fibril_stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) return UV_ENOMEM;
  int err = fibril__stream_init(stream, &wrapped_type, type, NULL, self);
  if (err != 0) {
    free(stream);
    return err;
  }
  *out = stream;
  return 0;
}
