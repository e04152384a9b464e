/* The shapes of objects that are made in C. */
#ifndef FIBRIL_NODE_VALUES_SHAPES_H
#define FIBRIL_NODE_VALUES_SHAPES_H

#include "../env/env.h"

/* The function that makes such objects of their members, or NULL: there is none, yet. */
napi_value fibril__object_maker(fibril__env *self, fibril_value object);
void fibril__shapes_free(fibril__env *self);

#endif /* FIBRIL_NODE_VALUES_SHAPES_H */
