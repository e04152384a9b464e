/* C's bytes as JavaScript's. */
#ifndef FIBRIL_NODE_VALUES_ADOPT_H
#define FIBRIL_NODE_VALUES_ADOPT_H

#include "../env/env.h"

/* As fibril__to_js. */
napi_value fibril__bytes_to_js(fibril__env *self, fibril_value value);

/* The environment's part. */
bool fibril__adopt_native(fibril__env *self, napi_value native);
void fibril__adopt_end(fibril__env *self);

#endif /* FIBRIL_NODE_VALUES_ADOPT_H */
