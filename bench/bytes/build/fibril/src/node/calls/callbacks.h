/* JavaScript functions that other threads call. */
#ifndef FIBRIL_NODE_CALLS_CALLBACKS_H
#define FIBRIL_NODE_CALLS_CALLBACKS_H

#include "to_js.h"

/* The environment's part. */
typedef struct fibril__callbacks {
  fibril__js_waits waits;
  fibril_callback *newest;
} fibril__callbacks;

static inline fibril__callbacks *fibril__callbacks_of(fibril__env *self) {
  return (fibril__callbacks *)self;
}

bool fibril__callbacks_native(fibril__env *self, napi_value native);
/* No call is taken any more; threads that wait for room don't any more. */
void fibril__callbacks_close(fibril__env *self);
/* Every coroutine has ended: no callback has a function any more. */
void fibril__callbacks_end(fibril__env *self);

#endif /* FIBRIL_NODE_CALLS_CALLBACKS_H */
