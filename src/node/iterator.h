/* Generators for JavaScript: iterators whose next value a coroutine yields. */
#ifndef FIBRIL_NODE_ITERATOR_H
#define FIBRIL_NODE_ITERATOR_H

#include "export.h"

#define FIBRIL__AHEAD_MAX 65536

/* Its object in JavaScript has it, and its coroutine while there is one: freed when neither is
 * left. */
typedef struct fibril__iterator {
  fibril_generator generator; /* what its function yields to */
  fibril__env *env;           /* NULL: it has ended, and the object's finalizer is still to come */
  struct fibril__iterator *next, **link; /* of the environment's */
  struct fibril__iterator *next_unheld;
  bool queued; /* in the environment's `unheld` */
  bool held;   /* there is an object */
  bool sync;   /* it may not wait */
  bool fresh;  /* next has not been called */
  bool wanted; /* JavaScript waits for an item: `slot` is to be settled */
  bool thrown; /* `sent` is for a yield that is still to come */
  uint32_t slot;
  fibril__wait *yielding; /* of its coroutine, in a yield */
  fibril_value sent;      /* owned: what that yield returns */
  fibril_value result;    /* owned: what its function returned, until somebody has read it */
  uint32_t first, count, capacity, ahead;
  fibril_value *items; /* a ring of those that JavaScript has not asked for; owned */
  fibril_args args;
  fibril_value values[];
} fibril__iterator;

/* Makes one of the arguments of an exported generator: what JavaScript knows it by. */
napi_value fibril__iterator_begin(napi_env env, napi_callback_info info);

/* iterator_export.c: as fibril__export_new. */
fibril__export *fibril__generator_new(fibril_module *module, const char *what, fibril__form form,
                                      fibril_class *cls, const char *signature,
                                      fibril_export_generator_fn fn,
                                      const fibril_export_options *options);

#endif /* FIBRIL_NODE_ITERATOR_H */
