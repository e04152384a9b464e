/* A value of every owner leaves in every way: whoever gets it has it whole, somebody else whose it
 * was keeps it, and in the end it is released, once. Ways that fail are among them: what is handed
 * over is handed over also on failure. test/package/header.test.js sees to it that no function that
 * takes or gives a value is missing here, or in test/addon/owners.c where JavaScript has a part in
 * it. */
#include "owners.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

typedef struct {
  owner_scene scene;
  const value_owner *owner;
  const struct way *way;
} passage;

/* One makes the value itself, in the coroutine that it leaves. */
typedef struct way {
  const char *name;
  fibril_value (*run)(passage *p); /* what the coroutine returns */
} way;

static fibril_value make(passage *p) {
  fibril_value value = p->owner->make(&p->scene);
  if (!is_whole(value)) FAIL("made: %s", p->owner->name);
  return value;
}

static void check(passage *p, fibril_value value) {
  if (!is_whole(value)) FAIL("%s, by %s: what arrived is not whole", p->owner->name, p->way->name);
  if (!is_whole_at_owner(&p->scene))
    FAIL("%s, by %s: the owner has lost it", p->owner->name, p->way->name);
}

static void check_code(passage *p, int actual, int expected) {
  if (actual != expected)
    FAIL("%s, by %s: %s, not %s", p->owner->name, p->way->name, fibril_err_name(actual),
         fibril_err_name(expected));
  if (!is_whole_at_owner(&p->scene))
    FAIL("%s, by %s: the owner has lost it", p->owner->name, p->way->name);
}

/* ---- From a coroutine ---- */

static fibril_value by_return(passage *p) {
  return make(p);
}

static fibril_value by_take_and_return(passage *p) {
  return fibril_value_take(make(p));
}

static fibril_value by_dup(passage *p) {
  fibril_value value = make(p), copy = fibril_value_dup(value);
  check(p, copy);
  fibril_value_free(copy);
  return value;
}

static fibril_value by_free(passage *p) {
  fibril_value_free(fibril_value_take(make(p)));
  check_code(p, 0, 0);
  return fibril_number(7);
}

/* ---- Into containers ---- */

static fibril_value by_push(passage *p) {
  fibril_value array = fibril_array(0);
  check_code(p, fibril_array_push(array, make(p)), 0);
  check(p, fibril_array_get(array, 0));
  return fibril_array_get(array, 0);
}

static fibril_value by_set(passage *p) {
  fibril_value object = fibril_object();
  check_code(p, fibril_object_set(object, "key", fibril_null()), 0);
  check_code(p, fibril_object_set(object, "key", make(p)), 0);
  check(p, fibril_object_get(object, "key"));
  check(p, fibril_object_value(object, 0));
  if (strcmp(fibril_object_key(object, 0, NULL), "key") != 0) FAIL("another key");
  return fibril_object_get(object, "key");
}

static fibril_value by_map(passage *p) {
  fibril_value map = fibril_map();
  check_code(p, fibril_map_set(map, fibril_number(1), make(p)), 0);
  check(p, fibril_map_get(map, fibril_number(1)));
  check(p, fibril_map_value(map, 0));
  return fibril_map_get(map, fibril_number(1));
}

static fibril_value by_key(passage *p) {
  fibril_value map = fibril_map(), key = make(p);
  check_code(p, fibril_map_set(map, key, fibril_null()), 0);
  check(p, fibril_map_key(map, 0));
  if (!fibril_map_has(map, fibril_map_key(map, 0))) FAIL("no such key");
  return fibril_map_key(map, 0);
}

static fibril_value by_map_that_has_it(passage *p) {
  fibril_value map = fibril_map();
  check_code(p, fibril_map_set(map, fibril_number(1), make(p)), 0);
  check_code(p, fibril_map_set(map, fibril_number(1), fibril_null()), 0);
  return fibril_number(7);
}

static fibril_value by_set_of_items(passage *p) {
  fibril_value set = fibril_set();
  check_code(p, fibril_set_add(set, make(p)), 0);
  check_code(p, fibril_set_add(set, fibril_set_get(set, 0)), 0);
  check_code(p, (int)fibril_set_size(set), 1);
  if (!fibril_set_has(set, fibril_set_get(set, 0))) FAIL("no such item");
  check(p, fibril_set_get(set, 0));
  return fibril_set_get(set, 0);
}

static fibril_value by_map_of_what_is_none(passage *p) {
  check_code(p, fibril_map_set(fibril_null(), make(p), fibril_null()), FIBRIL_ETYPE);
  return fibril_number(7);
}

static fibril_value by_add_to_what_is_no_set(passage *p) {
  check_code(p, fibril_set_add(fibril_null(), make(p)), FIBRIL_ETYPE);
  return fibril_number(7);
}

static fibril_value by_error_set(passage *p) {
  fibril_value error = fibril_error(UV_EACCES, "with a payload");
  check_code(p, fibril_error_set(error, "payload", make(p)), 0);
  check(p, fibril_error_get(error, "payload"));
  return fibril_error_get(error, "payload");
}

static fibril_value by_push_to_what_is_no_array(passage *p) {
  check_code(p, fibril_array_push(fibril_null(), make(p)), FIBRIL_ETYPE);
  return fibril_number(7);
}

static fibril_value by_set_of_what_is_no_object(passage *p) {
  check_code(p, fibril_object_set(fibril_null(), "key", make(p)), FIBRIL_ETYPE);
  return fibril_number(7);
}

static fibril_value by_error_set_of_what_is_no_error(passage *p) {
  check_code(p, fibril_error_set(fibril_null(), "key", make(p)), FIBRIL_ETYPE);
  return fibril_number(7);
}

/* ---- Into futures ---- */

static void hear(fibril_future *future, void *arg) {
  check(arg, fibril_future_result(future));
}

static fibril_value by_result(passage *p) {
  fibril_future *future = fibril_future_new(p->scene.loop);
  fibril_future *copy = fibril_future_new(p->scene.loop);
  fibril_future_add_done_callback(future, hear, p, NULL);
  fibril_future_chain(future, copy);
  check_code(p, fibril_future_set_result(future, make(p)), 0);
  fibril_future_unref(future);
  check(p, fibril_await(copy));
  fibril_value value = fibril_value_dup(fibril_future_result(copy));
  fibril_future_unref(copy);
  return value;
}

static fibril_value by_second_result(passage *p) {
  fibril_future *future = fibril_future_new(p->scene.loop);
  fibril_future_set_result(future, fibril_null());
  check_code(p, fibril_future_set_result(future, make(p)), FIBRIL_EALREADY);
  fibril_future_unref(future);
  return fibril_number(7);
}

/* What a log hook hears is borrowed: it may keep it all the same. */
static void keep_logged(const char *message, fibril_value error, void *arg) {
  (void)message;
  *(fibril_value *)arg = fibril_value_take(error);
}

static fibril_value by_log(passage *p) {
  fibril_value heard = fibril_undefined();
  fibril_value error = fibril_error(UV_EACCES, "with a payload");
  fibril_future *future = fibril_future_new(p->scene.loop);
  fibril_error_set(error, "payload", make(p));
  fibril_loop_set_log(p->scene.loop, keep_logged, &heard);
  fibril_future_set_result(future, error);
  fibril_future_unref(future);
  fibril_loop_set_log(p->scene.loop, NULL, NULL);
  check(p, fibril_error_get(heard, "payload"));
  fibril_value_free(heard);
  return fibril_number(7);
}

static fibril_value run_inner(void *arg) {
  passage *p = arg;
  fibril_moment();
  return make(p);
}

static void unref(void *future) {
  fibril_future_unref(future);
}

static fibril_value by_await(passage *p) {
  fibril_future *child = fibril_spawn(run_inner, p, NULL);
  fibril_defer(unref, child);
  check(p, fibril_await(child));
  return fibril_await(child);
}

static fibril_value by_await_timeout(passage *p) {
  fibril_future *child = fibril_spawn(run_inner, p, NULL);
  fibril_defer(unref, child);
  check(p, fibril_await_timeout(child, 1e9));
  return fibril_await_timeout(child, 0);
}

/* As a part of an error. */
static fibril_value fail_with_it(void *arg) {
  fibril_value error = fibril_error(UV_EACCES, "with a payload");
  fibril_error_set(error, "payload", run_inner(arg));
  return error;
}

static fibril_value by_await_all(passage *p) {
  fibril_future *child = fibril_spawn(fail_with_it, p, NULL);
  fibril_defer(unref, child);
  check(p, fibril_error_get(fibril_await_all(&child, 1), "payload"));
  return fibril_error_get(fibril_await_all(&child, 1), "payload");
}

static fibril_value by_group(passage *p) {
  fibril_group *group = fibril_group_new();
  fibril_group_spawn(group, fail_with_it, p, NULL);
  fibril_value error = fibril_group_wait(group);
  check(p, fibril_error_get(error, "payload"));
  return fibril_error_get(error, "payload");
}

/* ---- Through channels ---- */

static fibril_value by_channel(passage *p, bool wait) {
  fibril_value value;
  fibril_channel *channel = fibril_channel_new(1);
  int err =
      wait ? fibril_channel_send(channel, make(p), -1) : fibril_channel_trysend(channel, make(p));
  check_code(p, err, 0);
  err = wait ? fibril_channel_receive(channel, &value, -1)
             : fibril_channel_tryreceive(channel, &value);
  check_code(p, err, 0);
  check(p, value);
  fibril_channel_free(channel);
  return value;
}

static fibril_value by_send(passage *p) {
  return by_channel(p, true);
}

static fibril_value by_trysend(passage *p) {
  return by_channel(p, false);
}

static fibril_value by_channel_that_is_freed(passage *p) {
  fibril_channel *channel = fibril_channel_new(1);
  check_code(p, fibril_channel_send(channel, make(p), -1), 0);
  check_code(p, fibril_channel_trysend(channel, fibril_null()), UV_EAGAIN);
  fibril_channel_free(channel);
  check_code(p, 0, 0);
  return fibril_number(7);
}

static fibril_value by_send_that_fails(passage *p) {
  fibril_channel *channel = fibril_channel_new(0);
  check_code(p, fibril_channel_send(channel, make(p), 0), UV_ETIMEDOUT);
  fibril_channel_free(channel);
  return fibril_number(7);
}

static fibril_value by_trysend_that_fails(passage *p) {
  fibril_channel *channel = fibril_channel_new(1);
  fibril_channel_close(channel);
  check_code(p, fibril_channel_trysend(channel, make(p)), UV_EPIPE);
  fibril_channel_free(channel);
  return fibril_number(7);
}

/* ---- Through generators ---- */

static void drop_generator(void *generator) {
  fibril_generator_unref(generator);
}

static fibril_value next(passage *p, fibril_generator_fn fn) {
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(p->scene.loop, fn, p, NULL);
  fibril_defer(drop_generator, generator);
  fibril_generator_next(generator, &value);
  check(p, value);
  return value;
}

static fibril_value yield_it(fibril_generator *generator, void *arg) {
  fibril_yield(generator, make(arg));
  return fibril_undefined();
}

static fibril_value return_it(fibril_generator *generator, void *arg) {
  (void)generator;
  return make(arg);
}

static fibril_value by_yield(passage *p) {
  return next(p, yield_it);
}

static fibril_value by_generators_return(passage *p) {
  return next(p, return_it);
}

static fibril_value yield_what_is_sent(fibril_generator *generator, void *arg) {
  fibril_value sent = fibril_yield(generator, fibril_undefined());
  check(arg, sent);
  fibril_yield(generator, sent);
  return fibril_undefined();
}

static fibril_value by_generator_send(passage *p) {
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(p->scene.loop, yield_what_is_sent, p, NULL);
  fibril_defer(drop_generator, generator);
  fibril_generator_next(generator, NULL);
  check_code(p, fibril_generator_send(generator, make(p), &value), FIBRIL_YIELDED);
  check(p, value);
  return value;
}

static fibril_value by_send_to_a_fresh_generator(passage *p) {
  fibril_generator *generator = fibril_generator_new(p->scene.loop, yield_it, p, NULL);
  check_code(p, fibril_generator_send(generator, make(p), NULL), FIBRIL_ENOTSTARTED);
  fibril_generator_unref(generator);
  return fibril_number(7);
}

static fibril_value by_yield_from_elsewhere(passage *p) {
  fibril_generator *generator = fibril_generator_new(p->scene.loop, yield_it, p, NULL);
  fibril_value sent = fibril_yield(generator, make(p));
  check_code(p, fibril_error_code(sent), FIBRIL_ENOTCOROUTINE);
  fibril_generator_unref(generator);
  return fibril_number(7);
}

static const way WAYS[] = {
    {"return", by_return},
    {"fibril_value_take and return", by_take_and_return},
    {"fibril_value_dup", by_dup},
    {"fibril_value_free", by_free},
    {"fibril_array_push", by_push},
    {"fibril_object_set", by_set},
    {"fibril_map_set", by_map},
    {"a key of fibril_map_set", by_key},
    {"fibril_map_set of a key again", by_map_that_has_it},
    {"fibril_set_add", by_set_of_items},
    {"fibril_map_set of what is no map", by_map_of_what_is_none},
    {"fibril_set_add to what is no set", by_add_to_what_is_no_set},
    {"fibril_error_set", by_error_set},
    {"fibril_array_push to what is no array", by_push_to_what_is_no_array},
    {"fibril_object_set of what is no object", by_set_of_what_is_no_object},
    {"fibril_error_set of what is no error", by_error_set_of_what_is_no_error},
    {"fibril_future_set_result", by_result},
    {"a second fibril_future_set_result", by_second_result},
    {"the log hook", by_log},
    {"fibril_await", by_await},
    {"fibril_await_timeout", by_await_timeout},
    {"fibril_await_all", by_await_all},
    {"fibril_group_wait", by_group},
    {"fibril_channel_send", by_send},
    {"fibril_channel_trysend", by_trysend},
    {"fibril_channel_free", by_channel_that_is_freed},
    {"fibril_channel_send that fails", by_send_that_fails},
    {"fibril_channel_trysend that fails", by_trysend_that_fails},
    {"fibril_yield", by_yield},
    {"a generator's return", by_generators_return},
    {"fibril_generator_send", by_generator_send},
    {"fibril_generator_send to a fresh one", by_send_to_a_fresh_generator},
    {"fibril_yield from elsewhere", by_yield_from_elsewhere},
};

static fibril_value pass(void *arg) {
  passage *p = arg;
  fibril_defer(drop_owners, &p->scene);
  return p->way->run(p);
}

LOOP_TEST(value_of_every_owner_leaves_in_every_way) {
  for (size_t i = 0; i < value_owner_count; i++) {
    for (const way *each = WAYS; each < WAYS + sizeof WAYS / sizeof WAYS[0]; each++) {
      passage p = {.scene = {.loop = loop}, .owner = &value_owners[i], .way = each};
      fibril_value out;
      CHECK_INT(fibril_loop_run_sync(loop, pass, &p, 0, &out), 0);
      if (!is_whole(out)) FAIL("%s, by %s: the result is not whole", p.owner->name, each->name);
      fibril_value_free(out);
      while (fibril_loop_coroutines(loop) > 0) uv_run(fibril_loop_uv(loop), UV_RUN_NOWAIT);
      if (live_payloads != 0)
        FAIL("%s, by %s: %d are left", p.owner->name, each->name, live_payloads);
      live_payloads = 0;
    }
  }
}

/* ---- Made outside of coroutines, and inside ---- */

static void release_nothing(void *data) {
  (void)data;
}

static void make_all(fibril_value *values) {
  static char bytes[] = "bytes";
  const fibril_value made[] = {
      fibril_undefined(),
      fibril_null(),
      fibril_boolean(true),
      fibril_number(1.5),
      fibril_bigint(-1),
      fibril_pointer(bytes),
      fibril_string(bytes, FIBRIL_AUTO_LENGTH),
      fibril_buffer(bytes, sizeof bytes),
      fibril_buffer_take(bytes, sizeof bytes, release_nothing),
      fibril_typed_array(FIBRIL_VIEW_INT16_ARRAY, bytes, sizeof bytes / 2),
      fibril_array(1),
      fibril_object(),
      fibril_map(),
      fibril_set(),
      fibril_date(-1.5),
      fibril_error(UV_EIO, "%s", bytes),
      fibril_error_uv(UV_EIO, "read", bytes),
      fibril_error_type("TypeError", "ERR_CODE", "%s", bytes),
  };
  memcpy(values, made, sizeof made);
}

#define MADE 18

/* What reads a value says the same of all its owners. */
static bool same(fibril_value a, fibril_value b) {
  bool is_nan = fibril_value_number(a) != fibril_value_number(a);
  size_t lengths[2] = {0, 0};
  const char *text = fibril_value_string(a, &lengths[0]);
  return fibril_value_kind(a) == fibril_value_kind(b) && fibril_is_error(a) == fibril_is_error(b) &&
         fibril_value_boolean(a) == fibril_value_boolean(b) &&
         (is_nan || fibril_value_number(a) == fibril_value_number(b)) &&
         fibril_value_integer(a) == fibril_value_integer(b) &&
         fibril_value_pointer(a) == fibril_value_pointer(b) &&
         text == fibril_value_string(b, &lengths[1]) && lengths[0] == lengths[1] &&
         fibril_value_buffer(a, NULL) == fibril_value_buffer(b, NULL) &&
         fibril_value_view(a) == fibril_value_view(b) &&
         fibril_value_is_shared(a) == fibril_value_is_shared(b) &&
         fibril_buffer_set_view(a, FIBRIL_VIEW_INT16_ARRAY) ==
             fibril_buffer_set_view(b, FIBRIL_VIEW_INT16_ARRAY) &&
         fibril_array_length(a) == fibril_array_length(b) &&
         fibril_object_length(a) == fibril_object_length(b) &&
         fibril_map_size(a) == fibril_map_size(b) && fibril_set_size(a) == fibril_set_size(b) &&
         fibril_error_code(a) == fibril_error_code(b) &&
         fibril_error_message(a) == fibril_error_message(b);
}

static void check_owners(bool outside) {
  fibril_value values[MADE];
  make_all(values);
  for (int i = 0; i < MADE; i++) {
    fibril_value copy = fibril_value_dup(values[i]), taken = fibril_value_take(values[i]);
    if (!same(values[i], copy) || !same(values[i], taken)) FAIL("constructor %d", i);
    fibril_value_free(taken); /* outside it is the one that was made */
    if (!same(copy, copy) || (outside && !same(values[i], copy))) FAIL("constructor %d, freed", i);
    fibril_value_free(copy);
  }
}

static fibril_value make_inside(void *arg) {
  (void)arg;
  check_owners(false);
  return fibril_undefined();
}

LOOP_TEST(value_of_every_kind_is_its_makers) {
  check_owners(true);
  CHECK_INT(fibril_loop_run_sync(loop, make_inside, NULL, 0, NULL), 0);
}

/* ---- What streams and processes give ---- */

static fibril_value all_of_a_stream(void *arg) {
  fibril_stream *ends[2];
  fibril_reader reader;
  fibril_value all = fibril_undefined();
  (void)arg;
  CHECK_INT(fibril_memory_pair(0, ends), 0);
  CHECK_INT(fibril_stream_write(ends[0], "bytes", 5), 0);
  CHECK_INT(fibril_stream_shutdown(ends[0]), 0);
  CHECK_INT(fibril_reader_init(&reader, ends[1], 0), 0);
  CHECK_INT(fibril_reader_all(&reader, &all), 0);
  return all;
}

static fibril_value rest_of_a_stream(void *arg) {
  fibril_stream *ends[2];
  fibril_value rest = fibril_undefined();
  fibril_socket fd;
  char first;
  (void)arg;
  CHECK_INT(fibril_pipe_pair(ends), 0);
  CHECK_INT(fibril_stream_write(ends[0], "+", 1), 0);
  CHECK_INT(fibril_stream_read(ends[1], &first, 1), 1);
  CHECK_INT(fibril_stream_write(ends[0], "bytes", 5), 0);
  for (int i = 0; i < 3; i++) fibril_moment();
  CHECK_INT(fibril_stream_release(ends[1], &fd, &rest), 0);
  close(fd);
  return rest;
}

/* Of the object that is given, and dropped. */
static fibril_value output_of_a_process(void *arg) {
  fibril_process_options options = {
      .size = sizeof options, .file = "cat", .input = "bytes", .input_length = 5};
  fibril_value result = fibril_undefined();
  (void)arg;
  CHECK_INT(fibril_process_run(&options, &result), 0);
  return fibril_object_get(result, "stdout");
}

static bool is_bytes(fibril_value value) {
  size_t length = 0;
  const char *bytes = fibril_value_buffer(value, &length);
  return CHECK_INT(length, 5) && CHECK(memcmp(bytes, "bytes", 5) == 0);
}

/* Returned, sent, kept in a future and in a container, and handed on from there. */
static fibril_value take_bytes(void *arg) {
  fibril_fn make = *(fibril_fn *)arg;
  fibril_channel *channel = fibril_channel_new(1);
  fibril_future *returned = fibril_spawn(make, NULL, NULL);
  fibril_future *settled = fibril_future_new(fibril_loop_current());
  fibril_value sent = fibril_undefined(), array = fibril_array(1);
  is_bytes(fibril_await(returned));
  CHECK_INT(fibril_channel_trysend(channel, make(NULL)), 0);
  CHECK_INT(fibril_channel_tryreceive(channel, &sent), 0);
  is_bytes(sent);
  CHECK_INT(fibril_future_set_result(settled, sent), 0);
  is_bytes(fibril_future_result(settled));
  CHECK_INT(fibril_array_push(array, make(NULL)), 0);
  is_bytes(fibril_array_get(array, 0));
  fibril_channel_free(channel);
  fibril_future_unref(returned);
  fibril_future_unref(settled);
  return make(NULL);
}

LOOP_TEST(bytes_of_streams_and_processes_leave_in_every_way) {
  fibril_fn makers[] = {all_of_a_stream, rest_of_a_stream, output_of_a_process};
  for (int i = 0; i < 3; i++) {
    fibril_value value;
    CHECK_INT(fibril_loop_run_sync(loop, take_bytes, &makers[i], 0, &value), 0);
    is_bytes(value);
    fibril_value_free(value);
  }
}
