#include "echo.h"

#include <node_api.h>

static napi_value listen_somewhere(napi_env env, napi_callback_info info) {
  (void)info;
  uv_loop_t *loop;
  napi_value port;
  int number;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || callbacks_listen(loop, false, &number) != 0)
    napi_throw_error(env, NULL, "it does not listen");
  napi_create_int32(env, number, &port);
  return port;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "listen", NAPI_AUTO_LENGTH, listen_somewhere, NULL, &function);
  napi_set_named_property(env, exports, "listen", function);
  return exports;
}
