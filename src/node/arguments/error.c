/* The errors of arguments that do not fit their signature. Node's words are put together by the
 * runtime; what is said of the type comes from here. */
#include "error.h"

#include "../values/to_js.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fibril__env *env;
  napi_value *items;
  uint32_t length;
  bool failed;
} names;

/* All types, classes of JavaScript's and null. */
#define NAMES_MAX 32

static void add_value(names *out, fibril_value value) {
  napi_value item = fibril__to_js(out->env, value);
  out->failed |= item == NULL;
  out->items[out->length++] = item;
}

static void add_name(names *out, const char *name) {
  napi_value item = NULL;
  out->failed |= napi_create_string_utf8(out->env->env, name, NAPI_AUTO_LENGTH, &item) != napi_ok;
  out->items[out->length++] = item;
}

static void add_views(names *out, uint32_t views) {
  static const char *const classes[] = {
      "Int8Array",    "Uint8Array",    "Uint8ClampedArray", "Int16Array",
      "Uint16Array",  "Int32Array",    "Uint32Array",       "Float32Array",
      "Float64Array", "BigInt64Array", "BigUint64Array",    "Float16Array",
  };
  uint32_t each = FIBRIL__VIEW_ANY & ~(FIBRIL__VIEW_DATAVIEW | FIBRIL__VIEW_ARRAYBUFFER);
  if (views & FIBRIL__VIEW_BUFFER) add_name(out, "Buffer");
  if ((views & each) == each) {
    add_name(out, "TypedArray");
  } else {
    if (views & FIBRIL__VIEW_BUFFER) views |= 1u << napi_uint8_array;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
      if (views & (1u << i)) add_name(out, classes[i]);
  }
  if (views & FIBRIL__VIEW_DATAVIEW) add_name(out, "DataView");
  if (views & FIBRIL__VIEW_ARRAYBUFFER) add_name(out, "ArrayBuffer");
}

static bool has_literal_of(const fibril__type *type, fibril_kind kind) {
  for (uint32_t i = 0; i < type->literal_count; i++)
    if (fibril_value_kind(type->literals[i]) == kind) return true;
  return false;
}

bool fibril__only_literals(const fibril__type *type) {
  return type->accepts & FIBRIL__LITERAL &&
         !(type->accepts & ~(uint32_t)(FIBRIL__LITERAL | FIBRIL__ABSENT));
}

bool fibril__is_of_literal(const fibril__type *type, napi_valuetype js) {
  return (js == napi_string && has_literal_of(type, FIBRIL_STRING)) ||
         (js == napi_number && has_literal_of(type, FIBRIL_NUMBER)) ||
         (js == napi_boolean && has_literal_of(type, FIBRIL_BOOLEAN));
}

/* In the order in which Node's messages have them: types, classes, null. A literal has the type of
 * its kind, unless the literals are listed themselves. */
static void add_types(names *out, const fibril__type *type, bool of_literals) {
  uint32_t accepts = type->accepts;
  if (accepts & (FIBRIL__STRING | FIBRIL__PATH) ||
      (of_literals && has_literal_of(type, FIBRIL_STRING)))
    add_name(out, "string");
  if (accepts & FIBRIL__NUMBERS || (of_literals && has_literal_of(type, FIBRIL_NUMBER)))
    add_name(out, "number");
  if (accepts & FIBRIL__BOOLEAN || (of_literals && has_literal_of(type, FIBRIL_BOOLEAN)))
    add_name(out, "boolean");
  if (accepts & FIBRIL__BIGINT) add_name(out, "bigint");
  if (accepts & FIBRIL__SYMBOL) add_name(out, "symbol");
  if (accepts & FIBRIL__FUNCTION) add_name(out, "function");
  if (accepts & (FIBRIL__RECORD | FIBRIL__OBJECT | FIBRIL__DICTIONARY)) add_name(out, "object");
  if (accepts & FIBRIL__PATH) add_name(out, "Buffer");
  if (accepts & FIBRIL__PATH) add_name(out, "URL");
  if (accepts & (FIBRIL__ARRAY | FIBRIL__TUPLE)) add_name(out, "Array");
  if (accepts & FIBRIL__MAP) add_name(out, "Map");
  if (accepts & FIBRIL__SET) add_name(out, "Set");
  if (accepts & FIBRIL__DATE) add_name(out, "Date");
  if (accepts & FIBRIL__BYTES) add_views(out, type->views);
  for (uint32_t i = 0; i < type->class_count; i++) add_name(out, type->classes[i]->name);
  if (accepts & FIBRIL__NULL) add_name(out, "null");
  if (accepts & FIBRIL__UNDEFINED) add_name(out, "undefined");
}

/* The literals, and as an array at the end the names of what else is accepted. */
static void add_literals(names *out, const fibril__type *type) {
  for (uint32_t i = 0; i < type->literal_count; i++) add_value(out, type->literals[i]);
  if (!fibril__only_literals(type)) {
    names others = {.env = out->env, .items = out->items + type->literal_count + 1};
    add_types(&others, type, false);
    napi_value array =
        others.failed ? NULL : fibril__array_to_js(out->env, others.items, others.length);
    out->failed |= array == NULL;
    out->items[out->length++] = array;
  } else if (type->accepts & FIBRIL__NULL) {
    add_value(out, fibril_null());
  }
}

/* ---- Where it is: "options.list[2]" ---- */

static char *put_place(char *at, const fibril__place *place) {
  if (place->outer != NULL) at = put_place(at, place->outer);
  if (place->name == NULL) return at + sprintf(at, "[%u]", (unsigned)place->index);
  if (place->outer != NULL) *at++ = '.';
  memcpy(at, place->name, place->name_length);
  return at + place->name_length;
}

static bool place_text(fibril__env *self, const fibril__place *place, napi_value *out) {
  size_t room = 1;
  for (const fibril__place *each = place; each != NULL; each = each->outer)
    room += each->name == NULL ? sizeof "[4294967295]" : each->name_length + 1;
  char *text = malloc(room);
  if (text == NULL) return false;
  char *end = put_place(text, place);
  bool made = napi_create_string_utf8(self->env, text, (size_t)(end - text), out) == napi_ok;
  free(text);
  return made;
}

/* What is expected, as an array; NULL on failure. */
static napi_value expected_names(fibril__env *self, int mistake, const fibril__type *type) {
  names list = {.env = self};
  napi_value array = NULL;
  list.items =
      malloc((NAMES_MAX + (size_t)type->literal_count + type->class_count) * sizeof *list.items);
  if (list.items == NULL) return NULL;
  if (mistake == FIBRIL__WRONG_TYPE)
    add_types(&list, type, true);
  else
    add_literals(&list, type);
  if (!list.failed) array = fibril__array_to_js(self, list.items, list.length);
  free(list.items);
  return array;
}

napi_value fibril__bad_argument(fibril__env *self, int mistake, const fibril__place *place,
                                const fibril__type *type, const char *text, napi_value value) {
  napi_env env = self->env;
  napi_value args[4] = {NULL, NULL, NULL, value};
  if (napi_create_int32(env, mistake, &args[0]) != napi_ok || !place_text(self, place, &args[1]))
    return NULL;
  if (text == NULL)
    args[2] = expected_names(self, mistake, type);
  else if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &args[2]) != napi_ok)
    return NULL;
  if (args[2] == NULL) return NULL;
  /* Describing the value may run a getter of its own, which may throw. */
  return fibril__env_ask(self, FIBRIL__JS_BAD_ARGUMENT, 4, args);
}
