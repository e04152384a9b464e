/* C calls JavaScript: out of the coroutine, into the function, and back with what it returned or
 * what its promise became. */
#include "call.h"

#include <stdlib.h>

/* JavaScript knows a wait by number, which may outlive it: the index in the table, and above that
 * how often the place was used. */
#define INDEX_BITS 22
#define USES_MASK ((UINT64_C(1) << 31) - 1)

struct fibril__js_place {
  fibril__js_wait *wait; /* NULL: free */
  uint32_t uses;
  uint32_t next_free;
};

/* ---- Waits ---- */

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

int fibril__js_wait_link(fibril__env *self, fibril__js_wait *wait) {
  fibril__js_places *table = &self->waits;
  if (table->free == table->capacity && !places_grow(self)) return UV_ENOMEM;
  uint32_t index = table->free;
  fibril__js_place *place = &table->places[index];
  table->free = place->next_free;
  place->wait = wait;
  place->uses++;
  wait->env = self;
  wait->id = (place->uses & USES_MASK) << INDEX_BITS | index;
  return 0;
}

static fibril__js_wait *wait_find(fibril__env *self, uint64_t id) {
  uint64_t index = id & ((UINT64_C(1) << INDEX_BITS) - 1);
  if (index >= self->waits.capacity) return NULL;
  fibril__js_wait *wait = self->waits.places[index].wait;
  return wait != NULL && wait->id == id ? wait : NULL;
}

void fibril__js_wait_unlink(fibril__js_wait *wait) {
  fibril__env *self = wait->env;
  uint32_t index = (uint32_t)(wait->id & ((UINT64_C(1) << INDEX_BITS) - 1));
  self->waits.places[index].wait = NULL;
  self->waits.places[index].next_free = self->waits.free;
  self->waits.free = index;
}

void fibril__js_waits_end(fibril__env *self) {
  for (uint32_t i = 0; i < self->waits.capacity; i++) {
    fibril__js_wait *wait = self->waits.places[i].wait;
    if (wait != NULL) wait->settled(wait, fibril__error_code(UV_ECANCELED));
  }
}

/* ---- The call ---- */

/* What the runtime's invoke and forget get: function, resource, args, id. */
static bool invocation_args(const fibril__invocation *call, napi_value argv[4]) {
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
  double id = call->wait == NULL ? -1 : (double)call->wait->id;
  return napi_create_double(env, id, &argv[3]) == napi_ok;
}

/* invoke(function, resource, args, id): true when `id` will be completed later; else the result is
 * in args[0]. */
static void invoke(fibril__invocation *call) {
  fibril__env *self = call->env;
  napi_env env = self->env;
  napi_value argv[4], returned, result;
  if (!invocation_args(call, argv)) {
    call->result = fibril__take_failure(self);
    return;
  }
  int function = call->forget ? FIBRIL__JS_FORGET : FIBRIL__JS_INVOKE;
  self->in_js++;
  napi_status status =
      fibril__env_call(self, fibril__env_function(self, function), 4, argv, &returned);
  self->in_js--;
  if (status != napi_ok) {
    call->result = fibril__take_exception(self);
  } else if (napi_get_value_bool(env, returned, &call->pending) != napi_ok || call->pending ||
             call->forget) {
    return;
  } else if (napi_get_element(env, argv[2], 0, &result) == napi_ok) {
    call->result = fibril__from_js(self, result);
  } else {
    call->result = fibril__take_failure(self);
  }
}

/* On the loop's stack. */
static void do_call(void *data) {
  fibril__invocation *call = data;
  fibril__env *self = call->env;
  napi_handle_scope handles;
  if (self->exiting || napi_open_handle_scope(self->env, &handles) != napi_ok) {
    call->result = fibril__error_code(FIBRIL_ECLOSED);
    return;
  }
  napi_callback_scope scope = fibril__env_open_scope(self);
  invoke(call);
  fibril__env_close_scope(self, scope);
  napi_close_handle_scope(self->env, handles);
}

void fibril__invoke(fibril__invocation *call) {
  call->pending = false;
  call->result = fibril_undefined();
  fibril_on_loop(do_call, call);
}

int fibril__function_env(fibril_value function, fibril__env **env) {
  if (fibril_value_kind(function) != FIBRIL_REFERENCE) return FIBRIL_ETYPE;
  *env = ((fibril__reference *)fibril__value_box(function))->owner;
  return (*env)->exiting ? FIBRIL_ECLOSED : 0;
}

/* ---- From a coroutine, which waits ---- */

/* On its stack. */
typedef struct {
  fibril__js_wait js;
  fibril__wait wait;
  fibril_value result; /* owned */
} coroutine_wait;

static void wake(fibril__js_wait *js, fibril_value result) {
  coroutine_wait *waiting = FIBRIL__CONTAINER(coroutine_wait, js, js);
  if (waiting->wait.woken) {
    fibril_value_free(result);
    return;
  }
  waiting->result = result;
  fibril__wake(&waiting->wait, 0);
}

fibril_value fibril_call(fibril_value function, const fibril_value *args, size_t count) {
  fibril_coroutine *coroutine = fibril__self();
  coroutine_wait waiting = {
      .js.settled = wake,
      .wait = {.what = "JavaScript", .cancel = fibril__wait_cancel_now},
  };
  fibril__invocation call = {
      .function = function, .args = args, .count = count, .wait = &waiting.js};
  int err = fibril__wait_check(coroutine);
  if (err == 0) err = fibril__function_env(function, &call.env);
  if (err == 0) err = fibril__js_wait_link(call.env, &waiting.js);
  if (err != 0) return fibril__error_code(err);
  fibril__invoke(&call);
  /* The function may have cancelled its caller, whom nothing would interrupt from here on. */
  if (call.pending && !waiting.wait.woken) err = fibril__wait_check(coroutine);
  if (call.pending && err == 0) err = fibril__wait_until_woken(coroutine, &waiting.wait);
  fibril__js_wait_unlink(&waiting.js);
  fibril_value result = call.pending ? waiting.result : call.result;
  if (err == 0) return fibril__value_keep(result);
  fibril_value_free(result);
  return fibril__error_code(err);
}

/* ---- From anywhere on the loop's thread ---- */

typedef struct {
  fibril__js_wait js;
  fibril_future *future;
} future_wait;

static void settle_future(fibril__js_wait *js, fibril_value result) {
  future_wait *waiting = FIBRIL__CONTAINER(future_wait, js, js);
  fibril_future *future = waiting->future;
  fibril__js_wait_unlink(js);
  if (js->env->exiting) future->read = true; /* nobody is left who could have read it */
  free(waiting);
  fibril_future_set_result(future, result);
  fibril_future_unref(future);
}

fibril_future *fibril_call_start(fibril_value function, const fibril_value *args, size_t count) {
  fibril__env *self;
  int err = fibril__function_env(function, &self);
  if (err != 0) return fibril__future_failed(err);
  fibril_future *future = fibril_future_new(self->loop);
  future_wait *waiting = malloc(sizeof *waiting);
  if (future == NULL || waiting == NULL || fibril__js_wait_link(self, &waiting->js) != 0) {
    if (future != NULL) fibril_future_unref(future);
    free(waiting);
    return fibril__future_failed(UV_ENOMEM);
  }
  waiting->js.settled = settle_future;
  waiting->future = fibril_future_ref(future);
  fibril__invocation call = {
      .env = self, .function = function, .args = args, .count = count, .wait = &waiting->js};
  fibril__invoke(&call);
  if (!call.pending) settle_future(&waiting->js, call.result);
  return future;
}

int fibril_call_forget(fibril_value function, const fibril_value *args, size_t count) {
  fibril__invocation call = {.function = function, .args = args, .count = count, .forget = true};
  int err = fibril__function_env(function, &call.env);
  if (err != 0) return err;
  fibril__invoke(&call);
  err = fibril_error_code(call.result);
  fibril_value_free(call.result);
  return err;
}

/* complete(id, failed, value): the promise that `id` waits for is settled. */
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
  fibril__js_wait *wait = wait_find(self, (uint64_t)id);
  if (wait == NULL) return NULL;
  fibril_value result;
  if (failed) {
    napi_throw(env, argv[2]);
    result = fibril__take_exception(self);
  } else {
    result = fibril__from_js(self, argv[2]);
  }
  fibril_loop *here = fibril__loop_here;
  fibril__loop_here = self->loop;
  self->in_js++;
  wait->settled(wait, result);
  self->in_js--;
  fibril__loop_here = here;
  self->status[FIBRIL__STATUS_TURN] = 1;
  return NULL;
}

bool fibril__call_native(fibril__env *self, napi_value native) {
  napi_property_descriptor complete = {"complete", NULL, native_complete, NULL,
                                       NULL,       NULL, napi_default,    self};
  return napi_define_properties(self->env, native, 1, &complete) == napi_ok;
}
