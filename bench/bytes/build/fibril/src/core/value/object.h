#ifndef FIBRIL_CORE_VALUE_OBJECT_H
#define FIBRIL_CORE_VALUE_OBJECT_H

#include "array.h"

/* fibril_object_set with a key that need not end in NUL. */
int fibril__object_set(fibril_value object, const char *key, size_t length, fibril_value item);

#endif /* FIBRIL_CORE_VALUE_OBJECT_H */
