#include "encode.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a length with its mark and its CRLF, and of a number. */
enum { HEAD = 24, NUMBER = 32 };

void bytes_free(bytes *self) {
  free(self->data);
  *self = (bytes){0};
}

static int reserve(bytes *self, size_t more) {
  if (more <= self->capacity - self->length) return 0;
  size_t capacity = self->capacity == 0 ? 4096 : self->capacity;
  while (capacity - self->length < more) capacity *= 2;
  char *data = realloc(self->data, capacity);
  if (data == NULL) return UV_ENOMEM;
  self->data = data;
  self->capacity = capacity;
  return 0;
}

/* The shortest text that reads as the same number, and integers without an exponent. */
static size_t number_text(double number, char *text) {
  if (isnan(number)) return (size_t)sprintf(text, "nan");
  if (isinf(number)) return (size_t)sprintf(text, number < 0 ? "-inf" : "inf");
  if (number == trunc(number) && fabs(number) < 1e21) return (size_t)sprintf(text, "%.0f", number);
  int length = 0;
  for (int digits = 15; digits <= 17; digits++) {
    length = sprintf(text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  return (size_t)length;
}

/* The bytes of an item; numbers become text in `text`. */
static const char *item_bytes(fibril_value item, char *text, size_t *length) {
  switch (fibril_value_kind(item)) {
    case FIBRIL_STRING: return fibril_value_string(item, length);
    case FIBRIL_BUFFER: return fibril_value_buffer(item, length);
    case FIBRIL_BIGINT:
      *length = (size_t)sprintf(text, "%" PRId64, fibril_value_integer(item));
      return text;
    default: *length = number_text(fibril_value_number(item), text); return text;
  }
}

static size_t room_of(fibril_value item) {
  size_t length = NUMBER;
  if (fibril_value_string(item, &length) == NULL) fibril_value_buffer(item, &length);
  return HEAD + length + 2;
}

static char *put_head(char *at, char mark, size_t count) {
  char digits[20];
  size_t length = 0;
  do digits[length++] = (char)('0' + count % 10);
  while ((count /= 10) > 0);
  *at++ = mark;
  while (length > 0) *at++ = digits[--length];
  *at++ = '\r';
  *at++ = '\n';
  return at;
}

static char *put_item(char *at, const char *data, size_t length) {
  at = put_head(at, '$', length);
  if (length > 0) memcpy(at, data, length);
  at += length;
  *at++ = '\r';
  *at++ = '\n';
  return at;
}

int encode_command(bytes *out, const char *verb, fibril_value args) {
  char text[NUMBER];
  size_t count = fibril_array_length(args), verb_length = verb == NULL ? 0 : strlen(verb);
  size_t room = HEAD + HEAD + verb_length + 2;
  for (size_t i = 0; i < count; i++) room += room_of(fibril_array_get(args, i));
  int err = reserve(out, room);
  if (err != 0) return err;
  char *at = put_head(out->data + out->length, '*', count + (verb != NULL));
  if (verb != NULL) at = put_item(at, verb, verb_length);
  for (size_t i = 0; i < count; i++) {
    size_t length = 0;
    const char *data = item_bytes(fibril_array_get(args, i), text, &length);
    at = put_item(at, data, length);
  }
  out->length = (size_t)(at - out->data);
  return 0;
}
