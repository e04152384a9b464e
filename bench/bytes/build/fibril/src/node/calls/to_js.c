/* C calls JavaScript: out of the coroutine, into the function, and back with what it returned or
 * what its promise became. */
#include "to_js.h"

#include "../../core/scheduler/wait.h"
#include "../values/from_js.h"
#include "../values/references.h"
#include "../values/to_js.h"

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

static bool places_grow(fibril__js_waits *table) {
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
  fibril__js_waits *table = fibril__js_waits_of(self);
  if (table->free == table->capacity && !places_grow(table)) return UV_ENOMEM;
  uint32_t index = table->free;
  fibril__js_place *place = &table->places[index];
  table->free = place->next_free;
  place->wait = wait;
  place->uses++;
  wait->env = self;
  wait->id = (place->uses & USES_MASK) << INDEX_BITS | index;
  return 0;
}

static fibril__js_wait *js_wait_find(fibril__env *self, uint64_t id) {
  const fibril__js_waits *table = fibril__js_waits_of(self);
  uint64_t index = id & ((UINT64_C(1) << INDEX_BITS) - 1);
  if (index >= table->capacity) return NULL;
  fibril__js_wait *wait = table->places[index].wait;
  return wait != NULL && wait->id == id ? wait : NULL;
}

void fibril__js_wait_unlink(fibril__js_wait *wait) {
  fibril__js_waits *table = fibril__js_waits_of(wait->env);
  uint32_t index = (uint32_t)(wait->id & ((UINT64_C(1) << INDEX_BITS) - 1));
  table->places[index].wait = NULL;
  table->places[index].next_free = table->free;
  table->free = index;
}

void fibril__js_waits_end(fibril__env *self) {
  fibril__visit visit = fibril__visit_begin(self->loop);
  const fibril__js_waits *table = fibril__js_waits_of(self);
  for (uint32_t i = 0; i < table->capacity; i++) {
    fibril__js_wait *wait = table->places[i].wait;
    if (wait != NULL) wait->settled(wait, fibril__error_code(UV_ECANCELED));
  }
  fibril__visit_end(self->loop, visit);
}

void fibril__js_waits_free(fibril__env *self) {
  free(fibril__js_waits_of(self)->places);
}

/* ---- The call ---- */

/* What the runtime's invoke and forget get: function, resource, id, and the arguments. */
enum { OWN_ARGS = 3, FEW_ARGS = 8 };

static bool invocation_args(const fibril__invocation *call, napi_value *argv) {
  napi_env env = call->env->env;
  const fibril__reference *reference = fibril__value_box(call->function);
  double id = call->wait == NULL ? -1 : (double)call->wait->id;
  argv[0] = fibril__to_js(call->env, call->function);
  if (argv[0] == NULL || napi_get_undefined(env, &argv[1]) != napi_ok ||
      (reference->resource != NULL &&
       napi_get_reference_value(env, reference->resource, &argv[1]) != napi_ok) ||
      napi_create_double(env, id, &argv[2]) != napi_ok)
    return false;
  for (size_t i = 0; i < call->count; i++) {
    argv[OWN_ARGS + i] = fibril__to_js(call->env, call->args[i]);
    if (argv[OWN_ARGS + i] == NULL) return false;
  }
  return true;
}

/* invoke(function, resource, id, ...args): its result, or `later` when `id` will be completed. */
static void invoke_with(fibril__invocation *call, napi_value *argv) {
  fibril__env *self = call->env;
  napi_env env = self->env;
  napi_value returned;
  if (!invocation_args(call, argv)) {
    call->result = fibril__take_failure(self);
    return;
  }
  int function = call->forget ? FIBRIL__JS_FORGET : FIBRIL__JS_INVOKE;
  fibril__env_enter_js(self);
  napi_status status = fibril__env_call(self, fibril__env_function(self, function),
                                        OWN_ARGS + call->count, argv, &returned);
  fibril__env_leave_js(self);
  if (status != napi_ok ||
      napi_strict_equals(env, returned, fibril__env_function(self, FIBRIL__JS_LATER),
                         &call->pending) != napi_ok)
    call->result = fibril__take_failure(self);
  else if (!call->pending && !call->forget)
    call->result = fibril__from_js(self, returned);
}

static void invoke_in_room(fibril__invocation *call) {
  napi_value few[OWN_ARGS + FEW_ARGS], *argv = few;
  if (call->count > FEW_ARGS) {
    argv = call->count < SIZE_MAX / sizeof *argv - OWN_ARGS
               ? malloc((OWN_ARGS + call->count) * sizeof *argv)
               : NULL;
    if (argv == NULL) {
      call->result = fibril__error_code(UV_ENOMEM);
      return;
    }
  }
  invoke_with(call, argv);
  if (argv != few) free(argv);
}

/* On the loop's stack. */
static void invoke_on_loop(void *data) {
  fibril__invocation *call = data;
  fibril__env *self = call->env;
  napi_handle_scope handles;
  if (self->exiting || napi_open_handle_scope(self->env, &handles) != napi_ok) {
    call->result = fibril__error_code(FIBRIL_ECLOSED);
    return;
  }
  napi_callback_scope scope = fibril__env_open_scope(self);
  invoke_in_room(call);
  fibril__env_close_scope(self, scope);
  napi_close_handle_scope(self->env, handles);
}

void fibril__invoke(fibril__invocation *call) {
  call->pending = false;
  call->result = fibril_undefined();
  fibril_on_loop(invoke_on_loop, call);
}

int fibril__function_env(fibril_value function, fibril__env **env) {
  if (fibril_value_kind(function) != FIBRIL_REFERENCE) return FIBRIL_ETYPE;
  const fibril__reference *reference = (fibril__reference *)fibril__value_box(function);
  if (!reference->callable) return FIBRIL_ETYPE;
  *env = reference->owner;
  return (*env)->exiting ? FIBRIL_ECLOSED : 0;
}

/* ---- From a coroutine, which waits ---- */

/* On its stack. */
typedef struct {
  fibril__js_wait js;
  fibril__wait wait;
  bool settled;
  fibril_value result; /* owned */
} coroutine_wait;

/* Also after a cancellation, while the coroutine has not run yet: then it is the next wait's. */
static void wake_caller(fibril__js_wait *js, fibril_value result) {
  coroutine_wait *waiting = FIBRIL__CONTAINER(coroutine_wait, js, js);
  if (waiting->settled) {
    fibril_value_free(result);
    return;
  }
  waiting->settled = true;
  waiting->result = result;
  fibril__wake(&waiting->wait, 0);
}

static const fibril__wait_kind javascript_kind = {.name = "JavaScript"};

fibril_value fibril_call(fibril_value function, const fibril_value *args, size_t count) {
  fibril_coroutine *coroutine = fibril__self();
  coroutine_wait waiting = {
      .js.settled = wake_caller,
      .wait = {.kind = &javascript_kind, .cancel = fibril__wait_cancel_now},
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
  if (!call.pending) return fibril__value_keep(call.result);
  return waiting.settled ? fibril__value_keep(waiting.result) : fibril__error_code(err);
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
  /* Nobody is left who could have read it. */
  if (js->env->exiting || fibril_error_code(result) == FIBRIL_ECLOSED)
    fibril__future_set_read(future);
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
      napi_get_value_bool(env, argv[1], &failed) != napi_ok ||
      js_wait_find(self, (uint64_t)id) == NULL)
    return NULL;
  fibril_value result =
      failed ? fibril__exception_from_js(self, argv[2]) : fibril__from_js(self, argv[2]);
  fibril__js_wait *wait =
      js_wait_find(self, (uint64_t)id); /* the conversion may have run JavaScript */
  if (wait == NULL) {
    fibril_value_free(result);
    return NULL;
  }
  fibril__visit visit = fibril__visit_begin(self->loop);
  fibril__env_enter_js(self);
  wait->settled(wait, result);
  fibril__env_leave_js(self);
  fibril__visit_end(self->loop, visit);
  fibril__env_set_status(self, FIBRIL__STATUS_TURN, 1);
  return NULL;
}

bool fibril__js_waits_native(fibril__env *self, napi_value native) {
  napi_property_descriptor complete = {"complete", NULL, native_complete, NULL,
                                       NULL,       NULL, napi_default,    self};
  return napi_define_properties(self->env, native, 1, &complete) == napi_ok;
}
