/* What JavaScript hears of the coroutines of its thread: for co.inspect() and the reports at exit.
 */
#include "inspect.h"

#include "../../core/loop/leaks.h"

#include <string.h>

typedef struct {
  fibril__env *env;
  napi_value list;
  uint32_t count;
  bool failed;
} listing;

static napi_value listed_text(listing *all, const char *utf8) {
  napi_value value = NULL;
  if (utf8 == NULL) return fibril__env_undefined(all->env);
  napi_create_string_utf8(all->env->env, utf8, NAPI_AUTO_LENGTH, &value);
  return value;
}

static napi_value listed_number(listing *all, double n) {
  napi_value value = NULL;
  napi_create_double(all->env->env, n, &value);
  return value;
}

static napi_value listed_truth(listing *all, bool boolean) {
  napi_value value = NULL;
  napi_get_boolean(all->env->env, boolean, &value);
  return value;
}

static bool describe_coroutine(listing *all, napi_value object, const fibril_inspection *about) {
  napi_property_descriptor properties[] = {
      {.utf8name = "name", .value = listed_text(all, about->name)},
      {.utf8name = "state", .value = listed_text(all, about->state)},
      {.utf8name = "waitsFor", .value = listed_text(all, about->waits_for)},
      {.utf8name = "on", .value = listed_text(all, about->on)},
      {.utf8name = "fd", .value = listed_number(all, about->fd)},
      {.utf8name = "address", .value = listed_text(all, about->address)},
      {.utf8name = "waited", .value = listed_number(all, about->waited)},
      {.utf8name = "cancelled", .value = listed_truth(all, about->cancelled)},
      {.utf8name = "masked", .value = listed_truth(all, about->masked)},
      {.utf8name = "unheld", .value = listed_truth(all, about->unheld)},
      {.utf8name = "stackUsed", .value = listed_number(all, (double)about->stack_used)},
      {.utf8name = "stackSize", .value = listed_number(all, (double)about->stack_size)},
  };
  for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
    napi_property_descriptor *property = &properties[i];
    property->attributes = napi_default_jsproperty;
    if (property->value == NULL) return false;
    if (about->fd < 0 && strcmp(property->utf8name, "fd") == 0) continue;
    if (about->address == NULL && strcmp(property->utf8name, "address") == 0) continue;
    if (!about->unheld && strcmp(property->utf8name, "unheld") == 0) continue;
    if (napi_define_properties(all->env->env, object, 1, property) != napi_ok) return false;
  }
  return true;
}

static void list_coroutine(const fibril_inspection *about, void *arg) {
  listing *all = arg;
  napi_env env = all->env->env;
  napi_handle_scope handles;
  napi_value object;
  if (all->failed || napi_open_handle_scope(env, &handles) != napi_ok) return;
  all->failed = napi_create_object(env, &object) != napi_ok ||
                !describe_coroutine(all, object, about) ||
                napi_set_element(env, all->list, all->count++, object) != napi_ok;
  napi_close_handle_scope(env, handles);
}

/* inspect(): an object for every coroutine that has not ended. */
static napi_value native_inspect(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  listing all = {.env = data};
  if (napi_create_array(env, &all.list) == napi_ok) {
    if (!all.env->exiting) fibril_loop_inspect(all.env->loop, list_coroutine, &all);
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
