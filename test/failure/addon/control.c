/* What test/failure/node.js steers failing calls with. Its own Node-API calls never fail. */
#include "../inject.h"

#include <node_api.h>

#include <stdio.h>

void *failure_register_natives(void *env, void *exports);
void *failure_register_classes(void *env, void *exports);
void *failure_register_callbacks(void *env, void *exports);
void *failure_register_iterators(void *env, void *exports);
void *failure_register_synchronous(void *env, void *exports);
void *failure_register_instances(void *env, void *exports);
void *failure_register_bytes(void *env, void *exports);
void *failure_register_names(void *env, void *exports);
void *failure_register_environments(void *env, void *exports);
void *failure_register_own(void *env, void *exports);

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

static napi_value load(napi_env env, void *(*entry)(void *env, void *exports)) {
  napi_value exports;
  napi_create_object(env, &exports);
  return entry(env, exports);
}

/* natives(), classes(), callbacks(), iterators(), synchronous(), instances(), bytes(), names(),
 * environments(), own(): the exports of an addon of its own. */
static napi_value natives(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_natives);
}

static napi_value classes(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_classes);
}

static napi_value callbacks(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_callbacks);
}

static napi_value iterators(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_iterators);
}

static napi_value synchronous(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_synchronous);
}

static napi_value instances(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_instances);
}

static napi_value bytes(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_bytes);
}

static napi_value names(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_names);
}

static napi_value environments(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_environments);
}

static napi_value own(napi_env env, napi_callback_info info) {
  (void)info;
  return load(env, failure_register_own);
}

NAPI_MODULE_INIT() {
  napi_property_descriptor properties[] = {
      {"start", NULL, start, NULL, NULL, NULL, napi_default, NULL},
      {"stop", NULL, stop, NULL, NULL, NULL, napi_default, NULL},
      {"failed", NULL, failed, NULL, NULL, NULL, napi_default, NULL},
      {"sites", NULL, sites, NULL, NULL, NULL, napi_default, NULL},
      {"blocks", NULL, blocks, NULL, NULL, NULL, napi_default, NULL},
      {"natives", NULL, natives, NULL, NULL, NULL, napi_default, NULL},
      {"classes", NULL, classes, NULL, NULL, NULL, napi_default, NULL},
      {"callbacks", NULL, callbacks, NULL, NULL, NULL, napi_default, NULL},
      {"iterators", NULL, iterators, NULL, NULL, NULL, napi_default, NULL},
      {"synchronous", NULL, synchronous, NULL, NULL, NULL, napi_default, NULL},
      {"instances", NULL, instances, NULL, NULL, NULL, napi_default, NULL},
      {"bytes", NULL, bytes, NULL, NULL, NULL, napi_default, NULL},
      {"names", NULL, names, NULL, NULL, NULL, napi_default, NULL},
      {"environments", NULL, environments, NULL, NULL, NULL, napi_default, NULL},
      {"own", NULL, own, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof properties[0], properties);
  return exports;
}
