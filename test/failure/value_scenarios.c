/* Values, with failing calls. */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

static int releases;

static void release_block(void *data) {
  (void)data;
  releases++;
}

static void strings_and_buffers(void) {
  static char block[8];
  fibril_value string = fibril_string("text", FIBRIL_AUTO_LENGTH);
  if (OK_VALUE(string)) MUST(strcmp(fibril_value_string(string, NULL), "text") == 0);
  fibril_value_free(string);
  fibril_value copy = fibril_buffer("bytes", 5);
  OK_VALUE(copy);
  fibril_value_free(copy);
  releases = 0;
  fibril_value taken = fibril_buffer_take(block, sizeof block, release_block);
  OK_VALUE(taken);
  MUST(fibril_is_error(taken) == (releases == 1));
  /* In a coroutine its arena owns it. */
  fibril_value_free(taken);
}

static void arrays(void) {
  fibril_value sized = fibril_array(2), array = fibril_array(0);
  OK_VALUE(sized);
  fibril_value_free(sized);
  if (!OK_VALUE(array)) return;
  size_t pushed = 0;
  for (int i = 0; i < 10; i++) {
    fibril_value item = fibril_string("item", 4);
    if (!OK_VALUE(item)) continue;
    if (OK(fibril_array_push(array, item))) pushed++;
  }
  MUST(fibril_array_length(array) == pushed);
  fibril_value_free(array);
}

static void objects(void) {
  static const char *const keys[] = {
      "a", "b", "c", "d", "e", "a", "one that is too long to be in one piece with all the others",
      "f", "g", "h", "i", "j", "k", "l",
      "m", "n", "o", "p", "q", "b", "r"};
  fibril_value object = fibril_object();
  if (!OK_VALUE(object)) return;
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    fibril_value item = fibril_string(keys[i], FIBRIL_AUTO_LENGTH);
    if (!OK_VALUE(item)) continue;
    if (OK(fibril_object_set(object, keys[i], item)))
      MUST(strcmp(fibril_value_string(fibril_object_get(object, keys[i]), NULL), keys[i]) == 0);
  }
  fibril_value_free(object);
}

/* With an index, and without. */
static void maps_and_sets(void) {
  fibril_value map = fibril_map(), set = fibril_set();
  size_t mapped = 0, added = 0;
  bool has_map = OK_VALUE(map), has_set = OK_VALUE(set);
  for (int i = 0; i < 40; i++) {
    fibril_value item = fibril_string("item", 4);
    if (!OK_VALUE(item)) continue;
    if (has_map && OK(fibril_map_set(map, fibril_number(i), fibril_value_dup(item)))) mapped++;
    if (has_set && OK(fibril_set_add(set, fibril_number(i)))) added++;
    fibril_value_free(item);
  }
  MUST(fibril_map_size(map) == mapped && fibril_set_size(set) == added);
  fibril_value_free(map);
  fibril_value_free(set);
}

/* An error that can't be made is one of UV_ENOMEM. */
static void check_error(fibril_value error, int code, const char *message) {
  MUST(fibril_is_error(error));
  if (fibril_error_code(error) != UV_ENOMEM)
    MUST(fibril_error_code(error) == code && strstr(fibril_error_message(error), message) != NULL);
  else
    OK_VALUE(error);
  fibril_value_free(error);
}

static void errors(void) {
  check_error(fibril_error(UV_EAGAIN, "try %s", "again"), UV_EAGAIN, "try again");
  check_error(fibril_error_uv(UV_ENOENT, "open", "/none"), UV_ENOENT, "no such file");
  check_error(fibril_error_type("TypeError", "ERR_X", "of type %d", 5), UV_EINVAL, "of type 5");
  fibril_value error = fibril_error_type("Error", "42P01", "no table");
  fibril_value detail = fibril_string("gone", FIBRIL_AUTO_LENGTH);
  if (fibril_error_code(error) == UV_ENOMEM) OK_VALUE(error);
  if (OK_VALUE(detail) && fibril_error_code(error) != UV_ENOMEM)
    OK(fibril_error_set(error, "detail", detail));
  else
    fibril_value_free(detail);
  fibril_value_free(error);
}

static fibril_value all_kinds(void *arg) {
  (void)arg;
  strings_and_buffers();
  arrays();
  objects();
  maps_and_sets();
  errors();
  return fibril_string("result", FIBRIL_AUTO_LENGTH);
}

SCENARIO(values_of_a_coroutine) {
  scenario_run(loop, all_kinds, NULL);
}

SCENARIO(values_of_the_caller) {
  (void)loop;
  fibril_value result = all_kinds(NULL);
  OK_VALUE(result);
  fibril_value_free(result);
}

/* A value of another coroutine, awaited when nobody has the future any more. */
typedef struct {
  fibril_value value;
  fibril_future *future;
} loan;

static fibril_value hand_on(void *arg) {
  fibril_moment();
  return ((loan *)arg)->value;
}

static fibril_value await_last(void *arg) {
  fibril_value value = fibril_await(((loan *)arg)->future);
  if (OK_VALUE(value)) MUST(strcmp(fibril_value_string(value, NULL), "lent") == 0);
  return fibril_undefined();
}

static fibril_value lend(void *arg) {
  loan l = {.value = fibril_string("lent", FIBRIL_AUTO_LENGTH)};
  (void)arg;
  if (!OK_VALUE(l.value)) return fibril_undefined();
  l.future = fibril_spawn(hand_on, &l, NULL);
  fibril_future *waiting = fibril_spawn(await_last, &l, NULL);
  fibril_future_unref(l.future);
  OK_VALUE(fibril_await(waiting));
  fibril_future_unref(waiting);
  for (int i = 0; i < 3; i++) fibril_moment(); /* until the first one has ended, too */
  return fibril_undefined();
}

SCENARIO(value_of_another_awaited_last) {
  scenario_run(loop, lend, NULL);
}
