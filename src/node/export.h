/* What is exported, functions and classes, and its calls. */
#ifndef FIBRIL_NODE_EXPORT_H
#define FIBRIL_NODE_EXPORT_H

#include "node.h"
#include "signature.h"

struct fibril_module {
  fibril__env *env;
  napi_value exports;
  bool failed; /* an exception is pending */
};

typedef struct fibril__instance fibril__instance;

/* What has a signature: an exported function, or a class's constructor, method or getter. */
typedef struct fibril__export {
  struct fibril__export *next;
  fibril__env *env;
  fibril_class *cls; /* NULL: a function of the module */
  fibril__form form;
  fibril_export_fn fn;
  fibril_export_generator_fn generate; /* of a generator, instead */
  uint32_t ahead;
  int stack_class;
  size_t room; /* of a call, on its coroutine's stack */
  bool light;  /* nothing is to be given back at the end of a call */
  char *name;  /* "name", "Class", "Class.name" */
  fibril__signature signature;
} fibril__export;

/* Decoded: a parameter's value at its index; an object's properties behind all parameters. */
struct fibril_args {
  const fibril__export *callee;
  fibril_value *values;
  fibril__instance *instance; /* of a class; counted, as long as the values are there */
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

/* args_error.c: what went wrong with an argument, in Node's words; as in the runtime's badArgument.
 */
typedef enum { FIBRIL__WRONG_TYPE, FIBRIL__OUT_OF_RANGE, FIBRIL__INVALID_VALUE } fibril__mistake;

/* Where a value is: a parameter, a property or an element of what is outside of it. */
typedef struct fibril__place {
  const struct fibril__place *outer;
  const char *name; /* NULL: an element */
  size_t name_length;
  uint32_t index;
} fibril__place;

/* The Error, or NULL, and then an exception may be pending. `text`: what a number must be, or what
 * is wrong with a value; NULL: the type says it. */
napi_value fibril__bad_argument(fibril__env *self, fibril__mistake mistake,
                                const fibril__place *place, const fibril__type *type,
                                const char *text, napi_value value);

static inline void fibril__args_free(fibril_args *args) {
  if (!args->callee->light) fibril__args_drop(args);
}

/* export.c: parses and registers what is exported; `what` is the public function that does it. NULL
 * when that has failed the module's load. */
fibril__export *fibril__export_new(fibril_module *module, const char *what, fibril__form form,
                                   fibril_class *cls, const char *signature, fibril_export_fn fn,
                                   const fibril_export_options *options);
/* The arguments of the runtime's functions that make JavaScript's side of it: entry, name, how many
 * parameters are required, how many there are, and where the AbortSignal is. */
#define FIBRIL__EXPORT_ARGS 6
bool fibril__export_args(fibril__export *entry, napi_callback callback,
                         napi_value args[FIBRIL__EXPORT_ARGS]);
/* Has the runtime's function `js` wrap the native one, and puts that on the exports. */
bool fibril__export_define(fibril_module *module, fibril__export *entry, napi_callback callback,
                           int js);
int fibril__fail_load(fibril_module *module, const char *what, int code, const char *text,
                      const char *expected, size_t position);

/* calls.c: the native functions behind every exported one, and every method. */
napi_value fibril__call_begin(napi_env env, napi_callback_info info);
napi_value fibril__method_begin(napi_env env, napi_callback_info info);
/* How a result, which is taken, crosses: its kind; a number in *number, what else is not undefined
 * in *out. */
int fibril__result_to_js(fibril__env *self, fibril_value value, double *number, napi_value *out);
/* The same for an error that a call fails with at once. */
napi_value fibril__call_reject(fibril__env *self, fibril_value error);
void fibril__call_cancel(fibril__env *self, uint32_t slot);
/* For who settles a slot that is not a call's: makes room for it, and settles it with the next
 * batch; callable on any stack. */
bool fibril__calls_reserve(fibril__env *self, uint32_t slot);
void fibril__calls_settle(fibril__env *self, uint32_t slot, fibril_value result);
void fibril__calls_free(struct fibril__calls *calls);

/* class.c */
const char *fibril__class_name(const fibril_class *cls);
/* The object of a class behind `object`; NULL with the error in *error when there is none. */
fibril__instance *fibril__instance_of(const fibril_class *cls, napi_value object,
                                      fibril_value *error);
void fibril__instance_ref(fibril__instance *instance);
void fibril__instance_unref(fibril__instance *instance);

#endif /* FIBRIL_NODE_EXPORT_H */
