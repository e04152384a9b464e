/* What is behind an object of a class: a counted header with the struct of the addon's author. The
 * object has one reference, each running method another. */
#ifndef FIBRIL_NODE_CLASSES_INSTANCE_H
#define FIBRIL_NODE_CLASSES_INSTANCE_H

#include "../iterators/iterator.h"

#include <stdalign.h>
#include <stddef.h>

typedef struct fibril__instance fibril__instance;

/* The environment's part. */
typedef struct fibril__instances {
  fibril__iterators iterators;
  fibril__instance *newest; /* of those with a reference left */
  fibril__instance *unused; /* to be released */
  bool unwound;             /* no coroutine is left: it closes */
} fibril__instances;

static inline fibril__instances *fibril__instances_of(fibril__env *self) {
  return (fibril__instances *)self;
}

struct fibril__instance {
  fibril__receiver receiver;
  fibril__instance *next, **link; /* of the environment's; `next` also in `unused` */
  fibril__env *env;               /* counted */
  void (*release)(void *state);
  bool wrapped; /* there is an object, whose finalizer will come */
  bool released;
  alignas(max_align_t) char state[];
};

/* With one reference. NULL without memory. */
fibril__instance *fibril__instance_new(fibril__env *self, size_t state_size,
                                       void (*release)(void *state));
/* Gives the reference to an object, or fails and leaves it. */
bool fibril__instance_wrap(fibril__instance *instance, napi_value object);
/* Releases what no object, method or reference has any more. */
void fibril__instances_release(fibril__env *self);
/* Every coroutine has ended: the objects that are left are collected, so to speak. */
void fibril__instances_end(fibril__env *self);

#endif /* FIBRIL_NODE_CLASSES_INSTANCE_H */
