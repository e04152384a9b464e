/* Decoding: what JavaScript gives is checked by the signature, and becomes C's. */
#include "arguments.h"

#include "../../core/value/object.h"
#include "../values/from_js.h"
#include "../values/references.h"
#include "../values/to_js.h"
#include "error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Elements for which room is made ahead: what an array says of its length costs it nothing. */
#define ROOM_MAX 1024

/* `failure`: owned; an error when no argument is to blame. */
typedef struct {
  fibril__env *env;
  fibril_value failure;
} decoder;

static napi_value decode_parameter(decoder *d, const fibril__place *place,
                                   const fibril__parameter *parameter, napi_value value,
                                   fibril_value *out);
static napi_value decode_value(decoder *d, const fibril__place *place, const fibril__type *type,
                               napi_value value, napi_valuetype js, fibril_value *out);

static bool decoder_failed(const decoder *d) {
  return fibril__is_error(d->failure);
}

/* What a call into JavaScript threw. NULL with a failure when Node refused the call. */
static napi_value take_thrown(decoder *d) {
  napi_value exception = fibril__env_take_exception(d->env);
  if (exception == NULL) d->failure = fibril__error_code(UV_ENOMEM);
  return exception;
}

static napi_value refuse_argument(decoder *d, int mistake, const fibril__place *place,
                                  const fibril__type *type, const char *text, napi_value value) {
  napi_value error = fibril__bad_argument(d->env, mistake, place, type, text, value);
  return error == NULL ? take_thrown(d) : error;
}

/* Where there are literals and nothing else, or such of the value's kind, what is expected is said
 * as a list of values. */
static napi_value wrong_type(decoder *d, const fibril__place *place, const fibril__type *type,
                             napi_value value, napi_valuetype js) {
  bool listed = fibril__only_literals(type) || fibril__is_of_literal(type, js);
  return refuse_argument(d, listed ? FIBRIL__WRONG_VALUE : FIBRIL__WRONG_TYPE, place, type, NULL,
                         value);
}

static napi_value refuse_value(decoder *d, const fibril__place *place, const char *reason,
                               napi_value value) {
  return refuse_argument(d, FIBRIL__WRONG_VALUE, place, NULL, reason, value);
}

/* ---- Numbers and literals ---- */

static napi_value decode_number(decoder *d, const fibril__place *place, const fibril__type *type,
                                napi_value value, fibril_value *out) {
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
  return refuse_argument(d, FIBRIL__WRONG_RANGE, place, NULL, range, value);
}

static napi_value decode_bigint(decoder *d, const fibril__place *place, napi_value value,
                                fibril_value *out) {
  int64_t integer = 0;
  bool lossless = false;
  napi_get_value_bigint_int64(d->env->env, value, &integer, &lossless);
  *out = fibril_bigint(integer);
  if (lossless) return NULL;
  return refuse_argument(d, FIBRIL__WRONG_RANGE, place, NULL, ">= -(2n ** 63n) and < 2n ** 63n",
                         value);
}

/* True when the value is one of the literals, or there is no memory to tell. */
static bool decode_literal(decoder *d, const fibril__type *type, napi_value value,
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

/* A bit for what a view is of, and its ArrayBuffer. 0: it is none. */
static uint32_t view_of(napi_env env, napi_value value, napi_value *buffer) {
  bool is = false;
  napi_typedarray_type type = (napi_typedarray_type)12; /* one that this Node-API has no name for */
  if (napi_is_typedarray(env, value, &is) == napi_ok && is) {
    napi_get_typedarray_info(env, value, &type, NULL, NULL, buffer, NULL);
    return 1u << type | (type == napi_uint8_array ? FIBRIL__VIEW_BUFFER : 0);
  }
  if (napi_is_dataview(env, value, &is) == napi_ok && is) {
    napi_get_dataview_info(env, value, NULL, NULL, buffer, NULL);
    return FIBRIL__VIEW_DATAVIEW;
  }
  *buffer = value;
  return napi_is_arraybuffer(env, value, &is) == napi_ok && is ? FIBRIL__VIEW_ARRAYBUFFER : 0;
}

/* What JavaScript could change in size or content while C reads it is refused, though C only ever
 * reads a copy: who passes it expects to see changes. */
static napi_value decode_bytes(decoder *d, const fibril__place *place, napi_value value,
                               napi_value buffer, fibril_value *out) {
  napi_env env = d->env->env;
  napi_value resizable;
  bool is = false;
  napi_is_arraybuffer(env, buffer, &is);
  if (!is) return refuse_value(d, place, "must not be backed by a SharedArrayBuffer", value);
  napi_is_detached_arraybuffer(env, buffer, &is);
  if (is) return refuse_value(d, place, "must not be backed by a detached ArrayBuffer", value);
  if (napi_get_named_property(env, buffer, "resizable", &resizable) != napi_ok)
    return take_thrown(d);
  if (napi_get_value_bool(env, resizable, &is) == napi_ok && is)
    return refuse_value(d, place, "must not be backed by a resizable ArrayBuffer", value);
  *out = fibril__from_js_bytes(d->env, value, &is);
  return NULL;
}

/* *taken: whether it is a path. */
static napi_value decode_path(decoder *d, const fibril__place *place, napi_value value,
                              napi_valuetype type, bool *taken, fibril_value *out) {
  napi_value text = value;
  if (type != napi_string) {
    /* A Buffer comes back as it is, a URL as its path, anything else as undefined. */
    text = fibril__env_ask(d->env, FIBRIL__JS_PATH, 1, &value);
    if (text == NULL) return take_thrown(d);
    napi_typeof(d->env->env, text, &type);
  }
  *taken = type != napi_undefined;
  if (!*taken) return NULL;
  bool bytes = false;
  fibril_value decoded = type == napi_string ? fibril__string_from_js(d->env, text)
                                             : fibril__from_js_bytes(d->env, text, &bytes);
  size_t length;
  if (bytes && fibril_value_kind(decoded) == FIBRIL_BUFFER) {
    void *data = fibril_value_buffer(decoded, &length);
    fibril_value string = fibril_string(data, length);
    fibril_value_free(decoded);
    decoded = string;
  }
  *out = decoded;
  const char *path = fibril_value_string(decoded, &length);
  if (path == NULL || strlen(path) == length) return NULL;
  return refuse_value(d, place, "must be a string, Uint8Array, or URL without null bytes", value);
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

/* ---- Arrays and objects ---- */

/* Takes over what has been decoded: false with a failure. */
static bool push_decoded(decoder *d, fibril_value array, fibril_value decoded) {
  int err = 0;
  if (fibril__is_error(decoded))
    d->failure = decoded;
  else
    err = fibril_array_push(array, decoded);
  if (err != 0) d->failure = fibril__error_code(err);
  return !decoder_failed(d);
}

/* The arguments that are left: no array of JavaScript's is made of them. */
static napi_value decode_rest(decoder *d, const fibril__place *place, const fibril__type *type,
                              const fibril__given *given, fibril_value *out) {
  napi_value error = NULL;
  *out = fibril_array(given->rest_count);
  for (size_t i = 0; i < given->rest_count && error == NULL && !fibril__is_error(*out); i++) {
    napi_valuetype js;
    fibril__place here = {.outer = place, .index = (uint32_t)i};
    fibril_value decoded = fibril_undefined();
    napi_typeof(d->env->env, given->rest[i], &js);
    error = decode_value(d, &here, type->element, given->rest[i], js, &decoded);
    if (!push_decoded(d, *out, decoded)) return error;
  }
  if (fibril__is_error(*out)) {
    d->failure = *out;
    *out = fibril_undefined();
  }
  return error;
}

static napi_value decode_array(decoder *d, const fibril__place *place, const fibril__type *type,
                               napi_value value, fibril_value *out) {
  napi_env env = d->env->env;
  uint32_t length = 0;
  napi_value error = NULL;
  napi_get_array_length(env, value, &length);
  *out = fibril_array(length < ROOM_MAX ? length : ROOM_MAX);
  for (uint32_t i = 0; i < length && error == NULL && !fibril__is_error(*out); i++) {
    napi_escapable_handle_scope scope;
    napi_value item;
    napi_valuetype js;
    fibril__place here = {.outer = place, .index = i};
    fibril_value decoded = fibril_undefined();
    if (napi_open_escapable_handle_scope(env, &scope) != napi_ok) return take_thrown(d);
    if (napi_get_element(env, value, i, &item) != napi_ok) {
      error = take_thrown(d);
    } else {
      napi_typeof(env, item, &js);
      error = decode_value(d, &here, type->element, item, js, &decoded);
    }
    if (error != NULL && napi_escape_handle(env, scope, error, &error) != napi_ok)
      error = take_thrown(d);
    napi_close_escapable_handle_scope(env, scope);
    if (!push_decoded(d, *out, decoded)) return error;
  }
  return error;
}

/* One property of `object`, which is NULL when it was left out. An exception that a getter throws
 * is the error. */
static napi_value decode_property(decoder *d, const fibril__place *place,
                                  const fibril__parameter *property, napi_value object,
                                  fibril_value *out) {
  napi_env env = d->env->env;
  napi_value key, value;
  if (object == NULL) {
    *out = fibril_value_dup(property->initial);
    return NULL;
  }
  if (napi_create_string_utf8(env, property->name, property->name_length, &key) != napi_ok ||
      napi_get_property(env, object, key, &value) != napi_ok)
    return take_thrown(d);
  fibril__place here = {
      .outer = place, .name = property->name, .name_length = property->name_length};
  return decode_parameter(d, &here, property, value, out);
}

static napi_value decode_record(decoder *d, const fibril__place *place, const fibril__type *type,
                                napi_value value, fibril_value *out) {
  *out = fibril_object();
  for (uint32_t i = 0; i < type->property_count && !fibril__is_error(*out); i++) {
    const fibril__parameter *property = &type->properties[i];
    fibril_value decoded = fibril_undefined();
    napi_value error = decode_property(d, place, property, value, &decoded);
    if (error != NULL || decoder_failed(d)) {
      fibril_value_free(decoded);
      return error;
    }
    int err = fibril__object_set(*out, property->name, property->name_length, decoded);
    if (err != 0) d->failure = fibril__error_code(err);
    if (decoder_failed(d)) return NULL;
  }
  return NULL;
}

/* ---- Values ---- */

static napi_value decode_object(decoder *d, const fibril__place *place, const fibril__type *type,
                                napi_value value, fibril_value *out) {
  napi_env env = d->env->env;
  napi_value buffer = NULL, error = NULL;
  bool is = false;
  if (type->accepts & FIBRIL__SIGNAL) return NULL;
  if (type->accepts & FIBRIL__INSTANCE && decode_instance(type, value, out)) return NULL;
  if (type->accepts & FIBRIL__ARRAY && napi_is_array(env, value, &is) == napi_ok && is)
    return decode_array(d, place, type, value, out);
  if (type->accepts & FIBRIL__BYTES && view_of(env, value, &buffer) & type->views)
    return decode_bytes(d, place, value, buffer, out);
  if (type->accepts & FIBRIL__PATH) {
    error = decode_path(d, place, value, napi_object, &is, out);
    if (is || error != NULL || decoder_failed(d)) return error;
  }
  if (type->accepts & FIBRIL__RECORD) return decode_record(d, place, type, value, out);
  if (type->accepts & FIBRIL__OBJECT) {
    *out = fibril__reference_new(d->env, value);
    return NULL;
  }
  return wrong_type(d, place, type, value, napi_object);
}

/* NULL, or the error. What is taken is in *out then, and may be an error value. */
static napi_value decode_value(decoder *d, const fibril__place *place, const fibril__type *type,
                               napi_value value, napi_valuetype js, fibril_value *out) {
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
    case napi_function:
      if (accepts & FIBRIL__RECORD && !(accepts & FIBRIL__FUNCTION))
        return decode_record(d, place, type, value, out);
      if (!(accepts & (FIBRIL__FUNCTION | FIBRIL__OBJECT))) break;
      *out = fibril__reference_new(d->env, value);
      return NULL;
    case napi_object: return decode_object(d, place, type, value, out);
    default: break;
  }
  return wrong_type(d, place, type, value, js);
}

static napi_value decode_parameter(decoder *d, const fibril__place *place,
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
static napi_value decode_options(decoder *d, const fibril__place *place, fibril_args *args,
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
  for (uint32_t i = 0; i < outer->type.property_count && error == NULL && !decoder_failed(d); i++)
    error = decode_property(d, place, &outer->type.properties[i], absent ? NULL : value,
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

static int give_up_decoding(decoder *d, fibril_args *args, napi_value *error) {
  int kind = FIBRIL__CALL_THROWN;
  fibril__args_free(args);
  if (*error == NULL) *error = fibril__error_to_js(d->env, d->failure, &kind);
  fibril_value_free(d->failure);
  return kind;
}

int fibril__args_decode(fibril_args *args, const fibril__given *given, napi_value *error) {
  const fibril__signature *signature = &args->callee->signature;
  const fibril__place setter = place_of_setter(args->callee);
  decoder d = {args->callee->env, fibril_undefined()};
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
    if (*error != NULL || decoder_failed(&d)) return give_up_decoding(&d, args, error);
  }
  return FIBRIL__CALL_PENDING;
}

void fibril__args_drop(fibril_args *args) {
  for (uint32_t i = 0; i < args->callee->value_count; i++) fibril_value_free(args->values[i]);
  fibril__instance_unref(args->receiver);
}
