/* The loop as JavaScript's IOLoop, for lib/. */
#ifndef FIBRIL_NODE_TORNADO_IOLOOP_H
#define FIBRIL_NODE_TORNADO_IOLOOP_H

#include "../classes/class.h"

/* The environment's part. */
typedef struct fibril__ioloops {
  fibril__classes classes;
  struct fibril__ioloop *newest;
} fibril__ioloops;

static inline fibril__ioloops *fibril__ioloops_of(fibril__env *self) {
  return (fibril__ioloops *)self;
}

bool fibril__ioloop_native(fibril__env *self, napi_value native);
void fibril__ioloops_free(fibril__env *self);

#endif /* FIBRIL_NODE_TORNADO_IOLOOP_H */
