/* The Runner, for lib/. */
#ifndef FIBRIL_NODE_TORNADO_RUNNER_H
#define FIBRIL_NODE_TORNADO_RUNNER_H

#include "../env/env.h"

bool fibril__runner_native(fibril__env *self, napi_value native);

#endif /* FIBRIL_NODE_TORNADO_RUNNER_H */
