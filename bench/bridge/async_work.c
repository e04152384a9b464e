/* increment(n) with napi_create_async_work and a promise, as Node's documentation shows it. */
#include <node_api.h>

#include <stdlib.h>

typedef struct {
  napi_async_work work;
  napi_deferred deferred;
  double number;
} job;

static void execute(napi_env env, void *data) {
  (void)env;
  ((job *)data)->number += 1;
}

static void complete(napi_env env, napi_status status, void *data) {
  job *self = data;
  napi_value result;
  (void)status;
  napi_create_double(env, self->number, &result);
  napi_resolve_deferred(env, self->deferred, result);
  napi_delete_async_work(env, self->work);
  free(self);
}

static napi_value increment(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument, promise, name;
  job *self = malloc(sizeof *self);
  if (self == NULL) {
    napi_throw_error(env, NULL, "no memory");
    return NULL;
  }
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  if (napi_get_value_double(env, argument, &self->number) != napi_ok) {
    free(self);
    napi_throw_type_error(env, NULL, "a number is expected");
    return NULL;
  }
  napi_create_promise(env, &self->deferred, &promise);
  napi_create_string_utf8(env, "increment", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, execute, complete, self, &self->work);
  napi_queue_async_work(env, self->work);
  return promise;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "increment", NAPI_AUTO_LENGTH, increment, NULL, &function);
  napi_set_named_property(env, exports, "increment", function);
  return exports;
}
