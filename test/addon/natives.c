/* Native async functions for the tests of the bridge, exported as any addon would. */
#include <fibril.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fibril_value echo(fibril_args *args) {
  return fibril_arg(args, 0);
}

/* Decoded to C and made anew, unlike what `any` passes through. */
static fibril_value text(fibril_args *args) {
  size_t length;
  const char *utf8 = fibril_value_string(fibril_arg(args, 0), &length);
  return fibril_string(utf8, length);
}

static fibril_value bytes(fibril_args *args) {
  size_t length;
  const void *data = fibril_value_buffer(fibril_arg(args, 0), &length);
  return fibril_buffer(data, length);
}

static fibril_value truth(fibril_args *args) {
  return fibril_boolean(fibril_arg_boolean(args, 0));
}

static fibril_value digits(fibril_args *args) {
  double number = 0;
  for (size_t i = 0; i < 8; i++) number = number * 10 + fibril_arg_number(args, i);
  return fibril_number(number);
}

/* A member that could not be made is no member. */
static int push(fibril_value array, fibril_value item) {
  return fibril_is_error(item) ? fibril_error_code(item) : fibril_array_push(array, item);
}

static int set(fibril_value object, const char *key, fibril_value item) {
  return fibril_is_error(item) ? fibril_error_code(item) : fibril_object_set(object, key, item);
}

/* Arrays in objects in arrays, `depth` deep. */
static fibril_value nest(fibril_args *args) {
  fibril_value inner = fibril_string("core", FIBRIL_AUTO_LENGTH);
  for (int64_t i = 0; i < fibril_arg_integer(args, 0); i++) {
    fibril_value array = fibril_array(1), object = fibril_object();
    int err = push(array, inner);
    if (err == 0) err = set(object, "in", array);
    if (err != 0) return fibril_error(err, NULL);
    inner = object;
  }
  return inner;
}

static fibril_value echo_later(fibril_args *args) {
  int err = fibril_sleep(fibril_arg_number(args, 1));
  return err != 0 ? fibril_error_uv(err, "sleep", NULL) : fibril_arg(args, 0);
}

static fibril_value echo_moment(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : fibril_arg(args, 0);
}

static fibril_value add(fibril_args *args) {
  return fibril_number(fibril_arg_number(args, 0) + fibril_arg_number(args, 1));
}

/* Waits where the same turn of the loop goes on: every call passes once. */
static fibril_value pass(fibril_args *args) {
  int err = fibril_pass();
  return err != 0 ? fibril_error(err, NULL) : fibril_number(fibril_arg_number(args, 0));
}

static fibril_value fail(fibril_args *args) {
  const char *message = fibril_arg_string(args, 0);
  if (fibril_arg_boolean(args, 1)) fibril_moment();
  return fibril_error(UV_EIO, "%s", message);
}

static fibril_value fail_uv(fibril_args *args) {
  if (fibril_arg_boolean(args, 0)) fibril_moment();
  return fibril_error_uv(UV_ENOENT, "open", "/no/such");
}

static fibril_value fail_call(fibril_args *args) {
  if (fibril_arg_boolean(args, 3)) fibril_moment();
  return fibril_error_uv((int)fibril_arg_integer(args, 0), fibril_arg_string(args, 1),
                         fibril_arg_string(args, 2));
}

static fibril_value fail_code(fibril_args *args) {
  return fibril_error((int)fibril_arg_integer(args, 0), NULL);
}

static fibril_value fail_type(fibril_args *args) {
  (void)args;
  return fibril_error_type("RangeError", "ERR_TEST", "out of %s", "range");
}

static fibril_value fail_detailed(fibril_args *args) {
  fibril_value error = fibril_error_type("Error", "42P01", "no table");
  if (fibril_arg_boolean(args, 1)) fibril_moment();
  int err = fibril_error_set(error, "detail", fibril_arg(args, 0));
  if (err == 0) err = fibril_error_set(error, "position", fibril_number(15));
  return err == 0 ? error : fibril_error(err, NULL);
}

/* An error of any name and code, or an array with one. */
static fibril_value fail_named(fibril_args *args) {
  const char *how = fibril_arg_string(args, 1);
  if (strcmp(how, "later") == 0) fibril_moment();
  fibril_value error = fibril_error_type(fibril_arg_string(args, 0), "ERR_TEST", "of any name");
  if (strcmp(how, "inside") != 0) return error;
  fibril_value array = fibril_array(1);
  int err = fibril_array_push(array, error);
  return err == 0 ? array : fibril_error(err, NULL);
}

/* Fails with an error that has properties of these names: their indices. */
static fibril_value fail_with_keys(fibril_args *args) {
  fibril_value error = fibril_error_type("RangeError", "ERR_TEST", "has keys"),
               keys = fibril_arg(args, 0);
  int err = 0;
  for (size_t i = 0; i < fibril_array_length(keys) && err == 0; i++)
    err = fibril_error_set(error, fibril_value_string(fibril_array_get(keys, i), NULL),
                           fibril_number((double)i));
  return err == 0 ? error : fibril_error(err, NULL);
}

/* Errors, each the `inner` of the next, in an array. */
static fibril_value nest_errors(fibril_args *args) {
  fibril_value inner = fibril_undefined(), array = fibril_array(1);
  int err = 0;
  for (int64_t i = 0; i < fibril_arg_integer(args, 0) && err == 0; i++) {
    fibril_value error = fibril_error(UV_EIO, "around another");
    err = fibril_error_set(error, "inner", inner);
    inner = error;
  }
  if (err == 0) err = fibril_array_push(array, inner);
  return err == 0 ? array : fibril_error(err, NULL);
}

/* So many numbers; every hundredth is an array of up to three instead. */
static fibril_value long_array(fibril_args *args) {
  fibril_value array = fibril_array(0);
  int err = 0;
  for (int64_t i = 0; i < fibril_arg_integer(args, 0) && err == 0; i++) {
    fibril_value item = fibril_number((double)i);
    if (i % 100 == 99) item = fibril_array(3);
    for (int64_t j = 0; i % 100 == 99 && j < i / 100 % 4 && err == 0; j++)
      err = push(item, fibril_number((double)j));
    if (err == 0) err = push(array, item);
  }
  return err == 0 ? array : fibril_error(err, NULL);
}

/* Every kind of result at once. */
static fibril_value kinds(fibril_args *args) {
  fibril_value array = fibril_array(0), object = fibril_object();
  (void)args;
  fibril_value items[] = {
      fibril_undefined(),       fibril_null(),
      fibril_boolean(true),     fibril_number(-0.5),
      fibril_bigint(INT64_MIN), fibril_string("caf\xc3\xa9", FIBRIL_AUTO_LENGTH),
      fibril_buffer("a\0b", 3),
  };
  int err = 0;
  for (size_t i = 0; i < sizeof items / sizeof items[0] && err == 0; i++)
    err = push(array, items[i]);
  if (err == 0) err = set(object, "list", array);
  if (err == 0) err = set(object, "n", fibril_number(1));
  if (err == 0) err = set(object, "n", fibril_number(2));
  if (err != 0) return fibril_error(err, NULL);
  return object;
}

static _Atomic int buffers; /* of all threads */

static void release_buffer(void *data) {
  buffers--;
  free(data);
}

static fibril_value count_buffers(fibril_args *args) {
  (void)args;
  return fibril_number(buffers);
}

static fibril_value big_buffer(fibril_args *args) {
  size_t size = (size_t)fibril_arg_integer(args, 0);
  unsigned char *data = malloc(size);
  if (data == NULL) return fibril_error(UV_ENOMEM, NULL);
  for (size_t i = 0; i < size; i++) data[i] = (unsigned char)(i * 7);
  buffers++;
  return fibril_buffer_take(data, size, release_buffer);
}

static fibril_value lengths(fibril_args *args) {
  fibril_value array = fibril_array(3);
  size_t length = 0;
  fibril_value_string(fibril_arg(args, 0), &length);
  fibril_array_push(array, fibril_number((double)length));
  fibril_value_buffer(fibril_arg(args, 1), &length);
  fibril_array_push(array, fibril_number((double)length));
  return array;
}

static fibril_value integers(fibril_args *args) {
  return fibril_number((double)fibril_arg_integer(args, 0) + (double)fibril_arg_integer(args, 1) +
                       (double)fibril_arg_integer(args, 2));
}

static fibril_value options(fibril_args *args) {
  fibril_value array = fibril_array(3);
  fibril_array_push(array, fibril_arg_option(args, 0, "flag"));
  fibril_array_push(array, fibril_arg_option(args, 0, "count"));
  fibril_array_push(array, fibril_arg_option(args, 0, "name"));
  return array;
}

static fibril_value path(fibril_args *args) {
  return fibril_arg(args, 0);
}

/* ---- Arguments of every type ---- */

static fibril_value given(fibril_args *args) {
  fibril_value array = fibril_array(0);
  int err = 0;
  for (size_t i = 0; i < 5 && err == 0; i++)
    err = fibril_array_push(array, fibril_boolean(fibril_arg_given(args, i)));
  return err != 0 ? fibril_error(err, NULL) : array;
}

/* What stands in the objects. */
static fibril_value rows(fibril_args *args) {
  fibril_value list = fibril_arg(args, 0);
  double sum = 0;
  for (size_t i = 0; i < fibril_array_length(list); i++) {
    fibril_value row = fibril_array_get(list, i), tags = fibril_object_get(row, "tags");
    sum += fibril_value_number(fibril_object_get(row, "id"));
    sum += 100 * (double)fibril_array_length(tags);
  }
  return fibril_number(sum);
}

/* Objects with these keys, in their order; their values are numbered through. */
static fibril_value records(fibril_args *args) {
  fibril_value keys = fibril_arg(args, 0), list = fibril_array(0);
  double value = 0;
  int err = 0;
  for (int64_t i = 0; i < fibril_arg_integer(args, 1) && err == 0; i++) {
    fibril_value record = fibril_object();
    for (size_t k = 0; k < fibril_array_length(keys) && err == 0; k++)
      err =
          set(record, fibril_value_string(fibril_array_get(keys, k), NULL), fibril_number(value++));
    if (err == 0) err = push(list, record);
  }
  return err != 0 ? fibril_error(err, NULL) : list;
}

/* {outer: {[key]: {inherited: true}}}, so many times. */
static fibril_value nested_records(fibril_args *args) {
  fibril_value list = fibril_array(0);
  int err = 0;
  for (int64_t i = 0; i < fibril_arg_integer(args, 1) && err == 0; i++) {
    fibril_value record = fibril_object(), outer = fibril_object(), inner = fibril_object();
    err = set(inner, "inherited", fibril_boolean(true));
    if (err == 0) err = set(outer, fibril_arg_string(args, 0), inner);
    if (err == 0) err = set(record, "outer", outer);
    if (err == 0) err = push(list, record);
  }
  return err != 0 ? fibril_error(err, NULL) : list;
}

static fibril_value tail(fibril_args *args) {
  fibril_value rest = fibril_arg(args, 1);
  double sum = fibril_arg_number(args, 0);
  for (size_t i = 0; i < fibril_array_length(rest); i++)
    sum = sum * 10 + fibril_value_number(fibril_array_get(rest, i));
  return fibril_number(sum);
}

static fibril_value first_byte(fibril_args *args) {
  size_t length;
  const unsigned char *data = fibril_arg_buffer(args, 0, &length);
  return fibril_number(data == NULL ? -1 : length == 0 ? -2 : data[0]);
}

static fibril_value twice(fibril_args *args) {
  return fibril_bigint(fibril_arg_integer(args, 0) * 2);
}

/* An option of a parameter that may be a string instead. */
static fibril_value encoding(fibril_args *args) {
  if (fibril_arg_string(args, 0) != NULL) return fibril_arg(args, 0);
  return fibril_arg_option(args, 0, "encoding");
}

/* Errors among the members of a result. */
static fibril_value errors(fibril_args *args) {
  fibril_value array = fibril_array(4), object = fibril_object();
  int err = push(array, fibril_undefined());
  fibril_array_push(array, fibril_error(UV_EIO, "of the array"));
  fibril_array_push(array, fibril_error_uv(UV_ENOENT, "open", "/none"));
  fibril_array_push(array, fibril_error_type("RangeError", "ERR_TEST", "of a class"));
  fibril_object_set(object, "error", fibril_error(UV_EPERM, NULL));
  if (fibril_arg_given(args, 0))
    fibril_object_set(object, "thrown", fibril_call(fibril_arg(args, 0), NULL, 0));
  if (err == 0) err = push(array, object);
  return err != 0 ? fibril_error(err, NULL) : array;
}

/* ---- JavaScript called from C ---- */

static fibril_value call(fibril_args *args) {
  fibril_value list[2] = {fibril_arg(args, 1), fibril_number(2)};
  if (fibril_arg_boolean(args, 2)) fibril_moment();
  return fibril_call(fibril_arg(args, 0), list, 2);
}

static fibril_value call_with_many(fibril_args *args) {
  fibril_value list[16];
  for (int i = 0; i < 16; i++) list[i] = fibril_number(i);
  return fibril_call(fibril_arg(args, 0), list, 16);
}

/* Calls it `n` times, one after the other, and adds up. */
static fibril_value sum_calls(fibril_args *args) {
  double sum = 0;
  for (int64_t i = 0; i < fibril_arg_integer(args, 1); i++) {
    fibril_value index = fibril_number((double)i),
                 result = fibril_call(fibril_arg(args, 0), &index, 1);
    if (fibril_is_error(result)) return result;
    sum += fibril_value_number(result);
  }
  return fibril_number(sum);
}

/* Hands a function two objects each of which has the other. */
static fibril_value call_endless(fibril_args *args) {
  fibril_value object = fibril_object(), other = fibril_object();
  int err = set(other, "other", fibril_value_dup(object));
  if (err == 0) err = set(object, "other", other);
  fibril_value result = fibril_call(fibril_arg(args, 0), &object, 1);
  fibril_object_set(object, "other", fibril_undefined()); /* else neither would be freed */
  return err == 0 ? result : fibril_error(err, NULL);
}

/* Calls three times, whatever comes of it, and says that on stderr. */
static fibril_value call_stubbornly(fibril_args *args) {
  for (int i = 0; i < 3; i++) {
    fibril_value array = fibril_array(1);
    fibril_array_push(array, fibril_number(i));
    fibril_value result = fibril_call(fibril_arg(args, 0), &array, 1);
    fprintf(stderr, "%s\n",
            fibril_is_error(result) ? fibril_err_name(fibril_error_code(result)) : "0");
  }
  return fibril_undefined();
}

static fibril_value call_child(void *arg) {
  return fibril_call(*(fibril_value *)arg, NULL, 0);
}

/* Calls every function at the same time, each in a coroutine of its own; the first error in order.
 */
static fibril_value call_both(fibril_args *args) {
  fibril_value functions[2] = {fibril_arg(args, 0), fibril_arg(args, 1)}, array = fibril_array(2);
  fibril_future *futures[2];
  for (int i = 0; i < 2; i++) futures[i] = fibril_spawn(call_child, &functions[i], NULL);
  fibril_value error = fibril_await_all(futures, 2);
  for (int i = 0; i < 2 && !fibril_is_error(error); i++)
    fibril_array_push(array, fibril_value_dup(fibril_future_result(futures[i])));
  if (fibril_is_error(error)) error = fibril_value_dup(error);
  for (int i = 0; i < 2; i++) fibril_future_unref(futures[i]);
  return fibril_is_error(error) ? error : array;
}

/* Nobody reads what becomes of the call. */
static fibril_value call_forgotten(fibril_args *args) {
  fibril_value function = fibril_arg(args, 0);
  fibril_future *future = fibril_spawn(call_child, &function, NULL);
  fibril_future_unref(future);
  return fibril_undefined();
}

/* An exception of JavaScript comes back to C as an error value. */
static fibril_value message_of_throw(fibril_args *args) {
  fibril_value result = fibril_call(fibril_arg(args, 0), NULL, 0);
  if (!fibril_is_error(result)) return fibril_string("no error", FIBRIL_AUTO_LENGTH);
  if (fibril_error_code(result) != FIBRIL_EEXCEPTION) return result;
  return fibril_string(fibril_error_message(result), FIBRIL_AUTO_LENGTH);
}

/* ---- Cancellation and misuse ---- */

static _Atomic int live; /* of all threads */

static void leave(void *arg) {
  (void)arg;
  live--;
}

static fibril_value forever(fibril_args *args) {
  (void)args;
  int err = fibril_defer(leave, NULL);
  if (err != 0) return fibril_error(err, NULL);
  live++;
  err = fibril_suspend();
  if (err == UV_ECANCELED && fibril_value_boolean(fibril_arg_option(args, 0, "swallow")))
    return fibril_number(42);
  return fibril_error(err, NULL);
}

/* Fails with the code, whether it was cancelled or not. */
static fibril_value fail_with(fibril_args *args) {
  if (fibril_value_boolean(fibril_arg_option(args, 0, "later"))) fibril_moment();
  return fibril_error((int)fibril_value_integer(fibril_arg_option(args, 0, "code")), NULL);
}

static fibril_value call_signal(fibril_args *args) {
  return fibril_call(fibril_arg(args, 0), NULL, 0);
}

/* A wait for what a library brings, which does not hear of its end. */
static fibril_future *abandoned;

static fibril_value await_abandoned(fibril_args *args) {
  fibril_future *futures[2] = {fibril_future_new(fibril_loop_current()), NULL};
  futures[1] = fibril_future_new(fibril_loop_current());
  abandoned = fibril_future_ref(futures[0]);
  int code;
  if (fibril_value_boolean(fibril_arg_option(args, 0, "any")))
    code = fibril_await_any(futures, 2);
  else
    code = fibril_error_code(fibril_await(futures[0]));
  fibril_future_set_result(futures[1], fibril_undefined());
  for (int i = 0; i < 2; i++) fibril_future_unref(futures[i]);
  return fibril_error(code, NULL);
}

static fibril_value fail_abandoned(fibril_args *args) {
  (void)args;
  fibril_future_set_error(abandoned, UV_ECONNRESET);
  fibril_future_unref(abandoned);
  return fibril_undefined();
}

static fibril_value failing(void *arg) {
  return fibril_error(UV_EIO, "%s", (const char *)arg);
}

/* Keeps a future that has failed, until the loop closes, and never reads it. */
static fibril_value keep_failed(fibril_args *args) {
  fibril_spawn_options options = {sizeof options, "failing", 0};
  fibril_future *future = fibril_spawn(failing, (void *)fibril_arg_string(args, 0), &options);
  fibril_suspend();
  fibril_future_unref(future);
  return fibril_undefined();
}

static fibril_value count_live(fibril_args *args) {
  (void)args;
  return fibril_number(live);
}

static fibril_value double_settle(fibril_args *args) {
  (void)args;
  fibril_future *future = fibril_future_new(fibril_loop_current());
  fibril_value array = fibril_array(2);
  fibril_future_set_result(future, fibril_number(1));
  fibril_array_push(
      array, fibril_string(fibril_err_name(fibril_future_set_result(future, fibril_number(2))),
                           FIBRIL_AUTO_LENGTH));
  fibril_array_push(array, fibril_future_result(future));
  fibril_future_unref(future);
  return array;
}

static void await_outside(void *data) {
  fibril_future *future = fibril_future_new(fibril_loop_current());
  *(int *)data = fibril_error_code(fibril_await(future));
  fibril_future_unref(future);
}

static fibril_value await_on_loop(fibril_args *args) {
  int code = 0;
  (void)args;
  fibril_on_loop(await_outside, &code);
  return fibril_string(fibril_err_name(code), FIBRIL_AUTO_LENGTH);
}

/* What libuv calls on Node's loop without fibril in between. */
typedef struct {
  uv_timer_t timer;
  fibril_loop *loop;
  fibril_future *future;
  int codes[2];
} outsider;

static void on_outsider_closed(uv_handle_t *handle) {
  outsider *self = handle->data;
  fibril_future_set_result(self->future, fibril_undefined());
}

static fibril_value never_run(void *arg) {
  (void)arg;
  abort();
}

static void run_nodes_loop(uv_timer_t *timer) {
  outsider *self = timer->data;
  self->codes[0] = fibril_loop_run(self->loop);
  self->codes[1] = fibril_loop_run_sync(self->loop, never_run, NULL, 0, NULL);
  uv_close((uv_handle_t *)timer, on_outsider_closed);
}

static fibril_value run_loop(fibril_args *args) {
  outsider self = {.loop = fibril_loop_current()};
  (void)args;
  self.future = fibril_future_new(self.loop);
  self.timer.data = &self;
  uv_timer_init(fibril_loop_uv(self.loop), &self.timer);
  uv_timer_start(&self.timer, run_nodes_loop, 0, 0);
  fibril_mask(); /* libuv has the handle, which is on this stack */
  fibril_await(self.future);
  fibril_unmask();
  fibril_future_unref(self.future);
  fibril_value array = fibril_array(2);
  for (int i = 0; i < 2; i++) fibril_array_push(array, fibril_number(self.codes[i]));
  return array;
}

/* What libraries that block do: turns Node's loop, on the loop's stack. */
static fibril_value turned(fibril_args *args) {
  (void)args;
  return fibril_number(uv_run(fibril_loop_uv(fibril_loop_current()), UV_RUN_NOWAIT));
}

static fibril_value bad_stack(fibril_args *args) {
  fibril_spawn_options options = {sizeof options, "bad", (size_t)fibril_arg_integer(args, 0)};
  fibril_future *future = fibril_spawn(NULL, NULL, &options);
  return fibril_string(fibril_err_name(fibril_error_code(fibril_future_result(future))),
                       FIBRIL_AUTO_LENGTH);
}

static int recurse(volatile char *above) {
  volatile char frame[512];
  frame[0] = above[0];
  return frame[0] == 0 ? 0 : recurse(frame) + frame[0];
}

static fibril_value overflow(fibril_args *args) {
  volatile char start[1] = {1};
  (void)args;
  return fibril_number(recurse(start));
}

static fibril_value refuses_to_end(fibril_args *args) {
  (void)args;
  int err = 0;
  while (err == 0 || err == UV_ECANCELED) err = fibril_suspend();
  return fibril_error(err, NULL);
}

/* ---- The thread pool ---- */

static void double_it(void *arg) {
  *(double *)arg *= 2;
}

static uv_once_t meeting_once = UV_ONCE_INIT;
static uv_mutex_t meeting_mutex;
static uv_cond_t meeting_full;
static int meeting_count;

static void meeting_init(void) {
  uv_mutex_init(&meeting_mutex);
  uv_cond_init(&meeting_full);
}

/* Blocks its thread until a second job has come. */
static void wait_for_another(void *arg) {
  bool *met = arg;
  uv_once(&meeting_once, meeting_init);
  uv_mutex_lock(&meeting_mutex);
  int mine = meeting_count++ / 2, err = 0;
  uv_cond_broadcast(&meeting_full);
  while (meeting_count < 2 * (mine + 1) && err == 0)
    err = uv_cond_timedwait(&meeting_full, &meeting_mutex, UINT64_C(10000000000));
  *met = err == 0;
  uv_mutex_unlock(&meeting_mutex);
}

static fibril_value meet(fibril_args *args) {
  bool met = false;
  (void)args;
  int err = fibril_work(wait_for_another, &met);
  return err != 0 ? fibril_error(err, NULL) : fibril_boolean(met);
}

static fibril_value work(fibril_args *args) {
  double number = fibril_arg_number(args, 0);
  int err = fibril_work(double_it, &number);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(number);
}

/* Until the other end of a pipe is written to. */
static fibril_value readable(fibril_args *args) {
  int events = fibril_poll_fd((int)fibril_arg_integer(args, 0), UV_READABLE, -1);
  return events < 0 ? fibril_error_uv(events, "poll", NULL) : fibril_number(events);
}

/* ---- Many awaits behind one promise ---- */

static fibril_value sleeper(void *arg) {
  return fibril_sleep(1) == 0 ? fibril_number(*(double *)arg) : fibril_error(UV_ECANCELED, NULL);
}

static fibril_value sum_children(fibril_args *args) {
  fibril_future *futures[16];
  double values[16], sum = 0;
  (void)args;
  for (int i = 0; i < 16; i++) {
    values[i] = i;
    futures[i] = fibril_spawn(sleeper, &values[i], NULL);
  }
  fibril_value error = fibril_await_all(futures, 16);
  for (int i = 0; i < 16; i++) {
    sum += fibril_value_number(fibril_future_result(futures[i]));
    fibril_future_unref(futures[i]);
  }
  return fibril_is_error(error) ? error : fibril_number(sum);
}

/* What lib/ uses of fibril's own copy; here, for the tests of Future. */
void fibril__module_runtime(fibril_module *module);

FIBRIL_MODULE(m) {
  fibril__module_runtime(m);
  fibril_export(m, "echo(value: any): Promise<any>", echo);
  fibril_export(m, "text(text: string): Promise<string>", text);
  fibril_export(m, "bytes(data: bytes): Promise<Buffer>", bytes);
  fibril_export(m, "truth(value: boolean): Promise<boolean>", truth);
  fibril_export(
      m,
      "digits(a: number, b: number, c: number, d: number, e: number, f: number, g: number,"
      " h: number): Promise<number>",
      digits);
  fibril_export(m, "nest(depth: uint32): Promise<any>", nest);
  fibril_export(m, "echoLater(value: any, ms: number): Promise<any>", echo_later);
  fibril_export(m, "echoMoment(value: any): Promise<any>", echo_moment);
  fibril_export(m, "add(a: number, b: number): Promise<number>", add);
  fibril_export(m, "pass(n: number): Promise<number>", pass);
  fibril_export(m, "fail(message: string, later?: boolean): Promise<void>", fail);
  fibril_export(m, "failUv(later?: boolean): Promise<void>", fail_uv);
  fibril_export(
      m, "failCall(code: int32, syscall?: string, path?: string, later?: boolean): Promise<void>",
      fail_call);
  fibril_export(m, "failCode(code: int32): Promise<void>", fail_code);
  fibril_export(m, "failType(): Promise<void>", fail_type);
  fibril_export(m, "failDetailed(detail: any, later?: boolean): Promise<void>", fail_detailed);
  fibril_export(m, "failNamed(name: string, how: 'now' | 'later' | 'inside'): Promise<Error[]>",
                fail_named);
  fibril_export(m, "failWithKeys(keys: string[]): Promise<never>", fail_with_keys);
  fibril_export(m, "nestErrors(depth: uint32): Promise<Error[]>", nest_errors);
  fibril_export(m, "longArray(length: uint32): Promise<any[]>", long_array);
  fibril_export(m, "callEndless(fn: Function): Promise<any>", call_endless);
  fibril_export(m, "callStubbornly(fn: Function): Promise<void>", call_stubbornly);
  fibril_export(m, "awaitAbandoned(options: {signal?: AbortSignal, any?: boolean}): Promise<never>",
                await_abandoned);
  fibril_export(m, "failAbandoned(): Promise<void>", fail_abandoned);
  fibril_export(m, "kinds(): Promise<{list: any[], n: number}>", kinds);
  fibril_export(m, "bigBuffer(size: uint32): Promise<Buffer>", big_buffer);
  fibril_export(m, "countBuffers(): Promise<number>", count_buffers);
  fibril_export(m, "lengths(text: string, data: bytes): Promise<number[]>", lengths);
  fibril_export(m, "integers(a: int32, b: uint32, c?: int64 = 5): Promise<number>", integers);
  fibril_export(
      m,
      "options(options?: {flag?: boolean = true, count?: uint32 = 3; name?: string}): Promise<any[]>",
      options);
  fibril_export(m, "path(path: path): Promise<string>", path);
  fibril_export(m,
                "given(text?: string, options?: {n?: int32} | null, n: number = 1, data?: bytes, "
                "s: string | null = 'x'): Promise<boolean[]>",
                given);
  fibril_export(m, "rows(rows: {id: int32, tags?: Array<'a' | 'b'>}[]): Promise<number>", rows);
  fibril_export(m, "records(keys: string[], count: uint32): Promise<object[]>", records);
  fibril_export(m, "nestedRecords(key: string, count: uint32): Promise<object[]>", nested_records);
  fibril_export(m, "tail(first: number, ...rest: number[]): Promise<number>", tail);
  fibril_export(m, "firstByte(data?: Float64Array | Buffer | ArrayBuffer): Promise<number>",
                first_byte);
  fibril_export(m, "twice(value?: bigint = 21n): Promise<bigint>", twice);
  fibril_export(m,
                "encoding(options: string | {encoding?: 'utf8' | 'latin1' = 'utf8'}): "
                "Promise<string>",
                encoding);
  fibril_export(m, "errors(fn?: () => never): Promise<any[]>", errors);
  fibril_export(m, "call(fn: Function, value: any, later?: boolean): Promise<any>", call);
  fibril_export(m, "callWithMany(fn: Function): Promise<any>", call_with_many);
  fibril_export(m, "sumCalls(fn: Function, n: uint32): Promise<number>", sum_calls);
  fibril_export(m, "callBoth(first: Function, second: Function): Promise<any[]>", call_both);
  fibril_export(m, "callForgotten(fn: Function): Promise<void>", call_forgotten);
  fibril_export(m, "messageOfThrow(fn: Function): Promise<string>", message_of_throw);
  fibril_export(m, "keepFailed(message: string): Promise<void>", keep_failed);
  fibril_export(m, "forever(options?: {signal?: AbortSignal, swallow?: boolean}): Promise<never>",
                forever);
  fibril_export(m,
                "failWith(options: {signal?: AbortSignal, code: int32, later?: boolean}):"
                " Promise<never>",
                fail_with);
  fibril_export(m, "callSignal(fn: Function, options: {signal?: AbortSignal}): Promise<any>",
                call_signal);
  fibril_export(m, "countLive(): Promise<number>", count_live);
  fibril_export(m, "doubleSettle(): Promise<any[]>", double_settle);
  fibril_export(m, "awaitOnLoop(): Promise<string>", await_on_loop);
  fibril_export(m, "runLoop(): Promise<number[]>", run_loop);
  fibril_class_getter(fibril_export_class(m, "Turner", NULL), "turned: number", turned);
  fibril_export(m, "badStack(size: int64): Promise<string>", bad_stack);
  fibril_export(m, "overflow(): Promise<number>", overflow);
  fibril_export(m, "refusesToEnd(): Promise<never>", refuses_to_end);
  fibril_export(m, "work(n: number): Promise<number>", work);
  fibril_export(m, "meet(): Promise<boolean>", meet);
  fibril_export(m, "readable(fd: int32): Promise<number>", readable);
  fibril_export(m, "sumChildren(): Promise<number>", sum_children);
}
