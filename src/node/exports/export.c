/* Exporting: what has a signature is parsed, kept, and put on a module's exports. */
#include "export.h"

#include "../values/to_js.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What tools ask for ---- */

static const char *const form_names[] = {
    [FIBRIL__FORM_FUNCTION] = "function",       [FIBRIL__FORM_CLASS] = "class",
    [FIBRIL__FORM_CONSTRUCTOR] = "constructor", [FIBRIL__FORM_GETTER] = "getter",
    [FIBRIL__FORM_GENERATOR] = "generator",     [FIBRIL__FORM_ASYNC_GENERATOR] = "asyncGenerator",
    [FIBRIL__FORM_CONSTANT] = "constant",
};

/* [form, class or undefined, signature] */
static bool describe_export(fibril__env *self, const fibril__export *entry, napi_value *out) {
  napi_env env = self->env;
  napi_value items[3];
  const char *of = entry->owner == NULL ? NULL : entry->owner->name;
  if (napi_create_string_utf8(env, form_names[entry->form], NAPI_AUTO_LENGTH, &items[0]) !=
          napi_ok ||
      (of == NULL ? napi_get_undefined(env, &items[1])
                  : napi_create_string_utf8(env, of, NAPI_AUTO_LENGTH, &items[1])) != napi_ok ||
      napi_create_string_utf8(env, entry->signature.source, NAPI_AUTO_LENGTH, &items[2]) !=
          napi_ok ||
      napi_create_array(env, out) != napi_ok)
    return false;
  for (uint32_t i = 0; i < 3; i++)
    if (napi_set_element(env, *out, i, items[i]) != napi_ok) return false;
  return true;
}

/* signatures(): those of everything that was exported, the first one first. */
static napi_value native_signatures(napi_env env, napi_callback_info info) {
  void *data;
  napi_value list, item;
  uint32_t count = 0;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (self->exiting) return NULL;
  const fibril__export *newest = fibril__exports_of(self)->newest;
  for (const fibril__export *entry = newest; entry != NULL; entry = entry->next) count++;
  bool made = napi_create_array_with_length(env, count, &list) == napi_ok;
  for (const fibril__export *entry = newest; entry != NULL && made; entry = entry->next)
    made = describe_export(self, entry, &item) &&
           napi_set_element(env, list, --count, item) == napi_ok;
  if (made) return list;
  fibril__throw_failure(env);
  return NULL;
}

bool fibril__exports_native(fibril__env *self, napi_value native) {
  napi_property_descriptor signatures = {"signatures", NULL, native_signatures, NULL,
                                         NULL,         NULL, napi_default,      self};
  return napi_define_properties(self->env, native, 1, &signatures) == napi_ok;
}

/* ---- Exporting ---- */

static void export_free(fibril__export *entry) {
  if (entry == NULL) return;
  fibril__signature_free(&entry->signature);
  free(entry->name);
  free(entry);
}

void fibril__exports_free(fibril__env *self) {
  fibril__exports *exports = fibril__exports_of(self);
  while (exports->newest != NULL) {
    fibril__export *entry = exports->newest;
    exports->newest = entry->next;
    export_free(entry);
  }
}

bool fibril__export_args(fibril__export *entry, napi_callback callback,
                         napi_value args[FIBRIL__EXPORT_ARGS]) {
  napi_env env = entry->env->env;
  const fibril__parameter *key;
  const fibril__signature *signature = &entry->signature;
  int signal = fibril__signature_signal(signature, &key);
  uint32_t required = 0;
  uint32_t fixed = signature->count - signature->rest;
  while (required < fixed && !signature->parameters[required].optional) required++;
  return napi_create_function(env, entry->name, NAPI_AUTO_LENGTH, callback, entry, &args[0]) ==
             napi_ok &&
         napi_create_string_utf8(env, signature->text, signature->name_length, &args[1]) ==
             napi_ok &&
         napi_create_uint32(env, required, &args[2]) == napi_ok &&
         napi_create_int32(env, signature->rest ? ~(int32_t)fixed : (int32_t)fixed, &args[3]) ==
             napi_ok &&
         napi_create_int32(env, signal, &args[4]) == napi_ok &&
         napi_create_string_utf8(env, key == NULL ? "" : key->name,
                                 key == NULL ? 0 : key->name_length, &args[5]) == napi_ok;
}

/* ---- A load that fails ---- */

static int fail_with(fibril_module *module, int code, fibril_value message) {
  bool pending = false;
  napi_is_exception_pending(module->env->env, &pending);
  if (!pending)
    napi_throw_error(module->env->env, "ERR_FIBRIL_SIGNATURE", fibril_error_message(message));
  fibril_value_free(message);
  module->failure = code;
  return code;
}

int fibril__load_expected(fibril_module *module, const char *what, const char *signature,
                          const char *expected, size_t position) {
  return fail_with(module, UV_EINVAL,
                   fibril_error(UV_EINVAL, "%s: \"%s\": expected %s at position %zu", what,
                                signature, expected, position));
}

int fibril__load_failed(fibril_module *module, const char *what, const char *signature, int code) {
  return fail_with(module, code,
                   fibril_error(code, "%s: \"%s\": %s", what, signature, fibril_strerror(code)));
}

int fibril__load_threw(fibril_module *module) {
  fibril__throw_failure(module->env->env);
  module->failure = UV_ENOMEM;
  return UV_ENOMEM;
}

/* ---- Making one ---- */

/* "name", "Class", "Class.name" */
static char *full_name(const fibril__export_owner *owner, const fibril__signature *signature) {
  const char *of = owner == NULL ? "" : owner->name;
  size_t length = strlen(of), room = length + 1 + signature->name_length + 1;
  char *name = malloc(room);
  if (name == NULL) return NULL;
  bool both = length > 0 && signature->name_length > 0;
  snprintf(name, room, "%s%s%.*s", of, both ? "." : "", (int)signature->name_length,
           signature->text);
  return name;
}

/* What of it can fail; *expected and *position say what is wrong with the signature. */
static int fill_in(fibril__export *entry, const fibril__export_spec *spec, const char **expected,
                   size_t *position) {
  const fibril_export_options *options = spec->options;
  int err = options != NULL && options->size != sizeof *options ? UV_EINVAL : 0;
  if (err != 0) return err;
  err = fibril__signature_parse(spec->signature, spec->form, &entry->signature, expected, position);
  if (err != 0) return err;
  entry->stack_class = options == NULL || options->stack_size == 0
                           ? FIBRIL__STACK_DEFAULT_CLASS
                           : fibril__stack_class(options->stack_size);
  if (entry->stack_class < 0) return entry->stack_class;
  entry->name = full_name(spec->owner, &entry->signature);
  return entry->name == NULL ? UV_ENOMEM : 0;
}

fibril__export *fibril__export_new(fibril_module *module, const fibril__export_spec *spec,
                                   size_t size) {
  const char *expected = NULL;
  size_t position = 0;
  if (module->failure != 0) return NULL;
  fibril__export *entry = calloc(1, size);
  int err = entry == NULL ? UV_ENOMEM : fill_in(entry, spec, &expected, &position);
  if (err != 0) {
    export_free(entry);
    if (expected == NULL)
      fibril__load_failed(module, spec->what, spec->signature, err);
    else
      fibril__load_expected(module, spec->what, spec->signature, expected, position);
    return NULL;
  }
  fibril__exports *exports = fibril__exports_of(module->env);
  entry->env = module->env;
  entry->owner = spec->owner;
  entry->form = spec->form;
  entry->fn = spec->fn;
  entry->value_count = entry->signature.count + entry->signature.property_count;
  entry->light = entry->signature.plain && spec->owner == NULL && spec->form != FIBRIL__FORM_CLASS;
  entry->next = exports->newest;
  exports->newest = entry;
  return entry;
}

/* Puts `value`, unless there is none, on the exports. Defined, not set: a name may be `__proto__`.
 */
static int put_on_exports(fibril_module *module, const fibril__export_spec *spec,
                          const fibril__export *entry, napi_value value,
                          napi_property_attributes attributes) {
  const napi_property_descriptor property = {
      .utf8name = entry->name, .value = value, .attributes = attributes};
  if (value != NULL &&
      napi_define_properties(module->env->env, module->exports, 1, &property) == napi_ok)
    return 0;
  return fibril__load_failed(module, spec->what, spec->signature, UV_ENOMEM);
}

int fibril__export_define(fibril_module *module, const fibril__export_spec *spec,
                          fibril__export *entry, napi_callback callback, int js) {
  napi_value args[FIBRIL__EXPORT_ARGS];
  napi_value wrapped = fibril__export_args(entry, callback, args)
                           ? fibril__env_ask(module->env, js, FIBRIL__EXPORT_ARGS, args)
                           : NULL;
  return put_on_exports(module, spec, entry, wrapped, napi_default_jsproperty);
}

/* ---- Constants ---- */

static int fail_with_value(fibril_module *module, const fibril__export_spec *spec,
                           fibril_value value) {
  int code = fibril_error_code(value) == UV_ENOMEM ? UV_ENOMEM : UV_EINVAL;
  return fail_with(module, code,
                   fibril_error(code, "%s: \"%s\": %s", spec->what, spec->signature,
                                fibril_error_message(value)));
}

/* 0, or what has failed the load. */
static int check_name(fibril_module *module, const fibril__export_spec *spec, const char *name) {
  napi_env env = module->env->env;
  napi_value key;
  bool taken = false;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &key) != napi_ok ||
      napi_has_own_property(env, module->exports, key, &taken) != napi_ok)
    return fibril__load_failed(module, spec->what, spec->signature, UV_ENOMEM);
  if (!taken) return 0;
  return fibril__load_expected(module, spec->what, spec->signature, "another name", 0);
}

static int export_constant(fibril_module *module, const fibril__export_spec *spec,
                           fibril_value value) {
  if (module->failure != 0) return module->failure;
  if (fibril__is_error(value)) return fail_with_value(module, spec, value);
  const fibril__export *entry = fibril__export_new(module, spec, sizeof *entry);
  if (entry == NULL) return module->failure;
  int err = check_name(module, spec, entry->name);
  if (err != 0) return err;
  return put_on_exports(module, spec, entry, fibril__to_js(module->env, value), napi_enumerable);
}

int fibril_export_value(fibril_module *module, const char *signature, fibril_value value) {
  const fibril__export_spec spec = {
      .what = "fibril_export_value", .signature = signature, .form = FIBRIL__FORM_CONSTANT};
  value = fibril_value_take(value);
  int err = export_constant(module, &spec, value);
  fibril_value_free(value);
  return err;
}
