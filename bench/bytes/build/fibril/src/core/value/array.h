/* What arrays and objects hold. */
#ifndef FIBRIL_CORE_VALUE_ARRAY_H
#define FIBRIL_CORE_VALUE_ARRAY_H

#include "box.h"

typedef struct fibril__entry_pair {
  const char *key;
  uint64_t hash; /* of the key */
  fibril_value value;
} fibril__pair;

typedef struct fibril__list {
  fibril__box box;
  size_t length, capacity;
  union {
    fibril_value *items;
    fibril__pair *pairs;
  } as;
} fibril__list;

#endif /* FIBRIL_CORE_VALUE_ARRAY_H */
