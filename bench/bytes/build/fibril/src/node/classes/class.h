/* Classes, and the native functions behind them. */
#ifndef FIBRIL_NODE_CLASSES_CLASS_H
#define FIBRIL_NODE_CLASSES_CLASS_H

#include "../iterators/iterator.h"

/* The environment's part. */
typedef struct fibril__classes {
  fibril__iterators iterators;
  fibril_class *newest;
} fibril__classes;

static inline fibril__classes *fibril__classes_of(fibril__env *self) {
  return (fibril__classes *)self;
}

struct fibril_class {
  fibril__class_type type;    /* first: instances know nothing else of it */
  fibril__export_owner owner; /* of its constructor and members */
  fibril_class *next;
  fibril_module *module; /* NULL: sealed */
  fibril__export *constructor;
  napi_value js; /* valid during the module's load */
};

static inline const fibril_class *fibril__class_of(const fibril__export *member) {
  return FIBRIL__CONTAINER(const fibril_class, owner, member->owner);
}

#endif /* FIBRIL_NODE_CLASSES_CLASS_H */
