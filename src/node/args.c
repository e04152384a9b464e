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

static napi_value thrown(fibril__env *self) {
  napi_value exception = NULL;
  if (napi_get_and_clear_last_exception(self->env, &exception) != napi_ok || exception == NULL)
    napi_get_undefined(self->env, &exception);
  return exception;
}

/* The Error, made by the runtime in Node's words. `outer`: the object that the parameter is a
 * property of. */
static napi_value bad_argument(fibril__env *self, int what, const fibril__parameter *outer,
                               const fibril__parameter *parameter, napi_value value) {
  napi_env env = self->env;
  napi_value args[7], result;
  double least = 0, most = 0;
  if (what == OUT_OF_RANGE) {
    least = ranges[parameter->type].least;
    most = ranges[parameter->type].most;
  }
  napi_create_int32(env, what, &args[0]);
  napi_create_string_utf8(env, outer == NULL ? "" : outer->name,
                          outer == NULL ? 0 : outer->name_length, &args[1]);
  napi_create_string_utf8(env, parameter->name, parameter->name_length, &args[2]);
  napi_create_string_utf8(env, type_names[parameter->type], NAPI_AUTO_LENGTH, &args[3]);
  args[4] = value;
  napi_create_double(env, least, &args[5]);
  napi_create_double(env, most, &args[6]);
  napi_value undefined;
  napi_get_undefined(env, &undefined);
  if (napi_call_function(env, undefined, fibril__env_function(self, FIBRIL__JS_BAD_ARGUMENT), 7,
                         args, &result) != napi_ok)
    return thrown(self); /* describing the value ran a getter of its own */
  return result;
}

typedef struct {
  fibril__env *env;
  const fibril__parameter *outer;
} decoder;

static napi_value decode_path(const decoder *d, const fibril__parameter *parameter,
                              napi_value value, fibril_value *out) {
  napi_env env = d->env->env;
  napi_value undefined, text = NULL;
  napi_valuetype type;
  napi_get_undefined(env, &undefined);
  napi_typeof(env, value, &type);
  if (type != napi_string) { /* a Buffer comes back as it is, a URL as its path, anything else as
                                undefined */
    if (napi_call_function(env, undefined, fibril__env_function(d->env, FIBRIL__JS_PATH), 1, &value,
                           &text) != napi_ok)
      return thrown(d->env);
    napi_typeof(env, text, &type);
    if (type == napi_undefined) return bad_argument(d->env, WRONG_TYPE, d->outer, parameter, value);
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
  if (path != NULL && strlen(path) != length)
    return bad_argument(d->env, WITH_NUL, d->outer, parameter, value);
  return NULL;
}

static napi_value decode_number(const decoder *d, const fibril__parameter *parameter,
                                napi_value value, fibril_value *out) {
  double number;
  napi_get_value_double(d->env->env, value, &number);
  *out = fibril_number(number);
  if (parameter->type == FIBRIL__TYPE_NUMBER) return NULL;
  if (number != floor(number) || isinf(number))
    return bad_argument(d->env, NOT_INTEGER, d->outer, parameter, value);
  if (number < ranges[parameter->type].least || number > ranges[parameter->type].most)
    return bad_argument(d->env, OUT_OF_RANGE, d->outer, parameter, value);
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
static napi_value decode_value(const decoder *d, const fibril__parameter *parameter,
                               napi_value value, napi_valuetype type, fibril_value *out) {
  bool is_bytes;
  switch (parameter->type) {
    case FIBRIL__TYPE_ANY: *out = fibril__from_js_exact(d->env, value); return NULL;
    case FIBRIL__TYPE_SIGNAL: return NULL;
    case FIBRIL__TYPE_PATH: return decode_path(d, parameter, value, out);
    case FIBRIL__TYPE_BYTES:
      *out = fibril__from_js_bytes(d->env, value, &is_bytes);
      return is_bytes ? NULL : bad_argument(d->env, WRONG_TYPE, d->outer, parameter, value);
    default: break;
  }
  if (type != expected_type(parameter->type))
    return bad_argument(d->env, WRONG_TYPE, d->outer, parameter, value);
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

static napi_value decode(const decoder *d, const fibril__parameter *parameter, napi_value value,
                         fibril_value *out) {
  napi_valuetype type;
  *out = parameter->initial;
  if (napi_typeof(d->env->env, value, &type) != napi_ok) return NULL;
  if (type == napi_undefined && (parameter->optional || parameter->type == FIBRIL__TYPE_ANY))
    return NULL;
  return decode_value(d, parameter, value, type, out);
}

/* The properties of an options object. An exception that a getter throws is the error. */
static napi_value decode_object(fibril_args *args, const fibril__parameter *outer,
                                napi_value object) {
  const fibril__signature *signature = &args->callee->signature;
  fibril__env *self = args->callee->env;
  decoder d = {self, outer};
  napi_valuetype type;
  napi_typeof(self->env, object, &type);
  bool absent = type == napi_undefined && outer->optional;
  if (!absent && type != napi_object && type != napi_function)
    return bad_argument(self, WRONG_TYPE, NULL, outer, object);
  for (uint32_t i = outer->first; i < outer->first + outer->count; i++) {
    const fibril__parameter *property = &signature->properties[i];
    fibril_value *out = &args->values[signature->count + i];
    *out = property->initial;
    if (absent) continue;
    napi_value key, value;
    if (napi_create_string_utf8(self->env, property->name, property->name_length, &key) !=
            napi_ok ||
        napi_get_property(self->env, object, key, &value) != napi_ok)
      return thrown(self);
    napi_value error = decode(&d, property, value, out);
    if (error != NULL) return error;
  }
  return NULL;
}

napi_value fibril__args_decode(fibril_args *args, const napi_value *argv) {
  const fibril__signature *signature = &args->callee->signature;
  decoder d = {args->callee->env, NULL};
  if (!signature->plain)
    for (uint32_t i = 0; i < signature->count + signature->property_count; i++)
      args->values[i] = fibril_undefined();
  for (uint32_t i = 0; i < signature->count; i++) {
    const fibril__parameter *parameter = &signature->parameters[i];
    napi_value error = parameter->type == FIBRIL__TYPE_OBJECT
                           ? decode_object(args, parameter, argv[i])
                           : decode(&d, parameter, argv[i], &args->values[i]);
    if (error == NULL) continue;
    fibril__args_free(args);
    return error;
  }
  return NULL;
}

void fibril__args_drop(fibril_args *args) {
  const fibril__signature *signature = &args->callee->signature;
  for (uint32_t i = 0; i < signature->count + signature->property_count; i++)
    fibril_value_free(args->values[i]);
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
