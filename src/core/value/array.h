/* What arrays, objects, maps and sets hold. */
#ifndef FIBRIL_CORE_VALUE_ARRAY_H
#define FIBRIL_CORE_VALUE_ARRAY_H

#include "box.h"

typedef struct fibril__entry_pair {
  const char *key;       /* a NUL behind it, and in it where the list is `odd` */
  uint32_t length, hash; /* of the key */
  fibril_value value;
} fibril__pair;

typedef struct fibril__list {
  fibril__box box;
  size_t length, capacity;
  union {
    fibril_value *items; /* of a map: key, value, key, value */
    fibril__pair *pairs;
  } as;
  bool odd; /* a key has a NUL in it */
} fibril__list;

/* An array, a map or a set: its items are in `as.items`. */
static inline bool fibril__has_items(fibril_value value) {
  uint64_t kind = value.tag & FIBRIL__KIND;
  return kind == FIBRIL_ARRAY || kind == FIBRIL_MAP || kind == FIBRIL_SET;
}

/* Room for `count` more items. */
bool fibril__list_grow(fibril__list *list, size_t count);
/* Drops the items; the box is its owner's to free. */
void fibril__list_drop(fibril__list *list, fibril__box **dead);

#endif /* FIBRIL_CORE_VALUE_ARRAY_H */
