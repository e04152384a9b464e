/* What JavaScript hears of the coroutines of its thread: for co.inspect() and the reports at exit.
 */
#include "node.h"

typedef struct {
  fibril__env *env;
  napi_value list;
  uint32_t count;
  bool failed;
} listing;

static bool set(listing *all, napi_value object, const char *key, napi_value value) {
  return value != NULL && napi_set_named_property(all->env->env, object, key, value) == napi_ok;
}

static napi_value text(listing *all, const char *utf8) {
  napi_value value = NULL;
  if (utf8 == NULL)
    napi_get_undefined(all->env->env, &value);
  else if (napi_create_string_utf8(all->env->env, utf8, NAPI_AUTO_LENGTH, &value) != napi_ok)
    return NULL;
  return value;
}

static napi_value number(listing *all, double n) {
  napi_value value;
  napi_create_double(all->env->env, n, &value);
  return value;
}

static napi_value truth(listing *all, bool boolean) {
  napi_value value;
  napi_get_boolean(all->env->env, boolean, &value);
  return value;
}

static bool describe(listing *all, napi_value object, const fibril_inspection *about) {
  return set(all, object, "name", text(all, about->name)) &&
         set(all, object, "state", text(all, about->state)) &&
         set(all, object, "waitsFor", text(all, about->waits_for)) &&
         set(all, object, "on", text(all, about->on)) &&
         (about->fd < 0 || set(all, object, "fd", number(all, about->fd))) &&
         set(all, object, "waited", number(all, about->waited)) &&
         set(all, object, "cancelled", truth(all, about->cancelled)) &&
         set(all, object, "masked", truth(all, about->masked)) &&
         set(all, object, "stackUsed", number(all, (double)about->stack_used)) &&
         set(all, object, "stackSize", number(all, (double)about->stack_size));
}

static void list_one(const fibril_inspection *about, void *arg) {
  listing *all = arg;
  napi_env env = all->env->env;
  napi_handle_scope handles;
  napi_value object;
  if (all->failed || napi_open_handle_scope(env, &handles) != napi_ok) return;
  all->failed = napi_create_object(env, &object) != napi_ok || !describe(all, object, about) ||
                napi_set_element(env, all->list, all->count++, object) != napi_ok;
  napi_close_handle_scope(env, handles);
}

/* inspect(): an object for every coroutine that has not ended. */
static napi_value native_inspect(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  listing all = {.env = data};
  if (napi_create_array(env, &all.list) == napi_ok) {
    if (!all.env->exiting) fibril_loop_inspect(all.env->loop, list_one, &all);
    if (!all.failed) return all.list;
  }
  fibril__throw_failure(env);
  return NULL;
}

/* keepBook(): asks for the report of leaks. */
static napi_value native_keep_book(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (!self->exiting && fibril_loop_report_leaks(self->loop) != 0) fibril__throw_failure(env);
  return NULL;
}

/* reportLeaks(): the report, if it was asked for and has not been given. */
static napi_value native_report_leaks(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (!self->exiting) fibril__leaks_report(self->loop);
  return NULL;
}

bool fibril__inspect_native(fibril__env *self, napi_value native) {
  napi_property_descriptor properties[] = {
      {"inspect", NULL, native_inspect, NULL, NULL, NULL, napi_default, self},
      {"keepBook", NULL, native_keep_book, NULL, NULL, NULL, napi_default, self},
      {"reportLeaks", NULL, native_report_leaks, NULL, NULL, NULL, napi_default, self},
  };
  return napi_define_properties(self->env, native, sizeof properties / sizeof properties[0],
                                properties) == napi_ok;
}
