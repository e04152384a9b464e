#include "buffer.h"

#include "../../core/scheduler/local.h"
#include "../../core/scheduler/wait.h"
#include "../../core/value/error.h"
#include "../../core/value/list.h"

#include <stdlib.h>
#include <string.h>

/* A buffer begins with what short lines take, and grows where more comes at once. */
#define FIRST 1024
#define GROWS_TO (16 * 1024)

/* One that has become larger, for a long piece, goes when that has been taken. */
#define KEPT (64 * 1024)

/* By whose address a coroutine knows its buffers. */
static const char list_key;

/* ---- The buffer ---- */

static void drop(fibril__buffer *buffer) {
  bool unflushed = buffer->unflushed && buffer->length > 0 && !buffer->busy;
  if (buffer->link != NULL) FIBRIL__CHAIN_REMOVE(buffer);
  buffer->link = NULL;
  buffer->gone = true;
  size_t length = buffer->length;
  if (!buffer->busy) free(buffer);
  fibril_loop *loop = unflushed ? fibril_loop_current() : NULL;
  if (loop == NULL) return;
  fibril_value error = fibril_value_take(fibril_error(UV_ECANCELED, "%zu bytes dropped", length));
  fibril__loop_log(loop, "a writer has gone that was not flushed", error);
  fibril_value_free(error);
}

static void drop_all(void *first) {
  if (first == NULL) return;
  fibril__buffer **list = ((fibril__buffer *)first)->link;
  while (*list != NULL) drop(*list);
}

static fibril__buffer *new_buffer(const fibril__buffered *self, size_t capacity) {
  fibril__buffer **list = NULL;
  if (self->owner != NULL) {
    list = (fibril__buffer **)fibril__local_slot(self->owner, &list_key, drop_all);
    if (list == NULL) return NULL;
  }
  bool possible = capacity <= PTRDIFF_MAX - sizeof(fibril__buffer); /* more has no object */
  fibril__buffer *buffer = possible ? malloc(sizeof *buffer + capacity) : NULL;
  if (buffer == NULL) return NULL;
  *buffer = (fibril__buffer){.capacity = capacity};
  if (list != NULL) FIBRIL__CHAIN_ADD(list, buffer);
  return buffer;
}

/* The new one is in the old one's place, with what is in that. */
static int grow(fibril__buffered *self, size_t capacity) {
  fibril__buffer *old = self->buffer, *buffer = new_buffer(self, capacity);
  if (buffer == NULL) return UV_ENOMEM;
  self->buffer = buffer;
  if (old == NULL) return 0;
  memcpy(buffer->data, old->data + old->at, old->length);
  buffer->length = old->length;
  old->length = 0;
  drop(old);
  return 0;
}

/* What is moved is less than what has been taken since, so that moving costs no more than that. */
int fibril__buffered_reserve(fibril__buffered *self, size_t least) {
  fibril__buffer *buffer = self->buffer;
  if (buffer != NULL && buffer->length == 0) {
    buffer->at = 0;
    if (buffer->capacity > KEPT && least <= FIRST) {
      drop(buffer);
      self->buffer = buffer = NULL;
    }
  }
  if (buffer == NULL) return grow(self, least > FIRST ? least : FIRST);
  bool more = buffer->filled && buffer->capacity < GROWS_TO;
  size_t end = buffer->at + buffer->length;
  if (!more && end < buffer->capacity && least <= buffer->capacity - buffer->at) return 0;
  if (!more && least <= buffer->capacity && buffer->at >= buffer->length && buffer->at > 0) {
    memcpy(buffer->data, buffer->data + buffer->at, buffer->length);
    buffer->at = 0;
    return 0;
  }
  return grow(self, least > 4 * buffer->capacity ? least : 4 * buffer->capacity);
}

void fibril__buffered_take(fibril__buffered *self, size_t length) {
  if (length == 0) return;
  self->buffer->at += length;
  self->buffer->length -= length;
}

fibril__buffer *fibril__buffered_enter(fibril__buffered *self) {
  self->buffer->busy = true;
  fibril_stream_ref(self->stream);
  return self->buffer;
}

int64_t fibril__buffer_leave(fibril__buffer *buffer, fibril_stream *stream, int64_t result) {
  bool gone = buffer->gone;
  buffer->busy = false;
  if (gone) drop(buffer);
  fibril_stream_unref(stream);
  return gone && (result >= 0 || result == UV_EOF) ? UV_EBADF : result;
}

/* ---- The user's struct ---- */

/* Another one for each place, so that a copy shows. */
static uintptr_t word_of(const fibril__buffered *self, const char *kind) {
  return (uintptr_t)self ^ (uintptr_t)kind;
}

static bool has_begun(const fibril__buffered *self, const char *kind, const char *function) {
  bool begun = self->word == word_of(self, kind);
#if FIBRIL_DEBUG
  if (!begun)
    fibril__fatal("%s was called on a %s that was not initialised here: never, or freed since, or "
                  "it was copied from elsewhere",
                  function, kind);
#else
  (void)function;
#endif
  return begun;
}

int fibril__buffered_init(fibril__buffered *self, const char *kind, fibril_stream *stream,
                          size_t limit) {
  if (self == NULL || stream == NULL) return UV_EINVAL;
  fibril_coroutine *owner = fibril__self();
  if (owner == NULL) return FIBRIL_ENOTCOROUTINE;
  *self = (fibril__buffered){
      .word = word_of(self, kind), .stream = stream, .limit = limit, .owner = owner};
  return 0;
}

int fibril__buffered_begun(const fibril__buffered *self, const char *kind, const char *function) {
  if (self == NULL || !has_begun(self, kind, function)) return UV_EINVAL;
  return self->buffer != NULL && self->buffer->busy ? UV_EBUSY : 0;
}

int fibril__buffered_check(const fibril__buffered *self, const char *kind, const char *function) {
  int begun = fibril__buffered_begun(self, kind, function);
  if (begun == UV_EINVAL) return begun;
  int err = fibril__wait_check(fibril__self());
  if (err != 0) return err;
  return self->stream->handle.closed ? UV_EBADF : begun;
}

void fibril__buffered_detach(fibril__buffered *self, const char *kind, const char *function) {
  if (!has_begun(self, kind, function)) return;
  self->owner = NULL;
  if (self->buffer == NULL || self->buffer->link == NULL) return;
  FIBRIL__CHAIN_REMOVE(self->buffer);
  self->buffer->link = NULL;
}

/* Zeroed, it has not begun, or been freed. */
void fibril__buffered_free(fibril__buffered *self, const char *kind, const char *function) {
  if (self->word == 0 || !has_begun(self, kind, function)) return;
  self->word = 0;
  if (self->buffer != NULL) drop(self->buffer);
  self->buffer = NULL;
}
