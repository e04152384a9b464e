/* What an environment has whatever it is used for: its loop, words that it shares with JavaScript,
 * the runtime's functions, and the ways to call them. */
#include "env.h"

#include <stdlib.h>

/* ---- Life ---- */

static bool make_async_context(fibril__env *self) {
  napi_value resource, name;
  return napi_create_object(self->env, &resource) == napi_ok &&
         napi_create_string_utf8(self->env, "FIBRIL", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_reference(self->env, resource, 1, &self->resource) == napi_ok &&
         napi_async_init(self->env, resource, name, &self->async) == napi_ok;
}

bool fibril__env_begin(fibril__env *self, napi_env env, fibril_loop *loop) {
  self->env = env;
  self->loop = loop;
  self->refs = 1;
  return make_async_context(self);
}

/* evaluate(text): a script's value, made anew each time. */
static napi_value native_evaluate(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  size_t argc = 1;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  napi_run_script(env, argv[0], &result);
  return result;
}

bool fibril__env_native(fibril__env *self, napi_value native) {
  napi_property_descriptor evaluate = {"evaluate", NULL, native_evaluate, NULL,
                                       NULL,       NULL, napi_default,    self};
  return fibril__env_share(self, native, "status", napi_int32_array, FIBRIL__STATUS_WORDS, 4,
                           &self->status, &self->shared[0]) &&
         fibril__env_share(self, native, "immediate", napi_float64_array, 1, 8, &self->immediate,
                           &self->shared[1]) &&
         napi_define_properties(self->env, native, 1, &evaluate) == napi_ok;
}

bool fibril__env_keep_functions(fibril__env *self, napi_value runtime) {
#define FUNCTION_NAME(name, js) #js,
  static const char *const names[] = {FIBRIL__RUNTIME_FUNCTIONS(FUNCTION_NAME)};
#undef FUNCTION_NAME
  napi_value value;
  for (int i = 0; i < FIBRIL__JS_FUNCTIONS; i++)
    if (napi_get_named_property(self->env, runtime, names[i], &value) != napi_ok ||
        napi_create_reference(self->env, value, 1, &self->functions[i]) != napi_ok)
      return false;
  return true;
}

void fibril__env_exit(fibril__env *self) {
  self->exiting = true;
  self->barred = true;
}

/* Node empties the references of an environment that ends, but leaves them to their owners. */
void fibril__env_end(fibril__env *self) {
  for (int i = 0; i < FIBRIL__JS_FUNCTIONS; i++)
    fibril__drop_reference(self->env, self->functions[i]);
  for (size_t i = 0; i < sizeof self->shared / sizeof self->shared[0]; i++)
    fibril__drop_reference(self->env, self->shared[i]);
  fibril__drop_reference(self->env, self->resource);
  if (self->async != NULL) napi_async_destroy(self->env, self->async);
  self->loop = NULL;
  fibril__env_unref(self);
}

void fibril__env_unref(fibril__env *self) {
  if (--self->refs == 0) free(self);
}

void fibril__drop_reference(napi_env env, napi_ref ref) {
  if (ref != NULL) napi_delete_reference(env, ref);
}

bool fibril__env_share(fibril__env *self, napi_value native, const char *name,
                       napi_typedarray_type type, size_t count, size_t size, void *data,
                       napi_ref *ref) {
  napi_value buffer, array;
  return napi_create_arraybuffer(self->env, count * size, (void **)data, &buffer) == napi_ok &&
         napi_create_typedarray(self->env, type, count, buffer, 0, &array) == napi_ok &&
         napi_create_reference(self->env, buffer, 1, ref) == napi_ok &&
         napi_set_named_property(self->env, native, name, array) == napi_ok;
}

/* ---- Calling into JavaScript ---- */

napi_value fibril__env_undefined(fibril__env *self) {
  napi_value value = NULL;
  napi_get_undefined(self->env, &value);
  return value;
}

napi_value fibril__env_function(fibril__env *self, int function) {
  napi_value value = NULL;
  napi_get_reference_value(self->env, self->functions[function], &value);
  return value;
}

napi_status fibril__env_call(fibril__env *self, napi_value function, size_t argc,
                             const napi_value *argv, napi_value *result) {
  napi_value undefined = fibril__env_undefined(self);
  napi_status status;
  int attempts = 3;
  do {
    status = napi_call_function(self->env, undefined, function, argc, argv, result);
  } while (status != napi_ok && status != napi_pending_exception && !self->exiting &&
           --attempts > 0);
  return status;
}

napi_value fibril__env_ask(fibril__env *self, int function, size_t argc, const napi_value *argv) {
  napi_value result;
  return napi_call_function(self->env, fibril__env_undefined(self),
                            fibril__env_function(self, function), argc, argv, &result) == napi_ok
             ? result
             : NULL;
}

napi_callback_scope fibril__env_open_scope(fibril__env *self) {
  napi_value resource;
  napi_callback_scope scope = NULL;
  if (self->in_js > 0) return NULL;
  if (napi_get_reference_value(self->env, self->resource, &resource) != napi_ok ||
      napi_open_callback_scope(self->env, resource, self->async, &scope) != napi_ok)
    return NULL;
  return scope;
}

void fibril__env_close_scope(fibril__env *self, napi_callback_scope scope) {
  if (scope == NULL) return;
  napi_close_callback_scope(self->env, scope);
  fibril__env_report_exception(self);
}

napi_value fibril__env_take_exception(fibril__env *self) {
  bool pending = false;
  napi_value exception;
  return napi_is_exception_pending(self->env, &pending) == napi_ok && pending &&
                 napi_get_and_clear_last_exception(self->env, &exception) == napi_ok
             ? exception
             : NULL;
}

void fibril__env_report_exception(fibril__env *self) {
  napi_value exception = fibril__env_take_exception(self);
  if (exception != NULL) napi_fatal_exception(self->env, exception);
}

bool fibril__env_is_ending(fibril__env *self) {
  napi_value resource;
  bool has;
  return self->exiting ||
         (napi_get_reference_value(self->env, self->resource, &resource) == napi_ok &&
          napi_has_element(self->env, resource, 0, &has) != napi_ok);
}

void fibril__throw_failure(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending)
    napi_throw_error(env, "ERR_MEMORY_ALLOCATION_FAILED",
                     "fibril: no memory is left, or Node.js refused a call");
}
