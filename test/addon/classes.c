/* Classes for test/classes.test.js, exported as any addon would. */
#include <fibril.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int live; /* structs of Counter in all threads */

typedef struct counter {
  double value;
  char *name;
  bool made, closed;
  fibril_mutex mutex;
  fibril_event changed;
  fibril_value kept;
  struct counter *elder; /* counted */
  alignas(max_align_t) char aligned[16];
} counter;

static void counter_release(void *state) {
  counter *self = state;
  if (self->made) live--;
  free(self->name);
  fibril_value_free(self->kept);
  if (self->elder != NULL) fibril_this_unref(self->elder);
}

static fibril_value counter_new(fibril_args *args) {
  counter *self = fibril_this(args);
  if ((uintptr_t)self->aligned % alignof(max_align_t) != 0) return fibril_error(UV_EFAULT, NULL);
  self->made = true;
  live++;
  self->value = fibril_arg_number(args, 0);
  if (self->value < 0)
    return fibril_error_type("RangeError", "ERR_TEST", "%s", "a counter starts at 0 or more");
  const char *name = fibril_value_string(fibril_arg_option(args, 1, "name"), NULL);
  self->name = strdup(name == NULL ? "" : name);
  return self->name == NULL ? fibril_error(UV_ENOMEM, NULL) : fibril_number(1);
}

static fibril_value counter_add(fibril_args *args) {
  counter *self = fibril_this(args);
  self->value += fibril_arg_number(args, 0);
  fibril_event_set(&self->changed);
  return fibril_number(self->value);
}

/* Reads, waits and writes, which only the mutex makes one step. */
static fibril_value counter_add_later(fibril_args *args) {
  counter *self = fibril_this(args);
  int err = fibril_mutex_lock(&self->mutex);
  if (err != 0) return fibril_error(err, NULL);
  double value = self->value;
  err = fibril_moment();
  if (err == 0) self->value = value + fibril_arg_number(args, 0);
  fibril_mutex_unlock(&self->mutex);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(self->value);
}

static fibril_value counter_change(fibril_args *args) {
  counter *self = fibril_this(args);
  fibril_event_clear(&self->changed);
  int err = fibril_event_wait(&self->changed, -1);
  return err != 0 ? fibril_error(err, NULL) : fibril_number(self->value);
}

static fibril_value counter_sum(fibril_args *args) {
  counter *self = fibril_this(args);
  for (size_t i = 0; i < 3; i++) self->value += fibril_arg_number(args, i);
  return fibril_number(self->value);
}

static fibril_value counter_keep(fibril_args *args) {
  counter *self = fibril_this(args);
  fibril_value_free(self->kept);
  self->kept = fibril_value_dup(fibril_arg(args, 0));
  return fibril_undefined();
}

static fibril_value counter_kept(fibril_args *args) {
  counter *self = fibril_this(args);
  return fibril_value_dup(self->kept);
}

static _Thread_local counter *eldest;

/* Of a row of objects each keeps the struct of the one before it. */
static fibril_value counter_line_up(fibril_args *args) {
  counter *self = fibril_this(args);
  self->elder = eldest;
  if (eldest != NULL) fibril_this_ref(eldest);
  eldest = self;
  return fibril_undefined();
}

static fibril_value counter_close(fibril_args *args) {
  counter *self = fibril_this(args);
  int err = fibril_moment();
  self->closed = true;
  return err != 0 ? fibril_error(err, NULL) : fibril_undefined();
}

static fibril_value counter_value(fibril_args *args) {
  return fibril_number(((counter *)fibril_this(args))->value);
}

static fibril_value counter_name(fibril_args *args) {
  return fibril_string(((counter *)fibril_this(args))->name, FIBRIL_AUTO_LENGTH);
}

static fibril_value counter_closed(fibril_args *args) {
  return fibril_boolean(((counter *)fibril_this(args))->closed);
}

static fibril_value counter_broken(fibril_args *args) {
  (void)args;
  return fibril_error_uv(UV_EIO, "read", NULL);
}

/* What may not be done where nothing can wait. */
static fibril_value counter_waits(fibril_args *args) {
  (void)args;
  return fibril_number(fibril_sleep(1));
}

typedef struct {
  counter *counter;
  double ms;
} ticker;

static _Thread_local fibril_event ticking; /* of the coroutines that no time was given for */

static fibril_value tick(void *arg) {
  ticker *self = arg;
  int err = self->ms < 0 ? fibril_event_wait(&ticking, -1) : fibril_sleep(self->ms);
  if (err == 0) self->counter->value++;
  fibril_this_unref(self->counter);
  free(self);
  return fibril_undefined();
}

/* A coroutine that outlives the method. */
static fibril_value counter_tick_later(fibril_args *args) {
  ticker *self = malloc(sizeof *self);
  if (self == NULL) return fibril_error(UV_ENOMEM, NULL);
  *self = (ticker){fibril_this(args), fibril_arg_number(args, 0)};
  fibril_this_ref(self->counter);
  fibril_future *future = fibril_spawn(tick, self, NULL);
  fibril_future_unref(future);
  return fibril_undefined();
}

static fibril_value tick_now(fibril_args *args) {
  (void)args;
  fibril_event_set(&ticking);
  return fibril_undefined();
}

static fibril_value count_live(fibril_args *args) {
  (void)args;
  return fibril_number(live);
}

static fibril_value no_object(fibril_args *args) {
  return fibril_boolean(fibril_this(args) == NULL);
}

static fibril_value bare_size(fibril_args *args) {
  const unsigned char *state = fibril_this(args);
  int sum = 0;
  for (size_t i = 0; i < 64; i++) sum += state[i];
  return fibril_number(sum);
}

static _Thread_local fibril_class *counter_class; /* of the copy that was loaded last */

/* Declaring after the load has ended is refused. */
static fibril_value late(fibril_args *args) {
  (void)args;
  return fibril_number(fibril_class_getter(counter_class, "late: number", counter_value));
}

/* The tests of futures need the runtime itself, as lib/ does. */
void fibril__module_runtime(fibril_module *module);

FIBRIL_MODULE(m) {
  fibril__module_runtime(m);
  fibril_class *counters = fibril_export_class(m, "Counter",
                                               &(fibril_class_options){
                                                   .size = sizeof(fibril_class_options),
                                                   .state_size = sizeof(counter),
                                                   .release = counter_release,
                                               });
  counter_class = counters;
  fibril_class_constructor(counters, "(start: number = 0, options?: {name?: string})", counter_new);
  fibril_class_method(counters, "add(n: number): Promise<number>", counter_add, NULL);
  fibril_class_method(counters, "addLater(n: number): Promise<number>", counter_add_later, NULL);
  fibril_class_method(counters, "change(options?: {signal?: AbortSignal}): Promise<number>",
                      counter_change, NULL);
  fibril_class_method(
      counters, "sum(a: number, b: number, c: number): Promise<number>", counter_sum,
      &(fibril_export_options){.size = sizeof(fibril_export_options), .stack_size = 32 * 1024});
  fibril_class_method(counters, "keep(value: any): Promise<void>", counter_keep, NULL);
  fibril_class_method(counters, "tickLater(ms: number): Promise<void>", counter_tick_later, NULL);
  fibril_class_method(counters, "lineUp(): Promise<void>", counter_line_up, NULL);
  fibril_class_method(counters, "close(): Promise<void>", counter_close, NULL);
  fibril_class_getter(counters, "value: number", counter_value);
  fibril_class_getter(counters, "name: string", counter_name);
  fibril_class_getter(counters, "closed: boolean", counter_closed);
  fibril_class_getter(counters, "kept: any", counter_kept);
  fibril_class_getter(counters, "broken: Promise<never>", counter_broken);
  fibril_class_getter(counters, "waits: number", counter_waits);
  fibril_class *bare = fibril_export_class(
      m, "Bare", &(fibril_class_options){.size = sizeof(fibril_class_options), .state_size = 64});
  fibril_class_method(bare, "value(): Promise<number>", bare_size, NULL);
  fibril_export_class(m, "Empty", NULL);
  fibril_export(m, "tickNow(): Promise<void>", tick_now);
  fibril_export(m, "countLive(): Promise<number>", count_live);
  fibril_export(m, "noObject(): Promise<boolean>", no_object);
  fibril_export(m, "late(): Promise<number>", late);
}
