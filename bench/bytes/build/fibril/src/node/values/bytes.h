/* Bytes that come from JavaScript: what they are a view of, whose memory that is, and whether it is
 * lent or copied. */
#ifndef FIBRIL_NODE_VALUES_BYTES_H
#define FIBRIL_NODE_VALUES_BYTES_H

#include "../env/env.h"

/* As they are at the moment: JavaScript that runs may detach them, or change their size. */
typedef struct fibril__bytes {
  napi_value value;  /* a view, or `buffer` itself */
  napi_value buffer; /* the ArrayBuffer, or SharedArrayBuffer */
  fibril_view view;
  unsigned char *data;
  size_t length, offset;
  bool shared, detached;
} fibril__bytes;

/* A bit for what the value is a view of, as signature types have it; 0: it is none. */
uint32_t fibril__bytes_look(fibril__env *self, napi_value value, fibril__bytes *bytes);
/* The results are owned. A value of the same memory, where that stays whatever JavaScript does;
 * undefined: it has to be copied. May run JavaScript. */
fibril_value fibril__bytes_lend(fibril__env *self, const fibril__bytes *bytes);
fibril_value fibril__bytes_copy(const fibril__bytes *bytes);
/* One for a copy that is to be made. */
fibril_value fibril__bytes_room(const fibril__bytes *bytes);
/* Lent or copied. */
fibril_value fibril__bytes_from_js(fibril__env *self, const fibril__bytes *bytes);

/* When it ends: what C still has of JavaScript's memory becomes a copy. */
void fibril__bytes_end(fibril__env *self);

#endif /* FIBRIL_NODE_VALUES_BYTES_H */
