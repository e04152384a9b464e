/* What a method is called on, for those below the classes: only counted. */
#ifndef FIBRIL_NODE_ARGUMENTS_RECEIVER_H
#define FIBRIL_NODE_ARGUMENTS_RECEIVER_H

#include "fibril.h"

typedef struct fibril__receiver fibril__receiver;
struct fibril__receiver {
  size_t refs;
  /* Nobody has it any more; here may be a coroutine's stack. */
  void (*unused)(fibril__receiver *self);
};

static inline void fibril__receiver_init(fibril__receiver *self,
                                         void (*unused)(fibril__receiver *self)) {
  self->refs = 1;
  self->unused = unused;
}

static inline fibril__receiver *fibril__receiver_ref(fibril__receiver *self) {
  if (self != NULL) self->refs++;
  return self;
}

static inline void fibril__receiver_unref(fibril__receiver *self) {
  if (self != NULL && --self->refs == 0) self->unused(self);
}

#endif /* FIBRIL_NODE_ARGUMENTS_RECEIVER_H */
