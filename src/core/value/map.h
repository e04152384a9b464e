/* Maps and sets that JavaScript has filled. */
#ifndef FIBRIL_CORE_VALUE_MAP_H
#define FIBRIL_CORE_VALUE_MAP_H

#include "array.h"

/* fibril_map_set and fibril_set_add of a key that JavaScript tells from all that are there, while C
 * may not: two dates of one moment, two strings with surrogates that are alone. */
int fibril__map_add(fibril_value map, fibril_value key, fibril_value item);
int fibril__set_add(fibril_value set, fibril_value item);

#endif /* FIBRIL_CORE_VALUE_MAP_H */
