/* What is exported: whatever has a signature. */
#ifndef FIBRIL_NODE_EXPORTS_EXPORT_H
#define FIBRIL_NODE_EXPORTS_EXPORT_H

#include "../signatures/signature.h"
#include "../values/values.h"

typedef struct fibril__export fibril__export;

/* The environment's part. */
typedef struct fibril__exports {
  fibril__values values;
  fibril__export *newest;           /* of all */
  const fibril__declared *declared; /* the newest of those that are types, too */
} fibril__exports;

static inline fibril__exports *fibril__exports_of(fibril__env *self) {
  return (fibril__exports *)self;
}

/* Of the addon, while it is loaded; or a namespace of it. */
struct fibril_module {
  fibril__env *env;
  napi_value exports;
  fibril_module *root; /* itself, unless it is a namespace */
  const char *space;   /* of a namespace: "a.b" */
  /* Of the root: */
  int failure;           /* why its load has failed, and an exception is pending; 0: it has not */
  fibril_module *spaces; /* all namespaces, by `next` */
  const fibril__export *standard; /* the default export */
  fibril_module *next;
};

/* NULL: a namespace that could not be made. */
static inline int fibril__module_failure(const fibril_module *module) {
  return module == NULL ? UV_EINVAL : module->root->failure;
}

/* What a member belongs to. */
typedef struct fibril__export_owner {
  const char *name;
} fibril__export_owner;

/* What has a signature: the layer that exports it may put more behind this. */
struct fibril__export {
  fibril__export *next;
  fibril__env *env;
  const fibril__export_owner *owner; /* NULL: it is the module's */
  fibril__form form;
  fibril_export_fn fn;
  int stack_class;
  bool copy_at_once;    /* as in its options */
  uint32_t value_count; /* of its arguments: parameters, and the properties of options */
  bool light;           /* nothing is to be given back at the end of a call */
  char *name;           /* "name", "Class", "Class.name"; of a namespace "a.b" */
  char *path;           /* of a type: its name with the namespaces; else NULL */
  const char *space;    /* the namespace it is in, or NULL */
  fibril__signature signature;
};

typedef struct fibril__export_spec {
  const char *what; /* the public function that exports, for messages */
  const char *signature;
  fibril__form form;
  const fibril__export_owner *owner;
  fibril_export_fn fn;
  const fibril_export_options *options;
  napi_value target; /* what it becomes a property of; NULL: the module's exports */
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
/* The same with a value; NULL: it could not be made. */
int fibril__export_put(fibril_module *module, const fibril__export_spec *spec,
                       const fibril__export *entry, napi_value value,
                       napi_property_attributes attributes);
/* Whether its name is free: 0, or an error, which has failed the load. */
int fibril__export_check_name(fibril_module *module, const fibril__export_spec *spec,
                              const fibril__export *entry);
/* What is expected of the name of a type that it does not have; NULL: it will do. */
const char *fibril__export_unfit(const fibril__export *entry);
/* From here on signatures may name it as a type. False without memory. */
bool fibril__export_declare(fibril__export *entry, fibril__declared *declared);
void fibril__exports_free(fibril__env *self);
bool fibril__exports_native(fibril__env *self, napi_value native);

/* ---- What ends a load: each gives the error ---- */

/* What was expected of a signature, and where. */
int fibril__load_expected(fibril_module *module, const char *what, const char *signature,
                          const char *expected, size_t position);
int fibril__load_failed(fibril_module *module, const char *what, const char *signature, int code);
/* Because of an error value, which stays the caller's. */
int fibril__load_failed_by(fibril_module *module, const fibril__export_spec *spec,
                           fibril_value error);
/* Throws, unless an exception is pending. */
int fibril__load_threw(fibril_module *module);

#endif /* FIBRIL_NODE_EXPORTS_EXPORT_H */
