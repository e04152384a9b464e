/* Native async functions for the tests of the bridge, exported as any addon would. */
#include <fibril.h>

#include <stdlib.h>

static fibril_value echo(fibril_args *args) {
  return fibril_arg(args, 0);
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

static fibril_value fail_type(fibril_args *args) {
  (void)args;
  return fibril_error_type("RangeError", "ERR_TEST", "out of %s", "range");
}

/* Every kind of result at once. */
static fibril_value kinds(fibril_args *args) {
  fibril_value array = fibril_array(0), object = fibril_object();
  (void)args;
  fibril_array_push(array, fibril_undefined());
  fibril_array_push(array, fibril_null());
  fibril_array_push(array, fibril_boolean(true));
  fibril_array_push(array, fibril_number(-0.5));
  fibril_array_push(array, fibril_bigint(INT64_MIN));
  fibril_array_push(array, fibril_string("caf\xc3\xa9", FIBRIL_AUTO_LENGTH));
  fibril_array_push(array, fibril_buffer("a\0b", 3));
  fibril_object_set(object, "list", array);
  fibril_object_set(object, "n", fibril_number(1));
  fibril_object_set(object, "n", fibril_number(2));
  return object;
}

static fibril_value big_buffer(fibril_args *args) {
  size_t size = (size_t)fibril_arg_integer(args, 0);
  unsigned char *data = malloc(size);
  if (data == NULL) return fibril_error(UV_ENOMEM, NULL);
  for (size_t i = 0; i < size; i++) data[i] = (unsigned char)(i * 7);
  return fibril_buffer_take(data, size, free);
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

/* ---- JavaScript called from C ---- */

static fibril_value call(fibril_args *args) {
  fibril_value list[2] = {fibril_arg(args, 1), fibril_number(2)};
  if (fibril_arg_boolean(args, 2)) fibril_moment();
  return fibril_call(fibril_arg(args, 0), list, 2);
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

/* An exception of JavaScript comes back to C as an error value. */
static fibril_value message_of_throw(fibril_args *args) {
  fibril_value result = fibril_call(fibril_arg(args, 0), NULL, 0);
  if (!fibril_is_error(result)) return fibril_string("no error", FIBRIL_AUTO_LENGTH);
  if (fibril_error_code(result) != FIBRIL_EEXCEPTION) return result;
  return fibril_string(fibril_error_message(result), FIBRIL_AUTO_LENGTH);
}

/* ---- Cancellation and misuse ---- */

static int live;

static void leave(void *arg) {
  (void)arg;
  live--;
}

static fibril_value forever(fibril_args *args) {
  (void)args;
  live++;
  fibril_defer(leave, NULL);
  int err = fibril_suspend();
  if (err == UV_ECANCELED && fibril_arg_option(args, 0, "swallow").as.integer)
    return fibril_number(42);
  return fibril_error(err, NULL);
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

static fibril_value bad_stack(fibril_args *args) {
  fibril_spawn_options options = {sizeof options, "bad", (size_t)fibril_arg_integer(args, 0)};
  fibril_future *future = fibril_spawn(NULL, NULL, &options);
  return fibril_string(fibril_err_name(fibril_error_code(fibril_future_result(future))),
                       FIBRIL_AUTO_LENGTH);
}

static int recurse(volatile char *above) {
  volatile char frame[512];
  frame[0] = above[0];
  return recurse(frame) + frame[511];
}

static fibril_value overflow(fibril_args *args) {
  volatile char start[1] = {1};
  (void)args;
  return fibril_number(recurse(start));
}

static fibril_value refuses_to_end(fibril_args *args) {
  (void)args;
  for (;;) fibril_suspend();
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

FIBRIL_MODULE(m) {
  fibril_export(m, "echo(value: any): Promise<any>", echo);
  fibril_export(m, "echoLater(value: any, ms: number): Promise<any>", echo_later);
  fibril_export(m, "echoMoment(value: any): Promise<any>", echo_moment);
  fibril_export(m, "add(a: number, b: number): Promise<number>", add);
  fibril_export(m, "pass(n: number): Promise<number>", pass);
  fibril_export(m, "fail(message: string, later?: boolean): Promise<void>", fail);
  fibril_export(m, "failUv(later?: boolean): Promise<void>", fail_uv);
  fibril_export(m, "failType(): Promise<void>", fail_type);
  fibril_export(m, "kinds(): Promise<{list: any[], n: number}>", kinds);
  fibril_export(m, "bigBuffer(size: uint32): Promise<Buffer>", big_buffer);
  fibril_export(m, "lengths(text: string, data: bytes): Promise<number[]>", lengths);
  fibril_export(m, "integers(a: int32, b: uint32, c?: int64 = 5): Promise<number>", integers);
  fibril_export(
      m,
      "options(options?: {flag?: boolean = true, count?: uint32 = 3; name?: string}): Promise<any[]>",
      options);
  fibril_export(m, "path(path: path): Promise<string>", path);
  fibril_export(m, "call(fn: Function, value: any, later?: boolean): Promise<any>", call);
  fibril_export(m, "sumCalls(fn: Function, n: uint32): Promise<number>", sum_calls);
  fibril_export(m, "messageOfThrow(fn: Function): Promise<string>", message_of_throw);
  fibril_export(m, "forever(options?: {signal?: AbortSignal, swallow?: boolean}): Promise<never>",
                forever);
  fibril_export(m, "countLive(): Promise<number>", count_live);
  fibril_export(m, "doubleSettle(): Promise<any[]>", double_settle);
  fibril_export(m, "awaitOnLoop(): Promise<string>", await_on_loop);
  fibril_export(m, "badStack(size: int64): Promise<string>", bad_stack);
  fibril_export(m, "overflow(): Promise<number>", overflow);
  fibril_export(m, "refusesToEnd(): Promise<never>", refuses_to_end);
  fibril_export(m, "sumChildren(): Promise<number>", sum_children);
}
