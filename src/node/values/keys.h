/* The key of a property, as C gives it. */
#ifndef FIBRIL_NODE_VALUES_KEYS_H
#define FIBRIL_NODE_VALUES_KEYS_H

#include "../env/env.h"

typedef struct fibril__key {
  const char *name;   /* UTF-8, borrowed; NULL: */
  fibril_value value; /* a string, a number, or a symbol's reference; borrowed */
} fibril__key;

/* Whether it can be one in this environment. */
bool fibril__key_is_one(const fibril__env *self, fibril__key key);
/* As fibril__to_js. */
napi_value fibril__key_to_js(fibril__env *self, fibril__key key);

#endif /* FIBRIL_NODE_VALUES_KEYS_H */
