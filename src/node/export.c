/* Exporting functions, the natives of the runtime's JavaScript, and what ends up on a module's
 * exports. */
#include "export.h"
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What the runtime's JavaScript calls ---- */

/* drain(): runs what became ready in this turn and settles what that finished. */
static napi_value native_drain(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (self->exiting) return NULL;
  self->in_js++;
  fibril__loop_run_turn(self->loop);
  fibril__calls_flush(self);
  self->in_js--;
  self->status[FIBRIL__STATUS_TURN] = 0;
  return NULL;
}

/* cancel(slot): asks the coroutine of a pending call to end. */
static napi_value native_cancel(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  size_t argc = 1;
  void *data;
  uint32_t slot;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (!self->exiting && napi_get_value_uint32(env, argv[0], &slot) == napi_ok)
    fibril__call_cancel(self, slot);
  return NULL;
}

static const char *const forms[] = {
    [FIBRIL__FORM_FUNCTION] = "function",       [FIBRIL__FORM_CLASS] = "class",
    [FIBRIL__FORM_CONSTRUCTOR] = "constructor", [FIBRIL__FORM_GETTER] = "getter",
    [FIBRIL__FORM_GENERATOR] = "generator",     [FIBRIL__FORM_ASYNC_GENERATOR] = "asyncGenerator",
};

/* [form, class or undefined, signature] */
static bool describe(fibril__env *self, const fibril__export *entry, napi_value *out) {
  napi_env env = self->env;
  napi_value items[3];
  const char *of = entry->cls == NULL || entry->form == FIBRIL__FORM_CLASS
                       ? NULL
                       : fibril__class_name(entry->cls);
  if (napi_create_string_utf8(env, forms[entry->form], NAPI_AUTO_LENGTH, &items[0]) != napi_ok ||
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
  for (const fibril__export *entry = self->exports; entry != NULL; entry = entry->next) count++;
  bool made = napi_create_array_with_length(env, count, &list) == napi_ok;
  for (const fibril__export *entry = self->exports; entry != NULL && made; entry = entry->next)
    made = describe(self, entry, &item) && napi_set_element(env, list, --count, item) == napi_ok;
  if (made) return list;
  fibril__throw_failure(env);
  return NULL;
}

/* evaluate(text): a script's value, made anew each time. */
static napi_value native_evaluate(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  size_t argc = 1;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  napi_run_script(env, argv[0], &result);
  return result;
}

bool fibril__exports_native(fibril__env *self, napi_value native) {
  napi_property_descriptor properties[] = {
      {"drain", NULL, native_drain, NULL, NULL, NULL, napi_default, self},
      {"cancel", NULL, native_cancel, NULL, NULL, NULL, napi_default, self},
      {"evaluate", NULL, native_evaluate, NULL, NULL, NULL, napi_default, self},
      {"signatures", NULL, native_signatures, NULL, NULL, NULL, napi_default, self},
  };
  return napi_define_properties(self->env, native, sizeof properties / sizeof properties[0],
                                properties) == napi_ok;
}

/* ---- Exporting ---- */

static void entry_free(fibril__export *entry) {
  if (entry == NULL) return;
  fibril__signature_free(&entry->signature);
  free(entry->name);
  free(entry);
}

void fibril__exports_free(fibril__env *self) {
  while (self->exports != NULL) {
    fibril__export *entry = self->exports;
    self->exports = entry->next;
    entry_free(entry);
  }
  fibril__calls_free(&self->calls);
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

bool fibril__export_define(fibril_module *module, fibril__export *entry, napi_callback callback,
                           int js) {
  fibril__env *self = module->env;
  napi_env env = self->env;
  napi_value undefined, args[FIBRIL__EXPORT_ARGS], wrapped;
  return fibril__export_args(entry, callback, args) &&
         napi_get_undefined(env, &undefined) == napi_ok &&
         napi_call_function(env, undefined, fibril__env_function(self, js), FIBRIL__EXPORT_ARGS,
                            args, &wrapped) == napi_ok &&
         napi_set_named_property(env, module->exports, entry->name, wrapped) == napi_ok;
}

int fibril__fail_load(fibril_module *module, const char *what, int code, const char *text,
                      const char *expected, size_t position) {
  fibril_value message =
      expected == NULL ? fibril_error(code, "%s: \"%s\": %s", what, text, fibril_strerror(code))
                       : fibril_error(code, "%s: \"%s\": expected %s at position %zu", what, text,
                                      expected, position);
  bool pending = false;
  napi_is_exception_pending(module->env->env, &pending);
  if (!pending)
    napi_throw_error(module->env->env, "ERR_FIBRIL_SIGNATURE", fibril_error_message(message));
  fibril_value_free(message);
  module->failed = true;
  return code;
}

/* "name", "Class", "Class.name" */
static char *full_name(const fibril_class *cls, const fibril__signature *signature) {
  const char *of = cls == NULL ? "" : fibril__class_name(cls);
  size_t length = strlen(of), room = length + 1 + signature->name_length + 1;
  char *name = malloc(room);
  if (name == NULL) return NULL;
  bool both = length > 0 && signature->name_length > 0;
  snprintf(name, room, "%s%s%.*s", of, both ? "." : "", (int)signature->name_length,
           signature->text);
  return name;
}

fibril__export *fibril__export_new(fibril_module *module, const char *what, fibril__form form,
                                   fibril_class *cls, const char *signature, fibril_export_fn fn,
                                   const fibril_export_options *options) {
  const char *expected = NULL;
  size_t position = 0;
  int err = module->failed || (options != NULL && options->size != sizeof *options) ? UV_EINVAL : 0;
  fibril__export *entry = calloc(1, sizeof *entry);
  if (err == 0 && entry == NULL) err = UV_ENOMEM;
  if (err == 0)
    err = fibril__signature_parse(signature, form, &entry->signature, &expected, &position);
  if (err == 0) {
    entry->stack_class = options == NULL || options->stack_size == 0
                             ? FIBRIL__STACK_DEFAULT_CLASS
                             : fibril__stack_class(options->stack_size);
    if (entry->stack_class < 0) err = entry->stack_class;
  }
  if (err == 0 && (entry->name = full_name(cls, &entry->signature)) == NULL) err = UV_ENOMEM;
  if (err != 0) {
    entry_free(entry);
    if (!module->failed) fibril__fail_load(module, what, err, signature, expected, position);
    return NULL;
  }
  entry->env = module->env;
  entry->cls = cls;
  entry->form = form;
  entry->fn = fn;
  entry->light = entry->signature.plain && cls == NULL;
  entry->room = sizeof(fibril__call) +
                (entry->signature.count + entry->signature.property_count) * sizeof(fibril_value);
  entry->next = module->env->exports;
  module->env->exports = entry;
  return entry;
}

int fibril_export_with(fibril_module *module, const char *signature, fibril_export_fn fn,
                       const fibril_export_options *options) {
  static const char what[] = "fibril_export";
  fibril__export *entry =
      fibril__export_new(module, what, FIBRIL__FORM_FUNCTION, NULL, signature, fn, options);
  if (entry == NULL) return UV_EINVAL;
  if (fibril__export_define(module, entry, fibril__call_begin, FIBRIL__JS_WRAP)) return 0;
  return fibril__fail_load(module, what, UV_ENOMEM, signature, NULL, 0);
}

int fibril_export(fibril_module *module, const char *signature, fibril_export_fn fn) {
  return fibril_export_with(module, signature, fn, NULL);
}

/* ---- The module ---- */

/* For tools: under a symbol, so that nobody meets it. */
static void publish(fibril_module *module) {
  napi_env env = module->env->env;
  napi_value undefined;
  if (module->failed) return;
  if (napi_get_undefined(env, &undefined) == napi_ok &&
      napi_call_function(env, undefined, fibril__env_function(module->env, FIBRIL__JS_PUBLISH), 1,
                         &module->exports, NULL) == napi_ok)
    return;
  fibril__throw_failure(env);
  module->failed = true;
}

void fibril__module_runtime(fibril_module *module) {
  napi_value api;
  if (module->failed) return;
  if (napi_get_reference_value(module->env->env, module->env->api, &api) != napi_ok ||
      napi_set_named_property(module->env->env, module->exports, "runtime", api) != napi_ok) {
    fibril__throw_failure(module->env->env);
    module->failed = true;
  }
}

void *fibril__module_register(void *env, void *exports, void (*init)(fibril_module *module)) {
  fibril_module module = {.exports = exports};
  if (!fibril__env_create(env, &module.env)) return NULL;
  init(&module);
  publish(&module);
  fibril__classes_seal(module.env);
  return exports;
}
