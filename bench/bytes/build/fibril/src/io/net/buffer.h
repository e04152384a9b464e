/* What a reader and a writer have in common: the user's struct, and the buffer, which is the
 * coroutine's that began it.
 *
 *     begun, no buffer ---- first use ----> in its coroutine's list ---- detach ---> nobody's
 *            |                                       |                                  |
 *            |                             its end, or _free                          _free
 *            v                                       v                                  |
 *          _free                  freed, or by who waits with it, afterwards <----------'
 */
#ifndef FIBRIL_IO_NET_BUFFER_H
#define FIBRIL_IO_NET_BUFFER_H

#include "stream.h"

typedef struct fibril__buffer fibril__buffer;
struct fibril__buffer {
  fibril__buffer *next, **link; /* of its coroutine's; `link` is NULL where it is nobody's */
  size_t capacity;
  size_t at, length; /* what is in it */
  bool unflushed;    /* what is in it is to be written, and not dropped in silence */
  bool busy;         /* somebody waits with it */
  bool gone;         /* nobody but who waits has it */
  bool filled;       /* the last read took all the room there was */
  char data[];
};

/* What the private members are; the user has declared them as others. */
typedef struct __attribute__((may_alias)) fibril__buffered {
  uintptr_t word; /* says that it has begun, as what, and here */
  fibril_stream *stream;
  size_t limit;
  fibril_coroutine *owner; /* NULL: detached */
  fibril__buffer *buffer;  /* NULL: there is none yet */
} fibril__buffered;

_Static_assert(sizeof(fibril__buffered) <= sizeof(fibril_reader), "room for a reader");
_Static_assert(sizeof(fibril__buffered) <= sizeof(fibril_writer), "room for a writer");

/* `kind`: "reader" or "writer", always the same pointer. */
int fibril__buffered_init(fibril__buffered *self, const char *kind, fibril_stream *stream,
                          size_t limit);
/* Whether it may be used now: 0, UV_EINVAL or UV_EBUSY. `function` is named where a build for tests
 * ends the process; others give UV_EINVAL for what has not begun. */
int fibril__buffered_begun(const fibril__buffered *self, const char *kind, const char *function);
/* The same for what may wait. */
int fibril__buffered_check(const fibril__buffered *self, const char *kind, const char *function);
void fibril__buffered_detach(fibril__buffered *self, const char *kind, const char *function);
void fibril__buffered_free(fibril__buffered *self, const char *kind, const char *function);

static inline size_t fibril__buffered_length(const fibril__buffered *self) {
  return self->buffer == NULL ? 0 : self->buffer->length;
}
/* What is in it; "" where there is no buffer. */
static inline const char *fibril__buffered_data(const fibril__buffered *self) {
  return self->buffer == NULL ? "" : self->buffer->data + self->buffer->at;
}
void fibril__buffered_take(fibril__buffered *self, size_t length);

/* Room for `least` bytes altogether, those that are in it included, and for one more of them at
 * the least. 0 or UV_ENOMEM. */
int fibril__buffered_reserve(fibril__buffered *self, size_t least);

/* Around waits with the buffer: meanwhile it and the stream stay where they are, whoever frees
 * them, but the user's struct may go. `leave` gives `result`, or UV_EBADF where it has gone. */
fibril__buffer *fibril__buffered_enter(fibril__buffered *self);
int64_t fibril__buffer_leave(fibril__buffer *buffer, fibril_stream *stream, int64_t result);

#endif /* FIBRIL_IO_NET_BUFFER_H */
