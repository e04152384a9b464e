/* Objects of classes are made and used: constructors and getters act at once, methods are calls on
 * an instance. */
#include "begin.h"

#include "../env/gate.h"
#include "../iterators/request.h"
#include "../values/references.h"
#include "../values/to_js.h"

#include <stdlib.h>

/* ---- Constructors and getters: calls that end at once ---- */

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

/* Makes the object's instance, and calls the constructor: undefined, or what went wrong. */
static fibril_value construct_with(const fibril_class *cls, fibril_args *args, napi_value object) {
  fibril__env *self = cls->env;
  fibril__instance *instance = fibril__instance_new(self, cls->state_size, cls->release);
  if (instance == NULL) {
    fibril__args_free(args);
    return fibril__error_code(UV_ENOMEM);
  }
  fibril__args_set_receiver(args, &instance->receiver);
  fibril_value result = fibril_undefined();
  if (args->callee->fn != NULL)
    result = call_now(self, args);
  else
    fibril__args_free(args);
  if (!fibril__is_error(result)) {
    fibril_value_free(result);
    if (napi_type_tag_object(self->env, object, &cls->tag) == napi_ok &&
        fibril__instance_wrap(instance, object))
      return fibril_undefined();
    result = fibril__take_failure(self);
  }
  fibril__receiver_unref(&instance->receiver);
  return result;
}

napi_value fibril__constructor_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX], object, error = NULL;
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *data;
  if (napi_get_cb_info(env, info, &argc, argv, &object, &data) != napi_ok) return NULL;
  const fibril_class *cls = data;
  fibril__env *self = cls->env;
  if (!may_begin(cls->constructor, &error)) return error;
  /* One for malloc, which may give NULL for nothing. */
  fibril_value *values = malloc((cls->constructor->value_count + 1) * sizeof *values);
  if (values == NULL) return fibril__give_result(self, fibril__error_code(UV_ENOMEM));
  fibril_args args = fibril__args_of(cls->constructor, values, NULL);
  int kind = fibril__args_decode(&args, argv, &error);
  if (kind == FIBRIL__CALL_PENDING)
    error = fibril__give_result(self, construct_with(cls, &args, object));
  else
    fibril__env_set_status(self, FIBRIL__STATUS_RESULT, kind);
  free(values);
  return error;
}

/* ---- Methods ---- */

/* The object that a member was called on: NULL, and why not in *error. */
static fibril__receiver *receiver_of(const fibril__export *callee, napi_value object,
                                     fibril_value *error) {
  const fibril_class *cls = fibril__class_of(callee);
  napi_env env = callee->env->env;
  bool ours = false;
  void *instance;
  if (napi_check_object_type_tag(env, object, &cls->tag, &ours) == napi_ok && ours &&
      napi_unwrap(env, object, &instance) == napi_ok)
    return &((fibril__instance *)instance)->receiver;
  *error = fibril_error_type("TypeError", "ERR_INVALID_THIS",
                             "Value of \"this\" must be of type %s", cls->owner.name);
  return NULL;
}

napi_value fibril__getter_begin(napi_env env, napi_callback_info info) {
  napi_value object;
  size_t argc = 0;
  void *data;
  fibril_value error;
  if (napi_get_cb_info(env, info, &argc, NULL, &object, &data) != napi_ok) return NULL;
  const fibril__export *callee = data;
  fibril__env *self = callee->env;
  napi_value refused;
  if (!may_begin(callee, &refused)) return refused;
  fibril__receiver *receiver = receiver_of(callee, object, &error);
  if (receiver == NULL) return fibril__give_result(self, error);
  fibril_args args = fibril__args_of(callee, NULL, receiver);
  return fibril__give_result(self, call_now(self, &args));
}

napi_value fibril__method_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX], object;
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *callee;
  fibril_value error;
  if (napi_get_cb_info(env, info, &argc, argv, &object, &callee) != napi_ok) return NULL;
  fibril__receiver *receiver = receiver_of(callee, object, &error);
  if (receiver == NULL) return fibril__give_result(((const fibril__export *)callee)->env, error);
  return fibril__call_begin_on(callee, argv, receiver);
}

napi_value fibril__method_now(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX], object;
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *callee;
  fibril_value error;
  if (napi_get_cb_info(env, info, &argc, argv, &object, &callee) != napi_ok) return NULL;
  fibril__receiver *receiver = receiver_of(callee, object, &error);
  if (receiver == NULL) return fibril__give_now(((const fibril__export *)callee)->env, error);
  if (!fibril__args_gather(callee, info, argc, argv)) return NULL;
  return fibril__call_now_on(callee, argv, receiver);
}

napi_value fibril__generator_method_begin(napi_env env, napi_callback_info info) {
  napi_value argv[FIBRIL__PARAMETERS_MAX], object;
  size_t argc = FIBRIL__PARAMETERS_MAX;
  void *data;
  fibril_value error;
  if (napi_get_cb_info(env, info, &argc, argv, &object, &data) != napi_ok) return NULL;
  const fibril__export *callee = data;
  fibril__env *self = callee->env;
  if (self->exiting) return fibril__give_result(self, fibril__error_code(FIBRIL_ECLOSED));
  fibril__receiver *receiver = receiver_of(callee, object, &error);
  if (receiver == NULL) return fibril__give_result(self, error);
  return fibril__iterator_begin_on(callee, argv, receiver);
}
