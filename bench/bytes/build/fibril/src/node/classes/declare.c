/* Classes are declared while a module is loaded: an ordinary class of JavaScript, whose members are
 * exported functions. */
#include "declare.h"

#include "../exports/names.h"
#include "begin.h"

#include <stdlib.h>
#include <string.h>

void fibril__classes_seal(fibril__env *self) {
  fibril_class *cls = fibril__classes_of(self)->newest;
  for (; cls != NULL; cls = cls->next) cls->module = NULL;
}

void fibril__classes_free(fibril__env *self) {
  fibril__classes *classes = fibril__classes_of(self);
  while (classes->newest != NULL) {
    fibril_class *cls = classes->newest;
    classes->newest = cls->next;
    fibril__drop_reference(self->env, cls->type.js);
    free(cls);
  }
}

/* Two classes never have the same: it holds the address of this one. */
static napi_type_tag tag_of(const fibril_class *cls) {
  return (napi_type_tag){0x66696272696c2063u, (uint64_t)(uintptr_t)cls};
}

/* JavaScript's side of it. */
static bool make_class(fibril_class *cls) {
  napi_env env = cls->type.env->env;
  const char *name = cls->owner.name;
  napi_value args[2];
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, fibril__constructor_begin, cls, &args[0]) !=
          napi_ok ||
      napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &args[1]) != napi_ok)
    return false;
  cls->js = fibril__env_ask(cls->type.env, FIBRIL__JS_CREATE_CLASS, 2, args);
  return cls->js != NULL && napi_create_reference(env, cls->js, 1, &cls->type.js) == napi_ok;
}

static fibril_class *class_new(fibril_module *module, fibril__export *entry,
                               const fibril_class_options *options) {
  fibril_class *cls = calloc(1, sizeof *cls);
  if (cls == NULL) return NULL;
  fibril__classes *classes = fibril__classes_of(module->env);
  cls->owner = (fibril__export_owner){entry->name};
  cls->module = module;
  cls->constructor = entry;
  cls->type.env = module->env;
  cls->type.state_size = options == NULL ? 0 : options->state_size;
  cls->type.release = options == NULL ? NULL : options->release;
  cls->type.tag = tag_of(cls);
  cls->next = classes->newest;
  classes->newest = cls;
  return fibril__export_declare(entry, &cls->type.declared) ? cls : NULL;
}

fibril_class *fibril_export_class(fibril_module *module, const char *name,
                                  const fibril_class_options *options) {
  const fibril__export_spec spec = {
      .what = "fibril_export_class", .signature = name, .form = FIBRIL__FORM_CLASS};
  if (fibril__module_failure(module) != 0) return NULL;
  if (options != NULL && options->size != sizeof *options) {
    fibril__load_failed(module, spec.what, name, UV_EINVAL);
    return NULL;
  }
  fibril__export *entry = fibril__export_new(module, &spec, sizeof *entry);
  if (entry == NULL || fibril__export_check_name(module, &spec, entry) != 0) return NULL;
  const char *expected = fibril__export_unfit(entry);
  if (expected != NULL) {
    fibril__load_expected(module, spec.what, name, expected, 0);
    return NULL;
  }
  fibril_class *cls = class_new(module, entry, options);
  if (cls == NULL || !make_class(cls)) {
    fibril__load_failed(module, spec.what, name, UV_ENOMEM);
    return NULL;
  }
  return fibril__export_put(module, &spec, entry, cls->js, napi_default_jsproperty) == 0 ? cls
                                                                                         : NULL;
}

/* ---- Members ---- */

/* Whether members can be added: its load has neither failed nor ended. */
static bool is_open(const fibril_class *cls) {
  return cls != NULL && cls->module != NULL && fibril__module_failure(cls->module) == 0;
}

/* That would no longer be the class. */
static bool is_constructor(const fibril__export *entry) {
  static const char name[] = "constructor";
  return entry->signature.name_length == sizeof name - 1 &&
         memcmp(entry->signature.text, name, sizeof name - 1) == 0;
}

/* The runtime's function `js` makes JavaScript's side of a member: from `count` arguments and the
 * class. */
static int define_member(fibril_class *cls, const fibril__export_spec *spec, fibril__export *entry,
                         napi_callback begin, int js, size_t count) {
  napi_value args[FIBRIL__EXPORT_ARGS + 1];
  if (entry == NULL) return fibril__module_failure(cls->module);
  if (is_constructor(entry))
    return fibril__load_expected(cls->module, spec->what, spec->signature, "another name", 0);
  if (!fibril__export_args(entry, begin, args))
    return fibril__load_failed(cls->module, spec->what, spec->signature, UV_ENOMEM);
  args[count] = cls->js;
  if (fibril__env_ask(cls->type.env, js, count + 1, args) != NULL) return 0;
  return fibril__load_failed(cls->module, spec->what, entry->signature.text, UV_ENOMEM);
}

int fibril_class_constructor(fibril_class *cls, const char *signature, fibril_export_fn fn) {
  static const char what[] = "fibril_class_constructor";
  const fibril__parameter *key;
  if (!is_open(cls)) return UV_EINVAL;
  const fibril__export_spec spec = {.what = what,
                                    .signature = signature,
                                    .form = FIBRIL__FORM_CONSTRUCTOR,
                                    .owner = &cls->owner,
                                    .fn = fn};
  fibril__export *entry = fibril__export_new(cls->module, &spec, sizeof *entry);
  if (entry == NULL) return fibril__module_failure(cls->module);
  if (fibril__signature_signal(&entry->signature, &key) >= 0)
    return fibril__load_expected(cls->module, what, signature, "no AbortSignal", 0);
  if (cls->constructor->form == FIBRIL__FORM_CONSTRUCTOR)
    return fibril__load_expected(cls->module, what, signature, "one constructor", 0);
  napi_value args[FIBRIL__EXPORT_ARGS];
  if (!fibril__export_args(entry, fibril__constructor_begin, args))
    return fibril__load_failed(cls->module, what, signature, UV_ENOMEM);
  napi_property_descriptor length = {
      .utf8name = "length", .value = args[2], .attributes = napi_configurable};
  if (napi_define_properties(cls->type.env->env, cls->js, 1, &length) != napi_ok)
    return fibril__load_failed(cls->module, what, signature, UV_ENOMEM);
  cls->constructor = entry;
  return 0;
}

int fibril_class_method(fibril_class *cls, const char *signature, fibril_export_fn fn,
                        const fibril_export_options *options) {
  if (!is_open(cls)) return UV_EINVAL;
  const fibril__export_spec spec = {.what = "fibril_class_method",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_FUNCTION,
                                    .owner = &cls->owner,
                                    .fn = fn,
                                    .options = options};
  fibril__export *entry = fibril__export_new(cls->module, &spec, sizeof *entry);
  bool synchronous = entry != NULL && entry->signature.synchronous;
  return define_member(cls, &spec, entry, synchronous ? fibril__method_now : fibril__method_begin,
                       synchronous ? FIBRIL__JS_ADD_METHOD_NOW : FIBRIL__JS_ADD_METHOD,
                       FIBRIL__EXPORT_ARGS);
}

static int add_generator(fibril_class *cls, const fibril__export_spec *spec,
                         fibril_export_generator_fn fn, int js) {
  return define_member(cls, spec, fibril__generator_new(cls->module, spec, fn),
                       fibril__generator_method_begin, js, FIBRIL__EXPORT_ARGS);
}

int fibril_class_generator(fibril_class *cls, const char *signature, fibril_export_generator_fn fn,
                           const fibril_export_options *options) {
  if (!is_open(cls)) return UV_EINVAL;
  const fibril__export_spec spec = {.what = "fibril_class_generator",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_GENERATOR,
                                    .owner = &cls->owner,
                                    .options = options};
  return add_generator(cls, &spec, fn, FIBRIL__JS_WRAP_GENERATOR);
}

int fibril_class_async_generator(fibril_class *cls, const char *signature,
                                 fibril_export_generator_fn fn,
                                 const fibril_export_options *options) {
  if (!is_open(cls)) return UV_EINVAL;
  const fibril__export_spec spec = {.what = "fibril_class_async_generator",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_ASYNC_GENERATOR,
                                    .owner = &cls->owner,
                                    .options = options};
  return add_generator(cls, &spec, fn, FIBRIL__JS_WRAP_ASYNC_GENERATOR);
}

int fibril_class_getter(fibril_class *cls, const char *signature, fibril_export_fn fn) {
  if (!is_open(cls)) return UV_EINVAL;
  const fibril__export_spec spec = {.what = "fibril_class_getter",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_GETTER,
                                    .owner = &cls->owner,
                                    .fn = fn};
  return define_member(cls, &spec, fibril__export_new(cls->module, &spec, sizeof(fibril__export)),
                       fibril__getter_begin, FIBRIL__JS_ADD_GETTER, 2);
}

int fibril_class_setter(fibril_class *cls, const char *signature, fibril_export_fn fn) {
  if (!is_open(cls)) return UV_EINVAL;
  const fibril__export_spec spec = {.what = "fibril_class_setter",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_SETTER,
                                    .owner = &cls->owner,
                                    .fn = fn};
  return define_member(cls, &spec, fibril__export_new(cls->module, &spec, sizeof(fibril__export)),
                       fibril__method_now, FIBRIL__JS_ADD_SETTER, 2);
}

int fibril_class_alias(fibril_class *cls, const char *signature) {
  static const char what[] = "fibril_class_alias";
  if (!is_open(cls)) return UV_EINVAL;
  const fibril__export_spec spec = {
      .what = what, .signature = signature, .form = FIBRIL__FORM_ALIAS, .owner = &cls->owner};
  const fibril__export *entry = fibril__export_new(cls->module, &spec, sizeof *entry);
  if (entry == NULL) return fibril__module_failure(cls->module);
  const fibril__signature *names = &entry->signature;
  napi_env env = cls->type.env->env;
  napi_value args[3] = {NULL, NULL, cls->js};
  if (is_constructor(entry))
    return fibril__load_expected(cls->module, what, signature, "another name", 0);
  if (napi_create_string_utf8(env, names->text, names->name_length, &args[0]) == napi_ok &&
      napi_create_string_utf8(env, names->target, names->target_length, &args[1]) == napi_ok &&
      fibril__env_ask(cls->type.env, FIBRIL__JS_ADD_ALIAS, 3, args) != NULL)
    return 0;
  return fibril__load_failed(cls->module, what, signature, UV_ENOMEM);
}

/* ---- What the class itself has ---- */

int fibril_class_static(fibril_class *cls, const char *signature, fibril_export_fn fn,
                        const fibril_export_options *options) {
  if (!is_open(cls)) return UV_EINVAL;
  const fibril__export_spec spec = {.what = "fibril_class_static",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_STATIC,
                                    .owner = &cls->owner,
                                    .fn = fn,
                                    .options = options,
                                    .target = cls->js};
  return fibril__export_function(cls->module, &spec);
}

int fibril_class_value(fibril_class *cls, const char *signature, fibril_value value) {
  if (!is_open(cls)) {
    fibril_value_free(fibril_value_take(value));
    return UV_EINVAL;
  }
  const fibril__export_spec spec = {.what = "fibril_class_value",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_CONSTANT,
                                    .owner = &cls->owner,
                                    .target = cls->js};
  return fibril__export_constant(cls->module, &spec, value);
}
