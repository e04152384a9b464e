/* The addon's own types, which signatures may name: classes and enums. */
#ifndef FIBRIL_NODE_SIGNATURES_DECLARED_H
#define FIBRIL_NODE_SIGNATURES_DECLARED_H

#include "type.h"

/* Looked for in the namespace that the signature is in, and in those around it; NULL: none. */
const fibril__declared *fibril__declared_find(const fibril__scan *scan, const char *name,
                                              size_t name_length);
/* Whether a type of signatures has the name already, or one that TypeScript has around them. */
bool fibril__type_is_word(const char *name, size_t length);
/* "{ Name, Name = literal, ... }": properties with their values, which are its literals, too. What
 * of it is there when that fails is still to be freed. */
bool fibril__enum_parse(fibril__scan *scan, fibril__type *type);

/* ---- What types are put together with ---- */

/* Puts `count` items behind those of a list of its own. */
bool fibril__type_append(void **list, uint32_t *length, const void *items, uint32_t count,
                         size_t size);
/* Whether two properties have the same name. */
bool fibril__type_is_named(const fibril__parameter *one, const fibril__parameter *other);

#endif /* FIBRIL_NODE_SIGNATURES_DECLARED_H */
