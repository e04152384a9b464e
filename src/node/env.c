/* The state of one environment: made when the addon is loaded, taken down by an async cleanup hook,
 * which Node waits for. */
#include "export.h"

#include "runtime_js.h"

#include <stdlib.h>

/* ---- Teardown ---- */

void fibril__env_unref(fibril__env *self) {
  if (--self->refs == 0) free(self);
}

void fibril__drop_reference(napi_env env, napi_ref ref) {
  if (ref != NULL) napi_delete_reference(env, ref);
}

/* Node empties the references of an environment that ends, but leaves them to their owners. */
static void delete_references(fibril__env *self) {
  fibril__references_delete(self);
  fibril__shapes_free(self);
  for (int i = 0; i < FIBRIL__JS_FUNCTIONS; i++)
    fibril__drop_reference(self->env, self->functions[i]);
  for (size_t i = 0; i < sizeof self->shared / sizeof self->shared[0]; i++)
    fibril__drop_reference(self->env, self->shared[i]);
  fibril__drop_reference(self->env, self->api);
  fibril__drop_reference(self->env, self->resource);
  if (self->async != NULL) napi_async_destroy(self->env, self->async);
}

static void on_loop_closed(void *arg) {
  fibril__env *self = arg;
  napi_async_cleanup_hook_handle hook = self->hook;
  fibril__classes_free(self);
  fibril__exports_free(self);
  fibril__ioloops_free(self);
  delete_references(self);
  free(self->waits.places);
  self->loop = NULL;
  fibril__env_unref(self);
  napi_remove_async_cleanup_hook(hook);
}

/* Every coroutine has ended, and everything else still works: what is left is ended, too. */
static void on_unwound(void *arg) {
  fibril__env *self = arg;
  fibril_loop *here = fibril__loop_here;
  fibril__loop_here = self->loop;
  fibril__callbacks_end(self);
  fibril__instances_end(self);
  fibril__loop_here = here;
}

/* From here on no JavaScript runs, and what waits for it is told so, masked or not; every coroutine
 * is cancelled and unwinds while Node turns the loop. */
static void on_cleanup(napi_async_cleanup_hook_handle hook, void *arg) {
  fibril__env *self = arg;
  (void)hook;
  fibril_loop *here = fibril__loop_here;
  self->exiting = true;
  fibril__callbacks_close(self);
  fibril__loop_here = self->loop;
  fibril__js_waits_end(self);
  fibril__loop_here = here;
  fibril_loop_close(self->loop, on_loop_closed, self);
}

/* ---- Calling into JavaScript ---- */

napi_value fibril__env_function(fibril__env *self, int function) {
  napi_value value = NULL;
  napi_get_reference_value(self->env, self->functions[function], &value);
  return value;
}

napi_status fibril__env_call(fibril__env *self, napi_value function, size_t argc,
                             const napi_value *argv, napi_value *result) {
  napi_value undefined;
  napi_status status;
  int attempts = 3;
  napi_get_undefined(self->env, &undefined);
  do {
    status = napi_call_function(self->env, undefined, function, argc, argv, result);
  } while (status != napi_ok && status != napi_pending_exception && !self->exiting &&
           --attempts > 0);
  return status;
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

void fibril__env_report_exception(fibril__env *self) {
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(self->env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(self->env, &exception) == napi_ok)
    napi_fatal_exception(self->env, exception);
}

void fibril__throw_failure(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending)
    napi_throw_error(env, "ERR_MEMORY_ALLOCATION_FAILED",
                     "fibril: no memory is left, or Node.js refused a call");
}

/* ---- Making one ---- */

/* An array of `count` elements in memory that JavaScript and C share. */
static bool share(fibril__env *self, napi_value native, const char *name, napi_typedarray_type type,
                  size_t count, size_t size, void *data, napi_ref *ref) {
  napi_value buffer, array;
  return napi_create_arraybuffer(self->env, count * size, (void **)data, &buffer) == napi_ok &&
         napi_create_typedarray(self->env, type, count, buffer, 0, &array) == napi_ok &&
         napi_create_reference(self->env, buffer, 1, ref) == napi_ok &&
         napi_set_named_property(self->env, native, name, array) == napi_ok;
}

static bool make_native(fibril__env *self, napi_value *native) {
  return napi_create_object(self->env, native) == napi_ok &&
         share(self, *native, "status", napi_int32_array, FIBRIL__STATUS_WORDS, 4, &self->status,
               &self->shared[0]) &&
         share(self, *native, "immediate", napi_float64_array, 1, 8, &self->immediate,
               &self->shared[1]) &&
         share(self, *native, "slots", napi_int32_array, FIBRIL__BATCH, 4, &self->slots,
               &self->shared[2]) &&
         share(self, *native, "kinds", napi_uint8_array, FIBRIL__BATCH, 1, &self->kinds,
               &self->shared[3]) &&
         share(self, *native, "numbers", napi_float64_array, FIBRIL__BATCH, 8, &self->numbers,
               &self->shared[4]) &&
         fibril__exports_native(self, *native) && fibril__iterator_native(self, *native) &&
         fibril__inspect_native(self, *native) && fibril__call_native(self, *native) &&
         fibril__callback_native(self, *native) && fibril__runner_native(self, *native) &&
         fibril__ioloop_native(self, *native);
}

static bool keep_function(fibril__env *self, napi_value runtime, const char *name, int function) {
  napi_value value;
  return napi_get_named_property(self->env, runtime, name, &value) == napi_ok &&
         napi_create_reference(self->env, value, 1, &self->functions[function]) == napi_ok;
}

/* Evaluates the runtime's JavaScript and keeps what C calls of it. */
static bool run_runtime(fibril__env *self) {
  napi_env env = self->env;
  napi_value source, function, native, global, runtime, api;
  return napi_create_string_utf8(env, fibril__runtime_js, fibril__runtime_js_length, &source) ==
             napi_ok &&
         napi_run_script(env, source, &function) == napi_ok && make_native(self, &native) &&
         napi_get_global(env, &global) == napi_ok &&
         napi_call_function(env, global, function, 1, &native, &runtime) == napi_ok &&
         keep_function(self, runtime, "wrap", FIBRIL__JS_WRAP) &&
         keep_function(self, runtime, "wrapGenerator", FIBRIL__JS_WRAP_GENERATOR) &&
         keep_function(self, runtime, "wrapAsyncGenerator", FIBRIL__JS_WRAP_ASYNC_GENERATOR) &&
         keep_function(self, runtime, "settle", FIBRIL__JS_SETTLE) &&
         keep_function(self, runtime, "invoke", FIBRIL__JS_INVOKE) &&
         keep_function(self, runtime, "forget", FIBRIL__JS_FORGET) &&
         keep_function(self, runtime, "bind", FIBRIL__JS_BIND) &&
         keep_function(self, runtime, "toPath", FIBRIL__JS_PATH) &&
         keep_function(self, runtime, "badArgument", FIBRIL__JS_BAD_ARGUMENT) &&
         keep_function(self, runtime, "createClass", FIBRIL__JS_CREATE_CLASS) &&
         keep_function(self, runtime, "addMethod", FIBRIL__JS_ADD_METHOD) &&
         keep_function(self, runtime, "addGetter", FIBRIL__JS_ADD_GETTER) &&
         keep_function(self, runtime, "makeError", FIBRIL__JS_MAKE_ERROR) &&
         keep_function(self, runtime, "objectMaker", FIBRIL__JS_OBJECT_MAKER) &&
         keep_function(self, runtime, "publish", FIBRIL__JS_PUBLISH) &&
         napi_get_named_property(env, runtime, "api", &api) == napi_ok &&
         napi_create_reference(env, api, 1, &self->api) == napi_ok;
}

static bool make_async_context(fibril__env *self) {
  napi_value resource, name;
  return napi_create_object(self->env, &resource) == napi_ok &&
         napi_create_string_utf8(self->env, "FIBRIL", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_reference(self->env, resource, 1, &self->resource) == napi_ok &&
         napi_async_init(self->env, resource, name, &self->async) == napi_ok;
}

/* The loop, and the hook that takes it down whatever fails from here on. */
static bool make_loop(fibril__env *self) {
  uv_loop_t *uv;
  if (napi_get_uv_event_loop(self->env, &uv) != napi_ok ||
      napi_add_async_cleanup_hook(self->env, on_cleanup, self, &self->hook) != napi_ok)
    return false;
  if (fibril_loop_new(uv, &self->loop) != 0) {
    napi_remove_async_cleanup_hook(self->hook);
    return false;
  }
  self->loop->uv_running = true; /* by Node */
  self->loop->flush = fibril__calls_flush;
  self->loop->flush_arg = self;
  self->loop->unwound = on_unwound;
  return true;
}

bool fibril__env_create(napi_env env, fibril__env **out) {
  fibril__env *self = calloc(1, sizeof *self);
  if (self != NULL) {
    self->env = env;
    self->refs = 1;
  }
  if (self == NULL || !make_loop(self)) {
    free(self);
    napi_throw_error(env, "ERR_FIBRIL_NO_LOOP",
                     "fibril: this environment has no libuv loop, or no memory is left");
    return false;
  }
  if (!make_async_context(self) || !run_runtime(self)) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending)
      napi_throw_error(env, "ERR_FIBRIL_RUNTIME", "fibril: the runtime could not be set up");
    return false;
  }
  *out = self;
  return true;
}
