/* Streams of libuv: TCP, UNIX sockets and pipes, terminals. */
#ifndef FIBRIL_IO_NET_UV_STREAM_H
#define FIBRIL_IO_NET_UV_STREAM_H

#include "stream.h"

typedef struct fibril__uv_stream {
  fibril_stream stream;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
    uv_tty_t tty;
  } uv;
  bool opened;       /* what is in `uv`, and it has to be closed */
  bool own;          /* nobody else has the descriptor: it is read ahead of who reads */
  bool was_blocking; /* the descriptor, and is to be so again */
  int given;         /* a terminal's, of which libuv has made another one; or -1 */
  /* Reading: into the buffer of who waits, or else ahead. */
  fibril__request *reader; /* who waits and has got nothing yet; NULL: nobody */
  const void *to_fetch;    /* of whom memory is fetched while the system reads */
  bool on;                 /* libuv reads */
  bool served;             /* who waits has got something, and has not gone on yet */
  uv_buf_t room;
  char *ahead;
  size_t ahead_at, ahead_length, ahead_size;
  int end;         /* what comes after that: UV_EOF, an error; 0: more */
  int lost;        /* the error that the connection was lost with, as somebody has heard; 0: not */
  uint64_t handed; /* bytes, to the system or to libuv, which has some in its queue */
} fibril__uv_stream;

/* A stream with a handle of libuv's of that kind (UV_TCP, UV_NAMED_PIPE; UV_TTY is not
 * initialised), as yet of no descriptor. 0, or as fibril__handle_init. */
int fibril__uv_stream_new(uv_handle_type kind, bool own, fibril__uv_stream **out);

/* The same of a descriptor. On failure that stays the caller's. */
int fibril__uv_stream_of(uv_handle_type kind, fibril_socket fd, bool own, fibril_stream **out);

static inline void fibril__uv_stream_drop(fibril__uv_stream *stream) {
  fibril__handle_close(&stream->stream.handle);
}

#endif /* FIBRIL_IO_NET_UV_STREAM_H */
