/* Synchronous functions of bare Node-API, with the checks that fibril's have. */
#include <node_api.h>

#include <stdlib.h>

static napi_value refuse(napi_env env, const char *message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}

static napi_value nothing(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  return NULL;
}

static napi_value increment(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument, result;
  double number;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  if (napi_get_value_double(env, argument, &number) != napi_ok)
    return refuse(env, "The \"n\" argument must be of type number");
  napi_create_double(env, number + 1, &result);
  return result;
}

static napi_value add(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], result;
  double a, b;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (napi_get_value_double(env, argv[0], &a) != napi_ok)
    return refuse(env, "The \"a\" argument must be of type number");
  if (napi_get_value_double(env, argv[1], &b) != napi_ok)
    return refuse(env, "The \"b\" argument must be of type number");
  napi_create_double(env, a + b, &result);
  return result;
}

/* Copies the text, as who looks at it in C does, and gives it back. */
static napi_value copy(napi_env env, napi_callback_info info) {
  size_t argc = 1, length;
  napi_value argument, result = NULL;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  if (napi_get_value_string_utf8(env, argument, NULL, 0, &length) != napi_ok)
    return refuse(env, "The \"text\" argument must be of type string");
  char *text = malloc(length + 1);
  if (text == NULL) return refuse(env, "no memory");
  napi_get_value_string_utf8(env, argument, text, length + 1, &length);
  napi_create_string_utf8(env, text, length, &result);
  free(text);
  return result;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"nothing", NULL, nothing, NULL, NULL, NULL, napi_enumerable, NULL},
      {"increment", NULL, increment, NULL, NULL, NULL, napi_enumerable, NULL},
      {"add", NULL, add, NULL, NULL, NULL, napi_enumerable, NULL},
      {"copy", NULL, copy, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
