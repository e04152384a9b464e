/* Streams: a handle around a table of functions. Whatever the table is of, the rules are here: one
 * reader and one writer, what is closed, what is broken, whose turn it is. */
#ifndef FIBRIL_IO_NET_STREAM_H
#define FIBRIL_IO_NET_STREAM_H

#include "../handle.h"

/* What a stream of fibril's own can do beside what everybody's can. NULL: it can't. */
typedef struct fibril__stream_extras {
  int (*address)(const fibril_stream *stream, bool peer, char *buffer, size_t length);
  int (*release)(fibril_stream *stream, fibril_socket *fd, fibril_value *rest);
  uint64_t (*written)(const fibril_stream *stream); /* instead of counting what write has taken */
} fibril__stream_extras;

struct fibril_stream {
  fibril__handle handle;
  const fibril_stream_type *type;
  const fibril__stream_extras *extras;
  void *self; /* of the type's functions */
  uint64_t written;
  bool reading, writing; /* somebody is in that function of the type's */
  bool shut;             /* the write side has ended */
  bool broken;           /* nobody knows how much of a write came */
};

/* Begins one in zeroed memory; as fibril__handle_init. `free` is given the handle. */
int fibril__stream_init(fibril_stream *stream, const fibril__handle_type *handle_type,
                        const fibril_stream_type *type, const fibril__stream_extras *extras,
                        void *self);

/* fibril__handle_own for one. */
static inline int fibril__stream_own(fibril_stream *stream) {
  return fibril__handle_own(&stream->handle);
}

#endif /* FIBRIL_IO_NET_STREAM_H */
