/* Arguments: checked and decoded by the signature before the coroutine starts. */
#include "export.h"

#include <math.h>
#include <string.h>

/* What went wrong with an argument; the runtime's badArgument has the same numbers. */
enum { WRONG_TYPE, OUT_OF_RANGE, NOT_INTEGER, WITH_NUL };

static const char *const type_names[] = {
    [FIBRIL__TYPE_ANY] = "any",
    [FIBRIL__TYPE_STRING] = "string",
    [FIBRIL__TYPE_NUMBER] = "number",
    [FIBRIL__TYPE_INT32] = "number",
    [FIBRIL__TYPE_UINT32] = "number",
    [FIBRIL__TYPE_INT64] = "number",
    [FIBRIL__TYPE_BOOLEAN] = "boolean",
    [FIBRIL__TYPE_BYTES] = "bytes",
    [FIBRIL__TYPE_PATH] = "path",
    [FIBRIL__TYPE_FUNCTION] = "function",
    [FIBRIL__TYPE_SIGNAL] = "AbortSignal",
    [FIBRIL__TYPE_OBJECT] = "object",
};

static const struct {
  double least, most;
} ranges[] = {
    [FIBRIL__TYPE_INT32] = {INT32_MIN, INT32_MAX},
    [FIBRIL__TYPE_UINT32] = {0, UINT32_MAX},
    [FIBRIL__TYPE_INT64] = {-9007199254740991.0, 9007199254740991.0},
};

/* `failure`: owned; an error when no argument is to blame. */
typedef struct {
  fibril__env *env;
  const fibril__parameter *outer; /* the object that the parameter is a property of */
  fibril_value failure;
} decoder;

/* What a call into JavaScript threw. NULL with a failure when Node refused the call. */
static napi_value thrown(decoder *d) {
  napi_env env = d->env->env;
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &exception) == napi_ok)
    return exception;
  d->failure = fibril__error_code(UV_ENOMEM);
  return NULL;
}

/* The Error, made by the runtime in Node's words. */
static napi_value bad_argument(decoder *d, int what, const fibril__parameter *parameter,
                               napi_value value) {
  napi_env env = d->env->env;
  napi_value undefined, args[7], result;
  double least = 0, most = 0;
  const char *outer = d->outer == NULL ? "" : d->outer->name;
  if (what == OUT_OF_RANGE) {
    least = ranges[parameter->type].least;
    most = ranges[parameter->type].most;
  }
  args[4] = value;
  bool made =
      napi_get_undefined(env, &undefined) == napi_ok &&
      napi_create_int32(env, what, &args[0]) == napi_ok &&
      napi_create_string_utf8(env, outer, d->outer == NULL ? 0 : d->outer->name_length, &args[1]) ==
          napi_ok &&
      napi_create_string_utf8(env, parameter->name, parameter->name_length, &args[2]) == napi_ok &&
      napi_create_string_utf8(env, type_names[parameter->type], NAPI_AUTO_LENGTH, &args[3]) ==
          napi_ok &&
      napi_create_double(env, least, &args[5]) == napi_ok &&
      napi_create_double(env, most, &args[6]) == napi_ok;
  /* Describing the value may run a getter of its own, which may throw. */
  if (!made ||
      napi_call_function(env, undefined, fibril__env_function(d->env, FIBRIL__JS_BAD_ARGUMENT), 7,
                         args, &result) != napi_ok)
    return thrown(d);
  return result;
}

static napi_value decode_path(decoder *d, const fibril__parameter *parameter, napi_value value,
                              fibril_value *out) {
  napi_env env = d->env->env;
  napi_value undefined, text = NULL;
  napi_valuetype type;
  napi_get_undefined(env, &undefined);
  napi_typeof(env, value, &type);
  if (type != napi_string) { /* a Buffer comes back as it is, a URL as its path, anything else as
                                undefined */
    if (napi_call_function(env, undefined, fibril__env_function(d->env, FIBRIL__JS_PATH), 1, &value,
                           &text) != napi_ok)
      return thrown(d);
    napi_typeof(env, text, &type);
    if (type == napi_undefined) return bad_argument(d, WRONG_TYPE, parameter, value);
  } else {
    text = value;
  }
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
  if (path != NULL && strlen(path) != length) return bad_argument(d, WITH_NUL, parameter, value);
  return NULL;
}

static napi_value decode_number(decoder *d, const fibril__parameter *parameter, napi_value value,
                                fibril_value *out) {
  double number;
  napi_get_value_double(d->env->env, value, &number);
  *out = fibril_number(number);
  if (parameter->type == FIBRIL__TYPE_NUMBER) return NULL;
  if (number != floor(number) || isinf(number))
    return bad_argument(d, NOT_INTEGER, parameter, value);
  if (number < ranges[parameter->type].least || number > ranges[parameter->type].most)
    return bad_argument(d, OUT_OF_RANGE, parameter, value);
  return NULL;
}

static napi_valuetype expected_type(fibril__type type) {
  switch (type) {
    case FIBRIL__TYPE_STRING: return napi_string;
    case FIBRIL__TYPE_BOOLEAN: return napi_boolean;
    case FIBRIL__TYPE_FUNCTION: return napi_function;
    case FIBRIL__TYPE_OBJECT: return napi_object;
    default: return napi_number;
  }
}

/* One value, not undefined. NULL, or the error. */
static napi_value decode_value(decoder *d, const fibril__parameter *parameter, napi_value value,
                               napi_valuetype type, fibril_value *out) {
  bool is_bytes;
  switch (parameter->type) {
    case FIBRIL__TYPE_ANY: *out = fibril__from_js_exact(d->env, value); return NULL;
    case FIBRIL__TYPE_SIGNAL: return NULL;
    case FIBRIL__TYPE_PATH: return decode_path(d, parameter, value, out);
    case FIBRIL__TYPE_BYTES:
      *out = fibril__from_js_bytes(d->env, value, &is_bytes);
      return is_bytes ? NULL : bad_argument(d, WRONG_TYPE, parameter, value);
    default: break;
  }
  if (type != expected_type(parameter->type)) return bad_argument(d, WRONG_TYPE, parameter, value);
  bool truth;
  switch (parameter->type) {
    case FIBRIL__TYPE_STRING: *out = fibril__string_from_js(d->env, value); return NULL;
    case FIBRIL__TYPE_BOOLEAN:
      napi_get_value_bool(d->env->env, value, &truth);
      *out = fibril_boolean(truth);
      return NULL;
    case FIBRIL__TYPE_FUNCTION: *out = fibril__reference_new(d->env, value); return NULL;
    default: return decode_number(d, parameter, value, out);
  }
}

static napi_value decode(decoder *d, const fibril__parameter *parameter, napi_value value,
                         fibril_value *out) {
  napi_valuetype type;
  *out = parameter->initial;
  if (napi_typeof(d->env->env, value, &type) != napi_ok) return NULL;
  if (type == napi_undefined && (parameter->optional || parameter->type == FIBRIL__TYPE_ANY))
    return NULL;
  napi_value error = decode_value(d, parameter, value, type, out);
  if (fibril__is_error(*out)) {
    d->failure = *out;
    *out = fibril_undefined();
  }
  return error;
}

static bool has_failed(const decoder *d) {
  return fibril__is_error(d->failure);
}

/* The properties of an options object. An exception that a getter throws is the error. */
static napi_value decode_object(decoder *d, fibril_args *args, const fibril__parameter *outer,
                                napi_value object) {
  const fibril__signature *signature = &args->callee->signature;
  napi_env env = d->env->env;
  napi_valuetype type;
  napi_typeof(env, object, &type);
  bool absent = type == napi_undefined && outer->optional;
  if (!absent && type != napi_object && type != napi_function)
    return bad_argument(d, WRONG_TYPE, outer, object);
  d->outer = outer;
  for (uint32_t i = outer->first; i < outer->first + outer->count && !has_failed(d); i++) {
    const fibril__parameter *property = &signature->properties[i];
    fibril_value *out = &args->values[signature->count + i];
    *out = property->initial;
    if (absent) continue;
    napi_value key, value;
    if (napi_create_string_utf8(env, property->name, property->name_length, &key) != napi_ok ||
        napi_get_property(env, object, key, &value) != napi_ok)
      return thrown(d);
    napi_value error = decode(d, property, value, out);
    if (error != NULL) return error;
  }
  d->outer = NULL;
  return NULL;
}

static int give_up(decoder *d, fibril_args *args, napi_value *error) {
  int kind = FIBRIL__CALL_THROWN;
  fibril__args_free(args);
  if (*error == NULL) *error = fibril__error_to_js(d->env, d->failure, &kind);
  fibril_value_free(d->failure);
  return kind;
}

int fibril__args_decode(fibril_args *args, const napi_value *argv, napi_value *error) {
  const fibril__signature *signature = &args->callee->signature;
  decoder d = {args->callee->env, NULL, fibril_undefined()};
  if (!args->callee->light)
    for (uint32_t i = 0; i < signature->count + signature->property_count; i++)
      args->values[i] = fibril_undefined();
  for (uint32_t i = 0; i < signature->count; i++) {
    const fibril__parameter *parameter = &signature->parameters[i];
    *error = parameter->type == FIBRIL__TYPE_OBJECT
                 ? decode_object(&d, args, parameter, argv[i])
                 : decode(&d, parameter, argv[i], &args->values[i]);
    if (*error != NULL || has_failed(&d)) return give_up(&d, args, error);
  }
  return FIBRIL__CALL_PENDING;
}

void fibril__args_drop(fibril_args *args) {
  const fibril__signature *signature = &args->callee->signature;
  for (uint32_t i = 0; i < signature->count + signature->property_count; i++)
    fibril_value_free(args->values[i]);
  if (args->instance != NULL) fibril__instance_unref(args->instance);
}

/* ---- What the exported function reads ---- */

fibril_value fibril_arg(const fibril_args *args, size_t index) {
  if (index >= args->callee->signature.count) return fibril_undefined();
  return fibril__value_borrow(args->values[index]);
}

fibril_value fibril_arg_option(const fibril_args *args, size_t index, const char *name) {
  const fibril__signature *signature = &args->callee->signature;
  if (index >= signature->count) return fibril_undefined();
  const fibril__parameter *outer = &signature->parameters[index];
  size_t length = strlen(name);
  for (uint32_t i = outer->first; i < outer->first + outer->count; i++) {
    const fibril__parameter *property = &signature->properties[i];
    if (property->name_length == length && memcmp(property->name, name, length) == 0)
      return fibril__value_borrow(args->values[signature->count + i]);
  }
  return fibril_undefined();
}

const char *fibril_arg_string(const fibril_args *args, size_t index) {
  return fibril_value_string(fibril_arg(args, index), NULL);
}

double fibril_arg_number(const fibril_args *args, size_t index) {
  if (index >= args->callee->signature.count) return NAN;
  fibril_value value = args->values[index];
  return value.tag == FIBRIL_NUMBER ? value.as.number : fibril_value_number(value);
}

int64_t fibril_arg_integer(const fibril_args *args, size_t index) {
  return fibril_value_integer(fibril_arg(args, index));
}

bool fibril_arg_boolean(const fibril_args *args, size_t index) {
  return fibril_value_boolean(fibril_arg(args, index));
}
