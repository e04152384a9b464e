/* The errors of arguments that do not fit their signature. Node's words are put together by the
 * runtime; what is said of the type comes from here. */
#include "export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fibril__env *env;
  napi_value list;
  uint32_t length;
  bool failed;
} names;

static void add_value(names *out, fibril_value value) {
  napi_value item = fibril__to_js(out->env, value);
  if (item == NULL || napi_set_element(out->env->env, out->list, out->length++, item) != napi_ok)
    out->failed = true;
}

static void add(names *out, const char *name) {
  napi_value item;
  if (napi_create_string_utf8(out->env->env, name, NAPI_AUTO_LENGTH, &item) != napi_ok ||
      napi_set_element(out->env->env, out->list, out->length++, item) != napi_ok)
    out->failed = true;
}

static void add_views(names *out, uint32_t views) {
  static const char *const classes[] = {
      "Int8Array",    "Uint8Array",    "Uint8ClampedArray", "Int16Array",
      "Uint16Array",  "Int32Array",    "Uint32Array",       "Float32Array",
      "Float64Array", "BigInt64Array", "BigUint64Array",
  };
  uint32_t each = FIBRIL__VIEW_ANY & ~(FIBRIL__VIEW_DATAVIEW | FIBRIL__VIEW_ARRAYBUFFER);
  if (views & FIBRIL__VIEW_BUFFER) add(out, "Buffer");
  if ((views & each) == each) {
    add(out, "TypedArray");
  } else {
    if (views & FIBRIL__VIEW_BUFFER) views |= 1u << napi_uint8_array;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
      if (views & (1u << i)) add(out, classes[i]);
  }
  if (views & FIBRIL__VIEW_DATAVIEW) add(out, "DataView");
  if (views & FIBRIL__VIEW_ARRAYBUFFER) add(out, "ArrayBuffer");
}

static bool has_literal_of(const fibril__type *type, fibril_kind kind) {
  for (uint32_t i = 0; i < type->literal_count; i++)
    if (fibril_value_kind(type->literals[i]) == kind) return true;
  return false;
}

/* In the order in which Node's messages have them: types, classes, null. */
static void add_types(names *out, const fibril__type *type) {
  uint32_t accepts = type->accepts;
  if (accepts & (FIBRIL__STRING | FIBRIL__PATH) || has_literal_of(type, FIBRIL_STRING))
    add(out, "string");
  if (accepts & FIBRIL__NUMBERS || has_literal_of(type, FIBRIL_NUMBER)) add(out, "number");
  if (accepts & FIBRIL__BOOLEAN || has_literal_of(type, FIBRIL_BOOLEAN)) add(out, "boolean");
  if (accepts & FIBRIL__BIGINT) add(out, "bigint");
  if (accepts & FIBRIL__FUNCTION) add(out, "function");
  if (accepts & (FIBRIL__RECORD | FIBRIL__OBJECT)) add(out, "object");
  if (accepts & FIBRIL__PATH) add(out, "Buffer");
  if (accepts & FIBRIL__PATH) add(out, "URL");
  if (accepts & FIBRIL__ARRAY) add(out, "Array");
  if (accepts & FIBRIL__BYTES) add_views(out, type->views);
  if (accepts & FIBRIL__NULL) add(out, "null");
  if (accepts & FIBRIL__UNDEFINED) add(out, "undefined");
}

static void add_literals(names *out, const fibril__type *type) {
  for (uint32_t i = 0; i < type->literal_count; i++) add_value(out, type->literals[i]);
  if (type->accepts & FIBRIL__NULL) add_value(out, fibril_null());
}

/* ---- Where it is: "options.list[2]" ---- */

static char *put(char *at, const fibril__place *place) {
  if (place->outer != NULL) at = put(at, place->outer);
  if (place->name == NULL) return at + sprintf(at, "[%u]", (unsigned)place->index);
  if (place->outer != NULL) *at++ = '.';
  memcpy(at, place->name, place->name_length);
  return at + place->name_length;
}

static bool key_of(fibril__env *self, const fibril__place *place, napi_value *out) {
  size_t room = 1;
  for (const fibril__place *each = place; each != NULL; each = each->outer)
    room += each->name == NULL ? sizeof "[4294967295]" : each->name_length + 1;
  char *text = malloc(room);
  if (text == NULL) return false;
  char *end = put(text, place);
  bool made = napi_create_string_utf8(self->env, text, (size_t)(end - text), out) == napi_ok;
  free(text);
  return made;
}

napi_value fibril__bad_argument(fibril__env *self, fibril__mistake mistake,
                                const fibril__place *place, const fibril__type *type,
                                const char *text, napi_value value) {
  napi_env env = self->env;
  names list = {.env = self};
  napi_value undefined, args[4], result;
  args[3] = value;
  if (napi_get_undefined(env, &undefined) != napi_ok ||
      napi_create_int32(env, mistake, &args[0]) != napi_ok || !key_of(self, place, &args[1]))
    return NULL;
  if (text != NULL) {
    if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &args[2]) != napi_ok) return NULL;
  } else {
    if (napi_create_array(env, &list.list) != napi_ok) return NULL;
    if (mistake == FIBRIL__WRONG_TYPE)
      add_types(&list, type);
    else
      add_literals(&list, type);
    if (list.failed) return NULL;
    args[2] = list.list;
  }
  /* Describing the value may run a getter of its own, which may throw. */
  return napi_call_function(env, undefined, fibril__env_function(self, FIBRIL__JS_BAD_ARGUMENT), 4,
                            args, &result) == napi_ok
             ? result
             : NULL;
}
