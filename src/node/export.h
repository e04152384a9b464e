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
  char *name;
  fibril__signature signature;
} fibril__export;

/* Decoded: a parameter's value at its index; an object's properties behind all parameters. */
struct fibril_args {
  const fibril__export *callee;
  fibril_value *values;
};

/* A call that runs: the C side of one promise. */
struct fibril__call {
  fibril_args args;
  fibril__call *next; /* in the list of settled ones, or of free ones */
  fibril_future future;
  fibril__callback done;
  fibril__env *env;
  uint32_t slot;
  bool started; /* the native function that made it has returned to JavaScript */
  bool reused;  /* it goes to the list of free ones */
  fibril_value values[];
};

/* args.c: decodes into args->values, all of which are owned. NULL, or the JavaScript error to
 * reject with. */
napi_value fibril__args_decode(fibril_args *args, const napi_value *argv);
void fibril__args_free(fibril_args *args);

#endif /* FIBRIL_NODE_EXPORT_H */
