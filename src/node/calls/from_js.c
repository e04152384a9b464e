/* Exported functions are called: the first segment runs in the call; if that is not all, the slot
 * is settled later, with others. */
#include "from_js.h"

#include "../../core/scheduler/run.h"
#include "../../core/scheduler/scope.h"
#include "../../core/switch/exceptions.h"
#include "../arguments/later.h"
#include "../env/gate.h"
#include "../values/to_js.h"

#include <stdlib.h>
#include <string.h>

/* What the first segment of a call has come to. */
typedef struct {
  bool ended;
  fibril_value result; /* owned */
} outcome;

/* A call under way, at the top of its coroutine's stack. */
typedef struct {
  fibril_args args;
  outcome *first; /* of the native function's that runs the first segment */
  uint32_t slot;
  fibril_value values[];
} call;

/* A slot that is settled, for JavaScript to be told. */
typedef struct fibril__settled {
  fibril_value result; /* owned */
  uint32_t slot;
} settled_slot;

/* ---- Starting ---- */

/* As many places as there are slots, in both arrays, so that ending a call allocates nothing. */
__attribute__((noinline)) static bool calls_grow(fibril__calls *calls, uint32_t slot) {
  uint32_t capacity = calls->capacity < 64 ? 64 : calls->capacity;
  while (capacity <= slot) capacity *= 2;
  settled_slot *settled = malloc(capacity * sizeof *settled);
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
  calls->capacity = capacity;
  calls->pending = pending;
  calls->settled = settled;
  calls->first = 0;
  return true;
}

bool fibril__calls_reserve(fibril__env *self, uint32_t slot) {
  fibril__calls *calls = fibril__calls_of(self);
  return slot < calls->capacity || calls_grow(calls, slot);
}

void fibril__calls_settle(fibril__env *self, uint32_t slot, fibril_value result) {
  fibril__calls *calls = fibril__calls_of(self);
  calls->settled[(calls->first + calls->count++) & (calls->capacity - 1)] =
      (settled_slot){result, slot};
  fibril__loop_want_flush(self->loop);
}

/* Only queues: it may run on the coroutine's stack. */
static bool call_ended(fibril_coroutine *coroutine, fibril_value result) {
  call *ended = coroutine->arg;
  fibril__env *self = ended->args.callee->env;
  fibril__instance *receiver = ended->args.receiver;
  fibril__args_free(&ended->args);
  if (ended->first != NULL) {
    *ended->first = (outcome){true, result};
    return false;
  }
  if (receiver != NULL) fibril__instance_let_go(receiver);
  fibril__calls_of(self)->pending[ended->slot] = NULL;
  fibril__calls_settle(self, ended->slot, result);
  return false;
}

static fibril_value call_body(void *arg) {
  call *running = arg;
  if (FIBRIL__UNLIKELY(running->args.later != NULL)) {
    fibril_value failure = fibril__args_complete(&running->args);
    if (fibril__is_error(failure)) return failure;
  }
  fibril_value result = running->args.callee->fn(&running->args);
  if (FIBRIL__UNLIKELY((result.tag & FIBRIL__KIND) == FIBRIL_BUFFER))
    return fibril__result_copied(running->args.callee->env, result);
  return result;
}

static fibril_value wait_and_call(void *arg) {
  call *running = arg;
  fibril_value refusal = fibril__gate_wait(running->args.callee->env);
  return fibril__is_error(refusal) ? refusal : call_body(arg);
}

/* Runs the first segment. Its result if that was all, or the call waits for its slot to be settled.
 */
static napi_value run_first(fibril__env *self, fibril_coroutine *coroutine, call *begun,
                            fibril_fn body) {
  outcome first = {.ended = false};
  fibril__coroutine_set(coroutine, begun->args.callee->name, body, begun);
  fibril__coroutine_on_end(coroutine, call_ended);
  begun->first = &first;
  fibril__env_enter_js(self);
  fibril__run(self->loop, coroutine);
  fibril__env_leave_js(self);
  fibril__calls_note_turn(self);
  if (first.ended) return fibril__give_result(self, first.result);
  fibril__forget_returns();
  begun->first = NULL;
  if (begun->args.receiver != NULL) fibril__instance_keep(begun->args.receiver);
  fibril__calls_of(self)->pending[begun->slot] = coroutine;
  fibril__env_set_status(self, FIBRIL__STATUS_RESULT, FIBRIL__CALL_PENDING);
  return NULL;
}

static napi_value reject_call(fibril__env *self, int code) {
  return fibril__give_result(self, fibril__error_code(code));
}

static inline napi_value begin_with(const fibril__export *callee, const napi_value *argv,
                                    fibril__instance *receiver, fibril_fn body) {
  fibril__env *self = callee->env;
  uint32_t slot = fibril__calls_slot(self);
  size_t room = sizeof(call) + callee->value_count * sizeof(fibril_value);
  fibril_coroutine *coroutine;
  if (!fibril__calls_reserve(self, slot)) return reject_call(self, UV_ENOMEM);
  int err = fibril__coroutine_prepare(self->loop, callee->stack_class, room, &coroutine);
  if (err != 0) return reject_call(self, err);
  call *begun = fibril__coroutine_room(coroutine);
  begun->args = fibril__args_of(callee, begun->values, receiver);
  begun->args.may_wait = !callee->copy_at_once;
  begun->slot = slot;
  napi_value error = NULL;
  const fibril__given given = {.argv = argv};
  int kind = fibril__args_decode_numbers(&begun->args, argv)
                 ? FIBRIL__CALL_PENDING
                 : fibril__args_decode(&begun->args, &given, &error);
  if (kind == FIBRIL__CALL_PENDING) return run_first(self, coroutine, begun, body);
  fibril__coroutine_release(coroutine);
  fibril__env_set_status(self, FIBRIL__STATUS_RESULT, kind);
  return error;
}

__attribute__((noinline)) static napi_value
begin_barred(const fibril__export *callee, const napi_value *argv, fibril__instance *receiver) {
  if (callee->env->exiting) return reject_call(callee->env, FIBRIL_ECLOSED);
  return begin_with(callee, argv, receiver, wait_and_call);
}

static inline napi_value begin_call(const fibril__export *callee, const napi_value *argv,
                                    fibril__instance *receiver) {
  return FIBRIL__UNLIKELY(callee->env->barred) ? begin_barred(callee, argv, receiver)
                                               : begin_with(callee, argv, receiver, call_body);
}

napi_value fibril__call_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX];
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *callee;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &callee) != napi_ok) return NULL;
  return begin_call(callee, argv, NULL);
}

napi_value fibril__call_begin_on(const fibril__export *callee, const napi_value *argv,
                                 fibril__instance *receiver) {
  return begin_call(callee, argv, receiver);
}

/* cancel(slot): asks the coroutine of a pending call to end. */
static napi_value native_cancel(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  size_t argc = 1;
  void *data;
  uint32_t slot;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  const fibril__calls *calls = fibril__calls_of(self);
  if (self->exiting || napi_get_value_uint32(env, argv[0], &slot) != napi_ok) return NULL;
  if (slot < calls->capacity && calls->pending[slot] != NULL)
    fibril__coroutine_cancel(calls->pending[slot]);
  return NULL;
}

/* ---- Synchronous functions: their results are returned, and no slot is settled ---- */

static napi_value throw_now(fibril__env *self, int kind, napi_value value) {
  if (kind == FIBRIL__CALL_ERROR) {
    if (value == NULL) value = fibril__env_undefined(self);
    value = fibril__env_ask(self, FIBRIL__JS_ERROR_NOW, 1, &value);
  }
  if (value == NULL || napi_throw(self->env, value) != napi_ok) fibril__throw_failure(self->env);
  return NULL;
}

static inline napi_value give_now(fibril__env *self, fibril_value result) {
  double number = 0;
  napi_value value;
  int kind = fibril__result_to_js(self, result, &number, &value);
  if (FIBRIL__UNLIKELY(kind >= FIBRIL__CALL_ERROR)) return throw_now(self, kind, value);
  if (kind == FIBRIL__CALL_NUMBER && napi_create_double(self->env, number, &value) != napi_ok)
    fibril__throw_failure(self->env);
  return value;
}

napi_value fibril__give_now(fibril__env *self, fibril_value result) {
  return give_now(self, result);
}

static fibril_value call_callee(void *arg) {
  fibril_args *args = arg;
  return args->callee->fn(args);
}

/* `owner`: of the values that it makes. */
static inline fibril_value call_here(fibril__env *self, fibril_args *args, fibril__owner *owner) {
  fibril__visit visit = fibril__visit_begin(self->loop);
  fibril__call_owner(self->loop, owner);
  fibril__env_enter_js(self);
  fibril_value result =
      fibril__exceptions_watched() ? fibril__catch(call_callee, args) : args->callee->fn(args);
  if (result.tag & FIBRIL__BOXED) result = fibril_value_take(result);
  fibril__env_leave_js(self);
  fibril__visit_end(self->loop, visit);
  fibril__args_free(args);
  return result;
}

fibril_value fibril__call_here(fibril__env *self, fibril_args *args) {
  return call_here(self, args, NULL);
}

/* Where that fails, the loop's next turn does it. */
static void drain_soon(fibril__env *self) {
  if (fibril__env_ask(self, FIBRIL__JS_DRAIN_SOON, 0, NULL) == NULL)
    fibril__env_take_exception(self);
}

/* The values that it makes and leaves go with the call, as a coroutine's. */
static inline napi_value run_now(fibril__env *self, fibril_args *args) {
  fibril__owner own;
  fibril__arena_init(&own);
  fibril_value result = call_here(self, args, &own);
  if (own.arena != NULL) fibril__arena_release(&own);
  if (fibril__calls_turn(self)) drain_soon(self);
  return give_now(self, result);
}

/* Values of options, too. */
__attribute__((noinline)) static napi_value decode_and_run_now(fibril_args *args,
                                                               const fibril__given *given) {
  fibril_value values[FIBRIL__PARAMETERS_MAX + FIBRIL__OPTIONS_MAX];
  fibril__env *self = args->callee->env;
  napi_value error = NULL;
  args->values = values;
  int kind = fibril__args_decode(args, given, &error);
  return kind == FIBRIL__CALL_PENDING ? run_now(self, args) : throw_now(self, kind, error);
}

static inline napi_value call_now(const fibril__export *callee, const fibril__given *given,
                                  fibril__instance *receiver) {
  fibril__env *self = callee->env;
  fibril_value values[FIBRIL__PARAMETERS_MAX];
  if (FIBRIL__UNLIKELY(self->barred)) {
    fibril_value refusal = fibril__gate_refusal(self, callee->name);
    if (fibril__is_error(refusal)) return give_now(self, refusal);
  }
  fibril_args args = fibril__args_of(callee, values, receiver);
  return fibril__args_decode_numbers(&args, given->argv) ? run_now(self, &args)
                                                         : decode_and_run_now(&args, given);
}

napi_value fibril__call_now_on(const fibril__export *callee, const fibril__given *given,
                               fibril__instance *receiver) {
  return call_now(callee, given, receiver);
}

/* With room for so many arguments: Node fills in those that are not there. */
FIBRIL__INLINE napi_value begin_now(napi_env env, napi_callback_info info, size_t most) {
  napi_value argv[FIBRIL__PARAMETERS_MAX];
  fibril__given given = {.argv = argv};
  size_t argc = most;
  void *callee;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &callee) != napi_ok) return NULL;
  if (most > 2 && !fibril__args_gather(callee, info, argc, argv, &given)) return NULL;
  napi_value result = call_now(callee, &given, NULL);
  if (most > 2 && given.own != NULL) free(given.own);
  return result;
}

static napi_value begin_now_few(napi_env env, napi_callback_info info) {
  return begin_now(env, info, 2);
}

static bool fits_few(const fibril__export *entry) {
  return entry->signature.count <= 2 && !entry->signature.rest;
}

static napi_value begin_now_many(napi_env env, napi_callback_info info) {
  return begin_now(env, info, FIBRIL__PARAMETERS_MAX);
}

/* ---- Settling in batches ---- */

static settled_slot take_settled(fibril__calls *calls) {
  settled_slot settled = calls->settled[calls->first];
  calls->first = (calls->first + 1) & (calls->capacity - 1);
  calls->count--;
  return settled;
}

/* Fills the shared arrays with up to a batch of settled slots, and `values` with what is neither
 * undefined nor a number. */
static uint32_t fill_settled(fibril__env *self, napi_value *values, size_t *value_count) {
  fibril__calls *calls = fibril__calls_of(self);
  uint32_t count = 0;
  while (calls->count > 0 && count < FIBRIL__BATCH) {
    settled_slot settled = take_settled(calls);
    napi_value value;
    double number = 0;
    int kind = fibril__result_to_js(self, settled.result, &number, &value);
    calls->slots[count] = (int32_t)settled.slot;
    calls->kinds[count] = (uint8_t)kind;
    calls->numbers[count] = number;
    /* Of an error without a description JavaScript says that no memory is left. */
    if (kind >= FIBRIL__CALL_VALUE)
      values[(*value_count)++] = value != NULL ? value : fibril__env_undefined(self);
    count++;
  }
  return count;
}

/* What the shared arrays hold while JavaScript goes through them: it may turn the loop, which
 * settles another batch meanwhile. */
typedef struct {
  int32_t slots[FIBRIL__BATCH];
  uint8_t kinds[FIBRIL__BATCH];
  double numbers[FIBRIL__BATCH];
} saved_batch;

static void copy_batch(fibril__calls *calls, saved_batch *saved, bool back) {
  const struct {
    void *shared, *saved;
    size_t size;
  } arrays[] = {
      {calls->slots, saved->slots, sizeof saved->slots},
      {calls->kinds, saved->kinds, sizeof saved->kinds},
      {calls->numbers, saved->numbers, sizeof saved->numbers},
  };
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
    memcpy(back ? arrays[i].shared : arrays[i].saved, back ? arrays[i].saved : arrays[i].shared,
           arrays[i].size);
}

static void settle_batch(fibril__env *self) {
  napi_value args[1 + FIBRIL__BATCH];
  size_t argc = 1;
  uint32_t count = fill_settled(self, args, &argc);
  napi_create_uint32(self->env, count, &args[0]);
  fibril__env_enter_js(self);
  if (fibril__env_call(self, fibril__env_function(self, FIBRIL__JS_SETTLE), argc, args, NULL) !=
      napi_ok)
    fibril__env_report_exception(self);
  fibril__env_leave_js(self);
}

/* Without memory for it an inner one leaves them to the outer one. */
static void settle_batches(fibril__env *self) {
  fibril__calls *calls = fibril__calls_of(self);
  bool inner = calls->settling;
  saved_batch *saved = inner ? malloc(sizeof *saved) : NULL;
  if (inner && saved == NULL) return;
  if (inner) copy_batch(calls, saved, false);
  calls->settling = true;
  while (calls->count > 0 && !self->exiting) settle_batch(self);
  calls->settling = inner;
  if (inner) copy_batch(calls, saved, true);
  free(saved);
}

void fibril__calls_flush(fibril__env *self) {
  if (fibril__calls_of(self)->count == 0) return;
  napi_callback_scope scope = fibril__env_open_scope(self);
  settle_batches(self);
  fibril__env_close_scope(self, scope);
}

void fibril__calls_drop(fibril__env *self) {
  fibril__calls *calls = fibril__calls_of(self);
  while (calls->count > 0) fibril_value_free(take_settled(calls).result);
}

/* ---- The environment's part ---- */

bool fibril__calls_native(fibril__env *self, napi_value native) {
  fibril__calls *calls = fibril__calls_of(self);
  napi_property_descriptor cancel = {"cancel", NULL, native_cancel, NULL,
                                     NULL,     NULL, napi_default,  self};
  return fibril__env_share(self, native, "slots", napi_int32_array, FIBRIL__BATCH, 4, &calls->slots,
                           &calls->shared[0]) &&
         fibril__env_share(self, native, "kinds", napi_uint8_array, FIBRIL__BATCH, 1, &calls->kinds,
                           &calls->shared[1]) &&
         fibril__env_share(self, native, "numbers", napi_float64_array, FIBRIL__BATCH, 8,
                           &calls->numbers, &calls->shared[2]) &&
         napi_define_properties(self->env, native, 1, &cancel) == napi_ok;
}

void fibril__calls_free(fibril__env *self) {
  fibril__calls *calls = fibril__calls_of(self);
  for (size_t i = 0; i < sizeof calls->shared / sizeof calls->shared[0]; i++)
    fibril__drop_reference(self->env, calls->shared[i]);
  free(calls->pending);
  free(calls->settled);
}

/* ---- Exporting functions ---- */

int fibril__export_function(fibril_module *module, const fibril__export_spec *spec) {
  fibril__export *entry = fibril__export_new(module, spec, sizeof(fibril__export));
  if (entry == NULL) return fibril__module_failure(module);
  return entry->signature.synchronous
             ? fibril__export_define(module, spec, entry,
                                     fits_few(entry) ? begin_now_few : begin_now_many,
                                     FIBRIL__JS_EXPORT_NOW)
             : fibril__export_define(module, spec, entry, fibril__call_begin, FIBRIL__JS_WRAP);
}

int fibril_export_with(fibril_module *module, const char *signature, fibril_export_fn fn,
                       const fibril_export_options *options) {
  const fibril__export_spec spec = {.what = "fibril_export",
                                    .signature = signature,
                                    .form = FIBRIL__FORM_FUNCTION,
                                    .fn = fn,
                                    .options = options};
  return fibril__export_function(module, &spec);
}

int fibril_export(fibril_module *module, const char *signature, fibril_export_fn fn) {
  return fibril_export_with(module, signature, fn, NULL);
}
