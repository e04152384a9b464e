/* Decoding: what JavaScript gives is checked by the signature, and becomes C's. */
#include "arguments.h"

#include "../../core/value/object.h"
#include "../values/from_js.h"
#include "../values/references.h"
#include "../values/to_js.h"
#include "../signatures/known.h"
#include "containers.h"
#include "later.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static napi_value decode_parameter(fibril__decoder *d, const fibril__place *place,
                                   const fibril__parameter *parameter, napi_value value,
                                   fibril_value *out);
static napi_value decode_value(fibril__decoder *d, const fibril__place *place,
                               const fibril__type *type, napi_value value, napi_valuetype js,
                               fibril_value *out);

/* Where there are literals and nothing else, or such of the value's kind, what is expected is said
 * as a list of values. */
static napi_value wrong_type(fibril__decoder *d, const fibril__place *place,
                             const fibril__type *type, napi_value value, napi_valuetype js) {
  bool listed = fibril__only_literals(type) || fibril__is_of_literal(type, js);
  return fibril__refuse_argument(d, listed ? FIBRIL__WRONG_VALUE : FIBRIL__WRONG_TYPE, place, type,
                                 NULL, value);
}

/* ---- Numbers and literals ---- */

static napi_value decode_number(fibril__decoder *d, const fibril__place *place,
                                const fibril__type *type, napi_value value, fibril_value *out) {
  double number;
  napi_get_value_double(d->env->env, value, &number);
  *out = fibril_number(number);
  if (type->accepts & FIBRIL__NUMBER) return NULL;
  const char *range = ">= -9007199254740991 && <= 9007199254740991";
  if (number != floor(number) || isinf(number))
    range = "an integer";
  else if (fibril__number_fits(type->accepts, number))
    return NULL;
  else if (type->accepts & FIBRIL__INT32)
    range = ">= -2147483648 && <= 2147483647";
  else if (type->accepts & FIBRIL__UINT32)
    range = ">= 0 && <= 4294967295";
  return fibril__refuse_argument(d, FIBRIL__WRONG_RANGE, place, NULL, range, value);
}

static napi_value decode_bigint(fibril__decoder *d, const fibril__place *place, napi_value value,
                                fibril_value *out) {
  int64_t integer = 0;
  bool lossless = false;
  napi_get_value_bigint_int64(d->env->env, value, &integer, &lossless);
  *out = fibril_bigint(integer);
  if (lossless) return NULL;
  return fibril__refuse_argument(d, FIBRIL__WRONG_RANGE, place, NULL,
                                 ">= -(2n ** 63n) and < 2n ** 63n", value);
}

/* True when the value is one of the literals, or there is no memory to tell. */
static bool decode_literal(fibril__decoder *d, const fibril__type *type, napi_value value,
                           napi_valuetype js, fibril_value *out) {
  double number;
  bool truth;
  fibril_value literal = fibril_undefined();
  switch (js) {
    case napi_string: literal = fibril__string_from_js(d->env, value); break;
    case napi_number:
      napi_get_value_double(d->env->env, value, &number);
      literal = fibril_number(number);
      break;
    case napi_boolean:
      napi_get_value_bool(d->env->env, value, &truth);
      literal = fibril_boolean(truth);
      break;
    default: return false;
  }
  if (!fibril__is_error(literal) && !fibril__type_has_literal(type, literal)) {
    fibril_value_free(literal);
    return false;
  }
  *out = literal;
  return true;
}

/* ---- Bytes and paths ---- */

static napi_value decode_bytes(fibril__decoder *d, const fibril__place *place,
                               const fibril__bytes *bytes, fibril_value *out) {
  if (bytes->detached)
    return fibril__refuse_value(d, place, "must not be backed by a detached ArrayBuffer",
                                bytes->value);
  *out = fibril__bytes_lend(d->env, bytes);
  if (fibril_value_kind(*out) != FIBRIL_UNDEFINED) return NULL;
  bool at_once = !d->args->may_wait || bytes->length <= FIBRIL__AT_ONCE - d->args->copied;
  if (at_once && d->args->may_wait) d->args->copied += bytes->length;
  *out = at_once ? fibril__bytes_copy(bytes) : fibril__later_new(d->args, place, bytes);
  return NULL;
}

/* *taken: whether it is a path. */
static napi_value decode_path(fibril__decoder *d, const fibril__place *place, napi_value value,
                              napi_valuetype type, bool *taken, fibril_value *out) {
  napi_value text = value;
  if (type != napi_string) {
    /* A Buffer comes back as it is, a URL as its path, anything else as undefined. */
    text = fibril__env_ask(d->env, FIBRIL__JS_PATH, 1, &value);
    if (text == NULL) return fibril__decode_thrown(d);
    napi_typeof(d->env->env, text, &type);
  }
  *taken = type != napi_undefined;
  if (!*taken) return NULL;
  fibril__bytes bytes;
  size_t length;
  *out = type != napi_string && fibril__bytes_look(d->env, text, &bytes) != 0
             ? fibril_string((const char *)bytes.data, bytes.length)
             : fibril__string_from_js(d->env, text);
  const char *path = fibril_value_string(*out, &length);
  if (path == NULL || strlen(path) == length) return NULL;
  return fibril__refuse_value(d, place, "must be a string, Uint8Array, or URL without null bytes",
                              value);
}

/* ---- Instances ---- */

/* True when it is one of the type's classes. */
static bool decode_instance(const fibril__type *type, napi_value value, fibril_value *out) {
  for (uint32_t i = 0; i < type->class_count; i++) {
    fibril__instance *instance =
        fibril__instance_find(fibril__class_type_of(type->classes[i]), value);
    if (instance == NULL) continue;
    *out = fibril__instance_value(instance);
    return true;
  }
  return false;
}

/* The arguments that are left: no array of JavaScript's is made of them. */
static napi_value decode_rest(fibril__decoder *d, const fibril__place *place,
                              const fibril__type *type, const fibril__given *given,
                              fibril_value *out) {
  napi_value error = NULL;
  *out = fibril_array(given->rest_count);
  for (size_t i = 0; i < given->rest_count && error == NULL && !fibril__is_error(*out); i++) {
    napi_valuetype js;
    fibril__place here = {.outer = place, .index = (uint32_t)i};
    fibril_value decoded = fibril_undefined();
    napi_typeof(d->env->env, given->rest[i], &js);
    error = decode_value(d, &here, type->element, given->rest[i], js, &decoded);
    int err = 0;
    if (fibril__is_error(decoded))
      d->failure = decoded;
    else
      err = fibril_array_push(*out, decoded);
    if (err != 0) d->failure = fibril__error_code(err);
    if (fibril__decode_failed(d)) return error;
  }
  if (fibril__is_error(*out)) {
    d->failure = *out;
    *out = fibril_undefined();
  }
  return error;
}

/* ---- Values ---- */

static bool decode_date(napi_env env, napi_value value, fibril_value *out) {
  bool is = false;
  double ms = 0;
  if (napi_is_date(env, value, &is) != napi_ok || !is) return false;
  napi_get_date_value(env, value, &ms);
  *out = fibril_date(ms);
  return true;
}

static napi_value decode_object(fibril__decoder *d, const fibril__place *place,
                                const fibril__type *type, napi_value value, fibril_value *out) {
  napi_env env = d->env->env;
  napi_value error = NULL;
  fibril__bytes bytes;
  bool is = false;
  if (type->accepts & FIBRIL__SIGNAL) return NULL;
  if (type->accepts & FIBRIL__INSTANCE && decode_instance(type, value, out)) return NULL;
  if (type->accepts & FIBRIL__DATE && decode_date(env, value, out)) return NULL;
  if (type->accepts & FIBRIL__CONTAINERS) {
    error = fibril__decode_container(d, place, type, value, &is, out);
    if (is || error != NULL || fibril__decode_failed(d)) return error;
  }
  if (type->accepts & FIBRIL__BYTES && fibril__bytes_look(d->env, value, &bytes) & type->views)
    return decode_bytes(d, place, &bytes, out);
  if (type->accepts & FIBRIL__PATH) {
    error = decode_path(d, place, value, napi_object, &is, out);
    if (is || error != NULL || fibril__decode_failed(d)) return error;
  }
  if (type->accepts & FIBRIL__RECORD) return fibril__decode_record(d, place, type, value, out);
  if (type->accepts & FIBRIL__DICTIONARY) {
    error = fibril__decode_dictionary(d, place, type, value, &is, out);
    if (is || error != NULL || fibril__decode_failed(d)) return error;
  }
  if (type->accepts & FIBRIL__OBJECT) {
    *out = fibril__reference_bound(d->env, value);
    return NULL;
  }
  return wrong_type(d, place, type, value, napi_object);
}

/* NULL, or the error. What is taken is in *out then, and may be an error value. */
static napi_value decode_value(fibril__decoder *d, const fibril__place *place,
                               const fibril__type *type, napi_value value, napi_valuetype js,
                               fibril_value *out) {
  uint32_t accepts = type->accepts;
  bool truth;
  if (accepts & FIBRIL__ANY) {
    *out = fibril__from_js_exact(d->env, value);
    return NULL;
  }
  if (accepts & FIBRIL__LITERAL && decode_literal(d, type, value, js, out)) return NULL;
  switch (js) {
    case napi_string:
      if (accepts & FIBRIL__PATH) return decode_path(d, place, value, js, &truth, out);
      if (!(accepts & FIBRIL__STRING)) break;
      *out = fibril__string_from_js(d->env, value);
      return NULL;
    case napi_number:
      if (accepts & FIBRIL__NUMBERS) return decode_number(d, place, type, value, out);
      break;
    case napi_boolean:
      if (!(accepts & FIBRIL__BOOLEAN)) break;
      napi_get_value_bool(d->env->env, value, &truth);
      *out = fibril_boolean(truth);
      return NULL;
    case napi_bigint:
      if (accepts & FIBRIL__BIGINT) return decode_bigint(d, place, value, out);
      break;
    case napi_null:
      if (!(accepts & FIBRIL__NULL)) break;
      *out = fibril_null();
      return NULL;
    case napi_undefined:
      if (accepts & FIBRIL__UNDEFINED) return NULL;
      break;
    case napi_symbol:
      if (!(accepts & FIBRIL__SYMBOL)) break;
      *out = fibril__reference_new(d->env, value);
      return NULL;
    case napi_function:
      if (accepts & FIBRIL__RECORD && !(accepts & FIBRIL__FUNCTION))
        return fibril__decode_record(d, place, type, value, out);
      if (!(accepts & (FIBRIL__FUNCTION | FIBRIL__OBJECT))) break;
      *out = fibril__reference_new(d->env, value);
      return NULL;
    case napi_object: return decode_object(d, place, type, value, out);
    default: break;
  }
  return wrong_type(d, place, type, value, js);
}

static napi_value decode_parameter(fibril__decoder *d, const fibril__place *place,
                                   const fibril__parameter *parameter, napi_value value,
                                   fibril_value *out) {
  napi_valuetype js;
  if (napi_typeof(d->env->env, value, &js) != napi_ok) return NULL;
  if (js == napi_undefined && parameter->optional) {
    *out = fibril_value_dup(parameter->initial);
    return NULL;
  }
  napi_value error = decode_value(d, place, &parameter->type, value, js, out);
  if (error == NULL && fibril__is_error(*out)) {
    d->failure = *out;
    *out = fibril_undefined();
  }
  return error;
}

/* The properties of an options object have values of their own. That of the object says only that
 * it is there. */
static napi_value decode_options(fibril__decoder *d, const fibril__place *place, fibril_args *args,
                                 uint32_t index, napi_value value) {
  const fibril__parameter *outer = &args->callee->signature.parameters[index];
  napi_env env = d->env->env;
  napi_valuetype js;
  napi_value error = NULL;
  napi_typeof(env, value, &js);
  bool absent =
      (js == napi_undefined && (outer->optional || outer->type.accepts & FIBRIL__UNDEFINED)) ||
      (js == napi_null && outer->type.accepts & FIBRIL__NULL);
  if (!absent && js != napi_object && js != napi_function)
    return wrong_type(d, place, &outer->type, value, js);
  if (!absent)
    args->values[index] = fibril_pointer(NULL);
  else if (js == napi_null)
    args->values[index] = fibril_null();
  for (uint32_t i = 0; i < outer->type.property_count && error == NULL && !fibril__decode_failed(d);
       i++)
    error = fibril__decode_property(d, place, &outer->type.properties[i], absent ? NULL : value,
                                    &args->values[outer->slot + i]);
  return error;
}

bool fibril__args_gather(const fibril__export *callee, napi_callback_info info, size_t argc,
                         const napi_value *argv, fibril__given *given) {
  const fibril__signature *signature = &callee->signature;
  *given = (fibril__given){.argv = argv};
  if (!signature->rest) return true;
  size_t fixed = signature->count - 1, count = argc;
  if (argc > FIBRIL__PARAMETERS_MAX) {
    given->own = malloc(argc * sizeof *given->own);
    if (given->own == NULL ||
        napi_get_cb_info(callee->env->env, info, &count, given->own, NULL, NULL) != napi_ok) {
      free(given->own);
      fibril__throw_failure(callee->env->env);
      return false;
    }
  }
  given->rest = (given->own != NULL ? given->own : argv) + fixed;
  given->rest_count = argc > fixed ? argc - fixed : 0;
  return true;
}

/* What is assigned is told of as a property of its class: "Counter.step". */
static fibril__place place_of_setter(const fibril__export *callee) {
  if (callee->form != FIBRIL__FORM_SETTER) return (fibril__place){.name = NULL};
  const char *name = callee->owner->name;
  return (fibril__place){.name = name, .name_length = strlen(name)};
}

static int give_up_decoding(fibril__decoder *d, fibril_args *args, napi_value *error) {
  int kind = FIBRIL__CALL_THROWN;
  fibril__args_free(args);
  if (*error == NULL) *error = fibril__error_to_js(d->env, d->failure, &kind);
  fibril_value_free(d->failure);
  return kind;
}

int fibril__args_decode(fibril_args *args, const fibril__given *given, napi_value *error) {
  const fibril__signature *signature = &args->callee->signature;
  const fibril__place setter = place_of_setter(args->callee);
  fibril__decoder d = {args->callee->env, args, fibril_undefined(), decode_value, decode_parameter};
  if (!args->callee->light)
    for (uint32_t i = 0; i < args->callee->value_count; i++) args->values[i] = fibril_undefined();
  for (uint32_t i = 0; i < signature->count; i++) {
    const fibril__parameter *parameter = &signature->parameters[i];
    const fibril__place place = {.outer = setter.name == NULL ? NULL : &setter,
                                 .name = parameter->name,
                                 .name_length = parameter->name_length};
    args->values[i] = fibril_undefined();
    if (given->rest != NULL && i == signature->count - 1)
      *error = decode_rest(&d, &place, &parameter->type, given, &args->values[i]);
    else if (parameter->slot != 0)
      *error = decode_options(&d, &place, args, i, given->argv[i]);
    else
      *error = decode_parameter(&d, &place, parameter, given->argv[i], &args->values[i]);
    if (*error != NULL || fibril__decode_failed(&d)) return give_up_decoding(&d, args, error);
  }
  return FIBRIL__CALL_PENDING;
}

void fibril__args_drop(fibril_args *args) {
  fibril__later_drop(args);
  for (uint32_t i = 0; i < args->callee->value_count; i++) fibril_value_free(args->values[i]);
  fibril__instance_unref(args->receiver);
}
