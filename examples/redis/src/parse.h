/* Replies, RESP2 and RESP3, as values. It waits wherever the bytes end, however deep in a reply. */
#ifndef REDIS_PARSE_H
#define REDIS_PARSE_H

#include <fibril.h>

/* What a server may send. */
typedef struct {
  double bulk;  /* bytes of a string */
  double items; /* of one reply, however they nest */
  double depth;
} limits;

typedef struct {
  fibril_reader reader;
  const limits *limits;
  const char *base, *at,
      *end;     /* what is looked at: taken up to `at`, and not told the reader yet */
  double items; /* that the reply may still have */
  bool buffers; /* strings of bytes become Buffers */
  void (*before_wait)(void *arg); /* may be NULL */
  void *arg;
  bool special;      /* the reply has maps, sets or numbers that only JavaScript has */
  char message[160]; /* of UV_EPROTO */
} parser;

/* Where: a coroutine, whose reader it has. */
int parser_init(parser *self, fibril_stream *stream, const limits *of);
void parser_free(parser *self);
/* The first byte of the next reply, not taken yet; or an error, UV_EOF at the end. */
int parser_next(parser *self);
/* The next reply: 0 with a value of the coroutine's, or an error: UV_EPROTO for what is no reply,
 * UV_EOF where it ends in the middle, those of reading. Maps are {map: [key, value ...]}, sets
 * {set: [...]}, large integers {big: 'digits'}. */
int parser_reply(parser *self, fibril_value *out);

#endif /* REDIS_PARSE_H */
