/* C calls JavaScript: out of the coroutine, into the function, and back with what it returned or
 * what its promise became. */
#include "node.h"

#include <stdlib.h>

/* A coroutine that waits for a promise, on its stack. */
typedef struct js_wait {
  fibril__wait wait;
  uint64_t id;
  fibril_value result; /* owned */
} js_wait;

typedef struct {
  fibril__env *env;
  fibril_value function;
  const fibril_value *args;
  size_t count;
  js_wait *wait;
  bool pending; /* the function returned a promise */
} invocation;

/* JavaScript knows a wait by number, which may outlive it: the index in the table, and above that
 * how often the place was used. */
#define INDEX_BITS 22
#define USES_MASK ((UINT64_C(1) << 31) - 1)

struct fibril__js_place {
  js_wait *wait; /* NULL: free */
  uint32_t uses;
  uint32_t next_free;
};

static bool places_grow(fibril__env *self) {
  fibril__js_places *table = &self->waits;
  uint32_t capacity = table->capacity == 0 ? 16 : table->capacity * 2;
  if (capacity > UINT32_C(1) << INDEX_BITS) return false;
  fibril__js_place *places = realloc(table->places, capacity * sizeof *places);
  if (places == NULL) return false;
  for (uint32_t i = table->capacity; i < capacity; i++)
    places[i] = (fibril__js_place){NULL, 0, i + 1};
  table->free = table->capacity;
  table->places = places;
  table->capacity = capacity;
  return true;
}

static bool wait_link(fibril__env *self, js_wait *wait) {
  fibril__js_places *table = &self->waits;
  if (table->free == table->capacity && !places_grow(self)) return false;
  uint32_t index = table->free;
  fibril__js_place *place = &table->places[index];
  table->free = place->next_free;
  place->wait = wait;
  place->uses++;
  wait->id = (place->uses & USES_MASK) << INDEX_BITS | index;
  return true;
}

static js_wait *wait_find(fibril__env *self, uint64_t id) {
  uint64_t index = id & ((UINT64_C(1) << INDEX_BITS) - 1);
  if (index >= self->waits.capacity) return NULL;
  js_wait *wait = self->waits.places[index].wait;
  return wait != NULL && wait->id == id ? wait : NULL;
}

static void wait_unlink(fibril__env *self, js_wait *wait) {
  uint32_t index = (uint32_t)(wait->id & ((UINT64_C(1) << INDEX_BITS) - 1));
  self->waits.places[index].wait = NULL;
  self->waits.places[index].next_free = self->waits.free;
  self->waits.free = index;
}

/* What the runtime's invoke gets: function, resource, args, id. */
static bool invocation_args(const invocation *call, napi_value argv[4]) {
  napi_env env = call->env->env;
  const fibril__reference *reference = fibril__value_box(call->function);
  argv[0] = fibril__to_js(call->env, call->function);
  if (argv[0] == NULL || napi_get_undefined(env, &argv[1]) != napi_ok ||
      (reference->resource != NULL &&
       napi_get_reference_value(env, reference->resource, &argv[1]) != napi_ok) ||
      napi_create_array_with_length(env, call->count, &argv[2]) != napi_ok)
    return false;
  for (size_t i = 0; i < call->count; i++) {
    napi_value arg = fibril__to_js(call->env, call->args[i]);
    if (arg == NULL || napi_set_element(env, argv[2], (uint32_t)i, arg) != napi_ok) return false;
  }
  return napi_create_double(env, (double)call->wait->id, &argv[3]) == napi_ok;
}

/* invoke(function, resource, args, id): true when `id` will be completed later; else the result is
 * in args[0]. */
static void invoke(invocation *call) {
  fibril__env *self = call->env;
  napi_env env = self->env;
  napi_value argv[4], returned, result;
  bool pending = false;
  if (!invocation_args(call, argv)) {
    call->wait->result = fibril__take_failure(self);
    return;
  }
  self->in_js++;
  napi_status status =
      fibril__env_call(self, fibril__env_function(self, FIBRIL__JS_INVOKE), 4, argv, &returned);
  self->in_js--;
  if (status != napi_ok) {
    call->wait->result = fibril__take_exception(self);
  } else if (napi_get_value_bool(env, returned, &pending) == napi_ok && pending) {
    call->pending = true;
  } else if (napi_get_element(env, argv[2], 0, &result) == napi_ok) {
    call->wait->result = fibril__from_js(self, result);
  } else {
    call->wait->result = fibril__take_failure(self);
  }
}

/* On the loop's stack. */
static void do_call(void *data) {
  invocation *call = data;
  fibril__env *self = call->env;
  napi_handle_scope handles;
  if (self->exiting || napi_open_handle_scope(self->env, &handles) != napi_ok) {
    call->wait->result = fibril__error_code(FIBRIL_ECLOSED);
    return;
  }
  napi_callback_scope scope = fibril__env_open_scope(self);
  invoke(call);
  fibril__env_close_scope(self, scope);
  napi_close_handle_scope(self->env, handles);
}

fibril_value fibril_call(fibril_value function, const fibril_value *args, size_t count) {
  fibril_coroutine *coroutine = fibril__self();
  int err = fibril__wait_check(coroutine);
  if (err != 0) return fibril__error_code(err);
  if (fibril_value_kind(function) != FIBRIL_REFERENCE) return fibril__error_code(FIBRIL_ETYPE);
  js_wait wait = {.wait = {.what = "JavaScript", .cancel = fibril__wait_cancel_now}};
  invocation call = {
      .env = ((fibril__reference *)fibril__value_box(function))->owner,
      .function = function,
      .args = args,
      .count = count,
      .wait = &wait,
  };
  if (!wait_link(call.env, &wait)) return fibril__error_code(UV_ENOMEM);
  fibril_on_loop(do_call, &call);
  if (call.pending) err = fibril__wait_until_woken(coroutine, &wait.wait);
  wait_unlink(call.env, &wait);
  if (err != 0) {
    fibril_value_free(wait.result);
    return fibril__error_code(err);
  }
  return fibril__value_keep(wait.result);
}

/* complete(id, failed, value): the promise that coroutine `id` waits for is settled. */
static napi_value native_complete(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  size_t argc = 3;
  void *data;
  double id;
  bool failed;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (self->exiting || napi_get_value_double(env, argv[0], &id) != napi_ok ||
      napi_get_value_bool(env, argv[1], &failed) != napi_ok)
    return NULL;
  js_wait *wait = wait_find(self, (uint64_t)id);
  if (wait == NULL || wait->wait.woken) return NULL;
  if (failed) {
    napi_throw(env, argv[2]);
    wait->result = fibril__take_exception(self);
  } else {
    wait->result = fibril__from_js(self, argv[2]);
  }
  fibril__wake(&wait->wait, 0);
  self->status[FIBRIL__STATUS_TURN] = 1;
  return NULL;
}

bool fibril__call_native(fibril__env *self, napi_value native) {
  napi_property_descriptor complete = {"complete", NULL, native_complete, NULL,
                                       NULL,       NULL, napi_default,    self};
  return napi_define_properties(self->env, native, 1, &complete) == napi_ok;
}
