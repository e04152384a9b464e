/* The C tests as an addon: list() -> [{name, file, kind, ending, pattern}], run(name) -> undefined,
 * or what failed. */
#include "../c/test.h"

#include <node_api.h>

static void set_string(napi_env env, napi_value object, const char *key, const char *text) {
  napi_value value;
  if (text == NULL)
    napi_get_undefined(env, &value);
  else
    napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, object, key, value);
}

static napi_value list(napi_env env, napi_callback_info info) {
  napi_value array;
  uint32_t count = 0;
  (void)info;
  napi_create_array(env, &array);
  for (test_case *test = test_first(); test != NULL; test = test->next) {
    napi_value item;
    napi_create_object(env, &item);
    set_string(env, item, "name", test->name);
    set_string(env, item, "file", test->file);
    set_string(env, item, "kind", test_kind_name(test));
    set_string(env, item, "ending", test->ending);
    set_string(env, item, "pattern", test->pattern);
    napi_set_element(env, array, count++, item);
  }
  return array;
}

static napi_value run(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument, result;
  char name[128] = "";
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  napi_get_value_string_utf8(env, argument, name, sizeof name, NULL);
  test_case *test = test_find(name);
  const char *failures = test != NULL ? test_run(test) : "there is no such test";
  if (failures == NULL)
    napi_get_undefined(env, &result);
  else
    napi_create_string_utf8(env, failures, NAPI_AUTO_LENGTH, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "list", NAPI_AUTO_LENGTH, list, NULL, &function);
  napi_set_named_property(env, exports, "list", function);
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, NULL, &function);
  napi_set_named_property(env, exports, "run", function);
  return exports;
}
