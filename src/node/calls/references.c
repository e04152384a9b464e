/* What C does with JavaScript's objects: a hop to the loop's stack for each, and back with what
 * came of it. Getters, setters and proxies may run anything meanwhile. */
#include "../values/references.h"

#include "../values/from_js.h"
#include "../values/keys.h"
#include "../values/to_js.h"
#include "to_js.h"

typedef struct operation {
  fibril__env *env;
  fibril_value object;
  fibril__key key;
  fibril_value value; /* borrowed */
  fibril_value (*run)(const struct operation *self, napi_value object);
  fibril_value result; /* out: owned */
} operation;

/* ---- On the loop's stack: their results are owned ---- */

/* One of the runtime's functions: what it returns, or NULL. */
static napi_value ask_with(const operation *op, int function, napi_value object, bool with_value) {
  napi_value argv[3] = {object, fibril__key_to_js(op->env, op->key)};
  if (argv[1] == NULL) return NULL;
  if (with_value && (argv[2] = fibril__to_js(op->env, op->value)) == NULL) return NULL;
  return fibril__env_ask(op->env, function, with_value ? 3 : 2, argv);
}

static fibril_value nothing_or_failure(const operation *op, napi_value returned) {
  return returned == NULL ? fibril__take_failure(op->env) : fibril_undefined();
}

static fibril_value run_get(const operation *op, napi_value object) {
  fibril__env *self = op->env;
  napi_value value, key = fibril__key_to_js(self, op->key);
  napi_value resource = fibril__reference_resource(fibril__value_box(op->object));
  if (key == NULL || napi_get_property(self->env, object, key, &value) != napi_ok)
    return fibril__take_failure(self);
  fibril__references_bring(self, resource);
  fibril_value result = fibril__from_js(self, value);
  fibril__references_bring(self, NULL);
  return result;
}

static fibril_value run_set(const operation *op, napi_value object) {
  return nothing_or_failure(op, ask_with(op, FIBRIL__JS_SET_MEMBER, object, true));
}

static fibril_value run_has(const operation *op, napi_value object) {
  bool has;
  napi_value key = fibril__key_to_js(op->env, op->key);
  if (key == NULL || napi_has_property(op->env->env, object, key, &has) != napi_ok)
    return fibril__take_failure(op->env);
  return fibril_boolean(has);
}

static fibril_value run_delete(const operation *op, napi_value object) {
  return nothing_or_failure(op, ask_with(op, FIBRIL__JS_DELETE_MEMBER, object, false));
}

/* In a scope of its own: there may be very many. */
static int push_key(fibril__env *self, fibril_value list, napi_value keys, uint32_t index) {
  napi_handle_scope handles;
  napi_value key;
  if (napi_open_handle_scope(self->env, &handles) != napi_ok) return UV_ENOMEM;
  int err = UV_ENOMEM;
  if (napi_get_element(self->env, keys, index, &key) == napi_ok) {
    fibril_value name = fibril__string_from_js(self, key);
    err = fibril__is_error(name) ? fibril_error_code(name) : fibril_array_push(list, name);
  }
  napi_close_handle_scope(self->env, handles);
  return err;
}

static fibril_value run_keys(const operation *op, napi_value object) {
  fibril__env *self = op->env;
  napi_value keys = fibril__env_ask(self, FIBRIL__JS_KEYS, 1, &object);
  uint32_t count;
  if (keys == NULL || napi_get_array_length(self->env, keys, &count) != napi_ok)
    return fibril__take_failure(self);
  fibril_value list = fibril_array(count);
  int err = fibril_error_code(list);
  for (uint32_t i = 0; err == 0 && i < count; i++) err = push_key(self, list, keys, i);
  if (err == 0) return list;
  fibril_value_free(list);
  return fibril__error_code(err);
}

static fibril_value run_equal(const operation *op, napi_value object) {
  bool equal;
  napi_value other = fibril__to_js(op->env, op->value);
  if (other == NULL || napi_strict_equals(op->env->env, object, other, &equal) != napi_ok)
    return fibril__take_failure(op->env);
  return fibril_boolean(equal);
}

static fibril_value run_symbol(const operation *op, napi_value nothing) {
  (void)nothing;
  napi_value key = fibril__key_to_js(op->env, op->key);
  napi_value symbol = key == NULL ? NULL : fibril__env_ask(op->env, FIBRIL__JS_SYMBOL_FOR, 1, &key);
  return symbol == NULL ? fibril__take_failure(op->env) : fibril__reference_new(op->env, symbol);
}

static void run_operation(void *data) {
  operation *op = data;
  napi_value object = fibril__to_js(op->env, op->object);
  op->result = object == NULL ? fibril__take_failure(op->env) : op->run(op, object);
}

/* What is run in the scopes that JavaScript needs. */
typedef struct {
  fibril__env *env;
  void (*fn)(void *data);
  void *data;
  int err; /* out: it has not run */
} errand;

static void run_errand(void *data) {
  errand *self = data;
  fibril__env *env = self->env;
  napi_handle_scope handles;
  if (env->exiting || napi_open_handle_scope(env->env, &handles) != napi_ok) {
    self->err = FIBRIL_ECLOSED;
    return;
  }
  napi_callback_scope scope = fibril__env_open_scope(env);
  fibril__env_enter_js(env);
  self->fn(self->data);
  fibril__env_leave_js(env);
  fibril__env_close_scope(env, scope);
  napi_close_handle_scope(env->env, handles);
}

/* ---- From anywhere on the loop's thread ---- */

static fibril_value hop(operation *op) {
  errand self = {.env = op->env, .fn = run_operation, .data = op};
  fibril_on_loop(run_errand, &self);
  return self.err != 0 ? fibril__error_code(self.err) : fibril__value_keep(op->result);
}

/* The environment of an object or a function that has such a key: 0 or an error. */
static int object_env(fibril_value object, fibril__key key, fibril__env **env) {
  int err = fibril__reference_env(object, env);
  if (err == FIBRIL_ETYPE) return err;
  const fibril__reference *reference = fibril__value_box(object);
  return reference->wrapped || !fibril__key_is_one(*env, key) ? FIBRIL_ETYPE : err;
}

/* A value of another environment would arrive as undefined. */
static bool is_foreign(const fibril__env *self, fibril_value value) {
  return fibril_value_kind(value) == FIBRIL_REFERENCE &&
         ((const fibril__reference *)fibril__value_box(value))->owner != self;
}

/* What could not be got is passed on, so that a chain needs one look at its end. */
static fibril_value operate(operation op) {
  if (fibril__is_error(op.object)) return fibril__value_borrow(op.object);
  int err = object_env(op.object, op.key, &op.env);
  if (err == 0 && is_foreign(op.env, op.value)) err = FIBRIL_ETYPE;
  return err != 0 ? fibril__error_code(err) : hop(&op);
}

static fibril__key named(const char *name) {
  return (fibril__key){.name = name, .value = fibril_undefined()};
}

static fibril__key keyed(fibril_value key) {
  return (fibril__key){.name = NULL, .value = key};
}

static fibril_value call_method(fibril_value object, fibril__key key, const fibril_value *args,
                                size_t count) {
  fibril__invocation call = {.function = object, .method = &key, .args = args, .count = count};
  if (fibril__is_error(object)) return fibril__value_borrow(object);
  return fibril__invoke_and_wait(&call, object_env(object, key, &call.env));
}

fibril_value fibril_reference_get(fibril_value object, const char *name) {
  return operate((operation){.object = object, .key = named(name), .run = run_get});
}

fibril_value fibril_reference_get_key(fibril_value object, fibril_value key) {
  return operate((operation){.object = object, .key = keyed(key), .run = run_get});
}

fibril_value fibril_reference_set(fibril_value object, const char *name, fibril_value value) {
  return operate((operation){.object = object, .key = named(name), .value = value, .run = run_set});
}

fibril_value fibril_reference_set_key(fibril_value object, fibril_value key, fibril_value value) {
  return operate((operation){.object = object, .key = keyed(key), .value = value, .run = run_set});
}

fibril_value fibril_reference_has(fibril_value object, const char *name) {
  return operate((operation){.object = object, .key = named(name), .run = run_has});
}

fibril_value fibril_reference_has_key(fibril_value object, fibril_value key) {
  return operate((operation){.object = object, .key = keyed(key), .run = run_has});
}

fibril_value fibril_reference_delete(fibril_value object, const char *name) {
  return operate((operation){.object = object, .key = named(name), .run = run_delete});
}

fibril_value fibril_reference_delete_key(fibril_value object, fibril_value key) {
  return operate((operation){.object = object, .key = keyed(key), .run = run_delete});
}

fibril_value fibril_reference_keys(fibril_value object) {
  return operate((operation){.object = object, .key = named(""), .run = run_keys});
}

fibril_value fibril_reference_call(fibril_value object, const char *name, const fibril_value *args,
                                   size_t count) {
  return call_method(object, named(name), args, count);
}

fibril_value fibril_reference_call_key(fibril_value object, fibril_value key,
                                       const fibril_value *args, size_t count) {
  return call_method(object, keyed(key), args, count);
}

/* Of any two references: symbols are no objects. */
fibril_value fibril_reference_equal(fibril_value one, fibril_value other) {
  operation op = {.object = one, .value = other, .run = run_equal};
  int err = fibril__reference_env(one, &op.env);
  if (err == 0 && (fibril_value_kind(other) != FIBRIL_REFERENCE || is_foreign(op.env, other)))
    err = FIBRIL_ETYPE;
  return err != 0 ? fibril__error_code(err) : hop(&op);
}

fibril_value fibril_symbol(const char *key) {
  operation op = {.env = fibril__env_here(), .key = named(key), .run = run_symbol};
  if (op.env == NULL) return fibril__error_code(UV_EINVAL);
  return hop(&op);
}

/* ---- Several of them ---- */

typedef struct {
  fibril__owner *owner; /* whose the values are: the caller's */
  void (*fn)(void *data);
  void *data;
} batch;

static void run_batch(void *data) {
  const batch *self = data;
  fibril_loop *loop = fibril__loop_here;
  if (self->owner != NULL) fibril__call_owner(loop, self->owner);
  self->fn(self->data);
  if (self->owner != NULL) fibril__call_owner(loop, NULL);
}

int fibril_reference_batch(fibril_value object, void (*fn)(void *data), void *data) {
  batch all = {.owner = fibril__owner_here(), .fn = fn, .data = data};
  errand self = {.fn = run_batch, .data = &all};
  int err = fibril__reference_env(object, &self.env);
  if (err != 0) return err;
  fibril_on_loop(run_errand, &self);
  return self.err;
}
