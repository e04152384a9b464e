/* Buffers from the inside: bytes, and what JavaScript sees them as. */
#ifndef FIBRIL_CORE_VALUE_BUFFER_H
#define FIBRIL_CORE_VALUE_BUFFER_H

#include "box.h"

typedef struct fibril__buffer {
  fibril__box box;
  size_t length;
  void *data;
  void (*release)(void *data); /* NULL: nobody is told */
  fibril_view view;
  bool shared; /* JavaScript has the same bytes */
} fibril__buffer;

/* A buffer whose bytes nobody has written yet. */
fibril_value fibril__buffer_room(size_t length, fibril_view view);
/* A copy of bytes that make whole elements. */
fibril_value fibril__buffer_copy(const void *data, size_t length, fibril_view view);
/* A value of `buffer`, over bytes that are JavaScript's, too. `destroy` calls fibril__buffer_end.
 */
fibril_value fibril__buffer_lend(fibril__buffer *buffer, void *data, size_t length,
                                 fibril_view view,
                                 void (*destroy)(fibril__box *box, fibril__box **dead));
/* The bytes that were lent are about to go: from here on it has a copy, or none at all where there
 * is no memory. */
void fibril__buffer_part(fibril__buffer *buffer);
/* What a buffer has goes; not its memory. */
void fibril__buffer_end(fibril__buffer *buffer);
/* Whether nobody else has it or its bytes: JavaScript may have them without a copy. */
bool fibril__buffer_is_sole(fibril_value value);

#endif /* FIBRIL_CORE_VALUE_BUFFER_H */
