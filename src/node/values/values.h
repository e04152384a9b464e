/* What the layer of values keeps for an environment. */
#ifndef FIBRIL_NODE_VALUES_VALUES_H
#define FIBRIL_NODE_VALUES_VALUES_H

#include "../env/env.h"

typedef struct fibril__values {
  fibril__env env;
  struct fibril__reference *dead; /* references whose napi_refs are to be deleted */
  struct fibril__shapes *shapes;  /* of objects; NULL: there has been none */
  napi_value resource;            /* the AsyncResource of what is being brought; NULL: a new one */
  struct {
    struct fibril__memories *memories; /* all copies'; NULL: there was no memory for it */
    struct fibril__lent *lent;         /* buffers of JavaScript's memory */
    fibril_mutex line;                 /* of calls whose large arguments are copied */
    bool adopts;                       /* JavaScript may get C's memory */
  } bytes;
  struct {
    struct fibril__instance *newest; /* of those with a reference left */
    struct fibril__instance *unused; /* to be released */
    struct fibril__instance *loose;  /* whose objects need not be kept any more */
    struct fibril__instance *last;   /* that was found by its object, while it has that */
    int64_t memory; /* by how much what they have outside of JavaScript has changed, untold */
    bool releasing; /* one of `unused` is being released */
    bool unwound;   /* no coroutine is left: it closes */
  } instances;
} fibril__values;

static inline fibril__values *fibril__values_of(fibril__env *self) {
  return (fibril__values *)self;
}

#endif /* FIBRIL_NODE_VALUES_VALUES_H */
