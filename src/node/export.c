/* Exported functions: a call runs a coroutine, whose future is the C side of the promise that
 * JavaScript made. */
#include "export.h"
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

struct fibril_module {
  fibril__env *env;
  napi_value exports;
  bool failed; /* an exception is pending */
};

/* ---- Calls ---- */

/* Calls of functions with few arguments are used again. */
#define REUSED_VALUES 6
#define FREE_CALLS_MAX 4096

static fibril__call *call_new(fibril__env *self, const fibril__export *callee, uint32_t slot) {
  size_t count = callee->signature.count + callee->signature.property_count;
  fibril__call *call = count <= REUSED_VALUES ? self->free_calls : NULL;
  if (call != NULL) {
    self->free_calls = call->next;
    self->free_call_count--;
  } else {
    if (count < REUSED_VALUES) count = REUSED_VALUES;
    call = malloc(sizeof *call + count * sizeof call->values[0]);
    if (call == NULL) return NULL;
    call->reused = count == REUSED_VALUES;
  }
  call->args = (fibril_args){callee, call->values};
  call->env = self;
  call->slot = slot;
  call->started = false;
  fibril__future_init(self->loop, &call->future);
  return call;
}

static void call_free(fibril__call *call) {
  fibril__env *self = call->env;
  fibril__args_free(&call->args);
  fibril__future_destroy(&call->future);
  if (call->reused && self->free_call_count < FREE_CALLS_MAX) {
    call->next = self->free_calls;
    self->free_calls = call;
    self->free_call_count++;
  } else {
    free(call);
  }
}

/* The coroutine has ended. Runs on any stack: only queues. */
static void on_done(fibril_future *future, void *arg) {
  fibril__call *call = arg;
  fibril__env *self = call->env;
  (void)future;
  if (!call->started) return;
  call->next = NULL;
  *self->settled_tail = call;
  self->settled_tail = &call->next;
  self->loop->flush_wanted = true;
  fibril__loop_activate(self->loop);
}

static fibril_value run_call(void *arg) {
  fibril__call *call = arg;
  return call->args.callee->fn(&call->args);
}

/* How the result crosses: a number and undefined need no napi_value. */
static int convert_result(fibril__env *self, fibril_value value, double *number, napi_value *out) {
  int kind = FIBRIL__CALL_VALUE;
  *out = NULL;
  switch (fibril_value_kind(value)) {
    case FIBRIL_UNDEFINED: return FIBRIL__CALL_UNDEFINED;
    case FIBRIL_NUMBER: *number = value.as.number; return FIBRIL__CALL_NUMBER;
    case FIBRIL_ERROR: *out = fibril__error_to_js(self, value, &kind); return kind;
    default: *out = fibril__to_js(self, value); return kind;
  }
}

static bool calls_reserve(fibril__env *self, uint32_t slot) {
  if (slot < self->call_capacity) return true;
  uint32_t capacity = self->call_capacity < 64 ? 64 : self->call_capacity;
  while (capacity <= slot) capacity *= 2;
  fibril__call **calls = realloc(self->calls, capacity * sizeof *calls);
  if (calls == NULL) return false;
  memset(calls + self->call_capacity, 0, (capacity - self->call_capacity) * sizeof *calls);
  self->calls = calls;
  self->call_capacity = capacity;
  return true;
}

/* Starts the coroutine of a call whose arguments are decoded. An error code or 0. */
static int call_start(fibril__call *call) {
  const fibril__export *callee = call->args.callee;
  return fibril__spawn_on_loop(call->env->loop, run_call, call, callee->stack_class, callee->name,
                               &call->future);
}

static napi_value reject(fibril__env *self, int code) {
  int kind;
  napi_value description = fibril__error_to_js(self, fibril__error_code(code), &kind);
  self->status[FIBRIL__STATUS_RESULT] = kind;
  return description;
}

/* After the first segment: the result if there is one, or the call waits for its slot to be
 * settled. */
static napi_value call_outcome(fibril__call *call) {
  fibril__env *self = call->env;
  napi_value result = NULL;
  if (!fibril_future_done(&call->future)) {
    call->started = true;
    self->calls[call->slot] = call;
    call->done = (fibril__callback){.fn = on_done, .arg = call};
    fibril__future_watch(&call->future, &call->done);
    self->status[FIBRIL__STATUS_RESULT] = FIBRIL__CALL_PENDING;
    return NULL;
  }
  self->status[FIBRIL__STATUS_RESULT] =
      convert_result(self, fibril_future_result(&call->future), self->immediate, &result);
  call_free(call);
  return result;
}

static napi_value on_call(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX];
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *data;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  fibril__export *callee = data;
  fibril__env *self = callee->env;
  uint32_t slot = (uint32_t)self->status[FIBRIL__STATUS_SLOT];
  if (self->exiting) return reject(self, FIBRIL_ECLOSED);
  fibril__call *call = calls_reserve(self, slot) ? call_new(self, callee, slot) : NULL;
  if (call == NULL) return reject(self, UV_ENOMEM);
  napi_value error = fibril__args_decode(&call->args, argv);
  if (error != NULL) {
    self->status[FIBRIL__STATUS_RESULT] = FIBRIL__CALL_THROWN;
    call_free(call);
    return error;
  }
  self->in_js++;
  int err = call_start(call);
  self->in_js--;
  self->status[FIBRIL__STATUS_TURN] = fibril__queued(self->loop) > 0 || self->settled != NULL;
  if (err == 0) return call_outcome(call);
  call_free(call);
  return reject(self, err);
}

/* ---- Settling in batches ---- */

/* Fills the shared arrays with up to a batch of settled calls. `values` is made when one needs it.
 */
static uint32_t fill_batch(fibril__env *self, napi_value *values) {
  uint32_t count = 0;
  while (self->settled != NULL && count < FIBRIL__BATCH) {
    fibril__call *call = self->settled;
    napi_value value;
    self->settled = call->next;
    if (self->settled == NULL) self->settled_tail = &self->settled;
    self->calls[call->slot] = NULL;
    self->slots[count] = (int32_t)call->slot;
    self->kinds[count] = (uint8_t)convert_result(self, fibril_future_result(&call->future),
                                                 &self->numbers[count], &value);
    if (value != NULL) {
      if (*values == NULL) napi_create_array(self->env, values);
      napi_set_element(self->env, *values, count, value);
    }
    call_free(call);
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
  if (napi_call_function(self->env, undefined, fibril__env_function(self, FIBRIL__JS_SETTLE), 2,
                         args, NULL) != napi_ok)
    fibril__env_report_exception(self);
  self->in_js--;
}

static void drop_settled(fibril__env *self) {
  while (self->settled != NULL) {
    fibril__call *call = self->settled;
    self->settled = call->next;
    self->calls[call->slot] = NULL;
    call_free(call);
  }
  self->settled_tail = &self->settled;
}

void fibril__calls_flush(void *arg) {
  fibril__env *self = arg;
  if (self->exiting) {
    drop_settled(self);
    return;
  }
  napi_handle_scope handles;
  if (napi_open_handle_scope(self->env, &handles) != napi_ok) return;
  fibril__references_delete(self);
  if (self->settled != NULL) {
    napi_callback_scope scope = fibril__env_open_scope(self);
    while (self->settled != NULL && !self->exiting) settle_batch(self);
    fibril__env_close_scope(self, scope);
  }
  napi_close_handle_scope(self->env, handles);
}

/* ---- What the runtime's JavaScript calls ---- */

/* drain(): runs what became ready in this turn and settles what that finished. */
static napi_value native_drain(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (self->exiting) return NULL;
  self->in_js++;
  fibril__loop_run_turn(self->loop);
  fibril__calls_flush(self);
  self->in_js--;
  self->status[FIBRIL__STATUS_TURN] = 0;
  return NULL;
}

/* cancel(slot): asks the coroutine of a pending call to end. */
static napi_value native_cancel(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  size_t argc = 1;
  void *data;
  uint32_t slot;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return NULL;
  fibril__env *self = data;
  if (self->exiting || napi_get_value_uint32(env, argv[0], &slot) != napi_ok ||
      slot >= self->call_capacity)
    return NULL;
  if (self->calls[slot] != NULL) fibril_cancel(&self->calls[slot]->future);
  return NULL;
}

typedef struct {
  fibril__env *env;
  napi_value list;
  uint32_t count;
} listing;

static void list_waiting(const char *name, const char *waits_for, void *arg) {
  listing *waiting = arg;
  fibril_value text = fibril_error(0, "%s waits for %s", name[0] == '\0' ? "a coroutine" : name,
                                   waits_for == NULL ? "its turn" : waits_for);
  napi_value string;
  if (napi_create_string_utf8(waiting->env->env, fibril_error_message(text), NAPI_AUTO_LENGTH,
                              &string) == napi_ok)
    napi_set_element(waiting->env->env, waiting->list, waiting->count++, string);
  fibril_value_free(text);
}

/* waiting(): a line for every coroutine that has not ended. */
static napi_value native_waiting(napi_env env, napi_callback_info info) {
  void *data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
  listing waiting = {.env = data};
  if (waiting.env->exiting || napi_create_array(env, &waiting.list) != napi_ok) return NULL;
  fibril_loop_inspect(waiting.env->loop, list_waiting, &waiting);
  return waiting.list;
}

/* evaluate(text): a script's value, made anew each time. */
static napi_value native_evaluate(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  size_t argc = 1;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  napi_run_script(env, argv[0], &result);
  return result;
}

bool fibril__exports_native(fibril__env *self, napi_value native) {
  napi_property_descriptor properties[] = {
      {"drain", NULL, native_drain, NULL, NULL, NULL, napi_default, self},
      {"cancel", NULL, native_cancel, NULL, NULL, NULL, napi_default, self},
      {"evaluate", NULL, native_evaluate, NULL, NULL, NULL, napi_default, self},
      {"waiting", NULL, native_waiting, NULL, NULL, NULL, napi_default, self},
  };
  return napi_define_properties(self->env, native, sizeof properties / sizeof properties[0],
                                properties) == napi_ok;
}

/* ---- Exporting ---- */

void fibril__exports_free(fibril__env *self) {
  while (self->exports != NULL) {
    fibril__export *entry = self->exports;
    self->exports = entry->next;
    free(entry->name);
    free(entry);
  }
  while (self->free_calls != NULL) {
    fibril__call *call = self->free_calls;
    self->free_calls = call->next;
    free(call);
  }
  free(self->calls);
  self->calls = NULL;
  self->call_capacity = 0;
}

/* The index of the parameter that has an AbortSignal: itself, or as the property *key. -1: none. */
static int find_signal(const fibril__signature *signature, const fibril__parameter **key) {
  *key = NULL;
  for (uint32_t i = 0; i < signature->count; i++) {
    const fibril__parameter *parameter = &signature->parameters[i];
    if (parameter->type == FIBRIL__TYPE_SIGNAL) return (int)i;
    for (uint32_t j = parameter->first; j < parameter->first + parameter->count; j++) {
      if (signature->properties[j].type != FIBRIL__TYPE_SIGNAL) continue;
      *key = &signature->properties[j];
      return (int)i;
    }
  }
  return -1;
}

/* Wraps the native function in one that makes the promise, and puts that on the exports. */
static bool define(fibril_module *module, fibril__export *entry) {
  fibril__env *self = module->env;
  napi_env env = self->env;
  const fibril__parameter *key;
  napi_value undefined, args[6], wrapped;
  int signal = find_signal(&entry->signature, &key);
  uint32_t required = 0;
  while (required < entry->signature.count && !entry->signature.parameters[required].optional)
    required++;
  return napi_get_undefined(env, &undefined) == napi_ok &&
         napi_create_function(env, entry->name, NAPI_AUTO_LENGTH, on_call, entry, &args[0]) ==
             napi_ok &&
         napi_create_string_utf8(env, entry->name, NAPI_AUTO_LENGTH, &args[1]) == napi_ok &&
         napi_create_uint32(env, required, &args[2]) == napi_ok &&
         napi_create_uint32(env, entry->signature.count, &args[3]) == napi_ok &&
         napi_create_int32(env, signal, &args[4]) == napi_ok &&
         napi_create_string_utf8(env, key == NULL ? "" : key->name,
                                 key == NULL ? 0 : key->name_length, &args[5]) == napi_ok &&
         napi_call_function(env, undefined, fibril__env_function(self, FIBRIL__JS_WRAP), 6, args,
                            &wrapped) == napi_ok &&
         napi_set_named_property(env, module->exports, entry->name, wrapped) == napi_ok;
}

static int fail_load(fibril_module *module, int code, const char *signature, const char *expected,
                     size_t position) {
  fibril_value message =
      expected == NULL
          ? fibril_error(code, "fibril_export: \"%s\": %s", signature, fibril_strerror(code))
          : fibril_error(code, "fibril_export: \"%s\": expected %s at position %zu", signature,
                         expected, position);
  bool pending = false;
  napi_is_exception_pending(module->env->env, &pending);
  if (!pending)
    napi_throw_error(module->env->env, "ERR_FIBRIL_SIGNATURE", fibril_error_message(message));
  fibril_value_free(message);
  module->failed = true;
  return code;
}

int fibril_export_with(fibril_module *module, const char *signature, fibril_export_fn fn,
                       const fibril_export_options *options) {
  if (module->failed) return UV_EINVAL;
  if (options != NULL && options->size != sizeof *options)
    return fail_load(module, UV_EINVAL, signature, NULL, 0);
  const char *expected = NULL;
  size_t position = 0;
  fibril__export *entry = calloc(1, sizeof *entry);
  if (entry == NULL) return fail_load(module, UV_ENOMEM, signature, NULL, 0);
  int err = fibril__signature_parse(signature, &entry->signature, &expected, &position);
  entry->stack_class = options == NULL || options->stack_size == 0
                           ? FIBRIL__STACK_DEFAULT_CLASS
                           : fibril__stack_class(options->stack_size);
  if (err == 0 && entry->stack_class < 0) err = entry->stack_class;
  if (err == 0) {
    entry->name = strndup(entry->signature.text, entry->signature.name_length);
    if (entry->name == NULL) err = UV_ENOMEM;
  }
  if (err != 0) {
    free(entry);
    return fail_load(module, err, signature, expected, position);
  }
  entry->env = module->env;
  entry->fn = fn;
  entry->next = module->env->exports;
  module->env->exports = entry;
  return define(module, entry) ? 0 : fail_load(module, UV_ENOMEM, signature, NULL, 0);
}

int fibril_export(fibril_module *module, const char *signature, fibril_export_fn fn) {
  return fibril_export_with(module, signature, fn, NULL);
}

/* ---- The module ---- */

void fibril__module_runtime(fibril_module *module) {
  napi_value api;
  if (napi_get_reference_value(module->env->env, module->env->api, &api) != napi_ok ||
      napi_set_named_property(module->env->env, module->exports, "runtime", api) != napi_ok)
    module->failed = true;
}

void *fibril__module_register(void *env, void *exports, void (*init)(fibril_module *module)) {
  fibril_module module = {.exports = exports};
  if (!fibril__env_create(env, &module.env)) return NULL;
  init(&module);
  return exports;
}
