/* What JavaScript hears of the coroutines of its thread. */
#ifndef FIBRIL_NODE_ENV_INSPECT_H
#define FIBRIL_NODE_ENV_INSPECT_H

#include "env.h"

bool fibril__inspect_native(fibril__env *self, napi_value native);

#endif /* FIBRIL_NODE_ENV_INSPECT_H */
