/* Objects of classes are made and used: constructors, getters and setters act at once, methods are
 * calls on an instance. */
#include "begin.h"

#include "../env/gate.h"
#include "../iterators/request.h"
#include "../values/references.h"
#include "../values/to_js.h"

#include <stdlib.h>

/* ---- What acts at once ---- */

/* Or *refused is what JavaScript gets. */
static bool may_begin(const fibril__export *callee, napi_value *refused) {
  fibril__env *self = callee->env;
  if (FIBRIL__LIKELY(!self->barred)) return true;
  fibril_value refusal = fibril__gate_refusal(self, callee->name);
  if (!fibril__is_error(refusal)) return true;
  *refused = fibril__give_result(self, refusal);
  return false;
}

static fibril_value call_now(fibril__env *self, fibril_args *args) {
  fibril_value result = fibril__call_here(self, args);
  fibril__calls_note_turn(self);
  return result;
}

/* ---- Constructors ---- */

/* Calls the constructor of an object that has its instance already: undefined, or what went wrong.
 */
static fibril_value construct_on(fibril__env *self, fibril_args *args, fibril__instance *instance,
                                 napi_value object) {
  if (!fibril__instance_wrap(instance, object)) {
    fibril__args_free(args);
    return fibril__take_failure(self);
  }
  fibril__args_set_receiver(args, instance);
  fibril_value result = fibril_undefined();
  if (args->callee->fn != NULL)
    result = call_now(self, args);
  else
    fibril__args_free(args);
  if (fibril__is_error(result)) {
    fibril__instance_unwrap(instance, object);
    return result;
  }
  fibril_value_free(result);
  return fibril_undefined();
}

static fibril_value construct_with(const fibril_class *cls, fibril_args *args, napi_value object) {
  fibril__instance *instance = fibril__instance_new(&cls->type);
  if (instance == NULL) {
    fibril__args_free(args);
    return fibril__error_code(UV_ENOMEM);
  }
  fibril_value result = construct_on(cls->type.env, args, instance, object);
  fibril__instance_unref(instance);
  return result;
}

napi_value fibril__constructor_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX], object, error = NULL;
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *data;
  if (napi_get_cb_info(env, info, &argc, argv, &object, &data) != napi_ok) return NULL;
  const fibril_class *cls = data;
  fibril__env *self = cls->type.env;
  if (!may_begin(cls->constructor, &error)) return error;
  /* One for malloc, which may give NULL for nothing. */
  fibril_value *values = malloc((cls->constructor->value_count + 1) * sizeof *values);
  if (values == NULL) return fibril__give_result(self, fibril__error_code(UV_ENOMEM));
  fibril_args args = fibril__args_of(cls->constructor, values, NULL);
  const fibril__given given = {.argv = argv};
  int kind = fibril__args_decode(&args, &given, &error);
  if (kind == FIBRIL__CALL_PENDING)
    error = fibril__give_result(self, construct_with(cls, &args, object));
  else
    fibril__env_set_status(self, FIBRIL__STATUS_RESULT, kind);
  free(values);
  return error;
}

/* ---- Members ---- */

/* A member that is called on an object. */
typedef struct {
  const fibril__export *callee;
  fibril__env *env;
  fibril__instance *receiver; /* NULL: `error` */
  fibril_value error;
  size_t argc;
  napi_value argv[FIBRIL__PARAMETERS_MAX];
} member_call;

/* The object that a member is called on: NULL, and why not in *error. */
static fibril__instance *receiver_of(const fibril__export *callee, napi_value object,
                                     fibril_value *error) {
  const fibril_class *cls = fibril__class_of(callee);
  fibril__instance *receiver = fibril__instance_find(&cls->type, object);
  if (receiver == NULL)
    *error = fibril_error_type("TypeError", "ERR_INVALID_THIS",
                               "Value of \"this\" must be of type %s", cls->owner.name);
  return receiver;
}

static bool begin_member(napi_env env, napi_callback_info info, member_call *out) {
  napi_value object;
  void *data;
  out->argc = FIBRIL__PARAMETERS_MAX;
  if (napi_get_cb_info(env, info, &out->argc, out->argv, &object, &data) != napi_ok) return false;
  out->callee = data;
  out->env = out->callee->env;
  out->receiver = NULL;
  if (out->env->exiting)
    out->error = fibril__error_code(FIBRIL_ECLOSED);
  else
    out->receiver = receiver_of(out->callee, object, &out->error);
  return true;
}

napi_value fibril__getter_begin(napi_env env, napi_callback_info info) {
  napi_value object, refused;
  size_t argc = 0;
  void *data;
  fibril_value error;
  if (napi_get_cb_info(env, info, &argc, NULL, &object, &data) != napi_ok) return NULL;
  const fibril__export *callee = data;
  if (!may_begin(callee, &refused)) return refused;
  fibril__instance *receiver = receiver_of(callee, object, &error);
  if (receiver == NULL) return fibril__give_result(callee->env, error);
  fibril_args args = fibril__args_of(callee, NULL, receiver);
  return fibril__give_result(callee->env, call_now(callee->env, &args));
}

napi_value fibril__method_begin(napi_env env, napi_callback_info info) {
  member_call call;
  if (!begin_member(env, info, &call)) return NULL;
  if (call.receiver == NULL) return fibril__give_result(call.env, call.error);
  return fibril__call_begin_on(call.callee, call.argv, call.receiver);
}

napi_value fibril__method_now(napi_env env, napi_callback_info info) {
  member_call call;
  if (!begin_member(env, info, &call)) return NULL;
  if (call.receiver == NULL) return fibril__give_now(call.env, call.error);
  fibril__given given;
  if (!fibril__args_gather(call.callee, info, call.argc, call.argv, &given)) return NULL;
  napi_value result = fibril__call_now_on(call.callee, &given, call.receiver);
  if (given.own != NULL) free(given.own);
  return result;
}

napi_value fibril__generator_method_begin(napi_env env, napi_callback_info info) {
  member_call call;
  if (!begin_member(env, info, &call)) return NULL;
  if (call.receiver == NULL) return fibril__give_result(call.env, call.error);
  return fibril__iterator_begin_on(call.callee, call.argv, call.receiver);
}
