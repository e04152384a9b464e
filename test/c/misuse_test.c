/* What the header says of calls that are wrong: each ends in its documented error, and changes
 * nothing. In the order of the header; what ends the process, and what belongs to one subject only,
 * is tested with that. */
#include "test.h"

#include "../../src/core/loop/loop.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static fibril_value nothing(void *arg) {
  (void)arg;
  return fibril_undefined();
}

static void ignore(void *arg) {
  (void)arg;
}

static void ignore_entry(const char *name, uv_dirent_type_t type, void *arg) {
  (void)name;
  (void)type;
  (void)arg;
}

/* ---- Outside of coroutines ---- */

LOOP_TEST(waits_outside_of_coroutines_are_refused) {
  static const int key;
  fibril_future *future = fibril_future_new(loop);
  fibril_value value;
  uv_stat_t stat;
  char byte;
  size_t size = 1;
  fibril_mutex mutex = {0};
  fibril_cond cond = {{NULL, NULL}};
  fibril_event event = {.set = true};
  fibril_sem sem = {.value = 1};
  fibril_wait_group group = {0};
  fibril_channel *channel = fibril_channel_new(1);
  CHECK_INT(FAILED_FUTURE(fibril_spawn(nothing, NULL, NULL)), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_error_code(fibril_await(future)), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_error_code(fibril_await_timeout(future, 1)), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_error_code(fibril_await_all(&future, 1)), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_await_any(&future, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_moment(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_sleep(1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_pass(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_suspend(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_defer(ignore, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_local_set(&key, NULL, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK(fibril_local_get(&key) == NULL);
  CHECK(fibril_coroutine_self() == NULL);
  CHECK_STR(fibril_name(), "");
  CHECK(!fibril_cancelled());
  CHECK_INT(fibril_mask(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_unmask(), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_deadline_push(1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_deadline_pop(), FIBRIL_ENOTCOROUTINE);
  CHECK(fibril_group_new() == NULL);
  CHECK_INT(fibril_mutex_lock(&mutex), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_mutex_trylock(&mutex), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_mutex_unlock(&mutex), UV_EPERM);
  CHECK_INT(fibril_cond_wait(&cond, NULL, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_event_wait(&event, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_sem_wait(&sem, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(sem.value, 1);
  CHECK_INT(fibril_wait_group_wait(&group, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_channel_send(channel, fibril_number(1), 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_channel_length(channel), 0);
  CHECK_INT(fibril_channel_receive(channel, &value, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_work(ignore, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_work_with(ignore, NULL, NULL), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_poll_fd(0, UV_READABLE, 1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_open("/", 0, 0), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_read(0, &byte, 1, -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_write(1, &byte, 1, -1), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_stat("/", &stat), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_lstat("/", &stat), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_fstat(0, &stat), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_realpath("/", &byte, &size), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_fs_readdir("/", ignore_entry, NULL), FIBRIL_ENOTCOROUTINE);
  fibril_channel_free(channel);
  fibril_future_unref(future);
}

/* ---- Values of another kind ---- */

TEST(values_of_another_kind_are_refused) {
  fibril_value text = fibril_string("text", 4), array = fibril_array(0), object = fibril_object();
  CHECK_INT(fibril_array_push(text, fibril_string("lost", 4)), FIBRIL_ETYPE);
  CHECK_INT(fibril_array_push(object, fibril_undefined()), FIBRIL_ETYPE);
  CHECK_INT(fibril_object_set(array, "key", fibril_string("lost", 4)), FIBRIL_ETYPE);
  CHECK_INT(fibril_object_set(fibril_null(), "key", fibril_undefined()), FIBRIL_ETYPE);
  CHECK(!fibril_value_boolean(text));
  CHECK(isnan(fibril_value_number(text)));
  CHECK_INT(fibril_value_integer(text), 0);
  CHECK(fibril_value_pointer(text) == NULL);
  CHECK(fibril_value_string(array, NULL) == NULL);
  CHECK(fibril_value_buffer(array, NULL) == NULL);
  CHECK_INT(fibril_array_length(text), 0);
  CHECK_INT(fibril_value_kind(fibril_array_get(array, 0)), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_value_kind(fibril_object_get(array, "key")), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_error_code(text), 0);
  CHECK_STR(fibril_error_message(text), "");
  fibril_value_free(text);
  fibril_value_free(array);
  fibril_value_free(object);
}

/* ---- Coroutines, groups, awaits ---- */

static int code_of_spawn(const fibril_spawn_options *options) {
  return FAILED_FUTURE(fibril_spawn(nothing, NULL, options));
}

static void check_options(fibril_loop *loop, const fibril_spawn_options *bad) {
  fibril_coroutine *coroutine;
  fibril_group *group = fibril_group_new();
  CHECK_INT(code_of_spawn(bad), UV_EINVAL);
  CHECK_INT(fibril_group_spawn(group, nothing, NULL, bad), UV_EINVAL);
  CHECK_INT(fibril_coroutine_create(loop, nothing, NULL, bad, &coroutine), UV_EINVAL);
  CHECK(fibril_generator_new(loop, NULL, NULL, bad) == NULL);
}

static void spawn_outside(void *group) {
  CHECK_INT(fibril_group_spawn(group, nothing, NULL, NULL), FIBRIL_ENOTCOROUTINE);
}

static fibril_value bad_spawns(void *arg) {
  fibril_spawn_options size = {.size = 1}, small = {sizeof small, NULL, 1},
                       large = {sizeof large, NULL, (size_t)1 << 30};
  check_options(arg, &size);
  check_options(arg, &small);
  check_options(arg, &large);
  fibril_on_loop(spawn_outside, fibril_group_new());
  return fibril_undefined();
}

LOOP_TEST(options_are_checked) {
  CHECK_INT(fibril_loop_run_sync(loop, bad_spawns, loop, 0, NULL), 0);
}

static fibril_value bad_awaits(void *arg) {
  fibril_future *none = NULL, *future = fibril_future_new(arg);
  fibril_future *mixed[] = {future, NULL};
  CHECK_INT(fibril_error_code(fibril_await(NULL)), FIBRIL_EBADYIELD);
  CHECK_INT(fibril_error_code(fibril_await_timeout(NULL, 1)), FIBRIL_EBADYIELD);
  CHECK_INT(fibril_error_code(fibril_await_all(&none, 1)), FIBRIL_EBADYIELD);
  CHECK_INT(fibril_await_any(mixed, 2), FIBRIL_EBADYIELD);
  CHECK_INT(fibril_await_any(NULL, 0), UV_EINVAL);
  CHECK_INT(fibril_value_kind(fibril_await_all(NULL, 0)), FIBRIL_UNDEFINED);
  CHECK_INT(fibril_error_code(fibril_await_timeout(future, NAN)), UV_EINVAL);
  CHECK_INT(fibril_error_code(fibril_await_timeout(future, -1)), UV_EINVAL);
  CHECK_INT(fibril_sleep(-1), UV_EINVAL);
  CHECK_INT(fibril_sleep(NAN), UV_EINVAL);
  CHECK_INT(fibril_sleep(INFINITY), UV_EINVAL);
  CHECK_INT(fibril_coroutine_resume(fibril_coroutine_self()), FIBRIL_ERUNNING);
  CHECK_INT(fibril_coroutine_ready(fibril_coroutine_self()), FIBRIL_ERUNNING);
  fibril_future_unref(future);
  return fibril_undefined();
}

LOOP_TEST(bad_awaits_are_refused) {
  CHECK_INT(fibril_loop_run_sync(loop, bad_awaits, loop, 0, NULL), 0);
}

static fibril_value bad_timeouts(void *arg) {
  fibril_cond cond = {{NULL, NULL}};
  fibril_event event = {0};
  fibril_sem sem = {0};
  fibril_wait_group group = {.count = 1};
  fibril_channel *channel = fibril_channel_new(0);
  fibril_value value;
  char byte;
  size_t size = 1;
  (void)arg;
  CHECK_INT(fibril_cond_wait(&cond, NULL, NAN), UV_EINVAL);
  CHECK_INT(fibril_event_wait(&event, NAN), UV_EINVAL);
  CHECK_INT(fibril_sem_wait(&sem, NAN), UV_EINVAL);
  CHECK_INT(fibril_wait_group_wait(&group, NAN), UV_EINVAL);
  CHECK_INT(fibril_channel_send(channel, fibril_string("lost", 4), NAN), UV_EINVAL);
  CHECK_INT(fibril_channel_receive(channel, &value, NAN), UV_EINVAL);
  CHECK_INT(fibril_poll_fd(0, UV_READABLE, NAN), UV_EINVAL);
  CHECK_INT(fibril_poll_fd(0, 0, 1), UV_EINVAL);
  CHECK_INT(fibril_poll_fd(0, 1 << 20, 1), UV_EINVAL);
  CHECK_INT(fibril_poll_fd(-1, UV_READABLE, 1), UV_EBADF);
  CHECK_INT(fibril_deadline_push(NAN), UV_EINVAL);
  CHECK_INT(fibril_deadline_pop(), UV_EINVAL);
  CHECK_INT(fibril_unmask(), UV_EINVAL);
  CHECK_INT(fibril_fs_open(NULL, 0, 0), UV_EINVAL);
  CHECK_INT(fibril_fs_stat(NULL, NULL), UV_EINVAL);
  CHECK_INT(fibril_fs_lstat(NULL, NULL), UV_EINVAL);
  CHECK_INT(fibril_fs_realpath(NULL, &byte, &size), UV_EINVAL);
  CHECK_INT(fibril_fs_realpath("/", NULL, &size), UV_EINVAL);
  CHECK_INT(fibril_fs_realpath("/", &byte, NULL), UV_EINVAL);
  CHECK_INT(fibril_fs_readdir(NULL, ignore_entry, NULL), UV_EINVAL);
  CHECK_INT(fibril_fs_close(-1), UV_EBADF);
  fibril_channel_free(channel);
  return fibril_undefined();
}

LOOP_TEST(bad_arguments_of_waits_are_refused) {
  CHECK_INT(fibril_loop_run_sync(loop, bad_timeouts, NULL, 0, NULL), 0);
}

/* ---- Between coroutines ---- */

static fibril_value misuse_channels(void *arg) {
  fibril_channel *channel = fibril_channel_new(1);
  fibril_value value = fibril_number(1);
  (void)arg;
  CHECK_INT(fibril_channel_tryreceive(channel, &value), UV_EAGAIN);
  CHECK_INT(fibril_value_kind(value), FIBRIL_UNDEFINED);
  fibril_channel_close(channel);
  CHECK_INT(fibril_channel_send(channel, fibril_string("lost", 4), -1), UV_EPIPE);
  CHECK_INT(fibril_channel_trysend(channel, fibril_string("lost", 4)), UV_EPIPE);
  CHECK_INT(fibril_channel_receive(channel, &value, -1), UV_EOF);
  CHECK_INT(fibril_channel_tryreceive(channel, &value), UV_EOF);
  fibril_channel_free(channel);
  return fibril_undefined();
}

LOOP_TEST(empty_and_closed_channels_say_so) {
  CHECK_INT(fibril_loop_run_sync(loop, misuse_channels, NULL, 0, NULL), 0);
}

static fibril_value wait_there(void *arg) {
  (void)arg;
  return fibril_number(fibril_suspend());
}

static fibril_value resume_another(void *arg) {
  fibril_coroutine *other;
  CHECK_INT(fibril_coroutine_create(arg, wait_there, NULL, NULL, &other), 0);
  CHECK_INT(fibril_coroutine_resume(other), FIBRIL_ERUNNING); /* not on the loop's stack */
  CHECK_INT(fibril_coroutine_ready(other), 0);
  CHECK_INT(fibril_coroutine_ready(other), FIBRIL_ERUNNING);
  CHECK_INT(fibril_moment(), 0);
  CHECK_INT(fibril_coroutine_ready(other), 0);
  return fibril_undefined();
}

LOOP_TEST(coroutines_are_not_resumed_where_they_do_not_wait) {
  CHECK_INT(fibril_loop_run_sync(loop, resume_another, loop, 0, NULL), 0);
}

/* ---- Generators ---- */

static fibril_value use_itself(fibril_generator *generator, void *arg) {
  fibril_value value;
  (void)arg;
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_ERUNNING);
  CHECK_INT(fibril_generator_send(generator, fibril_number(1), &value), FIBRIL_ERUNNING);
  CHECK_INT(fibril_generator_close(generator), FIBRIL_ERUNNING);
  return fibril_undefined();
}

LOOP_TEST(misused_generators_say_so) {
  fibril_value value;
  fibril_generator *generator = fibril_generator_new(loop, use_itself, NULL, NULL);
  CHECK_INT(fibril_generator_send(generator, fibril_string("lost", 4), &value), FIBRIL_ENOTSTARTED);
  CHECK_INT(fibril_error_code(fibril_yield(generator, fibril_number(1))), FIBRIL_ENOTCOROUTINE);
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_DONE);
  CHECK_INT(fibril_generator_next(generator, &value), FIBRIL_DONE);
  CHECK_INT(fibril_generator_close(generator), 0);
  fibril_generator_unref(generator);
}

static fibril_value unref_itself(fibril_generator *generator, void *arg) {
  (void)arg;
  fibril_generator_unref(generator);
  return fibril_undefined();
}

CRASH_TEST(generator_freed_while_it_runs, "SIGABRT",
           "fibril_generator_unref was called on generator \"\" while it is running") {
  fibril_generator_next(fibril_generator_new(loop, unref_itself, NULL, NULL), NULL);
}

static fibril_value yield_on(fibril_generator *generator, void *arg) {
  (void)arg;
  for (int i = 0; i < 20000; i++) fibril_yield(generator, fibril_undefined());
  return fibril_undefined();
}

CRASH_TEST(generator_that_yields_on, "SIGABRT", "goes on yielding although it is closed") {
  fibril_generator *generator = fibril_generator_new(loop, yield_on, NULL, NULL);
  fibril_generator_next(generator, NULL);
  fibril_generator_close(generator);
}

/* ---- Futures ---- */

static void ignore_future(fibril_future *future, void *arg) {
  (void)future;
  (void)arg;
}

LOOP_TEST(settled_futures_stay_settled) {
  fibril_future *future = fibril_future_new(loop);
  CHECK_INT(fibril_error_code(fibril_future_result(future)), FIBRIL_EPENDING);
  CHECK_INT(fibril_future_set_result(future, fibril_number(1)), 0);
  CHECK_INT(fibril_future_set_result(future, fibril_string("lost", 4)), FIBRIL_EALREADY);
  CHECK_INT(fibril_future_set_error(future, UV_EIO), FIBRIL_EALREADY);
  CHECK_INT(fibril_cancel(future), FIBRIL_EALREADY);
  CHECK_INT(fibril_future_hold(future), FIBRIL_EALREADY);
  CHECK_INT(fibril_value_number(fibril_future_result(future)), 1);
  CHECK_INT(fibril_future_remove_done_callback(future, 0), UV_ENOENT);
  CHECK_INT(fibril_future_remove_done_callback(future, 12345), UV_ENOENT);
  fibril_future_unref(future);
}

/* ---- Loops ---- */

static fibril_value nest_loops(void *arg) {
  CHECK_INT(fibril_loop_run(arg), FIBRIL_ERUNNING);
  CHECK_INT(fibril_loop_run_sync(arg, nothing, NULL, 0, NULL), FIBRIL_ERUNNING);
  return fibril_undefined();
}

LOOP_TEST(misused_loops_say_so) {
  int ends[2];
  CHECK_INT(fibril_loop_run_sync(loop, nest_loops, loop, 0, NULL), 0);
  CHECK_INT(fibril_loop_call_later(loop, NAN, ignore, NULL, NULL), UV_EINVAL);
  CHECK_INT(fibril_loop_call_at(loop, NAN, ignore, NULL, NULL), UV_EINVAL);
  fibril_loop_remove_timeout(loop, 0);
  fibril_loop_remove_timeout(loop, 12345);
  CHECK_INT(pipe(ends), 0);
  CHECK_INT(fibril_loop_add_handler(loop, ends[0], UV_READABLE, (fibril_handler)NULL, NULL), 0);
  CHECK_INT(fibril_loop_add_handler(loop, ends[0], UV_READABLE, (fibril_handler)NULL, NULL),
            UV_EEXIST);
  CHECK_INT(fibril_loop_remove_handler(loop, ends[0]), 0);
  CHECK_INT(fibril_loop_remove_handler(loop, ends[1]), 0);
  CHECK_INT(fibril_loop_update_handler(loop, ends[1], UV_READABLE), UV_ENOENT);
  close(ends[0]);
  close(ends[1]);
}

LOOP_TEST(a_loop_of_the_layer_above_is_closed_by_it) {
  fibril__loop_set_upper(loop, &(fibril__upper){.flush = ignore});
  CHECK_INT(fibril_loop_close(loop, NULL, NULL), UV_EPERM);
  fibril__loop_set_upper(loop, &(fibril__upper){.arg = NULL});
}

TEST(loops_that_close_take_nothing_new) {
  uv_loop_t uv;
  fibril_loop *own;
  fibril_coroutine *coroutine;
  CHECK_INT(uv_loop_init(&uv), 0);
  CHECK_INT(fibril_loop_new(&uv, &own), 0);
  fibril_future *future = fibril_future_new(own);
  fibril_poster *poster = fibril_loop_poster(own);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), 0);
  CHECK_INT(fibril_loop_close(own, NULL, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_loop_add_callback(own, ignore, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_loop_add_future(own, future, ignore_future, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_loop_call_later(own, 1, ignore, NULL, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_loop_call_at(own, 1, ignore, NULL, NULL), FIBRIL_ECLOSED);
  CHECK_INT(fibril_coroutine_create(own, nothing, NULL, NULL, &coroutine), FIBRIL_ECLOSED);
  CHECK(fibril_generator_new(own, NULL, NULL, NULL) == NULL);
  CHECK(fibril_loop_poster(own) == NULL);
  CHECK_INT(FAILED_FUTURE(fibril_loop_spawn(own, nothing, NULL, NULL)), FIBRIL_ECLOSED);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_INT(fibril_post(poster, ignore, NULL), UV_ECANCELED);
  fibril_poster_unref(poster);
  fibril_future_unref(future);
  CHECK_INT(uv_loop_close(&uv), 0);
}
