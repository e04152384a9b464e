/* Exported functions and their calls. */
#ifndef FIBRIL_NODE_EXPORT_H
#define FIBRIL_NODE_EXPORT_H

#include "node.h"
#include "signature.h"

typedef struct fibril__export {
  struct fibril__export *next;
  fibril__env *env;
  fibril_export_fn fn;
  int stack_class;
  size_t room; /* of a call, on its coroutine's stack */
  char *name;
  fibril__signature signature;
} fibril__export;

/* Decoded: a parameter's value at its index; an object's properties behind all parameters. */
struct fibril_args {
  const fibril__export *callee;
  fibril_value *values;
};

/* A call under way, at the top of its coroutine's stack. */
typedef struct fibril__call {
  fibril_args args;
  struct fibril__outcome *outcome; /* of the native function's that runs the first segment */
  uint32_t slot;
  fibril_value values[];
} fibril__call;

/* A call that has ended, for JavaScript to be told. */
typedef struct fibril__settled {
  fibril_value result; /* owned */
  uint32_t slot;
} fibril__settled;

/* args.c: decodes into args->values, all of which are owned. FIBRIL__CALL_PENDING, or of what kind
 * *error is, to reject with, and nothing is left to free. */
int fibril__args_decode(fibril_args *args, const napi_value *argv, napi_value *error);
void fibril__args_drop(fibril_args *args);
static inline void fibril__args_free(fibril_args *args) {
  if (!args->callee->signature.plain) fibril__args_drop(args);
}

/* calls.c: the native function behind every exported one. */
napi_value fibril__call_begin(napi_env env, napi_callback_info info);
void fibril__call_cancel(fibril__env *self, uint32_t slot);
void fibril__calls_free(struct fibril__calls *calls);

#endif /* FIBRIL_NODE_EXPORT_H */
