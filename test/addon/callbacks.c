/* JavaScript functions that C keeps, for test/callbacks.test.js. */
#include <fibril.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- A function kept by an object ---- */

typedef struct {
  fibril_callback *callback;
} notifier;

static void notifier_release(void *state) {
  notifier *self = state;
  if (self->callback != NULL) fibril_callback_unref(self->callback);
}

static fibril_value notifier_new(fibril_args *args) {
  notifier *self = fibril_this(args);
  fibril_callback_options options = {
      .size = sizeof options,
      .limit = (size_t)fibril_value_integer(fibril_arg_option(args, 1, "limit")),
      .unref = fibril_value_boolean(fibril_arg_option(args, 1, "unref")),
  };
  self->callback = fibril_callback_new(fibril_arg(args, 0), &options);
  return self->callback == NULL ? fibril_error(UV_ENOMEM, NULL) : fibril_undefined();
}

static fibril_value notifier_call(fibril_args *args) {
  notifier *self = fibril_this(args);
  fibril_value value = fibril_arg(args, 0);
  return fibril_call(fibril_callback_function(self->callback), &value, 1);
}

static fibril_value notifier_hold(fibril_args *args) {
  notifier *self = fibril_this(args);
  bool held = fibril_arg_boolean(args, 0);
  (held ? fibril_callback_hold : fibril_callback_unhold)(self->callback);
  return fibril_undefined();
}

static fibril_value notifier_close(fibril_args *args) {
  notifier *self = fibril_this(args);
  if (self->callback != NULL) fibril_callback_unref(self->callback);
  self->callback = NULL;
  return fibril_undefined();
}

/* ---- From callbacks of the loop ---- */

typedef struct {
  notifier *notifier;
  fibril_value arg;
  fibril_future *called; /* what fibril_call_start gave */
  fibril_future *done;   /* the callback has run */
  bool forget;
} loop_call;

static void call_on_loop(void *arg) {
  loop_call *call = arg;
  fibril_value function = fibril_callback_function(call->notifier->callback);
  int err = 0;
  if (call->forget)
    err = fibril_call_forget(function, &call->arg, 1);
  else
    call->called = fibril_call_start(function, &call->arg, 1);
  fibril_future_set_result(call->done, fibril_number(err));
}

static fibril_value call_from_loop(fibril_args *args, bool forget) {
  loop_call call = {.notifier = fibril_this(args), .arg = fibril_arg(args, 0), .forget = forget};
  fibril_loop *loop = fibril_loop_current();
  call.done = fibril_future_new(loop);
  int err = call.done == NULL ? UV_ENOMEM : fibril_loop_add_callback(loop, call_on_loop, &call);
  if (err != 0) {
    if (call.done != NULL) fibril_future_unref(call.done);
    return fibril_error(err, NULL);
  }
  fibril_mask(); /* until it has run, the callback uses what is on this stack */
  fibril_value result = fibril_await(call.done);
  fibril_unmask();
  if (!forget && !fibril_is_error(result)) result = fibril_await(call.called);
  result = fibril_value_dup(result);
  if (call.called != NULL) fibril_future_unref(call.called);
  fibril_future_unref(call.done);
  return result;
}

static fibril_value notifier_start(fibril_args *args) {
  return call_from_loop(args, false);
}

static fibril_value notifier_forget(fibril_args *args) {
  return call_from_loop(args, true);
}

/* Starts a call in the coroutine and drops, or cancels, its future. */
static fibril_value notifier_drop(fibril_args *args) {
  notifier *self = fibril_this(args);
  fibril_value value = fibril_arg(args, 0);
  fibril_future *future = fibril_call_start(fibril_callback_function(self->callback), &value, 1);
  int err = fibril_arg_boolean(args, 1) ? fibril_cancel(future) : 0;
  if (err == 0 && fibril_arg_boolean(args, 1)) err = fibril_error_code(fibril_await(future));
  fibril_future_unref(future);
  return fibril_number(err);
}

/* ---- From threads ---- */

typedef struct {
  fibril_callback *callback;
  fibril_poster *poster;
  fibril_future *future; /* settled when all threads and all calls have ended */
  bool attempt, hear, text;
  int count;
  _Atomic int taken, again, canceled, lost;
  /* The loop's thread alone: */
  int threads, pending, heard, failed, refused;
  double sum;
  char message[64];
} production;

typedef struct {
  production *of;
  uv_thread_t thread;
  int index;
} producer;

static void finish_if_done(production *all) {
  if (all->threads > 0 || all->pending > 0) return;
  fibril_future_set_result(all->future, fibril_undefined());
}

static void on_call_done(fibril_value result, void *arg) {
  production *all = arg;
  all->heard++;
  all->pending--;
  if (fibril_error_code(result) == UV_ECANCELED) {
    all->refused++;
  } else if (fibril_is_error(result)) {
    all->failed++;
    strncpy(all->message, fibril_error_message(result), sizeof all->message - 1);
  } else {
    all->sum += fibril_value_number(result);
  }
  finish_if_done(all);
}

static void on_producer_done(void *arg) {
  producer *one = arg;
  production *all = one->of;
  uv_thread_join(&one->thread);
  free(one);
  all->threads--;
  if (all->threads == 0 && all->hear) all->pending += all->taken;
  finish_if_done(all);
}

/* A member that could not be made is no member. */
static int push(fibril_value array, fibril_value item) {
  return fibril_is_error(item) ? fibril_error_code(item) : fibril_array_push(array, item);
}

static int set(fibril_value object, const char *key, fibril_value item) {
  return fibril_is_error(item) ? fibril_error_code(item) : fibril_object_set(object, key, item);
}

/* {list: ['text', <bytes>]} */
static int text_and_bytes(fibril_value *out) {
  fibril_value list = fibril_array(2);
  *out = fibril_object();
  int err = push(list, fibril_string("text", FIBRIL_AUTO_LENGTH));
  if (err == 0) err = push(list, fibril_buffer("bytes", 5));
  if (err == 0) return set(*out, "list", list);
  fibril_value_free(list);
  return err;
}

static void produce_in_thread(void *arg) {
  producer *one = arg;
  production *all = one->of;
  for (int i = 0; i < all->count; i++) {
    fibril_value args[2] = {fibril_number(one->index), fibril_number(i)};
    if (all->text) {
      int err = text_and_bytes(&args[1]);
      if (err != 0) all->lost++;
    }
    fibril_callback_done done = all->hear ? on_call_done : NULL;
    int err = all->attempt ? fibril_callback_trysend(all->callback, args, 2, done, all)
                           : fibril_callback_send(all->callback, args, 2, done, all);
    if (err == 0) all->taken++;
    if (err == UV_EAGAIN) all->again++;
    if (err == UV_ECANCELED) all->canceled++;
    if (err == UV_ENOMEM) all->lost++;
  }
  fibril_callback_unref(all->callback);
  while (fibril_post(all->poster, on_producer_done, one) == UV_ENOMEM) all->lost++;
}

static bool option(const fibril_args *args, const char *name) {
  return fibril_value_boolean(fibril_arg_option(args, 1, name));
}

static fibril_value report(const production *all) {
  fibril_value object = fibril_object();
  if (all->lost > 0) return fibril_error(UV_ENOMEM, NULL);
  int err = set(object, "taken", fibril_number(all->taken));
  if (err == 0) err = set(object, "again", fibril_number(all->again));
  if (err == 0) err = set(object, "canceled", fibril_number(all->canceled));
  if (err == 0) err = set(object, "heard", fibril_number(all->heard));
  if (err == 0) err = set(object, "failed", fibril_number(all->failed));
  if (err == 0) err = set(object, "sum", fibril_number(all->sum));
  if (err == 0) err = set(object, "message", fibril_string(all->message, FIBRIL_AUTO_LENGTH));
  return err == 0 ? object : fibril_error(err, NULL);
}

/* Threads that call the function; the counts, when all of it has ended. */
static fibril_value produce(fibril_args *args) {
  fibril_loop *loop = fibril_loop_current();
  fibril_callback_options options = {
      .size = sizeof options,
      .limit = (size_t)fibril_value_integer(fibril_arg_option(args, 1, "limit")),
  };
  int threads = (int)fibril_value_integer(fibril_arg_option(args, 1, "threads"));
  production *all = calloc(1, sizeof *all);
  if (all == NULL) return fibril_error(UV_ENOMEM, NULL);
  all->callback = fibril_callback_new(fibril_arg(args, 0), &options);
  all->future = fibril_future_new(loop);
  if (all->callback == NULL || all->future == NULL) {
    if (all->callback != NULL) fibril_callback_unref(all->callback);
    if (all->future != NULL) fibril_future_unref(all->future);
    free(all);
    return fibril_error(UV_ENOMEM, NULL);
  }
  all->poster = fibril_loop_poster(loop);
  all->count = (int)fibril_value_integer(fibril_arg_option(args, 1, "count"));
  all->attempt = option(args, "attempt");
  all->hear = option(args, "hear");
  all->text = option(args, "text");
  all->threads = threads;
  fibril_future_hold(all->future);
  for (int i = 0; i < threads; i++) {
    producer *one = malloc(sizeof *one);
    *one = (producer){.of = all, .index = i};
    fibril_callback_ref(all->callback);
    uv_thread_create(&one->thread, produce_in_thread, one);
  }
  fibril_callback_unref(all->callback);
  fibril_value result = fibril_await(all->future);
  if (fibril_is_error(result)) return result; /* the threads still have the rest */
  result = report(all);
  fibril_poster_unref(all->poster);
  fibril_future_unref(all->future);
  free(all);
  return result;
}

/* ---- Calls from a pool thread, which the end of the environment has to end ---- */

static _Atomic int told; /* how many calls ended with UV_ECANCELED in all environments */

static void on_told(fibril_value result, void *arg) {
  (void)arg;
  if (fibril_error_code(result) == UV_ECANCELED) told++;
}

typedef struct {
  fibril_callback *callback;
  int sent;
} flood;

static void flood_in_thread(void *arg) {
  flood *all = arg;
  fibril_value number = fibril_number(1);
  while (fibril_callback_send(all->callback, &number, 1, on_told, NULL) == 0) all->sent++;
}

/* Sends until the environment ends. */
static fibril_value flood_for_ever(fibril_args *args) {
  flood all = {fibril_callback_new(fibril_arg(args, 0), NULL), 0};
  int err = fibril_work(flood_in_thread, &all);
  fibril_callback_unref(all.callback);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(all.sent);
}

static fibril_value count_told(fibril_args *args) {
  (void)args;
  return fibril_number(told);
}

/* ---- A reference that outlives its environment ---- */

static _Atomic(fibril_callback *) survivor;

static fibril_value survive(fibril_args *args) {
  fibril_callback_options options = {.size = sizeof options, .unref = true};
  survivor = fibril_callback_new(fibril_arg(args, 0), &options);
  return fibril_undefined();
}

/* What a thread of another environment gets from it; it is dropped. */
static fibril_value call_survivor(fibril_args *args) {
  (void)args;
  fibril_callback *callback = survivor;
  fibril_value text = fibril_string("text", FIBRIL_AUTO_LENGTH), list = fibril_array(3);
  fibril_array_push(list, fibril_number(fibril_callback_send(callback, &text, 1, on_told, NULL)));
  fibril_array_push(list, fibril_number(fibril_callback_trysend(callback, NULL, 0, NULL, NULL)));
  fibril_callback_unref(callback);
  return list;
}

/* ---- One call after the other, each sent when the one before has ended ---- */

typedef struct {
  fibril_callback *callback;
  fibril_future *future;
  double left;
} chain;

static void on_link_done(fibril_value result, void *arg) {
  chain *self = arg;
  int err = fibril_error_code(result);
  fibril_value number = fibril_number(--self->left);
  if (err == 0 && self->left > 0)
    err = fibril_callback_send(self->callback, &number, 1, on_link_done, self);
  if (err != 0 || self->left == 0) fibril_future_set_result(self->future, fibril_number(err));
}

static fibril_value call_in_a_row(fibril_args *args) {
  fibril_callback_options options = {.size = sizeof options, .limit = 1};
  chain self = {fibril_callback_new(fibril_arg(args, 0), &options),
                fibril_future_new(fibril_loop_current()), fibril_arg_number(args, 1)};
  fibril_value number = fibril_number(self.left);
  int err = fibril_callback_send(self.callback, &number, 1, on_link_done, &self);
  if (err == 0) err = (int)fibril_value_integer(fibril_await(self.future));
  fibril_callback_unref(self.callback);
  fibril_future_unref(self.future);
  return fibril_number(err);
}

/* ---- More than there is room for, on the loop's own thread ---- */

/* What the second of two calls gives, which may be under way one at a time, and a third. */
static fibril_value overfill(fibril_args *args) {
  fibril_callback_options options = {.size = sizeof options, .limit = 1};
  fibril_callback *callback = fibril_callback_new(fibril_arg(args, 0), &options);
  fibril_value list = fibril_array(3), text = fibril_string("text", FIBRIL_AUTO_LENGTH);
  int first = fibril_callback_send(callback, NULL, 0, NULL, NULL);
  int second = fibril_callback_send(callback, &text, 1, NULL, NULL);
  int third = fibril_callback_trysend(callback, NULL, 0, NULL, NULL);
  fibril_callback_unref(callback);
  fibril_array_push(list, fibril_number(first));
  fibril_array_push(list, fibril_number(second));
  fibril_array_push(list, fibril_number(third));
  return list;
}

/* An argument that nests deeper than JavaScript's values may. */
static fibril_value forget_deep(fibril_args *args) {
  fibril_value value = fibril_array(0);
  for (int i = 0; i < 1000001; i++) {
    fibril_value outer = fibril_array(1);
    fibril_array_push(outer, value);
    value = outer;
  }
  return fibril_number(fibril_call_forget(fibril_arg(args, 0), &value, 1));
}

/* ---- Every way without waiting, with more arguments than there is room for without memory ---- */

static void settle_with_code(fibril_value result, void *future) {
  fibril_future_set_result(future, fibril_number(fibril_error_code(result)));
}

static int send_and_wait(fibril_value function, const fibril_value *args, size_t count) {
  fibril_callback *callback = fibril_callback_new(function, NULL);
  fibril_future *future = fibril_future_new(fibril_loop_current());
  int err = callback == NULL || future == NULL ? UV_ENOMEM : 0;
  if (err == 0) err = fibril_callback_trysend(callback, args, count, settle_with_code, future);
  if (err == 0) err = (int)fibril_value_integer(fibril_await(future));
  if (callback != NULL) fibril_callback_unref(callback);
  if (future != NULL) fibril_future_unref(future);
  return err;
}

static fibril_value call_every_way(fibril_args *args) {
  fibril_value many[10], function = fibril_arg(args, 0);
  for (int i = 0; i < 10; i++) many[i] = fibril_number(i);
  int err = FAILED_FUTURE(fibril_call_start(function, many, 10));
  if (err == 0) err = fibril_call_forget(function, many, 10);
  if (err == 0) err = send_and_wait(function, many, 10);
  return err == 0 ? fibril_undefined() : fibril_error(err, NULL);
}

/* ---- Misuse ---- */

static fibril_value misuse(fibril_args *args) {
  fibril_value values[] = {fibril_arg(args, 0), fibril_number(1), fibril_undefined(),
                           fibril_arg(args, 1)};
  fibril_callback_options bad = {.size = 3};
  fibril_value list = fibril_array(8);
  for (size_t i = 1; i < 4; i++) {
    int started = FAILED_FUTURE(fibril_call_start(values[i], NULL, 0));
    fibril_array_push(list, fibril_number(started));
    fibril_array_push(list, fibril_number(fibril_call_forget(values[i], NULL, 0)));
    fibril_array_push(list, fibril_boolean(fibril_callback_new(values[i], NULL) == NULL));
    fibril_array_push(list, fibril_number(fibril_error_code(fibril_call(values[i], NULL, 0))));
  }
  fibril_array_push(list, fibril_boolean(fibril_callback_new(values[0], &bad) == NULL));
  return list;
}

/* ---- Calls where there can be none: outside of coroutines, and at an environment's end ---- */

typedef struct {
  fibril_value function;
  fibril_callback *callback;
} late;

static _Atomic int late_forget, late_start;
static _Atomic bool late_new, late_function;

static void late_release(void *state) {
  late *self = state;
  if (self->callback == NULL) return;
  late_start = FAILED_FUTURE(fibril_call_start(self->function, NULL, 0));
  late_forget = fibril_call_forget(self->function, NULL, 0);
  fibril_callback *another = fibril_callback_new(self->function, NULL);
  late_new = another != NULL;
  if (another != NULL) fibril_callback_unref(another); /* it was only collected */
  late_function = fibril_value_kind(fibril_callback_function(self->callback)) != FIBRIL_UNDEFINED;
  fibril_callback_unref(self->callback);
  fibril_value_free(self->function);
}

static fibril_value late_make(fibril_args *args) {
  late *self = fibril_this(args);
  fibril_callback_options options = {.size = sizeof options, .unref = true};
  self->function = fibril_value_dup(fibril_arg(args, 0));
  self->callback = fibril_callback_new(self->function, &options);
  return fibril_undefined();
}

static fibril_value late_outside(fibril_args *args) {
  late *self = fibril_this(args);
  return fibril_number(fibril_error_code(fibril_call(self->function, NULL, 0)));
}

static fibril_value late_codes(fibril_args *args) {
  (void)args;
  fibril_value list = fibril_array(4);
  fibril_array_push(list, fibril_number(late_start));
  fibril_array_push(list, fibril_number(late_forget));
  fibril_array_push(list, fibril_boolean(late_new));
  fibril_array_push(list, fibril_boolean(late_function));
  return list;
}

/* Waits for JavaScript behind a mask, and shows what another call gives, and whether the mask held
 * after that. */
static _Atomic int shielded_result, shielded_again, shielded_moment;

static fibril_value shielded(fibril_args *args) {
  bool start = fibril_arg_boolean(args, 1);
  fibril_future *future = start ? fibril_call_start(fibril_arg(args, 0), NULL, 0) : NULL;
  shielded_result = shielded_again = shielded_moment = 1;
  fibril_mask();
  shielded_result =
      fibril_error_code(start ? fibril_await(future) : fibril_call(fibril_arg(args, 0), NULL, 0));
  shielded_again = fibril_error_code(fibril_call(fibril_arg(args, 0), NULL, 0));
  shielded_moment = fibril_moment();
  fibril_unmask();
  if (start) fibril_future_unref(future);
  return fibril_undefined();
}

static fibril_value shielded_codes(fibril_args *args) {
  (void)args;
  fibril_value list = fibril_array(3);
  fibril_array_push(list, fibril_number(shielded_result));
  fibril_array_push(list, fibril_number(shielded_again));
  fibril_array_push(list, fibril_number(shielded_moment));
  return list;
}

FIBRIL_MODULE(m) {
  fibril_class *lates = fibril_export_class(
      m, "Late", &(fibril_class_options){sizeof(fibril_class_options), sizeof(late), late_release});
  fibril_class_constructor(lates, "(fn: Function)", late_make);
  fibril_class_getter(lates, "outside: number", late_outside);
  fibril_export(m, "shielded(fn: Function, start?: boolean): Promise<void>", shielded);
  fibril_export(m, "shieldedCodes(): Promise<number[]>", shielded_codes);
  fibril_export(m, "lateCodes(): Promise<any>", late_codes);
  fibril_class_options options = {
      .size = sizeof options, .state_size = sizeof(notifier), .release = notifier_release};
  fibril_class *notifiers = fibril_export_class(m, "Notifier", &options);
  fibril_class_constructor(notifiers, "(fn: Function, options?: {limit?: uint32, unref?: boolean})",
                           notifier_new);
  fibril_class_method(notifiers, "hold(held: boolean): Promise<void>", notifier_hold, NULL);
  fibril_class_method(notifiers, "call(value: any): Promise<any>", notifier_call, NULL);
  fibril_class_method(notifiers, "start(value: any): Promise<any>", notifier_start, NULL);
  fibril_class_method(notifiers, "forget(value: any): Promise<number>", notifier_forget, NULL);
  fibril_class_method(notifiers, "drop(value: any, cancel: boolean = false): Promise<number>",
                      notifier_drop, NULL);
  fibril_class_method(notifiers, "close(): Promise<void>", notifier_close, NULL);
  fibril_export(m,
                "produce(fn: Function, options: {threads: uint32, count: uint32, limit?: uint32, "
                "attempt?: boolean, hear?: boolean, text?: boolean}): Promise<object>",
                produce);
  fibril_export(m, "flood(fn: Function): Promise<number>", flood_for_ever);
  fibril_export(m, "callInARow(fn: Function, times: number): Promise<number>", call_in_a_row);
  fibril_export(m, "countTold(): Promise<number>", count_told);
  fibril_export(m, "survive(fn: Function): Promise<void>", survive);
  fibril_export(m, "callSurvivor(): Promise<number[]>", call_survivor);
  fibril_export(m, "overfill(fn: Function): Promise<number[]>", overfill);
  fibril_export(m, "forgetDeep(fn: Function): Promise<number>", forget_deep);
  fibril_export(m, "callEveryWay(fn: Function): Promise<void>", call_every_way);
  fibril_export_with(m, "misuse(fn: Function, other: object): Promise<any[]>", misuse, NULL);
}
