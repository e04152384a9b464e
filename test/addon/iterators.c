/* Generators for test/iterators.test.js, exported as any addon would. */
#include <fibril.h>

#include <stdio.h>
#include <stdlib.h>

static _Atomic int live;    /* generator functions that have not returned, in all threads */
static _Atomic int yielded; /* fibril_yield calls that have been made since the last counts() */

static fibril_value hand_over(fibril_generator *generator, fibril_value value) {
  yielded++;
  return fibril_yield(generator, value);
}

static fibril_value range(fibril_generator *generator, double count, bool later) {
  live++;
  fibril_value result = fibril_number(count);
  for (double i = 0; i < count; i++) {
    int err = later ? fibril_moment() : 0;
    fibril_value sent = err != 0 ? fibril_error(err, NULL) : hand_over(generator, fibril_number(i));
    if (!fibril_is_error(sent)) continue;
    result = sent;
    break;
  }
  live--;
  return result;
}

static fibril_value count(fibril_args *args, fibril_generator *generator) {
  return range(generator, fibril_arg_number(args, 0), false);
}

static fibril_value count_later(fibril_args *args, fibril_generator *generator) {
  return range(generator, fibril_arg_number(args, 0), true);
}

/* Yields what it was sent, errors as their messages, until "stop", which it returns. */
static fibril_value echo(fibril_args *args, fibril_generator *generator) {
  (void)args;
  fibril_value value = fibril_string("ready", FIBRIL_AUTO_LENGTH);
  for (;;) {
    if (fibril_is_error(value)) return value;
    fibril_value sent = hand_over(generator, value);
    const char *text = fibril_value_string(sent, NULL);
    if (fibril_error_code(sent) == UV_ECANCELED) return sent;
    if (text != NULL && text[0] == '!') return fibril_error(UV_EIO, "%s", text + 1);
    if (text != NULL && text[0] == '.') return fibril_value_dup(sent);
    value = fibril_is_error(sent) ? fibril_string(fibril_error_message(sent), FIBRIL_AUTO_LENGTH)
                                  : fibril_value_dup(sent);
  }
}

/* One value, then what throw() threw. */
static fibril_value rethrow(fibril_args *args, fibril_generator *generator) {
  (void)args;
  return hand_over(generator, fibril_number(1));
}

static fibril_value hang(fibril_args *args, fibril_generator *generator) {
  (void)args;
  live++;
  fibril_value sent = hand_over(generator, fibril_undefined());
  int err = fibril_is_error(sent) ? fibril_error_code(sent) : fibril_sleep(1e9);
  live--;
  return fibril_error(err, NULL);
}

/* Takes a while to clean up, and then fails with `code`, if it is not 0. */
static fibril_value careful(fibril_args *args, fibril_generator *generator) {
  live++;
  fibril_value sent = hand_over(generator, fibril_undefined());
  fibril_mask();
  for (int i = 0; i < 3; i++) fibril_moment();
  fibril_unmask();
  live--;
  int code = (int)fibril_arg_integer(args, 0);
  return code != 0 ? fibril_error(code, NULL) : sent;
}

/* Yields behind a mask, which goes on to shield the clean-up: else it counts as live for ever. */
static fibril_value masked(fibril_args *args, fibril_generator *generator) {
  (void)args;
  fibril_value sent;
  live++;
  fibril_mask();
  do sent = hand_over(generator, fibril_undefined());
  while (!fibril_is_error(sent));
  sent = fibril_value_dup(sent); /* borrowed until the next yield */
  hand_over(generator, fibril_undefined());
  if (fibril_moment() == 0) live--;
  fibril_unmask();
  return sent;
}

/* An error in place of a value. */
static fibril_value bad_value(fibril_args *args, fibril_generator *generator) {
  (void)args;
  hand_over(generator, fibril_number(1));
  return hand_over(generator, fibril_error(UV_ENOSPC, "no room for %s", "the value"));
}

static fibril_value sleep_once(fibril_args *args, fibril_generator *generator) {
  (void)args;
  hand_over(generator, fibril_number(1));
  int err = fibril_sleep(1);
  return fibril_error(err, NULL);
}

static fibril_value of_all_kinds(fibril_args *args, fibril_generator *generator) {
  fibril_value object = fibril_object();
  int err = fibril_object_set(object, "name", fibril_string("x", 1));
  if (err != 0) return fibril_error(err, NULL);
  fibril_value values[] = {object, fibril_string("text", FIBRIL_AUTO_LENGTH), fibril_null(),
                           fibril_buffer("ab", 2), fibril_value_dup(fibril_arg(args, 0))};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    fibril_value sent = hand_over(generator, values[i]);
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_string("end", FIBRIL_AUTO_LENGTH);
}

/* Calls a function for each value. */
static fibril_value mapped(fibril_args *args, fibril_generator *generator) {
  for (double i = 0;; i++) {
    fibril_value number = fibril_number(i);
    fibril_value value = fibril_call(fibril_arg(args, 0), &number, 1);
    if (fibril_is_error(value)) return value;
    value = hand_over(generator, value);
    if (fibril_is_error(value)) return value;
  }
}

typedef struct {
  fibril_generator *generator;
  fibril_value got;
  int next, close;
} stranger;

static fibril_value yield_for(void *arg) {
  stranger *other = arg;
  other->got = fibril_yield(other->generator, fibril_number(1));
  return fibril_undefined();
}

/* What all but its own function may do with a generator. */
static fibril_value misuse(fibril_args *args, fibril_generator *generator) {
  (void)args;
  stranger other = {.generator = generator};
  fibril_future *future = fibril_spawn(yield_for, &other, NULL);
  fibril_await(future);
  fibril_future_unref(future);
  hand_over(generator, fibril_number(fibril_error_code(other.got)));
  hand_over(generator, fibril_number(fibril_generator_next(generator, NULL)));
  return fibril_number(fibril_generator_close(generator));
}

/* A class: its items, between two of which the object may be gone for JavaScript. */
typedef struct {
  double step;
} ladder;

static fibril_value ladder_new(fibril_args *args) {
  ladder *self = fibril_this(args);
  self->step = fibril_arg_number(args, 0);
  return fibril_undefined();
}

static void ladder_release(void *state) {
  ((ladder *)state)->step = 0;
  yielded = -1;
}

static fibril_value climb(fibril_args *args, fibril_generator *generator) {
  const ladder *self = fibril_this(args);
  for (double at = 0; at < fibril_arg_number(args, 0); at += self->step) {
    fibril_value sent = fibril_yield(generator, fibril_number(at));
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_undefined();
}

static fibril_value counts(fibril_args *args) {
  (void)args;
  fibril_value result = fibril_object();
  fibril_object_set(result, "live", fibril_number(live));
  fibril_object_set(result, "yielded", fibril_number(yielded));
  yielded = 0;
  return result;
}

/* What makes no sense; the environment says which. */
static void export_bad(fibril_module *m, int which, fibril_class *cls) {
  fibril_export_options ahead = {.size = sizeof ahead, .ahead = 1};
  fibril_export_options far_ahead = {.size = sizeof ahead, .ahead = 65537};
  switch (which) {
    case 0: fibril_export_generator(m, "bad(): AsyncGenerator<number>", count, NULL); break;
    case 1: fibril_export_async_generator(m, "bad(): Promise<number>", count, NULL); break;
    case 2: fibril_export_generator(m, "bad(): Generator<number>", count, &ahead); break;
    case 3: fibril_export_generator(m, "bad(s: AbortSignal): Generator<any>", count, NULL); break;
    case 4:
      fibril_export_async_generator(m, "bad(): AsyncGenerator<any>", count, &far_ahead);
      break;
    case 5: fibril_class_generator(cls, "constructor(): Generator<any>", count, NULL); break;
    default:
      fibril_class_async_generator(cls, "constructor(): AsyncGenerator<any>", count, NULL);
      break;
  }
}

/* Arrays with an error each, whose making runs JavaScript where Error.prepareStackTrace is set. */
static fibril_value troubles(fibril_args *args, fibril_generator *self) {
  for (int i = 0; i < (int)fibril_arg_number(args, 0); i++) {
    fibril_value array = fibril_array(1);
    int err =
        fibril_is_error(array)
            ? fibril_error_code(array)
            : fibril_array_push(array, fibril_error_type("TypeError", "ERR_TEST", "item %d", i));
    if (err != 0) return fibril_error(err, NULL);
    fibril_value sent = fibril_yield(self, array);
    if (fibril_is_error(sent)) return sent;
  }
  return fibril_undefined();
}

/* Each value in time, or not at all: how many there were is the last one. */
static fibril_value in_time(fibril_args *args, fibril_generator *generator) {
  double to = fibril_arg_number(args, 0), ms = fibril_arg_number(args, 1);
  int late = 0;
  char text[64];
  for (int i = 0; i < to; i++) {
    snprintf(text, sizeof text, "value number %d, which is a text on the heap", i);
    fibril_deadline_push(ms);
    fibril_value sent = fibril_yield(generator, fibril_string(text, FIBRIL_AUTO_LENGTH));
    fibril_deadline_pop();
    if (fibril_error_code(sent) == UV_ECANCELED) return fibril_undefined();
    late += fibril_is_error(sent);
  }
  return fibril_number(late);
}

FIBRIL_MODULE(m) {
  fibril_export_options ahead = {.size = sizeof ahead, .ahead = 4};
  fibril_export_generator(m, "count(to: number): Generator<number>", count, NULL);
  fibril_export_generator(m, "troubles(count: number): Generator<Error[]>", troubles, NULL);
  fibril_export_generator(m, "echo(): Generator<any, any, any>", echo, NULL);
  fibril_export_generator(m, "rethrow(): Generator<number>", rethrow, NULL);
  fibril_export_generator(m, "badValue(): Generator<number>", bad_value, NULL);
  fibril_export_generator(m, "sleepOnce(): Generator<number>", sleep_once, NULL);
  fibril_export_generator(m, "ofAllKinds(last: any): Generator<any>", of_all_kinds, NULL);
  fibril_export_generator(m, "callOnce(fn: Function): Generator<any>", mapped, NULL);
  fibril_export_async_generator(m, "stream(to: number): AsyncGenerator<number>", count, NULL);
  fibril_export_generator(m, "inTimeAtOnce(to: number, ms: number): Generator<string, number>",
                          in_time, NULL);
  fibril_export_async_generator(m, "inTime(to: number, ms: number): AsyncGenerator<string, number>",
                                in_time, NULL);
  fibril_export_async_generator(
      m, "inTimeAhead(to: number, ms: number): AsyncGenerator<string, number>", in_time, &ahead);
  fibril_export_async_generator(
      m, "countLater(to: number, options?: {signal?: AbortSignal}): AsyncGenerator<number>",
      count_later, NULL);
  fibril_export_async_generator(
      m, "countAhead(to: number, options?: {signal?: AbortSignal}): AsyncGenerator<number>", count,
      &ahead);
  fibril_export_async_generator(m, "countLaterAhead(to: number): AsyncGenerator<number>",
                                count_later, &ahead);
  fibril_export_async_generator(m, "echoAsync(): AsyncGenerator<any, any, any>", echo, NULL);
  fibril_export_async_generator(m, "echoAhead(): AsyncGenerator<any, any, any>", echo, &ahead);
  fibril_export_async_generator(m, "rethrowAsync(): AsyncGenerator<number>", rethrow, NULL);
  fibril_export_async_generator(m, "hang(signal?: AbortSignal): AsyncGenerator<undefined>", hang,
                                NULL);
  fibril_export_async_generator(m, "maskedAsync(): AsyncGenerator<undefined>", masked, NULL);
  fibril_export_async_generator(m, "maskedAhead(): AsyncGenerator<undefined>", masked, &ahead);
  fibril_export_async_generator(m, "careful(code: int32): AsyncGenerator<undefined>", careful,
                                NULL);
  fibril_export_async_generator(m, "badValueAsync(): AsyncGenerator<number>", bad_value, NULL);
  fibril_export_async_generator(m, "ofAllKindsAsync(last: any): AsyncGenerator<any>", of_all_kinds,
                                NULL);
  fibril_export_async_generator(
      m, "mapped(fn: Function, options?: {signal?: AbortSignal}): AsyncGenerator<any>", mapped,
      NULL);
  fibril_export_async_generator(m, "misuse(): AsyncGenerator<number>", misuse, NULL);
  fibril_class *ladders =
      fibril_export_class(m, "Ladder",
                          &(fibril_class_options){.size = sizeof(fibril_class_options),
                                                  .state_size = sizeof(ladder),
                                                  .release = ladder_release});
  fibril_class_constructor(ladders, "(step: number)", ladder_new);
  fibril_class_generator(ladders, "rungs(to: number): Generator<number>", climb, NULL);
  fibril_class_async_generator(ladders, "climb(to: number): AsyncGenerator<number>", climb, NULL);
  const char *bad = getenv("FIBRIL_TEST_GENERATOR");
  if (bad != NULL) export_bad(m, atoi(bad), ladders);
  fibril_export(m, "counts(): Promise<{live: number, yielded: number}>", counts);
}
