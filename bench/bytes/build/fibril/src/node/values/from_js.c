/* JavaScript's values become C's. Those that have members do so by reference, or by a signature. */
#include "from_js.h"

#include "bytes.h"
#include "references.h"

#include <stdlib.h>

fibril_value fibril__string_from_js(fibril__env *self, napi_value value) {
  size_t length;
  if (napi_get_value_string_utf8(self->env, value, NULL, 0, &length) != napi_ok)
    return fibril__error_code(FIBRIL_ETYPE);
  char small[256], *text = length < sizeof small ? small : malloc(length + 1);
  if (text == NULL) return fibril__error_code(UV_ENOMEM);
  fibril_value result =
      napi_get_value_string_utf8(self->env, value, text, length + 1, &length) == napi_ok
          ? fibril_string(text, length)
          : fibril__error_code(FIBRIL_ETYPE);
  if (text != small) free(text);
  return result;
}

/* Numbers, booleans, null and undefined; false for everything else. */
static bool scalar_from_js(fibril__env *self, napi_value value, napi_valuetype type,
                           fibril_value *out) {
  double number;
  bool truth;
  switch (type) {
    case napi_undefined: *out = fibril_undefined(); return true;
    case napi_null: *out = fibril_null(); return true;
    case napi_boolean:
      napi_get_value_bool(self->env, value, &truth);
      *out = fibril_boolean(truth);
      return true;
    case napi_number:
      napi_get_value_double(self->env, value, &number);
      *out = fibril_number(number);
      return true;
    default: return false;
  }
}

fibril_value fibril__from_js_exact(fibril__env *self, napi_value value) {
  napi_valuetype type;
  fibril_value result;
  if (napi_typeof(self->env, value, &type) != napi_ok) return fibril__error_code(UV_EINVAL);
  return scalar_from_js(self, value, type, &result) ? result : fibril__reference_new(self, value);
}

fibril_value fibril__from_js(fibril__env *self, napi_value value) {
  napi_valuetype type;
  fibril_value result;
  fibril__bytes bytes;
  bool flag = false;
  int64_t integer;
  if (napi_typeof(self->env, value, &type) != napi_ok) return fibril__error_code(UV_EINVAL);
  if (scalar_from_js(self, value, type, &result)) return result;
  if (type == napi_string) return fibril__string_from_js(self, value);
  if (type == napi_bigint &&
      napi_get_value_bigint_int64(self->env, value, &integer, &flag) == napi_ok && flag)
    return fibril_bigint(integer);
  if (type == napi_object && fibril__bytes_look(self, value, &bytes) != 0)
    return fibril__bytes_from_js(self, &bytes);
  return fibril__reference_new(self, value);
}
