/* What is known of types before a signature says more. */
#ifndef FIBRIL_NODE_SIGNATURES_KNOWN_H
#define FIBRIL_NODE_SIGNATURES_KNOWN_H

#include "type.h"

/* Whether a type of signatures has the name already, or one that TypeScript has around them. */
bool fibril__type_is_word(const char *name, size_t length);
/* What the word stands for; false: it is no type's. */
bool fibril__type_of_word(const char *name, size_t length, fibril__type *type);
void fibril__type_free(fibril__type *type);
void fibril__parameters_free(fibril__parameter *parameters, uint32_t count);
/* True when the value is one of the type's literals. */
bool fibril__type_has_literal(const fibril__type *type, fibril_value value);
/* True when it is a number of the (first) type of numbers in `accepts`. */
bool fibril__number_fits(uint32_t accepts, double number);
/* Whether a literal may be the default of such a parameter. */
bool fibril__default_fits(const fibril__type *type, fibril_value value);

#endif /* FIBRIL_NODE_SIGNATURES_KNOWN_H */
