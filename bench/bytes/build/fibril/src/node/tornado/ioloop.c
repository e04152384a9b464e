/* The loop as JavaScript's IOLoop: callbacks, timeouts and handlers of descriptors wait in the
 * core's own queues, which decide their order; the functions themselves stay in
 * lib/tornado/loop.js, known here by number. */
#include "ioloop.h"

#include "../values/to_js.h"

#include <stdlib.h>

typedef struct fibril__ioloop ioloop;

/* Callbacks that were added one after the other, with nothing between them: one task in the ready
 * queue, and one call into JavaScript. */
typedef struct {
  ioloop *owner;
  uint32_t count;
} batch;

typedef struct {
  ioloop *owner;
  uint32_t slot;
  fibril_timeout timeout;
} js_timeout;

enum { RUN_CALLBACKS, RUN_TIMEOUT, RUN_HANDLER, ENTRIES };

struct fibril__ioloop {
  fibril__env *env;
  napi_ref entries[ENTRIES];
  batch *open;                  /* the last one that was queued, until it runs */
  fibril__ready_moment at_once; /* just after that */
  js_timeout **timeouts;        /* by slot */
  uint32_t timeout_count;
  ioloop *next;
};

/* ---- Into JavaScript ---- */

/* True when the function returned. An exception is uncaught, as in a timer of Node's. */
static bool call_entry(ioloop *self, int entry, size_t argc, const napi_value *argv) {
  napi_env env = self->env->env;
  napi_value function;
  fibril__env_enter_js(self->env);
  bool returned = napi_get_reference_value(env, self->entries[entry], &function) == napi_ok &&
                  fibril__env_call(self->env, function, argc, argv, NULL) == napi_ok;
  if (!returned) fibril__env_report_exception(self->env);
  fibril__env_leave_js(self->env);
  return returned;
}

/* Calls an entry with two integers, from the event loop itself. One that threw is called again,
 * with 0, while `attempts` are left: to go on where it was. */
static void enter_entry(ioloop *self, int entry, double first, double second, uint32_t attempts) {
  fibril__env *env = self->env;
  napi_handle_scope handles;
  napi_value argv[2];
  if (env->exiting || napi_open_handle_scope(env->env, &handles) != napi_ok) return;
  napi_callback_scope scope = fibril__env_open_scope(env);
  if (napi_create_double(env->env, first, &argv[0]) == napi_ok &&
      napi_create_double(env->env, second, &argv[1]) == napi_ok)
    while (!env->exiting && !call_entry(self, entry, 2, argv) && --attempts > 0)
      napi_create_double(env->env, 0, &argv[0]);
  fibril__env_close_scope(env, scope);
  napi_close_handle_scope(env->env, handles);
}

static void ioloop_run_callbacks(void *arg) {
  batch *list = arg;
  ioloop *self = list->owner;
  uint32_t count = list->count;
  if (self->open == list) self->open = NULL;
  free(list);
  enter_entry(self, RUN_CALLBACKS, count, 0, count);
}

static void ioloop_run_timeout(void *arg) {
  js_timeout *timeout = arg;
  timeout->timeout = 0;
  enter_entry(timeout->owner, RUN_TIMEOUT, timeout->slot, 0, 1);
}

static void ioloop_run_handler(int fd, int events, void *arg) {
  enter_entry(arg, RUN_HANDLER, fd, events, 1);
}

/* ---- What lib/tornado/loop.js calls: each gives undefined, or the description of an error ---- */

static ioloop *ioloop_called(napi_env env, napi_callback_info info, size_t argc, napi_value *argv) {
  void *data = NULL;
  napi_get_cb_info(env, info, &argc, argv, NULL, &data);
  return data;
}

static napi_value ioloop_outcome(ioloop *self, int err) {
  int kind;
  if (err == 0) return NULL;
  napi_value description = fibril__error_to_js(self->env, fibril__error_code(err), &kind);
  if (description == NULL) fibril__throw_failure(self->env->env);
  return description;
}

static int add_batch(ioloop *self) {
  fibril_loop *loop = self->env->loop;
  batch *list = malloc(sizeof *list);
  if (list == NULL) return UV_ENOMEM;
  *list = (batch){self, 1};
  int err = fibril_loop_add_callback(loop, ioloop_run_callbacks, list);
  if (err != 0) {
    free(list);
    return err;
  }
  self->open = list;
  self->at_once = fibril__ready_now(&loop->ready);
  return 0;
}

/* addCallback(): one more call of whatever is next in JavaScript's list. It joins the open batch
 * while nothing has been queued behind that and no iteration has begun: then nobody can tell. */
static napi_value add_callback(napi_env env, napi_callback_info info) {
  ioloop *self = ioloop_called(env, info, 0, NULL);
  if (self->env->exiting) return ioloop_outcome(self, FIBRIL_ECLOSED);
  const fibril_loop *loop = self->env->loop;
  if (self->open == NULL || !fibril__ready_is_now(&loop->ready, self->at_once))
    return ioloop_outcome(self, add_batch(self));
  self->open->count++;
  return NULL;
}

static js_timeout *timeout_at(ioloop *self, uint32_t slot) {
  if (slot >= self->timeout_count) {
    uint32_t count = slot < 32 ? 64 : slot * 2;
    js_timeout **timeouts = realloc(self->timeouts, count * sizeof(*timeouts));
    if (timeouts == NULL) return NULL;
    while (self->timeout_count < count) timeouts[self->timeout_count++] = NULL;
    self->timeouts = timeouts;
  }
  if (self->timeouts[slot] == NULL) {
    js_timeout *timeout = malloc(sizeof *timeout);
    if (timeout == NULL) return NULL;
    *timeout = (js_timeout){self, slot, 0};
    self->timeouts[slot] = timeout;
  }
  return self->timeouts[slot];
}

/* callAt(slot, when, later): `when` on the loop's clock, or with `later` from now. */
static napi_value call_at(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  ioloop *self = ioloop_called(env, info, 3, argv);
  uint32_t slot;
  double when;
  bool later;
  if (self->env->exiting) return ioloop_outcome(self, FIBRIL_ECLOSED);
  if (napi_get_value_uint32(env, argv[0], &slot) != napi_ok ||
      napi_get_value_double(env, argv[1], &when) != napi_ok ||
      napi_get_value_bool(env, argv[2], &later) != napi_ok)
    return ioloop_outcome(self, UV_EINVAL);
  js_timeout *entry = timeout_at(self, slot);
  if (entry == NULL) return ioloop_outcome(self, UV_ENOMEM);
  fibril_loop *loop = self->env->loop;
  return ioloop_outcome(self, (later ? fibril_loop_call_later : fibril_loop_call_at)(
                                  loop, when, ioloop_run_timeout, entry, &entry->timeout));
}

/* removeTimeout(slot) */
static napi_value remove_timeout(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  ioloop *self = ioloop_called(env, info, 1, argv);
  uint32_t slot;
  if (self->env->exiting || napi_get_value_uint32(env, argv[0], &slot) != napi_ok ||
      slot >= self->timeout_count || self->timeouts[slot] == NULL)
    return NULL;
  fibril_loop_remove_timeout(self->env->loop, self->timeouts[slot]->timeout);
  self->timeouts[slot]->timeout = 0;
  return NULL;
}

/* holdTimeout(slot, held): whether it keeps the process alive. */
static napi_value hold_timeout(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  ioloop *self = ioloop_called(env, info, 2, argv);
  uint32_t slot;
  bool held;
  if (self->env->exiting || napi_get_value_uint32(env, argv[0], &slot) != napi_ok ||
      napi_get_value_bool(env, argv[1], &held) != napi_ok || slot >= self->timeout_count ||
      self->timeouts[slot] == NULL)
    return NULL;
  (held ? fibril_loop_hold_timeout : fibril_loop_unhold_timeout)(self->env->loop,
                                                                 self->timeouts[slot]->timeout);
  return NULL;
}

/* holdHandler(fd, held) */
static napi_value hold_handler(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  ioloop *self = ioloop_called(env, info, 2, argv);
  int32_t fd;
  bool held;
  if (self->env->exiting || napi_get_value_int32(env, argv[0], &fd) != napi_ok ||
      napi_get_value_bool(env, argv[1], &held) != napi_ok)
    return NULL;
  (held ? fibril_loop_hold_handler : fibril_loop_unhold_handler)(self->env->loop, fd);
  return NULL;
}

/* setHandler(fd, events, change): adds a handler, or changes its events; events 0 removes it. */
static napi_value set_handler(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  ioloop *self = ioloop_called(env, info, 3, argv);
  int32_t fd, events;
  bool change;
  if (self->env->exiting) return ioloop_outcome(self, FIBRIL_ECLOSED);
  if (napi_get_value_int32(env, argv[0], &fd) != napi_ok ||
      napi_get_value_int32(env, argv[1], &events) != napi_ok ||
      napi_get_value_bool(env, argv[2], &change) != napi_ok)
    return ioloop_outcome(self, UV_EINVAL);
  fibril_loop *loop = self->env->loop;
  if (events == 0) return ioloop_outcome(self, fibril_loop_remove_handler(loop, fd));
  return ioloop_outcome(
      self, change ? fibril_loop_update_handler(loop, fd, events)
                   : fibril_loop_add_handler(loop, fd, events, ioloop_run_handler, self));
}

/* now() */
static napi_value ioloop_now(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  ioloop *self = ioloop_called(env, info, 0, NULL);
  napi_create_double(env, fibril_loop_now(self->env->loop), &result);
  return result;
}

/* hold(wanted): whether the loop keeps the process alive by itself. Not counted here. */
static napi_value ioloop_hold(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  ioloop *self = ioloop_called(env, info, 1, argv);
  bool wanted;
  if (self->env->exiting || napi_get_value_bool(env, argv[0], &wanted) != napi_ok) return NULL;
  if (wanted)
    fibril__loop_hold(self->env->loop);
  else
    fibril__loop_release(self->env->loop);
  return NULL;
}

/* report(error): an uncaught exception, here and now. */
static napi_value ioloop_report(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  ioloop *self = ioloop_called(env, info, 1, argv);
  if (!self->env->exiting) napi_fatal_exception(env, argv[0]);
  return NULL;
}

/* ---- Making one ---- */

static void ioloop_destroy(ioloop *self) {
  for (int i = 0; i < ENTRIES; i++) fibril__drop_reference(self->env->env, self->entries[i]);
  for (uint32_t i = 0; i < self->timeout_count; i++) free(self->timeouts[i]);
  free(self->timeouts);
  free(self);
}

void fibril__ioloops_free(fibril__env *env) {
  fibril__ioloops *ioloops = fibril__ioloops_of(env);
  while (ioloops->newest != NULL) {
    ioloop *self = ioloops->newest;
    ioloops->newest = self->next;
    ioloop_destroy(self);
  }
}

/* createLoop(runCallbacks, runTimeout, runHandler): the functions above. */
static napi_value ioloop_create(napi_env env, napi_callback_info info) {
  napi_value argv[ENTRIES], result;
  size_t argc = ENTRIES;
  void *data;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  ioloop *self = calloc(1, sizeof *self);
  if (self == NULL) {
    fibril__throw_failure(env);
    return NULL;
  }
  self->env = data;
  fibril__ioloops *ioloops = fibril__ioloops_of(self->env);
  self->next = ioloops->newest;
  ioloops->newest = self;
  napi_property_descriptor properties[] = {
      {"addCallback", NULL, add_callback, NULL, NULL, NULL, napi_default, self},
      {"callAt", NULL, call_at, NULL, NULL, NULL, napi_default, self},
      {"removeTimeout", NULL, remove_timeout, NULL, NULL, NULL, napi_default, self},
      {"holdTimeout", NULL, hold_timeout, NULL, NULL, NULL, napi_default, self},
      {"holdHandler", NULL, hold_handler, NULL, NULL, NULL, napi_default, self},
      {"setHandler", NULL, set_handler, NULL, NULL, NULL, napi_default, self},
      {"now", NULL, ioloop_now, NULL, NULL, NULL, napi_default, self},
      {"hold", NULL, ioloop_hold, NULL, NULL, NULL, napi_default, self},
      {"report", NULL, ioloop_report, NULL, NULL, NULL, napi_default, self},
  };
  bool kept = true;
  for (int i = 0; i < ENTRIES; i++)
    kept = kept && napi_create_reference(env, argv[i], 1, &self->entries[i]) == napi_ok;
  if (kept && napi_create_object(env, &result) == napi_ok &&
      napi_define_properties(env, result, sizeof properties / sizeof properties[0], properties) ==
          napi_ok)
    return result;
  fibril__throw_failure(env);
  return NULL;
}

bool fibril__ioloop_native(fibril__env *self, napi_value native) {
  napi_property_descriptor create = {"createLoop", NULL, ioloop_create, NULL,
                                     NULL,         NULL, napi_default,  self};
  return napi_define_properties(self->env, native, 1, &create) == napi_ok;
}
