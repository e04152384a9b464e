/* What the layer of values keeps for an environment. */
#ifndef FIBRIL_NODE_VALUES_VALUES_H
#define FIBRIL_NODE_VALUES_VALUES_H

#include "../env/env.h"

typedef struct fibril__values {
  fibril__env env;
  struct fibril__reference *dead; /* references whose napi_refs are to be deleted */
  struct fibril__shapes *shapes;  /* of objects; NULL: there has been none */
} fibril__values;

static inline fibril__values *fibril__values_of(fibril__env *self) {
  return (fibril__values *)self;
}

#endif /* FIBRIL_NODE_VALUES_VALUES_H */
