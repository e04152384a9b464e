/* Synchronous functions and methods, and constants, for test/synchronous.test.js. */
#include <fibril.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int live; /* structs of Tally in all threads */

static fibril_value add(fibril_args *args) {
  return fibril_number(fibril_arg_number(args, 0) + fibril_arg_number(args, 1));
}

static fibril_value nothing(fibril_args *args) {
  (void)args;
  return fibril_undefined();
}

static fibril_value same(fibril_args *args) {
  return fibril_arg(args, 0);
}

static fibril_value join(fibril_args *args) {
  fibril_value list = fibril_arg(args, 1);
  char out[256] = "";
  for (size_t i = 0; i < fibril_array_length(list); i++) {
    if (i > 0) strncat(out, fibril_arg_string(args, 0), sizeof out - strlen(out) - 1);
    strncat(out, fibril_value_string(fibril_array_get(list, i), NULL),
            sizeof out - strlen(out) - 1);
  }
  return fibril_string(out, FIBRIL_AUTO_LENGTH);
}

static fibril_value roots(fibril_args *args) {
  double number = fibril_arg_number(args, 0);
  if (fibril_arg_boolean(args, 1)) number = -number;
  if (number < 0)
    return fibril_error_type("RangeError", "ERR_NEGATIVE", "%g has no square root", number);
  return fibril_number(sqrt(number));
}

static fibril_value fail_missing(fibril_args *args) {
  return fibril_error_uv(UV_ENOENT, "open", fibril_arg_string(args, 0));
}

/* What is left to the arena goes with the call. */
static _Atomic int left; /* buffers that are alive, in all threads */

static void release_left(void *data) {
  free(data);
  left--;
}

static fibril_value leaves_values(fibril_args *args) {
  fibril_value list = fibril_array(0);
  if (fibril_is_error(list)) return list;
  for (int i = 0; i < 100; i++) {
    void *data = malloc(1);
    if (data == NULL) return fibril_error(UV_ENOMEM, NULL);
    left++;
    fibril_value buffer = fibril_buffer_take(data, 1, release_left);
    fibril_value text = fibril_string("left to the arena", FIBRIL_AUTO_LENGTH);
    if (fibril_is_error(buffer)) return buffer;
    if (fibril_is_error(text)) return text;
    int err = i % 2 == 0 ? fibril_array_push(list, text) : 0;
    if (err != 0) return fibril_error(err, NULL);
  }
  if (fibril_arg_boolean(args, 0)) return fibril_error(UV_EIO, NULL);
  return fibril_array_get(list, 7);
}

static fibril_value count_left(fibril_args *args) {
  (void)args;
  return fibril_number(left);
}

/* What a value that is made elsewhere meanwhile belongs to. */
static fibril_value kept;

static void keep_text(void *text) {
  fibril_value_free(kept);
  kept = fibril_string(text, FIBRIL_AUTO_LENGTH);
}

static fibril_value keep_in_coroutine(void *text) {
  fibril_on_loop(keep_text, text);
  return fibril_string("its own", FIBRIL_AUTO_LENGTH);
}

static void keep_when_done(fibril_future *future, void *text) {
  (void)future;
  keep_text(text);
}

static fibril_value keep_in_generator(fibril_generator *generator, void *text) {
  fibril_on_loop(keep_text, text);
  return fibril_yield(generator, fibril_string("yielded", FIBRIL_AUTO_LENGTH));
}

/* Values that others make while it runs are theirs, wherever they run. */
static fibril_value keeps(fibril_args *args) {
  fibril_loop *loop = fibril_loop_current();
  fibril_value out = fibril_undefined();
  fibril_future *future;
  fibril_generator *generator;
  switch (fibril_arg_integer(args, 0)) {
    case 0: fibril_on_loop(keep_text, "on the loop"); break;
    case 1:
      future = fibril_loop_spawn(loop, keep_in_coroutine, "in a coroutine", NULL);
      out = fibril_value_dup(fibril_future_result(future));
      fibril_future_unref(future);
      return out;
    case 2:
      future = fibril_future_new(loop);
      fibril_future_add_done_callback(future, keep_when_done, "when done", NULL);
      fibril_future_set_result(future, fibril_string("set", FIBRIL_AUTO_LENGTH));
      out = fibril_value_dup(fibril_future_result(future));
      fibril_future_unref(future);
      return out;
    case 3:
      generator = fibril_generator_new(loop, keep_in_generator, "in a generator", NULL);
      if (fibril_generator_next(generator, &out) == FIBRIL_YIELDED) out = fibril_value_dup(out);
      fibril_generator_unref(generator);
      return out;
    default: break;
  }
  return fibril_string("made here", FIBRIL_AUTO_LENGTH);
}

/* ---- Another loop, which settles what this one's callbacks wait for ---- */

static fibril_value settle_there(void *future) {
  fibril_future_set_result(future, fibril_number(1));
  return fibril_undefined();
}

static fibril_value keeps_from_another_loop(fibril_args *args) {
  fibril_future *future = fibril_future_new(fibril_loop_current());
  fibril_future_add_done_callback(future, keep_when_done, "when another loop runs", NULL);
  fibril_loop *other;
  uv_loop_t uv;
  (void)args;
  uv_loop_init(&uv);
  int err = fibril_loop_new(&uv, &other);
  if (err == 0) err = fibril_loop_run_sync(other, settle_there, future, -1, NULL);
  if (err == 0) fibril_loop_close(other, NULL, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  uv_loop_close(&uv);
  fibril_future_unref(future);
  return err != 0 ? fibril_error(err, NULL) : fibril_string("made here", FIBRIL_AUTO_LENGTH);
}

/* Allowed on the loop's stack, and so behind fibril_on_loop. */
static void turn_once(void *uv) {
  uv_run(uv, UV_RUN_NOWAIT);
}

static fibril_value turns(fibril_args *args) {
  uv_loop_t *uv = fibril_loop_uv(fibril_loop_current());
  if (fibril_arg_boolean(args, 0))
    turn_once(uv);
  else
    fibril_on_loop(turn_once, uv);
  return fibril_undefined();
}

static fibril_value take_kept(fibril_args *args) {
  fibril_value taken = kept;
  (void)args;
  kept = fibril_undefined();
  return taken;
}

/* Values that it puts into what outlives it. */
static fibril_channel *channel;

static fibril_value hand_on(fibril_args *args) {
  fibril_value list = fibril_array(0);
  if (channel == NULL) channel = fibril_channel_new(1000);
  fibril_array_push(list, fibril_string("handed on", FIBRIL_AUTO_LENGTH));
  int err = fibril_channel_trysend(channel, list);
  (void)args;
  return err != 0 ? fibril_error(err, NULL) : list;
}

static fibril_value receive(fibril_args *args) {
  fibril_value value = fibril_undefined();
  int err = fibril_channel_tryreceive(channel, &value);
  (void)args;
  return err != 0 ? fibril_error(err, NULL) : value;
}

/* What only coroutines have. */
static fibril_value no_coroutine(fibril_args *args) {
  static const char key;
  fibril_value out = fibril_array(0);
  fibril_future *future = fibril_spawn(NULL, NULL, NULL);
  int errors[] = {fibril_defer(free, NULL), fibril_local_set(&key, NULL, NULL),
                  fibril_error_code(fibril_future_result(future)),
                  fibril_group_new() == NULL ? UV_EINVAL : 0};
  (void)args;
  fibril_future_unref(future);
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    fibril_array_push(out, fibril_string(fibril_err_name(errors[i]), FIBRIL_AUTO_LENGTH));
  return out;
}

static void do_nothing(void *arg) {
  (void)arg;
}

/* The name of the error that each wait gives. */
static fibril_value waits(fibril_args *args) {
  fibril_value out = fibril_array(0);
  fibril_event event = {0};
  int errors[] = {
      fibril_sleep(0),
      fibril_moment(),
      fibril_pass(),
      fibril_event_wait(&event, 0),
      fibril_work(do_nothing, NULL),
      fibril_error_code(fibril_call(fibril_arg(args, 0), NULL, 0)),
  };
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    fibril_array_push(out, fibril_string(fibril_err_name(errors[i]), FIBRIL_AUTO_LENGTH));
  return out;
}

/* The result of a JavaScript function that returns no promise. */
static fibril_value call_now(fibril_args *args) {
  fibril_value argument = fibril_arg(args, 1);
  fibril_future *future = fibril_call_start(fibril_arg(args, 0), &argument, 1);
  fibril_value result = fibril_future_done(future)
                            ? fibril_value_take(fibril_future_result(future))
                            : fibril_error(FIBRIL_EPENDING, "%s", "it returned a promise");
  fibril_future_unref(future);
  return result;
}

static fibril_value sleep_and_count(void *arg) {
  int err = fibril_sleep(1);
  if (err == 0) ++*(int *)arg;
  return fibril_number(err);
}

static int spawned;

/* A coroutine that goes on after the call. */
static fibril_value spawns(fibril_args *args) {
  (void)args;
  fibril_future *future = fibril_loop_spawn(fibril_loop_current(), sleep_and_count, &spawned, NULL);
  bool done = fibril_future_done(future);
  fibril_future_unref(future);
  return fibril_boolean(done);
}

static fibril_value count_spawned(fibril_args *args) {
  (void)args;
  return fibril_number(spawned);
}

static fibril_value throw_by_name(fibril_args *args) {
  (void)args;
  fibril_value error = fibril_error(UV_EBUSY, "%s", "somebody has it");
  fibril_error_set(error, "owner", fibril_string("nobody", FIBRIL_AUTO_LENGTH));
  return error;
}

/* ---- A class ---- */

typedef struct {
  double sum;
  bool made, closed;
} tally;

static void release_tally(void *state) {
  if (((tally *)state)->made) live--;
}

static fibril_value new_tally(fibril_args *args) {
  ((tally *)fibril_this(args))->made = true;
  live++;
  return fibril_undefined();
}

static fibril_value tally_add(fibril_args *args) {
  tally *self = fibril_this(args);
  if (self->closed) return fibril_error(UV_EBADF, "%s", "the tally is closed");
  return fibril_number(self->sum += fibril_arg_number(args, 0));
}

static fibril_value tally_sum(fibril_args *args) {
  tally *self = fibril_this(args);
  fibril_value list = fibril_arg(args, 0);
  for (size_t i = 0; i < fibril_array_length(list); i++)
    self->sum += fibril_value_number(fibril_array_get(list, i));
  return fibril_number(self->sum);
}

static fibril_value tally_close(fibril_args *args) {
  ((tally *)fibril_this(args))->closed = true;
  return fibril_undefined();
}

static fibril_value tally_closed(fibril_args *args) {
  return fibril_boolean(((tally *)fibril_this(args))->closed);
}

static fibril_value count_live(fibril_args *args) {
  (void)args;
  return fibril_number(live);
}

static fibril_value list_colours(void) {
  static const char *const names[] = {"red", "green"};
  fibril_value list = fibril_array(0);
  for (size_t i = 0; i < 2; i++) {
    fibril_value name = fibril_string(names[i], FIBRIL_AUTO_LENGTH);
    int err = fibril_is_error(name) ? fibril_error_code(name) : fibril_array_push(list, name);
    if (err == 0) continue;
    fibril_value_free(list);
    return fibril_error(err, NULL);
  }
  return list;
}

static fibril_value long_text(fibril_args *args) {
  size_t length = (size_t)fibril_arg_number(args, 0);
  char *text = malloc(length + 1);
  if (text == NULL) return fibril_error(UV_ENOMEM, NULL);
  memset(text, 'x', length);
  fibril_value result = fibril_string(text, length);
  free(text);
  return result;
}

FIBRIL_MODULE(m) {
  fibril_export(m, "longText(length: number): string", long_text);
  fibril_export(m, "longTextLater(length: number): Promise<string>", long_text);
  const fibril_class_options options = {
      .size = sizeof options, .state_size = sizeof(tally), .release = release_tally};
  fibril_export(m, "/** The sum of two numbers. */ add(a: number, b: number): number", add);
  fibril_export(m, "addLater(a: number, b: number): Promise<number>", add);
  fibril_export(m, "nothing(): void", nothing);
  fibril_export(m, "same(value: any): any", same);
  fibril_export(m, "join(separator: string, ...parts: string[]): string", join);
  fibril_export(m, "root(number: number, options?: {negative?: boolean}): number", roots);
  fibril_export(m, "rootOf(number: number, negative?: boolean = false): number", roots);
  fibril_export(m, "failMissing(name: string): never", fail_missing);
  fibril_export(m, "failRest(name: string, ...rest: number[]): never", fail_missing);
  fibril_export(m, "rest(...values: any[]): any[]", same);
  fibril_export(m, "failMissingLater(name: string): Promise<never>", fail_missing);
  fibril_export(m, "leavesValues(fails?: boolean): string", leaves_values);
  fibril_export(m, "countLeft(): number", count_left);
  fibril_export(m, "keeps(how: 0 | 1 | 2 | 3 | 4): string", keeps);
  fibril_export(m, "keepsFromAnotherLoop(): string", keeps_from_another_loop);
  fibril_export(m, "turns(itself?: boolean = false): void", turns);
  fibril_export(m, "takeKept(): string | undefined", take_kept);
  fibril_export(m, "handOn(): string[]", hand_on);
  fibril_export(m, "receive(): string[]", receive);
  fibril_export(m, "noCoroutine(): string[]", no_coroutine);
  fibril_export(m, "waits(fn: Function): string[]", waits);
  fibril_export(m, "waitsLater(fn: Function): Promise<string[]>", waits);
  fibril_export(m, "callNow(fn: (value: any) => any, value?: any): any", call_now);
  fibril_export(m, "spawns(): boolean", spawns);
  fibril_export(m, "countSpawned(): number", count_spawned);
  fibril_export(m, "throwByName(): never", throw_by_name);
  fibril_export(m, "countLive(): number", count_live);
  fibril_class *cls = fibril_export_class(m, "Tally", &options);
  fibril_class_constructor(cls, "()", new_tally);
  fibril_class_method(cls, "add(number: number): number", tally_add, NULL);
  fibril_class_method(cls, "addLater(number: number): Promise<number>", tally_add, NULL);
  fibril_class_method(cls, "sum(...numbers: number[]): number", tally_sum, NULL);
  fibril_class_method(cls, "close(): void", tally_close, NULL);
  fibril_class_getter(cls, "closed: boolean", tally_closed);
  fibril_value limits = fibril_object();
  int err = fibril_object_set(limits, "depth", fibril_number(64));
  if (err != 0) {
    fibril_value_free(limits);
    limits = fibril_error(err, NULL);
  }
  fibril_export_value(m, "VERSION: string", fibril_string("1.2.3", FIBRIL_AUTO_LENGTH));
  fibril_export_value(m, "/** As many as there may be. */ limits: {depth: uint32}", limits);
  fibril_export_value(m, "colours: Array<'red' | 'green'>", list_colours());
  fibril_export_value(m, "LARGEST: bigint", fibril_bigint(INT64_MAX));
  fibril_export_value(m, "absent: undefined", fibril_undefined());
}
