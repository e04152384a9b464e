/* What is exported: whatever has a signature. */
#ifndef FIBRIL_NODE_EXPORTS_EXPORT_H
#define FIBRIL_NODE_EXPORTS_EXPORT_H

#include "../signatures/signature.h"
#include "../values/values.h"

typedef struct fibril__export fibril__export;

/* The environment's part. */
typedef struct fibril__exports {
  fibril__values values;
  fibril__export *newest; /* of all */
} fibril__exports;

static inline fibril__exports *fibril__exports_of(fibril__env *self) {
  return (fibril__exports *)self;
}

/* Of the addon, while it is loaded. */
struct fibril_module {
  fibril__env *env;
  napi_value exports;
  int failure; /* why its load has failed, and an exception is pending; 0: it has not */
};

/* What a member belongs to. */
typedef struct fibril__export_owner {
  const char *name;
} fibril__export_owner;

/* An exported function, a generator, a class, or a class's constructor, method or getter: the layer
 * that exports it may put more behind this. */
struct fibril__export {
  fibril__export *next;
  fibril__env *env;
  const fibril__export_owner *owner; /* NULL: it is the module's */
  fibril__form form;
  fibril_export_fn fn;
  int stack_class;
  uint32_t value_count; /* of its arguments: parameters, and the properties of options */
  bool light;           /* nothing is to be given back at the end of a call */
  char *name;           /* "name", "Class", "Class.name" */
  fibril__signature signature;
};

typedef struct fibril__export_spec {
  const char *what; /* the public function that exports, for messages */
  const char *signature;
  fibril__form form;
  const fibril__export_owner *owner;
  fibril_export_fn fn;
  const fibril_export_options *options;
} fibril__export_spec;

/* Parses and registers it, at the beginning of `size` bytes. NULL when that has failed the module's
 * load. */
fibril__export *fibril__export_new(fibril_module *module, const fibril__export_spec *spec,
                                   size_t size);
/* The arguments of the runtime's functions that make JavaScript's side of it: entry, name, how many
 * parameters are required, how many there are, and where the AbortSignal is. */
#define FIBRIL__EXPORT_ARGS 6
bool fibril__export_args(fibril__export *entry, napi_callback callback,
                         napi_value args[FIBRIL__EXPORT_ARGS]);
/* Has the runtime's function `js` wrap the native one, and puts that on the exports: 0 or an error,
 * which has failed the load. */
int fibril__export_define(fibril_module *module, const fibril__export_spec *spec,
                          fibril__export *entry, napi_callback callback, int js);
void fibril__exports_free(fibril__env *self);
bool fibril__exports_native(fibril__env *self, napi_value native);

/* ---- What ends a load: each gives the error ---- */

/* What was expected of a signature, and where. */
int fibril__load_expected(fibril_module *module, const char *what, const char *signature,
                          const char *expected, size_t position);
int fibril__load_failed(fibril_module *module, const char *what, const char *signature, int code);
/* Throws, unless an exception is pending. */
int fibril__load_threw(fibril_module *module);

#endif /* FIBRIL_NODE_EXPORTS_EXPORT_H */
