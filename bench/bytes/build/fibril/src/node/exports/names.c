/* What a module exports besides functions and classes: values, enums, errors, namespaces, other
 * names. */
#include "names.h"

#include "../values/to_js.h"

#include <stdlib.h>

/* ---- Constants ---- */

static int export_constant(fibril_module *module, const fibril__export_spec *spec,
                           fibril_value value) {
  if (fibril__module_failure(module) != 0) return fibril__module_failure(module);
  if (fibril__is_error(value)) return fibril__load_failed_by(module, spec, value);
  const fibril__export *entry = fibril__export_new(module, spec, sizeof *entry);
  if (entry == NULL) return fibril__module_failure(module);
  int err = fibril__export_check_name(module, spec, entry);
  if (err != 0) return err;
  return fibril__export_put(module, spec, entry, fibril__to_js(module->env, value),
                            napi_enumerable);
}

int fibril__export_constant(fibril_module *module, const fibril__export_spec *spec,
                            fibril_value value) {
  value = fibril_value_take(value);
  int err = export_constant(module, spec, value);
  fibril_value_free(value);
  return err;
}

int fibril_export_value(fibril_module *module, const char *signature, fibril_value value) {
  const fibril__export_spec spec = {
      .what = "fibril_export_value", .signature = signature, .form = FIBRIL__FORM_CONSTANT};
  return fibril__export_constant(module, &spec, value);
}

/* ---- Enums ---- */

typedef struct {
  fibril__export entry;
  fibril__declared declared;
} enum_export;

/* Frozen, as its type says. */
static napi_value enum_to_js(fibril__env *self, const fibril__type *type) {
  napi_value object;
  if (napi_create_object(self->env, &object) != napi_ok) return NULL;
  for (uint32_t i = 0; i < type->property_count; i++) {
    const fibril__parameter *member = &type->properties[i];
    napi_property_descriptor property = {.value = fibril__to_js(self, member->initial),
                                         .attributes = napi_enumerable};
    if (property.value == NULL ||
        napi_create_string_utf8(self->env, member->name, member->name_length, &property.name) !=
            napi_ok ||
        napi_define_properties(self->env, object, 1, &property) != napi_ok)
      return NULL;
  }
  return napi_object_freeze(self->env, object) == napi_ok ? object : NULL;
}

int fibril_export_enum(fibril_module *module, const char *signature) {
  const fibril__export_spec spec = {
      .what = "fibril_export_enum", .signature = signature, .form = FIBRIL__FORM_ENUM};
  fibril__export *entry = fibril__export_new(module, &spec, sizeof(enum_export));
  if (entry == NULL) return fibril__module_failure(module);
  int err = fibril__export_check_name(module, &spec, entry);
  if (err != 0) return err;
  const char *expected = fibril__export_unfit(entry);
  if (expected != NULL) return fibril__load_expected(module, spec.what, signature, expected, 0);
  fibril__declared *declared = &FIBRIL__CONTAINER(enum_export, entry, entry)->declared;
  declared->literals = &entry->signature.parameters[0].type;
  if (!fibril__export_declare(entry, declared))
    return fibril__load_failed(module, spec.what, signature, UV_ENOMEM);
  return fibril__export_put(module, &spec, entry, enum_to_js(module->env, declared->literals),
                            napi_enumerable);
}

/* ---- Classes of errors ---- */

/* The runtime makes errors of the name instances of it. */
static napi_value error_class(fibril__env *self, const fibril__signature *names) {
  napi_value args[2];
  return napi_create_string_utf8(self->env, names->text, names->name_length, &args[0]) == napi_ok &&
                 napi_create_string_utf8(self->env, names->target, names->target_length,
                                         &args[1]) == napi_ok
             ? fibril__env_ask(self, FIBRIL__JS_CREATE_ERROR_CLASS, 2, args)
             : NULL;
}

int fibril_export_error(fibril_module *module, const char *signature) {
  const fibril__export_spec spec = {
      .what = "fibril_export_error", .signature = signature, .form = FIBRIL__FORM_ERROR};
  const fibril__export *entry = fibril__export_new(module, &spec, sizeof *entry);
  if (entry == NULL) return fibril__module_failure(module);
  int err = fibril__export_check_name(module, &spec, entry);
  if (err != 0) return err;
  return fibril__export_put(module, &spec, entry, error_class(module->env, &entry->signature),
                            napi_default_jsproperty);
}

/* ---- Namespaces ---- */

fibril_module *fibril_export_namespace(fibril_module *module, const char *name) {
  const fibril__export_spec spec = {
      .what = "fibril_export_namespace", .signature = name, .form = FIBRIL__FORM_NAMESPACE};
  const fibril__export *entry = fibril__export_new(module, &spec, sizeof *entry);
  if (entry == NULL || fibril__export_check_name(module, &spec, entry) != 0) return NULL;
  fibril_module *space = calloc(1, sizeof *space);
  if (space == NULL || napi_create_object(module->env->env, &space->exports) != napi_ok) {
    free(space);
    fibril__load_failed(module, spec.what, name, UV_ENOMEM);
    return NULL;
  }
  space->env = module->env;
  space->root = module->root;
  space->space = entry->name;
  space->next = module->root->spaces;
  module->root->spaces = space;
  return fibril__export_put(module, &spec, entry, space->exports, napi_enumerable) == 0 ? space
                                                                                        : NULL;
}

void fibril__module_end(fibril_module *module) {
  while (module->spaces != NULL) {
    fibril_module *space = module->spaces;
    module->spaces = space->next;
    free(space);
  }
}

/* ---- Other names ---- */

/* What has been exported under a name; NULL: nothing, and the load has failed. */
static napi_value find_export(fibril_module *module, const fibril__export_spec *spec,
                              const char *name, size_t length) {
  napi_env env = module->env->env;
  napi_value key, value;
  bool has = false;
  if (napi_create_string_utf8(env, name, length, &key) != napi_ok ||
      napi_has_own_property(env, module->exports, key, &has) != napi_ok ||
      napi_get_property(env, module->exports, key, &value) != napi_ok) {
    fibril__load_failed(module, spec->what, spec->signature, UV_ENOMEM);
    return NULL;
  }
  if (has) return value;
  fibril__load_expected(module, spec->what, spec->signature, "the name of something exported",
                        (size_t)(name - spec->signature));
  return NULL;
}

int fibril_export_alias(fibril_module *module, const char *signature) {
  const fibril__export_spec spec = {
      .what = "fibril_export_alias", .signature = signature, .form = FIBRIL__FORM_ALIAS};
  const fibril__export *entry = fibril__export_new(module, &spec, sizeof *entry);
  if (entry == NULL) return fibril__module_failure(module);
  int err = fibril__export_check_name(module, &spec, entry);
  if (err != 0) return err;
  napi_value value =
      find_export(module, &spec, entry->signature.target, entry->signature.target_length);
  if (value == NULL) return fibril__module_failure(module);
  return fibril__export_put(module, &spec, entry, value, napi_default_jsproperty);
}

int fibril_export_default(fibril_module *module, const char *name) {
  const fibril__export_spec spec = {
      .what = "fibril_export_default", .signature = name, .form = FIBRIL__FORM_DEFAULT};
  const fibril__export *entry = fibril__export_new(module, &spec, sizeof *entry);
  if (entry == NULL) return fibril__module_failure(module);
  napi_valuetype type = napi_undefined;
  napi_value value =
      find_export(module, &spec, entry->signature.text, entry->signature.name_length);
  if (value == NULL) return fibril__module_failure(module);
  if (module->root != module || module->standard != NULL)
    return fibril__load_expected(module, spec.what, name, "one default, which is the module's", 0);
  if (napi_typeof(module->env->env, value, &type) != napi_ok || type != napi_function)
    return fibril__load_expected(module, spec.what, name, "a function or a class", 0);
  module->standard = entry;
  return 0;
}

napi_value fibril__module_exports(fibril_module *module) {
  napi_value args[2] = {module->exports};
  const fibril__export *entry = module->standard;
  if (entry == NULL) return module->exports;
  return napi_create_string_utf8(module->env->env, entry->signature.text,
                                 entry->signature.name_length, &args[1]) == napi_ok
             ? fibril__env_ask(module->env, FIBRIL__JS_EXPORTS_OF_DEFAULT, 2, args)
             : NULL;
}
