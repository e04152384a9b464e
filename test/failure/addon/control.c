/* What test/failure/node.js steers failing calls with. Its own Node-API calls never fail. */
#include "../inject.h"

#include <node_api.h>

#include <stdio.h>

static void add_site(napi_env env, napi_value list, const failure_site *site) {
  char text[256];
  uint32_t length;
  napi_value string;
  snprintf(text, sizeof text, "%s in %s, %s:%d", site->call, site->function, site->file,
           site->line);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &string);
  napi_get_array_length(env, list, &length);
  napi_set_element(env, list, length, string);
}

/* start(first, last): counts calls from now on and makes these fail; 0: none. */
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  uint32_t first = 0, last = 0;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  napi_get_value_uint32(env, argv[0], &first);
  napi_get_value_uint32(env, argv[1], &last);
  failure_start(first, last);
  return NULL;
}

/* stop(): how many calls there were. */
static napi_value stop(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  failure_pause();
  napi_create_uint32(env, failure_current->calls, &result);
  return result;
}

/* failed(): the sites that failed since start. */
static napi_value failed(napi_env env, napi_callback_info info) {
  napi_value list;
  (void)info;
  napi_create_array(env, &list);
  for (size_t i = 0; i < failure_count(); i++)
    if (failure_current->failed[i] > 0) add_site(env, list, failure_at(i));
  return list;
}

/* sites(): all of them. */
static napi_value sites(napi_env env, napi_callback_info info) {
  napi_value list;
  (void)info;
  napi_create_array(env, &list);
  for (size_t i = 0; i < failure_count(); i++) add_site(env, list, failure_at(i));
  return list;
}

typedef struct {
  napi_env env;
  napi_value list;
} listing;

static void add_block(const failure_site *site, void *arg) {
  listing *blocks = arg;
  add_site(blocks->env, blocks->list, site);
}

/* blocks(): where each block came from that is still there. */
static napi_value blocks(napi_env env, napi_callback_info info) {
  listing result = {.env = env};
  (void)info;
  napi_create_array(env, &result.list);
  failure_blocks(add_block, &result);
  return result.list;
}

/* The addons of tests that are in this one: control.NAME() gives the exports of an addon of its
 * own. */
#define ADDONS(X) \
  X(natives)      \
  X(classes)      \
  X(callbacks)    \
  X(iterators)    \
  X(synchronous)  \
  X(instances)    \
  X(containers)   \
  X(bytes)        \
  X(references)   \
  X(names)        \
  X(environments) \
  X(own)

#define DECLARE(name) void *failure_register_##name(void *env, void *exports);
ADDONS(DECLARE)

typedef struct {
  void *(*load)(void *env, void *exports);
} addon;

static napi_value load(napi_env env, napi_callback_info info) {
  napi_value exports;
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok ||
      napi_create_object(env, &exports) != napi_ok)
    return NULL;
  return ((const addon *)data)->load(env, exports);
}

#define ADDON(name) static addon name = {failure_register_##name};
ADDONS(ADDON)

NAPI_MODULE_INIT() {
  napi_property_descriptor properties[] = {
      {"start", NULL, start, NULL, NULL, NULL, napi_default, NULL},
      {"stop", NULL, stop, NULL, NULL, NULL, napi_default, NULL},
      {"failed", NULL, failed, NULL, NULL, NULL, napi_default, NULL},
      {"sites", NULL, sites, NULL, NULL, NULL, napi_default, NULL},
      {"blocks", NULL, blocks, NULL, NULL, NULL, napi_default, NULL},
#define PROPERTY(name) {#name, NULL, load, NULL, NULL, NULL, napi_default, &name},
      ADDONS(PROPERTY)};
  napi_define_properties(env, exports, sizeof properties / sizeof properties[0], properties);
  return exports;
}
