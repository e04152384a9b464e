/* What is known of types before a signature says more: their words, what fits them, and their end.
 */
#include "known.h"

#include "scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VIEW(type) (1u << (type))

static const struct {
  const char *name;
  uint32_t accepts, views;
} words[] = {
    {"any", FIBRIL__ANY, 0},
    {"unknown", FIBRIL__ANY, 0},
    {"undefined", FIBRIL__UNDEFINED, 0},
    {"void", FIBRIL__UNDEFINED, 0},
    {"null", FIBRIL__NULL, 0},
    {"string", FIBRIL__STRING, 0},
    {"number", FIBRIL__NUMBER, 0},
    {"int32", FIBRIL__INT32, 0},
    {"uint32", FIBRIL__UINT32, 0},
    {"int64", FIBRIL__INT64, 0},
    {"boolean", FIBRIL__BOOLEAN, 0},
    {"bigint", FIBRIL__BIGINT, 0},
    {"path", FIBRIL__PATH, 0},
    {"object", FIBRIL__OBJECT, 0},
    {"Function", FIBRIL__FUNCTION, 0},
    {"AbortSignal", FIBRIL__SIGNAL, 0},
    {"Date", FIBRIL__DATE, 0},
    {"symbol", FIBRIL__SYMBOL, 0},
    {"bytes", FIBRIL__BYTES, FIBRIL__VIEW_ANY},
    {"ArrayBufferView", FIBRIL__BYTES, FIBRIL__VIEW_ANY & ~FIBRIL__VIEW_ARRAYBUFFER},
    {"Buffer", FIBRIL__BYTES, FIBRIL__VIEW_BUFFER},
    {"DataView", FIBRIL__BYTES, FIBRIL__VIEW_DATAVIEW},
    {"ArrayBuffer", FIBRIL__BYTES, FIBRIL__VIEW_ARRAYBUFFER},
    {"Int8Array", FIBRIL__BYTES, VIEW(0)}, /* in the order of napi_typedarray_type */
    {"Uint8Array", FIBRIL__BYTES, VIEW(1)},
    {"Uint8ClampedArray", FIBRIL__BYTES, VIEW(2)},
    {"Int16Array", FIBRIL__BYTES, VIEW(3)},
    {"Uint16Array", FIBRIL__BYTES, VIEW(4)},
    {"Int32Array", FIBRIL__BYTES, VIEW(5)},
    {"Uint32Array", FIBRIL__BYTES, VIEW(6)},
    {"Float32Array", FIBRIL__BYTES, VIEW(7)},
    {"Float64Array", FIBRIL__BYTES, VIEW(8)},
    {"BigInt64Array", FIBRIL__BYTES, VIEW(9)},
    {"BigUint64Array", FIBRIL__BYTES, VIEW(10)},
    {"Float16Array", FIBRIL__BYTES, VIEW(11)},
};

bool fibril__type_is_word(const char *name, size_t length) {
  static const char *const others[] = {
      "Array",       "ReadonlyArray", "Promise",    "Generator", "AsyncGenerator",
      "Symbol",      "this",          "never",      "Record",    "Map",
      "ReadonlyMap", "Set",           "ReadonlySet"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (fibril__scan_is(name, length, words[i].name)) return true;
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    if (fibril__scan_is(name, length, others[i])) return true;
  return false;
}

bool fibril__type_of_word(const char *name, size_t length, fibril__type *type) {
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (!fibril__scan_is(name, length, words[i].name)) continue;
    type->accepts = words[i].accepts;
    type->views = words[i].views;
    return true;
  }
  return false;
}

/* ---- Freeing ---- */

void fibril__parameters_free(fibril__parameter *parameters, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    fibril__type_free(&parameters[i].type);
    fibril_value_free(parameters[i].initial);
  }
}

static void free_types(fibril__type *types, size_t count) {
  for (size_t i = 0; types != NULL && i < count; i++) fibril__type_free(&types[i]);
  free(types);
}

void fibril__type_free(fibril__type *type) {
  free_types(type->element, 1);
  free_types(type->value, 1);
  free_types(type->item, 1);
  free_types(type->entry, 2);
  fibril__parameters_free(type->places, type->place_count);
  free(type->places);
  fibril__parameters_free(type->properties, type->property_count);
  free(type->properties);
  for (uint32_t i = 0; i < type->literal_count; i++) fibril_value_free(type->literals[i]);
  free(type->literals);
  free(type->classes);
  *type = (fibril__type){0};
}

/* ---- What fits ---- */

static bool same_literal(fibril_value a, fibril_value b) {
  size_t a_length, b_length;
  const char *a_text = fibril_value_string(a, &a_length),
             *b_text = fibril_value_string(b, &b_length);
  if (a_text != NULL && b_text != NULL)
    return a_length == b_length && memcmp(a_text, b_text, a_length) == 0;
  if (fibril_value_kind(a) != fibril_value_kind(b)) return false;
  return fibril_value_kind(a) == FIBRIL_NUMBER ? a.as.number == b.as.number
                                               : a.as.integer == b.as.integer;
}

bool fibril__type_has_literal(const fibril__type *type, fibril_value value) {
  for (uint32_t i = 0; i < type->literal_count; i++)
    if (same_literal(type->literals[i], value)) return true;
  return false;
}

bool fibril__number_fits(uint32_t accepts, double number) {
  if (accepts & FIBRIL__NUMBER) return true;
  if (!isfinite(number) || number != floor(number)) return false;
  if (accepts & FIBRIL__INT32) return number >= INT32_MIN && number <= INT32_MAX;
  if (accepts & FIBRIL__UINT32) return number >= 0 && number <= UINT32_MAX;
  return fabs(number) <= 9007199254740991.0;
}

bool fibril__default_fits(const fibril__type *type, fibril_value value) {
  if (type->accepts & FIBRIL__ANY || fibril__type_has_literal(type, value)) return true;
  size_t length;
  const char *text = fibril_value_string(value, &length);
  switch (fibril_value_kind(value)) {
    case FIBRIL_STRING:
      return type->accepts & FIBRIL__STRING ||
             (type->accepts & FIBRIL__PATH && strlen(text) == length);
    case FIBRIL_NUMBER:
      return type->accepts & FIBRIL__NUMBERS && fibril__number_fits(type->accepts, value.as.number);
    case FIBRIL_BOOLEAN: return type->accepts & FIBRIL__BOOLEAN;
    case FIBRIL_BIGINT: return type->accepts & FIBRIL__BIGINT;
    default: return true; /* null: as good as none */
  }
}
