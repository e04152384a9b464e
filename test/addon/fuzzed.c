/* What test/fuzz calls from JavaScript: functions that decode arguments of every type, generators
 * that take their time, functions that call back. */
#include <fibril.h>

#include <stdlib.h>
#include <string.h>

/* ---- Arguments ---- */

#define MOST 9 /* parameters, and one there is none of */

static unsigned sum(const unsigned char *bytes, size_t length) {
  unsigned result = 0;
  for (size_t i = 0; i < length; i++) result += bytes[i];
  return result;
}

/* Reads the argument in all ways; a number that depends on its bytes, so that they are read. */
static unsigned read_argument(const fibril_args *args, size_t i) {
  fibril_value value = fibril_arg(args, i);
  size_t length = 0;
  const char *text = fibril_value_string(value, &length);
  if (text != NULL && text[length] != '\0') abort();
  unsigned read = text == NULL ? 0 : sum((const unsigned char *)text, length);
  void *bytes = fibril_value_buffer(value, &length);
  if (bytes != NULL) read += sum(bytes, length);
  for (size_t k = 0; k < fibril_array_length(value); k++)
    read += (unsigned)fibril_value_kind(fibril_array_get(value, k));
  read += (unsigned)fibril_value_kind(fibril_arg_option(args, i, "a"));
  if (!fibril_arg_given(args, i) && fibril_arg_string(args, i) != NULL) abort();
  fibril_arg_number(args, i);
  return read + (unsigned)fibril_arg_integer(args, i) + fibril_arg_boolean(args, i);
}

/* As it came, its object with it: the one whose struct it is, or a new one. */
static fibril_value same_later(fibril_args *args) {
  int err = fibril_pass();
  if (err != 0) return fibril_error(err, NULL);
  void *thing = fibril_arg_instance(args, 0);
  return thing == NULL ? fibril_arg(args, 0) : fibril_instance_of(thing);
}

/* They are the same after a wait, whatever JavaScript has done to its objects. */
static fibril_value decode(fibril_args *args) {
  unsigned before = 0, after = 0;
  for (size_t i = 0; i < MOST; i++) before += read_argument(args, i);
  int err = fibril_pass();
  if (err != 0) return fibril_error(err, NULL);
  for (size_t i = 0; i < MOST; i++) after += read_argument(args, i);
  if (after != before) abort();
  fibril_value result = fibril_array(3);
  for (size_t i = 0; i < 3; i++) {
    err = fibril_array_push(result, fibril_value_dup(fibril_arg(args, i)));
    if (err != 0) return fibril_error(err, NULL);
  }
  return result;
}

static fibril_value call(fibril_args *args) {
  fibril_value argument = fibril_arg(args, 1);
  return fibril_call(fibril_arg(args, 0), &argument, 1);
}

/* ---- JavaScript's objects ---- */

/* Whatever comes of it. */
static void work_on(void *data) {
  const fibril_args *args = data;
  fibril_value object = fibril_arg(args, 0), key = fibril_arg(args, 1), value = fibril_arg(args, 2);
  fibril_reference_set_key(object, key, value);
  fibril_reference_get_key(object, key);
  fibril_reference_has_key(object, key);
  fibril_reference_equal(object, value);
  fibril_value keys = fibril_reference_keys(object);
  for (size_t i = 0; i < fibril_array_length(keys) && i < 4; i++)
    read_argument(args, (size_t)fibril_value_kind(
                            fibril_reference_get_key(object, fibril_array_get(keys, i))));
  fibril_reference_delete_key(object, key);
  fibril_reference_get(object, "length");
}

static fibril_value work(fibril_args *args) {
  fibril_value object = fibril_arg(args, 0), value = fibril_arg(args, 2);
  work_on(args);
  int err = fibril_pass();
  if (err != 0) return fibril_error(err, NULL);
  fibril_reference_batch(object, work_on, args);
  fibril_value result = fibril_reference_call_key(object, fibril_arg(args, 1), &value, 1);
  return fibril_is_error(result) ? fibril_reference_call(object, "toString", &value, 1) : result;
}

static fibril_value sleep_for(fibril_args *args) {
  double ms = fibril_arg_number(args, 0);
  int err = fibril_sleep(ms);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(ms);
}

static fibril_value make(fibril_args *args) {
  read_argument(args, 0);
  read_argument(args, 1);
  return fibril_undefined();
}

/* ---- Generators ---- */

/* Numbers below `count`, each after `ms` milliseconds. */
static fibril_value slow(fibril_args *args, fibril_generator *generator) {
  double count = fibril_arg_number(args, 0);
  for (double i = 0; i < count; i++) {
    int err = fibril_sleep(fibril_arg_number(args, 1));
    if (err != 0) return fibril_error(err, NULL);
    fibril_value sent = fibril_yield(generator, fibril_number(i));
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_string("end", FIBRIL_AUTO_LENGTH);
}

static fibril_value numbers(fibril_args *args, fibril_generator *generator) {
  for (double i = 0; i < fibril_arg_number(args, 0); i++) {
    fibril_value sent = fibril_yield(generator, fibril_number(i));
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_undefined();
}

static fibril_value nap(void *arg) {
  (void)arg;
  return fibril_number(fibril_sleep(1));
}

/* For a synchronous iterator: the codes of waits that it may not make. */
static fibril_value waits(fibril_args *args, fibril_generator *generator) {
  (void)args;
  fibril_future *pending = fibril_future_new(fibril_loop_current());
  fibril_group *group = fibril_group_new();
  fibril_event event = {0};
  fibril_group_spawn(group, nap, NULL, NULL);
  int codes[] = {fibril_sleep(1),
                 fibril_moment(),
                 fibril_error_code(fibril_await(pending)),
                 fibril_await_any(&pending, 1),
                 fibril_error_code(fibril_group_wait(group)),
                 fibril_event_wait(&event, -1)};
  fibril_future_unref(pending);
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    fibril_value sent = fibril_yield(generator, fibril_number(codes[i]));
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_undefined();
}

/* ---- A result that belongs to a group ---- */

static fibril_value fail(void *arg) {
  (void)arg;
  fibril_moment();
  return fibril_error(UV_EACCES, "the child's");
}

static fibril_value group_error(fibril_args *args) {
  (void)args;
  fibril_group *group = fibril_group_new();
  if (group == NULL) return fibril_error(UV_ENOMEM, NULL);
  int err = fibril_group_spawn(group, fail, NULL, NULL);
  return err != 0 ? fibril_error(err, NULL) : fibril_group_wait(group);
}

FIBRIL_MODULE(m) {
  static const char *const DECODED[] = {
      "all(a: any, b: unknown[], c?: {a?: number[], b: string, c?: {d?: path}}): Promise<any>",
      "texts(a: path, b: bytes | string, c: 'x' | 'y' | 3 | true | null): Promise<any>",
      "nested(a: number[][] | string, b: bigint | int32, c: {a: string[]}[]): Promise<any>",
      "wide(a: int64, b: uint32 | null, c: Function | object): Promise<any>",
      "views(a: ArrayBuffer | Float64Array, b: Buffer, c: DataView | ArrayBufferView): Promise<any>",
      ("options(o?: {a?: any, b?: path[], c?: bytes[], d?: (string | {a?: any})[], "
       "signal?: AbortSignal}, ...rest: any[]): Promise<any>"),
      "rest(...rest: (string | number[] | {a?: bytes})[]): Promise<any>",
      "maps(a: Map<string, int32[]> | Set<string | number> | null, b: Map<any, any> | object): "
      "Promise<any>",
      "records(a: Record<string, number | Record<string, bytes>>, b: [any, path?] | Date): "
      "Promise<any>",
      "things(a: Thing | string, b: (Thing | null)[], c?: {a?: Thing}): Promise<any>",
  };
  fibril_class *things = fibril_export_class(m, "Thing", NULL);
  for (size_t i = 0; i < sizeof DECODED / sizeof DECODED[0]; i++)
    fibril_export(m, DECODED[i], decode);
  fibril_export(m, "sameLater(value: Thing | any[] | object): Promise<any>", same_later);
  fibril_export(m, "call(fn: Function, value?: any): Promise<any>", call);
  fibril_export(m, "work(object: any, key?: any, value?: any): Promise<any>", work);
  fibril_export(m, "sleep(ms: number, options?: {signal?: AbortSignal}): Promise<number>",
                sleep_for);
  fibril_export(m, "groupError(): Promise<never>", group_error);
  fibril_class_constructor(things, "(name?: string, options?: {a?: any})", make);
  fibril_class_method(things, "sleep(ms: number): Promise<number>", sleep_for, NULL);
  fibril_export_generator(m, "numbers(count: number): Generator<number>", numbers, NULL);
  fibril_export_generator(m, "waits(): Generator<number>", waits, NULL);
  fibril_export_options ahead = {.size = sizeof ahead, .ahead = 4};
  fibril_export_async_generator(m, "slow(count: number, ms: number): AsyncGenerator<number>", slow,
                                NULL);
  fibril_export_async_generator(m, "slowAhead(count: number, ms: number): AsyncGenerator<number>",
                                slow, &ahead);
}
