/* The errors of arguments that do not fit their signature. */
#ifndef FIBRIL_NODE_ARGUMENTS_ERROR_H
#define FIBRIL_NODE_ARGUMENTS_ERROR_H

#include "../env/env.h"
#include "../signatures/type.h"

/* Where a value is: a parameter, a property or an element of what is outside of it. */
typedef struct fibril__place {
  const struct fibril__place *outer;
  const char *name; /* NULL: an element */
  size_t name_length;
  uint32_t index;
} fibril__place;

/* The Error for a mistake (FIBRIL__WRONG_TYPE and so on), in Node's words; or NULL, and then an
 * exception may be pending. `text`: what a number must be, or what is wrong with a value; NULL: the
 * type says it. */
napi_value fibril__bad_argument(fibril__env *self, int mistake, const fibril__place *place,
                                const fibril__type *type, const char *text, napi_value value);

/* Whether there are literals, and nothing else but null and undefined. */
bool fibril__only_literals(const fibril__type *type);

/* Whether a value that JavaScript calls `js` is of the kind of one of the literals. */
bool fibril__is_of_literal(const fibril__type *type, napi_valuetype js);

#endif /* FIBRIL_NODE_ARGUMENTS_ERROR_H */
