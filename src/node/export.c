/* Exporting functions, the natives of the runtime's JavaScript, and what ends up on a module's
 * exports. */
#include "export.h"
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

struct fibril_module {
  fibril__env *env;
  napi_value exports;
  bool failed; /* an exception is pending */
};

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

typedef struct {
  fibril__env *env;
  napi_value list;
  uint32_t count;
} listing;

static void list_waiting(const char *name, const char *waits_for, void *arg) {
  listing *waiting = arg;
  fibril_value text = fibril_error(0, "%s waits for %s", name[0] == '\0' ? "a coroutine" : name,
                                   waits_for == NULL ? "its turn" : waits_for);
  napi_value string;
  if (napi_create_string_utf8(waiting->env->env, fibril_error_message(text), NAPI_AUTO_LENGTH,
                              &string) == napi_ok)
    napi_set_element(waiting->env->env, waiting->list, waiting->count++, string);
  fibril_value_free(text);
}

/* waiting(): a line for every coroutine that has not ended. */
static napi_value native_waiting(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  listing waiting = {.env = data};
  if (waiting.env->exiting || napi_create_array(env, &waiting.list) != napi_ok) return NULL;
  fibril_loop_inspect(waiting.env->loop, list_waiting, &waiting);
  return waiting.list;
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
      {"waiting", NULL, native_waiting, NULL, NULL, NULL, napi_default, self},
  };
  return napi_define_properties(self->env, native, sizeof properties / sizeof properties[0],
                                properties) == napi_ok;
}

/* ---- Exporting ---- */

void fibril__exports_free(fibril__env *self) {
  while (self->exports != NULL) {
    fibril__export *entry = self->exports;
    self->exports = entry->next;
    free(entry->name);
    free(entry);
  }
  fibril__calls_free(&self->calls);
}

/* The index of the parameter that has an AbortSignal: itself, or as the property *key. -1: none. */
static int find_signal(const fibril__signature *signature, const fibril__parameter **key) {
  *key = NULL;
  for (uint32_t i = 0; i < signature->count; i++) {
    const fibril__parameter *parameter = &signature->parameters[i];
    if (parameter->type == FIBRIL__TYPE_SIGNAL) return (int)i;
    for (uint32_t j = parameter->first; j < parameter->first + parameter->count; j++) {
      if (signature->properties[j].type != FIBRIL__TYPE_SIGNAL) continue;
      *key = &signature->properties[j];
      return (int)i;
    }
  }
  return -1;
}

/* Wraps the native function in one that makes the promise, and puts that on the exports. */
static bool define(fibril_module *module, fibril__export *entry) {
  fibril__env *self = module->env;
  napi_env env = self->env;
  const fibril__parameter *key;
  napi_value undefined, args[6], wrapped;
  int signal = find_signal(&entry->signature, &key);
  uint32_t required = 0;
  while (required < entry->signature.count && !entry->signature.parameters[required].optional)
    required++;
  return napi_get_undefined(env, &undefined) == napi_ok &&
         napi_create_function(env, entry->name, NAPI_AUTO_LENGTH, fibril__call_begin, entry,
                              &args[0]) == napi_ok &&
         napi_create_string_utf8(env, entry->name, NAPI_AUTO_LENGTH, &args[1]) == napi_ok &&
         napi_create_uint32(env, required, &args[2]) == napi_ok &&
         napi_create_uint32(env, entry->signature.count, &args[3]) == napi_ok &&
         napi_create_int32(env, signal, &args[4]) == napi_ok &&
         napi_create_string_utf8(env, key == NULL ? "" : key->name,
                                 key == NULL ? 0 : key->name_length, &args[5]) == napi_ok &&
         napi_call_function(env, undefined, fibril__env_function(self, FIBRIL__JS_WRAP), 6, args,
                            &wrapped) == napi_ok &&
         napi_set_named_property(env, module->exports, entry->name, wrapped) == napi_ok;
}

static int fail_load(fibril_module *module, int code, const char *signature, const char *expected,
                     size_t position) {
  fibril_value message =
      expected == NULL
          ? fibril_error(code, "fibril_export: \"%s\": %s", signature, fibril_strerror(code))
          : fibril_error(code, "fibril_export: \"%s\": expected %s at position %zu", signature,
                         expected, position);
  bool pending = false;
  napi_is_exception_pending(module->env->env, &pending);
  if (!pending)
    napi_throw_error(module->env->env, "ERR_FIBRIL_SIGNATURE", fibril_error_message(message));
  fibril_value_free(message);
  module->failed = true;
  return code;
}

int fibril_export_with(fibril_module *module, const char *signature, fibril_export_fn fn,
                       const fibril_export_options *options) {
  if (module->failed) return UV_EINVAL;
  if (options != NULL && options->size != sizeof *options)
    return fail_load(module, UV_EINVAL, signature, NULL, 0);
  const char *expected = NULL;
  size_t position = 0;
  fibril__export *entry = calloc(1, sizeof *entry);
  if (entry == NULL) return fail_load(module, UV_ENOMEM, signature, NULL, 0);
  int err = fibril__signature_parse(signature, &entry->signature, &expected, &position);
  entry->stack_class = options == NULL || options->stack_size == 0
                           ? FIBRIL__STACK_DEFAULT_CLASS
                           : fibril__stack_class(options->stack_size);
  if (err == 0 && entry->stack_class < 0) err = entry->stack_class;
  if (err == 0) {
    entry->name = strndup(entry->signature.text, entry->signature.name_length);
    if (entry->name == NULL) err = UV_ENOMEM;
  }
  if (err != 0) {
    free(entry);
    return fail_load(module, err, signature, expected, position);
  }
  entry->env = module->env;
  entry->fn = fn;
  entry->room = sizeof(fibril__call) +
                (entry->signature.count + entry->signature.property_count) * sizeof(fibril_value);
  entry->next = module->env->exports;
  module->env->exports = entry;
  return define(module, entry) ? 0 : fail_load(module, UV_ENOMEM, signature, NULL, 0);
}

int fibril_export(fibril_module *module, const char *signature, fibril_export_fn fn) {
  return fibril_export_with(module, signature, fn, NULL);
}

/* ---- The module ---- */

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
  return exports;
}
