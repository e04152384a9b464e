/* Bytes in both directions: views of every kind, what is lent and what is copied. */
#include <fibril.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static fibril_value view_of(fibril_args *args) {
  return fibril_number(fibril_value_view(fibril_arg(args, 0)));
}

static fibril_value is_shared(fibril_args *args) {
  return fibril_boolean(fibril_value_is_shared(fibril_arg(args, 0)));
}

static fibril_value elements(fibril_args *args) {
  size_t length;
  fibril_arg_buffer(args, 0, &length);
  size_t size = fibril_view_size(fibril_value_view(fibril_arg(args, 0)));
  return fibril_number((double)(length / size));
}

static fibril_value alignment(fibril_args *args) {
  return fibril_number((double)((uintptr_t)fibril_arg_buffer(args, 0, NULL) % 16));
}

static fibril_value view_size(fibril_args *args) {
  return fibril_number((double)fibril_view_size((fibril_view)fibril_arg_integer(args, 0)));
}

static fibril_value make(fibril_args *args) {
  size_t length;
  const void *data = fibril_arg_buffer(args, 1, &length);
  fibril_view view = (fibril_view)fibril_arg_integer(args, 0);
  size_t size = fibril_view_size(view);
  return fibril_typed_array(view, data, size == 0 ? 0 : length / size);
}

static fibril_value too_many(fibril_args *args) {
  (void)args;
  return fibril_typed_array(FIBRIL_VIEW_FLOAT64_ARRAY, "", SIZE_MAX / 4);
}

/* A copy of all but the first `skip` bytes, as that view. */
static fibril_value as_view(fibril_args *args) {
  size_t length, skip = (size_t)fibril_arg_integer(args, 2);
  char *data = fibril_arg_buffer(args, 0, &length);
  fibril_value value = skip == 0 ? fibril_buffer(data, length)
                                 : fibril_buffer_take(data + skip, length - skip, NULL);
  int err = fibril_buffer_set_view(value, (fibril_view)fibril_arg_integer(args, 1));
  return err != 0 ? fibril_error(err, NULL) : value;
}

static fibril_value no_buffer(fibril_args *args) {
  (void)args;
  fibril_value string = fibril_string("text", 4);
  if (fibril_value_view(string) != FIBRIL_VIEW_BUFFER || fibril_value_is_shared(string)) abort();
  return fibril_error(fibril_buffer_set_view(string, FIBRIL_VIEW_INT8_ARRAY), NULL);
}

static fibril_value echo(fibril_args *args) {
  return fibril_arg(args, 0);
}

static fibril_value echo_later(fibril_args *args) {
  int err = fibril_moment();
  return err != 0 ? fibril_error(err, NULL) : fibril_arg(args, 0);
}

static fibril_value nested(fibril_args *args) {
  fibril_value array = fibril_array(1), object = fibril_object();
  int err = fibril_array_push(array, fibril_value_dup(fibril_arg(args, 0)));
  if (err == 0) err = fibril_object_set(object, "list", array);
  return err != 0 ? fibril_error(err, NULL) : object;
}

static fibril_value items(fibril_args *args, fibril_generator *generator) {
  fibril_yield(generator, fibril_value_dup(fibril_arg(args, 0)));
  return fibril_undefined();
}

/* What the function makes of the bytes. */
static fibril_value pass(fibril_args *args) {
  fibril_value argument = fibril_arg(args, 1);
  return fibril_call(fibril_arg(args, 0), &argument, 1);
}

static fibril_value passed_is_shared(fibril_args *args) {
  return fibril_boolean(fibril_value_is_shared(fibril_call(fibril_arg(args, 0), NULL, 0)));
}

/* What the bytes are when the function's promise is settled. */
static fibril_value during(fibril_args *args) {
  size_t length;
  const void *data = fibril_arg_buffer(args, 0, &length);
  fibril_value result = fibril_call(fibril_arg(args, 1), NULL, 0);
  return fibril_is_error(result) ? result : fibril_buffer(data, length);
}

static fibril_value sum_numbers(fibril_args *args) {
  size_t length;
  const double *numbers = fibril_arg_buffer(args, 0, &length);
  double sum = 0;
  for (size_t i = 0; i < length / sizeof *numbers; i++) sum += numbers[i];
  return fibril_number(sum);
}

static double sum_of(fibril_value value) {
  size_t length = 0;
  const unsigned char *data = fibril_value_buffer(value, &length);
  double sum = 0;
  for (size_t i = 0; i < length; i++) sum += data[i];
  return sum;
}

static fibril_value sum(fibril_args *args) {
  return fibril_number(sum_of(fibril_arg(args, 0)));
}

static fibril_value sum_option(fibril_args *args) {
  return fibril_number(sum_of(fibril_arg_option(args, 0, "data")));
}

static fibril_value sum_list(fibril_args *args) {
  fibril_value list = fibril_arg(args, 0);
  double all = 0;
  for (size_t i = 0; i < fibril_array_length(list); i++) all += sum_of(fibril_array_get(list, i));
  return fibril_number(all);
}

/* ---- On a thread of the pool ---- */

typedef struct {
  unsigned char *data;
  size_t length;
  int byte;
} job;

static void wait_for_byte(void *arg) {
  const job *mine = arg;
  const _Atomic(unsigned char) *first = (const _Atomic(unsigned char) *)(void *)mine->data;
  while (atomic_load(first) == 0) continue;
}

static void fill_bytes(void *arg) {
  const job *mine = arg;
  memset(mine->data, mine->byte, mine->length);
}

static fibril_value in_pool(fibril_args *args, void (*fn)(void *arg)) {
  job mine = {.byte = (int)fibril_arg_integer(args, 1)};
  mine.data = fibril_arg_buffer(args, 0, &mine.length);
  int err = fibril_work(fn, &mine);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(mine.data[0]);
}

static fibril_value spin(fibril_args *args) {
  return in_pool(args, wait_for_byte);
}

static fibril_value fill(fibril_args *args) {
  return in_pool(args, fill_bytes);
}

/* ---- Beyond the call ---- */

/* Until the thread ends: its environment is gone by then. */
static _Thread_local fibril_value held;
static pthread_key_t at_thread_end;

static void free_held(void *value) {
  const fibril_value *mine = value;
  size_t length;
  const unsigned char *data = fibril_value_buffer(*mine, &length);
  for (size_t i = 1; data != NULL && i < length; i++)
    if (data[i] != data[0]) abort();
  fibril_value_free(*mine);
}

static fibril_value hold(fibril_args *args) {
  fibril_value_free(held);
  held = fibril_value_dup(fibril_arg(args, 0));
  pthread_setspecific(at_thread_end, &held);
  return fibril_undefined();
}

static void make_key(void) {
  pthread_key_create(&at_thread_end, free_held);
}

static fibril_value holding(fibril_args *args) {
  (void)args;
  size_t length;
  const void *data = fibril_value_buffer(held, &length);
  return data == NULL ? fibril_null() : fibril_buffer(data, length);
}

/* ---- Memory of C's ---- */

static _Thread_local size_t live;

static void release(void *data) {
  free(data);
  live--;
}

static fibril_value large(fibril_args *args) {
  size_t size = (size_t)fibril_arg_integer(args, 0);
  void *data = malloc(size);
  if (data == NULL) return fibril_error(UV_ENOMEM, NULL);
  memset(data, 1, size);
  live++;
  fibril_value value = fibril_buffer_take(data, size, release);
  int err = fibril_buffer_set_view(value, (fibril_view)fibril_arg_integer(args, 1));
  return err != 0 ? fibril_error(err, NULL) : value;
}

/* What C holds, which goes on having it. */
static fibril_value keeping(fibril_args *args) {
  (void)args;
  return fibril_value_dup(held);
}

static fibril_value count_live(fibril_args *args) {
  (void)args;
  return fibril_number((double)live);
}

FIBRIL_MODULE(m) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_key);
  fibril_export(m, "viewOf(data: bytes): number", view_of);
  fibril_export(m, "viewOfLater(data: bytes): Promise<number>", view_of);
  fibril_export(m, "isShared(data: bytes): boolean", is_shared);
  fibril_export(m, "isSharedLater(data: bytes): Promise<boolean>", is_shared);
  fibril_export(m, "elements(data: bytes): number", elements);
  fibril_export(m, "alignment(data: bytes): Promise<number>", alignment);
  fibril_export(m, "viewSize(view: int32): number", view_size);
  fibril_export(m, "make(view: int32, data: bytes): any", make);
  fibril_export(m, "tooMany(): any", too_many);
  fibril_export(m, "asView(data: bytes, view: int32, skip: int32 = 0): any", as_view);
  fibril_export(m, "noBuffer(): void", no_buffer);
  fibril_export(m, "echo(data: bytes): any", echo);
  fibril_export(m, "echoLater(data: bytes): Promise<any>", echo_later);
  fibril_export(m, "nested(data: bytes): any", nested);
  fibril_export_generator(m, "items(data: bytes): Generator<any>", items, NULL);
  fibril_export_async_generator(m, "itemsLater(data: bytes): AsyncGenerator<any>", items, NULL);
  fibril_export(m, "pass(fn: (data: bytes) => any, data: bytes): Promise<any>", pass);
  fibril_export(m, "passedIsShared(fn: () => any): Promise<boolean>", passed_is_shared);
  fibril_export(m, "during(data: bytes, fn: () => any, signal?: AbortSignal): Promise<Buffer>",
                during);
  fibril_export(m, "sumNumbers(numbers: Float64Array): number", sum_numbers);
  fibril_export(m, "sum(data: bytes): number", sum);
  fibril_export(m, "sumLater(data: bytes, signal?: AbortSignal): Promise<number>", sum);
  fibril_export(m, "sumOption(options: {data: bytes}): Promise<number>", sum_option);
  fibril_export(m, "sumList(list: bytes[]): Promise<number>", sum_list);
  fibril_export(m, "spin(data: bytes): Promise<number>", spin);
  fibril_export(m, "fill(data: bytes, byte: int32): Promise<number>", fill);
  fibril_export(m, "hold(data: bytes | null): void", hold);
  fibril_export(m, "holding(): Buffer | null", holding);
  fibril_export(m, "large(size: uint32, view: int32 = 0): Promise<any>", large);
  fibril_export(m, "keeping(signal?: AbortSignal): Promise<any>", keeping);
  fibril_export(m, "countLive(): number", count_live);
}
