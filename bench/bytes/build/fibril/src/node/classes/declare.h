/* Declaring classes and their members. */
#ifndef FIBRIL_NODE_CLASSES_DECLARE_H
#define FIBRIL_NODE_CLASSES_DECLARE_H

#include "class.h"

/* No class can be added to from here on: the module's load has ended. */
void fibril__classes_seal(fibril__env *self);
void fibril__classes_free(fibril__env *self);

#endif /* FIBRIL_NODE_CLASSES_DECLARE_H */
