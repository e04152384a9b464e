/* Values and errors: kinds, conversions, ownership. */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int releases;

static void count_release(void *data) {
  releases++;
  free(data);
}

static fibril_value counted_buffer(void) {
  return fibril_buffer_take(calloc(1, 4), 4, count_release);
}

TEST(scalars_keep_their_kind_and_value) {
  CHECK_INT(fibril_value_kind(fibril_undefined()), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_value_kind(fibril_null()), FIBRIL_NULL);
  CHECK_INT(fibril_value_kind(fibril_boolean(true)), FIBRIL_BOOLEAN);
  CHECK(fibril_value_boolean(fibril_boolean(true)) && !fibril_value_boolean(fibril_boolean(false)));
  CHECK(fibril_value_number(fibril_number(-1.5)) == -1.5);
  CHECK_INT(fibril_value_integer(fibril_bigint(INT64_MIN)), INT64_MIN);
  CHECK(fibril_value_pointer(fibril_pointer(&releases)) == &releases);
  CHECK_INT(sizeof(fibril_value), 16);
}

TEST(numbers_become_integers_without_undefined_behaviour) {
  CHECK_INT(fibril_value_integer(fibril_number(2.9)), 2);
  CHECK_INT(fibril_value_integer(fibril_number(-2.9)), -2);
  CHECK_INT(fibril_value_integer(fibril_number(1e300)), INT64_MAX);
  CHECK_INT(fibril_value_integer(fibril_number(-1e300)), INT64_MIN);
  CHECK_INT(fibril_value_integer(fibril_number(NAN)), 0);
  CHECK(fibril_value_number(fibril_bigint(1 << 20)) == 1 << 20);
}

TEST(accessors_of_another_kind_give_the_neutral_value) {
  fibril_value null = fibril_null(), number = fibril_number(1);
  CHECK(!fibril_value_boolean(number));
  CHECK(isnan(fibril_value_number(null)));
  CHECK_INT(fibril_value_integer(null), 0);
  CHECK(fibril_value_pointer(number) == NULL);
  CHECK(fibril_value_string(number, NULL) == NULL);
  CHECK(fibril_value_buffer(number, NULL) == NULL);
  CHECK_INT(fibril_array_length(number), 0);
  CHECK_INT(fibril_value_kind(fibril_array_get(number, 0)), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_value_kind(fibril_object_get(number, "x")), FIBRIL_UNDEFINED);
  CHECK(!fibril_is_error(number));
  CHECK_INT(fibril_error_code(number), 0);
  CHECK_STR(fibril_error_message(number), "");
}

TEST(strings_and_buffers_are_copied) {
  char text[] = "text";
  size_t length = 0;
  fibril_value string = fibril_string(text, FIBRIL_AUTO_LENGTH), part = fibril_string(text, 2);
  fibril_value buffer = fibril_buffer(text, sizeof text), empty = fibril_buffer(NULL, 0);
  memset(text, 'x', sizeof text);
  CHECK_STR(fibril_value_string(string, &length), "text");
  CHECK_INT(length, 4);
  CHECK_STR(fibril_value_string(part, &length), "te");
  CHECK_INT(length, 2);
  CHECK(memcmp(fibril_value_buffer(buffer, &length), "text", 5) == 0);
  CHECK_INT(length, 5);
  CHECK(fibril_value_buffer(empty, &length) != NULL);
  CHECK_INT(length, 0);
  fibril_value_free(string);
  fibril_value_free(part);
  fibril_value_free(buffer);
  fibril_value_free(empty);
}

TEST(value_lives_as_long_as_its_last_owner) {
  releases = 0;
  fibril_value buffer = counted_buffer(), copy = fibril_value_dup(buffer);
  CHECK(fibril_value_buffer(copy, NULL) == fibril_value_buffer(buffer, NULL));
  fibril_value_free(buffer);
  CHECK_INT(releases, 0);
  fibril_value_free(copy);
  CHECK_INT(releases, 1);
  fibril_value_free(fibril_number(1)); /* does nothing */
}

static fibril_value frees_what_it_has_made(void *arg) {
  (void)arg;
  for (int i = 1; i <= 3; i++) {
    fibril_value made = counted_buffer();
    fibril_value_free(made); /* the arena's: does nothing */
    CHECK_INT(releases, i - 1);
    fibril_value taken = fibril_value_take(made);
    CHECK_INT(fibril_value_kind(made), FIBRIL_BUFFER);
    fibril_value again = fibril_value_take(taken);
    fibril_value_free(again); /* the same owner */
    CHECK_INT(releases, i);
  }
  fibril_value array = fibril_array(1);
  fibril_array_push(array, counted_buffer());
  fibril_value item = fibril_value_take(fibril_array_get(array, 0));
  fibril_value_free(fibril_value_take(array));
  CHECK_INT(releases, 3);
  CHECK_INT(fibril_value_kind(item), FIBRIL_BUFFER);
  fibril_value_free(item);
  CHECK_INT(releases, 4);
  return fibril_value_take(fibril_number(1));
}

LOOP_TEST(values_taken_out_of_the_arena_are_freed_while_the_coroutine_runs) {
  fibril_value result;
  releases = 0;
  CHECK_INT(fibril_loop_run_sync(loop, frees_what_it_has_made, NULL, -1, &result), 0);
  CHECK_INT(fibril_value_integer(result), 1);
  CHECK_INT(releases, 4);
}

TEST(arrays_own_their_items) {
  releases = 0;
  fibril_value array = fibril_array(0);
  for (int i = 0; i < 100; i++) CHECK_INT(fibril_array_push(array, fibril_number(i)), 0);
  CHECK_INT(fibril_array_push(array, counted_buffer()), 0);
  CHECK_INT(fibril_array_length(array), 101);
  CHECK_INT(fibril_value_integer(fibril_array_get(array, 99)), 99);
  CHECK_INT(fibril_value_kind(fibril_array_get(array, 100)), FIBRIL_BUFFER);
  CHECK_INT(fibril_value_kind(fibril_array_get(array, 101)), FIBRIL_UNDEFINED);
  fibril_value_free(fibril_array_get(array, 100)); /* borrowed: does nothing */
  CHECK_INT(releases, 0);
  CHECK_INT(fibril_array_push(fibril_number(1), counted_buffer()), FIBRIL_ETYPE);
  CHECK_INT(releases, 1); /* handed over also on failure */
  fibril_value_free(array);
  CHECK_INT(releases, 2);
  fibril_value huge = fibril_array(SIZE_MAX / 2);
  CHECK_INT(fibril_error_code(huge), UV_ENOMEM);
}

TEST(objects_own_their_properties) {
  releases = 0;
  char key[] = "a";
  fibril_value object = fibril_object();
  CHECK_INT(fibril_object_set(object, key, counted_buffer()), 0);
  key[0] = 'b';
  CHECK_INT(fibril_object_set(object, key, fibril_number(2)), 0);
  CHECK_INT(fibril_value_kind(fibril_object_get(object, "a")), FIBRIL_BUFFER);
  CHECK_INT(fibril_value_integer(fibril_object_get(object, "b")), 2);
  CHECK_INT(fibril_value_kind(fibril_object_get(object, "c")), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_object_set(object, "a", fibril_null()), 0); /* replaces */
  CHECK_INT(releases, 1);
  CHECK_INT(fibril_value_kind(fibril_object_get(object, "a")), FIBRIL_NULL);
  CHECK_INT(fibril_object_set(fibril_null(), "a", counted_buffer()), FIBRIL_ETYPE);
  CHECK_INT(releases, 2);
  fibril_value_free(object);
}

/* "", "k", "kk" ... "kkkl": keys that begin alike, of every length; longer than what objects have
 * room for, too. */
static const char *key_of(char *key, size_t i) {
  size_t length = i / 2;
  memset(key, 'k', length);
  if (i % 2 == 1) key[length++] = 'l';
  key[length] = '\0';
  return key;
}

TEST(objects_have_keys_of_any_length_and_number) {
  enum { KEYS = 800 };
  char key[KEYS];
  fibril_value object = fibril_object();
  for (size_t round = 0; round < 2; round++)
    for (size_t i = 0; i < KEYS; i++)
      CHECK_INT(fibril_object_set(object, key_of(key, i), fibril_number((double)(i + round))), 0);
  for (size_t i = 0; i < KEYS; i++)
    CHECK_INT(fibril_value_integer(fibril_object_get(object, key_of(key, i))), (int64_t)i + 1);
  CHECK_INT(fibril_value_kind(fibril_object_get(object, key_of(key, KEYS))), FIBRIL_UNDEFINED);
  fibril_value_free(object);
}

TEST(objects_tell_what_they_have) {
  fibril_value object = fibril_object();
  size_t length = 99;
  CHECK_INT(fibril_object_set(object, "b", fibril_number(1)), 0);
  CHECK_INT(fibril_object_set(object, "", fibril_string("x", 1)), 0);
  CHECK_INT(fibril_object_set(object, "b", fibril_number(2)), 0);
  CHECK_INT(fibril_object_length(object), 2);
  CHECK_STR(fibril_object_key(object, 0, &length), "b");
  CHECK_INT(length, 1);
  CHECK_STR(fibril_object_key(object, 1, NULL), "");
  CHECK_INT(fibril_value_number(fibril_object_value(object, 0)), 2);
  CHECK(fibril_object_key(object, 2, &length) == NULL);
  CHECK_INT(length, 1);
  CHECK_INT(fibril_value_kind(fibril_object_value(object, 2)), FIBRIL_UNDEFINED);
  CHECK(fibril_object_key(fibril_null(), 0, NULL) == NULL);
  fibril_value_free(object);
}

/* ---- Maps and sets ---- */

TEST(maps_own_their_keys_and_items) {
  releases = 0;
  fibril_value map = fibril_map(), key = counted_buffer();
  CHECK_INT(fibril_map_set(map, key, counted_buffer()), 0);
  CHECK_INT(fibril_map_set(map, fibril_string("a", 1), counted_buffer()), 0);
  CHECK_INT(fibril_map_set(map, fibril_string("a", 1), fibril_number(2)), 0); /* replaces */
  CHECK_INT(releases, 1);
  CHECK_INT(fibril_map_size(map), 2);
  fibril_value text = fibril_string("a", 1);
  CHECK_INT(fibril_value_integer(fibril_map_get(map, text)), 2);
  fibril_value_free(text);
  CHECK_INT(fibril_value_kind(fibril_map_get(map, fibril_map_key(map, 0))), FIBRIL_BUFFER);
  fibril_value_free(map);
  CHECK_INT(releases, 3);
}

TEST(keys_of_maps_are_equal_as_in_JavaScript) {
  char here;
  const fibril_value keys[] = {fibril_undefined(),   fibril_null(),     fibril_boolean(false),
                               fibril_number(0),     fibril_bigint(0),  fibril_date(0),
                               fibril_number(NAN),   fibril_number(1),  fibril_bigint(1),
                               fibril_boolean(true), fibril_pointer(0), fibril_pointer(&here)};
  enum { COUNT = sizeof keys / sizeof keys[0] };
  fibril_value set = fibril_set();
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < COUNT; i++) CHECK_INT(fibril_set_add(set, keys[i]), 0);
  CHECK_INT(fibril_set_size(set), COUNT);
  CHECK_INT(fibril_set_add(set, fibril_number(-0.0)), 0);
  CHECK_INT(fibril_set_add(set, fibril_number(-NAN)), 0);
  CHECK_INT(fibril_set_size(set), COUNT);
  CHECK(!fibril_set_has(set, fibril_number(2)));
  fibril_value_free(set);
}

/* With an index, and while that grows. */
TEST(maps_find_keys_however_many_there_are) {
  enum { COUNT = 100000 };
  fibril_value map = fibril_map();
  for (int i = 0; i < COUNT; i++) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d", i);
    fibril_value key = i % 2 == 0 ? fibril_number(i) : fibril_string(text, (size_t)length);
    if (!CHECK_INT(fibril_map_set(map, key, fibril_bigint(i)), 0)) break;
  }
  CHECK_INT(fibril_map_size(map), COUNT);
  for (int i = 0; i < COUNT; i += 97) {
    CHECK_INT(fibril_value_integer(fibril_map_value(map, (size_t)i)), i);
    CHECK_INT(fibril_value_integer(fibril_map_get(map, fibril_map_key(map, (size_t)i))), i);
  }
  CHECK(!fibril_map_has(map, fibril_number(1)));
  CHECK(!fibril_map_has(map, fibril_number(COUNT)));
  fibril_value_free(map);
}

/* ---- Errors ---- */

TEST(errors_have_a_code_and_a_message) {
  fibril_value plain = fibril_error(UV_ENOENT, NULL),
               told = fibril_error(UV_EIO, "disk %d: %s", 3, "gone");
  fibril_value call = fibril_error_uv(UV_EACCES, "open", "/x");
  fibril_value argument = fibril_error_type("TypeError", "ERR_X", "no %s", "way");
  CHECK(fibril_is_error(plain) && fibril_is_error(told) && fibril_is_error(call) &&
        fibril_is_error(argument));
  CHECK_INT(fibril_error_code(plain), UV_ENOENT);
  CHECK_STR(fibril_error_message(plain), uv_strerror(UV_ENOENT));
  CHECK_INT(fibril_error_code(told), UV_EIO);
  CHECK_STR(fibril_error_message(told), "disk 3: gone");
  CHECK_INT(fibril_error_code(call), UV_EACCES);
  CHECK_STR(fibril_error_message(argument), "no way");
  fibril_value_free(told);
  fibril_value_free(call);
  fibril_value_free(argument);
}

TEST(errors_have_properties) {
  fibril_value error = fibril_error_type("Error", "42P01", "no table");
  releases = 0;
  CHECK_INT(fibril_value_kind(fibril_error_get(error, "detail")), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_error_set(error, "detail", counted_buffer()), 0);
  CHECK_INT(fibril_error_set(error, "position", fibril_number(15)), 0);
  CHECK_INT(fibril_value_kind(fibril_error_get(error, "detail")), FIBRIL_BUFFER);
  CHECK(fibril_value_number(fibril_error_get(error, "position")) == 15);
  CHECK_INT(releases, 0);
  fibril_value_free(error);
  CHECK_INT(releases, 1);
  CHECK_INT(fibril_error_set(fibril_error(UV_EIO, NULL), "detail", counted_buffer()), FIBRIL_ETYPE);
  CHECK_INT(fibril_error_set(fibril_number(1), "detail", counted_buffer()), FIBRIL_ETYPE);
  CHECK_INT(releases, 3);
  CHECK_INT(fibril_value_kind(fibril_error_get(fibril_null(), "detail")), FIBRIL_UNDEFINED);
}

TEST(every_code_has_a_name_and_a_sentence) {
  for (int code = FIBRIL_ESYNC; code <= FIBRIL_EALREADY; code++) {
    CHECK(strncmp(fibril_err_name(code), "FIBRIL_E", 8) == 0);
    CHECK(strlen(fibril_strerror(code)) > 5);
  }
  CHECK_STR(fibril_err_name(FIBRIL_EALREADY), "FIBRIL_EALREADY");
  CHECK_STR(fibril_err_name(UV_ENOENT), "ENOENT");
  CHECK_STR(fibril_strerror(UV_ENOENT), uv_strerror(UV_ENOENT));
}

/* ---- The arena of a coroutine ---- */

static fibril_value make_and_drop(void *arg) {
  (void)arg;
  fibril_value buffer = counted_buffer();
  fibril_value_free(buffer); /* the arena's: does nothing */
  CHECK_INT(releases, 0);
  fibril_sleep(0);
  CHECK(fibril_value_buffer(buffer, NULL) != NULL);
  fibril_value array = fibril_array(1);
  fibril_array_push(array, counted_buffer());
  return fibril_undefined();
}

LOOP_TEST(what_a_coroutine_makes_ends_with_it) {
  releases = 0;
  CHECK_INT(fibril_loop_run_sync(loop, make_and_drop, NULL, 0, NULL), 0);
  CHECK_INT(releases, 2);
}

typedef struct {
  fibril_future *future;
  fibril_value kept;
} keeper;

static fibril_value make_and_return(void *arg) {
  keeper *k = arg;
  fibril_value buffer = counted_buffer();
  k->kept = fibril_value_dup(counted_buffer());
  CHECK_INT(fibril_future_set_result(k->future, counted_buffer()), 0);
  CHECK_INT(fibril_future_set_result(k->future, counted_buffer()), FIBRIL_EALREADY);
  CHECK_INT(releases, 1); /* refused, but handed over */
  return buffer;
}

LOOP_TEST(what_a_coroutine_hands_over_outlives_it) {
  fibril_value result;
  keeper k = {.future = fibril_future_new(loop)};
  releases = 0;
  CHECK_INT(fibril_loop_run_sync(loop, make_and_return, &k, 0, &result), 0);
  CHECK_INT(releases, 1);
  CHECK(fibril_value_buffer(result, NULL) != NULL);
  fibril_value_free(result);
  CHECK_INT(releases, 2);
  fibril_value_free(k.kept);
  CHECK_INT(releases, 3);
  fibril_future_unref(k.future);
  CHECK_INT(releases, 4);
}

static fibril_value make_child_value(void *arg) {
  (void)arg;
  return counted_buffer();
}

/* An awaited value is borrowed: handing it over copies the reference, and the future keeps its own.
 */
static fibril_value return_borrowed(void *arg) {
  (void)arg;
  fibril_future *child = fibril_spawn(make_child_value, NULL, NULL);
  fibril_value value = fibril_await(child);
  fibril_value copy = fibril_value_dup(value);
  fibril_future_unref(child);
  CHECK_INT(releases, 0);
  return copy;
}

LOOP_TEST(awaited_value_can_be_kept_by_duplicating_it) {
  fibril_value result;
  releases = 0;
  CHECK_INT(fibril_loop_run_sync(loop, return_borrowed, NULL, 0, &result), 0);
  CHECK_INT(releases, 0);
  fibril_value_free(result);
  CHECK_INT(releases, 1);
}

/* ---- However much is in it ---- */

#define DEPTH 200000

static fibril_value nest(int depth, int kind) {
  fibril_value value = fibril_string("the innermost", FIBRIL_AUTO_LENGTH);
  for (int i = 0; i < depth; i++) {
    fibril_value outer = kind == 0   ? fibril_array(1)
                         : kind == 1 ? fibril_object()
                                     : fibril_error(UV_EIO, "%d", i);
    int err = kind == 0   ? fibril_array_push(outer, value)
              : kind == 1 ? fibril_object_set(outer, "inner", value)
                          : fibril_error_set(outer, "cause", value);
    if (!CHECK_INT(err, 0)) break;
    value = outer;
  }
  return value;
}

static fibril_value free_nested(void *arg) {
  (void)arg;
  for (int kind = 0; kind < 3; kind++) fibril_value_free(fibril_value_take(nest(DEPTH, kind)));
  return nest(DEPTH, 0);
}

LOOP_TEST(values_nested_deeply_are_freed_on_a_small_stack) {
  fibril_spawn_options options = {.size = sizeof options, .stack_size = 16384};
  fibril_future *future = fibril_loop_spawn(loop, free_nested, NULL, &options);
  CHECK(fibril_future_done(future));
  fibril_future_unref(future);
}

static char order[8];

static void note_release(void *data) {
  strncat(order, data, 1);
}

TEST(what_a_value_holds_is_released_in_order) {
  static char a[] = "a", b[] = "b", c[] = "c", d[] = "d";
  fibril_value array = fibril_array(0), inner = fibril_object();
  order[0] = '\0';
  fibril_array_push(array, fibril_buffer_take(a, 1, note_release));
  fibril_object_set(inner, "b", fibril_buffer_take(b, 1, note_release));
  fibril_object_set(inner, "c", fibril_buffer_take(c, 1, note_release));
  fibril_array_push(array, inner);
  fibril_array_push(array, fibril_buffer_take(d, 1, note_release));
  fibril_value_free(array);
  CHECK_STR(order, "abcd");
}

/* As long as it takes a table: a list would take minutes. */
TEST(object_with_very_many_keys) {
  enum { COUNT = 400000 };
  char key[32];
  fibril_value object = fibril_object();
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < COUNT; i++) {
      snprintf(key, sizeof key, "key %d", i);
      if (!CHECK_INT(fibril_object_set(object, key, fibril_number(i + round)), 0)) return;
    }
  for (int i = 0; i < COUNT; i += 997) {
    snprintf(key, sizeof key, "key %d", i);
    CHECK_INT(fibril_value_number(fibril_object_get(object, key)), i + 1);
  }
  CHECK_INT(fibril_value_kind(fibril_object_get(object, "key")), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_value_kind(fibril_object_get(object, "key 400000")), FIBRIL_UNDEFINED);
  fibril_value_free(object);
}

TEST(values_may_not_contain_themselves) {
  fibril_value array = fibril_array(0), object = fibril_object(),
               error = fibril_error(UV_EIO, "it");
  CHECK_INT(fibril_array_push(array, array), UV_EINVAL);
  CHECK_INT(fibril_object_set(object, "self", object), UV_EINVAL);
  CHECK_INT(fibril_error_set(error, "cause", error), UV_EINVAL);
  CHECK_INT(fibril_array_length(array), 0);
  fibril_value_free(array);
  fibril_value_free(object);
  fibril_value_free(error);
}

TEST(value_buffer_is_seen_as_what_it_is_said_to_be) {
  const double numbers[] = {1, 2};
  size_t length = 0;
  fibril_value value = fibril_typed_array(FIBRIL_VIEW_FLOAT64_ARRAY, numbers, 2);
  const double *copy = fibril_value_buffer(value, &length);
  CHECK_INT(fibril_value_view(value), FIBRIL_VIEW_FLOAT64_ARRAY);
  CHECK_INT(length / fibril_view_size(fibril_value_view(value)), 2);
  CHECK((uintptr_t)copy % 16 == 0 && copy[1] == 2);
  CHECK(!fibril_value_is_shared(value));
  CHECK_INT(fibril_buffer_set_view(value, FIBRIL_VIEW_BIGUINT64_ARRAY), 0);
  CHECK_INT(fibril_buffer_set_view(value, (fibril_view)100), UV_EINVAL);
  CHECK_INT(fibril_value_view(value), FIBRIL_VIEW_BIGUINT64_ARRAY);
  fibril_value_free(value);
  value = fibril_buffer("odd", 3);
  CHECK_INT(fibril_value_view(value), FIBRIL_VIEW_BUFFER);
  CHECK_INT(fibril_buffer_set_view(value, FIBRIL_VIEW_INT16_ARRAY), UV_EINVAL);
  CHECK_INT(fibril_buffer_set_view(value, FIBRIL_VIEW_DATAVIEW), 0);
  fibril_value_free(value);
  CHECK_INT(fibril_buffer_set_view(fibril_null(), FIBRIL_VIEW_BUFFER), FIBRIL_ETYPE);
  CHECK_INT(fibril_error_code(fibril_typed_array((fibril_view)-1, NULL, 0)), UV_EINVAL);
  CHECK_INT(fibril_error_code(fibril_typed_array(FIBRIL_VIEW_INT16_ARRAY, "", SIZE_MAX)),
            UV_ENOMEM);
}
