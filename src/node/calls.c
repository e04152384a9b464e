/* Calls: each runs a coroutine, at whose end the promise that JavaScript made is settled. */
#include "export.h"

#include "../core/run.h"

#include <stdlib.h>
#include <string.h>

/* What the first segment of a call has come to. */
struct fibril__outcome {
  bool ended;
  fibril_value result; /* owned */
};

/* ---- Starting ---- */

/* As many places as there are slots, in both arrays, so that ending a call allocates nothing. */
__attribute__((noinline)) static bool calls_grow(struct fibril__calls *calls, uint32_t slot) {
  uint32_t capacity = calls->capacity < 64 ? 64 : calls->capacity;
  while (capacity <= slot) capacity *= 2;
  fibril__settled *settled = malloc(capacity * sizeof *settled);
  fibril_coroutine **pending =
      settled == NULL ? NULL : realloc(calls->pending, capacity * sizeof(fibril_coroutine *));
  if (pending == NULL) {
    free(settled);
    return false;
  }
  memset(pending + calls->capacity, 0, (capacity - calls->capacity) * sizeof *pending);
  for (uint32_t i = 0; i < calls->count; i++)
    settled[i] = calls->settled[(calls->first + i) & (calls->capacity - 1)];
  free(calls->settled);
  *calls = (struct fibril__calls){capacity, pending, settled, 0, calls->count};
  return true;
}

bool fibril__calls_reserve(fibril__env *self, uint32_t slot) {
  return slot < self->calls.capacity || calls_grow(&self->calls, slot);
}

void fibril__calls_settle(fibril__env *self, uint32_t slot, fibril_value result) {
  struct fibril__calls *calls = &self->calls;
  calls->settled[(calls->first + calls->count++) & (calls->capacity - 1)] =
      (fibril__settled){result, slot};
  self->loop->flush_wanted = true;
  if (!self->loop->idle_active) fibril__loop_activate(self->loop);
}

/* Only queues: it may run on the coroutine's stack. */
static void on_ended(void *arg, fibril_value result) {
  fibril__call *call = arg;
  fibril__env *self = call->args.callee->env;
  fibril__args_free(&call->args);
  if (call->outcome != NULL) {
    *call->outcome = (struct fibril__outcome){true, result};
    return;
  }
  self->calls.pending[call->slot] = NULL;
  fibril__calls_settle(self, call->slot, result);
}

int fibril__result_to_js(fibril__env *self, fibril_value value, double *number, napi_value *out) {
  int kind = FIBRIL__CALL_VALUE;
  *out = NULL;
  switch (value.tag & FIBRIL__KIND) {
    case FIBRIL_UNDEFINED: return FIBRIL__CALL_UNDEFINED;
    case FIBRIL_NUMBER: *number = value.as.number; return FIBRIL__CALL_NUMBER;
    case FIBRIL_ERROR: *out = fibril__error_to_js(self, value, &kind); break;
    default:
      *out = fibril__to_js(self, value);
      if (*out == NULL) *out = fibril__failure_to_js(self, &kind);
      break;
  }
  fibril_value_free(value);
  return kind;
}

napi_value fibril__call_reject(fibril__env *self, fibril_value error) {
  int kind;
  napi_value description = fibril__error_to_js(self, error, &kind);
  self->status[FIBRIL__STATUS_RESULT] = kind;
  fibril_value_free(error);
  return description;
}

static napi_value reject(fibril__env *self, int code) {
  return fibril__call_reject(self, fibril__error_code(code));
}

static fibril_value run(void *arg) {
  fibril__call *call = arg;
  return call->args.callee->fn(&call->args);
}

/* Runs the first segment. Its result if that was all, or the call waits for its slot to be settled.
 */
static napi_value start(fibril__env *self, fibril_coroutine *coroutine, fibril__call *call) {
  const fibril__export *callee = call->args.callee;
  struct fibril__outcome outcome = {.ended = false};
  coroutine->stack->name = callee->name;
  coroutine->fn = run;
  coroutine->arg = call;
  coroutine->ended = on_ended;
  uint32_t slot = call->slot;
  napi_value result;
  call->outcome = &outcome;
  self->in_js++;
  fibril__run(self->loop, coroutine);
  self->in_js--;
  self->status[FIBRIL__STATUS_TURN] = fibril__queued(self->loop) > 0 || self->calls.count > 0;
  if (outcome.ended) {
    self->status[FIBRIL__STATUS_RESULT] =
        fibril__result_to_js(self, outcome.result, self->immediate, &result);
    return result;
  }
  fibril__forget_returns();
  call->outcome = NULL;
  self->calls.pending[slot] = coroutine;
  self->status[FIBRIL__STATUS_RESULT] = FIBRIL__CALL_PENDING;
  return NULL;
}

/* The commonest types need one Node-API call each. False: the rest has to look at them. */
static inline bool decode_numbers(fibril__call *call, const napi_value *argv) {
  const fibril__signature *signature = &call->args.callee->signature;
  napi_env env = call->args.callee->env->env;
  if (!signature->numbers) return false;
  for (uint32_t i = 0; i < signature->count; i++) {
    double number;
    if (napi_get_value_double(env, argv[i], &number) != napi_ok) return false;
    call->values[i] = fibril_number(number);
  }
  return true;
}

static inline napi_value begin(const fibril__export *callee, const napi_value *argv,
                               fibril__instance *instance) {
  fibril__env *self = callee->env;
  uint32_t slot = (uint32_t)self->status[FIBRIL__STATUS_SLOT];
  fibril_coroutine *coroutine;
  if (self->exiting) return reject(self, FIBRIL_ECLOSED);
  if (!fibril__calls_reserve(self, slot)) return reject(self, UV_ENOMEM);
  int err = fibril__coroutine_prepare(self->loop, callee->stack_class, callee->room, &coroutine);
  if (err != 0) return reject(self, err);
  fibril__call *call = fibril__coroutine_room(coroutine);
  call->args = (fibril_args){callee, call->values, instance};
  call->slot = slot;
  if (instance != NULL) fibril__instance_ref(instance);
  napi_value error = NULL;
  int kind = decode_numbers(call, argv) ? FIBRIL__CALL_PENDING
                                        : fibril__args_decode(&call->args, argv, &error);
  if (kind == FIBRIL__CALL_PENDING) return start(self, coroutine, call);
  fibril__coroutine_release(coroutine);
  self->status[FIBRIL__STATUS_RESULT] = kind;
  return error;
}

napi_value fibril__call_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX];
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *callee;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &callee) != napi_ok) return NULL;
  return begin(callee, argv, NULL);
}

napi_value fibril__method_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX], object;
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *data;
  fibril_value error;
  if (napi_get_cb_info(env, info, &argc, argv, &object, &data) != napi_ok) return NULL;
  const fibril__export *callee = data;
  fibril__instance *instance = fibril__instance_of(callee->cls, object, &error);
  return instance == NULL ? fibril__call_reject(callee->env, error) : begin(callee, argv, instance);
}

void fibril__call_cancel(fibril__env *self, uint32_t slot) {
  if (slot < self->calls.capacity && self->calls.pending[slot] != NULL)
    fibril__coroutine_cancel(self->calls.pending[slot]);
}

/* ---- Settling in batches ---- */

static fibril__settled take_settled(struct fibril__calls *calls) {
  fibril__settled settled = calls->settled[calls->first];
  calls->first = (calls->first + 1) & (calls->capacity - 1);
  calls->count--;
  return settled;
}

/* Of an error without a description JavaScript says that no memory is left. */
static bool put(fibril__env *self, napi_value *values, uint32_t index, napi_value value) {
  if (*values == NULL && napi_create_array(self->env, values) != napi_ok) *values = NULL;
  return *values != NULL && napi_set_element(self->env, *values, index, value) == napi_ok;
}

/* Fills the shared arrays with up to a batch of settled calls. `values` is made when one needs it.
 */
static uint32_t fill_batch(fibril__env *self, napi_value *values) {
  uint32_t count = 0;
  while (self->calls.count > 0 && count < FIBRIL__BATCH) {
    fibril__settled settled = take_settled(&self->calls);
    napi_value value;
    self->slots[count] = (int32_t)settled.slot;
    self->kinds[count] =
        (uint8_t)fibril__result_to_js(self, settled.result, &self->numbers[count], &value);
    if (value != NULL && !put(self, values, count, value)) self->kinds[count] = FIBRIL__CALL_ERROR;
    count++;
  }
  return count;
}

static void settle_batch(fibril__env *self) {
  napi_value undefined, args[2] = {NULL, NULL};
  uint32_t count = fill_batch(self, &args[1]);
  napi_get_undefined(self->env, &undefined);
  napi_create_uint32(self->env, count, &args[0]);
  if (args[1] == NULL) args[1] = undefined;
  self->in_js++;
  if (fibril__env_call(self, fibril__env_function(self, FIBRIL__JS_SETTLE), 2, args, NULL) !=
      napi_ok)
    fibril__env_report_exception(self);
  self->in_js--;
}

void fibril__calls_flush(void *arg) {
  fibril__env *self = arg;
  if (self->exiting) {
    while (self->calls.count > 0) fibril_value_free(take_settled(&self->calls).result);
    return;
  }
  napi_handle_scope handles;
  if (napi_open_handle_scope(self->env, &handles) != napi_ok) return;
  fibril__iterators_collect(self);
  fibril__instances_release(self);
  fibril__references_delete(self);
  if (self->calls.count > 0) {
    napi_callback_scope scope = fibril__env_open_scope(self);
    while (self->calls.count > 0 && !self->exiting) settle_batch(self);
    fibril__env_close_scope(self, scope);
  }
  napi_close_handle_scope(self->env, handles);
}

void fibril__calls_free(struct fibril__calls *calls) {
  free(calls->pending);
  free(calls->settled);
  *calls = (struct fibril__calls){0};
}
