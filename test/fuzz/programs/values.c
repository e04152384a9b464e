/* Values of every kind and owner. What is in them is known, so that reading one shows whether it
 * still is what it was. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT "text of a value"
#define MESSAGE "message 7"
#define KEYS 5
#define DEEP 20000

static const char payload_bytes[8] = "payload";

static void release(void *data) {
  REQUIRE(memcmp(data, payload_bytes, sizeof payload_bytes) == 0);
  free(data);
  world.payloads--;
}

fibril_value value_payload(void) {
  char *data = malloc(sizeof payload_bytes);
  REQUIRE(data != NULL);
  memcpy(data, payload_bytes, sizeof payload_bytes);
  world.payloads++;
  return fibril_buffer_take(data, sizeof payload_bytes, release);
}

static fibril_value error_with_property(int depth) {
  fibril_value error = fibril_error(UV_EPERM, "message %d", 7);
  REQUIRE(fibril_error_set(error, "extra", value_any(depth + 1)) == 0);
  return error;
}

static fibril_value array(int depth) {
  fibril_value array = fibril_array((size_t)fuzz_below(4));
  for (int i = fuzz_below(4); i > 0; i--)
    REQUIRE(fibril_array_push(array, value_any(depth + 1)) == 0);
  return array;
}

static fibril_value object(int depth) {
  fibril_value object = fibril_object();
  char key[16];
  for (int i = fuzz_below(KEYS + 1); i > 0; i--) {
    snprintf(key, sizeof key, "k%d", fuzz_below(KEYS));
    REQUIRE(fibril_object_set(object, key, value_any(depth + 1)) == 0);
  }
  return object;
}

static fibril_value deep(void) {
  fibril_value value = value_payload();
  for (int i = 0; i < DEEP; i++) {
    fibril_value around = fibril_array(1);
    REQUIRE(fibril_array_push(around, value) == 0);
    value = around;
  }
  return value;
}

/* Somebody else's, borrowed: a future's, or of another coroutine's arena. */
static fibril_value borrowed(void) {
  const fibril_coroutine *self = fibril_coroutine_self();
  const fibril_value *lent = NULL;
  for (int i = fuzz_below(LENT); i < LENT && lent == NULL; i++)
    if (world.lent[i].owner != NULL && world.lent[i].owner != self) lent = &world.lent[i].value;
  if (lent != NULL && fuzz_once_in(2)) return *lent;
  fibril_future *future = world.futures[fuzz_below(FUTURES)];
  return future == NULL ? fibril_null() : fibril_future_result(future);
}

fibril_value value_any(int depth) {
  switch (fuzz_below(depth > 3 ? 6 : 13)) {
    case 0: return fibril_number(1);
    case 1: return fibril_string(TEXT, FIBRIL_AUTO_LENGTH);
    case 2: return value_payload();
    case 3: return fibril_error(UV_EACCES, "message %d", 7);
    case 4: return fibril_error(UV_EIO, NULL);
    case 5: return fibril_undefined();
    case 6: return array(depth);
    case 7: return object(depth);
    case 8: return error_with_property(depth);
    case 9: return borrowed();
    case 10: return fibril_value_dup(borrowed());
    case 11: return fibril_value_take(borrowed());
    default: return fuzz_once_in(100) ? deep() : fibril_value_take(value_payload());
  }
}

static void read_down(fibril_value value, int depth);

static void read_parts(fibril_value value, int depth) {
  char key[16];
  for (size_t i = 0; i < fibril_array_length(value) && i < 4; i++)
    read_down(fibril_array_get(value, i), depth + 1);
  for (int i = 0; i < KEYS && fibril_value_kind(value) == FIBRIL_OBJECT; i++) {
    snprintf(key, sizeof key, "k%d", i);
    read_down(fibril_object_get(value, key), depth + 1);
  }
  if (fibril_is_error(value)) read_down(fibril_error_get(value, "extra"), depth + 1);
}

static void read_down(fibril_value value, int depth) {
  size_t length;
  const char *text = fibril_value_string(value, &length);
  if (text != NULL) REQUIRE(length == strlen(TEXT) && strcmp(text, TEXT) == 0);
  const void *data = fibril_value_buffer(value, &length);
  if (data != NULL) REQUIRE(memcmp(data, payload_bytes, length) == 0);
  int code = fibril_error_code(value);
  if (code == UV_EACCES || code == UV_EPERM)
    REQUIRE(strcmp(fibril_error_message(value), MESSAGE) == 0);
  if (depth < 4) read_parts(value, depth);
}

void value_read(fibril_value value) {
  read_down(value, 0);
}

void value_lend(void) {
  loan *one = &world.lent[fuzz_below(LENT)];
  if (one->owner == NULL) *one = (loan){value_payload(), fibril_coroutine_self()};
}

void value_retract(void) {
  const fibril_coroutine *self = fibril_coroutine_self();
  for (loan *one = world.lent; one < world.lent + LENT; one++)
    if (one->owner == self) one->owner = NULL;
}
