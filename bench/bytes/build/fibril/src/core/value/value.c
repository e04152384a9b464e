/* Values: scalars and strings. */
#include "box.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fibril__box box;
  size_t length;
  char data[];
} string_box;

/* ---- Scalars ---- */

fibril_kind fibril_value_kind(fibril_value value) {
  return (fibril_kind)(value.tag & FIBRIL__KIND);
}

bool fibril_is_error(fibril_value value) {
  return fibril__is_error(value);
}

bool fibril_value_boolean(fibril_value value) {
  return fibril_value_kind(value) == FIBRIL_BOOLEAN && value.as.integer != 0;
}

double fibril_value_number(fibril_value value) {
  if (fibril_value_kind(value) == FIBRIL_NUMBER) return value.as.number;
  return fibril_value_kind(value) == FIBRIL_BIGINT ? (double)value.as.integer : NAN;
}

int64_t fibril_value_integer(fibril_value value) {
  if (fibril_value_kind(value) == FIBRIL_BIGINT) return value.as.integer;
  if (fibril_value_kind(value) != FIBRIL_NUMBER || isnan(value.as.number)) return 0;
  if (value.as.number >= 9223372036854775808.0) return INT64_MAX;
  return value.as.number < -9223372036854775808.0 ? INT64_MIN : (int64_t)value.as.number;
}

void *fibril_value_pointer(fibril_value value) {
  return fibril_value_kind(value) == FIBRIL_POINTER ? value.as.pointer : NULL;
}

/* ---- Strings ---- */

static void destroy_plain(fibril__box *box, fibril__box **dead) {
  (void)dead;
  free(box);
}

fibril_value fibril_string(const char *utf8, size_t length) {
  if (length == FIBRIL_AUTO_LENGTH) length = strlen(utf8);
  string_box *box = length < SIZE_MAX - sizeof *box ? malloc(sizeof *box + length + 1) : NULL;
  if (box == NULL) return fibril__error_code(UV_ENOMEM);
  box->length = length;
  if (length > 0) memcpy(box->data, utf8, length);
  box->data[length] = '\0';
  return fibril__value_of(FIBRIL_STRING, &box->box, destroy_plain);
}

const char *fibril_value_string(fibril_value value, size_t *length) {
  if (fibril_value_kind(value) != FIBRIL_STRING) return NULL;
  string_box *box = fibril__value_box(value);
  if (length != NULL) *length = box->length;
  return box->data;
}
