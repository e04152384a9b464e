/* Generators for JavaScript: iterators whose next value a coroutine yields. */
#ifndef FIBRIL_NODE_ITERATORS_ITERATOR_H
#define FIBRIL_NODE_ITERATORS_ITERATOR_H

#include "../../core/future/drive.h"
#include "../calls/callbacks.h"
#include "export.h"

typedef struct fibril__iterator fibril__iterator;

/* The environment's part. */
typedef struct fibril__iterators {
  fibril__callbacks callbacks;
  fibril__iterator *newest; /* of all that have not been discarded */
  fibril__iterator *unheld; /* those whose objects have been collected: to be ended */
} fibril__iterators;

static inline fibril__iterators *fibril__iterators_of(fibril__env *self) {
  return (fibril__iterators *)self;
}

/* Ends what no object has any more. */
void fibril__iterators_collect(fibril__env *self);
/* Every coroutine has ended. */
void fibril__iterators_end(fibril__env *self);

/* Its object in JavaScript has it, and its coroutine while there is one: freed when neither is
 * left. */
struct fibril__iterator {
  fibril__drive drive; /* its coroutine, and what that has yielded */
  fibril__env *env;    /* NULL: it has ended, and the object's finalizer is still to come */
  fibril__iterator *next, **link; /* of the environment's */
  fibril__iterator *next_unheld;
  bool queued;   /* in the environment's `unheld` */
  bool held;     /* there is an object */
  uint32_t slot; /* to be settled when there is an item that JavaScript waits for, or the end */
  fibril_args args;
  fibril_value values[];
};

/* Held by an object that is to come. NULL without memory. */
fibril__iterator *fibril__iterator_new(const fibril__export *callee, fibril__instance *receiver);
/* Its object has been collected: only queues. */
void fibril__iterator_release(fibril__iterator *iterator);
/* No object came of it; `decoded`: it has its arguments. */
void fibril__iterator_abandon(fibril__iterator *iterator, bool decoded);

/* The items are dropped, and the yield it is in or the next one returns `error`, which is owned;
 * one that is fresh just ends. False: it has ended. */
bool fibril__iterator_throw(fibril__iterator *iterator, fibril_value error);
/* Lets it unwind: the items are dropped, yields are refused. */
void fibril__iterator_unwind(fibril__iterator *iterator);

#endif /* FIBRIL_NODE_ITERATORS_ITERATOR_H */
